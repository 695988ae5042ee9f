// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/axis.hpp"

// Which elements stay of the tensors of a single layer.

namespace siena {

/// What stays of a tensor: the kept columns of the kept rows, which count `period`
/// input channels over and over, once for each tap of a kernel.
struct TensorCut {
  int wide = 0, narrow = 0;  // which tensor of the one network is which of the other
  std::int64_t period = 1;
  std::vector<std::int64_t> rows{};
  std::vector<ColumnRun> columns{};
  std::vector<std::int64_t> taps{};  // those that stay; all where there are none
  bool measures = false;             // a buffer of what a search measures in a step
};

namespace detail {
inline std::vector<ColumnRun> runs_of(std::span<const std::int64_t> positions) {
  std::vector<ColumnRun> runs;
  for (const std::int64_t p : positions) {
    if (runs.empty() || runs.back().begin + runs.back().count != p) runs.push_back({.begin = p});
    ++runs.back().count;
  }
  return runs;
}

/// What stays of tensor `k` of a layer, its parameters and then its buffers, one like `from`.
inline TensorCut tensor_cut(const Layer& layer, const LayerSite& at, int k, const Tensor& from, const KeptChannels& kept) {
  const TensorAxes axes = tensor_axes(layer, at, k);
  TensorCut cut{.period = from.rows() > 1 ? from.shape()[-2] : 1};
  if (axes.reads) {
    cut.rows.assign(kept.in.begin(), kept.in.end());
  } else {
    cut.rows.resize(static_cast<std::size_t>(cut.period));
    std::iota(cut.rows.begin(), cut.rows.end(), std::int64_t{0});
  }
  cut.columns = axes.makes ? runs_of(kept.out) : std::vector<ColumnRun>{{.begin = 0, .count = from.columns()}};
  return cut;
}

/// A layer has to become what its channels and tensors say: else rows of others would be read and written.
inline void check_narrowed(std::string_view name, std::int64_t channels, std::int64_t kept) {
  require<ArgumentError>(channels == kept,
                         "'{}': expected `narrowed` to make a layer of the {} channels that stay, got one of {}; one with "
                         "channels of its own takes their number from `kept.out`",
                         name, kept, channels);
}
inline void check_cut(std::string_view name, const TensorCut& cut, const Tensor& from, const Tensor& to) {
  const auto taps = cut.taps.empty() ? from.rows() / cut.period : static_cast<std::int64_t>(cut.taps.size());
  const std::int64_t rows = static_cast<std::int64_t>(cut.rows.size()) * taps;
  std::int64_t columns = 0;
  for (const ColumnRun& run : cut.columns) columns += run.count;
  require<ArgumentError>(to.rows() == rows && to.columns() == columns,
                         "'{}': expected `narrowed` to make a layer with a tensor of {} rows of {}, which `tensor_axes` leaves "
                         "of {}, got {}",
                         name, rows, columns, from.shape(), to.shape());
}
}  // namespace detail

}  // namespace siena
