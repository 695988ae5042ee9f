// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Formulations side by side: short searches from one trained network, on synthetic images, under random pairs of bounds.
//   bench_formulations --pairs=201 --log=searches.csv      a line of the log is a search
// Each network gets a third of the pairs, the same for every formulation: memory at 10 to 90 % of what it takes, and GAP8
// cycles or MACs, in turns, at 10 to 90 %. The counters of a row are over its searches:
//   kept_before  part that kept both bounds when masks were settled, before any repair     kept  part that keeps them at last
//   slack_%      median of what is left of the bound that binds      accuracy  mean, on test images      over  searches

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../support.hpp"
#include "siena/siena.hpp"

namespace {

using namespace siena;
using namespace siena::bench;

#if defined(NDEBUG)
constexpr int samples = 1600, epochs = 6;
#else
constexpr int samples = 64, epochs = 1;  // with assertions: shows that it runs
#endif

int pairs_of_bounds = 3;
std::ofstream log_file;

void read_option(std::string_view argument) {
  if (argument.starts_with("--pairs=")) {
    const char *first = argument.data() + 8, *last = argument.data() + argument.size();
    const auto [end, error] = std::from_chars(first, last, pairs_of_bounds);
    if (error == std::errc{} && end == last && pairs_of_bounds > 0) return;
  } else if (argument.starts_with("--log=")) {
    log_file.open(std::string(argument.substr(6)));
    require<ArgumentError>(log_file.good(), "--log: expected a file that may be written, got '{}'", argument.substr(6));
    log_file << "network,formulation,memory,latency,latency_in,kept_before,kept,slack_percent,seed_accuracy,accuracy\n";
    return;
  }
  fail<ArgumentError>("expected --pairs=NUMBER of 1 or more or --log=FILE.csv, got '{}'", argument);
}

/// A pair of bounds, in parts of what the network takes.
struct Pair {
  double memory, latency;
  bool cycles;  // GAP8; else MACs

  ConstraintSet of(const Architecture<double>& network) const {
    const MemoryBound bytes{Bytes{memory * total(ModelSize{}, network)}};
    if (cycles) return subject_to(bytes, LatencyBound{Gap8{}, Cycles{latency * total(Gap8{}, network)}});
    return subject_to(bytes, AtMost{Macs{}, latency * total(Macs{}, network)});
  }
};

/// A trained network with its data and its pairs of bounds.
struct Case {
  data::Splits data;
  Network network;
  Architecture<double> whole;
  SearchOptions options;
  std::vector<Pair> pairs;
};

Case make_case(const std::string& name) {
  const bool deep = name == "mobilenet_v1";
  const std::int64_t side = deep ? 48 : 32;
  const auto data = data::synthetic_images({.classes = 8,
                                            .height = side,
                                            .width = side,
                                            .train = samples,
                                            .validation = 400,
                                            .test = 1000,
                                            .noise = deep ? 0.15 : 0.3});  // so that each is right most of the time, not always
  const auto make = [&]() -> Network {
    if (name == "resnet8") return resnet8({.classes = 8, .width = 0.5});
    if (name == "ds_cnn") return ds_cnn({.input = {side, side, 3}, .classes = 8, .width = 0.5, .bn_momentum = 0.1});
    return mobilenet_v1({.input = {side, side, 3}, .classes = 8});
  };
  Case made{.data = data, .network = make(), .whole = {}, .options = {}, .pairs = {}};
  made.options = {.warmup = 0, .epochs = epochs, .batch = 32, .optimizer = Sgd{.lr = 0.05, .momentum = 0.9, .nesterov = true}};
  made.whole = describe(made.network);
  fit(made.network, data, {.epochs = 3 * epochs, .batch = 32, .optimizer = made.options.optimizer, .schedule = CosineLr{}});
  Random random(1);
  Network trial = made.network;
  const SearchSpace space = SearchSpace::install(trial);
  const int count = (pairs_of_bounds + 2) / 3;
  while (static_cast<int>(made.pairs.size()) < count) {
    const Pair pair{random.uniform(0.1, 0.9), random.uniform(0.1, 0.9), made.pairs.size() % 2 == 0};
    try {
      require_reachable({trial, space, pair.of(made.whole)});
    } catch (const ConstraintError&) {
      continue;  // below the smallest network
    }
    made.pairs.push_back(pair);
  }
  return made;
}

template <class Formulation>
void measure(benchmark::State& state, const std::string& network, const char* name, const Formulation& formulation) {
  static std::map<std::string, Case> cases;
  if (!cases.contains(network)) cases.emplace(network, make_case(network));
  const Case& given = cases.at(network);
  std::vector<double> slacks;
  double kept_before = 0, kept = 0, accuracy = 0;
  for (auto _ : state) {
    for (const Pair& pair : given.pairs) {
      const ConstraintSet bounds = pair.of(given.whole);
      const auto [found, history] = search(given.network, given.data, bounds, formulation, given.options);
      const Report result = report(found, bounds);
      double slack = 1;
      for (const ConstraintStatus& bound : result.bounds) slack = std::min(slack, -bound.violation);
      slacks.push_back(100 * slack);
      kept_before += history.repaired ? 0 : 1;
      kept += result.feasible ? 1 : 0;
      accuracy += history.found_test->accuracy;
      if (log_file.is_open())
        log_file << fmt::format("{},{},{:.4f},{:.4f},{},{},{},{:.3f},{:.4f},{:.4f}\n", network, name, pair.memory, pair.latency,
                                pair.cycles ? "cycles" : "macs", history.repaired ? 0 : 1, result.feasible ? 1 : 0, 100 * slack,
                                history.baseline_test->accuracy, history.found_test->accuracy)
                 << std::flush;
    }
  }
  const double count = static_cast<double>(slacks.size());
  state.counters["kept_before"] = kept_before / count;
  state.counters["kept"] = kept / count;
  state.counters["slack_%"] = median(slacks);
  state.counters["accuracy"] = accuracy / count;
  state.counters["over"] = count;
}

void add_formulations() {
  const std::vector<std::pair<const char*, AnyFormulation>> all{
      {"duccio", Duccio{}},
      {"duccio_constant", Duccio{.schedule = Duccio::Schedule::constant}},
      {"penalty", Penalty{}},
      {"lagrangian", AugmentedLagrangian{.penalty = 0}},
      {"augmented_lagrangian", AugmentedLagrangian{}},
      {"nu_pi", NuPi{}},
  };
  const auto add = [](const std::string& network, const char* name, const auto& formulation) {
    benchmark::RegisterBenchmark(("formulations/" + network + "/" + name).c_str(),
                                 [=](benchmark::State& state) { measure(state, network, name, formulation); })
        ->Iterations(1)
        ->UseRealTime()
        ->Unit(benchmark::kSecond);
  };
  for (const std::string network : {"resnet8", "ds_cnn", "mobilenet_v1"}) {
    for (const auto& [name, formulation] : all) add(network, name, formulation);
    add(network, "steer", Steer{});
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv, add_formulations, read_option); }
