// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "siena/autograd/ops/loss.hpp"
#include "siena/core/no_class.hpp"
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
  Network& network;          ///< that is trained or evaluated
  Tape& tape;                ///< on which the step is recorded
  const data::Batch& batch;  ///< its samples
  Mode mode = Mode::training;
  double epoch = 0;           ///< how far the phase has come, in epochs: 2.5 in the middle of the third
  int epochs = 0;             ///< of the phase
  std::int64_t step = 0;      ///< steps of the phase before this one
  std::int64_t steps = 0;     ///< of the whole phase
  Random random{};            ///< belongs to (seed, step)
  Moves moves = Moves::both;  ///< what the step moves
  Var outputs = {};           ///< what `forward` gave
  std::int64_t samples = 0;   ///< of the whole batch, on all ranks; `batch` may be what this one has of it (Batch::whole)
  double task = 0;            ///< loss of the task, a mean over them; there when gradients are

  /// The network's outputs for the batch.
  Var forward() { return outputs = network.forward(tape.reference(batch.inputs), mode, random); }
};

/// What is minimised: task + penalty.
struct Loss {
  Var task = {};         ///< one number, on the tape
  Scalar penalty = 0.0;  ///< on the tape's scalars; not looked at when the network is evaluated
  Var output = {};       ///< N x classes, from which the accuracy is counted; none: the task has no classes, and no accuracy

  double task_value() const {
    require<ArgumentError>(task && task.value().elements() == 1, "Objective: expected a task loss of one number, got {}",
                           task ? task.shape().to_string() : "none");
    return static_cast<double>(*task.value().data());
  }
  /// How many samples of the batch have their largest output at the label, or at the largest target where there are targets
  /// and no labels; -1 where there is neither, or no output.
  std::int64_t correct(const data::Batch& batch) const {
    if (!output || (batch.labels.empty() && batch.targets.empty())) return -1;
    return batch.labels.empty() ? count_correct(output.value(), batch.targets) : count_correct(output.value(), batch.labels);
  }
  /// How many samples of the batch the loss and the accuracy are means over: where there are classes, those that are of one.
  std::int64_t samples(const data::Batch& batch) const {
    return output && !batch.labels.empty() ? batch.labelled() : batch.size();
  }
};

/// Which loss a training minimises. `loss` is also what a network is evaluated by, and changes nothing but what it measures.
/// `before_step`, if any, is called before each step of training, `before_update` when its gradients are there (it may change
/// them), `after_step` after each update of the parameters, with the gradients still in place. An objective that remembers more
/// than the network does saves and loads it for checkpoints; the network is loaded before it.
struct Objective {
  std::function<Loss(StepContext&)> loss = {};
  std::function<void(StepContext&)> before_step = {};
  std::function<void(StepContext&)> before_update = {};
  std::function<void(StepContext&)> after_step = {};
  std::function<void(State&, const std::string& prefix)> save = {};
  std::function<void(const State&, const std::string& prefix)> load = {};
  /// Throws where a network cannot be trained or judged by such samples; asked before training, so that it need not fail late.
  std::function<void(const Network&, const data::Dataset&)> check = {};
  /// All that it depends on, as text: a training goes on from checkpoints of the same objective only.
  std::string settings = {};
};

struct ClassificationOptions {
  /// Part of each target that goes to all classes alike, in training only; in [0, 1).
  double label_smoothing = 0;
  /// How much each class counts in the loss, as data::balanced_weights gives it; none: all the same.
  std::vector<double> class_weights = {};
};

