// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: an optimizer needs a member `double lr`, its learning rate
#include "siena/train/trainer.hpp"

struct Drift {
#ifdef CONTROL
  double lr = 0.1;
#else
  float rate = 0.1f;
#endif
  std::string to_string() const { return "drift"; }
  void update(const siena::OptimizerStep& step) const {
    for (float& value : step.value) value -= 0.1f;
  }
};

const siena::FitOptions options{.optimizer = Drift{}};
