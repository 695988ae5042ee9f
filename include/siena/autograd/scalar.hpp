// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "siena/core/config.hpp"
#include "siena/core/error.hpp"

namespace siena {

class Scalar;

/// Remembers how Scalars were computed: flat records in creation order, walked once in reverse by `backward`. `clear` keeps
/// the memory, so that a step in steady state allocates nothing. Scalars point to their tape: it must stay where it is.
class ScalarTape {
 public:
  ScalarTape() = default;
  ScalarTape(const ScalarTape&) = delete;
  ScalarTape& operator=(const ScalarTape&) = delete;

  /// A new independent number: what gradients are asked of.
  Scalar leaf(double value);
  /// Adds seed * d(root)/d(x) to the gradient of every x on the tape. A constant root changes nothing.
  void backward(const Scalar& root, double seed = 1);
  /// What backward has gathered for `x` so far; 0 for a constant.
  double gradient(const Scalar& x) const;

  /// Forgets every record and gradient; Scalars made before must not be used again, but for their value.
  void clear() {
    records_.clear();
    gradients_.clear();
    ++generation_;
  }
  void zero_gradients() { std::fill(gradients_.begin(), gradients_.end(), 0.0); }
  std::size_t size() const { return records_.size(); }
  std::size_t capacity() const { return records_.capacity(); }

 private:
  friend class Scalar;
  struct Record {
    std::int32_t first, second;  // indices of the parents, -1: none
    double d_first, d_second;    // partial derivatives
  };
  std::int32_t record(const Record& record) {
    records_.push_back(record);
    gradients_.push_back(0.0);
    return static_cast<std::int32_t>(records_.size()) - 1;
  }

  std::vector<Record> records_;
  std::vector<double> gradients_, adjoints_;
  std::uint32_t generation_ = 0;
};

/// A differentiable double for formulas over a few hundred numbers (costs, violations): a handle of a value and its place
/// on a tape. Converts from double; a constant has no tape, and what is computed from constants alone leaves no record.
/// Compares by value. Numbers of two tapes must not meet.
class Scalar {
 public:
  Scalar(double value = 0) : value_(value) {}

  double value() const { return value_; }
  bool is_constant() const { return tape_ == nullptr; }

  friend Scalar operator+(const Scalar& a, const Scalar& b) {
    if (b.is_constant() && b.value_ == 0) return a;
    if (a.is_constant() && a.value_ == 0) return b;
    return combine(a.value_ + b.value_, a, 1, b, 1);
  }
  friend Scalar operator-(const Scalar& a, const Scalar& b) {
    if (b.is_constant() && b.value_ == 0) return a;
    return combine(a.value_ - b.value_, a, 1, b, -1);
  }
  friend Scalar operator*(const Scalar& a, const Scalar& b) {
    if (b.is_constant() && b.value_ == 1) return a;
    if (a.is_constant() && a.value_ == 1) return b;
    return combine(a.value_ * b.value_, a, b.value_, b, a.value_);
  }
  friend Scalar operator/(const Scalar& a, const Scalar& b) {
    if (b.is_constant() && b.value_ == 1) return a;
    return combine(a.value_ / b.value_, a, 1 / b.value_, b, -a.value_ / (b.value_ * b.value_));
  }
  friend Scalar operator-(const Scalar& a) { return a.derived(-a.value_, -1); }
  friend Scalar operator+(const Scalar& a) { return a; }
  Scalar& operator+=(const Scalar& other) { return *this = *this + other; }
  Scalar& operator-=(const Scalar& other) { return *this = *this - other; }
  Scalar& operator*=(const Scalar& other) { return *this = *this * other; }
  Scalar& operator/=(const Scalar& other) { return *this = *this / other; }

  friend std::partial_ordering operator<=>(const Scalar& a, const Scalar& b) { return a.value_ <=> b.value_; }
  friend bool operator==(const Scalar& a, const Scalar& b) { return a.value_ == b.value_; }

