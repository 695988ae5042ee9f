// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/safetensors.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/deploy/fold_batch_norm.hpp"
#include "siena/deploy/network_file.hpp"
#include "siena/deploy/preparation_file.hpp"
#include "siena/models/resnet8.hpp"
#include "siena/nn/network.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;
namespace fs = std::filesystem;

namespace {
/// A path of its own in a folder of its own, removed at the end of a test.
struct TemporaryFile {
  test::TemporaryFolder kept{"siena_safetensors"};
  fs::path folder = kept.path, path = folder / "weights.safetensors";
};

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}
/// A file of any header and data, however wrong.
std::string file_of(const std::string& header, const std::string& data) {
  return bytes_of<std::uint64_t>({header.size()}) + header + data;
}
std::string load_error(const TemporaryFile& file, const std::string& bytes) {
  write_file_atomically(file.path, bytes);
  try {
    (void)deploy::load_safetensors(file.path);
  } catch (const FormatError& error) {
    REQUIRE_THAT(error.what(), ContainsSubstring(file.path.string()));  // every message names the file
    return error.what();
  }
  return "no error";
}
/// The error of a file of one entry, `fields` being what follows its opening brace.
std::string entry_error(const TemporaryFile& file, const std::string& fields, const std::string& data = "") {
  return load_error(file, file_of("{\"layer.weight\":{" + fields + "}}", data));
}

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor tensor(shape, -77.0f);  // in the padding too, which must not reach the file
  Random random(seed);
  for (std::int64_t r = 0; r < tensor.rows(); ++r) {
    for (float& value : tensor.row(r)) value = static_cast<float>(random.normal());
  }
  return tensor;
}
bool same_elements(const Tensor& a, const Tensor& b) {
  std::vector<float> left, right;
  a.copy_to(left);
  b.copy_to(right);
  return a.shape() == b.shape() && left == right;
}

Network small_network(std::uint64_t seed) {
  return Network(
      Shape{6, 6, 3},
      [](Flow x) {
        x = x | Conv2d{.out = 5, .kernel = 3} | BatchNorm{} | Relu{};
        return x | Flatten{} | Linear{.out = 7};
      },
      seed);
}
}  // namespace

