// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/deploy/integer/arithmetic.hpp"
#include "siena/deploy/integer/network.hpp"

namespace siena::deploy {

/// Each value of a network for one sample, channels innermost, without padding.
using IntegerValues = std::vector<std::vector<std::int8_t>>;

namespace detail {

/// One operation by plain loops over its definition: what all that is faster is held against. It shares the arithmetic of a
/// number with them and nothing else.
class OperationSimulator : integer::Arithmetic {
 public:
  OperationSimulator(const IntegerNetwork& network, const IntegerOperation& operation, const IntegerValues& values)
      : network_(network),
        operation_(operation),
        values_(values),
        y_(static_cast<std::size_t>(network.output_of(operation).shape.elements())) {}

  std::vector<std::int8_t> run() {
    std::visit([&](const auto& what) { compute(what); }, operation_.what);
    return std::move(y_);
  }

 private:
  const std::vector<std::int8_t>& x(int k = 0) const { return values_[operation_.inputs[k]]; }
  int zero(int k = 0) const { return network_.input_of(operation_, k).zero_point; }
  std::int64_t channels(int k = 0) const { return network_.input_of(operation_, k).shape.columns(); }
  std::int8_t held(std::int32_t y) const { return static_cast<std::int8_t>(siena_clamp(y, operation_.low, operation_.high)); }
  std::int8_t requantized(std::int32_t sum, int shift, std::int32_t multiplier) const {
    return held(network_.output_of(operation_).zero_point + siena_requantize(sum * (1 << shift), multiplier));
  }

  /// body(pixel, tap) for each tap of the window at output pixel (oh, ow) that lies in the image.
  template <class Body>
  static void for_taps(const kernels::ConvGeometry& g, std::int64_t oh, std::int64_t ow, Body&& body) {
    for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
      for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
        const std::int64_t h = oh * g.stride_height + kh * g.dilation_height - g.pad_top;
        const std::int64_t w = ow * g.stride_width + kw * g.dilation_width - g.pad_left;
        if (h >= 0 && h < g.in_height && w >= 0 && w < g.in_width) body(h * g.in_width + w, kh * g.kernel_width + kw);
      }
    }
  }
  /// body(oh, ow, channel) gives each element of the output.
  template <class Body>
  void for_outputs(const kernels::ConvGeometry& g, Body&& body) {
    for (std::int64_t oh = 0, at = 0; oh < g.out_height; ++oh)
      for (std::int64_t ow = 0; ow < g.out_width; ++ow)
        for (std::int64_t c = 0; c < g.out_channels; ++c) y_[at++] = body(oh, ow, c);
  }

