// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a latency bound in cycles needs a cost model that counts cycles
#include "siena/constraints/bound.hpp"

struct Stopwatch {
  std::string_view name() const { return "stopwatch"; }
#ifdef CONTROL
  siena::Hertz clock = {};
#endif
  auto layer_cost(const auto& layer) const { return layer.macs() * 1e-9; }
};

const siena::LatencyBound bound{Stopwatch{}, siena::Cycles{1e6}};
