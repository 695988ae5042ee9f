// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/autograd/tape.hpp"
#include "siena/kernels/fake_quantize.hpp"
#include "siena/kernels/simd.hpp"

namespace siena::ops {

/// step * (q - zero), q the whole number from low to high that is nearest to x / step + zero: what an integer network computes
/// with. Gradients pass straight through where neither end holds q, and are 0 elsewhere.
template <class T, class Arch = simd::native>
BasicVar<T> fake_quantize(const BasicVar<T>& x, const kernels::Levels<T>& levels) {
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::fake_quantize_forward<Arch, T>(levels, x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto in = t.value(x).storage();
    const auto [dy, slot] = t.slot_over(x, output);
    kernels::fake_quantize_backward<Arch, T>(levels, in, dy, slot.storage(), slot.mode);
  });
  return output;
}

/// What learned steps that fall to 0 or below count as.
template <class T>
inline constexpr T least_step = T(1e-12);

/// Levels whose step is learned: `share` times a parameter of one element.
template <class T>
struct LearnedLevels {
  kernels::Levels<T> levels;  ///< but for their step
  T share = 1;

  kernels::Levels<T> at(T parameter) const {
    kernels::Levels<T> now = levels;
    now.step = std::max(parameter * share, least_step<T>);
    return now;
  }
};

/// Levels of which one is chosen, from few to many; their steps go by one parameter.
template <class T>
struct LevelChoices {
  std::array<LearnedLevels<T>, 7> each = {};
  int count = 0;
};

namespace detail {
/// What a parameter of which the step is a share gets for the step's gradient, that of Esser et al. (2020), Learned Step Size
/// Quantization: divided by sqrt(elements of a sample * levels) as there, and by the share, so that a descent moves the step as
/// if it were the parameter.
template <class T>
T learned_gradient(const LearnedLevels<T>& how, const BasicTensor<T>& x, double slope) {
  const double features = static_cast<double>(x.elements() / x.shape()[0]), steps = how.levels.high - how.levels.low;
  return static_cast<T>(slope / std::sqrt(features * steps) / static_cast<double>(how.share));
}

/// The reverse pass of x on levels: sums for what is learned, and the gradient that goes straight through to x. Both are read
/// once where the samples are in one piece.
template <class T, class Arch>
class LevelsBackward {
 public:
  LevelsBackward(BasicTape<T>& tape, const BasicVar<T>& x, const BasicVar<T>& output, const kernels::Levels<T>& levels)
      : levels_(levels),
        x_(tape.value(x)),
        through_(tape.slot_over(x, output)),
        at_once_(through_.slot && !tape.shards()) {}  // not all samples need be in a shard

  /// Of `count` samples from `first` on; the last reading of them also writes what x gets.
  template <int Others>
  kernels::LevelSlopes<Others> slopes(const std::array<kernels::Levels<T>, Others>& others, std::int64_t first,
                                      std::int64_t count, bool last = true) {
    const bool writes = at_once_ && last;
    if (writes) passed_ = true;  // else threads may be at it, each with samples of its own
    const std::int64_t batch = x_.shape()[0];
    return kernels::level_slopes<Others, Arch, T>(levels_, others, x_.rows() / batch * count, x_.columns(),
                                                  samples_of(x_.storage(), batch, first, count),
                                                  samples_of(through_.gradient, batch, first, count),
                                                  writes ? through_.slot.storage() : std::span<T>(), through_.slot.mode);
  }
  void finish() {
    if (through_.slot && !passed_)
      kernels::fake_quantize_backward<Arch, T>(levels_, x_.storage(), through_.gradient, through_.slot.storage(),
                                               through_.slot.mode);
  }

 private:
  kernels::Levels<T> levels_;
  const BasicTensor<T>& x_;
  typename BasicTape<T>::GradientAndSlot through_;
  bool at_once_, passed_ = false;
};
}  // namespace detail

/// The same with a step that is learned.
template <class T, class Arch = simd::native>
BasicVar<T> fake_quantize(const BasicVar<T>& x, const BasicVar<T>& learned, const LearnedLevels<T>& how) {
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::fake_quantize_forward<Arch, T>(how.at(*learned.value().data()), x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x, learned);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const BasicTensor<T>& in = t.value(x);
    const kernels::Levels<T> levels = how.at(*t.value(learned).data());
    detail::LevelsBackward<T, Arch> pass(t, x, output, levels);
    t.add_batch_sum(learned, in.shape()[0], [&](std::int64_t first, std::int64_t count, std::span<T> sum) {
      sum[0] += detail::learned_gradient(how, in, pass.template slopes<0>({}, first, count).step);
    });
    pass.finish();
  });
  return output;
}

