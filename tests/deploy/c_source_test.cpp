// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/c_source.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/file.hpp"
#include "siena/deploy/c/input_bytes.hpp"
#include "siena/deploy/c/text.hpp"
#include "support/catch.hpp"
#include "support/compiled_c.hpp"
#include "support/random_integer_network.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;
using deploy::IntegerNetwork;
using test::ComparedC;
using test::CompiledC;
using test::RandomIntegerNetwork;

namespace {

/// One operation of each kind and make, each a network.
std::vector<IntegerNetwork> c_kinds(RandomIntegerNetwork& r) {
  using Geometry = kernels::ConvGeometry;
  std::vector<IntegerNetwork> networks;
  const auto convolve = [&](const Shape& shape, const Geometry& g) {
    r.convolution(r.begin(shape), g);
    networks.push_back(r.end());
  };
  convolve(
      {7, 6, 3},
      {.out_channels = 5, .kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1});
  convolve({7, 6, 3},
           {.out_channels = 4, .kernel_height = 3, .kernel_width = 2, .stride_height = 2, .pad_bottom = 1, .pad_left = 1});
  convolve({9, 9, 2}, {.out_channels = 4,
                       .kernel_height = 3,
                       .kernel_width = 3,
                       .dilation_height = 2,
                       .dilation_width = 3,
                       .pad_top = 3,
                       .pad_bottom = 4,
                       .pad_left = 5,
                       .pad_right = 3});
  convolve({6, 5, 6}, {.out_channels = 9, .kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_right = 2, .groups = 3});
  convolve({6, 5, 4}, {.out_channels = 4,
                       .kernel_height = 3,
                       .kernel_width = 3,
                       .stride_width = 2,
                       .pad_top = 1,
                       .pad_bottom = 1,
                       .pad_left = 1,
                       .pad_right = 1,
                       .groups = 4});
  convolve({6, 5, 4}, {.out_channels = 12, .kernel_height = 2, .kernel_width = 3, .groups = 4});
  convolve({6, 5, 4}, {.out_channels = 7});
  convolve({6, 5, 4}, {.out_channels = 7, .stride_height = 2, .stride_width = 2});
  convolve({6, 5, 4}, {.out_channels = 4, .groups = 4});
  convolve({20, 3}, {.out_channels = 4, .kernel_width = 5, .dilation_width = 2, .pad_left = 8});  // causal
  convolve({20, 3}, {.out_channels = 3, .kernel_width = 4, .stride_width = 2, .pad_left = 1, .pad_right = 2, .groups = 3});
  convolve({3, 3, 2}, {.out_channels = 2,
                       .kernel_height = 3,
                       .kernel_width = 3,
                       .pad_top = 5,
                       .pad_bottom = 5,
                       .pad_left = 5,
                       .pad_right = 5});  // windows of padding alone
  for (int kind = 0; kind < 12; ++kind) {
    const int x = r.begin({6, 5, 4});
    if (kind == 0) r.table(x);
    if (kind == 1) r.prelu(x);
    if (kind == 2) r.sum(x, r.table(x));
    if (kind == 3) r.multiply(x, r.table(x));
    if (kind == 4) r.multiply(x, r.average_pool(x, {.kernel_height = 6, .kernel_width = 5}));
    if (kind == 5) r.max_pool(x, {.kernel_height = 3, .kernel_width = 2, .stride_height = 2, .pad_top = 1, .pad_right = 1});
    if (kind == 6) r.average_pool(x, {.kernel_height = 2, .kernel_width = 3, .pad_left = 1, .pad_right = 2});
    if (kind == 7) r.concat({x, r.table(x), r.prelu(x)});
    if (kind == 8) r.slice(x);
    if (kind == 9) r.pad(x);
    if (kind == 10) r.upsample(x);
    if (kind == 11) r.table(r.shuffle(x));
    networks.push_back(r.end());
  }
  r.linear(r.begin({3, 2, 2}), 5);
  networks.push_back(r.end());
  r.linear(r.begin({10}), 4);
  networks.push_back(r.end());
  r.reshape(r.table(r.begin({3, 2, 2})));  // the output is a view
  networks.push_back(r.end());
  r.reshape(r.begin({3, 2, 2}), true);
  networks.push_back(r.end());
  {  // layers alike but for their shifts
    const kernels::ConvGeometry g{
        .out_channels = 3, .kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1};
    const int a = r.convolution(r.convolution(r.begin({5, 4, 3}), g), g);
    r.sum(r.sum(a, a), a);
    networks.push_back(r.end());
    int shift = 0;
    for (auto& operation : networks.back().operations) {
      if (auto* convolution = std::get_if<deploy::integer::Convolution>(&operation.what)) convolution->shift = ++shift;
      if (auto* add = std::get_if<deploy::integer::Add>(&operation.what)) add->shift = 17 + ++shift;
    }
  }
  const int x = r.begin({4, 4, 2}), y = r.table(x);
  r.table(y);
  networks.push_back(r.end());
  networks.back().output = y;  // which is read by another, too
  return networks;
}

/// Compiles a file that uses a header of a network.
bool c_compiles(const CompiledC& c, const std::string& text, const std::string& compiler = "cc -std=c99") {
  write_file_atomically(c.folder() / "use.c", text);
  return test::succeeds(format("cd '{}' && {} {} -c use.c", c.folder().string(), compiler, test::c_warnings));
}

data::Preparation c_images(const Shape& shape, std::vector<float> mean, std::vector<float> deviation) {
  return {.shape = shape, .bytes = true, .mean = std::move(mean), .deviation = std::move(deviation)};
}

}  // namespace

