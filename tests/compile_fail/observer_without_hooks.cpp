// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: an observer needs at least one of `void on_phase\(const PhaseEvent&\)`, `void on_step\(const StepEvent&\)`, `void on_epoch\(const EpochEvent&\)` and `void on_phase_end\(const PhaseEvent&\)`
#include "siena/train/events.hpp"

struct Mine {
#ifdef CONTROL
  void on_epoch(const siena::EpochEvent&) {}
#else
  void hear(const siena::StepEvent&) {}
#endif
};

int main() { siena::Observers observers(Mine{}); }
