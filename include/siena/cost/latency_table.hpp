// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/fingerprint.hpp"
#include "siena/core/utf8.hpp"
#include "siena/cost/cost_model.hpp"
#include "siena/cost/latency_gaps.hpp"
#include "siena/cost/latency_point.hpp"

namespace siena {

/// Seconds as measured on a device, layer by layer. For each LatencyKey (operation, kernel, stride, groups) and each size of
/// image that was measured there is a grid of input and output channels; in between the time is bilinear, which is how work and
/// traffic grow, and exact on the points. Output channels, and the inputs of a row of the kernel, count in whole tiles, with
/// the slope between tiles. Sizes of images that are in use should be measured. Between sizes the time is bilinear in height
/// and width where the four sizes around were measured; where a search varies them, the slope is that from the next smaller
/// size (else to the next larger one), or the mean of all rows or columns where no other was measured. Groups are of a key of
/// their own each; where a search varies them, the slope is the time that the last group takes, or the mean of all where one
/// group less was not measured. Nothing is guessed: throws DataError, with the name of the layer and what was measured, for
/// anything outside.
class LatencyTable {
 public:
  /// Throws DataError unless there are points, all are different, all numbers finite, sizes and channels above 0, what was
  /// measured 0 or more, and the channels of each key and size a whole grid. `names` is for the errors of whoever reads points
  /// from somewhere; `column` says what was measured where it was no time, but an energy: the `seconds` of each point are that
  /// then.
  explicit LatencyTable(std::vector<LatencyPoint> points, const PointNames& names = {}, MeasuredColumn column = {});

  std::string_view name() const { return column_.name == "seconds" ? "latency table" : std::string_view(column_.name); }
  std::string_view unit() const { return column_.unit; }
  const MeasuredColumn& column() const { return column_; }
  std::string to_string() const {
    Fingerprint all;
    for (const LatencyPoint& p : points_) {
      all.add(format("{} {} {} {} {} {}", p.key.to_string(), p.height, p.width, p.in_channels, p.out_channels, p.seconds));
      if (p.in_tile != 1) all.add(format("in {}", p.in_tile));
    }
    return format("{}, {} points, {:016x}", name(), points_.size(), all.value());
  }
  /// Sorted by key, size and channels.
  const std::vector<LatencyPoint>& points() const { return points_; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    const std::optional<LatencyQuery<N>> query = latency_query(layer);
    if (!query) return 0;
    N seconds = measured(*query, layer.name);
    if constexpr (std::is_same_v<N, Scalar>) {
      if (!layer.groups.is_constant()) seconds = layer.groups.derived(seconds.value(), last_group(layer, seconds.value()));
    }
    // Where taps vary the kernel is one of those measured; the slope is that of time spread evenly over them.
    if (layer.live_taps) seconds *= layer.taps() / (double(layer.kernel_height) * layer.kernel_width);
    return seconds;
  }

  /// Throws DataError where these networks, or others between them, have layers that were not measured: lists every point that
  /// is missing, as lines of a CSV file to fill in.
  void check(const std::vector<Architecture<double>>& networks) const {
    const std::vector<LatencyPoint> missing = missing_points(points_, networks);
    if (missing.empty()) return;
    const bool in_tiles = detail::have_in_tiles(points_);
    std::string lines = detail::latency_header(column_, in_tiles);
    for (const LatencyPoint& point : missing) lines += detail::latency_line(point, in_tiles) + "\n";
    fail<DataError>(
        "LatencyTable: expected measurements of all layers that a network may have, got none of these {} points; {}, "
        "and add them to the file:\n{}",
        missing.size(), hint, lines);
  }

 private:
  /// The channels of one size of image.
  struct Grid {
    int height, width;
    std::vector<double> in, out, seconds;
  };
  struct Entry {
    LatencyKey key;
    int tile, in_tile;
    std::vector<Grid> grids;