TEST_CASE("C computes every kind of operation as the simulator does") {
  if (!test::compiles_c()) return;
  ComparedC compared;
  RandomIntegerNetwork random(1);
  for (const IntegerNetwork& network : c_kinds(random)) compared.add(network, random, 20);
  REQUIRE(compared.c.run("cc -std=c99 -O1 -fsanitize=undefined -fno-sanitize-recover=all") == compared.expected);
}

TEST_CASE("C computes random networks as the simulator does") {
  if (!test::compiles_c()) return;
  ComparedC compared;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    RandomIntegerNetwork random(seed);
    compared.add(random.make(12), random, 5);
  }
  REQUIRE(compared.c.run("cc -std=c99 -O0") == compared.expected);
}

TEST_CASE("C of a network is C++, and is warned of by no compiler") {
  if (!test::compiles_c()) return;
  for (const std::string compiler : {"c++ -x c++ -std=c++17", "clang -std=c99 -Wno-unused-command-line-argument"}) {
    if (!test::succeeds(compiler + " -E /dev/null")) {
      WARN("skipped: no compiler '" + compiler + "'");
      continue;
    }
    ComparedC compared;
    RandomIntegerNetwork random(2);
    for (int i = 0; i < 4; ++i) compared.add(random.make(16), random, 2);
    REQUIRE(compared.c.run(compiler) == compared.expected);
  }
}

TEST_CASE("C of a network has integers alone, and of the library memcpy and memset") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RandomIntegerNetwork random(seed);
    const std::string code = deploy::c_text(random.make(12)).code;
    for (const char* word : {"float", "double", "malloc", "(*", "<math", "<stdio", "<stdlib"}) {
      INFO(word);
      REQUIRE(code.find(word) == code.npos);
    }
  }
}