namespace detail {
/// How many samples of the whole batch are of a class, where those of `batch` are on this rank.
inline std::int64_t labelled_samples(const Tape& tape, const data::Batch& batch) {
  const std::int64_t here = batch.labelled();
  if (!tape.shards()) return here;
  const std::int64_t whole = tape.samples(batch.size());
  std::int64_t all = 0;
  for (const std::int64_t there :
       gather(tape.shards()->ranks(), std::vector{tape.shards()->samples_here(whole) > 0 ? here : std::int64_t{0}}))
    all += there;
  return all;
}

/// What the loss of a class is to be counted with, for each sample and class: probabilities times weights, and so much larger
/// as there are samples of no class, whose rows are zeros, that a mean over all rows is one over those that are of a class.
inline Tensor class_targets(const Tape& tape, const data::Batch& batch, const Shape& shape, double smoothing,
                            const std::vector<double>& weights) {
  const bool labelled = !batch.labels.empty(), soft = !batch.targets.empty();
  const std::int64_t classes = shape.columns();
  require<ShapeError>(shape.rows() == batch.size() && (!soft || batch.targets.columns() == classes) &&
                          (weights.empty() || static_cast<std::int64_t>(weights.size()) == classes),
                      "classification: expected outputs of {} samples, and as many of them as there are classes, got {} for "
                      "{} targets and {} weights of classes",
                      batch.size(), shape, batch.targets.columns(), weights.size());
  const std::int64_t samples = tape.samples(batch.size()), counted = labelled ? labelled_samples(tape, batch) : samples;
  Tensor targets(shape);
  for (std::int64_t r = 0; r < batch.size(); ++r) {
    const std::int32_t label = labelled ? batch.labels[static_cast<std::size_t>(r)] : 0;
    require<DataError>(label >= no_class && label < classes,
                       "classification: expected labels from -1 (no class) to {}, got {} for sample {}", classes - 1, label, r);
    for (std::int64_t c = 0; c < classes && label != no_class; ++c) {
      const double probability = soft ? double{batch.targets(r, c)} : c == label ? 1 : 0;
      const double weight = weights.empty() ? 1 : weights[static_cast<std::size_t>(c)];
      targets.row(r)[static_cast<std::size_t>(c)] =
          static_cast<float>(((1 - smoothing) * probability + smoothing / static_cast<double>(classes)) * weight *
                             static_cast<double>(samples) / static_cast<double>(counted));
    }
  }
  return targets;
}

/// Rows of targets are probabilities of classes.
inline void check_distributions(const data::Dataset& dataset) {
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    double sum = 0, least = 0;
    for (const float target : dataset.target(i)) sum += target, least = std::min<double>(least, target);
    require<DataError>(
        least >= 0 && std::abs(sum - 1) <= 1e-3,
        "classification: expected targets that are probabilities of classes and add up to 1, got a sum of {} "
        "(smallest {}) for sample {} of '{}'; for numbers give regression() as the objective, for several labels "
        "at once multi_label(), to evaluate() too",
        sum, least, i, dataset.name());
  }
}

inline void check_classes(const ClassificationOptions& options, const Network& network, const data::Dataset& dataset) {
  const std::int64_t outputs = network.output_shape().elements(), targets = dataset.target_size();
  bool of_a_class = targets > 0 && !dataset.labelled();
  for (std::int64_t i = 0; i < dataset.size() && !of_a_class; ++i) of_a_class = dataset.label(i) != no_class;
  require<DataError>(of_a_class,
                     "classification: expected labelled samples, got none with a label in '{}'; for data without labels see "
                     "reconstruction()",
                     dataset.name());
  require<ShapeError>(outputs >= dataset.classes() && (targets == 0 || targets == outputs),
                      "classification: expected an output of the network for each of the {} classes of '{}', got {}",
                      std::max(targets, dataset.classes()), dataset.name(), outputs);
  require<ArgumentError>(options.class_weights.empty() || static_cast<std::int64_t>(options.class_weights.size()) == outputs,
                         "classification: expected a weight for each of {} classes, got {}", outputs,
                         options.class_weights.size());
  if (targets > 0) check_distributions(dataset);
}

inline void check_targets(const char* where, const Network& network, const data::Dataset& dataset) {
  require<DataError>(dataset.target_size() > 0, "{}: expected samples with targets, got none in '{}'; {}", where,
                     dataset.name(),
                     dataset.labelled() ? "its samples have labels: classification() learns those, confusion() judges them"
                                        : "see Description::targets");
  require<ShapeError>(network.output_shape() == Shape{dataset.target_size()},
                      "{}: expected a network with {} outputs, one a target of '{}', got outputs of {}; Linear gives such, "
                      "GlobalAvgPool or Flatten before it",
                      where, dataset.target_size(), dataset.name(), network.output_shape());
}

