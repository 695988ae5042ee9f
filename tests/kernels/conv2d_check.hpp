// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/core/random.hpp"
#include "siena/kernels/conv2d.hpp"
#include "siena/kernels/reference.hpp"
#include "support/catch.hpp"

namespace siena::test {

/// Sets the number of threads for a scope.
class Threads {
 public:
  explicit Threads(int count) { set_threads(count); }
  ~Threads() { set_threads(0); }
};

/// Random rows whose padding is poisoned: large but finite.
template <class T>
std::vector<T> poisoned_rows(Random& random, std::int64_t rows, std::int64_t columns) {
  std::vector<T> values(static_cast<std::size_t>(rows * padded(columns)), T(7e20));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) values[r * padded(columns) + c] = static_cast<T>(random.uniform(-1, 1));
  }
  return values;
}

template <class T>
struct Operands {
  std::vector<T> x, w, bias, dy, dx, dw;

  Operands(const kernels::ConvGeometry& g, std::int64_t batch, std::uint64_t seed) {
    Random random(seed);
    x = poisoned_rows<T>(random, batch * g.in_rows(), g.in_channels);
    w = poisoned_rows<T>(random, g.weight_rows(), g.out_channels);
    bias = poisoned_rows<T>(random, 1, g.out_channels);
    dy = poisoned_rows<T>(random, batch * g.out_rows(), g.out_channels);
    dx = poisoned_rows<T>(random, batch * g.in_rows(), g.in_channels);
    dw = poisoned_rows<T>(random, g.weight_rows(), g.out_channels);
  }
};

/// The logical elements agree up to the rounding of sums of `terms` products.
template <class T>
void check_rows(const char* what, const std::vector<T>& got, const std::vector<T>& expected, std::int64_t columns,
                std::int64_t terms) {
  const double tolerance = 2 * std::numeric_limits<T>::epsilon() * (4 + std::sqrt(static_cast<double>(terms)) * 2);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (static_cast<std::int64_t>(i) % padded(columns) >= columns) continue;
    const double error = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
    worst = error <= worst ? worst : error;  // also takes a NaN
  }
  INFO(what << ": worst error " << worst << ", tolerance " << tolerance * std::sqrt(static_cast<double>(terms)));
  CHECK(worst <= tolerance * std::sqrt(static_cast<double>(terms)));
}

