// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <vector>

#include "siena/core/error.hpp"

namespace siena {

/// What can be had: costs, the lower the better, and a value, the higher the better.
struct ParetoPoint {
  std::vector<double> costs = {};
  double value = 0;
};

/// Whether `a` is as good as `b` in everything and better in something. Both have as many costs, and none is NaN.
inline bool dominates(const ParetoPoint& a, const ParetoPoint& b) {
  bool better = a.value > b.value;
  if (a.value < b.value) return false;
  for (std::size_t i = 0; i < a.costs.size(); ++i) {
    if (a.costs[i] > b.costs[i]) return false;
    better = better || a.costs[i] < b.costs[i];
  }
  return better;
}

/// The indices of the points that no other dominates, by rising costs (the first counts first), then by rising value. Points
/// that are equal do not dominate each other: all of them are there. Throws DataError where a number is NaN or a point has
/// more or fewer costs than the first. O(n^2).
inline std::vector<std::size_t> pareto_front(const std::vector<ParetoPoint>& points) {
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const ParetoPoint& point = points[i];
    require<DataError>(point.costs.size() == points[0].costs.size(),
                       "pareto_front: expected {} costs, as the first point has, got {} at point {}", points[0].costs.size(),
                       point.costs.size(), i);
    const bool number = !std::isnan(point.value) &&
                        std::none_of(point.costs.begin(), point.costs.end(), [](double cost) { return std::isnan(cost); });
    require<DataError>(number, "pareto_front: expected numbers, got NaN in point {}; leave out what was not measured", i);
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto beats = [&](const ParetoPoint& other) { return dominates(other, points[i]); };
    if (std::none_of(points.begin(), points.end(), beats)) front.push_back(i);
  }
  std::stable_sort(front.begin(), front.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(points[a].costs, points[a].value) < std::tie(points[b].costs, points[b].value);
  });
  return front;
}

}  // namespace siena
