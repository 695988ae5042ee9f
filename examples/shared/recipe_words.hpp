// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What --dry-run says of how a network will be trained.

#include <siena/data.hpp>
#include <siena/train.hpp>
#include <string>

#include "command_line.hpp"
#include "say.hpp"

namespace siena::examples {

namespace detail {
inline void say_phase(const char* name, int epochs, const PhaseRecipe& recipe) {
  say(stdout, "{}: {} epochs, {}, {}", name, epochs, recipe.optimizer.to_string(), recipe.schedule.to_string());
}
inline void say_search(const Recipe& r) {
  say(stdout, "architecture: {}, masks by {}, {}, {}", r.architecture.to_string(),
      r.space.masks.secant ? "what channels are worth" : "straight-through gradients",
      r.settle < 1 ? format("settled {} exchanges after {} of the search", r.exchange ? "with" : "without", r.settle)
                   : "moving to the end",
      r.lead < 1 ? format("limits coming near after {} of that", r.lead) : "limits at once");
  if (r.patience > 0)
    say(stdout, "patience: {} epochs of the search, from {} of it on, {} of the fine-tuning", r.patience, r.patience_from,
        r.finetune_patience);
}
}  // namespace detail

inline void say_recipe(const Settings& s, const Objective& objective) {
  const Recipe& r = s.recipe;
  say(stdout, "preset {}, method {}, formulation {}, batch {}, augmentation: {}", s.preset, s.method, s.formulation, r.batch,
      data::to_string(r.augment));
  say(stdout, "objective: {}", objective.settings);
  const auto [w, se, f] = r.epochs;
  if (s.searches()) {
    detail::say_phase("warm-up", w, r.warmup);
    detail::say_phase("search", se, r.search);
    detail::say_phase("fine-tuning", f, r.finetune);
    detail::say_search(r);
  } else {
    detail::say_phase("training", w + se + f, r.warmup);
  }
  if (s.int8.aware()) detail::say_phase("integers", s.int8.epochs, s.int8_recipe());
  if (r.clip > 0) say(stdout, "gradients of weights no longer than {}", r.clip);
  if (r.ema > 0) say(stdout, "weights averaged with a decay of {}", r.ema);
  if (!r.note.empty()) say(stdout, "{}", r.note);
}

}  // namespace siena::examples
