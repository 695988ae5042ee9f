// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <siena/data.hpp>
#include <siena/train.hpp>
#include <string>
#include <vector>

#include "benchmark.hpp"

namespace siena::examples {

/// What a user may change of the loss of a benchmark; the first two where it has classes.
struct ObjectiveSettings {
  double label_smoothing = 0;
  std::vector<std::string> class_weights = {};  ///< "balanced", or a number for each class; none: all the same
  std::string teacher = {};                     ///< file of a network; none: nobody teaches
  DistillOptions distill = {};
};

/// Adds the options.
void add_objective(const Benchmark& benchmark, CLI::App& app, ObjectiveSettings& settings);

/// The benchmark's own objective, or what the options make of it. Throws ArgumentError, naming the option that does not fit the
/// network or the samples.
Objective make_objective(const Benchmark& benchmark, const ObjectiveSettings& settings, const Network& network,
                         const data::Splits& splits);

}  // namespace siena::examples
