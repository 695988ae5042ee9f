// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>
#include <variant>
#include <vector>

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

/// Runs a network of integers on batches, to the bits of `simulate` and as fast as a network of floats: whole numbers up to 2^24
/// are floats, so sums of products are made by the kernels that training uses, exactly and in any order, and are requantised in
/// doubles, exactly where the result is no more than 8 bits. Layers whose sums may be larger go through `simulate`. Keeps a
/// reference to the network.
class BatchSimulator {
 public:
  explicit BatchSimulator(const IntegerNetwork& network) : network_(network) {
    for (const IntegerOperation& operation : network.operations) {
      const auto* convolution = std::get_if<integer::Convolution>(&operation.what);
      weights_.push_back(convolution && fits(*convolution) ? floats_of(*convolution) : Weights{});
    }
  }
  explicit BatchSimulator(const IntegerNetwork&&) = delete;  // it would refer to what is gone

  /// The numbers that the outputs stand for, N x the output's shape, of inputs as the network of floats sees them, N x its
  /// input's shape: they are quantised first.
  Tensor run(const Tensor& batch) {
    const IntegerValue& input = network_.values[0];
    require<ShapeError>(batch.shape() == input.shape.batch(batch.shape()[0]),
                        "BatchSimulator: expected a batch of {} inputs, got {}", input.shape, batch.shape());
    values_.clear();
    values_.resize(network_.values.size());
    batch_ = batch.shape()[0];
    values_[0] = Tensor(batch.shape());
    map(batch, values_[0], [&](float x, std::size_t) { return detail::nearest_integer(input, x) - input.zero_point; });
    for (std::size_t i = 0; i < network_.operations.size(); ++i) {
      const IntegerOperation& operation = network_.operations[i];
      operation_ = &operation, weights_at_ = &weights_[i];
      values_[operation.output] = Tensor(network_.output_of(operation).shape.batch(batch_));
      std::visit([&](const auto& what) { compute(what); }, operation.what);
    }
    const double scale = network_.values[network_.output].scale;
    Tensor& output = values_[network_.output];
    map(output, output, [&](float q, std::size_t) { return scale * q; });
    return std::move(output);
  }

 private:
  /// Of a convolution as the kernels want them: KH * KW * Cin/groups x Cout.
  struct Weights {
    Tensor weights, bias;
    std::vector<double> factors;  // multiplier * 2^(shift - 32)
  };

