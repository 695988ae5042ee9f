// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: an optimizer needs `void update\(const OptimizerStep& step\) const`
#include "siena/train/trainer.hpp"

#ifdef CONTROL
#define STEP const siena::OptimizerStep&
#define CONST const
#else
#define STEP siena::OptimizerStep&
#define CONST
#endif

struct Drift {
  double lr = 0.1;
  std::string to_string() const { return siena::format("drift, lr {}", lr); }
  void update(STEP step) CONST {
    for (float& value : step.value) value -= static_cast<float>(step.lr);
  }
};

const siena::FitOptions options{.optimizer = Drift{}};
