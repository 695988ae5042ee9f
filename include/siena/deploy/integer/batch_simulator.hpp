// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <span>
#include <variant>
#include <vector>

#include "siena/core/buffer.hpp"
#include "siena/core/error.hpp"
#include "siena/core/parallel.hpp"
#include "siena/core/tensor.hpp"
#include "siena/deploy/integer/network.hpp"
#include "siena/deploy/integer/operation_quantizer.hpp"
#include "siena/deploy/integer/simulate.hpp"
#include "siena/kernels/conv2d.hpp"
#include "siena/kernels/pool.hpp"
#include "siena/kernels/rearrange.hpp"

namespace siena::deploy {

namespace detail {

/// Whole numbers up to it, and sums of them, are exact as floats.
inline constexpr double exact_in_floats = 1 << 24;

/// A convolution as the kernels of training want it.
struct FloatConvolution {
  Tensor weights = {}, bias = {};  // KH * KW * Cin/groups x Cout; empty where sums may be larger than floats hold exactly
  std::vector<std::int32_t> multipliers = {};  // of each channel, padded as rows are, several rows of them

  FloatConvolution() = default;
  explicit FloatConvolution(const integer::Convolution& what) {
    const std::int64_t rows = what.geometry.weight_rows(), outputs = what.geometry.out_channels;
    for (std::int64_t o = 0; o < outputs; ++o) {
      double sum = std::abs(1.0 * what.bias[o]);
      for (std::int64_t r = 0; r < rows; ++r) sum += std::abs(what.weights[o * rows + r]) * 255.0;
      if (sum > exact_in_floats) return;
    }
    weights = Tensor(Shape{rows, outputs}), bias = Tensor(Shape{outputs});
    const std::int64_t stride = padded(outputs), copies = std::max<std::int64_t>(1, 128 / stride);
    multipliers.resize(static_cast<std::size_t>(stride * copies), 0);
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::int64_t r = 0; r < rows; ++r) weights.row(r)[o] = what.weights[o * rows + r];
      bias.row(0)[o] = static_cast<float>(what.bias[o]);
      for (std::int64_t k = 0; k < copies; ++k) multipliers[k * stride + o] = what.multiplier[o];
    }
  }
};

/// Sums become values between low and high, without their zero point; the multipliers come again and again.
inline void requantize_sums(std::span<float> y, std::span<const std::int32_t> multipliers, int shift, int low, int high) {
  const auto period = std::ssize(multipliers), count = std::ssize(y);
  for (std::ptrdiff_t begin = 0; begin < count; begin += period) {
    float* at = y.data() + begin;
    for (std::ptrdiff_t i = 0, length = std::min(period, count - begin); i < length; ++i) {
      using A = integer::Arithmetic;
      const std::int32_t sum = static_cast<std::int32_t>(at[i]) * (1 << shift);
      at[i] = static_cast<float>(A::siena_clamp(A::siena_requantize(sum, multipliers[i]), low, high));
    }
  }
}

/// The integers of numbers, without the zero point.
inline void quantize_floats(const IntegerValue& value, std::span<const float> numbers, float* to) {
  const double levels = 1 / value.scale, low = -128 - value.zero_point, high = 127 - value.zero_point;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double v = std::floor(numbers[i] * levels + 0.5), risen = v > low ? v : low;
    to[i] = static_cast<float>(risen > high ? high : risen);
  }
}

