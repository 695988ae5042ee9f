// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: the `moments\(\)` of an optimizer is `int moments\(\) const`
#include "siena/train/trainer.hpp"

struct Drift {
  double lr = 0.1;
  std::string to_string() const { return siena::format("drift, lr {}", lr); }
#ifdef CONTROL
  int moments() const { return 1; }
#else
  std::string moments() const { return "velocity"; }
#endif
  void update(const siena::OptimizerStep& step) const {
    for (float& value : step.value) value -= static_cast<float>(step.lr);
  }
};

const siena::FitOptions options{.optimizer = Drift{}};
