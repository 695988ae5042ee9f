// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Another program reads the files: OpenCV's dnn module computes what siena computes.

#include <opencv2/dnn.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "siena/deploy/onnx.hpp"
#include "support/catch.hpp"
#include "support/deployed_networks.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {
/// N x ... x C as N x C x ...
cv::Mat channels_first(const Tensor& batch) {
  const Shape& shape = batch.shape();
  std::vector<int> sizes{static_cast<int>(shape[0]), static_cast<int>(shape[-1])};
  for (int i = 1; i + 1 < shape.rank(); ++i) sizes.push_back(static_cast<int>(shape[i]));
  cv::Mat blob(static_cast<int>(sizes.size()), sizes.data(), CV_32F);
  const std::int64_t positions = batch.rows() / shape[0], channels = shape[-1];
  for (std::int64_t r = 0; r < batch.rows(); ++r) {
    for (std::int64_t c = 0; c < channels; ++c) {
      blob.ptr<float>()[(r / positions * channels + c) * positions + r % positions] = batch.row(r)[static_cast<std::size_t>(c)];
    }
  }
  return blob;
}
Tensor channels_last(const cv::Mat& blob, const Shape& shape) {
  Tensor batch(shape);
  REQUIRE(static_cast<std::int64_t>(blob.total()) == batch.elements());
  const std::int64_t positions = batch.rows() / shape[0], channels = shape[-1];
  for (std::int64_t r = 0; r < batch.rows(); ++r) {
    for (std::int64_t c = 0; c < channels; ++c) {
      batch.row(r)[static_cast<std::size_t>(c)] = blob.ptr<float>()[(r / positions * channels + c) * positions + r % positions];
    }
  }
  return batch;
}

/// Largest difference between what OpenCV makes of the file and what the network says, in multiples of the largest output.
double opencv_error(Network network, const deploy::OnnxOptions& options = {.batch = 0}, std::int64_t inputs = 3) {
  const test::TemporaryFolder folder("siena_onnx");
  const auto file = folder.path / "network.onnx";
  deploy::onnx(network, file, options);
  cv::dnn::Net net = cv::dnn::readNetFromONNX(file.string());
  const Tensor x = test::RandomNetwork(21).batch(network, inputs);
  net.setInput(channels_first(x), "input");
  const Tensor expected = network.predict(x);
  return test::difference(expected, channels_last(net.forward(), expected.shape()));
}
/// As opencv_error, of raw inputs to a file that normalises and of the same ones prepared for the network.
double normalized_error(Network network, std::int64_t batch, std::int64_t inputs) {
  const test::TemporaryFolder folder("siena_onnx_normalized");
  const auto file = folder.path / "network.onnx";
  const data::Preparation p = test::some_preparation(network.input_shape());
  deploy::onnx(network, file, {.batch = batch, .preparation = p, .normalize = true});
  Tensor raw = test::RandomNetwork(21).batch(network, inputs), prepared = raw;
  for (std::int64_t r = 0; r < raw.rows(); ++r) {
    for (std::size_t c = 0; c < p.mean.size(); ++c) {
      float& value = raw.row(r)[c];
      if (p.bytes) value = std::round(std::clamp(128 + 60 * value, 0.0f, 255.0f));
      prepared.row(r)[c] = (p.bytes ? value / 255 - p.mean[c] : value - p.mean[c]) / p.deviation[c];
    }
  }
  cv::dnn::Net net = cv::dnn::readNetFromONNX(file.string());
  net.setInput(channels_first(raw), "input");
  const Tensor expected = network.predict(prepared);
  return test::difference(expected, channels_last(net.forward(), expected.shape()));
}
template <class Build>
Network of_layers(const Shape& input, Build&& build) {
  Network network(input, build);
  test::RandomNetwork(22).randomise(network);
  return network;
}
/// A layer of a user that is a single operation, with `weights` numbers a channel; computed elsewhere alone.
struct Single {
  Primitive what;
  Shape output;
  int weights = 0;
  std::string_view kind() const { return "single"; }
  Shape setup(LayerSetup& setup) const {
    for (int k = 0; k < weights; ++k) setup.parameter(format("weight_{}", k), {output[-1]}, Init::uniform(1), false);
    return output;
  }
  Var forward(Forward& f) const { return f.input(); }
  void lower(Lowering& to) const { to.is(what); }
};
/// What OpenCV makes of two samples.
Tensor opencv_output(const Network& network, const Tensor& x) {
  const test::TemporaryFolder folder("siena_onnx_single");
  deploy::onnx(network, folder.path / "network.onnx", {.batch = 2});
  cv::dnn::Net net = cv::dnn::readNetFromONNX((folder.path / "network.onnx").string());
  net.setInput(channels_first(x), "input");
  return channels_last(net.forward(), network.output_shape().batch(x.shape()[0]));
}
template <class... L>
double layer_error(const Shape& input, const L&... layers) {
  return opencv_error(of_layers(input, [&](Flow x) { return (x | ... | layers); }));
}
}  // namespace

