// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include "benchmark.hpp"
#include "bits.hpp"
#include "bounds.hpp"
#include "int8.hpp"
#include "objective.hpp"
#include "onnx_file.hpp"

namespace siena::examples {

/// What the command line says, with what it leaves open filled in from the preset.
struct Settings {
  DataSettings data;
  BoundSettings bounds;
  Recipe recipe;
  ObjectiveSettings objective;
  Int8Settings int8;
  BitSettings bits;
  std::string method = "masks", formulation = "duccio", preset = "own";
  std::string init, network, mlperf, report, html, save, log, c;
  std::string of_benchmark;  ///< options that only this benchmark has, where they are not as usual: "--blocks 2"
  OnnxFile onnx;
  std::filesystem::path checkpoint;
  int checkpoint_every = 0;      ///< epochs; 0: none but best and last
  std::int64_t train_limit = 0;  ///< 0: all samples
  double width = 1;
  std::uint64_t seed = 0;
  int threads = 0, shards = 0;  ///< 0: all cores, and the usual number
  bool resume = false, dry_run = false, quiet = false;

  /// Of the epochs with the levels of integers.
  PhaseRecipe int8_recipe() const {
    const PhaseRecipe& usual = searches() ? recipe.finetune : recipe.warmup;
    return {.optimizer = usual.optimizer.scaled(int8.rate), .schedule = CosineLr{}};
  }
  /// Those of a rank that is not the first.
  Settings writing_nothing() const {
    Settings s = *this;
    for (std::string* file : {&s.report, &s.html, &s.save, &s.log, &s.c, &s.onnx.path, &s.onnx.int8}) file->clear();
    s.quiet = true;
    return s;
  }
  bool searches() const { return method == "masks" || method == "supernet" || method == "both"; }
  bool chooses() const { return searches() || method == "random"; }
};

/// Adds the options, the help and the examples of a benchmark to a command line, and reads it into settings. Throws
/// CLI::ParseError.
Settings parse(const Benchmark& benchmark, CLI::App& app, int argc, char** argv);

}  // namespace siena::examples