TEST_CASE("a state survives the way through a file", "[deploy][safetensors]") {
  const TemporaryFile file;
  State state;
  const std::vector<Shape> shapes = {{1}, {7}, {8}, {3, 5}, {2, 3, 9}, {3, 3, 5, 17}, {2, 1, 3, 2, 11}, {0}, {4, 0}, {0, 4}};
  for (std::size_t i = 0; i < shapes.size(); ++i) state.put("t" + std::to_string(i), random_tensor(shapes[i], i));
  state.put("rate", 0.1);
  state.put("not a number", std::numeric_limits<double>::quiet_NaN());
  state.put("step", std::int64_t{-9'007'199'254'740'993});
  state.put("name", std::string("Überprüfung \"1\"\n"));
  deploy::save_safetensors(state, file.path, {{"licence", "Apache-2.0"}});

  const State loaded = deploy::load_safetensors(file.path);
  REQUIRE(loaded.values().size() == state.values().size() + 1);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    CAPTURE(shapes[i].to_string());
    REQUIRE(same_elements(loaded.get<Tensor>("t" + std::to_string(i)), state.get<Tensor>("t" + std::to_string(i))));
  }
  REQUIRE(loaded.get<double>("rate") == 0.1);
  REQUIRE(std::isnan(loaded.get<double>("not a number")));
  REQUIRE(loaded.get<std::int64_t>("step") == -9'007'199'254'740'993);
  REQUIRE(loaded.get<std::string>("name") == "Überprüfung \"1\"\n");
  REQUIRE(loaded.get<std::string>("licence") == "Apache-2.0");
}

TEST_CASE("a file has exactly the bytes of the format", "[deploy][safetensors]") {
  const TemporaryFile file;
  State state;
  state.put("a", Tensor(Shape{2, 3}, {1, 2, 3, 4, 5, 6}));
  state.put("b", std::int64_t{-2});
  state.put("c", std::string("text"));
  deploy::save_safetensors(state, file.path);
  std::string header = R"({"__metadata__":{"c":"text"},"a":{"data_offsets":[8,32],"dtype":"F32","shape":[2,3]},)"
                       R"("b":{"data_offsets":[0,8],"dtype":"I64","shape":[]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  REQUIRE(read_file(file.path) == file_of(header, bytes_of<std::int64_t>({-2}) + bytes_of<float>({1, 2, 3, 4, 5, 6})));

  SECTION("the same state gives the same bytes, whatever is in the padding") {
    const std::string first = read_file(file.path);
    State other;
    other.put("c", std::string("text"));
    other.put("b", std::int64_t{-2});
    Tensor a(Shape{2, 3}, 99.0f);
    a.assign(std::vector<float>{1, 2, 3, 4, 5, 6});
    other.put("a", a);
    deploy::save_safetensors(other, file.path);
    REQUIRE(read_file(file.path) == first);
  }
}

TEST_CASE("a state without values is a file without tensors", "[deploy][safetensors]") {
  const TemporaryFile file;
  deploy::save_safetensors(State{}, file.path);
  REQUIRE(read_file(file.path) == file_of("{}      ", ""));
  REQUIRE(deploy::load_safetensors(file.path).values().empty());
}

TEST_CASE("files of other programs are read", "[deploy][safetensors]") {
  const TemporaryFile file;
  const auto load = [&](const std::string& header, const std::string& data) {
    write_file_atomically(file.path, file_of(header, data));
    return deploy::load_safetensors(file.path);
  };
  SECTION("F16, with zeros of both signs, subnormal, greatest and infinite numbers") {
    const State state = load(R"({"x":{"dtype":"F16","shape":[2,4],"data_offsets":[0,16]}})",
                             bytes_of<std::uint16_t>({0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x83ff, 0x8000, 0xfc00}));
    const Tensor& x = state.tensor("x", Shape{2, 4});
    REQUIRE(x(0, 0) == 1.0f);
    REQUIRE(x(0, 1) == -2.0f);
    REQUIRE(x(0, 2) == 0.333251953125f);
    REQUIRE(x(0, 3) == 65504.0f);
    REQUIRE(x(1, 0) == 0x1p-24f);
    REQUIRE(x(1, 1) == -1023 * 0x1p-24f);
    REQUIRE((x(1, 2) == 0.0f && std::signbit(x(1, 2))));
    REQUIRE(x(1, 3) == -std::numeric_limits<float>::infinity());
  }
  SECTION("F16 that is not a number") {
    const State state = load(R"({"x":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", bytes_of<std::uint16_t>({0x7e01}));
    REQUIRE(std::isnan(state.tensor("x", Shape{1})(0)));
  }
  SECTION("BF16") {
    const State state =
        load(R"({"x":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}})", bytes_of<std::uint16_t>({0x3f80, 0xc049, 0x0001}));
    REQUIRE(state.tensor("x", Shape{3})(0) == 1.0f);
    REQUIRE(state.tensor("x", Shape{3})(1) == -3.140625f);
    REQUIRE(state.tensor("x", Shape{3})(2) == std::bit_cast<float>(0x00010000u));
  }
  SECTION("F64 is rounded") {
    const State state =
        load(R"({"x":{"dtype":"F64","shape":[1,3],"data_offsets":[0,24]}})", bytes_of<double>({0.1, -1e-300, -INFINITY}));
    REQUIRE(state.tensor("x", Shape{1, 3})(0, 0) == 0.1f);
    REQUIRE(state.tensor("x", Shape{1, 3})(0, 1) == 0.0f);
    REQUIRE(state.tensor("x", Shape{1, 3})(0, 2) == -std::numeric_limits<float>::infinity());
  }
  SECTION("single values, unaligned, in any order, with blanks and unknown fields") {
    const State state = load(R"({ "b" : {"shape":[], "data_offsets":[2,6], "dtype":"F32", "note":1},
                                  "a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}, "__metadata__":{"format":"pt"}}   )",
                             bytes_of<std::uint16_t>({0x3c00}) + bytes_of<float>({2.5f}));
    REQUIRE(state.get<double>("a") == 1.0);
    REQUIRE(state.get<double>("b") == 2.5);
    REQUIRE(state.get<std::string>("format") == "pt");
  }
}

TEST_CASE("a corrupt header is refused", "[deploy][safetensors]") {
  const TemporaryFile file;
  REQUIRE_THAT(load_error(file, ""), ContainsSubstring("at least the 8 bytes of the header's length, got 0"));
  REQUIRE_THAT(load_error(file, "1234567"), ContainsSubstring("got 7; was the file cut off?"));
  REQUIRE_THAT(load_error(file, bytes_of<std::uint64_t>({100'000'001})),
               ContainsSubstring("a header of at most 100000000 bytes, got 100000001; is this a safetensors file?"));
  REQUIRE_THAT(load_error(file, bytes_of<std::uint64_t>({~std::uint64_t{0}})),
               ContainsSubstring("is this a safetensors file?"));
  REQUIRE_THAT(load_error(file, bytes_of<std::uint64_t>({20}) + "{}"), ContainsSubstring("a header of 20 bytes, got 2"));
  REQUIRE_THAT(load_error(file, file_of("", "")), ContainsSubstring("header: expected JSON"));
  REQUIRE_THAT(load_error(file, file_of("not JSON", "")), ContainsSubstring("header: expected JSON"));
  REQUIRE_THAT(load_error(file, file_of("{} {}", "")), ContainsSubstring("header: expected JSON"));
  REQUIRE_THAT(load_error(file, file_of("{\"\xff\":1}", "")), ContainsSubstring("header: expected JSON"));
  REQUIRE_THAT(load_error(file, file_of("[1]", "")), ContainsSubstring("to be a JSON object, got: [1]"));
  REQUIRE_THAT(load_error(file, file_of(std::string(1'000'000, '['), "")), ContainsSubstring("deeper nesting"));
  REQUIRE_THAT(load_error(file, file_of(R"({"__metadata__":"text"})", "")),
               ContainsSubstring("to be an object of texts, got string"));
  REQUIRE_THAT(load_error(file, file_of(R"({"__metadata__":{"a":1}})", "")), ContainsSubstring("got 'a' of type number"));
}

TEST_CASE("names that come twice are refused", "[deploy][safetensors]") {
  const TemporaryFile file;
  const std::string entry = R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  REQUIRE_THAT(load_error(file, file_of("{\"w\":" + entry + ",\"w\":" + entry + "}", "")), ContainsSubstring("got 'w' twice"));
  REQUIRE_THAT(entry_error(file, R"("dtype":"F32","shape":[0],"shape":[0],"data_offsets":[0,0])"),
               ContainsSubstring("got 'shape' twice"));
  REQUIRE_THAT(load_error(file, file_of("{\"w\":" + entry + ",\"__metadata__\":{\"w\":\"text\"}}", "")),
               ContainsSubstring("got 'w' as a tensor and in __metadata__"));
}

TEST_CASE("a corrupt entry is refused, with its name", "[deploy][safetensors]") {
  const TemporaryFile file;
  const auto refuses = [&](const std::string& fields, const std::string& data, const std::string& message) {
    const std::string error = entry_error(file, fields, data);
    REQUIRE_THAT(error, ContainsSubstring("'layer.weight'") && ContainsSubstring(message));
  };
  const std::string four = bytes_of<float>({1});
  refuses(R"("dtype":"F32","shape":[1])", four, "expected dtype, shape and data_offsets");
  refuses(R"("dtype":4,"shape":[1],"data_offsets":[0,4])", four, "expected dtype to be text, got 4");
  refuses(R"("dtype":"U8","shape":[4],"data_offsets":[0,4])", four, "expected a dtype of F64, F32, F16, BF16 and I64, got U8");
  refuses(R"("dtype":"F32","shape":1,"data_offsets":[0,4])", four, "a shape of at most 5 sizes, got 1");
  refuses(R"("dtype":"F32","shape":[1,1,1,1,1,1],"data_offsets":[0,4])", four, "at most 5 sizes, got [1,1,1,1,1,1]");
  refuses(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])", four, "whole numbers of 0 or more, got [-1]");
  refuses(R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])", four, "whole numbers of 0 or more, got [1.0]");
  refuses(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])", "", "that fits into memory");
  refuses(R"("dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0])", "", "that fits into memory");
  refuses(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4])", four, "that fits into memory");
  refuses(R"("dtype":"I64","shape":[1],"data_offsets":[0,8])", four + four, "(I64) as single values only, got shape [1]");
  refuses(R"("dtype":"F32","shape":[1],"data_offsets":[0])", four, "data_offsets [begin, end], got [0]");
  refuses(R"("dtype":"F32","shape":[1],"data_offsets":[-4,0])", four, "data_offsets [begin, end], got [-4,0]");
  refuses(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])", four, "within the 4 bytes of data, got [4,0]");
  refuses(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", four,
          "within the 4 bytes of data, got [0,8]; was the file cut off?");
  refuses(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", four, "expected 8 bytes for F32 of shape [2], got 4");
  refuses(R"("dtype":"F32","shape":[],"data_offsets":[0,0])", "", "expected 4 bytes for F32 of shape [], got 0");
  refuses(R"("dtype":"F32","shape":[1,0],"data_offsets":[0,4])", four, "expected 0 bytes for F32 of shape [1,0], got 4");
  refuses(R"("dtype":"F64","shape":[1],"data_offsets":[0,8])", bytes_of<double>({1e39}), "that fit into 32 bits, got 1e+39");
  refuses(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])", four + four, "starts at byte 0, got 4: nobody owns");
  REQUIRE_THAT(load_error(file, file_of(R"({"layer.weight":[]})", "")),
               ContainsSubstring("expected dtype, shape and data_offsets, got []"));
}