template <class T>
void check_same_bits(const char* what, const std::vector<T>& a, const std::vector<T>& b) {
  INFO(what << " at 1 thread and at more");
  CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Results of every pass of one convolution.
template <class T>
struct Passes {
  std::vector<T> y, plain, dx, added, dw;

  template <class Forward, class Data, class Weights>
  Passes(const Operands<T>& o, Forward forward, Data backward_data, Weights backward_weights)
      : y(o.dy.size()), plain(o.dy.size()), dx(o.x.size()), added(o.dx), dw(o.dw) {
    forward(o.bias, y);
    forward(std::vector<T>{}, plain);
    backward_data(dx, kernels::Write::overwrite);
    backward_data(added, kernels::Write::accumulate);
    backward_weights(dw);
  }
};

template <class T>
Passes<T> run_kernels(const kernels::ConvGeometry& g, std::int64_t batch, const Operands<T>& o) {
  return Passes<T>(
      o, [&](const auto& bias, auto& y) { kernels::conv2d_forward(g, batch, o.x, o.w, bias, std::span(y)); },
      [&](auto& dx, kernels::Write mode) { kernels::conv2d_backward_data(g, batch, o.dy, o.w, std::span(dx), mode); },
      [&](auto& dw) { kernels::conv2d_backward_weights(g, batch, o.x, o.dy, std::span(dw)); });
}

/// Every pass against the reference, with and without bias, overwriting and accumulating, and the same bits at 1 and 3
/// threads.
template <class T>
void check_convolution(const kernels::ConvGeometry& g, std::int64_t batch) {
  INFO("batch " << batch << ", " << g.in_height << "x" << g.in_width << "x" << g.in_channels << " -> " << g.out_height << "x"
                << g.out_width << "x" << g.out_channels << ", kernel " << g.kernel_height << "x" << g.kernel_width
                << ", stride " << g.stride_height << "x" << g.stride_width << ", dilation " << g.dilation_height << "x"
                << g.dilation_width << ", pad " << g.pad_top << " " << g.pad_bottom << " " << g.pad_left << " " << g.pad_right
                << ", groups " << g.groups);
  const Operands<T> o(g, batch, 5);
  const Passes<T> expected(
      o, [&](const auto& bias, auto& y) { kernels::reference::conv2d_forward(g, batch, o.x, o.w, bias, std::span(y)); },
      [&](auto& dx, kernels::Write mode) {
        kernels::reference::conv2d_backward_data(g, batch, o.dy, o.w, std::span(dx), mode);
      },
      [&](auto& dw) { kernels::reference::conv2d_backward_weights(g, batch, o.x, o.dy, std::span(dw)); });
  Threads one(1);
  const Passes<T> serial = run_kernels(g, batch, o);
  set_threads(3);
  const Passes<T> parallel = run_kernels(g, batch, o);

  check_rows("forward", serial.y, expected.y, g.out_channels, g.weight_rows());
  check_rows("forward without bias", serial.plain, expected.plain, g.out_channels, g.weight_rows());
  check_rows("backward data", serial.dx, expected.dx, g.in_channels, g.taps() * g.group_out_channels());
  check_rows("backward data, accumulating", serial.added, expected.added, g.in_channels, g.taps() * g.group_out_channels());
  check_rows("backward weights", serial.dw, expected.dw, g.out_channels, batch * g.out_rows());
  check_same_bits("forward", serial.y, parallel.y);
  check_same_bits("backward data", serial.dx, parallel.dx);
  check_same_bits("backward data, accumulating", serial.added, parallel.added);
  check_same_bits("backward weights", serial.dw, parallel.dw);
}

enum class Groups { one, some, depthwise };

/// A small convolution with anything that may be odd about it.
inline kernels::ConvGeometry random_geometry(Random& random, Groups kind) {
  const auto pick = [&](std::initializer_list<int> values) { return values.begin()[random.below(values.size())]; };
  kernels::ConvGeometry o;
  o.kernel_height = pick({1, 2, 3, 3, 5});
  o.kernel_width = pick({1, 2, 3, 3, 4});
  o.stride_height = pick({1, 1, 2, 3});
  o.stride_width = pick({1, 1, 2, 3});
  o.dilation_height = pick({1, 1, 2});
  o.dilation_width = pick({1, 1, 2, 3});
  o.pad_top = pick({0, 1, 2, 4});
  o.pad_bottom = pick({0, 1, 2});
  o.pad_left = pick({0, 1, 2, 4});
  o.pad_right = pick({0, 1, 3});
  o.in_height = std::max<std::int64_t>(pick({1, 2, 3, 5, 7}),
                                       std::int64_t{o.dilation_height} * (o.kernel_height - 1) + 1 - o.pad_top - o.pad_bottom);
  o.in_width = std::max<std::int64_t>(pick({1, 2, 3, 4, 6}),
                                      std::int64_t{o.dilation_width} * (o.kernel_width - 1) + 1 - o.pad_left - o.pad_right);
  o.in_channels = pick({1, 2, 3, 5, 8, 11, 16, 17, 24, 33});
  o.out_channels = pick({1, 2, 3, 5, 8, 11, 16, 17, 24, 33});
  if (kind == Groups::some) {
    o.groups = pick({2, 3});
    o.in_channels = o.groups * pick({2, 3, 8});
    o.out_channels = o.groups * pick({1, 3, 5, 8});
  } else if (kind == Groups::depthwise) {
    o.in_channels = pick({2, 3, 8, 11, 24});
    o.groups = static_cast<int>(o.in_channels);
    o.out_channels = o.in_channels * pick({1, 1, 2, 3});
  }
  return kernels::conv_geometry(o);
}

}  // namespace siena::test