/// Targets that say of several labels whether a sample has them.
inline void check_label_targets(const char* where, const Network& network, const data::Dataset& dataset) {
  check_targets(where, network, dataset);
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    for (const float target : dataset.target(i))
      require<DataError>(target >= 0 && target <= 1,
                         "{}: expected targets from 0 to 1, a number a label, got {} for sample {} of '{}'", where, target, i,
                         dataset.name());
  }
}
}  // namespace detail

/// Cross entropy of the outputs with the classes: the labels, or, where the data have targets, those as the probabilities of
/// classes (soft labels). The mean over the samples that are of a class, each times the weight of its class.
inline Objective classification(ClassificationOptions options = {}) {
  require<ArgumentError>(options.label_smoothing >= 0 && options.label_smoothing < 1,
                         "classification: expected a smoothing in [0, 1), got {}", options.label_smoothing);
  std::string settings = "classification";
  if (options.label_smoothing > 0) settings += format(", label smoothing {}", options.label_smoothing);
  for (std::size_t c = 0; c < options.class_weights.size(); ++c) {
    const double weight = options.class_weights[c];
    require<ArgumentError>(std::isfinite(weight) && weight >= 0,
                           "classification: expected finite weights of 0 or more, got {} for class {}", weight, c);
    settings += format("{}{}", c == 0 ? ", weights of classes " : " ", weight);
  }
  Objective objective{.settings = std::move(settings)};
  objective.check = [options](const Network& network, const data::Dataset& dataset) {
    detail::check_classes(options, network, dataset);
  };
  objective.loss = [options = std::move(options)](StepContext& step) {
    const data::Batch& batch = step.batch;
    require<DataError>(
        !batch.labels.empty() || !batch.targets.empty(),
        "classification: expected labelled samples, got none with a label; for data without labels see reconstruction()");
    const Var logits = step.forward();
    const double smoothing = step.mode == Mode::training ? options.label_smoothing : 0;
    if (batch.targets.empty() && options.class_weights.empty())
      return Loss{.task = ops::cross_entropy<float>(logits, batch.labels, smoothing), .output = logits};
    const Var targets =
        step.tape.constant(detail::class_targets(step.tape, batch, logits.shape(), smoothing, options.class_weights));
    return Loss{.task = ops::soft_cross_entropy<float>(logits, targets), .output = logits};
  };
  return objective;
}

/// Mean squared error between the outputs and the targets. Targets of like size learn alike: subtract their mean and divide by
/// their deviation before, where they are not near 0 to 1.
inline Objective regression() {
  return {.loss =
              [](StepContext& step) {
                require<DataError>(!step.batch.targets.empty(), "regression: expected samples with targets, got none");
                return Loss{.task = ops::mean_squared_error<float>(step.forward(), step.tape.reference(step.batch.targets))};
              },
          .check = [](const Network& network,
                      const data::Dataset& dataset) { detail::check_targets("regression", network, dataset); },
          .settings = "regression"};
}

/// Binary cross entropy between the outputs, as logits, and targets of 0 and 1 (or probabilities): a sample may have none, one
/// or many of the labels.
inline Objective multi_label() {
  return {.loss =
              [](StepContext& step) {
                require<DataError>(!step.batch.targets.empty(), "multi_label: expected samples with targets, got none");
                return Loss{.task = ops::binary_cross_entropy<float>(step.forward(), step.tape.reference(step.batch.targets))};
              },
          .check = [](const Network& network,
                      const data::Dataset& dataset) { detail::check_label_targets("multi_label", network, dataset); },
          .settings = "multi_label"};
}

/// Mean squared error between the outputs and the inputs: an autoencoder.
inline Objective reconstruction() {
  return {.loss =
              [](StepContext& step) {
                const Var inputs = step.tape.reference(step.batch.inputs);
                return Loss{.task = ops::mean_squared_error<float>(step.forward(), inputs)};
              },
          .settings = "reconstruction"};
}

}  // namespace siena