  void compute(const integer::Convolution& what) {
    const kernels::ConvGeometry& g = what.geometry;
    const std::int64_t inputs = g.group_in_channels();
    for_outputs(g, [&](std::int64_t oh, std::int64_t ow, std::int64_t o) {
      std::int32_t sum = what.bias[o];
      for_taps(g, oh, ow, [&](std::int64_t pixel, std::int64_t tap) {
        const std::int8_t* from = &x()[pixel * g.in_channels + o / g.group_out_channels() * inputs];
        const std::int8_t* weights = &what.weights[(o * g.taps() + tap) * inputs];
        for (std::int64_t i = 0; i < inputs; ++i) sum += (from[i] - zero()) * weights[i];
      });
      return requantized(sum, what.shift, what.multiplier[o]);
    });
  }
  void compute(const integer::Table& table) {
    for (std::size_t i = 0; i < y_.size(); ++i) y_[i] = held(table.of[x()[i] + 128]);
  }
  void compute(const integer::PRelu& prelu) {
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const std::int32_t sum = x()[i] - zero();
      y_[i] = requantized(sum, prelu.shift, sum > 0 ? prelu.above : prelu.below[i % channels()]);
    }
  }
  void compute(const integer::Add& add) {
    for (std::size_t i = 0; i < y_.size(); ++i)
      y_[i] = held(siena_blend(add.a, x(0)[i], add.b, x(1)[i], add.offset, add.shift));
  }
  void compute(const integer::Multiply& multiply) {
    const std::size_t factors = x(1).size();  // as many as elements, or one for each channel
    for (std::size_t i = 0; i < y_.size(); ++i)
      y_[i] = requantized((x(0)[i] - zero(0)) * (x(1)[i % factors] - zero(1)), multiply.shift, multiply.multiplier);
  }
  void compute(const integer::MaxPool& pool) {
    for_outputs(pool.geometry, [&](std::int64_t oh, std::int64_t ow, std::int64_t c) {
      std::int8_t most = -128;
      for_taps(pool.geometry, oh, ow,
               [&](std::int64_t pixel, std::int64_t) { most = std::max(most, x()[pixel * channels() + c]); });
      return held(most);
    });
  }
  void compute(const integer::AveragePool& pool) {
    for_outputs(pool.geometry, [&](std::int64_t oh, std::int64_t ow, std::int64_t c) {
      std::int32_t sum = 0, count = 0;
      for_taps(pool.geometry, oh, ow,
               [&](std::int64_t pixel, std::int64_t) { sum += x()[pixel * channels() + c] - zero(), ++count; });
      return requantized(sum, pool.shift, pool.multiplier[count - 1]);
    });
  }
  void compute(const integer::Concat& concat) {
    auto to = y_.begin();
    for (std::int64_t row = 0; row < network_.input_of(operation_).shape.rows(); ++row) {
      for (std::size_t k = 0; k < concat.parts.size(); ++k) {
        const auto& [a, offset, shift] = concat.parts[k];
        for (std::int64_t c = 0; c < channels(static_cast<int>(k)); ++c) {
          const std::int8_t from = x(static_cast<int>(k))[row * channels(static_cast<int>(k)) + c];
          *to++ = held(siena_blend(a, from, 0, 0, offset, shift));
        }
      }
    }
  }
  /// body(place in the whole, place in the box) for all pixels and channels of the box.
  template <class Body>
  static void for_box(const kernels::BoxGeometry& g, Body&& body) {
    for (std::int64_t h = 0, at = 0; h < g.box_height; ++h)
      for (std::int64_t w = 0; w < g.box_width; ++w)
        for (std::int64_t c = 0; c < g.box_channels; ++c)
          body(((g.top + h) * g.width + g.left + w) * g.channels + g.first + c, at++);
  }
  void compute(const integer::Slice& slice) {
    for_box(slice.geometry, [&](std::int64_t whole, std::int64_t box) { y_[box] = held(x()[whole]); });
  }
  void compute(const integer::Pad& pad) {
    std::fill(y_.begin(), y_.end(), held(zero()));
    for_box(pad.geometry, [&](std::int64_t whole, std::int64_t box) { y_[whole] = held(x()[box]); });
  }
  void compute(const integer::Upsample& up) {
    const kernels::UpsampleGeometry& g = up.geometry;
    const std::int64_t width = g.width * g.horizontal, height = g.height * g.vertical;
    for (std::int64_t h = 0, at = 0; h < height; ++h)
      for (std::int64_t w = 0; w < width; ++w)
        for (std::int64_t c = 0; c < g.channels; ++c)
          y_[at++] = held(x()[(h / g.vertical * g.width + w / g.horizontal) * g.channels + c]);
  }
  void compute(const integer::Shuffle& shuffle) {
    const std::int64_t each = channels() / shuffle.groups;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(y_.size()); ++i) {
      const std::int64_t c = i % channels();
      y_[i - c + c % each * shuffle.groups + c / each] = held(x()[i]);
    }
  }
  void compute(const integer::Reshape&) {
    std::transform(x().begin(), x().end(), y_.begin(), [&](std::int8_t value) { return held(value); });
  }

  const IntegerNetwork& network_;
  const IntegerOperation& operation_;
  const IntegerValues& values_;
  std::vector<std::int8_t> y_;
};

}  // namespace detail

/// Every value of the network for one sample, in the order of `network.values`. ShapeError for an input of another size.
inline IntegerValues simulate_values(const IntegerNetwork& network, std::span<const std::int8_t> input) {
  const Shape& shape = network.input_value().shape;
  require<ShapeError>(static_cast<std::int64_t>(input.size()) == shape.elements(),
                      "simulate: expected the {} numbers of a {} input, got {}", shape.elements(), shape, input.size());
  IntegerValues values(network.values.size());
  values[0].assign(input.begin(), input.end());
  for (const IntegerOperation& operation : network.operations)
    values[operation.output] = detail::OperationSimulator(network, operation, values).run();
  return values;
}

/// What the network makes of one sample: the numbers that its code on a device makes, to the last bit.
inline std::vector<std::int8_t> simulate(const IntegerNetwork& network, std::span<const std::int8_t> input) {
  return std::move(simulate_values(network, input)[network.output]);
}

}  // namespace siena::deploy
