// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/csv.hpp"
#include "siena/cost/description.hpp"

namespace siena {

/// Layers that a device computes alike, but for their channels and the size of their image.
struct LatencyKey {
  /// The name of the kind, or the operation where the layer says one: "conv2d", "linear", "relu", "max_pool", "upsample", ...
  std::string operation = {};
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int groups = 1;      ///< of a convolution that is not depthwise
  int multiplier = 1;  ///< of a depthwise one

  auto operator<=>(const LatencyKey&) const = default;

  std::string to_string() const {
    std::string text = operation;
    if (kernel_height * kernel_width * stride_height * stride_width != 1) text += format(" {}x{}", kernel_height, kernel_width);
    if (stride_height * stride_width != 1) text += format(" stride {}x{}", stride_height, stride_width);
    if (groups != 1) text += format(" groups {}", groups);
    if (multiplier != 1) text += format(" multiplier {}", multiplier);
    return text;
  }

  /// What `measured` has otherwise: "stride 1x1 instead of 2x2, groups 1 instead of 4".
  std::string differences(const LatencyKey& measured) const {
    std::string text;
    const auto add = [&](const std::string& what, const std::string& got, const std::string& expected) {
      if (got != expected) text += format("{}{}{} instead of {}", text.empty() ? "" : ", ", what, got, expected);
    };
    const auto size = [](int height, int width) { return format("{}x{}", height, width); };
    add("", measured.operation, operation);
    add("kernel ", size(measured.kernel_height, measured.kernel_width), size(kernel_height, kernel_width));
    add("stride ", size(measured.stride_height, measured.stride_width), size(stride_height, stride_width));
    add("groups ", std::to_string(measured.groups), std::to_string(groups));
    add("multiplier ", std::to_string(measured.multiplier), std::to_string(multiplier));
    return text;
  }
};

/// What a layer is looked up as in a LatencyTable.
template <class N>
struct LatencyQuery {
  LatencyKey key;
  N in_channels = 1;  ///< 1 where the output has as many: everything but conv2d, linear and custom layers
  N out_channels = 1;
  N height = 1, width = 1;  ///< of the output; of a global pool those of the input
};

/// Whoever measures a layer files it under this, so that it is found again; slices of bits each by themselves. Empty for what
/// takes no time on a device: batch norms that fold, flattens, dropouts, fake quantisers, mixtures of branches. Whether there
/// is a bias, padding, dilation and bit widths are not told apart. Throws DataError for a layer whose kernel has masked
/// elements, of which no kernel makes use.
template <class N>
std::optional<LatencyQuery<N>> latency_query(const LayerDesc<N>& layer) {
  using enum LayerKind;
  require<DataError>(layer.dense(),
                     "latency_query: expected '{}' to have its whole kernel, got masked elements; measured times cannot price "
                     "them, cycles of a formula can",
                     layer.name);
  const bool gone = layer.kind == flatten || layer.kind == mixture || (layer.kind == batch_norm && layer.batch_norm_folded) ||
                    (layer.kind == activation && (layer.operation == "dropout" || layer.operation == "fake_quantize"));
  if (gone) return std::nullopt;
  LatencyQuery<N> query{.key = {.operation = layer.operation.empty() ? std::string(name_of(layer.kind)) : layer.operation},
                        .out_channels = layer.filters(),
                        .height = layer.out_height,
                        .width = layer.out_width};
  if (layer.operation == "global_avg_pool") {
    query.height = layer.in_height, query.width = layer.in_width;
  } else if (layer.is_convolution() || layer.kind == pool) {
    query.key.kernel_height = layer.kernel_height, query.key.kernel_width = layer.kernel_width;
    query.key.stride_height = layer.stride_height, query.key.stride_width = layer.stride_width;
    query.key.groups = static_cast<int>(std::lround(value_of(layer.groups))), query.key.multiplier = layer.multiplier;
  }
  if (layer.kind == conv2d || layer.kind == linear || layer.kind == other) query.in_channels = layer.in_channels;
  return query;
}

/// A measured layer. `tile` and `in_tile`, the same for all points of a key: the device computes output channels in groups of
/// so many, and takes the inputs of a row of the kernel (its width times the input channels) in groups of so many, so that
/// layers in between take as long as the next whole group.
struct LatencyPoint {
  LatencyKey key = {};
  int height = 1, width = 1;
  double in_channels = 1, out_channels = 1;
  double seconds = 0;
  int tile = 1, in_tile = 1;

  auto operator<=>(const LatencyPoint&) const = default;
};

/// How points are called in errors: "LatencyTable: point 1", or by the lines of a file.
struct PointNames {
  std::string where = "LatencyTable";
  std::string_view item = "point";
  std::vector<std::size_t> lines = {};  // of each point; none: they are numbered from 1

  std::string operator()(std::size_t index) const {
    return format("{}, {} {}", where, item, lines.empty() ? index + 1 : lines[index]);
  }
};

/// What was measured of each point: the name of its column in files, and its unit. Beside times there may be energies, ...
struct MeasuredColumn {
  std::string name = "seconds", unit = "s";
};

namespace detail {
inline constexpr std::string_view latency_columns[] = {"operation",    "kernel_height", "kernel_width", "stride_height",
                                                       "stride_width", "groups",        "multiplier",   "tile",
                                                       "height",       "width",         "in_channels",  "out_channels"};
inline constexpr std::string_view in_tile_column = "in_tile";  ///< left out where all are 1
inline bool have_in_tiles(std::span<const LatencyPoint> points) {
  return std::any_of(points.begin(), points.end(), [](const LatencyPoint& p) { return p.in_tile != 1; });
}

/// The shortest text that reads back as the same number, in every locale.
template <class T>
std::string shortest(T value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// The line of column names, and that of a point, as far as what was measured.
inline std::string latency_header(const MeasuredColumn& column, bool in_tiles) {
  std::string text;
  for (const std::string_view name : latency_columns) text += std::string(name) + ",";
  if (in_tiles) text += std::string(in_tile_column) + ",";
  return text + csv_text(column.name) + "\n";
}
inline std::string latency_line(const LatencyPoint& p, bool in_tiles) {
  std::string text = p.key.operation;
  for (const int number : {p.key.kernel_height, p.key.kernel_width, p.key.stride_height, p.key.stride_width, p.key.groups,
                           p.key.multiplier, p.tile, p.height, p.width}) {
    text += "," + shortest(number);
  }
  for (const double number : {p.in_channels, p.out_channels}) text += "," + shortest(number);
  if (in_tiles) text += "," + shortest(p.in_tile);
  return text + ",";
}
}  // namespace detail

}  // namespace siena
