// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the operations of a lowered network mean, by the plain loops that kernels are tested against.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "siena/deploy/lower.hpp"
#include "siena/kernels/reference.hpp"
#include "siena/kernels/reference_layers.hpp"

namespace siena::test {

/// One operation on a batch.
class OperationRunner {
 public:
  OperationRunner(const deploy::Operation& operation, std::vector<const Tensor*> inputs, const Shape& shape)
      : operation_(operation), inputs_(std::move(inputs)), batch_(in().shape()[0]), y_(shape.batch(batch_)) {}

  Tensor run() {
    std::visit([&](const auto& what) { compute(what); }, operation_.what);
    if (operation_.clamped()) map(y_, [&](double v) { return clamped(operation_.range, v); });
    return std::move(y_);
  }

 private:
  const Tensor& in(int k = 0) const { return *inputs_[k]; }
  std::span<const float> x(int k = 0) const { return in(k).storage(); }
  std::span<const float> constant(std::size_t k) const {
    return k < operation_.constants.size() ? operation_.constants[k].value.storage() : std::span<const float>();
  }
  template <class F>
  void map(const Tensor& from, F&& f) {
    kernels::reference::map<float>(y_.rows(), y_.columns(), from.storage(), y_.storage(), f);
  }
  /// f(element of the input, its channel).
  template <class F>
  void map_channels(F&& f) {
    for (std::int64_t r = 0; r < y_.rows(); ++r)
      for (std::size_t c = 0; c < y_.row(r).size(); ++c) y_.row(r)[c] = static_cast<float>(f(double{in().row(r)[c]}, c));
  }
  static double clamped(const primitive::Clamp& clamp, double v) { return std::min(std::max(v, clamp.low), clamp.high); }

  void convolve(const kernels::ConvGeometry& g) {
    kernels::reference::conv2d_forward<float>(g, batch_, x(), constant(0), constant(1), y_.storage());
  }
  void compute(const primitive::Convolution& what) { convolve(what.geometry); }
  void compute(const primitive::Linear&) {
    convolve(kernels::conv_geometry({.in_channels = in().columns(), .out_channels = y_.columns()}));
  }
  void compute(const primitive::FixedNorm& norm) {
    map_channels([&](double v, std::size_t c) {
      return (v - constant(2)[c]) / std::sqrt(constant(3)[c] + norm.epsilon) * constant(0)[c] + constant(1)[c];
    });
  }
  void compute(const primitive::SampleNorm& norm) {
    const std::int64_t positions = in().rows() / batch_, each = in().columns() / norm.groups;
    for (std::int64_t r = 0; r < in().rows(); ++r) {
      for (std::int64_t c = 0; c < in().columns(); ++c) {
        double sum = 0, squares = 0;
        for (std::int64_t p = 0; p < positions; ++p) {
          for (const float v : in().row(r / positions * positions + p).subspan(c / each * each, each))
            sum += v, squares += double{v} * v;
        }
        const double count = static_cast<double>(positions * each), mean = sum / count;
        const double normal = (in().row(r)[c] - mean) / std::sqrt(squares / count - mean * mean + norm.epsilon);
        y_.row(r)[c] = static_cast<float>(normal * constant(0)[c] + constant(1)[c]);
      }
    }
  }
  void compute(const primitive::Clamp& clamp) {
    map(in(), [&](double v) { return clamped(clamp, v); });
  }
  void compute(const primitive::Quantize& to) {
    map(in(), [&](double v) {
      return to.scale *
             (std::clamp(std::floor(v / to.scale + 0.5) + to.zero_point, 1.0 * to.low, 1.0 * to.high) - to.zero_point);
    });
  }
  void compute(const primitive::Curve& curve) { map(in(), curve); }
  void compute(const primitive::PRelu&) {
    map_channels([&](double v, std::size_t c) { return v > 0 ? v : v * constant(0)[c]; });
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
    kernels::reference::max_pool_forward<float>(pool.geometry, batch_, x(), y_.storage(), indices);
  }
  void compute(const primitive::AveragePool& pool) {
    kernels::reference::avg_pool_forward<float>(pool.geometry, batch_, x(), y_.storage(), pool.count_padding);
  }
  void compute(const primitive::Concat&) {
    for (std::int64_t r = 0; r < y_.rows(); ++r) {
      auto to = y_.row(r).begin();
      for (const Tensor* part : inputs_) to = std::copy(part->row(r).begin(), part->row(r).end(), to);
    }
  }
  void compute(const primitive::Slice& slice) {
    kernels::reference::take_box<float>(slice.geometry, batch_, x(), y_.storage(), kernels::Write::overwrite);
  }
  void compute(const primitive::Pad& pad) {
    kernels::reference::put_box<float>(pad.geometry, batch_, x(), y_.storage(), kernels::Write::overwrite);
  }
  void compute(const primitive::Upsample& up) {
    kernels::reference::upsample_forward<float>(up.geometry, batch_, x(), y_.storage());
  }
  void compute(const primitive::Shuffle& shuffle) {
    const std::int64_t each = in().columns() / shuffle.groups;
    for (std::int64_t r = 0; r < y_.rows(); ++r)
      for (std::int64_t c = 0; c < y_.columns(); ++c) y_.row(r)[c % each * shuffle.groups + c / each] = in().row(r)[c];
  }
  void compute(const primitive::Reshape&) {
    std::vector<float> numbers;
    in().copy_to(numbers);
    y_.assign(numbers);
  }

  const deploy::Operation& operation_;
  std::vector<const Tensor*> inputs_;
  std::int64_t batch_;
  Tensor y_;
};

/// What a lowered network makes of a batch.
inline Tensor run_operations(const deploy::LoweredNetwork& network, const Tensor& batch) {
  std::vector<Tensor> values(network.values.size());
  values[0] = batch;
  for (const deploy::Operation& operation : network.operations) {
    std::vector<const Tensor*> inputs;
    for (const int input : operation.inputs) inputs.push_back(&values[input]);
    values[operation.output] = OperationRunner(operation, std::move(inputs), network.output_shape(operation)).run();
  }
  return std::move(values[network.output]);
}

}  // namespace siena::test
