// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/file.hpp"
#include "siena/cost/flash.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/cost/ram.hpp"
#include "siena/deploy/c/target.hpp"
#include "siena/deploy/c_source.hpp"
#include "siena/deploy/integer/quantize.hpp"
#include "siena/space/describe.hpp"
#include "support/catch.hpp"
#include "support/compiled_c.hpp"
#include "support/deployed_networks.hpp"
#include "support/few_bits.hpp"
#include "support/random_integer_network.hpp"
#include "support/random_network.hpp"
#include "support/settled_network.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;
using deploy::IntegerNetwork;
using test::ComparedC;
using test::RandomIntegerNetwork;
using test::RandomNetwork;

namespace {

/// How many inputs each network gets: more by hand than in a test that all run.
int c_samples(int unless) {
  const char* said = std::getenv("SIENA_C_SAMPLES");
  return said ? std::atoi(said) : unless;
}

/// With outputs that depend on the inputs.
IntegerNetwork c_integers(Network network) {
  test::settle(network);
  const std::vector<Tensor> batch{test::varied_batch(network, 8, 5)};
  return deploy::quantize(network, batch);
}

/// Bytes of code and tables in an object file of a Cortex-M4; what the linker takes of it.
double c_linked(const test::TemporaryFolder& folder, const deploy::CSource& source) {
  const std::string name = source.name, at = folder.path.string();
  const std::string build = format("cd '{}' && arm-none-eabi-gcc -std=c99 -mcpu=cortex-m4 -mthumb -O2 -c {}.c", at, name);
  REQUIRE(std::system((build + format(" && arm-none-eabi-size -A {}.o >sizes", name)).c_str()) == 0);
  std::istringstream lines(read_file(folder.path / "sizes"));
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string section;
    double bytes = 0;
    if (words >> section >> bytes && (section.starts_with(".text") || section.starts_with(".rodata"))) sum += bytes;
  }
  return sum;
}

/// Bytes of the stack of a run: its own, and those of the function that takes most with what it calls.
double c_stack(const test::TemporaryFolder& folder, const deploy::CSource& source) {
  const std::string build = "arm-none-eabi-gcc -std=c99 -mcpu=cortex-m4 -mthumb -O2 -fstack-usage -c";
  REQUIRE(std::system(format("cd '{}' && {} {}.c", folder.path.string(), build, source.name).c_str()) == 0);
  std::map<std::string, double> frames;
  std::istringstream lines(read_file(folder.path / (source.name + ".su")));
  for (std::string line; std::getline(lines, line);) {  // file:line:column:function, bytes, kind
    const std::size_t tab = line.find('\t'), colon = line.rfind(':', tab);
    frames[line.substr(colon + 1, tab - colon - 1)] = std::stod(line.substr(tab));
  }
  double most = 0;
  for (const auto& [function, bytes] : frames) {
    const std::size_t at = source.code.find("void " + function + "("), end = source.code.find("\n}\n", at);
    double called = 0;
    for (const auto& [other, its] : frames) {
      const bool calls = other.starts_with("siena_") && source.code.find(other + "(", at) < end;
      if (calls) called = std::max(called, its);
    }
    if (!function.starts_with(source.name)) most = std::max(most, bytes + called);
  }
  return frames.at(source.name + "_run") + most;
}

/// What is left of a random network, of layers that integers can compute; of every other one weights have few bits.
Network c_found(std::uint64_t seed) {
  Network network = seed % 3 == 0 ? RandomNetwork(seed).make_1d() : RandomNetwork(seed).make();
  Network found = test::found_by_chance(network, seed + 1);
  return seed % 2 == 0 ? test::with_chance_bits(found, seed + 2) : found;
}

/// Functions of operations, but those that do what another does from the end.
std::size_t c_functions(const deploy::CSource& source) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = source.code.find("\nSIENA_FUNCTION void ", at)) != source.code.npos; ++at) {
    const std::string_view before(source.code.data(), at), name = std::string_view(source.code).substr(at + 21);
    const bool again = before.ends_with(", from the end */");
    count += again || name.starts_with("siena_") || name.starts_with("hold_") ? 0 : 1;
  }
  return count;
}
std::size_t priced_functions(const Architecture<double>& network) {
  std::vector<LayerDesc<double>> shared;
  std::size_t count = 0;
  for (const auto& layer : as_deployed(network).layers) {
    if (code_parts(layer, CTarget::portable).kind == CodeKind::none) continue;
    const auto own = function_of(layer);
    if (own && std::find(shared.begin(), shared.end(), *own) != shared.end()) continue;
    if (own) shared.push_back(*own);
    ++count;
  }
  return count;
}

