// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/onnx_int8.hpp"

#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "siena/deploy/integer/quantize.hpp"
#include "siena/deploy/integer/simulate.hpp"
#include "support/catch.hpp"
#include "support/deployed_networks.hpp"
#include "support/random_network.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;
using deploy::IntegerNetwork;

namespace {

IntegerNetwork integers_for_onnx(const Network& network, const Tensor& batch) {
  return deploy::quantize(network, std::vector{batch});
}
std::map<std::string, const ::onnx::TensorProto*> initializers_of(const ::onnx::ModelProto& model) {
  std::map<std::string, const ::onnx::TensorProto*> found;
  for (const auto& tensor : model.graph().initializer()) found[tensor.name()] = &tensor;
  return found;
}
/// With the integers of every value as outputs, too.
::onnx::ModelProto with_all_outputs(const IntegerNetwork& integers) {
  ::onnx::ModelProto model = deploy::onnx_int8_model(integers);
  for (std::size_t v = 1; v < integers.values.size(); ++v) {
    ::onnx::ValueInfoProto& output = *model.mutable_graph()->add_output();
    output.set_name(integers.values[v].name + ".levels");
    ::onnx::TypeProto::Tensor& type = *output.mutable_type()->mutable_tensor_type();
    type.set_elem_type(::onnx::TensorProto::INT8);
    type.mutable_shape()->add_dim()->set_dim_value(1);
    const Shape& shape = integers.values[v].shape;
    type.mutable_shape()->add_dim()->set_dim_value(shape[-1]);
    for (int i = 0; i + 1 < shape.rank(); ++i) type.mutable_shape()->add_dim()->set_dim_value(shape[i]);
  }
  return model;
}

constexpr const char* onnxruntime_script = R"js(
const ort = require('onnxruntime-node'), fs = require('fs');
const [folder, sizes] = process.argv.slice(2);
(async () => {
  const session = await ort.InferenceSession.create(folder + '/network.onnx',
      {graphOptimizationLevel: 'disabled', intraOpNumThreads: 1, interOpNumThreads: 1});
  const bytes = fs.readFileSync(folder + '/input');
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const input = new ort.Tensor('float32', numbers, sizes.split(',').map(Number));
  const results = await session.run({[session.inputNames[0]]: input});
  for (const name of session.outputNames.slice(1)) fs.writeFileSync(folder + '/' + name, Buffer.from(results[name].data));
})().catch(error => { console.error(error.message); process.exit(1); });
)js";

struct PeerDifference {
  std::int64_t values = 0, differing = 0, after_pools = 0;
  int most = 0;
  std::string first = {};  ///< operation that differs, and no mean has come before
};
/// What ONNX Runtime makes of a sample against the simulator, every value of the network. Behind a mean, where halves are
/// common, apart.
PeerDifference against_onnxruntime(const IntegerNetwork& integers, std::span<const float> sample) {
  const test::TemporaryFolder folder("siena_onnxruntime");
  write_file_atomically(folder.path / "network.onnx", with_all_outputs(integers).SerializeAsString());
  write_file_atomically(folder.path / "run.js", onnxruntime_script);
  const Shape& in = integers.values[0].shape;
  std::string numbers, sizes = format("1,{}", in[-1]);
  for (int i = 0; i + 1 < in.rank(); ++i) sizes += format(",{}", in[i]);
  const std::int64_t channels = in[-1], pixels = in.elements() / channels;
  for (std::int64_t k = 0; k < in.elements(); ++k) {
    const float number = sample[static_cast<std::size_t>(k % pixels * channels + k / pixels)];
    numbers.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  write_file_atomically(folder.path / "input", numbers);
  const std::string at = folder.path.string();
  REQUIRE(std::system(("node '" + at + "/run.js' '" + at + "' " + sizes).c_str()) == 0);
  const auto expected = deploy::simulate_values(integers, deploy::quantize_input(integers, sample));
  PeerDifference result;
  std::set<int> behind_means, turned;  // features that a flatten left in the order of ONNX are compared by who reads them
  for (const deploy::IntegerOperation& operation : integers.operations) {
    const auto& value = integers.output_of(operation);
    const bool apart =
        std::holds_alternative<deploy::integer::AveragePool>(operation.what) ||
        std::any_of(operation.inputs.begin(), operation.inputs.end(), [&](int k) { return behind_means.contains(k); });
    if (apart) behind_means.insert(operation.output);
    const bool features = std::holds_alternative<deploy::integer::Reshape>(operation.what) && value.shape.rank() == 1;
    const bool element = std::holds_alternative<deploy::integer::Table>(operation.what) && turned.contains(operation.inputs[0]);
    if (features || element) {
      turned.insert(operation.output);
      continue;
    }
    const std::string got = read_file(folder.path / (value.name + ".levels"));
    const std::vector<std::int8_t>& wanted = expected[operation.output];
    REQUIRE(got.size() == wanted.size());
    const std::size_t its_channels = static_cast<std::size_t>(value.shape[-1]), its_pixels = got.size() / its_channels;
    for (std::size_t k = 0; k < got.size(); ++k) {
      const int apart_by = std::abs(static_cast<std::int8_t>(got[k]) - wanted[k % its_pixels * its_channels + k / its_pixels]);
      if (apart_by > 0 && !apart && result.first.empty()) result.first = operation.name;
      if (apart_by > 0) ++(apart ? result.after_pools : result.differing);
      result.most = std::max(result.most, apart_by), ++result.values;
    }
  }
  return result;
}

}  // namespace

