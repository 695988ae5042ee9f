// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "siena/cost/latency_point.hpp"

namespace siena {

namespace detail {

/// The channels of one key and size of image: those that were measured, or that are needed. Each axis is sorted.
struct LatencyChannels {
  LatencyKey key;
  int height = 1, width = 1, tile = 1, in_tile = 1;
  std::vector<double> in = {}, out = {};

  bool is_of(const LatencyKey& its_key, int its_height, int its_width) const {
    return key == its_key && height == its_height && width == its_width;
  }
  bool holds(double its_in, double its_out) const {
    return std::binary_search(in.begin(), in.end(), its_in) && std::binary_search(out.begin(), out.end(), its_out);
  }
  /// The most input channels that take as long as these: of the tile that a row of the kernel fills.
  double whole_in(double channels) const {
    const double taps = key.kernel_width;
    return std::max(1.0, std::floor(std::ceil(channels * taps / in_tile) * in_tile / taps));
  }
  static void add(std::vector<double>& axis, double value) {
    const auto at = std::lower_bound(axis.begin(), axis.end(), value);
    if (at == axis.end() || *at != value) axis.insert(at, value);
  }
};

class LatencyGaps {
 public:
  explicit LatencyGaps(std::span<const LatencyPoint> points) {
    for (const LatencyPoint& p : points) {
      LatencyChannels& at = place(measured_, p.key, p.height, p.width);
      at.tile = p.tile, at.in_tile = p.in_tile;
      LatencyChannels::add(at.in, at.whole_in(p.in_channels)), LatencyChannels::add(at.out, p.out_channels);
    }
  }

  void need(const LayerDesc<double>& layer) {
    for (const auto& [bits, filters] : layer.slices) need(layer.slice(std::max(filters, 1.0), bits));
    if (!layer.slices.empty()) return;
    const std::optional<LatencyQuery<double>> query = latency_query(layer);
    if (!query) return;
    const auto whole_size = [](double size) { return static_cast<int>(std::lround(size)); };
    for (const auto& [height, width] : sizes(query->key, whole_size(query->height), whole_size(query->width))) {
      LatencyChannels& at = place(needed_, query->key, height, width);
      if (const LatencyChannels* known = measured_of(query->key)) at.tile = known->tile, at.in_tile = known->in_tile;
      const auto whole = [](double channels, int tile) { return std::max(1.0, std::ceil(channels / tile)) * tile; };
      for (const double in : {std::floor(query->in_channels + slack), std::ceil(query->in_channels - slack)})
        LatencyChannels::add(at.in, at.whole_in(in));
      for (const double out : {std::floor(query->out_channels + slack), std::ceil(query->out_channels - slack)})
        LatencyChannels::add(at.out, whole(out, at.tile));
    }
  }

  /// What is needed and was not measured. Channels between the fewest and the most of a place are interpolated.
  std::vector<LatencyPoint> missing() const {
    std::vector<LatencyPoint> all;
    for (const LatencyChannels& needs : needed_) {
      const LatencyChannels* known = find(measured_, needs.key, needs.height, needs.width);
      LatencyChannels grid = known != nullptr ? *known : elsewhere(needs);
      for (auto axis : {&LatencyChannels::in, &LatencyChannels::out}) {
        const double least = (needs.*axis).front(), largest = (needs.*axis).back();
        if ((grid.*axis).empty() || least < (grid.*axis).front()) LatencyChannels::add(grid.*axis, least);
        if (largest > (grid.*axis).back()) LatencyChannels::add(grid.*axis, largest);
      }
      for (const double in : grid.in) {
        for (const double out : grid.out) {
          if (known != nullptr && known->holds(in, out)) continue;
          all.push_back({.key = needs.key,
                         .height = needs.height,
                         .width = needs.width,
                         .in_channels = in,
                         .out_channels = out,
                         .tile = needs.tile,
                         .in_tile = needs.in_tile});
        }
      }
    }
    return all;
  }

 private:
  struct Size {
    int height, width;
  };
  static constexpr double slack = 1e-4;  // sums of masks in float

  static const LatencyChannels* find(const std::vector<LatencyChannels>& all, const LatencyKey& key, int height, int width) {
    const auto at = std::find_if(all.begin(), all.end(), [&](const LatencyChannels& c) { return c.is_of(key, height, width); });
    return at == all.end() ? nullptr : &*at;
  }
  static LatencyChannels& place(std::vector<LatencyChannels>& all, const LatencyKey& key, int height, int width) {
    // Points come sorted: most often it is the last one.
    if (!all.empty() && all.back().is_of(key, height, width)) return all.back();
    const LatencyChannels* known = find(all, key, height, width);
    if (known != nullptr) return all[static_cast<std::size_t>(known - all.data())];
    all.push_back({.key = key, .height = height, .width = width});
    return all.back();
  }

  /// At any size.
  const LatencyChannels* measured_of(const LatencyKey& key) const {
    const auto at = std::find_if(measured_.begin(), measured_.end(), [&](const LatencyChannels& c) { return c.key == key; });
    return at == measured_.end() ? nullptr : &*at;
  }

  /// Where a layer is looked up: its own size, or the measured ones around it.
  std::vector<Size> sizes(const LatencyKey& key, int height, int width) const {
    int low = 0, high = most, left = 0, right = most;
    for (const LatencyChannels& c : measured_) {
      if (c.key != key) continue;
      if (c.height <= height) low = std::max(low, c.height);
      if (c.height >= height) high = std::min(high, c.height);
      if (c.width <= width) left = std::max(left, c.width);
      if (c.width >= width) right = std::min(right, c.width);
    }
    std::vector<Size> all;
    for (const int h : {low, high}) {
      for (const int w : {left, right}) {
        if (find(measured_, key, h, w) == nullptr) return {{height, width}};
        all.push_back({h, w});
      }
    }
    return all;
  }
  static constexpr int most = std::numeric_limits<int>::max();

  /// Channels that were measured at other sizes of the key, as far as they are between those that are needed.
  LatencyChannels elsewhere(const LatencyChannels& needs) const {
    LatencyChannels grid;
    for (const LatencyChannels& measured : measured_) {
      if (measured.key != needs.key) continue;
      for (auto axis : {&LatencyChannels::in, &LatencyChannels::out}) {
        for (const double value : measured.*axis)
          if (value >= (needs.*axis).front() && value <= (needs.*axis).back()) LatencyChannels::add(grid.*axis, value);
      }
    }
    return grid;
  }

  std::vector<LatencyChannels> measured_, needed_;
};

}  // namespace detail

/// The points that a table lacks to price these networks and those between them: of each size of image that is not there, and
/// of channels beyond those that were measured, so that grids stay whole. Their times are 0.
inline std::vector<LatencyPoint> missing_points(std::span<const LatencyPoint> points,
                                                const std::vector<Architecture<double>>& networks) {
  detail::LatencyGaps gaps(points);
  for (const Architecture<double>& network : networks)
    for (const LayerDesc<double>& layer : network.layers) gaps.need(layer);
  return gaps.missing();
}

}  // namespace siena
