// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "shared.hpp"

double other(const siena::Network& network) {
  return siena::total(Energy{.joules_per_mac = 3, .joules_per_byte = 0}, siena::describe(network));
}