    /// Input channels of whole tiles: 3.33 where 3 * 3 inputs count as 10. Sums of masks in float may end a hair beyond.
    template <class N>
    N whole_in(const N& channels) const {
      if (in_tile == 1) return channels;
      return ceil_div(channels * (key.kernel_width * (1 - 1e-6)), in_tile) * (double(in_tile) / key.kernel_width);
    }
  };
  struct Corner {
    const Grid* grid;
    double weight;
  };
  struct Asked {
    std::string_view layer;
    const LatencyKey& key;
    std::string_view axis = {};
  };
  static constexpr const char* hint = "measure it as well (docs/guides/latency_table.md)";

  template <class N>
  N measured(const LatencyQuery<N>& query, std::string_view layer) const {
    const Entry& entry = find(query.key, layer);
    const N out = entry.tile > 1 ? ceil_div(query.out_channels, entry.tile) * double(entry.tile) : query.out_channels;
    const N in = entry.whole_in(query.in_channels);
    N seconds = 0;
    for (const auto& [grid, weight] : corners(entry, {layer, query.key}, value_of(query.height), value_of(query.width))) {
      check_range(*grid, {layer, query.key, "input channels"}, grid->in, value_of(in));
      check_range(*grid, {layer, query.key, "output channels"}, grid->out, value_of(out));
      seconds += interpolate(grid->in, grid->out, grid->seconds, in, out) * weight;
    }
    if constexpr (std::is_same_v<N, Scalar>) {
      const double time = seconds.value();
      if (!query.height.is_constant()) seconds += query.height.derived(0, size_slope<true>(entry, query, layer, time));
      if (!query.width.is_constant()) seconds += query.width.derived(0, size_slope<false>(entry, query, layer, time));
    }
    return seconds;
  }
  /// How a layer that takes `seconds` grows with its height, or its width.
  template <bool Height>
  double size_slope(const Entry& entry, const LatencyQuery<Scalar>& query, std::string_view layer, double seconds) const {
    constexpr auto side = Height ? &Grid::height : &Grid::width;
    const double size = (Height ? query.height : query.width).value();
    double below = 0, above = std::numeric_limits<double>::infinity();
    for (const Grid& grid : entry.grids) {
      if (grid.*side < size) below = std::max(below, double(grid.*side));
      if (grid.*side > size) above = std::min(above, double(grid.*side));
    }
    const double other = below > 0 ? below : above;
    if (std::isinf(other)) return seconds / size;
    LatencyQuery<double> there{query.key, query.in_channels.value(), query.out_channels.value(), query.height.value(),
                               query.width.value()};
    (Height ? there.height : there.width) = other;
    try {
      return (seconds - measured(there, layer)) / (size - other);
    } catch (const DataError&) {  // no layer of the network is that, so nothing is missing
      return seconds / size;
    }
  }
  /// What the last group of a convolution adds to the time of all, `seconds`.
  double last_group(const LayerDesc<Scalar>& layer, double seconds) const {
    LayerDesc<double> fewer = convert<double>(layer);
    const double left = (fewer.groups - 1) / fewer.groups;
    fewer.in_channels *= left, fewer.out_channels *= left, fewer.groups -= 1;
    if (fewer.groups < 1) return seconds;
    try {
      return seconds - measured(*latency_query(fewer), layer.name);
    } catch (const DataError&) {  // no layer of the network is that, so nothing is missing
      return seconds - seconds * left;
    }
  }

  void add_grid(std::span<const LatencyPoint> points, const PointNames& names);
  const Entry& find(const LatencyKey& key, std::string_view layer) const;
  static void check_range(const Grid& grid, const Asked& asked, const std::vector<double>& axis, double value);
  static std::vector<Corner> corners(const Entry& entry, const Asked& asked, double height, double width);