TEST_CASE("onnx: OpenCV computes the networks of the benchmarks, whole and found") {
  for (const auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    CHECK(opencv_error(network, {.batch = 0}, 100) < 1e-4);
  }
}

TEST_CASE("onnx: OpenCV computes graphs that normalise, right at borders, too") {
  for (const auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    CHECK(normalized_error(network, 1, 1) < 1e-4);
    CHECK(normalized_error(network, 0, 5) < 1e-4);
  }
  // Nothing but borders: zeros around a 2 x 2 image are of normalised values.
  CHECK(normalized_error(of_layers({2, 2, 3}, [](Flow x) { return x | Conv2d{.out = 4, .kernel = 5}; }), 1, 1) < 1e-5);
  CHECK(normalized_error(of_layers({5, 3}, [](Flow x) { return x | Conv1d{.out = 4, .kernel = 4, .padding = causal}; }), 1, 1) <
        1e-5);
  // The input is read in two places.
  CHECK(normalized_error(of_layers({4, 4, 2}, [](Flow x) { return add(x, x | Conv2d{.out = 2, .kernel = 3}); }), 1, 1) < 1e-5);
}

TEST_CASE("onnx: OpenCV computes each layer, of odd sizes") {
  const Shape image{7, 9, 3}, signal{11, 4}, features{5};
  const std::vector<ImagePadding> paddings{0, {1, 2}, {1, 0, 2, 1}, {0, 1, 0, 2}, same};
  for (const ImagePadding& padding : paddings) {
    INFO("padding " << padding.top << padding.bottom << padding.left << padding.right << padding.is_same);
    CHECK(layer_error(image, Conv2d{.out = 4, .kernel = {3, 5}, .stride = {2, 1}, .padding = padding}) < 1e-5);
    CHECK(layer_error(image, Conv2d{.out = 6, .kernel = {2, 3}, .stride = 2, .padding = padding, .groups = 3}) < 1e-5);
    CHECK(layer_error(image, Conv2d{.out = 5, .kernel = 2, .padding = padding, .dilation = {2, 3}, .bias = false}) < 1e-5);
    CHECK(layer_error(image, Conv2d{.out = 3, .kernel = 3, .padding = padding, .groups = Conv2d::depthwise}) < 1e-5);
    CHECK(layer_error(image, MaxPool{.kernel = 3, .stride = 2, .padding = padding}) < 1e-6);
    CHECK(layer_error(image, AvgPool{.kernel = 3, .stride = 2, .padding = padding}) < 1e-5);
    CHECK(layer_error(image, AvgPool{.kernel = 3, .stride = 1, .padding = padding, .count_padding = true}) < 1e-5);
  }
  CHECK(layer_error(image, MaxPool{}) < 1e-6);
  CHECK(layer_error(image, AvgPool{.kernel = {2, 3}}) < 1e-6);
  const std::vector<TimePadding> ends{0, 2, {1, 0}, {0, 2}, same, causal};
  for (const TimePadding& padding : ends) {
    INFO("padding " << padding.before << padding.after << padding.is_same << padding.is_causal);
    CHECK(layer_error(signal, Conv1d{.out = 6, .kernel = 3, .stride = 2, .padding = padding}) < 1e-5);
    CHECK(layer_error(signal, Conv1d{.out = 6, .kernel = 4, .padding = padding, .dilation = 2, .groups = 2}) < 1e-5);
    CHECK(layer_error(signal, Conv1d{.out = 8, .kernel = 3, .padding = padding, .groups = Conv1d::depthwise}) < 1e-5);
  }
  for (const Shape& shape : {image, signal, features}) {
    INFO(shape.to_string());
    CHECK(layer_error(shape, BatchNorm{}) < 1e-5);
    CHECK(layer_error(shape, Relu{}) < 1e-6);
    CHECK(layer_error(shape, PRelu{}) < 1e-6);
    CHECK(layer_error(shape, Sigmoid{}) < 1e-5);
    CHECK(layer_error(shape, Tanh{}) < 1e-5);
    CHECK(layer_error(shape, HardSigmoid{}) < 1e-5);
    CHECK(layer_error(shape, HardSwish{}) < 1e-5);
    CHECK(layer_error(shape, LeakyRelu{.slope = 0.2}) < 1e-6);
    CHECK(layer_error(shape, Slice{.channels = {1, 3}}) < 1e-6);
    CHECK(layer_error(shape, Relu{}, Dropout{}) < 1e-6);
    CHECK(layer_error(shape, Relu{}, Flatten{}) < 1e-6);
    CHECK(layer_error(shape, Flatten{}, Relu{}, Dropout{}, Linear{.out = 4}) < 1e-5);
    CHECK(layer_error(shape, Flatten{}, BatchNorm{}, Linear{.out = 4, .bias = false}, Tanh{}) < 1e-5);
    CHECK(opencv_error(of_layers(shape, [](const Flow& x) { return add(x | Relu{}, x | Tanh{}); })) < 1e-5);
    CHECK(opencv_error(of_layers(shape, [](const Flow& x) { return multiply(x | Relu{}, x | Tanh{}); })) < 1e-5);
    CHECK(opencv_error(of_layers(shape, [](const Flow& x) { return concat({x | Relu{}, x, x | Tanh{}}); })) < 1e-5);
  }
  CHECK(layer_error(image, Upsample{.factor = {2, 3}}) < 1e-6);
  CHECK(layer_error(image, Pad{.padding = {1, 0, 2, 3}}) < 1e-6);
  CHECK(layer_error(image, Slice{.height = {1, -1}, .width = {3}, .channels = {-2}}) < 1e-6);
  CHECK(layer_error(signal, Pad{.padding = {0, 0, 2, 1}}) < 1e-6);
  CHECK(layer_error(signal, Slice{.width = {-1}}, Flatten{}) < 1e-6);
  CHECK(layer_error(image, Conv2d{.out = 6}, ChannelShuffle{.groups = 3}) < 1e-5);
  CHECK(layer_error(signal, ChannelShuffle{.groups = 2}) < 1e-6);
  CHECK(layer_error(image, Conv2d{.out = 6}, GroupNorm{.groups = 3}) < 1e-5);
  CHECK(layer_error(signal, GroupNorm{.groups = 2}) < 1e-5);
  for (const Shape& shape : {image, signal}) {
    INFO(shape.to_string());
    const auto excite = [&](const Flow& x) {
      return multiply(x, x | GlobalAvgPool{} | Linear{.out = static_cast<int>(shape[-1])} | HardSigmoid{});
    };
    // Of several samples this reader multiplies each by the values of all.
    CHECK(opencv_error(of_layers(shape, excite), {.batch = 1}, 1) < 1e-5);
  }
  CHECK(layer_error(image, GlobalAvgPool{}, Linear{.out = 3}) < 1e-5);
  CHECK(layer_error(signal, GlobalAvgPool{}) < 1e-5);
}

