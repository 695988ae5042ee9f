// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/constraints/constraint.hpp"
#include "siena/cost/params.hpp"
#include "siena/space/searchable.hpp"

/// A convolution whose channels may vary.
inline siena::Searchable<siena::Conv2d, siena::Channels> conv(int out, int kernel = 3, int minimum = 1) {
  return {siena::Conv2d{.out = out, .kernel = kernel}, siena::Channels{.minimum = minimum}};
}

/// A constraint from below: so many weights at least.
struct AtLeast {
  double floor;
  std::string_view name() const { return "capacity"; }
  template <class N>
  N violation(const siena::Architecture<N>& network) const {
    return N(1.0) - total(siena::Params{}, network) / floor;
  }
};
