// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// One step of training: forward pass, loss, backward pass, update by Adam. Times are the mean over the steps; what follows from
// them (images/s, GFLOP/s) is taken from the median.

#include <benchmark/benchmark.h>

#include "support.hpp"
#include "workload.hpp"

namespace {

using namespace siena::bench;

void train_step(benchmark::State& state, const std::string& network) {
  const ThreadScope threads(state.range(1));
  const PeakMemory memory;
  Training training = Training::plain(network, state.range(0));
  training.step();  // the first one fills the memory pool
  std::vector<double> seconds;
  for (auto _ : state) state.SetIterationTime(seconds.emplace_back(training.step()));
  const double step = median(seconds);
  state.counters["median_ms"] = 1e3 * step;
  state.counters["images/s"] = static_cast<double>(state.range(0)) / step;
  state.counters["GFLOP/s"] = 1e-9 * training.flops() / step;
  state.counters["parameters"] = static_cast<double>(training.parameters());
  memory.report(state);
}

void add() {
  for (const std::string& network : network_names()) {
    const bool large = network == "resnet18";
    auto* entry =
        benchmark::RegisterBenchmark(("train_step/" + network).c_str(),
                                     [network](benchmark::State& state) { train_step(state, network); })
            ->ArgNames({"batch", "threads"})
            ->ArgsProduct({large ? std::vector<std::int64_t>{32} : std::vector<std::int64_t>{32, 128}, thread_counts()})
            ->Unit(benchmark::kMillisecond)
            ->UseManualTime();
    if (large) entry->Iterations(3);
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv, add); }
