// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tells the benchmarks apart: their data, their networks, their recipes. Everything else is one program.

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <siena/data.hpp>
#include <siena/models.hpp>
#include <siena/search/report_json.hpp>
#include <siena/space.hpp>
#include <siena/train.hpp>
#include <string>
#include <vector>

#include "mlperf.hpp"

namespace CLI {
class App;
}

namespace siena::examples {

/// How the weights of one phase are trained.
struct PhaseRecipe {
  AnyOptimizer optimizer = Sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 5e-4, .nesterov = true};
  AnySchedule schedule = CosineLr{.warmup = 0.5};
};

/// Settings that belong together: --preset names one, other options change parts of it.
struct Recipe {
  std::array<int, 3> epochs = {20, 20, 10};  ///< of warm-up, search and fine-tuning
  std::int64_t batch = 128;
  PhaseRecipe warmup = {}, search = {.schedule = CosineLr{}}, finetune = {};
  AnyOptimizer architecture = Adam{.lr = 1e-2};
  data::Augment augment = {};
  double settle = 0.5, lead = 0.2;  ///< and the following: see SearchOptions
  bool exchange = true;
  int patience = 0;
  double patience_from = 0.75;
  SpaceOptions space = {};
  int finetune_patience = 0;
  int training_patience = 0;  ///< of a baseline
  double clip = 0, ema = 0;   ///< of all phases: see FitOptions
  std::string note = {};      ///< what a reader should know of it
};

/// The recipe of the scripts of arXiv 2310.07217 as far as all benchmarks share it: straight-through masks and hard Gumbel
/// samples that the formulation alone moves, to the end; early stopping.
inline Recipe paper_recipe(int epochs, std::int64_t batch) {
  Recipe recipe{.epochs = {epochs, epochs, epochs},
                .batch = batch,
                .architecture = Adam{.lr = 1e-3},
                .settle = 1,
                .lead = 1,
                .exchange = false,
                .patience = 20,
                .finetune_patience = 20};
  recipe.space.masks.secant = false;
  recipe.space.choices.sampling = Sampling::hard_gumbel;
  return recipe;
}

/// What a user may ask of any benchmark's data.
struct DataSettings {
  std::string folder = {};  ///< none: synthetic data
  std::string cache = {};   ///< folder for computed features
  bool skip_bad_files = false;
  bool smoke = false;  ///< as little as shows that everything runs
};

/// What there is to say of a network besides how it scores: for the screen, and for programs that read the report.
struct Details {
  std::string text = {};
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
};
template <class Found>
Details details_of(const Found& found) {
  return {found.to_string(), to_json(found)};
}

struct BenchmarkData {
  data::Splits splits;
  data::LoadReport report = {};
  /// What networks are compared by, on the test part; none: accuracy.
  std::function<double(Network&, const data::Dataset& test)> score = {};
  /// What else there is to say of a network on the test part.
  std::function<Details(Network&, const data::Dataset& test)> details = {};
};

struct ModelSettings {
  Shape input;
  int classes = 0;
  double width = 1;
  std::uint64_t seed = 0;
};

struct Benchmark {
  std::string program, purpose, data_help;
  Recipe own, paper;
  std::function<BenchmarkData(const DataSettings&)> load;
  std::function<Network(const ModelSettings&)> network;
  /// `channels`: those of every alternative vary, too. None: there is no supernet.
  std::function<Network(const ModelSettings&, bool channels)> supernet = {};
  std::string metric = "accuracy";
  Objective objective = classification();
  std::function<void(CLI::App&)> options = {};  ///< adds those of this benchmark alone
  /// Of a network on the accuracy set of MLPerf Tiny in a folder; none: it has no such set.
  std::function<MlperfScore(Network&, const std::filesystem::path&, const data::Preparation&)> mlperf = {};
};

/// The program of a benchmark: parses the command line, trains, searches, reports; gives the exit status.
int run_benchmark(const Benchmark& benchmark, int argc, char** argv);

/// All parts cut to a few samples.
inline data::Splits few(data::Splits splits, std::int64_t each = 256) {
  for (data::Dataset* part : {&splits.train, &splits.validation, &splits.test}) {
    *part = part->take(std::min(part->size(), each));
  }
  return splits;
}
/// The confusion matrix, as details of a benchmark.
inline Details confusion_details(Network& network, const data::Dataset& test) { return details_of(confusion(network, test)); }
/// What a loader gave, as benchmarks hand it on.
template <class Loaded>
BenchmarkData loaded(const Loaded& data, const DataSettings& s, std::int64_t few_each = 256) {
  const data::Splits splits = data;
  return {.splits = s.smoke ? few(splits, few_each) : splits, .report = data.report};
}

}  // namespace siena::examples