/// Runs a few samples at a time. Values are whole numbers without their zero point, as floats, padded as tensors are; those
/// that do not live at once share memory.
class SampleRunner {
 public:
  SampleRunner(const IntegerNetwork& network, std::span<const FloatConvolution> convolutions, std::int64_t samples)
      : network_(network), convolutions_(convolutions), samples_(samples), places_(network.values.size()) {
    std::vector<int> last(network.values.size(), 0), free;  // the operation after which a value is gone
    for (int i = 0; i < static_cast<int>(network.operations.size()); ++i) {
      const IntegerOperation& operation = network.operations[i];
      last[operation.output] = i;
      for (const int input : operation.inputs) last[input] = i;
    }
    last[network.output] = std::numeric_limits<int>::max();
    std::vector<std::int64_t> sizes;
    const auto place = [&](int value) {
      if (free.empty()) free.push_back(static_cast<int>(sizes.size())), sizes.push_back(0);
      places_[value] = free.back();
      free.pop_back();
      sizes[places_[value]] = std::max(sizes[places_[value]], storage(value));
    };
    place(0);
    for (int i = 0; i < static_cast<int>(network.operations.size()); ++i) {
      place(network.operations[i].output);
      for (int value = 0; value <= network.operations[i].output; ++value)
        if (last[value] == i) free.push_back(places_[value]);
    }
    for (const std::int64_t size : sizes) memory_.push_back(Buffer<float>::uninitialized(static_cast<std::size_t>(size)));
  }

  /// Rows of the inputs as the network of floats sees them; rows of the numbers that the outputs stand for.
  void run(std::span<const float> inputs, std::span<float> outputs) {
    quantize_floats(network_.input_value(), inputs, memory_[places_[0]].data());
    for (std::size_t i = 0; i < network_.operations.size(); ++i) {
      operation_ = &network_.operations[i], convolution_ = &convolutions_[i];
      std::visit([&](const auto& what) { compute(what); }, operation_->what);
    }
    const double scale = network_.output_value().scale;
    std::transform(span(network_.output).begin(), span(network_.output).end(), outputs.begin(),
                   [scale](float q) { return static_cast<float>(scale * q); });
  }

 private:
  std::int64_t storage(int value) const {
    const Shape& shape = network_.values[value].shape;
    return samples_ * shape.rows() * padded(shape.columns());
  }
  std::span<float> span(int value) { return memory_[places_[value]].span().first(static_cast<std::size_t>(storage(value))); }
  std::span<const float> x(int k = 0) { return span(operation_->inputs[k]); }
  std::span<float> y() { return span(operation_->output); }
  const IntegerValue& from(int k = 0) const { return network_.input_of(*operation_, k); }
  const IntegerValue& made() const { return network_.output_of(*operation_); }
  /// Without the output's zero point.
  int low() const { return operation_->low - made().zero_point; }
  int high() const { return operation_->high - made().zero_point; }
  float held(std::int32_t v) const { return static_cast<float>(std::clamp(v, low(), high())); }
  float requantized(std::int32_t sum, int shift, std::int32_t multiplier) const {
    return held(integer::Arithmetic::siena_requantize(sum * (1 << shift), multiplier));
  }
  /// y = f(x, channel)
  template <class F>
  void map(F&& f) {
    const auto stride = static_cast<std::size_t>(padded(made().shape.columns()));
    const auto in = x();
    const auto out = y();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = f(in[i], i % stride);
  }

