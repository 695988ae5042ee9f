// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/tensor.hpp"
#include "siena/deploy/lower.hpp"
#include "siena/kernels/conv2d.hpp"
#include "siena/kernels/pool.hpp"
#include "siena/kernels/rearrange.hpp"

namespace siena::deploy {

namespace detail {

/// One operation on a batch, by the kernels that training uses where there are any.
class OperationRunner {
 public:
  OperationRunner(const LoweredNetwork& network, const Operation& operation, const std::vector<Tensor>& values)
      : operation_(operation), values_(values), batch_(in().shape()[0]), y_(network.output_shape(operation).batch(batch_)) {}

  Tensor run() {
    std::visit([&](const auto& what) { compute(what); }, operation_.what);
    const auto [low, high] = operation_.range;
    if (operation_.clamped()) map(y_, [low = low, high = high](double v, std::size_t) { return std::clamp(v, low, high); });
    return std::move(y_);
  }

 private:
  const Tensor& in(int k = 0) const { return values_[operation_.inputs[k]]; }
  std::span<const float> x() const { return in().storage(); }
  std::span<const float> constant(std::size_t k) const {
    return k < operation_.constants.size() ? operation_.constants[k].value.storage() : std::span<const float>();
  }
  /// y = f(x, channel)
  template <class F>
  void map(const Tensor& from, F&& f) {
    for (std::int64_t r = 0; r < y_.rows(); ++r) {
      const auto x = from.row(r);
      const auto y = y_.row(r);
      for (std::size_t c = 0; c < y.size(); ++c) y[c] = static_cast<float>(f(x[c], c));
    }
  }

  void convolve(const kernels::ConvGeometry& g) {
    kernels::conv2d_forward<simd::native, float>(g, batch_, x(), constant(0), constant(1), y_.storage());
  }
  void compute(const primitive::Convolution& what) { convolve(what.geometry); }
  void compute(const primitive::Linear&) {
    convolve(kernels::conv_geometry({.in_channels = in().columns(), .out_channels = y_.columns()}));
  }
  void compute(const primitive::FixedNorm& norm) {
    map(in(), [&](double v, std::size_t c) {
      return (v - constant(2)[c]) / std::sqrt(constant(3)[c] + norm.epsilon) * constant(0)[c] + constant(1)[c];
    });
  }
  void compute(const primitive::SampleNorm&) {
    fail<ArgumentError>(
        "{}: expected an operation that integers can compute, got a norm by the spread of each sample; hint: a "
        "batch norm in its place",
        operation_.name);
  }
  void compute(const primitive::Clamp& clamp) {
    map(in(), [&](double v, std::size_t) { return std::clamp(v, clamp.low, clamp.high); });
  }
  void compute(const primitive::Curve& curve) {
    map(in(), [&](double v, std::size_t) { return curve(v); });
  }
  void compute(const primitive::PRelu&) {
    map(in(), [&](double v, std::size_t c) { return v > 0 ? v : v * constant(0)[c]; });
  }
  void compute(const primitive::Add&) {
    for (std::int64_t r = 0; r < y_.rows(); ++r)
      for (std::size_t c = 0; c < y_.row(r).size(); ++c) y_.row(r)[c] = in(0).row(r)[c] + in(1).row(r)[c];
  }
  void compute(const primitive::Multiply&) {
    const std::int64_t rows = in(0).rows() / in(1).rows();  // that one row of factors is for
    for (std::int64_t r = 0; r < y_.rows(); ++r)
      for (std::size_t c = 0; c < y_.row(r).size(); ++c) y_.row(r)[c] = in(0).row(r)[c] * in(1).row(r / rows)[c];
  }
  void compute(const primitive::MaxPool& pool) {
    std::vector<std::int32_t> indices(y_.storage().size());
    kernels::max_pool_forward(pool.geometry, batch_, x(), y_.storage(), std::span(indices));
  }
  void compute(const primitive::AveragePool& pool) {
    kernels::avg_pool_forward(pool.geometry, batch_, x(), y_.storage(), pool.count_padding);
  }
  void compute(const primitive::Concat&) {
    for (std::int64_t r = 0; r < y_.rows(); ++r) {
      auto to = y_.row(r).begin();
      for (const int k : operation_.inputs) to = std::copy(values_[k].row(r).begin(), values_[k].row(r).end(), to);
    }
  }
  void compute(const primitive::Slice& slice) {
    kernels::take_box(slice.geometry, batch_, x(), y_.storage(), kernels::Write::overwrite);
  }
  void compute(const primitive::Pad& pad) {
    kernels::put_box(pad.geometry, batch_, x(), y_.storage(), kernels::Write::overwrite);
  }
  void compute(const primitive::Upsample& up) { kernels::upsample_forward(up.geometry, batch_, x(), y_.storage()); }
  void compute(const primitive::Shuffle& shuffle) {
    kernels::interleave_channels(in().rows(), in().columns(), shuffle.groups, x(), y_.storage(), kernels::Write::overwrite);
  }
  void compute(const primitive::Quantize& to) {
    map(in(), [&](double v, std::size_t) {
      const double q = std::clamp<double>(std::floor(v / to.scale + to.zero_point + 0.5), to.low, to.high);
      return to.scale * (q - to.zero_point);
    });
  }
  void compute(const primitive::Reshape&) {
    std::vector<float> numbers;
    in().copy_to(numbers);
    y_.assign(numbers);
  }

  const Operation& operation_;
  const std::vector<Tensor>& values_;
  std::int64_t batch_;
  Tensor y_;
};

}  // namespace detail

/// Every value of a lowered network for a batch (N x the input's shape), in floats, in the order of `network.values`.
inline std::vector<Tensor> run_lowered(const LoweredNetwork& network, Tensor batch) {
  require<ShapeError>(!batch.empty() && batch.shape() == network.values[0].shape.batch(batch.shape()[0]),
                      "run_lowered: expected a batch of {} inputs, got {}", network.values[0].shape, batch.shape());
  std::vector<Tensor> values(network.values.size());
  values[0] = std::move(batch);
  for (const Operation& operation : network.operations)
    values[operation.output] = detail::OperationRunner(network, operation, values).run();
  return values;
}

}  // namespace siena::deploy
