// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/no_class.hpp"
#include "siena/data/dataset.hpp"

namespace siena::data {

/// A weight for each class, by which rare ones count as much in a loss as frequent ones: the samples that are of a class,
/// divided by the classes and by the samples of this one, so that the mean over the samples is 1. Measure it on the training
/// split. DataError where a class has no sample.
inline std::vector<double> balanced_weights(const Dataset& dataset) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(dataset.classes()));
  std::int64_t all = 0;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const std::int32_t label = dataset.label(i);
    if (label == no_class) continue;
    ++counts[static_cast<std::size_t>(label)];
    ++all;
  }
  require<DataError>(all > 0, "balanced_weights: expected samples with a class, got none in '{}'", dataset.name());
  std::vector<double> weights;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    require<DataError>(counts[c] > 0, "balanced_weights: expected samples of every class, got none of class {} of {} in '{}'",
                       c, counts.size(), dataset.name());
    weights.push_back(static_cast<double>(all) / (static_cast<double>(counts.size()) * static_cast<double>(counts[c])));
  }
  return weights;
}

}  // namespace siena::data
