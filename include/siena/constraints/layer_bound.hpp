// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/constraints/constraint.hpp"

namespace siena {

/// Prices every layer of a network in numbers of type N.
template <class M, class N>
concept PricesEachLayer = requires(const M& model, const Architecture<N>& network) {
  { model.per_layer(network) } -> std::same_as<std::vector<N>>;
};
/// A model of what each layer needs by itself (its working memory, say), for truth and gradient by one formula: `name()` and
/// `per_layer(architecture)`, one number per entry of `layers` (0: needs nothing), as if it were there for certain.
template <class M>
concept LayerModel = Named<M> && PricesEachLayer<M, double> && PricesEachLayer<M, Scalar>;

/// Explains in one sentence what `M` lacks to be a LayerModel.
template <class M>
constexpr void assert_layer_model() {
  static_assert(Named<M>, "siena: a layer model needs `std::string_view name() const`, the name that reports show");
  static_assert(
      PricesEachLayer<M, double>,
      "siena: a layer model needs `template <class N> std::vector<N> per_layer(const Architecture<N>& network) const`, "
      "what each layer needs; a cost of the whole network is bounded by `AtMost{model, limit}`");
  static_assert(
      !PricesEachLayer<M, double> || PricesEachLayer<M, Scalar>,
      "siena: per_layer takes Architecture<double> but not Architecture<Scalar>; write it once for both as "
      "`template <class N> std::vector<N> per_layer(const Architecture<N>& network) const`, so that it has a gradient");
}

/// The levels of a memory hierarchy: what one layer may need to fit into each, smallest first, in the unit of the model.
struct LayerLevels {
  std::vector<double> limits;  ///< of the levels, in units of the model
  double tolerance = 0.3;      ///< a layer that exceeds a level by less than this part at the start is to be pulled below it
};

/// Every layer has to fit into a level: `LayerBound{LayerMemory{}, describe(net), {.limits = {44'000, 400'000}}}`. A layer's
/// level is fixed by what it needs in `start`, the network that the search begins with: the smallest that it fits into with the
/// tolerance, the last one where there is none. One entry per layer that needs something, with a multiplier or strength of its
/// own; the value shown is that of the worst layer, in percent of its level. Layers are known by name (of several of one name
/// the worst counts), so that the bound also judges the smaller network that was found; a layer that is gone holds, one that
/// may be absent counts by its presence. Throws ConstraintError for levels that are no increasing positive numbers.
template <class Model>
class LayerBound {
 public:
  LayerBound(Model model, const Architecture<double>& start, const LayerLevels& levels) : model_(std::move(model)) {
    assert_layer_model<Model>();
    if constexpr (LayerModel<Model>) assign(start, levels);
  }

  auto name() const { return model_.name(); }
  std::string_view unit() const { return "%"; }
  double limit() const { return 100; }
  const Model& model() const { return model_; }
  std::string to_string() const {
    std::string text = format("by {}", text_of(model_));
    for (std::size_t i = 0; i < entries_.size(); ++i) text += format("; {}", entry_name(i));
    return text;
  }

  /// Of the worst layer, in percent of its level.
  template <class N>
  N value(const Architecture<N>& network) const {
    N worst = -1.0;
    for (const N& violation : violations(network)) worst = max_of(worst, violation);
    return (worst + 1.0) * 100.0;
  }
  template <class N>
  std::vector<N> violations(const Architecture<N>& network) const {
    const std::vector<N> needs = model_.per_layer(network);
    expect_one_each(needs.size(), network.layers.size());
    std::vector<N> result(entries_.size(), N(-1.0));
    for (std::size_t i = 0; i < needs.size(); ++i) {
      const std::size_t entry = entry_of(network.layers[i].name, i);
      if (entry == entries_.size()) {
        require<ConstraintError>(value_of(needs[i]) == 0,
                                 "LayerBound: expected the layers of the network that the bound '{}' was made for, got '{}'; "
                                 "make it from the network that is searched",
                                 name(), network.layers[i].name);
        continue;
      }
      result[entry] = max_of(result[entry], needs[i] * network.layers[i].presence / entries_[entry].level - 1.0);
    }
    return result;
  }
  /// "conv2d_3, level 44000 B".
  std::string entry_name(std::size_t i) const {
    const std::string_view unit = unit_of(model_);
    return format("{}, level {:.10g}{}{}", entries_[i].layer, entries_[i].level, unit.empty() ? "" : " ", unit);
  }

 private:
  struct Entry {
    std::string layer;
    double level = 0;
  };

  void assign(const Architecture<double>& start, const LayerLevels& levels) {
    require<ConstraintError>(std::isfinite(levels.tolerance) && levels.tolerance >= 0,
                             "LayerBound: expected a tolerance of 0 or more, got {}", levels.tolerance);
    require<ConstraintError>(!levels.limits.empty(), "LayerBound: expected at least one level, got none");
    double below = 0;
    for (const double limit : levels.limits) {
      require<ConstraintError>(std::isfinite(limit) && limit > below,
                               "LayerBound: expected levels that are finite, above 0 and increasing, got {} after {}", limit,
                               below);
      below = limit;
    }
    const std::vector<double> needs = model_.per_layer(start);
    expect_one_each(needs.size(), start.layers.size());
    index_.assign(needs.size(), 0);
    for (std::size_t i = 0; i < needs.size(); ++i) {
      require<ConstraintError>(std::isfinite(needs[i]) && needs[i] >= 0,
                               "LayerBound: expected '{}' to price layer '{}' at 0 or more, got {}", name(),
                               start.layers[i].name, needs[i]);
      const auto fits = [&](double limit) { return needs[i] <= limit * (1 + levels.tolerance); };
      const auto level = std::find_if(levels.limits.begin(), levels.limits.end() - 1, fits);
      index_[i] = find(start.layers[i].name);
      if (needs[i] == 0) continue;
      if (index_[i] == entries_.size()) entries_.push_back({start.layers[i].name});
      entries_[index_[i]].level = std::max(entries_[index_[i]].level, *level);
    }
    require<ConstraintError>(!entries_.empty(), "LayerBound: expected '{}' to find a layer that needs something, got none",
                             name());
  }
  void expect_one_each(std::size_t prices, std::size_t layers) const {
    require<ConstraintError>(prices == layers, "LayerBound: expected '{}' to price each of {} layers, got {} numbers", name(),
                             layers, prices);
  }
  std::size_t find(const std::string& layer) const {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.layer == layer; });
    return static_cast<std::size_t>(found - entries_.begin());
  }
  // Layers mostly stand where they stood at the start.
  std::size_t entry_of(const std::string& layer, std::size_t position) const {
    if (position < index_.size() && index_[position] < entries_.size() && entries_[index_[position]].layer == layer)
      return index_[position];
    return find(layer);
  }

  Model model_;
  std::vector<Entry> entries_;
  std::vector<std::size_t> index_;  // of the entry, for each layer at the start
};

}  // namespace siena
