// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "siena/nn/network.hpp"

// Which elements stay of the tensors of a single layer.

namespace siena {

/// Neighbouring columns that stay.
struct ColumnRun {
  std::int64_t begin = 0, count = 0;
};

/// What stays of a tensor: the kept columns of the kept rows, which count `period`
/// input channels over and over, once for each tap of a kernel.
struct TensorCut {
  int wide = 0, narrow = 0;  // which tensor of the one network is which of the other
  std::int64_t period = 1;
  std::vector<std::int64_t> rows{};
  std::vector<ColumnRun> columns{};
  std::vector<std::int64_t> taps{};  // those that stay; all where there are none
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
}  // namespace detail

}  // namespace siena