  MeasuredColumn column_;
  std::vector<LatencyPoint> points_;
  std::vector<Entry> entries_;
};
static_assert(CostModel<LatencyTable>);

namespace detail {
inline void check_column(const MeasuredColumn& column, const std::string& where) {
  const std::string& name = column.name;
  const bool taken = name == in_tile_column ||
                     std::find(std::begin(latency_columns), std::end(latency_columns), name) != std::end(latency_columns);
  require<DataError>(!name.empty() && !taken && is_utf8(name) && name.find_first_of("\n\r") == std::string::npos,
                     "{}: expected a name of its own for what was measured, on one line, got '{}'", where, excerpt(name));
}
inline void check_point(const LatencyPoint& p, const std::string& where) {
  const LatencyKey& k = p.key;
  require<DataError>(
      !k.operation.empty() && k.operation.find_first_of(",;\t\"\n\r") == std::string::npos && is_utf8(k.operation),
      "{}: expected the name of an operation in UTF-8, without commas and quotes, got '{}'", where, excerpt(k.operation));
  const double sizes[] = {double(k.kernel_height), double(k.kernel_width), double(k.stride_height), double(k.stride_width),
                          double(k.groups),        double(k.multiplier),   double(p.height),        double(p.width),
                          p.in_channels,           p.out_channels};
  const bool positive = std::all_of(std::begin(sizes), std::end(sizes), [](double x) { return std::isfinite(x) && x > 0; });
  require<DataError>(positive, "{}: expected sizes and channels above 0, got {}, {} to {} channels at {}x{}", where, k,
                     p.in_channels, p.out_channels, p.height, p.width);
  require<DataError>(p.tile > 0 && std::fmod(p.out_channels, p.tile) == 0,
                     "{}: expected output channels in whole tiles, got {} in tiles of {}", where, p.out_channels, p.tile);
  require<DataError>(p.in_tile > 0, "{}: expected an in_tile above 0, got {}", where, p.in_tile);
  require<DataError>(std::isfinite(p.seconds) && p.seconds >= 0, "{}: expected a number of 0 or more, got {}", where,
                     p.seconds);
}
inline bool same_grid(const LatencyPoint& a, const LatencyPoint& b) {
  return a.key == b.key && a.height == b.height && a.width == b.width;
}
}  // namespace detail

inline LatencyTable::LatencyTable(std::vector<LatencyPoint> points, const PointNames& names, MeasuredColumn column)
    : column_(std::move(column)) {
  detail::check_column(column_, names.where);
  require<DataError>(!points.empty(), "{}: expected at least one measured point, got none", names.where);
  for (std::size_t i = 0; i < points.size(); ++i) detail::check_point(points[i], names(i));
  std::vector<std::size_t> order(points.size());  // errors name points by the order in which they came
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto comparison = points[a] <=> points[b];
    return comparison < 0 || (comparison == 0 && a < b);
  });
  for (const std::size_t i : order) {
    const LatencyPoint& p = points[i];
    if (!points_.empty()) {
      const LatencyPoint& last = points_.back();
      const bool again = detail::same_grid(last, p) && last.in_channels == p.in_channels && last.out_channels == p.out_channels;
      require<DataError>(!again, "{}: expected each point once, got {}, {} to {} channels at {}x{} again", names(i), p.key,
                         p.in_channels, p.out_channels, p.height, p.width);
    }
    if (entries_.empty() || entries_.back().key != p.key)
      entries_.push_back({.key = p.key, .tile = p.tile, .in_tile = p.in_tile, .grids = {}});
    const Entry& entry = entries_.back();
    require<DataError>(p.tile == entry.tile, "{}: expected the tile {} of the other points of {}, got {}", names(i), entry.tile,
                       p.key, p.tile);
    require<DataError>(p.in_tile == entry.in_tile, "{}: expected the in_tile {} of the other points of {}, got {}", names(i),
                       entry.in_tile, p.key, p.in_tile);
    points_.push_back(p);
  }
  for (std::size_t begin = 0, end = 0; begin < points_.size(); begin = end) {
    while (end < points_.size() && detail::same_grid(points_[begin], points_[end])) ++end;
    add_grid({points_.data() + begin, end - begin}, names);
  }
}

