// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/nn/network.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

namespace {

template <class Build>
Network build(const Shape& shape, Build&& body) {
  return Network(shape, std::forward<Build>(body));
}

std::vector<std::string> names(Network& network) {
  std::vector<std::string> found;
  for (const Parameter* p : network.parameters(Role::weight)) found.push_back(p->name);
  return found;
}

}  // namespace

TEST_CASE("network: shapes of every layer") {
  const auto shape = [](const Shape& in, auto layer) { return build(in, [&](Flow x) { return x | layer; }).output_shape(); };
  const Shape image{7, 10, 6};
  CHECK(shape(image, Conv2d{.out = 4, .kernel = 3}) == Shape{7, 10, 4});
  CHECK(shape(image, Conv2d{.out = 4, .kernel = 3, .stride = 2}) == Shape{4, 5, 4});
  CHECK(shape(image, Conv2d{.out = 4, .kernel = {3, 5}, .stride = {1, 2}, .padding = 0}) == Shape{5, 3, 4});
  CHECK(shape(image, Conv2d{.out = 12, .kernel = 3, .padding = {1, 2}, .dilation = 2, .groups = Conv2d::depthwise}) ==
        Shape{5, 10, 12});
  CHECK(shape(image, BatchNorm{}) == image);
  CHECK(shape(image, Relu{}) == image);
  CHECK(shape(image, PRelu{}) == image);
  CHECK(shape(image, Sigmoid{}) == image);
  CHECK(shape(image, Tanh{}) == image);
  CHECK(shape(image, Dropout{}) == image);
  CHECK(shape(image, HardSigmoid{}) == image);
  CHECK(shape(image, HardSwish{}) == image);
  CHECK(shape(image, Relu6{}) == image);
  CHECK(shape(image, LeakyRelu{}) == image);
  CHECK(shape(image, Upsample{}) == Shape{14, 20, 6});
  CHECK(shape(Shape{9, 4}, Upsample{.factor = 3}) == Shape{27, 4});
  CHECK(shape(image, Pad{.padding = {1, 2, 3, 4}}) == Shape{10, 17, 6});
  CHECK(shape(Shape{9, 4}, Pad{.padding = {0, 2}}) == Shape{13, 4});
  CHECK(shape(image, Slice{.height = {2}, .width = {-3, -1}, .channels = {0, 4}}) == Shape{5, 2, 4});
  CHECK(shape(Shape{9, 4}, Slice{.width = {-1}}) == Shape{1, 4});
  CHECK(shape(Shape{9}, Slice{.channels = {3, 8}}) == Shape{5});
  CHECK(shape(image, MaxPool{}) == Shape{3, 5, 6});
  CHECK(shape(image, AvgPool{.kernel = 3, .stride = 2, .padding = same}) == Shape{4, 5, 6});
  CHECK(shape(image, GlobalAvgPool{}) == Shape{6});
  CHECK(shape(image, Flatten{}) == Shape{420});
  CHECK(shape(Shape{5}, Linear{.out = 3}) == Shape{3});
  CHECK(build(image, [](Flow x) { return concat({x, x | Conv2d{.out = 3}, x}); }).output_shape() == Shape{7, 10, 15});
  CHECK(build(image, [](Flow x) { return add(x, x); }).output_shape() == image);
  CHECK(build(image, [](Flow x) { return multiply(x, x); }).output_shape() == image);
  CHECK(build(image, [](Flow x) { return multiply(x, x | GlobalAvgPool{}); }).output_shape() == image);
  CHECK(build(image, [](Flow x) { return multiply(x, x | AvgPool{.kernel = {7, 10}}); }).output_shape() == image);
  CHECK(build(image, [](Flow x) { return x; }).output_shape() == image);
}

