// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What one evaluation of a cost model takes, and whether the models give the figures that are known.

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "cost_models.hpp"
#include "siena/models.hpp"
#include "siena/space.hpp"

namespace siena::bench {

namespace {

bool wrong = false;

/// A network with masks on, made once: the weights of a ResNet18 take longer to draw than a row to run.
struct Searched {
  explicit Searched(const std::string& name) : network(make_network(name, 1)), space(SearchSpace::install(network)) {}
  Network network;
  SearchSpace space;
};
Searched& searched(const std::string& name) {
  static std::map<std::string, Searched> all;
  return all.try_emplace(name, name).first->second;
}

/// The truth, as after an epoch: the masks of a network, priced.
template <class Model>
void exact(benchmark::State& state, const Model& model, const std::string& name) try {
  const auto& [network, space] = searched(name);
  for (auto _ : state) benchmark::DoNotOptimize(total(model, describe(network, space)));
} catch (const std::exception& error) {
  state.SkipWithError(error.what());
}
/// The gradient, as in a step: the same with its way back to the masks.
template <class Model>
void soft(benchmark::State& state, const Model& model, const std::string& name) try {
  auto& [network, space] = searched(name);
  Tape tape;
  for (auto _ : state) {
    const Scalar cost = total(model, describe(tape, network, space));
    benchmark::DoNotOptimize(cost.value());
    tape.backward(Var(), cost);
    tape.clear();
  }
} catch (const std::exception& error) {
  state.SkipWithError(error.what());
}

/// `make` gives the model when the first of its rows is run.
template <class Make>
void add_evaluation(Make make) {
  for (const std::string name : networks) {
    const std::string row = format("evaluation/{}/{}/", name, make.name);
    benchmark::RegisterBenchmark((row + "exact").c_str(), [=](benchmark::State& state) {
      exact(state, make.model(), name);
    })->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark((row + "soft").c_str(), [=](benchmark::State& state) {
      soft(state, make.model(), name);
    })->Unit(benchmark::kMicrosecond);
  }
}
template <class Model>
struct Plain {
  std::string name;
  Model model() const { return {}; }
};
struct Table {
  std::string name, file;
  const LatencyTable& model() const { return predictor(file).table; }
};

/// A cost of the five networks, in the order of `networks`, as BENCHMARKS of the paper's authors and hand calculations have it.
struct Figure {
  const char* name;
  double (*of)(const Architecture<double>&);
  std::array<double, networks.size()> expected;
};
template <class Model>
double price(const Architecture<double>& network) {
  return total(Model{}, network);
}
constexpr Figure figures[] = {
    {"weights", price<Params>, {77'360, 22'016, 208'112, 264'192, 11'261'632}},
    {"MACs", price<Macs>, {12'501'632, 2'656'768, 7'489'664, 264'192, 2'221'772'800}},
    {"GAP8 cycles", price<Gap8>, {766'624, 526'880, 1'425'728, 33'024, 124'211'712}},
};

void compare(benchmark::State& state, std::size_t network) {
  for (auto _ : state) continue;
  const Architecture<double> architecture = describe(make_network(networks[network], 1));
  std::string label, differences;
  for (const Figure& figure : figures) {
    const double value = figure.of(architecture), expected = figure.expected[network];
    label += format("{}{} {:.0f}", label.empty() ? "" : ", ", figure.name, value);
    if (value != expected) differences += format("{}: expected {:.0f}, got {:.0f}; ", figure.name, expected, value);
  }
  state.SetLabel(label);
  if (differences.empty()) return;
  wrong = true;
  state.SkipWithError(differences.c_str());
}

}  // namespace

Network make_network(const std::string& name, double width) {
  if (name == "resnet8") return resnet8({.width = width});
  if (name == "ds_cnn") return ds_cnn({.width = width});
  if (name == "mobilenet_v1") return mobilenet_v1({.width = 0.25 * width});
  if (name == "autoencoder") return autoencoder({.width = width});
  if (name == "resnet18") return resnet18({.width = width});
  fail<ArgumentError>("make_network: expected the name of a network, got '{}'", name);
}

void add_evaluations(const std::string& table_file) {
  add_evaluation(Plain<Params>{"params"});
  add_evaluation(Plain<Macs>{"macs"});
  add_evaluation(Plain<ModelSize>{"model_size"});
  add_evaluation(Plain<PeakMemory>{"peak_memory"});
  add_evaluation(Plain<Gap8>{"gap8"});
  add_evaluation(Plain<Ne16>{"ne16"});
  add_evaluation(Plain<Diana>{"diana"});
  add_evaluation(Plain<Mpic>{"mpic"});
  add_evaluation(Plain<CortexM>{"cortex_m"});
  add_evaluation(Table{"latency_table", table_file});
}

void add_figures() {
  for (std::size_t i = 0; i < networks.size(); ++i) {
    benchmark::RegisterBenchmark(format("figures/{}", networks[i]).c_str(), [=](benchmark::State& state) {
      compare(state, i);
    })->Iterations(1);
  }
}

bool failed() { return wrong; }

}  // namespace siena::bench
