// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "siena/core/units.hpp"
#include "siena/cost/cost_model.hpp"

namespace siena {

/// How long one inference takes: the cycles of `model`, divided by its clock. Throws ArgumentError where the clock was not
/// given.
template <class M, class N>
N seconds(const M& model, const Architecture<N>& network) {
  constexpr bool has_clock = requires { model.clock.value; };
  static_assert(has_clock, "siena: seconds needs a cost model that counts cycles, with a member `Hertz clock`");
  if constexpr (has_clock) {
    require<ArgumentError>(std::isfinite(model.clock.value) && model.clock.value > 0,
                           "seconds: expected '{}' to have a clock, got {} Hz; write e.g. {{.clock = 100_MHz}}", model.name(),
                           model.clock.value);
    return total(model, network) / model.clock.value;
  } else {
    return 0;
  }
}

}  // namespace siena
