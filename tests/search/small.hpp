// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// A search space of two numbers, small enough to know every cost by heart.

#include <cstddef>
#include <string>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/cost/params.hpp"
#include "siena/search/repair.hpp"
#include "siena/space/describe.hpp"
#include "support/searchable.hpp"

namespace siena::test {

/// Two layers of 8 channels that may vary, with 27 A + A B + 4 B weights for A and B of them: 312 as it is, 32 at least.
struct Small {
  explicit Small(int minimum = 1)
      : network({8, 8, 3},
                [&](const Flow& x) {
                  const Flow first =
                      (x | Searchable{Conv2d{.out = 8, .kernel = 3}, Channels{.minimum = minimum}}).named("a") | Relu{};
                  const Flow second = (first | Searchable{Conv2d{.out = 8}, Channels{}}).named("b") | Relu{};
                  return (second | GlobalAvgPool{} | Linear{.out = 4}).named("out");
                }),
        space(SearchSpace::install(network)),
        a(space.axis<ChannelMasks>().channels().runs(1)[0].group),
        b(space.axis<ChannelMasks>().channels().runs(3)[0].group) {
    set_importance("a", std::vector<float>(8, 1.0f));
    set_importance("b", std::vector<float>(8, 1.0f));
  }

  /// As if training had found out what the channels are worth.
  void set_importance(const std::string& layer, const std::vector<float>& importance) {
    State before, after;
    network.save(before);
    for (const auto& [name, value] : before.values()) {
      auto tensor = std::get<Tensor>(value);
      if (name == "mask." + layer + ".gradient_variance") {
        for (std::size_t c = 0; c < importance.size(); ++c) tensor.data()[c] = 2 * importance[c];
      }
      after.put(name, std::move(tensor));
    }
    network.load(after);
  }
  std::vector<bool> keep(const Selection& selection, int group) const {
    const std::vector<int>& kept = selection["channels"][static_cast<std::size_t>(group)];
    return std::vector<bool>(kept.begin(), kept.end());
  }
  Selection all() const { return space.full(); }
  double cost(const Selection& selection) const { return total(Params{}, describe(network, space, selection)); }
  Selection repaired(const ConstraintSet& bounds) const { return repair({network, space, bounds}, all()); }
  bool feasible(const ConstraintSet& bounds, const Selection& selection) const {
    return bounds.feasible(describe(network, space, selection));
  }
  /// Whether a channel can still be switched on; which one makes no difference to a cost.
  bool fits_another(const ConstraintSet& bounds, Selection selection) const {
    for (auto& group : selection["channels"]) {
      for (int& channel : group) {
        if (channel != 0) continue;
        channel = 1;
        const bool fits = feasible(bounds, selection);
        channel = false;
        if (fits) return true;
      }
    }
    return false;
  }

  Network network;
  SearchSpace space;
  int a, b;
};

}  // namespace siena::test
