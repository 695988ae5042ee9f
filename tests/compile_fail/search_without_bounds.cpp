// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: the third argument of search is what must hold: write `subject_to.MemoryBound.16_KiB..`
#include "siena/constraints/bound.hpp"
#include "siena/search/search.hpp"

using namespace siena;

SearchResult found(const Network& network, const data::Splits& data) {
#ifdef CONTROL
  return search(network, data, {}, Duccio{}, {.epochs = 3});
#else
  return search(network, data, Duccio{}, {.epochs = 3});
#endif
}
