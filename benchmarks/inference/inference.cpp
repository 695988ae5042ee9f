// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What a network takes to answer: one image, and a batch of 128.

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

void add() {
  for (const std::string& network : network_names()) {
    benchmark::RegisterBenchmark(("inference/" + network).c_str(),
                                 [network](benchmark::State& state) { inference(state, network); })
        ->ArgNames({"batch", "threads"})
        ->ArgsProduct({{1, 128}, thread_counts()})
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv, add); }
