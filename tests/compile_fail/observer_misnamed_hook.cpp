// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: one of this observer's has another name and would never be called
#include "siena/train/events.hpp"

// Has a hook that fits, and one that is misspelt.
struct Mine {
  void on_step(const siena::StepEvent&) {}
#ifdef CONTROL
  void on_epoch(const siena::EpochEvent&) {}
#else
  void on_epoch_end(const siena::EpochEvent&) {}
#endif
};

int main() {
  Mine mine;
  siena::Observers observers(std::ref(mine));
}
