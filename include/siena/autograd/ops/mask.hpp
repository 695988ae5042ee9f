// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "siena/autograd/tape.hpp"

namespace siena::ops {

/// The binary values of a mask: 1 where alpha > threshold; the largest alpha
/// is always on, so that nothing is left without a channel.
template <class T>
BasicTensor<T> binary_mask(const BasicTensor<T>& alpha, double threshold) {
  BasicTensor<T> mask(alpha.shape());
  const auto row = alpha.row(0);
  for (std::size_t c = 0; c < row.size(); ++c) mask.data()[c] = row[c] > static_cast<T>(threshold) ? T(1) : T(0);
  if (!row.empty()) mask.data()[std::max_element(row.begin(), row.end()) - row.begin()] = T(1);
  return mask;
}

/// The binary values of a mask whose places go from the last to the first: 1 as far as every alpha up to there is > threshold.
template <class T>
BasicTensor<T> chain_mask(const BasicTensor<T>& alpha, double threshold) {
  BasicTensor<T> mask(alpha.shape());
  const auto row = alpha.row(0);
  for (std::size_t c = 0; c < row.size() && row[c] > static_cast<T>(threshold); ++c) mask.data()[c] = T(1);
  return mask;
}

/// The binary `mask` that alpha stands for, straight-through: d b / d alpha = 1.
template <class T>
BasicVar<T> binarize(const BasicVar<T>& alpha, BasicTensor<T> mask) {
  const BasicVar<T> output = alpha.tape().result(std::move(mask), alpha);
  alpha.tape().record(output, [=](BasicTape<T>& t) {
    if (const auto slot = t.accumulating_slot(alpha)) {
      const auto db = t.grad(output).row(0);
      for (std::size_t c = 0; c < db.size(); ++c) slot.grad->data()[c] += db[c];
    }
  });
  return output;
}

/// b = 1[alpha > threshold], straight-through.
template <class T>
BasicVar<T> binarize(const BasicVar<T>& alpha, double threshold) {
  return binarize(alpha, binary_mask(alpha.value(), threshold));
}

/// Running moments of the gradient that reaches a mask, from which is estimated what each channel is worth: exponentially
/// weighted, and right from the first step on.
template <class T>
struct MaskMoments {
  BasicTensor<T>* mean;
  BasicTensor<T>* variance;  ///< of single samples: that of a mean over a batch, times the batch
  BasicTensor<T>* steps;     ///< one element: how many gradients were seen
  double decay = 0.99;
  double batch = 1;    ///< samples behind one gradient
  bool secant = true;  ///< whether alpha gets the slope of the chord, or the tangent