TEST_CASE("layers alike share a function of C, and each has tables of its own") {
  RandomIntegerNetwork random(3);
  const int x = random.begin({6, 6, 4});
  const kernels::ConvGeometry g{
      .out_channels = 4, .kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1};
  random.convolution(random.convolution(x, g), g);
  IntegerNetwork network = random.end();
  for (auto& operation : network.operations) {
    operation.low = -128, operation.high = 127;
    auto& convolution = std::get<deploy::integer::Convolution>(operation.what);
    convolution.shift = 0, convolution.bits = 8;
  }
  const deploy::CSource different = deploy::c_text(network);
  REQUIRE(different.code.find("convolution_1(") != std::string::npos);
  REQUIRE(different.code.find("convolution_2(") == std::string::npos);
  REQUIRE(different.tables.at("weights") == 2 * 4 * 9 * 4);
  REQUIRE(different.tables.at("bias") == 2 * 4 * 4);
  std::get<deploy::integer::Convolution>(network.operations[1].what).shift = 2;
  for (const auto target : {deploy::CTarget::portable, deploy::CTarget::cortex_m}) {  // what differs is an argument
    const std::string code = deploy::c_text(network, {.target = target}).code;
    REQUIRE(code.find("convolution_2(") == std::string::npos);
    REQUIRE(code.find("int32_t shift") != std::string::npos);
  }
  network.operations[1].low = -5;  // held by a call of its own
  REQUIRE(deploy::c_text(network).code.find("convolution_2(") == std::string::npos);
  network.operations[1].low = -128;
  network.operations[1].what = network.operations[0].what;
  const deploy::CSource alike = deploy::c_text(network);
  REQUIRE(alike.table_bytes() == different.table_bytes());
}

TEST_CASE("bytes become inputs by integers as they would by floats, for each value of a byte") {
  Random random(4);
  int by_factors = 0;
  for (int i = 0; i < 300; ++i) {
    const deploy::IntegerValue input{
        "input", {4, 4, 2}, random.uniform(0.003, 0.05), static_cast<int>(random.below(256)) - 128};
    const data::Preparation preparation =
        c_images(input.shape, {static_cast<float>(random.uniform(0, 1)), 0}, {static_cast<float>(random.uniform(0.1, 1)), 1});
    std::vector<deploy::c::ByteTable> tables;
    for (std::size_t channel = 0; channel < 2; ++channel) {
      tables.push_back(deploy::c::byte_table(preparation, channel, input));
      for (int byte = 0; byte < 256; ++byte) {
        const float seen = (static_cast<float>(byte) / 255.0f - preparation.mean[channel]) / preparation.deviation[channel];
        const double q = std::floor(double{seen} / input.scale + 0.5) + input.zero_point;
        REQUIRE(tables[channel][static_cast<std::size_t>(byte)] == std::clamp(q, -128.0, 127.0));
      }
    }
    const auto factors = deploy::c::byte_factors(preparation, tables, input);
    if (!factors) continue;
    ++by_factors;
    for (std::size_t channel = 0; channel < 2; ++channel) {
      for (int byte = 0; byte < 256; ++byte) {
        const std::int32_t q = (factors->factor[channel] * byte + factors->offset[channel]) >> factors->shift;
        REQUIRE(std::clamp(q, -128, 127) == tables[channel][static_cast<std::size_t>(byte)]);
      }
    }
  }
  REQUIRE(by_factors > 200);
}

TEST_CASE("C takes bytes, by factors and by tables") {
  if (!test::compiles_c()) return;
  CompiledC c;
  std::vector<std::int8_t> expected, bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<std::int8_t>(byte));
  const auto add = [&](const data::Preparation& preparation, double scale, bool by_factors) {
    RandomIntegerNetwork random(5);
    random.table(random.begin(preparation.shape));
    IntegerNetwork network = random.end();
    for (int i = 0; i < 256; ++i)
      std::get<deploy::integer::Table>(network.operations[0].what).of[i] = static_cast<std::int8_t>(i - 128);
    network.operations[0].low = -128, network.operations[0].high = 127;
    network.values[0].scale = scale, network.values[0].zero_point = -3;
    const std::size_t channels = preparation.mean.size();
    for (std::size_t i = 0; i < 256; ++i)
      expected.push_back(deploy::c::byte_table(preparation, i % channels, network.values[0])[i]);
    REQUIRE((deploy::c_text(network, {.preparation = preparation}).code.find("siena_blend") != std::string::npos) ==
            by_factors);
    c.add(network, bytes, {.preparation = preparation}, true);
  };
  add(c_images({16, 16, 1}, {0.5f}, {0.25f}), 0.0157, true);
  add(c_images({16, 8, 2}, {0.5f, 0.4f}, {0.25f, 0.3f}), 0.0157, true);
  add(c_images({16, 16, 1}, {0.2f}, {0.7f}), 2 / 255.0 / 0.7, false);  // every other byte lies between two integers
  add(c_images({16, 8, 2}, {0.2f, 0.5f}, {0.7f, 1}), 2 / 255.0 / 0.7, false);
  REQUIRE(c.run() == expected);
}

