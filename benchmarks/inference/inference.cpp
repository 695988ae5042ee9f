// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What a network takes to answer: one image, and a batch of 128; in floats, and simulated in integers (int8/).

#include <benchmark/benchmark.h>

#include "support.hpp"
#include "workload.hpp"

namespace {

using namespace siena::bench;

void inference(benchmark::State& state, const std::string& network) {
  const ThreadScope threads(state.range(1));
  const PeakMemory memory;
  Inference inference(network, state.range(0));
  inference.run();  // the first one fills the memory pool
  const Stopwatch watch;
  for (auto _ : state) inference.run();
  const double seconds = watch.seconds() / static_cast<double>(state.iterations());
  state.counters["images/s"] = static_cast<double>(state.range(0)) / seconds;
  state.counters["GFLOP/s"] = 1e-9 * inference.flops() / seconds;
  memory.report(state);
}

void integers(benchmark::State& state, const std::string& network) {
  const ThreadScope threads(state.range(1));
  IntegerInference inference(network, state.range(0));
  inference.run();
  for (auto _ : state) inference.run();
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(state.range(0) * state.iterations()), benchmark::Counter::kIsRate);
}

void add() {
  for (const std::string& network : network_names()) {
    const auto with = [&](const std::string& name, void (*body)(benchmark::State&, const std::string&)) {
      benchmark::RegisterBenchmark((name + network).c_str(), [=](benchmark::State& state) { body(state, network); })
          ->ArgNames({"batch", "threads"})
          ->ArgsProduct({{1, 128}, thread_counts()})
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    };
    with("inference/", inference);
    with("int8/", integers);
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv, add); }