/// Tables and arena are as many bytes as `Flash` and `Ram` price, for each target. An arena is less where a layer of somebody's
/// own can work in place and has not said so.
void c_keeps_promises(const Network& network, const IntegerNetwork& integers) {
  const Architecture<double> architecture = describe(network);
  for (const CodeSize& code : {code_portable, code_cortex_m}) {
    const deploy::CSource source = deploy::c_text(integers, {.target = code.target});
    double tables = 0;
    for (const auto& layer : as_deployed(architecture).layers) tables += Flash{code}.tables(layer);
    REQUIRE(static_cast<double>(source.table_bytes()) == tables);
    const auto packs = [](const auto& layer) {
      return siena::packs(layer, CTarget::portable);
    };  // then widths tell functions apart
    if (std::none_of(architecture.layers.begin(), architecture.layers.end(), packs))
      REQUIRE(c_functions(source) <= priced_functions(architecture));
    const double arena = Ram{code}.arena(architecture);
    REQUIRE(static_cast<double>(source.arena) <= arena);
    if (!test::has_custom_layers(network)) REQUIRE(static_cast<double>(source.arena) == arena);
  }
}

}  // namespace

TEST_CASE("C of the networks of the benchmarks computes what the simulator does, in the memory that was priced") {
  ComparedC compared;
  RandomIntegerNetwork random(1);
  for (const auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    const IntegerNetwork integers = c_integers(network);
    for (const deploy::CTarget target : {deploy::CTarget::portable, deploy::CTarget::cortex_m}) {
      const ArenaRules rules = arena_rules(target);
      REQUIRE(plan_arena(deploy::architecture_of(integers), rules).total == total(PeakMemory{rules}, describe(network)));
    }
    REQUIRE(deploy::c_text(integers).arena == total(PeakMemory{}, describe(network)));
    if (test::CompiledC::possible()) compared.add(integers, random, c_samples(2));
  }
  if (test::compiles_c()) REQUIRE(compared.c.run("cc -std=c99 -O2") == compared.expected);
}

TEST_CASE("flash and arena of the networks of the benchmarks are what was promised") {
  const bool links = test::succeeds("arm-none-eabi-gcc --version");
  if (!links) WARN("skipped in part: no compiler 'arm-none-eabi-gcc'");
  const test::TemporaryFolder folder("siena_linked");
  const auto keeps = [&](const std::string& name, const Network& network, double portable, double cortex) {
    INFO(name);
    const IntegerNetwork integers = c_integers(network);
    c_keeps_promises(network, integers);
    for (const CodeSize& code : {code_portable, code_cortex_m}) {
      if (!links) continue;
      const deploy::CSource source = deploy::c_source(integers, folder.path, {.name = name, .target = code.target});
      const double linked = c_linked(folder, source), promised = total(Flash{code}, describe(network));
      CHECK(promised >= linked);
      CHECK(promised <= linked * (code.target == CTarget::portable ? portable : cortex));
    }
  };
  for (const auto& [name, network] : test::deployed_networks()) {
    const bool whole = name.find("found") == name.npos;
    keeps(name, network, whole ? 1.01 : 1.12, whole ? 1.01 : 1.12);
    if (!whole) continue;
    keeps(name + ", 2 bits", test::with_bits(network, [](std::int64_t) { return 2; }), 1.03, 1.04);
    keeps(name + ", chance bits", test::with_chance_bits(network, 3), 1.03, 1.05);
  }
}

TEST_CASE("large kernels take no more flash and stack than was promised, of weights of 4 bits, too") {
  if (!test::succeeds("arm-none-eabi-gcc --version")) {
    WARN("skipped: no compiler 'arm-none-eabi-gcc'");
    return;
  }
  const test::TemporaryFolder folder("siena_large_kernels");
  const auto keeps = [&](const Shape& input, const Conv2d& layer) {
    const Network network(
        input, [&](const Flow& x) { return x | layer | Relu{} | GlobalAvgPool{} | Linear{.out = 2}; }, 1);
    const std::vector<Tensor> batch{test::varied_batch(network, 4, 5)};
    const deploy::CSource source =
        deploy::c_source(deploy::quantize(network, batch), folder.path, {.target = deploy::CTarget::cortex_m});
    const Architecture<double> architecture = describe(network);
    INFO(layer.kernel.height << " x " << layer.kernel.width << ", groups " << layer.groups);
    CHECK(total(Flash{code_cortex_m}, architecture) >= c_linked(folder, source));
    CHECK(Ram{code_cortex_m}.stack(architecture) >= c_stack(folder, source));
  };
  constexpr int depthwise = Conv2d::depthwise;
  for (const int kernel : {5, 7}) keeps({16, 16, 8}, {.out = 8, .kernel = kernel, .groups = depthwise, .weight_bits = 4});
  keeps({16, 16, 8}, {.out = 8, .kernel = 3, .stride = 2, .groups = depthwise, .weight_bits = 4});
  keeps({16, 16, 8}, {.out = 8, .kernel = 5, .weight_bits = 4});
  keeps({64, 6, 4}, {.out = 6, .kernel = {49, 3}});
  keeps({64, 6, 4}, {.out = 6, .kernel = {49, 3}, .weight_bits = {8, 8, 4, 4, 2, 2}});
}