  friend Scalar exp(const Scalar& a) { return a.derived(std::exp(a.value_), std::exp(a.value_)); }
  friend Scalar log(const Scalar& a) { return a.derived(std::log(a.value_), 1 / a.value_); }
  friend Scalar sqrt(const Scalar& a) { return a.derived(std::sqrt(a.value_), 0.5 / std::sqrt(a.value_)); }
  friend Scalar pow(const Scalar& a, double exponent) {
    return a.derived(std::pow(a.value_, exponent), exponent * std::pow(a.value_, exponent - 1));
  }
  friend Scalar abs(const Scalar& a) { return a.derived(std::abs(a.value_), a.value_ < 0 ? -1 : 1); }

  /// The number `value`, taken to move by `slope` when this one moves by 1.
  Scalar derived(double value, double slope) const { return combine(value, *this, slope, Scalar(), 0); }

 private:
  friend class ScalarTape;
  Scalar(double value, ScalarTape* tape, std::int32_t index)
      : value_(value), tape_(tape), index_(index), generation_(tape->generation_) {}

  bool belongs_to(const ScalarTape& tape) const {
    return tape_ == &tape && generation_ == tape.generation_ && static_cast<std::size_t>(index_) < tape.size();
  }
  static Scalar combine(double value, const Scalar& a, double da, const Scalar& b, double db) {
    ScalarTape* const tape = a.tape_ != nullptr ? a.tape_ : b.tape_;
    if (tape == nullptr) return Scalar(value);
    SIENA_ASSERT(a.is_constant() || a.belongs_to(*tape));  // numbers of two tapes, or of a tape that was cleared, do not mix
    SIENA_ASSERT(b.is_constant() || b.belongs_to(*tape));
    return Scalar(value, tape, tape->record({a.index_, b.index_, da, db}));
  }

  double value_;
  ScalarTape* tape_ = nullptr;
  std::int32_t index_ = -1;
  std::uint32_t generation_ = 0;
};

inline Scalar ScalarTape::leaf(double value) { return Scalar(value, this, record({-1, -1, 0, 0})); }

inline void ScalarTape::backward(const Scalar& root, double seed) {
  if (root.is_constant()) return;
  SIENA_ASSERT(root.belongs_to(*this));
  // Adjoints of this call stay apart from the gradients of earlier ones, which must not be sent back twice.
  adjoints_.assign(static_cast<std::size_t>(root.index_) + 1, 0.0);
  adjoints_[root.index_] = seed;
  for (std::int32_t i = root.index_; i >= 0; --i) {
    const double adjoint = adjoints_[i];
    if (adjoint == 0) continue;  // also keeps 0 times an infinite slope out
    const Record& record = records_[i];
    gradients_[i] += adjoint;
    if (record.first >= 0) adjoints_[record.first] += adjoint * record.d_first;
    if (record.second >= 0) adjoints_[record.second] += adjoint * record.d_second;
  }
}

inline double ScalarTape::gradient(const Scalar& x) const {
  if (x.is_constant()) return 0;
  SIENA_ASSERT(x.belongs_to(*this));
  return gradients_[x.index_];
}

/// What formulas are written for: double (the truth) and Scalar (the gradient).
template <class N>
concept Number = std::same_as<N, double> || std::same_as<N, Scalar>;

/// The number type in which values of types A and B meet.
template <class A, class B = double>
using NumberOf = std::conditional_t<std::is_same_v<A, Scalar> || std::is_same_v<B, Scalar>, Scalar, double>;

inline double value_of(double x) { return x; }
inline double value_of(const Scalar& x) { return x.value(); }

/// The number `value`, taken to have slope `slope` in `x`: for formulas whose own derivative is useless, such as steps.
inline double with_slope(double, double value, double) { return value; }
inline Scalar with_slope(const Scalar& x, double value, double slope) { return x.derived(value, slope); }

/// The larger one; the gradient goes to it alone (to `a` where they are equal).
template <class A, class B>
NumberOf<A, B> max_of(const A& a, const B& b) {
  const NumberOf<A, B> x = a, y = b;
  return x < y ? y : x;
}
/// The smaller one; the gradient goes to it alone (to `a` where they are equal).
template <class A, class B>
NumberOf<A, B> min_of(const A& a, const B& b) {
  const NumberOf<A, B> x = a, y = b;
  return y < x ? y : x;
}

/// max(0, x), with slope 0 at 0.
template <class A>
NumberOf<A> positive_part(const A& x) {
  return max_of(NumberOf<A>(0.0), x);
}

/// How many tiles of size `tile` cover `a`: exactly ceil(a / tile). Its slope is 1 / tile, that of the secant over any
/// whole tile (the true one is zero nearly everywhere). A whole number that rounding left a hair too large is not taken a
/// tile up.
template <class A>
NumberOf<A> ceil_div(const A& a, double tile) {
  const NumberOf<A> x = a;
  const double ratio = value_of(x) / tile;
  return with_slope(x, std::ceil(ratio - (1e-9 + 1e-12 * std::abs(ratio))) + 0.0, 1 / tile);
}

/// How many whole tiles fit into `a`: exactly floor(a / tile), with slope 1 / tile as in ceil_div.
template <class A>
NumberOf<A> floor_div(const A& a, double tile) {
  const NumberOf<A> x = a;
  const double ratio = value_of(x) / tile;
  return with_slope(x, std::floor(ratio + (1e-9 + 1e-12 * std::abs(ratio))), 1 / tile);
}

namespace detail {
/// The piece of a grid that is in force at x, and how far along it x lies; a grid of one point is flat.
struct Piece {
  std::size_t left = 0, right = 0;
  double width = 1, part = 0;

