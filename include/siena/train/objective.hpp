// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "siena/autograd/ops/loss.hpp"
#include "siena/core/random.hpp"
#include "siena/core/state.hpp"
#include "siena/data/dataset.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/alternation.hpp"
#include "siena/train/metrics.hpp"

namespace siena {

/// What an objective sees of one batch. While channels are searched, `loss` gets the network of those that are on, whose
/// parameters are others once masks have changed; the other hooks get the whole one. `mode` is training in the steps of a fit,
/// and inference when the network is evaluated: then the tape records nothing.
struct StepContext {
  Network& network;
  Tape& tape;
  const data::Batch& batch;
  Mode mode = Mode::training;
  double epoch = 0;  ///< how far the phase has come, in epochs: 2.5 in the middle of the third
  int epochs = 0;
  std::int64_t step = 0;   ///< steps of the phase before this one
  std::int64_t steps = 0;  ///< of the whole phase
  Random random{};         ///< belongs to (seed, step)
  Turn turn = Turn::both;

  /// The network's outputs for the batch.
  Var forward() { return network.forward(tape.reference(batch.inputs), mode, random); }
};

/// What is minimised: task + penalty.
struct Loss {
  Var task = {};
  Scalar penalty = 0.0;  ///< on the tape's scalars; not looked at when the network is evaluated
  Var output = {};       ///< N x classes, from which the accuracy is counted; none: there is no accuracy

  double task_value() const {
    require<ArgumentError>(task && task.value().elements() == 1, "Objective: expected a task loss of one number, got {}",
                           task ? task.shape().to_string() : "none");
    return static_cast<double>(*task.value().data());
  }
  /// How many samples of the batch have their largest output at the label; -1 where there is no output or no label.
  std::int64_t correct(const data::Batch& batch) const {
    return output && !batch.labels.empty() ? count_correct(output.value(), batch.labels) : -1;
  }
};

/// Which loss a training minimises. `loss` is also what a network is evaluated by. `before_update`, if
/// any, is called when the gradients of a step are there (it may change them), `after_step` after each
/// update of the parameters, with the gradients still in place. An objective that remembers more than the network does saves
/// and loads it for checkpoints; the network is loaded before it.
struct Objective {
  std::function<Loss(StepContext&)> loss;
  std::function<void(StepContext&)> before_update = {};
  std::function<void(StepContext&)> after_step = {};
  std::function<void(State&, const std::string& prefix)> save = {};
  std::function<void(const State&, const std::string& prefix)> load = {};
};

/// Cross entropy of the outputs with the labels. Smoothing moves a part of each target to all classes alike, in training only.
inline Objective classification(double label_smoothing = 0) {
  require<ArgumentError>(label_smoothing >= 0 && label_smoothing < 1, "classification: expected a smoothing in [0, 1), got {}",
                         label_smoothing);
  return {.loss = [label_smoothing](StepContext& step) {
    require<DataError>(
        !step.batch.labels.empty(),
        "classification: expected labelled samples, got none with a label; for data without labels see reconstruction()");
    const Var logits = step.forward();
    const double smoothing = step.mode == Mode::training ? label_smoothing : 0;
    return Loss{.task = ops::cross_entropy<float>(logits, step.batch.labels, smoothing), .output = logits};
  }};
}

/// Mean squared error between the outputs and the inputs: an autoencoder.
inline Objective reconstruction() {
  return {.loss = [](StepContext& step) {
    const Var inputs = step.tape.reference(step.batch.inputs);
    return Loss{.task = ops::mean_squared_error<float>(step.forward(), inputs)};
  }};
}

}  // namespace siena
