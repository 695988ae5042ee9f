// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <compare>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "siena/cost/latency_point.hpp"

namespace siena {

namespace detail {

/// The layers of one key and size of image.
struct LatencyPlace {
  LatencyKey key;
  int height = 1, width = 1;
  auto operator<=>(const LatencyPlace&) const = default;
};

/// Which channels were measured in a place, and which are needed there.
struct LatencyAxes {
  std::set<double> in, out;
};

class LatencyGaps {
 public:
  explicit LatencyGaps(std::span<const LatencyPoint> points) {
    for (const LatencyPoint& p : points) {
      LatencyAxes& axes = measured_[{p.key, p.height, p.width}];
      axes.in.insert(p.in_channels), axes.out.insert(p.out_channels);
      tiles_[p.key] = p.tile;
    }
  }

  void need(const LayerDesc<double>& layer) {
    const std::optional<LatencyQuery<double>> query = latency_query(layer);
    if (!query) return;
    const int tile = tile_of(query->key);
    for (const LatencyPlace& place : places(query->key, query->height, query->width)) {
      LatencyAxes& axes = needed_[place];
      for (const double in : {std::floor(query->in_channels + slack), std::ceil(query->in_channels - slack)})
        axes.in.insert(std::max(in, 1.0));
      axes.out.insert(std::max(1.0, std::ceil((query->out_channels - slack) / tile)) * tile);
      axes.out.insert(std::max(1.0, std::ceil((std::floor(query->out_channels + slack)) / tile)) * tile);
    }
  }

  /// What is needed and was not measured. Channels between the fewest and the most of a place are interpolated.
  std::vector<LatencyPoint> missing() const {
    std::vector<LatencyPoint> all;
    for (const auto& [place, needs] : needed_) {
      const auto known = measured_.find(place);
      LatencyAxes axes = known == measured_.end() ? axes_elsewhere(place.key, needs) : known->second;
      for (const auto& [axis, wanted] : {std::pair{&axes.in, &needs.in}, std::pair{&axes.out, &needs.out}}) {
        if (axis->empty() || *wanted->begin() < *axis->begin()) axis->insert(*wanted->begin());
        if (*wanted->rbegin() > *axis->rbegin()) axis->insert(*wanted->rbegin());
      }
      for (const double in : axes.in) {
        for (const double out : axes.out) {
          if (known != measured_.end() && known->second.in.contains(in) && known->second.out.contains(out)) continue;
          all.push_back({.key = place.key,
                         .height = place.height,
                         .width = place.width,
                         .in_channels = in,
                         .out_channels = out,
                         .tile = tile_of(place.key)});
        }
      }
    }
    return all;
  }

 private:
  static constexpr double slack = 1e-4;  // sums of masks in float

  int tile_of(const LatencyKey& key) const {
    const auto at = tiles_.find(key);
    return at == tiles_.end() ? 1 : at->second;
  }

  /// Where a layer is looked up: its own size, or the measured ones around it.
  std::vector<LatencyPlace> places(const LatencyKey& key, int height, int width) const {
    std::set<int> heights, widths;
    for (const auto& [place, axes] : measured_)
      if (place.key == key) heights.insert(place.height), widths.insert(place.width);
    const auto around = [](const std::set<int>& sizes, int at) {
      std::vector<int> sides;
      const auto above = sizes.lower_bound(at);
      if (above != sizes.end()) sides.push_back(*above);
      if (above != sizes.end() && *above != at && above != sizes.begin()) sides.push_back(*std::prev(above));
      return sides.size() == 2 || (!sides.empty() && sides[0] == at) ? sides : std::vector<int>();
    };
    std::vector<LatencyPlace> all;
    bool complete = true;
    const std::vector<int> rows = around(heights, height), columns = around(widths, width);
    for (const int h : rows) {
      for (const int w : columns) {
        all.push_back({key, h, w});
        complete = complete && measured_.contains(all.back());
      }
    }
    return complete && !all.empty() ? all : std::vector{LatencyPlace{key, height, width}};
  }

  /// Channels that were measured at other sizes of the key, as far as they are between those that are needed.
  LatencyAxes axes_elsewhere(const LatencyKey& key, const LatencyAxes& needs) const {
    LatencyAxes axes;
    for (const auto& [place, measured] : measured_) {
      if (place.key != key) continue;
      const auto add = [](std::set<double>& to, const std::set<double>& from, const std::set<double>& wanted) {
        for (const double value : from)
          if (value >= *wanted.begin() && value <= *wanted.rbegin()) to.insert(value);
      };
      add(axes.in, measured.in, needs.in), add(axes.out, measured.out, needs.out);
    }
    return axes;
  }

  std::map<LatencyPlace, LatencyAxes> measured_, needed_;
  std::map<LatencyKey, int> tiles_;
};

}  // namespace detail

/// The points that a table lacks to price these networks and those between them: of each size of image that is not there, and
/// of channels beyond those that were measured, so that grids stay whole. Their times are 0.
inline std::vector<LatencyPoint> missing_points(std::span<const LatencyPoint> points,
                                                std::span<const Architecture<double>> networks) {
  detail::LatencyGaps gaps(points);
  for (const Architecture<double>& network : networks)
    for (const LayerDesc<double>& layer : network.layers) gaps.need(layer);
  return gaps.missing();
}

}  // namespace siena
