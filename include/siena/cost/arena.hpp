// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/random.hpp"
#include "siena/cost/liveness.hpp"

namespace siena {

/// Where something lies in the arena, and in which steps (indices of layers; the input of the network is there from step 0).
struct ArenaValue {
  int home = -1;  ///< the value in whose memory it lies: its own, or that of which it is a view; -1: it is not there
  double offset = 0, bytes = 0;
  int first = 0, last = 0;
  int over = -1;  ///< the value that it is written over; -1: none
  bool backwards =
      false;  ///< from the last row, block or element to the first, so that nothing is overwritten before it is read
};

/// One array in which all activations of a network lie. Sizes are whole where values have 8 bits or rules align them.
struct ArenaPlan {
  std::vector<ArenaValue> values = {};   ///< the input of the network, then the output of each layer
  std::vector<ArenaValue> scratch = {};  ///< of each layer, where the rules give it any
  double total = 0;                      ///< bytes
  double live_bound = 0;                 ///< what lives at once: no plan takes less
};

namespace detail {

/// Greedy with repair: what is large goes first, to the lowest place that is free while it lives; what ends up above the bound
/// moves to the front, and all begins anew. Values that lie just where others did are placed as one, unless that does not fit.
/// (A template, so that those who do not plan do not pay.)
template <class N>
class ArenaPlanner {
 public:
  ArenaPlanner(const Liveness<N>& live, double bound)
      : bound_(bound * (1 + 1e-9)), rounding_(bound * 1e-9), repairs_(live.rules().repairs) {
    items_.reserve(static_cast<std::size_t>(live.values()));
    std::vector<int> piece_of(static_cast<std::size_t>(live.values()), -1);
    for (int value = 0; value < live.values(); ++value) {
      if (value > 0 && value_of(live.scratch(value - 1)) > 0 && live.owns_memory(value))
        add({.value = -value, .first = value - 1, .last = value - 1, .bytes = value_of(live.scratch(value - 1))}, -1);
      if (!live.owns_memory(value)) continue;
      Piece piece{.value = value, .first = live.first(value), .last = live.last(value), .bytes = value_of(live.bytes(value))};
      int with = -1;
      if (const int replaced = live.replaced(value - 1); replaced >= 0) {
        const auto overlay = live.overlay(value - 1, replaced);
        piece.over = piece_of[replaced], piece.exact = overlay.exact;
        piece.before = value_of(overlay.before), piece.behind = value_of(overlay.behind);
        if (piece.exact || piece.before == 0 || piece.behind == 0) with = pieces_[piece.over].item;
      }
      piece_of[value] = static_cast<int>(pieces_.size());
      add(piece, with);
    }
  }

  /// Bytes of the smallest plan that was found.
  double run() {
    order_ = by_size();
    double best = attempt(order_, std::numeric_limits<double>::infinity());
    Random random(0);
    for (int repair = 1; repair <= repairs_ && best > bound_; ++repair) {
      if (repair % restart == 0) {
        if (repair == restart) split();
        order_ = by_size();
        if (repair / restart % 2 == 1) std::sort(order_.begin(), order_.end());  // by the step from which they live
      } else {
        // At times to elsewhere than the front, so that two that take turns do not do so for ever.
        const auto moved = order_.begin() + static_cast<std::ptrdiff_t>(too_high_);
        const auto within = static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(1, moved - order_.begin()));
        std::rotate(order_.begin() + static_cast<std::ptrdiff_t>(repair % 3 == 0 ? random.below(within) : 0), moved, moved + 1);
      }
      best = attempt(order_, best);
    }
    return best;
  }

  /// Of the plan that was found.
  void write(ArenaPlan& plan) const {
    for (const Piece& piece : pieces_) {
      const int value = std::abs(piece.value);
      ArenaValue& at = piece.value < 0 ? plan.scratch[value - 1] : plan.values[value];
      at = {.home = value, .offset = piece.best, .bytes = piece.bytes, .first = piece.first, .last = piece.last};
      if (piece.over < 0) continue;
      const Piece& input = pieces_[piece.over];
      if (piece.best >= input.best + input.bytes || input.best >= piece.best + piece.bytes) continue;
      at.over = input.value, at.backwards = !piece.exact && piece.best > input.best - piece.before;
    }
  }

 private:
  /// A value, or below 0 the scratch of the layer that makes it.
  struct Piece {
    int value, first, last;
    double bytes;
    int over = -1;  // may lie over this piece, as far as it keeps these distances
    double before = 0, behind = 0;
    bool exact = false;
    int item = -1, next = -1;  // what is placed together with others, and the next of these
    double best = 0;           // offset
  };
  struct Item {
    double bytes = 0, offset = 0;
    int first_piece = -1, first = 0, last = 0;
  };

