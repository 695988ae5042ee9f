// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Every distinct convolution and linear layer of the networks, all passes: ours, the plain loops of kernels/reference.hpp
// (where they take no time, or the filter asks for `reference`), and oneDNN where it is installed.
//
// %peak: FLOP/s as a part of what a loop of multiply-adds in registers reaches at the same moment. %roof: the same, where
// moving each tensor once at the rate of a copy takes longer than computing at the peak, as a part of what that allows.

#include <benchmark/benchmark.h>

#include <functional>
#include <memory>

#include "kernels.hpp"
#include "layers.hpp"
#include "machine.hpp"
#include "support.hpp"
#if defined(SIENA_BENCH_ONEDNN)
#include "onednn.hpp"
#endif

namespace siena::bench {

namespace {

// Makes what one pass needs, and returns the pass.
using Prepare = std::function<std::function<void()>(const ConvLayer&, Pass, std::int64_t batch, std::int64_t threads)>;
using RunPass = void(const ConvLayer&, Pass, std::int64_t batch, ConvTensors&);

struct Implementation {
  std::string name;
  Prepare prepare;
};

Prepare on_our_tensors(RunPass* run) {
  return [run](const ConvLayer& layer, Pass pass, std::int64_t batch, std::int64_t) {
    return [=, tensors = std::make_shared<ConvTensors>(layer, batch)] { run(layer, pass, batch, *tensors); };
  };
}

void convolution(benchmark::State& state, const ConvLayer& layer, Pass pass, const Prepare& prepare) {
  const std::int64_t batch = state.range(0), threads = state.range(1);
  const ThreadScope scope(threads);
  const auto run = prepare(layer, pass, batch, threads);
  run();  // whatever is done only once
  const double peak = register_peak(threads), bandwidth = copy_bandwidth(layer.bytes(batch), threads);
  const Stopwatch watch(threads == 1 ? Stopwatch::Time::thread : Stopwatch::Time::wall);
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  const double seconds = watch.seconds() / static_cast<double>(state.iterations());
  const double flops = layer.flops(batch), least = std::max(flops / peak, layer.bytes(batch) / bandwidth);
  state.counters["GFLOP/s"] = 1e-9 * flops / seconds;
  state.counters["%peak"] = 100 * flops / peak / seconds;
  state.counters["%roof"] = 100 * least / seconds;
  state.counters["peak"] = 1e-9 * peak;
}

}  // namespace

void add_convolutions() {
  std::vector<Implementation> implementations{{"siena", on_our_tensors(run_siena)}};
#if defined(SIENA_BENCH_ONEDNN)
  for (const auto& [name, layout] :
       {std::pair{"onednn_any", OneDnnLayout::any}, std::pair{"onednn_nhwc", OneDnnLayout::nhwc}}) {
    implementations.push_back(
        {name, [layout = layout](const ConvLayer& layer, Pass pass, std::int64_t batch, std::int64_t threads) {
           return prepare_onednn(layer, pass, batch, threads, layout);
         }});
  }
#endif
  const Implementation reference{"reference", on_our_tensors(run_reference)};
  for (const ConvLayer& layer : conv_layers()) {
    for (const Pass pass : {Pass::forward, Pass::backward_data, Pass::backward_weights}) {
      if (pass == Pass::backward_data && layer.first) continue;  // no step ever runs it
      const std::string name = "kernels/" + layer.name + "/" + name_of(pass) + "/";
      const auto add = [&](const Implementation& implementation, std::int64_t batch, std::int64_t threads) {
        add_kernel(name + implementation.name, batch, threads,
                   [=](benchmark::State& state) { convolution(state, layer, pass, implementation.prepare); });
      };
      for (const auto& [batch, threads] : kernel_arguments()) {
        for (const Implementation& implementation : implementations) add(implementation, batch, threads);
        constexpr double quick = 1e7;  // FLOPs
        if (threads == 1 && (asked_for(reference.name) || layer.flops(batch) <= quick)) add(reference, batch, 1);
      }
    }
  }
}

}  // namespace siena::bench
