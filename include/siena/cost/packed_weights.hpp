// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "siena/cost/code_target.hpp"
#include "siena/cost/description.hpp"

// How weights of few bits lie in flash.

namespace siena {

/// Bits that a weight of `bits` takes: 2, 4 or 8, which fill a byte. The slope is that of the secants between these.
template <class N>
N packed_bits(const N& bits) {
  const double exact = value_of(bits);
  return with_slope(bits, exact <= 0 ? 0 : exact <= 2 ? 2 : exact <= 4 ? 4 : 8, 1);
}

/// The filters of a layer by the bits that their weights take, those of most first; of groups all take what the widest does,
/// where `whole_groups` says so. Widths without filters are left out, but for those that a search may fill.
template <class N>
std::vector<BitSlice<N>> packed_slices(const LayerDesc<N>& layer, bool whole_groups) {
  if (layer.slices.empty()) return {{.bits = packed_bits(layer.weight_bits), .filters = layer.filters()}};
  std::vector<BitSlice<N>> result;
  for (const double width : {8.0, 4.0, 2.0}) {
    N filters = 0, bits = 0;
    bool there = false;
    for (const BitSlice<N>& slice : layer.slices) {
      const N taken = packed_bits(slice.bits);
      if (value_of(taken) == width) filters += slice.filters, bits += taken * slice.filters, there = true;
    }
    if (there) result.push_back({.bits = value_of(filters) > 0 ? N(bits / filters) : N(width), .filters = filters});
  }
  if (!whole_groups || value_of(layer.groups) == 1 || layer.kind == LayerKind::depthwise_conv2d) return result;
  N bits = 0;  // 1 filter of a width takes all others to it
  for (std::size_t s = 0; s < result.size(); ++s) {
    const N wider = s + 1 < result.size() ? result[s].bits - result[s + 1].bits : result[s].bits;
    N above = 0;
    for (std::size_t k = 0; k <= s; ++k) above += result[k].filters;
    bits += wider * min_of(1.0, above);
  }
  return {{.bits = bits, .filters = layer.filters()}};
}

/// Those that some filters have, in the C of a target.
inline std::vector<BitSlice<double>> packed_widths(const LayerDesc<double>& layer, CTarget target) {
  std::vector<BitSlice<double>> slices = packed_slices(layer, target == CTarget::cortex_m);
  std::erase_if(slices, [](const auto& slice) { return slice.filters <= 0 || slice.bits <= 0; });
  return slices;
}
/// Whether some weights of a layer take less than a byte.
inline bool packs(const LayerDesc<double>& layer, CTarget target) {
  const auto widths = layer.has_weights() ? packed_widths(layer, target) : std::vector<BitSlice<double>>();
  return !widths.empty() && widths.back().bits < 8;
}

}  // namespace siena