/// `points`: all of one key and size, sorted.
inline void LatencyTable::add_grid(std::span<const LatencyPoint> points, const PointNames& names) {
  const LatencyPoint& p = points.front();
  Grid grid{.height = p.height, .width = p.width, .in = {}, .out = {}, .seconds = {}};
  for (const LatencyPoint& point : points) {
    grid.in.push_back(point.in_channels);
    grid.out.push_back(point.out_channels);
    grid.seconds.push_back(point.seconds);
  }
  std::sort(grid.out.begin(), grid.out.end());
  for (auto* axis : {&grid.in, &grid.out}) axis->erase(std::unique(axis->begin(), axis->end()), axis->end());
  for (std::size_t i = 0; i < grid.in.size() * grid.out.size(); ++i) {
    const double in = grid.in[i / grid.out.size()], out = grid.out[i % grid.out.size()];
    require<DataError>(i < points.size() && points[i].in_channels == in && points[i].out_channels == out,
                       "{}: expected a whole grid of channels for {} at {}x{}, got no point of {} to {} channels", names.where,
                       p.key, p.height, p.width, in, out);
  }
  const auto of_key = [&](const Entry& entry) { return entry.key == p.key; };
  Entry& entry = *std::find_if(entries_.begin(), entries_.end(), of_key);
  for (double& in : grid.in) in = entry.whole_in(in);
  for (std::size_t i = 1; i < grid.in.size(); ++i) {
    require<DataError>(grid.in[i - 1] < grid.in[i], "{}: expected input channels of different tiles of {} for {}, got {} twice",
                       names.where, p.in_tile, p.key, grid.in[i]);
  }
  entry.grids.push_back(std::move(grid));
}

inline const LatencyTable::Entry& LatencyTable::find(const LatencyKey& key, std::string_view layer) const {
  const auto of_key = [&](const Entry& entry) { return entry.key == key; };
  const auto found = std::find_if(entries_.begin(), entries_.end(), of_key);
  if (found != entries_.end()) return *found;
  std::string known, nearest;
  for (const Entry& entry : entries_) {
    const std::string differs = key.differences(entry.key);
    const auto count = [](const std::string& text) { return std::count(text.begin(), text.end(), ','); };
    if (nearest.empty() || count(differs) < count(nearest)) nearest = differs;
    known += (known.empty() ? "" : "; ") + entry.key.to_string();
  }
  fail<DataError>("LatencyTable: expected a measurement of {} for layer '{}', got those of: {}; the nearest has {}; {}", key,
                  layer, known, nearest, hint);
}

inline void LatencyTable::check_range(const Grid& grid, const Asked& asked, const std::vector<double>& axis, double value) {
  // Sums of masks in float may end a hair beyond.
  const bool inside = value >= axis.front() * (1 - 1e-6) && value <= axis.back() * (1 + 1e-6);
  require<DataError>(inside, "LatencyTable: expected {} to {} {} for layer '{}' ({} at {}x{}), got {}; {}", axis.front(),
                     axis.back(), asked.axis, asked.layer, asked.key, grid.height, grid.width, value, hint);
}

inline std::vector<LatencyTable::Corner> LatencyTable::corners(const Entry& entry, const Asked& asked, double height,
                                                               double width) {
  // The measured sizes next to the one asked for, and what each weighs.
  struct Side {
    int at;
    double weight;
  };
  const auto around = [&](int Grid::*side, double at) {
    int below = 0, above = std::numeric_limits<int>::max();
    for (const Grid& grid : entry.grids) {
      if (grid.*side <= at) below = std::max(below, grid.*side);
      if (grid.*side >= at) above = std::min(above, grid.*side);
    }
    const double part = above == below ? 0 : (at - below) / (double(above) - below);
    return std::array{Side{below, 1 - part}, Side{above, part}};
  };
  std::vector<Corner> corners;
  bool complete = true;
  for (const Side& h : around(&Grid::height, height)) {
    for (const Side& w : around(&Grid::width, width)) {
      if (h.weight * w.weight == 0) continue;
      const auto fits = [&](const Grid& grid) { return grid.height == h.at && grid.width == w.at; };
      const auto grid = std::find_if(entry.grids.begin(), entry.grids.end(), fits);
      complete = complete && grid != entry.grids.end();
      if (complete) corners.push_back({&*grid, h.weight * w.weight});
    }
  }
  if (complete) return corners;
  std::string sizes;
  for (const Grid& grid : entry.grids) sizes += format("{}{}x{}", sizes.empty() ? "" : ", ", grid.height, grid.width);
  fail<DataError>(
      "LatencyTable: expected the size {}x{} of layer '{}' ({}) to be one of the measured ones, or four of them around it; "
      "got measurements at {}; {}",
      height, width, asked.layer, asked.key, sizes, hint);
}

}  // namespace siena