  void add(Piece piece, int item) {
    if (item < 0) item = static_cast<int>(items_.size()), items_.push_back({.first = piece.first});
    piece.item = item, piece.next = items_[item].first_piece;
    items_[item].first_piece = static_cast<int>(pieces_.size());
    items_[item].bytes = std::max(items_[item].bytes, piece.bytes);
    items_[item].last = piece.last;  // values come in the order of their steps
    pieces_.push_back(piece);
  }

  std::vector<int> by_size() const {
    std::vector<int> order(items_.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](int a, int b) { return items_[a].bytes > items_[b].bytes || (items_[a].bytes == items_[b].bytes && a < b); });
    return order;
  }
  /// Each value by itself.
  void split() {
    items_.clear();
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      pieces_[i].item = static_cast<int>(i), pieces_[i].next = -1;
      items_.push_back(
          {.bytes = pieces_[i].bytes, .first_piece = static_cast<int>(i), .first = pieces_[i].first, .last = pieces_[i].last});
    }
  }

  /// Keeps the plan if it is smaller than the best one.
  double attempt(const std::vector<int>& order, double best) {
    const double total = place(order);
    if (total >= best) return best;
    for (Piece& piece : pieces_) piece.best = items_[piece.item].offset;
    return total;
  }
  double place(const std::vector<int>& order) {
    double top = 0;
    too_high_ = order.empty() ? 0 : order.size() - 1;
    bool found = false;
    for (std::size_t i = 0; i < order.size(); ++i) {
      taken_.clear();
      for (std::size_t k = 0; k < i; ++k) gather(order[i], order[k]);
      std::sort(taken_.begin(), taken_.end());
      double at = 0;
      for (const auto& [begin, end] : taken_)
        if (begin < at - rounding_ && end > at + rounding_) at = end;
      items_[order[i]].offset = at;
      const double end = at + items_[order[i]].bytes;
      top = std::max(top, end);
      if (end > bound_ && !found) too_high_ = i, found = true;
    }
    return top;
  }
  /// Where item a cannot begin, because of item b.
  void gather(int a, int b) {
    if (items_[a].last < items_[b].first || items_[b].last < items_[a].first) return;
    for (int i = items_[a].first_piece; i >= 0; i = pieces_[i].next) {
      for (int k = items_[b].first_piece; k >= 0; k = pieces_[k].next) {
        const Piece &p = pieces_[i], &q = pieces_[k];
        if (p.last < q.first || q.last < p.first) continue;
        const double at = items_[b].offset;
        if ((p.over == k && p.exact) || (q.over == i && q.exact)) {
          forbid(at - p.bytes, at), forbid(at, at + q.bytes);
        } else if (p.over == k) {
          forbid(at - p.before, at + p.behind);
        } else if (q.over == i) {
          forbid(at - q.behind, at + q.before);
        } else {
          forbid(at - p.bytes, at + q.bytes);
        }
      }
    }
  }
  /// The open interval.
  void forbid(double begin, double end) {
    if (begin < end && end > 0) taken_.push_back({begin, end});
  }

  static constexpr int restart = 25;  // after so many repairs, from another order

  std::vector<Piece> pieces_;
  std::vector<Item> items_;
  std::vector<int> order_;
  std::vector<std::pair<double, double>> taken_;
  std::size_t too_high_ = 0;
  double bound_, rounding_;
  int repairs_;
};
}  // namespace detail

/// Where each value of a network lies while it runs. Throws ArgumentError where a layer is there by a probability.
template <std::same_as<double> N>
ArenaPlan plan_arena(const Architecture<N>& network, const ArenaRules& rules = {}) {
  const Liveness<double> liveness(network, rules);
  require<ArgumentError>(liveness.exact(), "plan_arena: expected every layer to be there or not, got presences in between");
  ArenaPlan plan;
  for (const double moment : liveness.moments()) plan.live_bound = std::max(plan.live_bound, moment);
  plan.values.resize(static_cast<std::size_t>(liveness.values()));
  plan.scratch.resize(static_cast<std::size_t>(liveness.steps()));
  detail::ArenaPlanner<double> planner(liveness, plan.live_bound);
  plan.total = planner.run();
  planner.write(plan);
  for (int value = 0; value < liveness.values(); ++value) {  // views lie where others do
    const auto& places = liveness.places(value);
    if (!places.empty() && places[0].index != value) plan.values[value] = plan.values[places[0].index];
  }
  return plan;
}

}  // namespace siena