  void compute(const integer::Convolution& what) {
    if (convolution_->weights.empty()) return simulate_one();
    kernels::conv2d_forward<simd::native, float>(what.geometry, samples_, x(), convolution_->weights.storage(),
                                                 convolution_->bias.storage(), y());
    requantize_sums(y(), convolution_->multipliers, what.shift, low(), high());
  }
  /// By plain loops.
  void simulate_one() {
    const std::int64_t columns = from().shape.columns(), stride = padded(columns), rows = from().shape.rows();
    const std::int64_t out_columns = made().shape.columns(), out_stride = padded(out_columns), out_rows = made().shape.rows();
    for (std::int64_t n = 0; n < samples_; ++n) {
      IntegerValues values(network_.values.size());
      for (std::int64_t r = n * rows; r < (n + 1) * rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c)
          values[operation_->inputs[0]].push_back(
              static_cast<std::int8_t>(static_cast<int>(x()[r * stride + c]) + from().zero_point));
      const auto outputs = OperationSimulator(network_, *operation_, values).run();
      for (std::int64_t i = 0; i < std::ssize(outputs); ++i)
        y()[(n * out_rows + i / out_columns) * out_stride + i % out_columns] =
            static_cast<float>(outputs[i] - made().zero_point);
    }
  }
  void compute(const integer::Table& table) {
    const int first = from().zero_point + 128;
    map([&](float q, std::size_t) {
      const int at = std::clamp(static_cast<int>(q) + first, 0, 255);  // the padding of rows may hold anything
      return held(table.of[at] - made().zero_point);
    });
  }
  void compute(const integer::PRelu& prelu) {
    map([&](float q, std::size_t c) {
      const std::int32_t below = prelu.below[std::min(c, prelu.below.size() - 1)];
      return requantized(static_cast<std::int32_t>(q), prelu.shift, q > 0 ? prelu.above : below);
    });
  }
  void compute(const integer::Add& add) {
    const int a_zero = from(0).zero_point, b_zero = from(1).zero_point, zero = made().zero_point, low = this->low();
    const int high = this->high();
    const float *first = x(0).data(), *second = x(1).data();
    float* to = y().data();
    for (std::ptrdiff_t i = 0, count = std::ssize(y()); i < count; ++i) {
      using A = integer::Arithmetic;
      const std::int32_t a = static_cast<std::int32_t>(first[i]) + a_zero, b = static_cast<std::int32_t>(second[i]) + b_zero;
      to[i] = static_cast<float>(A::siena_clamp(A::siena_blend(add.a, a, add.b, b, add.offset, add.shift) - zero, low, high));
    }
  }
  void compute(const integer::Multiply& multiply) {
    const std::int64_t stride = padded(made().shape.columns()), rows = made().shape.rows() / from(1).shape.rows();
    for (std::int64_t i = 0; i < std::ssize(y()); ++i) {
      const float product = x(0)[i] * x(1)[i / stride / rows * stride + i % stride];
      y()[i] = requantized(static_cast<std::int32_t>(product), multiply.shift, multiply.multiplier);
    }
  }
  void compute(const integer::MaxPool& pool) {
    std::vector<std::int32_t> indices(y().size());
    kernels::max_pool_forward(pool.geometry, samples_, x(), y(), std::span(indices));
  }
  void compute(const integer::AveragePool& pool) {
    const kernels::ConvGeometry& g = pool.geometry;
    if (255.0 * static_cast<double>(g.taps()) > exact_in_floats) return simulate_one();
    std::vector<float> sums(static_cast<std::size_t>(g.in_stride()));
    for (std::int64_t n = 0; n < samples_; ++n) {
      kernels::detail::for_windows(g, [&](const kernels::detail::Window& window, std::int64_t o) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (std::int64_t h = window.top; h < window.bottom; ++h) {
          const float* pixel = &x()[((n * g.in_height + h) * g.in_width + window.left) * g.in_stride()];
          for (std::int64_t w = window.left; w < window.right; ++w)
            for (float& sum : sums) sum += *pixel++;
        }
        float* to = &y()[(n * g.out_rows() + o) * g.out_stride()];
        for (const float sum : sums)
          *to++ = requantized(static_cast<std::int32_t>(sum), pool.shift, pool.multiplier[window.pixels() - 1]);
      });
    }
  }
  void compute(const integer::Concat& concat) {
    const std::int64_t columns = made().shape.columns(), stride = padded(columns), rows = samples_ * made().shape.rows();
    for (std::int64_t r = 0; r < rows; ++r) {
      float* to = &y()[r * stride];
      for (int k = 0; k < static_cast<int>(concat.parts.size()); ++k) {
        const auto& [a, offset, shift] = concat.parts[k];
        const std::int64_t channels = from(k).shape.columns();
        const float* in = &x(k)[r * padded(channels)];
        for (std::int64_t c = 0; c < channels; ++c) {
          const std::int32_t q = static_cast<std::int32_t>(in[c]) + from(k).zero_point;
          *to++ = held(integer::Arithmetic::siena_blend(a, q, 0, 0, offset, shift) - made().zero_point);
        }
      }
      std::fill_n(to, stride - columns, 0.0f);
    }
  }
  void compute(const integer::Slice& slice) {
    kernels::take_box(slice.geometry, samples_, x(), y(), kernels::Write::overwrite);
  }
  void compute(const integer::Pad& pad) { kernels::put_box(pad.geometry, samples_, x(), y(), kernels::Write::overwrite); }
  void compute(const integer::Upsample& up) { kernels::upsample_forward(up.geometry, samples_, x(), y()); }
  void compute(const integer::Shuffle& shuffle) {
    const std::int64_t rows = samples_ * made().shape.rows();
    kernels::interleave_channels(rows, made().shape.columns(), shuffle.groups, x(), y(), kernels::Write::overwrite);
  }
  void compute(const integer::Reshape&) {
    const std::int64_t columns = from().shape.columns(), to_columns = made().shape.columns(), count = made().shape.elements();
    std::fill(y().begin(), y().end(), 0.0f);
    for (std::int64_t i = 0; i < samples_ * count; ++i)
      y()[i / to_columns * padded(to_columns) + i % to_columns] = x()[i / columns * padded(columns) + i % columns];
  }

  const IntegerNetwork& network_;
  std::span<const FloatConvolution> convolutions_;
  std::int64_t samples_;
  std::vector<int> places_;  // of each value in the memory
  std::vector<Buffer<float>> memory_;
  const IntegerOperation* operation_ = nullptr;  // that is computed
  const FloatConvolution* convolution_ = nullptr;
};

}  // namespace detail