  /// Counts a step; returns the weight of its gradient, which falls from 1 to 1 - decay.
  T next_step() const {
    T& count = *steps->data();
    count += T(1);
    return static_cast<T>((1 - decay) / (1 - std::pow(decay, static_cast<double>(count))));
  }
  void take_in(std::int64_t channel, T gradient, T weight) const {
    T& m = mean->data()[channel];
    T& v = variance->data()[channel];
    const T change = gradient - m;
    m += weight * change;
    v = (T(1) - weight) * (v + weight * static_cast<T>(batch) * change * change);
  }
};

/// E[g^2] of single samples, the diagonal of the Fisher information, from the mean and the variance of g.
inline double sample_fisher(double mean, double variance) { return variance + mean * mean; }

/// Change of the loss when a channel is switched the other way, from on to off or back, per unit of the mask:
/// the slope of the chord between both states, mean -+ F / 2 with F the Fisher information of the mask (Theis
/// et al. 2018; `sample_fisher`). `on` is the state in which the moments were taken. The tangent is no use:
/// at a trained optimum it is zero for every channel alike.
template <class T>
T secant_slope(const MaskMoments<T>& moments, std::int64_t channel, bool on) {
  const double mean = moments.mean->data()[channel];
  const double half = 0.5 * sample_fisher(mean, moments.variance->data()[channel]);
  return static_cast<T>(on ? mean - half : mean + half);
}

/// The binary `mask` that alpha stands for; backwards the moments take the tangent in, and alpha gets the slope of the chord
/// (`secant_slope`) or, where `moments.secant` is false, the tangent.
template <class T>
BasicVar<T> binarize_measured(const BasicVar<T>& alpha, BasicTensor<T> mask, const MaskMoments<T>& moments) {
  const BasicVar<T> output = alpha.tape().result(std::move(mask), alpha);
  alpha.tape().record(output, [=](BasicTape<T>& t) {
    const auto db = t.grad(output).row(0);
    const T weight = moments.next_step();
    const auto slot = t.accumulating_slot(alpha);
    for (std::size_t c = 0; c < db.size(); ++c) {
      const auto channel = static_cast<std::int64_t>(c);
      moments.take_in(channel, db[c], weight);
      if (!slot) continue;
      slot.grad->data()[c] += moments.secant ? secant_slope(moments, channel, t.value(output).data()[c] > T(0.5)) : db[c];
    }
  });
  return output;
}

/// b = 1[alpha > threshold], measured.
template <class T>
BasicVar<T> binarize_measured(const BasicVar<T>& alpha, double threshold, const MaskMoments<T>& moments) {
  return binarize_measured(alpha, binary_mask(alpha.value(), threshold), moments);
}

/// A run of channels of a layer's input that obeys one mask: each of its `channels` values for `width` neighbouring channels,
/// and all of that `repeat` times (once for each position that a flatten unrolled); or ones where there is no mask.
template <class T>
struct MaskSegment {
  BasicVar<T> mask;
  std::int64_t channels = 0;
  std::int64_t width = 1;
  std::int64_t repeat = 1;
};

/// The mask of all input channels of a layer, one segment after the other.
template <class T>
BasicVar<T> join_masks(BasicTape<T>& tape, const std::vector<MaskSegment<T>>& segments) {
  std::int64_t total = 0;
  std::vector<BasicVar<T>> masks;
  auto saved = Buffer<std::int32_t>::uninitialized(4 * segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto& segment = segments[i];
    total += segment.channels * segment.width * segment.repeat;
    masks.push_back(segment.mask);
    saved[4 * i] = segment.mask.id();
    saved[4 * i + 1] = static_cast<std::int32_t>(segment.channels);
    saved[4 * i + 2] = static_cast<std::int32_t>(segment.width);
    saved[4 * i + 3] = static_cast<std::int32_t>(segment.repeat);
  }
  BasicTensor<T> joined(Shape{total}, T(1));
  T* out = joined.data();
  for (const auto& segment : segments) {
    for (std::int64_t r = 0; r < segment.repeat; ++r, out += segment.channels * segment.width) {
      for (std::int64_t c = 0; segment.mask && c < segment.channels; ++c)
        std::fill_n(out + c * segment.width, segment.width, segment.mask.value().data()[c]);
    }
  }
  const BasicVar<T> output = tape.result_of(masks, std::move(joined));
  if (!output.needs_grad()) return output;
  const std::int32_t kept = tape.keep(std::move(saved));
  tape.record(output, [=](BasicTape<T>& t) {
    const T* dy = t.grad(output).data();
    const auto parts = t.kept(kept);
    for (std::size_t i = 0; i < parts.size(); i += 4) {
      const BasicVar<T> mask = parts[i] < 0 ? BasicVar<T>{} : BasicVar<T>(&t, parts[i]);
      const auto slot = t.accumulating_slot(mask);
      const std::int32_t channels = parts[i + 1], width = parts[i + 2];
      for (std::int32_t r = 0; r < parts[i + 3]; ++r, dy += channels * width) {
        for (std::int32_t c = 0; slot && c < channels * width; ++c) slot.grad->data()[c / width] += dy[c];
      }
    }
  });
  return output;
}

/// The rows of W, row r multiplied by mask[place(r)], or left as it is where place(r) is negative. `place` is a function of
/// numbers alone, kept for the reverse pass.
template <class T, class Place>
BasicVar<T> mask_rows(const BasicVar<T>& weight, const BasicVar<T>& mask, Place place) {
  const BasicTensor<T>& w = weight.value();
  const std::int64_t stride = w.stride();
  auto masked = BasicTensor<T>::uninitialized(w.shape());
  for (std::int64_t r = 0; r < w.rows(); ++r) {
    const std::int64_t at = place(r);
    const T factor = at < 0 ? T(1) : mask.value().data()[at];
    const T* from = w.data() + r * stride;
    T* to = masked.data() + r * stride;
    for (std::int64_t i = 0; i < stride; ++i) to[i] = factor * from[i];
  }
  const BasicVar<T> output = weight.tape().result(std::move(masked), weight, mask);
  weight.tape().record(output, [=](BasicTape<T>& t) {
    const BasicTensor<T>& dy = t.grad(output);
    const auto dweight = t.accumulating_slot(weight);
    const auto dmask = t.accumulating_slot(mask);
    for (std::int64_t r = 0; r < dy.rows(); ++r) {
      const std::int64_t at = place(r);
      const T* from = dy.data() + r * stride;
      const T* values = t.value(weight).data() + r * stride;
      if (dmask && at >= 0) {
        T dot = 0;
        for (std::int64_t i = 0; i < dy.columns(); ++i) dot += from[i] * values[i];
        dmask.grad->data()[at] += dot;
      }
      if (dweight) {
        const T factor = at < 0 ? T(1) : t.value(mask).data()[at];
        T* to = dweight.grad->data() + r * stride;
        for (std::int64_t i = 0; i < stride; ++i) to[i] += factor * from[i];
      }
    }
  });
  return output;
}

/// W * mask over the input channels (rows k * Cin + c of the weights): what a layer computes with it is what it computes from
/// masked inputs, at the price of its weights instead of its activations, and so is the mask's gradient.
template <class T>
BasicVar<T> mask_input_channels(const BasicVar<T>& weight, const BasicVar<T>& mask) {
  const std::int64_t channels = mask.value().columns();
  SIENA_ASSERT(weight.value().rows() % channels == 0);
  return mask_rows(weight, mask, [channels](std::int64_t row) { return row % channels; });
}

}  // namespace siena::ops
