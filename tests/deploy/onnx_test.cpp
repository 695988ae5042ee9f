// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/onnx.hpp"

#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "siena/data/synthetic_benchmarks.hpp"
#include "siena/models/ds_cnn.hpp"
#include "siena/models/mobilenet_v1.hpp"
#include "siena/models/supernets.hpp"
#include "support/catch.hpp"
#include "support/deployed_networks.hpp"
#include "support/random_network.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {
std::vector<std::int64_t> dimensions(const ::onnx::ValueInfoProto& value) {  // -1: any
  std::vector<std::int64_t> sizes;
  for (const auto& dim : value.type().tensor_type().shape().dim()) sizes.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
  return sizes;
}
/// What ONNX itself says of a model: throws if it breaks a rule, and returns the shape that follows for the output.
std::vector<std::int64_t> inferred_output(::onnx::ModelProto model) {
  ::onnx::checker::check_model(model);
  model.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  ::onnx::shape_inference::InferShapes(model, ::onnx::OpSchemaRegistry::Instance(), {true, 1, false});
  return dimensions(model.graph().output(0));
}
/// Every value between the nodes has the shape that ONNX infers for it.
void check_inner_shapes(const ::onnx::ModelProto& model) {
  ::onnx::ModelProto inferred = model;
  inferred.mutable_graph()->clear_value_info();
  ::onnx::shape_inference::InferShapes(inferred, ::onnx::OpSchemaRegistry::Instance(), {true, 1, false});
  std::map<std::string, std::vector<std::int64_t>> stated;
  for (const auto& value : model.graph().value_info()) CHECK(stated.emplace(value.name(), dimensions(value)).second);
  CHECK(model.graph().value_info_size() == inferred.graph().value_info_size());
  for (const auto& value : inferred.graph().value_info()) {
    INFO(value.name());
    CHECK(stated[value.name()] == dimensions(value));
  }
}
std::vector<std::string> operators(const ::onnx::ModelProto& model) {
  std::vector<std::string> names;
  for (const auto& node : model.graph().node()) names.push_back(node.op_type());
  return names;
}
const ::onnx::TensorProto& initializer(const ::onnx::ModelProto& model, const std::string& name) {
  for (const auto& tensor : model.graph().initializer()) {
    if (tensor.name() == name) return tensor;
  }
  throw std::runtime_error("no tensor " + name);
}
std::vector<float> numbers(const ::onnx::TensorProto& tensor) {
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
  return values;
}
std::vector<std::int64_t> integers(const ::onnx::NodeProto& node, const std::string& attribute) {
  for (const auto& a : node.attribute()) {
    if (a.name() == attribute)
      return a.ints_size() > 0 ? std::vector<std::int64_t>(a.ints().begin(), a.ints().end()) : std::vector<std::int64_t>{a.i()};
  }
  return {};
}
struct Unwritten {
  std::string_view kind() const { return "unwritten"; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return f.input(); }
};
/// A clamp with one level.
struct OneLevel : Unwritten {
  primitive::Clamp clamp;
  std::string_view kind() const { return "one_level"; }
  void lower(Lowering& to) const { to.is(clamp); }
};
using Sizes = std::vector<std::int64_t>;
using Names = std::vector<std::string>;
}  // namespace

TEST_CASE("onnx: names, layout, opset and border") {
  Network network({5, 6, 2}, [](Flow x) {
    x = (x | Conv2d{.out = 3, .kernel = {2, 3}, .stride = {2, 1}, .bias = false}).named("stem");
    x = x | BatchNorm{} | Relu{} | Dropout{};
    return (x | GlobalAvgPool{} | Linear{.out = 4}).named("out");
  });
  const ::onnx::ModelProto model = deploy::onnx_model(network);
  CHECK(model.ir_version() == 7);
  CHECK(model.producer_name() == "siena");
  CHECK(model.producer_version() == format("{}.{}.{}", SIENA_VERSION_MAJOR, SIENA_VERSION_MINOR, SIENA_VERSION_PATCH));
  REQUIRE(model.opset_import_size() == 1);
  CHECK(model.opset_import(0).version() == deploy::onnx_opset);
  CHECK(model.graph().input(0).name() == "input");
  CHECK(dimensions(model.graph().input(0)) == Sizes{1, 2, 5, 6});
  CHECK(model.graph().output(0).name() == "out");
  CHECK(dimensions(model.graph().output(0)) == Sizes{1, 4});
  CHECK(dimensions(deploy::onnx_model(network, {.batch = 0}).graph().input(0)) == Sizes{-1, 2, 5, 6});
  CHECK(dimensions(deploy::onnx_model(network, {.batch = 7}).graph().input(0)) == Sizes{7, 2, 5, 6});

  CHECK(operators(model) == Names{"Conv", "Relu", "GlobalAveragePool", "Flatten", "Gemm"});
  const ::onnx::NodeProto& stem = model.graph().node(0);
  CHECK(stem.name() == "stem");
  CHECK(Names(stem.input().begin(), stem.input().end()) == Names{"input", "stem.weight", "stem.bias"});
  CHECK(integers(stem, "kernel_shape") == Sizes{2, 3});
  CHECK(integers(stem, "strides") == Sizes{2, 1});
  CHECK(integers(stem, "pads") == Sizes{0, 1, 1, 1});  // same: the odd row of zeros below
  CHECK(integers(stem, "dilations") == Sizes{1, 1});
  CHECK(integers(stem, "group") == Sizes{1});
  const auto& filters = initializer(model, "stem.weight");
  CHECK(Sizes(filters.dims().begin(), filters.dims().end()) == Sizes{3, 2, 2, 3});
  const auto& rows = initializer(model, "out.weight");
  CHECK(Sizes(rows.dims().begin(), rows.dims().end()) == Sizes{4, 3});

  const ::onnx::ModelProto unfolded = deploy::onnx_model(network, {.fold_batch_norm = false});
  CHECK(operators(unfolded) == Names{"Conv", "BatchNormalization", "Relu", "GlobalAveragePool", "Flatten", "Gemm"});
  const Tensor& weight = network.parameter(0).value;
  const std::vector<float> values = numbers(initializer(unfolded, "stem.weight"));
  for (int o = 0; o < 3; ++o) {
    for (int i = 0; i < 2; ++i) {
      for (int h = 0; h < 2; ++h) {
        for (int w = 0; w < 3; ++w) {
          CHECK(values[static_cast<std::size_t>(((o * 2 + i) * 2 + h) * 3 + w)] == weight(h, w, i, o));
        }
      }
    }
  }
  CHECK(numbers(initializer(unfolded, "batch_norm_1.running_variance")) == std::vector<float>{1, 1, 1});
}

