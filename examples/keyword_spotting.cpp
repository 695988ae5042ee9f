// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Keyword spotting: DS-CNN on Speech Commands, or on any folder of words.

#include <CLI/CLI.hpp>
#include <siena/data/speech_commands.hpp>

#include "shared/benchmark.hpp"
#include "shared/blocks.hpp"
#include "shared/validators.hpp"

using namespace siena;
using namespace siena::examples;

namespace {

struct Words {
  std::vector<std::string> words = data::mlperf_keywords();
  std::string test_set;
  int versions = 1;
  std::string features = "mfcc";

  data::FrontEndOptions front_end() const {
    if (features == "mfcc-mlperf") return data::MfccOptions::mlperf_tiny();
    if (features == "log-mel") return data::LogMelOptions{};
    return data::MfccOptions{};
  }
};

BenchmarkData load(const DataSettings& s, const Words& w) {
  BenchmarkData result;
  if (s.folder.empty()) {
    result.splits = data::synthetic_keywords(s.smoke ? data::SyntheticSizes{240, 60, 60} : data::SyntheticSizes{});
  } else {
    const bool all = w.words.size() == 1 && w.words[0] == "all";
    const data::SpeechCommands speech = data::speech_commands(s.folder, {.words = all ? std::vector<std::string>{} : w.words,
                                                                         .features = w.front_end(),
                                                                         .test_set = w.test_set,
                                                                         .versions = {.count = w.versions},
                                                                         .cache = s.cache,
                                                                         .skip_bad_files = s.skip_bad_files});
    result = loaded(speech, s);
  }
  result.details = confusion_details;
  return result;
}

DsCnnOptions ds_cnn_options(const ModelSettings& s, int blocks) {
  return {.input = s.input, .classes = s.classes, .width = s.width, .blocks = blocks, .bn_momentum = 0.1, .seed = s.seed};
}

Recipe own() {
  Recipe recipe{.epochs = {20, 20, 10}, .batch = 100};
  const Adam adam{.lr = 2e-3, .weight_decay = 1e-4};
  recipe.warmup.optimizer = recipe.search.optimizer = recipe.finetune.optimizer = adam;
  recipe.augment = {.versions = true};
  return recipe;
}
Recipe paper() {
  Recipe recipe = paper_recipe(200, 100);
  const PhaseRecipe pieces{.optimizer = Adam{.lr = 1e-2, .weight_decay = 1e-4},
                           .schedule = PiecewiseLr{{{50, 0.5}, {100, 0.25}, {150, 0.1}}}};
  recipe.warmup = recipe.finetune = pieces;
  recipe.search = {.optimizer = Adam{.lr = 1e-3, .weight_decay = 1e-4}, .schedule = MilestoneLr{.at = {12, 24}, .gamma = 0.2}};
  return recipe;
}

}  // namespace

int main(int argc, char** argv) {
  Words words;
  int blocks = 4;
  return run_benchmark(
      {.program = "keyword_spotting",
       .purpose = "Searches DS-CNN on Speech Commands for a network that keeps bounds of memory and latency.",
       .data_help = "folder with a folder of WAV files for each word, as Speech Commands v2",
       .own = own(),
       .paper = paper(),
       .load = [&](const DataSettings& s) { return load(s, words); },
       .network = [&](const ModelSettings& s) { return ds_cnn(ds_cnn_options(s, blocks)); },
       .supernet = [&](const ModelSettings& s, bool c) { return ds_cnn_supernet(ds_cnn_options(s, blocks), c); },
       .options =
           [&](CLI::App& app) {
             add_blocks(app, blocks, "pairs of a depthwise and a pointwise convolution of the network that it starts from");
             app.add_option("--words", words.words, "the classes, or all: every folder; default: the twelve of MLPerf Tiny")
                 ->delimiter(',')
                 ->needs("--data")
                 ->group("Data");
             app.add_option("--features", words.features,
                            "what is computed of the sound: mfcc; mfcc-mlperf, as MLPerf Tiny has it; log-mel")
                 ->capture_default_str()
                 ->check(one_of({"mfcc", "mfcc-mlperf", "log-mel"}))
                 ->needs("--data")
                 ->group("Data");
             app.add_option("--test-set", words.test_set, "folder of the official test archive")
                 ->check(expecting("a folder", CLI::ExistingDirectory))
                 ->needs("--data")
                 ->group("Data");
             app.add_option("--versions", words.versions, "of each clip to train with, the others moved and mixed with noise")
                 ->capture_default_str()
                 ->check(whole_between(1, 100))
                 ->needs("--data")
                 ->group("Data");
           },
       .mlperf = mlperf_keywords},
      argc, argv);
}
