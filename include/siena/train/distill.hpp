// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "siena/autograd/ops/loss.hpp"
#include "siena/autograd/ops/structure.hpp"
#include "siena/core/error.hpp"
#include "siena/core/fingerprint.hpp"
#include "siena/core/state.hpp"
#include "siena/data/dataset.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/softmax.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/checkpoint.hpp"
#include "siena/train/objective.hpp"

namespace siena {

struct DistillOptions {
  /// Part of the loss that is for the outputs of the teacher, above 0 up to 1; the task has the rest.
  double weight = 0.5;
  /// What the outputs of both are divided by before they become probabilities, where the task has classes: the higher, the more
  /// it counts what the teacher holds possible beside its answer.
  double temperature = 4;
};

namespace detail {
/// temperature^2 times the mean over the samples of the Kullback-Leibler divergence of the softened probabilities, of the
/// teacher's from the student's.
inline Var divergence(const Var& student, Tensor teacher, double temperature) {
  const std::int64_t rows = teacher.rows(), classes = teacher.columns();
  kernels::scale<simd::native, float>(static_cast<float>(1 / temperature), teacher.storage(), teacher.storage());
  kernels::softmax_forward<simd::native, float>(rows, classes, teacher.storage(), teacher.storage());
  Tape& tape = student.tape();
  const auto entropy = ops::batch_mean(tape, rows, [&](std::int64_t first, std::int64_t count) {
    double sum = 0;
    for (std::int64_t r = first; r < first + count; ++r) {
      for (const float p : teacher.row(r)) sum -= p > 0 ? double{p} * std::log(double{p}) : 0;
    }
    return sum / static_cast<double>(count);
  });
  const Var cross =
      ops::soft_cross_entropy<float>(ops::scale<float>(student, 1 / temperature), tape.constant(std::move(teacher)));
  const Var least = tape.constant(Tensor(Shape{1}, static_cast<float>(-entropy.mean)));
  return ops::scale<float>(ops::add<float>(cross, least), temperature * temperature);
}
}  // namespace detail

/// An objective that has a network also imitate another one, the teacher, on the same inputs: a small network often learns
/// more from the answers of a large one than from the labels alone (Hinton, Vinyals, Dean 2015). In training the loss is
/// (1 - weight) times the task's plus weight times the distance of the outputs from the teacher's: the divergence of softened
/// probabilities where the task has classes, the mean squared error elsewhere. Evaluated is the task alone. The teacher is in
/// inference mode, does not change, and teaches samples that are of no class, too.
inline Objective distill(Objective objective, Network teacher, const DistillOptions& options = {}) {
  require<ArgumentError>(static_cast<bool>(objective.loss), "distill: expected an objective with a loss, got none");
  require<ArgumentError>(!teacher.nodes().empty(), "distill: expected a teacher with layers, got an empty network");
  require<ArgumentError>(
      options.weight > 0 && options.weight <= 1 && std::isfinite(options.temperature) && options.temperature > 0,
      "distill: expected a weight above 0 up to 1 and a temperature above 0, got {} and {}", options.weight,
      options.temperature);
  State state;
  teacher.save(state);
  Objective result = objective;
  result.settings += format(", distilled from {:016x}, weight {}, temperature {}",
                            Fingerprint().add(detail::state_bytes(state)).value(), options.weight, options.temperature);
  result.check = [check = objective.check, input = teacher.input_shape(), output = teacher.output_shape()](
                     const Network& network, const data::Dataset& dataset) {
    require<ShapeError>(network.input_shape() == input && network.output_shape() == output,
                        "distill: expected a teacher that takes {} and gives {}, as the network that learns does, got one from "
                        "{} to {}",
                        network.input_shape(), network.output_shape(), input, output);
    if (check) check(network, dataset);
  };
  result.loss = [task = std::move(objective.loss), teacher = std::make_shared<Network>(std::move(teacher)),
                 options](StepContext& step) {
    Loss loss = task(step);
    if (step.mode == Mode::inference) return loss;
    require<ArgumentError>(static_cast<bool>(step.outputs),
                           "distill: expected an objective that asks for outputs by StepContext::forward, got one without");
    Tensor taught = teacher->predict(step.batch.inputs);
    require<ShapeError>(taught.shape() == step.outputs.shape(), "distill: expected outputs of a teacher of shape {}, got {}",
                        step.outputs.shape(), taught.shape());
    const Var distance = loss.output ? detail::divergence(step.outputs, std::move(taught), options.temperature)
                                     : ops::mean_squared_error<float>(step.outputs, step.tape.constant(std::move(taught)));
    loss.task = ops::add<float>(ops::scale<float>(loss.task, 1 - options.weight), ops::scale<float>(distance, options.weight));
    return loss;
  };
  return result;
}

}  // namespace siena