/// The same with one of several numbers of levels: `on` has a number for each step from one of `choices` to the next, 1 as far
/// as the steps are taken. The gradient of a step is what it is worth, taken or not: the sum of (x on the levels behind it - x
/// on those before it) * dy.
template <class T, class Arch = simd::native>
BasicVar<T> fake_quantize(const BasicVar<T>& x, const BasicVar<T>& on, const BasicVar<T>& learned,
                          const LevelChoices<T>& choices) {
  SIENA_ASSERT(on.value().elements() + 1 == choices.count);
  const T* steps = on.value().data();
  const int taken = static_cast<int>(std::count(steps, steps + choices.count - 1, T(1)));
  const auto at = [](const LevelChoices<T>& its, int k, T range) { return its.each[static_cast<std::size_t>(k)].at(range); };
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::fake_quantize_forward<Arch, T>(at(choices, taken, *learned.value().data()), x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x, on, learned);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const BasicTensor<T>& in = t.value(x);
    const T range = *t.value(learned).data();
    const auto levels = [&](int k) { return at(choices, k, range); };
    detail::LevelsBackward<T, Arch> pass(t, x, output, levels(taken));
    // What the range gets comes with the changes: kept under the first of its samples.
    const auto of_range = [&](double slope) {
      return detail::learned_gradient(choices.each[static_cast<std::size_t>(taken)], in, slope);
    };
    const bool measured = static_cast<bool>(t.accumulating_slot(on));
    Buffer<T> kept(measured ? static_cast<std::size_t>(in.shape()[0]) : 0);
    t.add_batch_sum(on, in.shape()[0], [&](std::int64_t first, std::int64_t count, std::span<T> sum) {
      const auto other = [&](int k) { return k < taken ? k : k + 1; };
      std::array<double, 7> rise{};  // of the loss, from the levels of now to those of each width
      for (int k = 0, some = 0; k + 1 < choices.count; k += some) {
        some = std::min(choices.count - 1 - k, 2);  // in one reading
        const bool last = k + some + 1 == choices.count;
        const auto note = [&](const auto& all) {
          if (k == 0) kept[first] = of_range(all.step);
          for (int c = 0; c < some; ++c)
            rise[static_cast<std::size_t>(other(k + c))] = all.changes[static_cast<std::size_t>(c)];
        };
        if (some == 2) note(pass.template slopes<2>({levels(other(k)), levels(other(k + 1))}, first, count, last));
        if (some == 1) note(pass.template slopes<1>({levels(other(k))}, first, count, last));
      }
      const auto changes = static_cast<std::size_t>(choices.count - 1);  // the sum is padded
      for (std::size_t k = 0; k < changes; ++k) sum[k] += static_cast<T>(rise[k + 1] - rise[k]);
    });
    t.add_batch_sum(learned, in.shape()[0], [&](std::int64_t first, std::int64_t count, std::span<T> sum) {
      sum[0] += measured ? kept[first] : of_range(pass.template slopes<0>({}, first, count).step);
    });
    pass.finish();
  });
  return output;
}

/// Weights as whole numbers of bits[c] bits, 2 to 8, times a step for each column c, the output channel (see
/// kernels::column_levels). Symmetric, so that 0 is one of them. Gradients pass straight through.
template <class T, class Arch = simd::native>
BasicVar<T> fake_quantize_weights(const BasicVar<T>& weight, std::span<const int> bits) {
  const BasicTensor<T>& w = weight.value();
  SIENA_ASSERT(static_cast<std::int64_t>(bits.size()) == w.columns());
  const auto levels = kernels::column_levels<T>(kernels::column_sizes<Arch, T>(w.rows(), w.columns(), w.storage()), bits);
  auto y = BasicTensor<T>::uninitialized(w.shape());
  kernels::fake_quantize_columns<Arch, T>(w.rows(), w.columns(), w.storage(), levels, y.storage());
  return weight.tape().straight_through(weight, std::move(y));
}

/// A bias as integers add it to their sums: a whole number of `step` times those of the weights, which have bits[c] bits. As it
/// is where weights are all 0. Gradients pass straight through.
template <class T, class Arch = simd::native>
BasicVar<T> fake_quantize_bias(const BasicVar<T>& bias, const BasicVar<T>& weight, std::span<const int> bits, T step) {
  const BasicTensor<T>& w = weight.value();
  const auto levels = kernels::column_levels<T>(kernels::column_sizes<Arch, T>(w.rows(), w.columns(), w.storage()), bits);
  BasicTensor<T> rounded = bias.value();
  for (std::size_t c = 0; c < bits.size(); ++c) {
    const double unit = static_cast<double>(step) * static_cast<double>(levels.steps[c]);
    T& number = rounded.data()[c];
    if (unit > 0) number = static_cast<T>(unit * std::floor(static_cast<double>(number) / unit + 0.5));
  }
  return bias.tape().straight_through(bias, std::move(rounded));
}

/// Numbers of bits of which each may be chosen, from few to many.
struct BitWidths {
  std::array<int, 7> bits = {};
  int count = 0;

  int steps() const { return count - 1; }
};