  double value(std::span<const double> ys) const { return (1 - part) * ys[left] + part * ys[right]; }
  double slope(std::span<const double> ys) const { return (ys[right] - ys[left]) / width; }
};
inline Piece piece_at(std::span<const double> xs, double x) {
  if (xs.size() == 1) return {};
  std::size_t right = 1;
  while (right + 1 < xs.size() && xs[right] < x) ++right;
  const double left = xs[right - 1], width = xs[right] - left;
  require<ArgumentError>(width > 0, "interpolate: expected increasing abscissae, got {} before {}", left, xs[right]);
  return {right - 1, right, width, (x - left) / width};
}
}  // namespace detail

/// The piecewise linear curve through the points (xs[i], ys[i]), xs increasing, at `x`; the first and last pieces go on
/// beyond the ends. One point makes a constant. On a point, the slope is that of the piece to its left.
template <class A>
NumberOf<A> interpolate(std::span<const double> xs, std::span<const double> ys, const A& x) {
  require<ArgumentError>(!xs.empty() && xs.size() == ys.size(),
                         "interpolate: expected as many abscissae as ordinates, at least one, got {} and {}", xs.size(),
                         ys.size());
  const NumberOf<A> at = x;
  if (xs.size() == 1) return ys[0];
  const detail::Piece piece = detail::piece_at(xs, value_of(at));
  return with_slope(at, piece.value(ys), piece.slope(ys));
}

/// The surface through the points (xs[i], ys[j]) of height zs[i * ys.size() + j], at (x, y): bilinear in each piece of the
/// grid, and along either direction as the curve above.
template <class A, class B>
NumberOf<A, B> interpolate(std::span<const double> xs, std::span<const double> ys, std::span<const double> zs, const A& x,
                           const B& y) {
  require<ArgumentError>(!zs.empty() && zs.size() == xs.size() * ys.size(),
                         "interpolate: expected a height for each point of a grid of {} x {}, got {}", xs.size(), ys.size(),
                         zs.size());
  const NumberOf<A> at_x = x;
  const NumberOf<B> at_y = y;
  const detail::Piece px = detail::piece_at(xs, value_of(at_x)), py = detail::piece_at(ys, value_of(at_y));
  const auto left = zs.subspan(px.left * ys.size(), ys.size()), right = zs.subspan(px.right * ys.size(), ys.size());
  const double ends[] = {py.value(left), py.value(right)}, slopes[] = {py.slope(left), py.slope(right)};
  const detail::Piece across{.left = 0, .right = 1, .width = px.width, .part = px.part};
  return with_slope(at_x, across.value(ends), across.slope(ends)) + with_slope(at_y, 0, across.value(slopes));
}

}  // namespace siena