TEST_CASE("network: parameters, their names and values") {
  Network net{Shape{4, 4, 3}, [](Flow x) {
                x = (x | Conv2d{.out = 8, .kernel = 3}).named("stem") | BatchNorm{} | Relu{};
                x = x | Conv2d{.out = 8, .groups = Conv2d::depthwise, .bias = false};
                return x | PRelu{} | GlobalAvgPool{} | Linear{.out = 2};
              }};
  CHECK(names(net) == std::vector<std::string>{"stem.weight", "stem.bias", "batch_norm_1.weight", "batch_norm_1.bias",
                                               "conv2d_2.weight", "prelu_1.weight", "linear_1.weight", "linear_1.bias"});
  CHECK(net.weight_count() == 3 * 3 * 3 * 8 + 8 + 16 + 8 + 8 + 16 + 2);
  CHECK(net.parameters(Role::architecture).empty());
  CHECK(net.parameter(0).value.shape() == Shape{3, 3, 3, 8});
  CHECK(net.parameter(0).decay);
  CHECK_FALSE(net.parameter(1).decay);
  CHECK(net.parameter(4).value.shape() == Shape{1, 1, 1, 8});
  CHECK(net.parameter(2).value(7) == 1.0f);
  CHECK(net.parameter(5).value(0) == 0.25f);

  const auto variance = [](const Tensor& weights) {
    double square = 0;
    for (std::int64_t r = 0; r < weights.rows(); ++r) {
      for (float w : weights.row(r)) square += static_cast<double>(w) * static_cast<double>(w);
    }
    return square / static_cast<double>(weights.elements());
  };
  CHECK(variance(net.parameter(0).value) == Approx(1.0 / 3 / 27).epsilon(0.3));  // uniform in +-1 / sqrt(fan-in)
  CHECK(variance(Init::he_normal(27).draw({3, 3, 3, 8}, Random(1))) == Approx(2.0 / 27).epsilon(0.3));
}

TEST_CASE("network: the seed decides the values") {
  const auto make = [](std::uint64_t seed) {
    return Network(
        Shape{4}, [](Flow x) { return x | Linear{.out = 3} | Linear{.out = 3}; }, seed);
  };
  const Network a = make(1), b = make(1), c = make(2);
  CHECK(a.parameter(0).value(2, 1) == b.parameter(0).value(2, 1));
  CHECK(a.parameter(0).value(2, 1) != c.parameter(0).value(2, 1));
  CHECK(a.parameter(0).value(2, 1) != a.parameter(2).value(2, 1));
}

TEST_CASE("network: a name that is taken") {
  CHECK_THROWS_WITH(build(Shape{4}, [](Flow x) { return ((x | Relu{}).named("a") | Tanh{}).named("a"); }),
                    "Network: expected a name that no other layer has, got 'a'");
  CHECK_THROWS_AS(build(Shape{4}, [](Flow x) { return (x | Relu{}).named(""); }), ArgumentError);
  CHECK_NOTHROW(build(Shape{4}, [](Flow x) { return (x | Relu{}).named("a").named("a"); }));
  // A name given by hand that the next layer would have had.
  Network net{Shape{4}, [](Flow x) { return (x | Linear{.out = 4}).named("linear_2") | Linear{.out = 4}; }};
  CHECK(names(net) == std::vector<std::string>{"linear_2.weight", "linear_2.bias", "linear_3.weight", "linear_3.bias"});
}

