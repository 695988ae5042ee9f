// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/random.hpp"
#include "siena/data/dataset.hpp"

namespace siena::data {

struct SplitOptions {
  double fraction = 0.1;   ///< of the samples to hold out, in [0, 1)
  std::uint64_t seed = 0;  ///< of the choice of samples
  bool stratified = true;  ///< hold out the same fraction of every class
};

/// The two parts of a dataset: disjoint, and together all of it.
struct Split {
  Dataset kept;
  Dataset held_out;
};

namespace detail {

// How many of each group to hold out so that the parts add up to `wanted`: every group gives its share, rounded down, and
// those that lost most by rounding give one more.
inline std::vector<std::int64_t> shares(const std::vector<std::vector<std::int64_t>>& groups, double fraction,
                                        std::int64_t wanted) {
  std::vector<std::int64_t> share(groups.size());
  std::vector<double> lost(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const double ideal = fraction * static_cast<double>(groups[g].size());
    share[g] = static_cast<std::int64_t>(ideal);
    lost[g] = ideal - static_cast<double>(share[g]);
    wanted -= share[g];
  }
  std::vector<std::size_t> order(groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return lost[a] > lost[b]; });
  for (std::size_t at = 0; at < order.size() && wanted > 0; ++at, --wanted) ++share[order[at]];
  return share;
}

}  // namespace detail

/// Splits by a random choice that depends on the seed, the sizes and the labels alone. Both parts keep the order of the
/// dataset and its normalisation. Throws ArgumentError where a fraction above 0 would leave either part empty.
inline Split split(const Dataset& dataset, const SplitOptions& options = {}) {
  require<ArgumentError>(options.fraction >= 0 && options.fraction < 1, "split: expected a fraction from 0 to below 1, got {}",
                         options.fraction);
  const auto size = dataset.size();
  const auto wanted = static_cast<std::int64_t>(std::llround(options.fraction * static_cast<double>(size)));
  require<ArgumentError>(options.fraction == 0 || (wanted > 0 && wanted < size),
                         "split: expected samples on both sides, got {} held out of {} ('{}'); a fraction of 0 holds none out",
                         wanted, size, dataset.name());
  const bool stratified = options.stratified && dataset.labelled();
  std::vector<std::vector<std::int64_t>> groups(stratified ? static_cast<std::size_t>(dataset.classes()) + 1 : 1);
  for (std::int64_t i = 0; i < size; ++i) groups[stratified ? static_cast<std::size_t>(dataset.label(i) + 1) : 0].push_back(i);

  const auto share = detail::shares(groups, options.fraction, wanted);
  std::vector<char> held(static_cast<std::size_t>(size), 0);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Random random = Random(options.seed).split(g);
    shuffle(groups[g], random);
    for (std::int64_t k = 0; k < share[g]; ++k) held[static_cast<std::size_t>(groups[g][static_cast<std::size_t>(k)])] = 1;
  }
  std::vector<std::int64_t> kept, held_out;
  for (std::int64_t i = 0; i < size; ++i) (held[static_cast<std::size_t>(i)] ? held_out : kept).push_back(i);
  return {.kept = dataset.subset(kept), .held_out = dataset.subset(held_out)};
}

}  // namespace siena::data