/// Adds what the steps from each width to the next are worth, by the gradient dy of weights of any of them: the sum of (w with
/// the bits behind the step - w with those before it) * dy, of all columns together, or of each. `sizes`: of w.
template <class T, class Arch = simd::native>
void add_width_slopes(const BasicTensor<T>& w, const kernels::ColumnSizes<T>& sizes, const BasicTensor<T>& dy,
                      const BitWidths& widths, bool together, T* slopes) {
  std::vector<kernels::ColumnLevels<T>> levels;
  for (int k = 0; k < widths.count; ++k)
    levels.push_back(kernels::column_levels<T>(sizes, std::vector<int>(static_cast<std::size_t>(w.columns()), widths.bits[k])));
  const auto dots = [&]<int Steps>(int k, std::integral_constant<int, Steps>) {
    const std::span<const kernels::ColumnLevels<T>, Steps + 1> some(levels.data() + k, Steps + 1);
    return kernels::level_change_dots<Steps, Arch, T>(w.rows(), w.columns(), w.storage(), some, dy.storage());
  };
  for (int k = 0, taken = 0; k < widths.steps(); k += taken) {
    taken = std::min(widths.steps() - k, 2);  // at once
    const auto its = taken == 2 ? dots(k, std::integral_constant<int, 2>()) : dots(k, std::integral_constant<int, 1>());
    for (int t = 0; t < taken; ++t) {
      double sum = 0;
      for (std::int64_t c = 0; c < w.columns(); ++c) {
        const double dot = its[static_cast<std::size_t>(t * w.stride() + c)];
        sum += dot;
        if (!together) slopes[c * widths.steps() + k + t] += static_cast<T>(dot);
      }
      if (together) slopes[k + t] += static_cast<T>(sum);
    }
  }
}

/// `fake_quantize_weights` with bits by steps: `on` has a number for each step from one width to the next, 1 as far as the
/// steps are taken, and all of that once, or once for each column. The gradient of a step is what it is worth
/// (add_width_slopes), taken or not.
template <class T, class Arch = simd::native>
BasicVar<T> fake_quantize_weights(const BasicVar<T>& weight, const BasicVar<T>& on, const BitWidths& widths) {
  const BasicTensor<T>& w = weight.value();
  const bool together = on.value().elements() == widths.steps();
  SIENA_ASSERT(together || on.value().elements() == w.columns() * widths.steps());
  std::vector<int> bits;
  for (std::int64_t c = 0; c < w.columns(); ++c) {
    const T* its = on.value().data() + (together ? 0 : c * widths.steps());
    bits.push_back(widths.bits[static_cast<std::size_t>(std::count(its, its + widths.steps(), T(1)))]);
  }
  const auto levels = kernels::column_levels<T>(kernels::column_sizes<Arch, T>(w.rows(), w.columns(), w.storage()), bits);
  auto y = BasicTensor<T>::uninitialized(w.shape());
  kernels::fake_quantize_columns<Arch, T>(w.rows(), w.columns(), w.storage(), levels, y.storage());
  const BasicVar<T> output = weight.tape().result(std::move(y), weight, on);
  weight.tape().record(output, [=](BasicTape<T>& t) {
    const BasicTensor<T>& dy = t.grad(output);
    if (const auto slot = t.accumulating_slot(weight)) kernels::add_to<Arch, T>(dy.storage(), slot.storage());
    if (const auto slot = t.accumulating_slot(on)) {
      const BasicTensor<T>& from = t.value(weight);
      const auto sizes = kernels::column_sizes<Arch, T>(from.rows(), from.columns(), from.storage());
      add_width_slopes<T, Arch>(from, sizes, dy, widths, together, slot.grad->data());
    }
  });
  return output;
}

/// How much of each column (or, of one chain, of all) has the k-th width: 1 or 0, with the gradient to the steps before and
/// behind it.
template <class T>
BasicVar<T> width_share(const BasicVar<T>& on, const BitWidths& widths, int k) {
  const int steps = widths.steps();
  const std::int64_t units = on.value().elements() / steps;
  BasicTensor<T> share(Shape{units});
  const auto of = [&](std::int64_t u, int step) { return on.value().data()[u * steps + step]; };
  for (std::int64_t u = 0; u < units; ++u) share.data()[u] = (k == 0 ? T(1) : of(u, k - 1)) - (k == steps ? T(0) : of(u, k));
  const BasicVar<T> output = on.tape().result(std::move(share), on);
  on.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.accumulating_slot(on);
    const auto dy = t.grad(output).row(0);
    for (std::int64_t u = 0; slot && u < units; ++u) {
      if (k > 0) slot.grad->data()[u * steps + k - 1] += dy[static_cast<std::size_t>(u)];
      if (k < steps) slot.grad->data()[u * steps + k] -= dy[static_cast<std::size_t>(u)];
    }
  });
  return output;
}

}  // namespace siena::ops