TEST_CASE("C that holds values in a range has that priced: fewer bits, and a ReLU before levels that begin below 0") {
  const auto holds = [](const FakeQuantize& levels, bool relu, bool expected) {
    const Network network({6, 6, 2}, [&](Flow x) {
      x = x | Conv2d{.out = 4};
      return (relu ? x | Relu{} : x) | levels;
    });
    const deploy::CSource source = deploy::c_text(c_integers(network));
    CHECK((source.code.find("hold_1(") != source.code.npos) == expected);
    CHECK((as_deployed(describe(network)).layers.at(0).operation == "clip") == expected);
  };
  for (const bool relu : {false, true}) {
    holds({.scale = 0.1, .zero_point = 0}, relu, relu);
    holds({.scale = 0.1, .zero_point = -128}, relu, false);
    holds({.scale = 0.1, .zero_point = 0, .bits = 4}, relu, true);
    holds({.scale = 0.1, .zero_point = 0, .learned = true}, relu, relu);
  }
  const auto tables = [](auto&& body) {
    Network network(
        {6, 6, 2}, [&](Flow x) { return body(x | Conv2d{.out = 4}) | Conv2d{.out = 2}; }, 1);
    c_keeps_promises(network, c_integers(network));
  };
  for (const int bits : {4, 8}) {
    tables([=](const Flow& x) { return x | FakeQuantize{.scale = 0.1, .bits = bits} | Relu{}; });
    tables([=](const Flow& x) { return x | Relu{} | Dropout{} | FakeQuantize{.scale = 0.1, .bits = bits}; });
  }
}

TEST_CASE("windows that see more than the image are what was promised, too") {
  const auto keeps = [](const Shape& input, auto&& body) {
    Network network(
        input, [&](const Flow& x) { return body(x) | Flatten{} | Linear{.out = 2}; }, 1);
    RandomNetwork(2).randomise(network);
    c_keeps_promises(network, c_integers(network));
  };
  for (const bool counted : {false, true}) {
    for (const ImagePadding padding : {ImagePadding(0, 0, 1, 1), ImagePadding(1, 0, 0, 0), ImagePadding(1), ImagePadding(0)})
      keeps({6, 5, 3}, [&](const Flow& x) {
        return x | AvgPool{.kernel = 3, .stride = {2, 1}, .padding = padding, .count_padding = counted};
      });
  }
  for (const int groups : {1, 3, Conv2d::depthwise}) {
    for (const int kernel : {1, 3}) {
      for (const ImagePadding padding : {ImagePadding(4), ImagePadding(0, 5, 5, 0), ImagePadding(kernel, 0, 0, kernel)})
        keeps({4, 3, 6}, [&](const Flow& x) {
          return x | Conv2d{.out = 6, .kernel = kernel, .stride = {1, 2}, .padding = padding, .groups = groups};
        });
    }
  }
  for (const int channels :
       {1, 2}) {  // an image of one channel has no depthwise convolutions, and norms that are ordinary ones
    keeps({4, 3, channels}, [&](Flow x) {
      x = x | Conv2d{.out = channels, .kernel = 1, .groups = Conv2d::depthwise} | HardSwish{} | BatchNorm{} | HardSwish{};
      return x | GlobalAvgPool{} | HardSwish{} | BatchNorm{} | HardSwish{};
    });
  }
}

TEST_CASE("C of networks that searches find computes what the simulator does") {
  ComparedC compared;
  int networks = 0;
  for (std::uint64_t seed = 1; networks < 200; ++seed) {
    const Network network = c_found(seed);
    if (test::has<GroupNorm>(network)) continue;
    INFO(seed);
    const IntegerNetwork integers = c_integers(network);
    c_keeps_promises(network, integers);
    ++networks;
    RandomIntegerNetwork random(seed);
    if (test::CompiledC::possible()) compared.add(integers, random, c_samples(3));
  }
  if (test::compiles_c()) REQUIRE(compared.c.run("cc -std=c99 -O0") == compared.expected);
}
