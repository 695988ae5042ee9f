// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "siena/core/tensor.hpp"

namespace siena {

/// What a parameter decides: the function that a network computes, or which network it is.
enum class Role { weight, architecture };

/// A trainable tensor. The reverse pass adds to `grad` (of the same shape); an optimizer reads it and changes `value`.
template <class T>
struct BasicParameter {
  BasicParameter() = default;
  BasicParameter(std::string its_name, BasicTensor<T> its_value, Role its_role = Role::weight, bool decays = true)
      : name(std::move(its_name)), value(std::move(its_value)), grad(value.shape()), role(its_role), decay(decays) {}

  void zero_grad() { grad.fill(T(0)); }

  std::string name;
  BasicTensor<T> value;
  BasicTensor<T> grad;
  Role role = Role::weight;
  /// Whether weight decay applies: it does to the weights of convolutions and linear layers, not to biases and norms.
  bool decay = true;
};

using Parameter = BasicParameter<float>;

}  // namespace siena
