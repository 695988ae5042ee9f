// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: an optimizer needs `std::string to_string\(\) const`, a text with every option
#include "siena/train/trainer.hpp"

struct Drift {
  double lr = 0.1;
#ifdef CONTROL
  std::string to_string() const { return siena::format("drift, lr {}", lr); }
#endif
  void update(const siena::OptimizerStep& step) const {
    for (float& value : step.value) value -= static_cast<float>(step.lr);
  }
};

const siena::FitOptions options{.optimizer = Drift{}};
