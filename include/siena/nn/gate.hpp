// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "siena/nn/layer.hpp"

namespace siena {

/// The hook by which the rooms above alter what a layer computes: a gate turns the layer's first parameter, its weights, into
/// those that are used. Gates are immutable and name parameters by their index, so that copies of a network share them.
class Gate {
 public:
  virtual ~Gate() = default;
  virtual Var apply(Forward& forward, const Var& weight) const = 0;
};

}  // namespace siena
