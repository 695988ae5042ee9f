// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

namespace siena {

/// How masks behave; the defaults are those of siena's search.
struct MaskOptions {
  double threshold = 0.5;  ///< a channel is on where its alpha is larger
  /// How the task's gradient crosses the step: by the chord between on and off (what the channel is
  /// worth), or the tangent as in the paper ("straight-through").
  bool secant = true;
  /// Memory of the estimate of what a channel is worth: weight of the past in a running mean over steps.
  double decay = 0.99;
};

/// How the weights of a choice's alternatives follow from its alphas in training. Evaluation always takes the alternative with
/// the largest alpha, which is what a search hands back.
enum class Sampling {
  softmax,      ///< softmax(alpha / temperature): every alternative is computed, and their outputs are mixed
  gumbel,       ///< softmax((alpha + g) / temperature) with Gumbel noise g: mixed, near a sample at low temperatures
  hard_gumbel,  ///< the largest of these, straight-through: only that alternative is computed (GDAS, arXiv 1910.04465)
  argmax,       ///< the largest alpha, straight-through: only that alternative is computed
  score  ///< a sample of softmax(alpha): only that is computed; alpha learns from the loss itself (REINFORCE, Williams 1992)
};

/// How choices behave.
struct ChoiceOptions {
  /// The straight-through slope of a sampled alternative asks how the loss changes with the scale of its output, which a batch
  /// norm behind it takes away; the score asks whether the loss is lower than usual when it is taken.
  Sampling sampling = Sampling::score;
  /// The temperature in epoch e of the search is max(temperature exp(-cooling e), lowest_temperature).
  double temperature = 1;
  double cooling = 0.05;            ///< how fast the temperature falls, per epoch
  double lowest_temperature = 0.1;  ///< where it ends
  /// Weight of mean(p)^2 / (var(p) + 1e-3), summed over the choices, which pushes them towards one alternative (0.5 in the
  /// scripts of arXiv 2310.07217, where they do not sample).
  double one_hot_penalty = 0;

  double temperature_at(double epoch) const { return std::max(temperature * std::exp(-cooling * epoch), lowest_temperature); }
};

struct SpaceOptions {
  MaskOptions masks = {};      ///< of channels and taps
  ChoiceOptions choices = {};  ///< of alternatives
};

}  // namespace siena
