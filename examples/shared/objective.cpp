// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "objective.hpp"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstddef>
#include <siena/deploy/network_file.hpp>
#include <string>
#include <utility>
#include <vector>

#include "network_file.hpp"
#include "outputs.hpp"
#include "validators.hpp"

namespace siena::examples {

namespace {

void add_classes(CLI::App& app, ObjectiveSettings& settings) {
  app.add_option("--label-smoothing", settings.label_smoothing,
                 "part of each target that goes to all classes alike, in training")
      ->capture_default_str()
      ->check(between(0, 0.99))
      ->group("Training");
  const CLI::Validator number = between(0, 1e6);
  const auto refusal = [number](const std::string& text) {
    return text == "balanced" || number(std::string(text)).empty()
               ? std::string()
               : format("expected balanced, or numbers from 0 to 1e6, got '{}'", text);
  };
  app.add_option("--class-weights", settings.class_weights,
                 "what classes count in the loss: balanced, rare ones as much as frequent ones, or a number for each")
      ->delimiter(',')
      ->expected(1, 1 << 14)
      ->check(CLI::Validator(refusal, ""))
      ->type_name("balanced|LIST")
      ->group("Training");
}

std::vector<double> class_weights(const std::vector<std::string>& texts, const data::Splits& splits) {
  if (texts == std::vector<std::string>{"balanced"}) return data::balanced_weights(splits.train);
  const auto classes = static_cast<std::size_t>(splits.classes());
  require<ArgumentError>(texts.empty() || texts.size() == classes,
                         "class_weights: expected balanced, or a number for each of {} classes, got {}", classes, texts.size());
  std::vector<double> weights;
  for (const std::string& text : texts) {
    require<ArgumentError>(is_number(text, weights.emplace_back()),
                           "class_weights: expected numbers, or balanced alone, got '{}'", text);
  }
  return weights;
}

/// A teacher sees the inputs of the network that learns: they must mean the same to both, but for what other samples change.
void require_taught_by(const data::Preparation& trained, const data::Preparation& own) {
  require_alike("--teacher", trained, own);
  for (std::size_t c = 0; c < own.mean.size(); ++c) {
    const float near = own.deviation[c] / 10;
    require<ArgumentError>(
        std::abs(trained.mean[c] - own.mean[c]) <= near && std::abs(trained.deviation[c] - own.deviation[c]) <= near,
        "--teacher: expected a teacher whose inputs were normalised as the data are, by mean {} and deviation {} in channel "
        "{}, "
        "got {} and {}; train it on the same data",
        own.mean[c], own.deviation[c], c, trained.mean[c], trained.deviation[c]);
  }
}

}  // namespace

void add_objective(const Benchmark& benchmark, CLI::App& app, ObjectiveSettings& settings) {
  if (benchmark.metric == "accuracy") add_classes(app, settings);
  app.add_option("--teacher", settings.teacher, "learn from the outputs of the network in this file, too (--save)")
      ->check(expecting("a file", CLI::ExistingFile))
      ->group("Training");
  app.add_option("--teacher-weight", settings.distill.weight, "the teacher's part of the loss")
      ->capture_default_str()
      ->check(between(1e-6, 1))
      ->needs("--teacher")
      ->group("Training");
  app.add_option("--temperature", settings.distill.temperature, "above 1: what the teacher holds possible counts for more")
      ->capture_default_str()
      ->check(between(1e-3, 1e3))
      ->needs("--teacher")
      ->group("Training");
}

Objective make_objective(const Benchmark& benchmark, const ObjectiveSettings& settings, const Network& network,
                         const data::Splits& splits) {
  Objective objective = benchmark.objective;
  if (settings.label_smoothing > 0 || !settings.class_weights.empty()) {
    ClassificationOptions options{.label_smoothing = settings.label_smoothing};
    for_option("--class-weights", [&] { options.class_weights = class_weights(settings.class_weights, splits); });
    objective = classification(options);
  }
  if (settings.teacher.empty()) return objective;
  for_option("--teacher", [&] {
    objective = distill(std::move(objective), deploy::load_network(settings.teacher), settings.distill);
    objective.check(network, splits.train);
  });
  if (const auto trained = preparation_in("--teacher", settings.teacher))
    require_taught_by(*trained, splits.train.preparation());
  return objective;
}

}  // namespace siena::examples