TEST_CASE("onnx: a flatten is left in the order of ONNX where only linear layers read it") {
  const auto of = [](auto build) { return operators(deploy::onnx_model(Network({2, 2, 3}, build))); };
  CHECK(of([](Flow x) { return x | Flatten{} | Linear{.out = 2}; }) == Names{"Flatten", "Gemm"});
  CHECK(of([](Flow x) { return x | Flatten{} | Relu{} | Dropout{} | Linear{.out = 2}; }) == Names{"Flatten", "Relu", "Gemm"});
  CHECK(of([](Flow x) { return x | Flatten{}; }) == Names{"Transpose", "Flatten"});
  CHECK(of([](Flow x) { return x | Flatten{} | PRelu{} | Linear{.out = 2}; }) ==
        Names{"Transpose", "Flatten", "PRelu", "Gemm"});
  CHECK(of([](Flow x) {
          const Flow y = x | Flatten{};
          const Flow z = y | Linear{.out = 12};
          return add(y, z);
        }) == Names{"Transpose", "Flatten", "Gemm", "Add"});
  CHECK(of([](Flow x) { return x | Conv2d{.out = 1} | Flatten{} | Dropout{}; }) == Names{"Conv", "Flatten", "Identity"});
}

TEST_CASE("onnx: ONNX's own checker and shapes") {
  for (const auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    const ::onnx::ModelProto any = deploy::onnx_model(network, {.batch = 0});
    CHECK(inferred_output(any) == Sizes{-1, network.output_shape()[0]});
    check_inner_shapes(any);
    CHECK(inferred_output(deploy::onnx_model(network, {.fold_batch_norm = false})) == Sizes{1, network.output_shape()[0]});
    const ::onnx::ModelProto prepared =
        deploy::onnx_model(network, {.preparation = test::some_preparation(network.input_shape()), .normalize = true});
    CHECK(inferred_output(prepared) == Sizes{1, network.output_shape()[0]});
    check_inner_shapes(prepared);
  }
  int written = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    test::RandomNetwork random(seed);
    const Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    const ::onnx::ModelProto model = deploy::onnx_model(network, {.batch = 2, .fold_batch_norm = seed % 2 == 0});
    CHECK(inferred_output(model) == Sizes{2, network.output_shape()[0]});
    check_inner_shapes(model);
    written += test::has_custom_layers(network) ? 1 : 0;
  }
  CHECK(written > 0);  // of layers of users, too
}

TEST_CASE("onnx: a level that a clamp does not have is not in the file") {
  const auto inputs = [](const primitive::Clamp& clamp) {
    OneLevel layer;
    layer.clamp = clamp;
    const auto model = deploy::onnx_model(Network({3}, [&](Flow x) { return x | layer; }));
    CHECK(inferred_output(model) == Sizes{1, 3});
    CHECK(model.graph().node(0).op_type() == "Clip");
    return Names(model.graph().node(0).input().begin(), model.graph().node(0).input().end());
  };
  CHECK(inputs({.low = 0.5}) == Names{"input", "one_level_1.low"});
  CHECK(inputs({.high = 2}) == Names{"input", "", "one_level_1.high"});
}