TEST_CASE("C names classes of any text") {
  RandomIntegerNetwork random(6);
  random.linear(random.begin({4}), 3);
  const IntegerNetwork network = random.end();
  data::Preparation preparation{.shape = {4}, .mean = {0, 0, 0, 0}, .deviation = {1, 1, 1, 1}};
  preparation.classes = {"a \"b\"\\ $5 $name",
                         "?"
                         "?/\n",
                         "Stra\xc3\x9f"
                         "e1"};
  REQUIRE(deploy::c::literal(preparation.classes[0]) == R"("a \"b\"\\ \0445 \044name")");
  REQUIRE(deploy::c::literal(preparation.classes[1]) == R"("\?\?/\012")");
  REQUIRE(deploy::c::literal(preparation.classes[2]) == R"("Stra\303\237e1")");
  preparation.classes.pop_back();
  REQUIRE_THROWS_WITH(deploy::c_text(network, {.preparation = preparation}),
                      "c_source: expected a name for each of the 3 outputs, got 2");
  if (!test::compiles_c()) return;
  preparation.classes.push_back("c");
  CompiledC c;
  c.add(network, {}, {.preparation = preparation});
  REQUIRE(c_compiles(c, R"(#include "n0.h"
int use(const n0_context *context);
int use(const n0_context *context) { return n0_class(context) + n0_classes[N0_OUTPUT_SIZE - 1][0]; }
)"));
}

TEST_CASE("C of a network that rebuilds its inputs has no names of classes") {
  RandomIntegerNetwork random(10);
  random.linear(random.begin({4}), 4);
  const IntegerNetwork network = random.end();
  data::Preparation preparation{.shape = {4}, .mean = {0, 0, 0, 0}, .deviation = {1, 1, 1, 1}};
  preparation.classes = {"normal", "anomaly"};
  REQUIRE(deploy::c_text(network, {.preparation = preparation}).header.find("classes") == std::string::npos);
  preparation.classes = {"a", "b", "c", "d"};
  REQUIRE(deploy::c_text(network, {.preparation = preparation}).header.find("network_classes[") != std::string::npos);
}

TEST_CASE("C of values that no memory holds is refused") {
  const kernels::BoxGeometry box{
      .height = 60000, .width = 60000, .channels = 1, .box_height = 1, .box_width = 1, .box_channels = 1};
  IntegerNetwork network{.values = {{"input", {1, 1, 1}}, {"pad", {60000, 60000, 1}}}, .operations = {}, .output = 1};
  network.operations.push_back({.name = "pad", .what = deploy::integer::Pad{box}, .inputs = {0}, .output = 1});
  REQUIRE_THROWS_WITH(deploy::c_text(network), ContainsSubstring("c_source: expected values that fit into 2 GiB"));
}

TEST_CASE("an array that is too small for a context does not compile") {
  if (!test::compiles_c()) return;
  CompiledC c;
  RandomIntegerNetwork random(7);
  c.add(random.make(), {});
  const auto use = [&](const std::string& size, const std::string& compiler) {
    const std::string text = R"(#include "n0.h"
int8_t *use(void);
int8_t *use(void) {
  static int8_t memory[)" + size +
                             R"(];
  return n0_input(N0_CONTEXT_IN(memory));
}
)";
    return c_compiles(c, text, compiler);
  };
  for (const std::string compiler : {"cc -std=c99", "cc -x c++"}) {
    REQUIRE(use("N0_ARENA_SIZE", compiler));
    REQUIRE_FALSE(use("N0_ARENA_SIZE - 1", compiler));
  }
}