TEST_CASE("onnx: OpenCV computes operations that layers of users are made of") {
  const Shape image{3, 5, 6}, signal{7, 6}, features{6};
  for (const Shape& shape : {image, signal, features}) {
    INFO(shape.to_string());
    const Network shuffled(shape, [&](Flow x) { return x | Single{primitive::Shuffle{.groups = 2}, shape}; });
    const Tensor x = test::RandomNetwork(5).batch(shuffled, 2), y = opencv_output(shuffled, x);
    for (std::int64_t r = 0; r < x.rows(); ++r) {  // 0 1 2, 3 4 5 become 0 3, 1 4, 2 5
      for (std::size_t c = 0; c < 6; ++c) CHECK(y.row(r)[c] == x.row(r)[c % 2 * 3 + c / 2]);
    }
  }
  for (const Shape& shape : {image, signal}) {
    INFO(shape.to_string());
    const Network normed(shape, [&](Flow x) {
      return x | Single{primitive::SampleNorm{.groups = 2, .epsilon = 0.1}, shape, 2};
    });
    const Tensor x = test::RandomNetwork(6).batch(normed, 2), y = opencv_output(normed, x);
    const std::int64_t positions = x.rows() / 2;
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      for (std::int64_t c = 0; c < 6; ++c) {
        double sum = 0, squares = 0;
        for (std::int64_t p = 0; p < positions; ++p) {
          for (std::int64_t k = 0; k < 3; ++k) {
            const double value = x.row(r / positions * positions + p)[static_cast<std::size_t>(c / 3 * 3 + k)];
            sum += value, squares += value * value;
          }
        }
        const double count = 3.0 * static_cast<double>(positions), mean = sum / count;
        const double normal = (x.row(r)[static_cast<std::size_t>(c)] - mean) / std::sqrt(squares / count - mean * mean + 0.1);
        const double expected = normal * normed.parameter(0).value(c) + normed.parameter(1).value(c);
        CHECK(y.row(r)[static_cast<std::size_t>(c)] == Approx(expected).margin(1e-4));
      }
    }
  }
  const Network reshaped({4, 6}, [](Flow x) { return x | Single{primitive::Reshape{}, {2, 4, 3}}; });
  const Tensor x = test::RandomNetwork(7).batch(reshaped, 2), y = opencv_output(reshaped, x);
  std::vector<float> before, after;
  x.copy_to(before), y.copy_to(after);
  CHECK(before == after);
}

TEST_CASE("onnx: OpenCV computes networks of any make, with batch norms folded or not, one input at a time or many") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    INFO("seed " << seed);
    test::RandomNetwork random(seed);
    const Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    // This OpenCV reads no limits of a Clip, and resizes images alone.
    const bool unread = test::has<Clip>(network) || (seed % 3 == 0 && test::has<Upsample>(network));
    if (unread) continue;
    if (!test::has<Multiply>(network)) CHECK(opencv_error(network, {.batch = 0, .fold_batch_norm = seed % 2 == 0}) < 1e-4);
    CHECK(opencv_error(network, {.batch = 1, .fold_batch_norm = seed % 2 == 1}, 1) < 1e-4);
  }
}