TEST_CASE("onnx: how inputs are prepared is in the file") {
  const data::Splits data = data::synthetic_wake_words({.train = 8, .validation = 2, .test = 2});
  const Network network = mobilenet_v1({.input = data.shape(), .classes = 2, .width = 0.25});
  const auto model_of = [&](bool normalize) {
    return deploy::onnx_model(network, {.preparation = data.train.preparation(), .normalize = normalize});
  };
  const auto stated = [](const ::onnx::ModelProto& model) {
    REQUIRE(model.metadata_props_size() == 1);
    CHECK(model.metadata_props(0).key() == "siena.preparation");
    return parse_json(model.metadata_props(0).value(), "metadata");
  };
  const ::onnx::ModelProto plain = model_of(false), normalized = model_of(true);
  const test::TemporaryFolder folder("siena_onnx_prepared");
  const auto file = folder.path / "network.onnx";
  deploy::onnx(network, file, {.preparation = data.train.preparation(), .normalize = true});
  CHECK(read_file(file) == normalized.SerializeAsString());
  CHECK(data::preparation_from_json(stated(plain)) == data.train.preparation());
  CHECK(data::preparation_from_json(stated(normalized)) == data.train.preparation());
  CHECK(stated(plain)["in_graph"] == false);
  CHECK(stated(normalized)["in_graph"] == true);
  CHECK(plain.graph().input(0).doc_string() ==
        "rgb bytes (0 to 255), as (x / 255 - mean) / deviation for each channel; mean and deviation: metadata "
        "siena.preparation");
  CHECK(normalized.graph().input(0).doc_string() == "rgb bytes (0 to 255), not normalised: the graph does that");
  CHECK(operators(plain).front() == "Conv");
  const Names first = operators(normalized);
  CHECK(Names(first.begin(), first.begin() + 3) == Names{"Sub", "Mul", "Conv"});
  CHECK(first.size() == operators(plain).size() + 2);
  CHECK(numbers(initializer(normalized, "input.mean"))[1] == Approx(255 * data.train.normalization().mean[1]));

  CHECK_THROWS_WITH(deploy::onnx_model(network, {.normalize = true}),
                    ContainsSubstring("onnx: expected how inputs are prepared, to put it into the graph, got none"));
  CHECK_THROWS_WITH(deploy::onnx_model(network, {.preparation = test::some_preparation({4})}),
                    ContainsSubstring("onnx: expected a preparation of the network's inputs 96x96x3, got one of 4"));
}

TEST_CASE("onnx: files are whole, equal and replaced only by good ones") {
  const test::TemporaryFolder folder("siena_onnx_files");
  const auto file = folder.path / "network.onnx";
  Network found = ds_cnn({.width = 0.25});
  // The sample of docs/guides/deploy.md.
  deploy::onnx(found, file);
  deploy::onnx(found, folder.path / "any.onnx", {.batch = 0});
  const std::string bytes = read_file(file);
  ::onnx::ModelProto model;
  REQUIRE(model.ParseFromString(bytes));
  CHECK(inferred_output(model) == Sizes{1, 12});
  deploy::onnx(found, file);
  CHECK(read_file(file) == bytes);
  found.parameter(0).value(0, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(deploy::onnx(found, file),
                    "onnx: expected finite numbers, got nan in 'inputlayer.weight'; did the training diverge?");
  CHECK(read_file(file) == bytes);
  CHECK_THROWS_AS(deploy::onnx(ds_cnn(), folder.path / "none" / "network.onnx"), DataError);
}

TEST_CASE("onnx: what cannot be written is refused") {
  const auto write = [](const Network& network) { (void)deploy::onnx_model(network); };
  Network masked = ds_cnn();
  const SearchSpace space = SearchSpace::install(masked);
  CHECK_THROWS_WITH(write(masked),
                    "onnx: expected a plain network, got 'pointwise1', which masks still gate; discretize it first");
  CHECK_THROWS_WITH(
      write(ds_cnn_supernet()),
      "onnx: expected a plain network, got 'depthpoint1', which is open between alternatives; discretize it first");
  CHECK_THROWS_WITH(write(Network({3}, [](Flow x) { return x | Unwritten{}; })),
                    ContainsSubstring("unwritten_1: expected a layer that says of which operations it is made, got one of your "
                                      "own (unwritten)"));
  CHECK_THROWS_WITH(write(Network({3}, [](Flow x) { return x; })),
                    "onnx: expected a network of one layer at least, got its input alone");
  CHECK_THROWS_WITH(write(Network()), "onnx: expected a network with layers, got an empty one");
  CHECK_THROWS_WITH(write(Network({3},
                                  [](Flow x) {
                                    const Flow y = (x | Linear{.out = 2}).named("a");
                                    return (y | Relu{}).named("a.weight");
                                  })),
                    "onnx: expected every name once, got 'a.weight' for a layer and for a tensor; name the layer otherwise");
  CHECK_THROWS_WITH(deploy::onnx_model(ds_cnn(), {.batch = -1}), "onnx: expected a batch of 1 or more, or 0 for any, got -1");
}
