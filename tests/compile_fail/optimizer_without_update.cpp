// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: an optimizer needs `void update\(const OptimizerStep& step\) const`
#include "siena/train/trainer.hpp"

struct Drift {
  double lr = 0.1;
  std::string to_string() const { return siena::format("drift, lr {}", lr); }
#ifdef CONTROL
  void update(const siena::OptimizerStep& step) const {
#else
  void update(siena::OptimizerStep& step) {
#endif
      for (float& value
           : step.value) value -= static_cast<float>(step.lr);
}
}
;

const siena::FitOptions options{.optimizer = Drift{}};