TEST_CASE("onnx int8: what ONNX itself says of the files") {
  std::vector<Network> networks;
  for (auto& [name, network] : test::deployed_networks())
    if (!name.starts_with("resnet18") && !name.starts_with("mobilenet")) networks.push_back(std::move(network));
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    test::RandomNetwork random(seed);
    Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    if (!test::has<GroupNorm>(network)) networks.push_back(std::move(network));
  }
  for (const Network& network : networks) {
    const IntegerNetwork integers = integers_for_onnx(network, test::RandomNetwork(3).batch(network, 2));
    ::onnx::ModelProto model = with_all_outputs(integers);
    REQUIRE_NOTHROW(::onnx::checker::check_model(model));
    for (auto& output : *model.mutable_graph()->mutable_output()) output.mutable_type()->mutable_tensor_type()->clear_shape();
    REQUIRE_NOTHROW(::onnx::shape_inference::InferShapes(model, ::onnx::OpSchemaRegistry::Instance(), {true, 1, false}));
    CHECK(model.opset_import(0).version() == 13);
    for (std::size_t v = 1; v < integers.values.size(); ++v) {  // channels stand behind the batch
      const auto& sizes = model.graph().output(static_cast<int>(v)).type().tensor_type().shape();
      const Shape& shape = integers.values[v].shape;
      REQUIRE(sizes.dim_size() == shape.rank() + 1);
      CHECK(sizes.dim(1).dim_value() == shape[-1]);
      for (int i = 0; i + 1 < shape.rank(); ++i) CHECK(sizes.dim(i + 2).dim_value() == shape[i]);
    }
  }
}

TEST_CASE("onnx int8: weights, biases and scales are those of the integers") {
  const Network network({6, 6, 2}, [](Flow x) {
    x = (x | Conv2d{.out = 3, .kernel = 3}).named("conv") | Relu{} | Sigmoid{};
    return (x | Flatten{} | Linear{.out = 2}).named("linear");
  });
  const IntegerNetwork integers = integers_for_onnx(network, test::RandomNetwork(3).batch(network, 4));
  const ::onnx::ModelProto model = deploy::onnx_int8_model(integers, {.batch = 0});
  const auto tensors = initializers_of(model);
  const auto& convolution = std::get<deploy::integer::Convolution>(integers.operations[0].what);
  const ::onnx::TensorProto& weights = *tensors.at("relu_1.weight.integers");
  CHECK(weights.data_type() == ::onnx::TensorProto::INT8);
  CHECK(std::vector<std::int64_t>(weights.dims().begin(), weights.dims().end()) == std::vector<std::int64_t>{3, 2, 3, 3});
  for (std::size_t o = 0; o < 3; ++o)
    for (std::size_t tap = 0; tap < 9; ++tap)
      for (std::size_t i = 0; i < 2; ++i)
        CHECK(static_cast<std::int8_t>(weights.raw_data()[(o * 2 + i) * 9 + tap]) ==
              convolution.weights[(o * 9 + tap) * 2 + i]);
  const ::onnx::TensorProto& bias = *tensors.at("relu_1.bias.integers");
  CHECK(bias.data_type() == ::onnx::TensorProto::INT32);
  CHECK(bias.raw_data().size() == 3 * sizeof(std::int32_t));
  CHECK(tensors.at("sigmoid_1.table")->raw_data().size() == 256);
  CHECK(tensors.at("relu_1.weight.steps")->dims(0) == 3);
  const test::TemporaryFolder folder("siena_onnx_int8");
  const auto file = folder.path / "network.onnx";
  deploy::onnx_int8(integers, file, {.batch = 1});
  CHECK(read_file(file) == deploy::onnx_int8_model(integers).SerializeAsString());
  CHECK(deploy::onnx_int8_model(integers, {.batch = 0}).SerializeAsString() == model.SerializeAsString());
}

