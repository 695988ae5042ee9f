// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: siena: seconds needs a cost model that counts cycles, with a member `Hertz clock`
#include "siena/cost.hpp"

#ifdef CONTROL
constexpr siena::Gap8 model{.clock = {1e8}};
#else
constexpr siena::Macs model;
#endif

double latency() { return siena::seconds(model, siena::Architecture<double>{}); }
