// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a user writes: a cost model and a constraint of their own, and a network.

#include <siena/cost/latency_table_csv.hpp>
#include <siena/siena.hpp>
#ifdef HAS_ONNX  // find_package gave the component
#include <siena/deploy/onnx.hpp>
#endif

struct Energy {
  double joules_per_mac, joules_per_byte;
  std::string_view name() const { return "energy"; }
  auto layer_cost(const auto& layer) const {
    return layer.macs() * joules_per_mac + layer.weights() * layer.weight_bits * (joules_per_byte / 8);
  }
};
struct AtLeast {
  double floor;
  std::string_view name() const { return "capacity"; }
  template <class N>
  N violation(const siena::Architecture<N>& net) const {
    return N(1.0) - total(siena::Params{}, net) / floor;
  }
};
static_assert(siena::CostModel<Energy> && siena::Constraint<AtLeast>);

// What the board's measured times allow.
inline siena::ConstraintSet board_bounds(const char* table) {
  using namespace siena;
  return subject_to(MemoryBound{64_KiB}, LatencyBound{load_latency_csv(table), 5_ms});
}

inline siena::Network small_network() {
  using namespace siena;
  return Network({4, 4, 3}, [](const Flow& x) {
    return x | Searchable{Conv2d{.out = 16, .kernel = 3}, Channels{}} | BatchNorm{} | Relu{} | GlobalAvgPool{} |
           Linear{.out = 4};
  });
}

double other(const siena::Network& network);
/// Whether every reader of files that there is refuses a folder that is not there.
bool other_files_refused();