  static bool fits(const integer::Convolution& what) {
    const auto rows = static_cast<std::size_t>(what.geometry.weight_rows());
    for (std::size_t o = 0; o < what.bias.size(); ++o) {
      double sum = std::abs(double{1.0 * what.bias[o]});
      for (std::size_t r = 0; r < rows; ++r) sum += std::abs(what.weights[o * rows + r]) * 255.0;
      if (sum > 16777216) return false;
    }
    return true;
  }
  static Weights floats_of(const integer::Convolution& what) {
    const std::int64_t rows = what.geometry.weight_rows(), outputs = what.geometry.out_channels;
    Weights result{Tensor(Shape{rows, outputs}), Tensor(Shape{outputs}), {}};
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::int64_t r = 0; r < rows; ++r) result.weights.row(r)[o] = what.weights[o * rows + r];
      result.bias.row(0)[o] = static_cast<float>(what.bias[o]);
      result.factors.push_back(std::ldexp(what.multiplier[o], what.shift - 32));
    }
    return result;
  }

  // Values are whole numbers without their zero point: what pads them is 0.
  const Tensor& x(int k = 0) const { return values_[operation_->inputs[k]]; }
  Tensor& y() { return values_[operation_->output]; }
  int zero(int k = 0) const { return network_.input_of(*operation_, k).zero_point; }

  /// y = f(x, channel), row by row.
  template <class F>
  static void map(const Tensor& from, Tensor& to, F&& f) {
    parallel_ranges(to.rows(), kernels::elements_grain(to.stride()), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const auto x = from.row(r);
        const auto y = to.row(r);
        for (std::size_t c = 0; c < y.size(); ++c) y[c] = static_cast<float>(f(x[c], c));
      }
    });
  }
  /// What holds a real number to the output's range, halves up, without the zero point.
  auto holder() const {
    const int zero = network_.output_of(*operation_).zero_point;
    return [low = double(operation_->low - zero), high = double(operation_->high - zero)](double v) {
      return std::min(high, std::max(low, std::floor(v + 0.5)));
    };
  }

  void compute(const integer::Convolution& what) {
    if (weights_at_->factors.empty()) return simulate_one();
    kernels::conv2d_forward<simd::native, float>(what.geometry, batch_, x().storage(), weights_at_->weights.storage(),
                                                 weights_at_->bias.storage(), y().storage());
    const double* factors = weights_at_->factors.data();
    map(y(), y(), [factors, hold = holder()](float sum, std::size_t c) { return hold(sum * factors[c]); });
  }
  /// By plain loops, sample by sample.
  void simulate_one() {
    const IntegerValue &from = network_.input_of(*operation_), &to = network_.output_of(*operation_);
    const std::int64_t in = from.shape.rows(), out = to.shape.rows();
    parallel_for(batch_, [&](std::int64_t n) {
      IntegerValues values(network_.values.size());
      auto& inputs = values[operation_->inputs[0]];
      for (std::int64_t r = n * in; r < (n + 1) * in; ++r)
        for (const float q : x().row(r)) inputs.push_back(static_cast<std::int8_t>(q + static_cast<float>(from.zero_point)));
      const auto outputs = detail::OperationSimulator(network_, *operation_, values).run();
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        const auto columns = static_cast<std::size_t>(to.shape.columns());
        y().row(n * out + static_cast<std::int64_t>(k / columns))[k % columns] = static_cast<float>(outputs[k] - to.zero_point);
      }
    });
  }
  void compute(const integer::Table& table) {
    const int zero = network_.output_of(*operation_).zero_point, from = this->zero() + 128;
    map(x(), y(), [&](float q, std::size_t) {
      return std::clamp<int>(table.of[static_cast<int>(q) + from], operation_->low, operation_->high) - zero;
    });
  }
  void compute(const integer::PRelu& prelu) {
    map(x(), y(), [&, hold = holder()](float q, std::size_t c) {
      return hold(std::ldexp(double{q} * (q > 0 ? prelu.above : prelu.below[c]), prelu.shift - 32));
    });
  }
  void compute(const integer::Add& add) {
    const double step = std::ldexp(1, -add.shift),
                 offset = add.offset + double{1.0 * add.a} * zero(0) + double{1.0 * add.b} * zero(1);
    const IntegerValue& made = network_.output_of(*operation_);
    const double low = operation_->low, high = operation_->high;
    map_two([&](float a, float b) {
      const double sum = std::floor((add.a * double{a} + add.b * double{b} + offset) * step);
      return std::min(high, std::max(low, sum)) - made.zero_point;
    });
  }
  /// y = f(first, second), where the second has a row for each row or for each sample.
  template <class F>
  void map_two(F&& f) {
    const std::int64_t rows = x(0).rows() / x(1).rows();
    parallel_ranges(y().rows(), kernels::elements_grain(y().stride()), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const auto a = x(0).row(r), b = x(1).row(r / rows);
        const auto y = this->y().row(r);
        for (std::size_t c = 0; c < y.size(); ++c) y[c] = static_cast<float>(f(a[c], b[c]));
      }
    });
  }
  void compute(const integer::Multiply& multiply) {
    const double factor = std::ldexp(multiply.multiplier, multiply.shift - 32);
    map_two([factor, hold = holder()](float a, float b) { return hold(double{a} * double{b} * factor); });
  }
  void compute(const integer::MaxPool& pool) {
    std::vector<std::int32_t> indices(y().storage().size());
    kernels::max_pool_forward(pool.geometry, batch_, x().storage(), y().storage(), std::span(indices));
  }
  void compute(const integer::AveragePool& pool) {
    const kernels::ConvGeometry& g = pool.geometry;
    const auto hold = holder();
    parallel_for(batch_, [&](std::int64_t n) {
      std::vector<double> sums(static_cast<std::size_t>(g.in_channels));
      kernels::detail::for_windows(g, [&](const kernels::detail::Window& window, std::int64_t o) {
        std::fill(sums.begin(), sums.end(), 0.0);
        for (std::int64_t h = window.top; h < window.bottom; ++h) {
          for (std::int64_t w = window.left; w < window.right; ++w) {
            const auto pixel = x().row((n * g.in_height + h) * g.in_width + w);
            for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += pixel[c];
          }
        }
        const double factor = std::ldexp(pool.multiplier[window.pixels() - 1], pool.shift - 32);
        const auto to = y().row(n * g.out_rows() + o);
        for (std::size_t c = 0; c < sums.size(); ++c) to[c] = static_cast<float>(hold(sums[c] * factor));
      });
    });
  }
  void compute(const integer::Concat& concat) {
    const IntegerValue& made = network_.output_of(*operation_);
    for (std::int64_t r = 0; r < y().rows(); ++r) {
      auto to = y().row(r).begin();
      for (std::size_t k = 0; k < concat.parts.size(); ++k) {
        const integer::Concat::Part& part = concat.parts[k];
        for (const float q : x(static_cast<int>(k)).row(r)) {
          const auto from = static_cast<std::int32_t>(q) + zero(static_cast<int>(k));
          const std::int32_t blended = integer::Arithmetic::siena_blend(part.a, from, 0, 0, part.offset, part.shift);
          *to++ = static_cast<float>(std::clamp(blended, operation_->low, operation_->high) - made.zero_point);
        }
      }
    }
  }
  void compute(const integer::Slice& slice) {
    kernels::take_box(slice.geometry, batch_, std::as_const(x()).storage(), y().storage(), kernels::Write::overwrite);
  }
  void compute(const integer::Pad& pad) {
    kernels::put_box(pad.geometry, batch_, std::as_const(x()).storage(), y().storage(), kernels::Write::overwrite);
  }
  void compute(const integer::Upsample& up) { kernels::upsample_forward(up.geometry, batch_, x().storage(), y().storage()); }
  void compute(const integer::Shuffle& shuffle) {
    kernels::interleave_channels(x().rows(), x().columns(), shuffle.groups, x().storage(), y().storage(),
                                 kernels::Write::overwrite);
  }
  void compute(const integer::Reshape&) {
    std::vector<float> numbers;
    x().copy_to(numbers);
    y().assign(numbers);
  }

  const IntegerNetwork& network_;
  std::vector<Weights> weights_;  // of each operation; none where it is no convolution, or one whose sums may not be floats
  std::vector<Tensor> values_;
  std::int64_t batch_ = 0;
  const IntegerOperation* operation_ = nullptr;  // that is computed
  const Weights* weights_at_ = nullptr;
};

}  // namespace siena::deploy