TEST_CASE("onnx int8: weights of 4 bits as such, for runtimes that know them") {
  const Network network({5, 5, 2}, [](Flow x) {
    x = x | Conv2d{.out = 3, .kernel = 3, .weight_bits = {4, 2, 3}} | Relu{} | Conv2d{.out = 2, .weight_bits = {4, 8}};
    return x | GlobalAvgPool{} | Linear{.out = 3, .weight_bits = 2};
  });
  const IntegerNetwork integers = integers_for_onnx(network, test::RandomNetwork(3).batch(network, 4));
  const ::onnx::ModelProto plain = deploy::onnx_int8_model(integers), model = deploy::onnx_int8_model(integers, {.int4 = true});
  CHECK(plain.opset_import(0).version() == deploy::onnx_opset);
  CHECK(model.opset_import(0).version() == 21);
  CHECK(model.ir_version() == 10);
  const auto bytes = initializers_of(plain), tensors = initializers_of(model);
  int nibbles = 0;
  for (const auto& [name, tensor] : tensors) {
    const ::onnx::TensorProto& whole = *bytes.at(name);
    CHECK(tensor->dims_size() == whole.dims_size());
    if (tensor->data_type() != 22) {  // INT4
      CHECK(tensor->SerializeAsString() == whole.SerializeAsString());
      continue;
    }
    ++nibbles;
    REQUIRE(tensor->raw_data().size() == (whole.raw_data().size() + 1) / 2);
    for (std::size_t i = 0; i < whole.raw_data().size(); ++i) {
      const int half = tensor->raw_data()[i / 2] >> (4 * (i % 2)) & 15;
      CHECK((half ^ 8) - 8 == static_cast<std::int8_t>(whole.raw_data()[i]));
    }
  }
  CHECK(nibbles == 4);  // weights and zero points of the first layer and the last
}

TEST_CASE("onnx int8: every value as ONNX Runtime computes it") {
  if (std::system("node -e \"require('onnxruntime-node')\" > /dev/null 2>&1") != 0) {
    WARN(
        "skipped: no onnxruntime-node for node; npm install --ignore-scripts onnxruntime-node in a folder, NODE_PATH its "
        "node_modules");
    return;
  }
  const auto check = [](const Network& network) {
    const Tensor batch = test::RandomNetwork(3).batch(network, 4);
    const IntegerNetwork integers = integers_for_onnx(network, batch);
    std::vector<float> numbers;
    batch.copy_to(numbers);
    const auto each = static_cast<std::size_t>(network.input_shape().elements());
    const PeerDifference found = against_onnxruntime(integers, std::span(numbers).first(each));
    INFO(found.values << " values, " << found.differing << " differ, behind means " << found.after_pools << ", by up to "
                      << found.most << ", first in '" << found.first << "'");
    CHECK(found.differing <= found.values / 1000);
    CHECK(found.after_pools <= found.values / 50);
    return found;
  };
  std::int64_t values = 0, differing = 0;
  for (const auto& [name, network] : test::deployed_networks()) {
    if (name.starts_with("mobilenet") || name.starts_with("resnet18")) continue;
    INFO(name);
    const PeerDifference found = check(network);
    values += found.values, differing += found.differing;
  }
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    INFO("seed " << seed);
    test::RandomNetwork random(seed);
    const Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    if (test::has<GroupNorm>(network)) continue;
    const PeerDifference found = check(network);
    values += found.values, differing += found.differing;
  }
  WARN(differing << " of " << values << " values differ that no mean has come before");
  CHECK(differing <= values / 10000);
}
