// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "siena/cost/as_deployed.hpp"
#include "siena/cost/code_sizes.hpp"
#include "siena/cost/cost_model.hpp"
#include "siena/cost/packed_code.hpp"
#include "siena/cost/peak_memory.hpp"

namespace siena {

/// By which rules values share memory in the C of a target.
constexpr ArenaRules arena_rules(CTarget target) { return target == CTarget::portable ? arena_siena : arena_cortex_m; }

/// Bytes of RAM in which a network runs as the C of deploy::c_source: the arena, with what functions work in, where the values
/// lie as they do there, and the stack of a run by what was measured. Left out: what is not the network's.
struct Ram {
  CodeSize code = code_portable;

  std::string_view name() const { return "ram"; }
  std::string_view unit() const { return "B"; }
  std::string to_string() const {
    return format("{}, {}, {}", name(), code.target == CTarget::portable ? "portable" : "cortex-m", code.measured_with);
  }

  template <class N>
  N arena(const Architecture<N>& network) const {
    return PeakMemory{arena_rules(code.target)}.network_cost(as_deployed(network));
  }
  template <class N>
  N network_cost(const Architecture<N>& network) const {
    return arena(network) + stack(convert<double>(network));
  }
  /// Bytes of the stack while the network runs: of the run, and of the function that takes the most.
  double stack(const Architecture<double>& network) const {
    std::array<bool, CodeSize::kinds> called{};
    const PackedCode& packing = code.target == CTarget::portable ? packed_portable : packed_cortex_m;
    double most = 0, packed = 0;
    for (const auto& layer : as_deployed(network).layers) {
      const CodeParts parts = code_parts(layer, code.target);
      if (parts.kind == CodeKind::none || layer.presence == 0) continue;
      called[CodeSize::at(parts.kind)] = true;
      if (parts.packed.any) packed = packing.stack;
      most = std::max(most, parts.packed.any ? packing.stack_of(parts, code) : code.function_stack(parts));
    }
    for (std::size_t k = 0; k < called.size(); ++k) most += called[k] ? code.call_stack[k] : 0.0;
    return std::max(packed, std::ceil((code.run_stack + most) / 4) * 4);
  }
};
static_assert(CostModel<Ram>);

}  // namespace siena