TEST_CASE("data that overlaps, or that nobody owns, is refused", "[deploy][safetensors]") {
  const TemporaryFile file;
  const std::string data = bytes_of<float>({1, 2, 3});
  const auto error = [&](const std::string& a, const std::string& b) {
    return load_error(
        file, file_of("{\"a\":{\"dtype\":\"F32\",\"shape\":" + a + "},\"b\":{\"dtype\":\"F32\",\"shape\":" + b + "}}", data));
  };
  REQUIRE_THAT(error(R"([2],"data_offsets":[0,8])", R"([2],"data_offsets":[4,12])"),
               ContainsSubstring("'b'") && ContainsSubstring("at byte 8, got 4: it overlaps"));
  REQUIRE_THAT(error(R"([1],"data_offsets":[8,12])", R"([1],"data_offsets":[0,4])"),
               ContainsSubstring("'a'") && ContainsSubstring("at byte 4, got 8: nobody owns"));
  REQUIRE_THAT(error(R"([1],"data_offsets":[0,4])", R"([1],"data_offsets":[4,8])"),
               ContainsSubstring("expected 8 bytes of data, got 12"));
  REQUIRE(error(R"([1],"data_offsets":[0,4])", R"([2],"data_offsets":[4,12])") == "no error");
}

TEST_CASE("a file that is cut anywhere is refused", "[deploy][safetensors]") {
  const TemporaryFile file;
  State state;
  state.put("a", random_tensor({3, 5}, 1));
  state.put("b", 1.5);
  deploy::save_safetensors(state, file.path, {{"k", "v"}});
  const std::string whole = read_file(file.path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    REQUIRE(load_error(file, whole.substr(0, size)) != "no error");
  }
  REQUIRE(load_error(file, whole + '\0') != "no error");
  REQUIRE(load_error(file, whole) == "no error");
}

