// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Anomaly detection: an autoencoder that has heard machines in order, and rebuilds what is out of order badly.

#include <siena/data/machine_audio.hpp>

#include "shared/benchmark.hpp"

using namespace siena;
using namespace siena::examples;

namespace {

BenchmarkData load(const DataSettings& s) {
  BenchmarkData result;
  data::MonitoredMachines machines;
  if (s.folder.empty()) {
    machines = data::synthetic_machines(
        s.smoke ? data::SyntheticMachinesOptions{.train = 8, .validation = 2, .normal = 4, .anomalies = 4}
                : data::SyntheticMachinesOptions{});
  } else {
    const data::MachineAudio audio = data::machine_audio(s.folder, {.cache = s.cache, .skip_bad_files = s.skip_bad_files});
    machines = audio;
    result.report = audio.report;
  }
  const auto judge = [recordings = machines.recordings](Network& network, const data::Dataset& test) {
    return score_machines(data::mean_by_recording(reconstruction_errors(network, test), recordings), recordings);
  };
  result.score = [judge](Network& network, const data::Dataset& test) { return judge(network, test).auc; };
  result.details = [judge](Network& network, const data::Dataset& test) { return details_of(judge(network, test)); };
  result.splits = machines;
  if (s.smoke && !s.folder.empty()) {
    result.splits.train = machines.train.take(std::min<std::int64_t>(machines.train.size(), 1024));
    result.splits.validation = machines.validation.take(std::min<std::int64_t>(machines.validation.size(), 1024));
  }
  return result;
}

AutoencoderOptions autoencoder_options(const ModelSettings& s) {
  return {.features = static_cast<int>(s.input.elements()), .width = s.width, .seed = s.seed};
}

Recipe recipe(Recipe base, double weight_decay) {
  base.warmup = base.search =
      base.finetune = {.optimizer = Adam{.lr = 1e-3, .weight_decay = weight_decay}, .schedule = ConstantLr{}};
  return base;
}

}  // namespace

int main(int argc, char** argv) {
  return run_benchmark(
      {.program = "anomaly_detection",
       .purpose =
           "Searches an autoencoder on the sounds of machines for one that keeps bounds of memory and latency; judged by AUC.",
       .data_help = "folder of one machine type of DCASE 2020 task 2 (ToyCar), with train and test",
       .own = recipe({.epochs = {20, 20, 10}, .batch = 512}, 0),
       .paper = recipe(paper_recipe(100, 512), 0),
       .load = load,
       .network = [](const ModelSettings& s) { return autoencoder(autoencoder_options(s)); },
       .supernet = [](const ModelSettings& s, bool c) { return autoencoder_supernet(autoencoder_options(s), c); },
       .metric = "auc",
       .objective = reconstruction(),
       .mlperf = mlperf_machine_sounds},
      argc, argv);
}