/// Runs a network of integers on batches, to the bits of `simulate` in about the time of a network of floats: whole numbers up
/// to 2^24 are floats, so the kernels of training make sums of products exactly, in any order. Layers whose sums may be larger
/// go through the plain loops. Keeps a reference to the network.
class BatchSimulator {
 public:
  explicit BatchSimulator(const IntegerNetwork& network) : network_(network) {
    for (const IntegerOperation& operation : network.operations) {
      const auto* what = std::get_if<integer::Convolution>(&operation.what);
      convolutions_.push_back(what ? detail::FloatConvolution(*what) : detail::FloatConvolution());
    }
  }
  explicit BatchSimulator(const IntegerNetwork&&) = delete;  // it would refer to what is gone

  /// The numbers that the outputs stand for, N x the output's shape, of inputs as the network of floats sees them, N x its
  /// input's shape: they are quantised first.
  Tensor run(const Tensor& inputs) const {
    const Shape &in = network_.input_value().shape, &out = network_.output_value().shape;
    const std::int64_t batch = inputs.shape().rank() == 0 ? 0 : inputs.shape()[0];
    require<ShapeError>(inputs.shape() == in.batch(batch), "BatchSimulator: expected a batch of {} inputs, got {}", in,
                        inputs.shape());
    Tensor outputs(out.batch(batch));
    const auto from = static_cast<std::size_t>(in.rows() * padded(in.columns()));
    const auto to = static_cast<std::size_t>(out.rows() * padded(out.columns()));
    const std::int64_t each = samples_at_once();
    parallel_ranges(batch, each, [&](std::int64_t begin, std::int64_t end) {
      const auto first = static_cast<std::size_t>(begin), count = static_cast<std::size_t>(end - begin);
      detail::SampleRunner(network_, convolutions_, end - begin)
          .run(inputs.storage().subspan(first * from, count * from), outputs.storage().subspan(first * to, count * to));
    });
    return outputs;
  }

 private:
  /// So many that values stay in a second-level cache, and enough to share the weights.
  std::int64_t samples_at_once() const {
    std::int64_t largest = 1;
    for (const IntegerValue& value : network_.values)
      largest = std::max(largest, value.shape.rows() * padded(value.shape.columns()));
    return std::clamp<std::int64_t>(32768 / largest, 4, 64);
  }

  const IntegerNetwork& network_;
  std::vector<detail::FloatConvolution> convolutions_;  // of each operation
};

}  // namespace siena::deploy