TEST_CASE("what the format cannot hold is refused, and the old file stays", "[deploy][safetensors]") {
  const TemporaryFile file;
  State good;
  good.put("x", 1.0);
  deploy::save_safetensors(good, file.path);
  const std::string before = read_file(file.path);
  const auto refuses = [&](const std::string& name, State::Value value, const deploy::Metadata& metadata,
                           const std::string& message) {
    State state;
    state.put(name, std::move(value));
    REQUIRE_THROWS_AS(deploy::save_safetensors(state, file.path, metadata), ArgumentError);
    REQUIRE_THROWS_WITH(deploy::save_safetensors(state, file.path, metadata),
                        ContainsSubstring(file.path.string()) && ContainsSubstring(message));
  };
  refuses("__metadata__", 1.0, {}, "another name than __metadata__");
  refuses("x", Tensor(), {}, "expected 'x' to have a shape");
  refuses("x", 1.0, {{"x", "text"}}, "got 'x' in the state and the metadata");
  refuses("x", std::string("a"), {{"x", "text"}}, "got 'x' in the state and the metadata");
  refuses("\xff", 1.0, {}, "names and metadata in UTF-8");
  refuses("x", std::string("\xc3"), {}, "names and metadata in UTF-8");
  REQUIRE(read_file(file.path) == before);
}

TEST_CASE("a file that cannot be written is an error, and nothing else changes", "[deploy][safetensors]") {
  const TemporaryFile file;
  State state;
  state.put("x", 1.0);
  REQUIRE_THROWS_AS(deploy::save_safetensors(state, file.folder / "no" / "w.safetensors"), DataError);
  REQUIRE_THROWS_WITH(deploy::save_safetensors(state, file.folder / "no" / "w.safetensors"),
                      ContainsSubstring((file.folder / "no").string()));
  fs::create_directory(file.folder / "folder");
  REQUIRE_THROWS_WITH(deploy::save_safetensors(state, file.folder / "folder"), ContainsSubstring("is a directory"));
  REQUIRE_THROWS_AS(deploy::load_safetensors(file.path), DataError);
  REQUIRE_THROWS_WITH(deploy::load_safetensors(file.path), ContainsSubstring(file.path.string()));
  REQUIRE(std::distance(fs::directory_iterator(file.folder), fs::directory_iterator()) == 1);
}

