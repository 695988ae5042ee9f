// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "siena/cost/code_parts.hpp"
#include "siena/cost/code_size.hpp"

namespace siena {

/// Bytes that functions take more where weights are packed than `CodeSize` has for what they are made of. By hand, from some
/// hundred layers of any make and the networks of the benchmarks: none of them takes more.
struct PackedCode {
  double call, shared;              ///< more for a call; of what takes weights out, once
  double function, codes;           ///< of a function that calls that; where its filters differ in bits
  double pair, sum, apart;          ///< of a pair of inputs and a sum that are written out; where taps do not lie side by side
  double place, rows;               ///< for each width where filters differ; less for all but one where rows go into a ring
  double stack;                     ///< bytes of a run, at least
  double more_stack, differ_stack;  ///< of a function; where its filters differ

  /// Of the function of a layer that packs, and is made of `parts`.
  double bytes_of(const LayerDesc<double>& layer, const CodeParts& parts, const CodeSize& code) const {
    if (parts.packed.calls) return code.function(parts) + function + (parts.packed.differ ? codes : 0);
    if (!parts.packed.differ) return written_out(parts, code);
    const double once = layer.kernel_height > 1 ? rows : 0;
    double bytes = once;
    for (const auto& [bits, filters] : packed_widths(layer, code.target))
      bytes += written_out(code_parts(layer.slice(filters, bits), code.target, true), code) + place - once;
    return bytes;
  }
  double stack_of(const CodeParts& parts, const CodeSize& code) const {
    return code.function_stack(parts) + (parts.packed.differ ? differ_stack : more_stack) + parts.packed.taps;
  }

 private:
  double written_out(const CodeParts& parts, const CodeSize& code) const {
    return code.function(parts) + pair * parts.packed.pairs + sum * parts.packed.sums +
           (parts.kind == CodeKind::apart ? apart : 0);
  }
};

inline constexpr PackedCode packed_portable{.call = 12,
                                            .shared = 490,
                                            .function = 20,
                                            .codes = 40,
                                            .pair = 0,
                                            .sum = 0,
                                            .apart = 0,
                                            .place = 0,
                                            .rows = 0,
                                            .stack = 232,
                                            .more_stack = 64,
                                            .differ_stack = 64};
inline constexpr PackedCode packed_cortex_m{.call = 12,
                                            .shared = 80,
                                            .function = 80,
                                            .codes = 80,
                                            .pair = 8,
                                            .sum = 10,
                                            .apart = 70,
                                            .place = 15,
                                            .rows = 120,
                                            .stack = 272,
                                            .more_stack = 16,
                                            .differ_stack = 72};

}  // namespace siena