TEST_CASE("network: layers that do not fit say where, and what they got") {
  const auto layer = [](const Shape& in, auto l) { return build(in, [&](Flow x) { return x | Relu{} | l; }); };
  const Shape image{8, 6, 3};
  CHECK_THROWS_WITH(layer(image, Linear{.out = 4}),
                    "linear_1: expected a vector of features, got 8x6x3; put Flatten{} or GlobalAvgPool{} before it");
  CHECK_THROWS_WITH(layer(Shape{5}, Conv2d{.out = 4}), "conv2d_1: expected images of height x width x channels, got 5");
  CHECK_THROWS_WITH(layer(Shape{5}, GlobalAvgPool{}), ContainsSubstring("global_avg_pool_1: expected images"));
  CHECK_THROWS_WITH(layer(image, MaxPool{.kernel = 7}), ContainsSubstring("max_pool_1: expected a window that fits") &&
                                                            ContainsSubstring("7x7 window") && ContainsSubstring("8x6 input"));
  CHECK_THROWS_WITH(layer(image, AvgPool{.kernel = 2, .padding = 2}), ContainsSubstring("avg_pool_1: expected less padding"));
  CHECK_THROWS_WITH(layer(image, Conv2d{.out = 4, .kernel = 9, .padding = 0}),
                    ContainsSubstring("conv2d_1: expected a window that fits"));
  CHECK_THROWS_WITH(layer(image, Conv2d{.out = 4, .groups = 2}),
                    ContainsSubstring("conv2d_1: expected groups that divide 3 input"));
  CHECK_THROWS_WITH(layer(image, Conv2d{}), ContainsSubstring("conv2d_1") && ContainsSubstring("0 output channels"));
  CHECK_THROWS_WITH(layer(image, Conv2d{.out = 4, .stride = 0}), ContainsSubstring("conv2d_1: expected window, stride"));
  CHECK_THROWS_AS(layer(image, MaxPool{.kernel = 0, .padding = same}), ShapeError);
  CHECK_THROWS_WITH(layer(Shape{5}, Linear{}), "linear_1: expected at least one output, got 0");
  CHECK_THROWS_WITH(layer(image, Dropout{1.0}), ContainsSubstring("dropout_1: expected a probability in [0, 1), got 1"));
  CHECK_THROWS_WITH(layer(image, BatchNorm{.epsilon = 0}), ContainsSubstring("batch_norm_1: expected epsilon > 0"));
  CHECK_THROWS_WITH(build(image, [](Flow x) { return add(x, x | Conv2d{.out = 3, .stride = 2}); }),
                    "add_1: expected two inputs of equal shape, got 8x6x3 and 4x3x3");
  CHECK_THROWS_WITH(build(image,
                          [](Flow x) {
                            return concat({x, x | Conv2d{.out = 3, .stride = 2}});
                          }),
                    "concat_1: expected inputs that differ in channels only, got 8x6x3 and 4x3x3");
  CHECK_THROWS_WITH(build(image, [](Flow x) { return multiply(x, x | GlobalAvgPool{} | Linear{.out = 4}); }),
                    "multiply_1: expected two inputs of equal shape, or one value a channel as the second, got 8x6x3 and 4");
  CHECK_THROWS_AS(build(image, [](Flow x) { return multiply(x | GlobalAvgPool{}, x); }), ShapeError);
  CHECK_THROWS_WITH(layer(image, Clip{.low = 1, .high = 1}),
                    "clip_1: expected two finite levels, the lower one first, got 1 and 1");
  CHECK_THROWS_AS(layer(image, Clip{.high = std::numeric_limits<double>::infinity()}), ArgumentError);
  CHECK_THROWS_WITH(layer(image, LeakyRelu{.slope = -0.1}), "leaky_relu_1: expected a slope in [0, 1), got -0.1");
  CHECK_THROWS_WITH(layer(image, Upsample{.factor = {0, 2}}), "upsample_1: expected factors of 1 or more, got 0 and 2");
  CHECK_THROWS_WITH(layer(Shape{5}, Upsample{}),
                    ContainsSubstring("upsample_1: expected images") && ContainsSubstring("got 5"));
  CHECK_THROWS_WITH(layer(image, Pad{.padding = {0, -1}}), ContainsSubstring("each side, got 0, 0, -1 and -1"));
  CHECK_THROWS_WITH(layer(image, Pad{.padding = same}), ContainsSubstring("got same; `same` depends on a kernel"));
  CHECK_THROWS_WITH(layer(Shape{9, 4}, Pad{.padding = 1}),
                    ContainsSubstring("`.padding = {0, 0, before, after}`, got 1 and 1 above"));
  CHECK_THROWS_WITH(layer(image, Slice{.channels = {1, 4}}), "slice_1: expected a part of its 3 channels, got [1, 4)");
  CHECK_THROWS_WITH(layer(image, Slice{.height = {-9}}), "slice_1: expected a part of its 8 rows, got [-1, 8)");
  CHECK_THROWS_AS(layer(image, Slice{.width = {3, 3}}), ShapeError);
  CHECK_THROWS_WITH(layer(Shape{9, 4}, Slice{.height = {0, 1}}),
                    "slice_1: expected no range of rows for an input that has none, 9x4");
  CHECK_THROWS_AS(build(Shape{}, [](Flow x) { return x; }), ShapeError);
  CHECK_THROWS_AS(build(Shape{0, 4, 3}, [](Flow x) { return x; }), ShapeError);
}

