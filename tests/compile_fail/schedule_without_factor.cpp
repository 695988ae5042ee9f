// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a schedule needs `double factor\(const TrainingProgress& progress\) const`
#include "siena/train/trainer.hpp"

struct Halved {
#ifdef CONTROL
  double factor(const siena::TrainingProgress& progress) const { return progress.epoch < 5 ? 1 : 0.5; }
#else
  double factor(double epoch, double) const { return epoch < 5 ? 1 : 0.5; }
#endif
  std::string to_string() const { return "halved after 5 epochs"; }
};

const siena::FitOptions options{.schedule = Halved{}};
