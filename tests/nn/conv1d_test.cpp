// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/nn/layers/conv1d.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include "siena/autograd/ops/loss.hpp"
#include "siena/nn/network.hpp"
#include "support/gradients.hpp"

using namespace siena;

namespace {

/// What a layer reads before its first and behind its last input, by its definition.
kernels::Padding time_padding(const Conv1d& conv, std::int64_t time) {
  if (conv.padding.is_causal) return {(conv.kernel - 1) * conv.dilation, 0};
  if (!conv.padding.is_same) return {conv.padding.before, conv.padding.after};
  const auto out = (time + conv.stride - 1) / conv.stride;
  const auto total = std::max<std::int64_t>(0, (out - 1) * conv.stride + (conv.kernel - 1) * conv.dilation + 1 - time);
  return {static_cast<int>(total / 2), static_cast<int>(total - total / 2)};
}

/// y[t][o] = b[o] + sum over k, c of w[k][c][o] x[t * stride - before + k * dilation][first channel of o's group + c].
Tensor plain_conv1d(const Conv1d& conv, const Tensor& x, const Tensor& w, const Tensor& b) {
  const std::int64_t time = x.shape()[1], in = x.shape()[2], group_in = w.shape()[1];
  const std::int64_t groups = in / group_in, group_out = conv.out / groups;
  const kernels::Padding padding = time_padding(conv, time);
  const auto out_time = (time + padding.before + padding.after - (conv.kernel - 1) * conv.dilation - 1) / conv.stride + 1;
  Tensor y({x.shape()[0], out_time, conv.out});
  for (std::int64_t n = 0; n < x.shape()[0]; ++n) {
    for (std::int64_t t = 0; t < out_time; ++t) {
      for (std::int64_t o = 0; o < conv.out; ++o) {
        double sum = b(o);
        for (int k = 0; k < conv.kernel; ++k) {
          const std::int64_t at = t * conv.stride - padding.before + k * conv.dilation;
          for (std::int64_t c = 0; at >= 0 && at < time && c < group_in; ++c) {
            sum += static_cast<double>(w(k, c, o)) * static_cast<double>(x(n, at, o / group_out * group_in + c));
          }
        }
        y(n, t, o) = static_cast<float>(sum);
      }
    }
  }
  return y;
}

Shape shape_of(const Shape& in, const Conv1d& conv) {
  return Network(in, [&](const Flow& x) { return x | conv; }).output_shape();
}

}  // namespace

TEST_CASE("conv1d: computes what its definition says") {
  for (const TimePadding padding : {TimePadding(same), TimePadding(causal), TimePadding(2), TimePadding(0, 3)}) {
    for (const int kernel : {1, 2, 3, 5, 8}) {
      for (const int stride : {1, 2, 3}) {
        for (const int dilation : {1, 2}) {
          for (const int groups : {1, 2, Conv1d::depthwise}) {
            const Conv1d conv{
                .out = 6, .kernel = kernel, .stride = stride, .padding = padding, .dilation = dilation, .groups = groups};
            Network net(Shape{17, groups == Conv1d::depthwise ? 6 : 4}, [&](const Flow& x) { return x | conv; });
            net.parameter(1).value = random_tensor<float>({6}, 2);
            const Tensor x = random_tensor<float>(net.input_shape().batch(2), 1);
            const Tensor y = net.predict(x), expected = plain_conv1d(conv, x, net.parameter(0).value, net.parameter(1).value);
            INFO("kernel " << kernel << ", stride " << stride << ", dilation " << dilation << ", groups " << groups);
            REQUIRE(y.shape() == expected.shape());
            bool close = true;
            for (std::int64_t r = 0; r < y.rows(); ++r) {
              for (std::size_t c = 0; c < 6; ++c) close &= std::abs(y.row(r)[c] - expected.row(r)[c]) < 1e-4f;
            }
            CHECK(close);
          }
        }
      }
    }
  }
}

TEST_CASE("conv1d: shapes, names and values of its parameters") {
  CHECK(shape_of({10, 3}, {.out = 4, .kernel = 3}) == Shape{10, 4});
  CHECK(shape_of({10, 3}, {.out = 4, .kernel = 4, .stride = 3}) == Shape{4, 4});
  CHECK(shape_of({10, 3}, {.out = 4, .kernel = 3, .padding = causal, .dilation = 4}) == Shape{10, 4});
  CHECK(shape_of({10, 3}, {.out = 4, .kernel = 3, .stride = 2, .padding = causal}) == Shape{5, 4});
  CHECK(shape_of({10, 3}, {.out = 4, .kernel = 3, .padding = 0}) == Shape{8, 4});
  CHECK(shape_of({10, 3}, {.out = 4, .kernel = 3, .padding = {1, 0}}) == Shape{9, 4});

  const Network net(Shape{10, 3}, [](const Flow& x) {
    const Flow first = (x | Conv1d{.out = 8, .kernel = 5}).named("stem");
    return first | Conv1d{.out = 8, .kernel = 3, .groups = Conv1d::depthwise, .bias = false};
  });
  CHECK(net.parameter(0).name == "stem.weight");
  CHECK(net.parameter(0).value.shape() == Shape{5, 3, 8});
  CHECK(net.parameter(0).decay);
  CHECK(net.parameter(1).name == "stem.bias");
  CHECK(net.parameter(1).value.shape() == Shape{8});
  CHECK_FALSE(net.parameter(1).decay);
  CHECK(net.parameter(2).name == "conv1d_2.weight");
  CHECK(net.parameter(2).value.shape() == Shape{3, 1, 8});
  CHECK(net.parameter_count() == 3);
  float largest = 0;
  for (std::int64_t r = 0; r < 15; ++r) {
    for (const float w : net.parameter(0).value.row(r)) largest = std::max(largest, std::abs(w));
  }
  CHECK(largest <= 1 / std::sqrt(15.0f));  // uniform in +-1 / sqrt(fan-in)
  CHECK(largest > 0.8f / std::sqrt(15.0f));
}

