// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// One step of a search under two constraints, of masks or among the alternatives of a supernet, beside one of plain training of
// the network. The two take turns in the same loop, so that whatever else the machine does slows both alike: `search/plain` is
// the median of the ratios of neighbours. `percent` is how many of the channels the masks leave on: a search begins with all
// and ends near what its bounds allow. A step that searches bits, too, takes turns with one of masks alone.

#include <benchmark/benchmark.h>

#include <utility>

#include "support.hpp"
#include "workload.hpp"

namespace {

using namespace siena::bench;

void take_turns(benchmark::State& state, Training plain, Training search, const std::string& of = "plain",
                const std::string& to = "search") {
  plain.step();  // the first ones fill the memory pool
  search.step();
  std::vector<double> plain_seconds, search_seconds, ratios;
  bool plain_first = true;
  for (auto _ : state) {
    double a = 0, b = 0;
    if (plain_first) a = plain.step();
    b = search.step();
    if (!plain_first) a = plain.step();
    plain_first = !plain_first;
    plain_seconds.push_back(a);
    search_seconds.push_back(b);
    ratios.push_back(b / a);
    state.SetIterationTime(b);
  }
  state.counters[of + "_ms"] = 1e3 * median(plain_seconds);
  state.counters[to + "_ms"] = 1e3 * median(search_seconds);
  state.counters[to + "/" + of] = median(ratios);
}

void search_step(benchmark::State& state, const std::string& network) {
  const ThreadScope threads(state.range(1));
  take_turns(state, Training::plain(network, state.range(0)), Training::search(network, state.range(0), state.range(2)));
}

void supernet_step(benchmark::State& state, const std::string& network, siena::Sampling sampling) {
  const ThreadScope threads(state.range(1));
  take_turns(state, Training::plain(network, state.range(0)), Training::supernet(network, state.range(0), sampling));
}

/// `of`: the bits of each layer, of each output channel or of the values between layers.
void bits_step(benchmark::State& state, const std::string& network, const std::string& of) {
  const ThreadScope threads(state.range(1));
  const std::int64_t batch = state.range(0), percent = state.range(2);
  const auto per = of == "layer" ? siena::Bits::Per::layer : siena::Bits::Per::channel;
  take_turns(state, Training::search(network, batch, percent),
             of == "values" ? Training::activation_bits(network, batch, percent) : Training::bits(network, batch, percent, per),
             "masks", "bits");
}

void add() {
  for (const std::string& network : network_names()) {
    const bool large = network == "resnet18";
    auto* entry =
        benchmark::RegisterBenchmark(("search_step/" + network).c_str(),
                                     [network](benchmark::State& state) { search_step(state, network); })
            ->ArgNames({"batch", "threads", "percent"})
            ->ArgsProduct(
                {large ? std::vector<std::int64_t>{32} : std::vector<std::int64_t>{32, 128}, thread_counts(), {100, 50}})
            ->Unit(benchmark::kMillisecond)
            ->UseManualTime();
    if (large) entry->Iterations(3);
    for (const std::string of : {"layer", "channel", "values"}) {
      if (large) continue;
      benchmark::RegisterBenchmark(("bits_step/" + network + "/" + of).c_str(),
                                   [network, of](benchmark::State& state) { bits_step(state, network, of); })
          ->ArgNames({"batch", "threads", "percent"})
          ->ArgsProduct({{32}, {1}, {100, 50}})
          ->Unit(benchmark::kMillisecond)
          ->UseManualTime();
    }
    if (!has_supernet(network)) continue;
    for (const auto& [name, sampling] : {std::pair{"score", siena::Sampling::score},
                                         {"hard_gumbel", siena::Sampling::hard_gumbel},
                                         {"softmax", siena::Sampling::softmax}}) {
      benchmark::RegisterBenchmark(
          ("supernet_step/" + network + "/" + name).c_str(),
          [network, sampling = sampling](benchmark::State& state) { supernet_step(state, network, sampling); })
          ->ArgNames({"batch", "threads"})
          ->ArgsProduct({{32}, thread_counts()})
          ->Unit(benchmark::kMillisecond)
          ->UseManualTime();
    }
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv, add); }
