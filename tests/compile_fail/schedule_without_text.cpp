// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a schedule needs `std::string to_string\(\) const`, a text with every option
#include "siena/train/trainer.hpp"

struct Halved {
  double factor(const siena::TrainingProgress& progress) const { return progress.epoch < 5 ? 1 : 0.5; }
#ifdef CONTROL
  std::string to_string() const { return "halved after 5 epochs"; }
#endif
};

const siena::FitOptions options{.schedule = Halved{}};