TEST_CASE("conv1d: no output of a causal layer reads what comes later") {
  Network net(Shape{12, 2}, [](const Flow& x) {
    return x | Conv1d{.out = 3, .kernel = 4, .padding = causal, .dilation = 2} | Relu{} |
           Conv1d{.out = 3, .kernel = 3, .padding = causal};
  });
  Tensor x = random_tensor<float>({1, 12, 2}, 1);
  const Tensor before = net.predict(x);
  x(0, 7, 1) += 1;
  const Tensor after = net.predict(x);
  for (std::int64_t t = 0; t < 12; ++t) {
    bool equal = true;
    for (std::int64_t c = 0; c < 3; ++c) equal &= before(0, t, c) == after(0, t, c);
    CHECK(equal == (t < 7));
  }
}

TEST_CASE("conv1d: gradients") {
  for (const Conv1d& conv : {Conv1d{.out = 3, .kernel = 4, .padding = causal, .dilation = 2},
                             Conv1d{.out = 4, .kernel = 3, .stride = 2, .groups = 2},
                             Conv1d{.out = 4, .kernel = 5, .padding = {3, 1}, .groups = Conv1d::depthwise}}) {
    const auto geometry = conv.geometry({9, 4});
    CHECK_GRADIENTS(gradcheck(
        [&](DTape&, DVars in) {
          return ops::conv2d(in[0], in[1], in[2], geometry, Shape{2, geometry.out_width, conv.out});
        },
        {random_tensor<double>({2, 9, 4}, 1), random_tensor<double>({conv.kernel, geometry.group_in_channels(), conv.out}, 2),
         random_tensor<double>({conv.out}, 3)}));
  }
}

TEST_CASE("conv1d: signals pass through every layer that takes values of any shape, and learn") {
  Network net(Shape{16, 3}, [](Flow x) {
    x = x | Conv1d{.out = 8, .kernel = 5, .padding = causal} | BatchNorm{} | Relu{};
    const Flow y = x | Conv1d{.out = 8, .kernel = 3, .bias = false} | BatchNorm{};
    x = add(x, y) | Relu{} | Dropout{0.1};
    x = concat({x, x | Conv1d{.out = 4, .stride = 1} | PRelu{}});
    CHECK(x.shape() == Shape{16, 12});
    const Flow pooled = x | GlobalAvgPool{};
    const Flow all = x | Conv1d{.out = 2, .kernel = 4, .stride = 4} | Sigmoid{} | Flatten{};
    CHECK(pooled.shape() == Shape{12});
    CHECK(all.shape() == Shape{8});
    return concat({pooled, all}) | Linear{.out = 2};
  });
  const Tensor batch = random_tensor<float>({6, 16, 3}, 1), target = random_tensor<float>({6, 2}, 2);
  const auto step = [&] {
    Tape tape;
    net.zero_grad();
    const Var loss = ops::mean_squared_error(net.forward(tape.reference(batch), Mode::training), tape.reference(target));
    const float value = *loss.value().data();
    tape.backward(loss);
    for (Parameter* p : net.parameters(Role::weight)) {
      for (std::int64_t r = 0; r < p->value.rows(); ++r) {
        for (std::size_t c = 0; c < p->value.row(r).size(); ++c) p->value.row(r)[c] -= 0.1f * p->grad.row(r)[c];
      }
    }
    return value;
  };
  const float first = step();
  for (int i = 0; i < 60; ++i) (void)step();
  CHECK(step() < 0.3f * first);
}

TEST_CASE("conv1d: what does not fit says where, and what it got") {
  CHECK_THROWS_WITH(shape_of({5}, {.out = 4}), "conv1d_1: expected signals of time x channels, got 5");
  CHECK_THROWS_WITH(shape_of({5, 5, 3}, {.out = 4}), "conv1d_1: expected signals of time x channels, got 5x5x3");
  CHECK_THROWS_WITH(shape_of({4, 3}, {.out = 4, .kernel = 5, .padding = 0}),
                    ContainsSubstring("conv1d_1: expected a window that fits the padded input, got a 1x5 window"));
  CHECK_THROWS_WITH(shape_of({4, 3}, {.out = 4, .groups = 2}), ContainsSubstring("conv1d_1: expected groups that divide 3"));
  for (const auto& bad : {Conv1d{}, Conv1d{.out = 4, .kernel = 0, .padding = causal}, Conv1d{.out = 4, .stride = 0},
                          Conv1d{.out = 4, .dilation = 0}, Conv1d{.out = 4, .padding = {-1, 2}}}) {
    CHECK_THROWS_AS(shape_of({4, 3}, bad), ShapeError);
  }
  CHECK_THROWS_WITH(Network(Shape{4}, [](const Flow& x) { return x | GlobalAvgPool{}; }),
                    ContainsSubstring("global_avg_pool_1: expected"));
}