TEST_CASE("C is refused by a compiler whose int has 16 bits") {
  if (!test::compiles_c()) return;
  CompiledC c;
  RandomIntegerNetwork random(7);
  c.add(random.make(), {});
  for (const std::string compiler : {"cc -std=c99", "cc -x c++"}) {
    REQUIRE(c_compiles(c, "#include \"n0.c\"\n", compiler));
    REQUIRE_FALSE(c_compiles(c, "#include <limits.h>\n#undef INT_MAX\n#define INT_MAX 32767\n#include \"n0.c\"\n", compiler));
  }
}

TEST_CASE("names in C are identifiers that hide nothing") {
  using deploy::c::identifier;
  REQUIRE(identifier("ResNet-8 (found)") == "resnet_8_found");
  REQUIRE(identifier("__x__") == "x");
  REQUIRE(identifier("8 bit") == "network_8_bit");
  REQUIRE(identifier("string") == "network_string");
  REQUIRE(identifier("features") == "network_features");
  REQUIRE(identifier("gr\xc3\xbc\xc3\x9f"
                     "e") == "gr_e");
  REQUIRE_THROWS_WITH(identifier("-"), "c_source: expected a name with letters or digits, got '-'");
  REQUIRE(deploy::c::comment("a */ b /* c ?"
                             "?/ \x01") == "a * / b / * c ? ?/  ");
  REQUIRE(deploy::c::comment("*\\\n/ int x;") == "*\\\n / int x;");
}

TEST_CASE("C is the same for the same network, and says what was reported") {
  RandomIntegerNetwork random(8);
  IntegerNetwork network = random.make(12);
  network.operations[0].name = "conv */ #error\n";
  const deploy::CSourceOptions options{.name = "my net", .report = "memory 1 KB\nlatency */ 2 ms"};
  const test::TemporaryFolder folder("siena_c_source");
  const deploy::CSource written = deploy::c_source(network, folder.path, options), again = deploy::c_text(network, options);
  REQUIRE(read_file(folder.path / "my_net.h") == again.header);
  REQUIRE(read_file(folder.path / "my_net.c") == again.code);
  REQUIRE(again.header.find("   memory 1 KB\n   latency * / 2 ms\n*/") != std::string::npos);
  REQUIRE_THROWS_AS(deploy::c_source(network, folder.path / "none", options), DataError);
  std::filesystem::create_directories(folder.path / "other.c");  // in the way
  REQUIRE_THROWS_AS(deploy::c_source(network, folder.path, {.name = "other"}), DataError);
  REQUIRE_FALSE(std::filesystem::exists(folder.path / "other.h"));
  if (test::compiles_c())
    REQUIRE(test::succeeds(format("cd '{}' && cc -std=c99 {} -c my_net.c", folder.path.string(), test::c_warnings)));
}

TEST_CASE("C refuses a preparation of other inputs and a network that reads none") {
  RandomIntegerNetwork random(9);
  random.table(random.begin({4, 4, 1}));
  const IntegerNetwork network = random.end();
  REQUIRE_THROWS_WITH(
      deploy::c_text(network, {.preparation = c_images({4, 4, 2}, {0, 0}, {1, 1})}),
      "c_source: expected a preparation of the network's inputs 4x4x1, got one of 4x4x2 with a mean of 2 channels");
  REQUIRE_THROWS_WITH(deploy::c_text(network, {.preparation = c_images({4, 4, 1}, {0.5f}, {0})}),
                      "c_source: expected a finite mean and a deviation above 0 of each channel, got 0.5 and 0 of 0");
  random.begin({4});
  REQUIRE_THROWS_WITH(deploy::c_text(random.end()), "c_source: expected a network that reads its input, got one that does not");
}