TEST_CASE("a network's weights go into another network of its layers", "[deploy][safetensors]") {
  const TemporaryFile file;
  Network trained = small_network(1), fresh = small_network(2);
  trained.buffer(0).fill(0.25f);
  const std::string path = file.path.string();
  deploy::save_weights(trained, path, {{"data set", "CIFAR-10"}});
  deploy::load_weights(fresh, path);

  Tensor images = random_tensor({4, 6, 6, 3}, 3);
  REQUIRE(same_elements(fresh.predict(images), trained.predict(images)));
  const State state = deploy::load_safetensors(path);
  REQUIRE(state.get<std::string>("data set") == "CIFAR-10");
  const Tensor& filters = state.get<Tensor>("conv2d_1.weight");  // 3 x 3 x 3 x 5: height x width x in x out
  REQUIRE(filters.shape() == Shape{3, 3, 3, 5});
  REQUIRE(state.tensor("conv2d_1.bias", {5}).finite());
  REQUIRE(state.tensor("batch_norm_1.weight", {5})(0) == 1.0f);
  REQUIRE(state.tensor("batch_norm_1.bias", {5})(0) == 0.0f);
  REQUIRE(state.tensor("batch_norm_1.running_mean", {5})(4) == 0.25f);
  REQUIRE(state.tensor("batch_norm_1.running_variance", {5})(4) == 1.0f);
  REQUIRE(state.tensor("linear_1.weight", {180, 7}).finite());
  REQUIRE(state.tensor("linear_1.bias", {7}).finite());
}

TEST_CASE("weights of another network are refused, and nothing is loaded", "[deploy][safetensors]") {
  const TemporaryFile file;
  Network network = small_network(1);
  State before;
  network.save(before);
  const auto refuses = [&](const std::string& message) {
    REQUIRE_THROWS_AS(deploy::load_weights(network, file.path), FormatError);
    REQUIRE_THROWS_WITH(deploy::load_weights(network, file.path),
                        ContainsSubstring("load_weights: '" + file.path.string()) && ContainsSubstring(message));
    State after;
    network.save(after);
    for (const auto& [name, value] : before.values()) {
      REQUIRE(same_elements(std::get<Tensor>(value), after.get<Tensor>(name)));
    }
  };
  State other;
  small_network(2).save(other);
  State state;
  SECTION("a tensor is missing") {
    for (const auto& [name, value] : other.values()) {
      if (name != "linear_1.bias") state.put(name, value);
    }
    deploy::save_safetensors(state, file.path);
    refuses("got a file without 'linear_1.bias'");
  }
  SECTION("a tensor has another shape") {
    for (const auto& [name, value] : other.values()) {
      state.put(name, name == "linear_1.bias" ? State::Value(Tensor(Shape{6})) : value);
    }
    deploy::save_safetensors(state, file.path);
    refuses("expected 'linear_1.bias' of shape 7, got 6");
  }
  SECTION("a tensor too many") {
    other.put("linear_2.weight", Tensor(Shape{7, 2}));
    deploy::save_safetensors(other, file.path);
    refuses("got a file with others for which it has no place: 'linear_2.weight'");
  }
  SECTION("some are missing and some too many: both are listed") {
    for (const auto& [name, value] : other.values()) state.put("model." + name, value);
    deploy::save_safetensors(state, file.path);
    refuses(
        "got a file without 'batch_norm_1.bias', 'batch_norm_1.running_mean', 'batch_norm_1.running_variance', "
        "'batch_norm_1.weight', 'conv2d_1.bias', 'conv2d_1.weight' and 2 more and with others for which it has no place: "
        "'model.batch_norm_1.bias', ");
  }
}

TEST_CASE("weights without batch norms go into a model whose batch norms are folded", "[deploy][safetensors]") {
  const TemporaryFile file;
  const std::string path = file.path.string();
  const Network trained = resnet8({.padding = same, .seed = 5});
  deploy::save_weights(deploy::fold_batch_norm(trained), path);
  Network network = deploy::fold_batch_norm(resnet8({.padding = same}));  // as TensorFlow Lite has it
  deploy::load_weights(network, path);
  const float pixel = 1 / 255.0f;  // the reference weights take pixels from 0 to 255
  deploy::save_network(network, path,
                       {.metadata = deploy::preparation_metadata(
                            {.shape = {32, 32, 3}, .bytes = true, .mean = {0, 0, 0}, .deviation = {pixel, pixel, pixel}})});
  REQUIRE(deploy::load_preparation(path).deviation[1] == pixel);
  REQUIRE(deploy::load_network(path).input_shape() == Shape{32, 32, 3});
  const Tensor images = random_tensor({2, 32, 32, 3}, 4);
  REQUIRE(same_elements(network.predict(images), deploy::fold_batch_norm(trained).predict(images)));
  REQUIRE_FALSE(same_elements(network.predict(images), deploy::fold_batch_norm(resnet8({.seed = 5})).predict(images)));
}
