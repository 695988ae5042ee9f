// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "siena/cost/clock.hpp"
#include "siena/cost/packed_weights.hpp"

namespace siena {

/// Clock cycles on MPIC, a RISC-V core with mixed-precision SIMD: MACs divided by the measured MACs per cycle (PLiNIO's table,
/// after Ottavi et al.):
///   input bits \ weight bits    0      2    4    8
///   2                         free   6.5  4.0  2.2
///   4                         free   3.9  3.5  2.1
///   8                         free   2.5  2.3  2.1
/// Numbers of 3 bits run as those of 4, of 5 to 7 as those of 8 (`packed_bits`), with the slopes of the secants; filters of
/// several widths are slices (LayerDesc::slices). Throws ArgumentError for input bits outside of [2, 8] and weight bits outside
/// of [0, 8]. Left out: biases, and layers without weights. Custom layers pay for the MACs that they say they take. For times
/// see `seconds`; `MpicEnergy` is the energy.
struct Mpic {
  Hertz clock = {};  ///< for bounds in time; one in cycles needs none

  std::string_view name() const { return "mpic"; }
  std::string_view unit() const { return "cycles"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    if (!layer.has_weights() && layer.kind != LayerKind::other) return 0;
    return layer.macs() * cycles_per_mac(layer.input_bits, layer.weight_bits);
  }

  template <class N>
  static N cycles_per_mac(const N& any_input_bits, const N& any_weight_bits) {
    constexpr std::array widths{2.0, 4.0, 8.0};
    constexpr std::array weight_widths{0.0, 2.0, 4.0, 8.0};
    constexpr std::array<std::array<double, 4>, 3> cycles{
        {{0, 1 / 6.5, 1 / 4.0, 1 / 2.2}, {0, 1 / 3.9, 1 / 3.5, 1 / 2.1}, {0, 1 / 2.5, 1 / 2.3, 1 / 2.1}}};
    const N input_bits = packed_bits(any_input_bits), weight_bits = packed_bits(any_weight_bits);
    const double in = value_of(any_input_bits), weights = value_of(any_weight_bits);
    require<ArgumentError>(in >= 2 && in <= 8 && weights >= 0 && weights <= 8,
                           "Mpic: expected 2 to 8 input bits and 0 to 8 weight bits, got {} and {}", in, weights);
    const std::size_t right = in <= 4 ? 1 : 2;
    const double span = widths[right] - widths[right - 1];
    const N share = (input_bits - widths[right - 1]) / span;  // of the row on the right
    return interpolate<N>(weight_widths, cycles[right - 1], weight_bits) * (N(1) - share) +
           interpolate<N>(weight_widths, cycles[right], weight_bits) * share;
  }
};
static_assert(CostModel<Mpic>);

/// Energy on MPIC: its cycles at 250 MHz and 5.38 mW, the mean of four published measurements, which is 21.53 pJ a cycle.
struct MpicEnergy {
  std::string_view name() const { return "mpic energy"; }
  std::string_view unit() const { return "uJ"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    return Mpic{}.layer_cost(layer) * 21.53e-6;
  }
};
static_assert(CostModel<MpicEnergy>);

}  // namespace siena