TEST_CASE("network: layers that lead nowhere") {
  CHECK_THROWS_WITH(build(Shape{4},
                          [](Flow x) {
                            (void)(x | Tanh{}).named("forgotten");
                            return x | Relu{};
                          }),
                    "Network: expected every layer to lead to the output, but nothing uses 'forgotten'");
}

TEST_CASE("network: values of two networks do not mix") {
  build(Shape{4}, [](Flow outer) {
    CHECK_THROWS_WITH(build(Shape{4}, [&](Flow x) { return add(x, outer); }), ContainsSubstring("values of two networks"));
    CHECK_THROWS_WITH(build(Shape{4}, [&](Flow x) { return concat({x, outer}); }), ContainsSubstring("values of two networks"));
    CHECK_THROWS_WITH(build(Shape{4}, [&](Flow) { return outer; }), ContainsSubstring("a value of another one"));
    return outer;
  });
}

TEST_CASE("network: what is computed at one go") {
  const auto steps = [](auto body) {
    const Network net = build(Shape{4, 4, 3}, body);
    return net.steps().size();
  };
  // Counted with the input. BN + ReLU are one step, BN + add + ReLU too.
  CHECK(steps([](Flow x) { return x | BatchNorm{} | Relu{}; }) == 2);
  CHECK(steps([](Flow x) { return add(x | BatchNorm{}, x) | Relu{}; }) == 2);
  CHECK(steps([](Flow x) { return add(x, x | BatchNorm{}) | Relu{}; }) == 2);
  CHECK(steps([](Flow x) { return add(x | BatchNorm{}, x | BatchNorm{}) | Relu{}; }) == 3);
  // Not where another layer, or the caller, wants what lies between.
  CHECK(steps([](Flow x) { return add(x, x | BatchNorm{}); }) == 3);
  CHECK(steps([](Flow x) { return x | BatchNorm{}; }) == 2);
  CHECK(steps([](Flow x) {
          const Flow y = x | BatchNorm{};
          return add(y | Relu{}, y);
        }) == 4);
  CHECK(steps([](Flow x) {
          const Flow y = x | BatchNorm{};
          return add(y, y) | Relu{};
        }) == 4);
  CHECK(steps([](Flow x) {
          const Flow y = add(x, x | BatchNorm{});
          return add(y | Relu{}, y);
        }) == 5);
  CHECK(steps([](Flow x) { return x | BatchNorm{} | Tanh{}; }) == 3);
}

TEST_CASE("layers of sizes that cannot be are refused by name", "[nn][network]") {
  constexpr int most = std::numeric_limits<int>::max();
  const auto refused = [](const Shape& input, auto&& builder, const std::string& message) {
    CHECK_THROWS_AS(Network(input, builder), ShapeError);
    CHECK_THROWS_WITH(Network(input, builder), ContainsSubstring(message));
  };
  refused(
      {std::int64_t{1} << 31}, [](Flow x) { return x | Linear{.out = most}; },
      "linear_1: Shape: expected at most 2^48 elements, got 2147483648x2147483647");
  refused(
      {1 << 20}, [](Flow x) { return x | Linear{.out = 1 << 27}; }, "linear_1: Tensor: expected memory for the");
  refused(
      {4, 4, 1 << 20}, [](Flow x) { return x | Conv2d{.out = most, .kernel = 3}; },
      "conv2d_1: Shape: expected at most 2^48 elements, got 3x3x1048576x2147483647");
  refused(
      {1 << 20, 1 << 20, 1}, [](Flow x) { return x | Conv2d{.out = 1 << 20}; },
      "conv2d_1: Shape: expected at most 2^48 elements, got 1048576x1048576x1048576");
  refused(
      {1 << 20, 3}, [](Flow x) { return x | Conv1d{.out = most, .kernel = most}; }, "conv1d_1: ");
}
