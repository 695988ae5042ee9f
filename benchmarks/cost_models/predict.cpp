// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Whole networks, as they are deployed, beside the sums of their layers. Of the grid they have the sizes of images, not the
// channels.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "cost_models.hpp"
#include "siena/nn.hpp"
#include "siena/space.hpp"

namespace siena::bench {

namespace {

/// The network without the batch norms that fold into the layers before them, which then have a bias.
Network deployed(const Network& network) {
  const Architecture<double> architecture = describe(network);
  const auto& nodes = network.nodes();
  return Network(
      network.input_shape(),
      [&](const Flow& x) {
        std::vector<int> place{x.node()};  // of each node in the new network
        for (std::size_t i = 1; i < nodes.size(); ++i) {
          const LayerDesc<double>& layer = architecture.layers[i - 1];
          std::vector<int> inputs;
          for (const int input : nodes[i].inputs) inputs.push_back(place[static_cast<std::size_t>(input)]);
          if (layer.kind == LayerKind::batch_norm && layer.batch_norm_folded) {
            place.push_back(inputs[0]);
            continue;
          }
          Layer copy = nodes[i].layer;
          if (layer.batch_norm_folded) {
            copy = altered(copy, []<class L>(L& own) {
              if constexpr (takes_batch_norm<L>) own.bias = true;
            });
          }
          place.push_back(x.builder()->append(std::move(copy), std::move(inputs), {}));
        }
        return Flow(x.builder(), place[static_cast<std::size_t>(network.output())]);
      },
      std::nullopt);
}

void predict(benchmark::State& state, const std::string& file, std::size_t index) try {
  const Predictor& measured = predictor(file);
  const WholeNetwork& network = measured.networks[index];
  for (auto _ : state) state.SetIterationTime(network.seconds);
  state.counters["measured_us"] = 1e6 * network.seconds;
  state.counters["predicted_us"] = 1e6 * total(measured.table, network.description);
  state.counters["error_%"] = 100 * prediction_error(measured.table, network);
} catch (const std::exception& error) {
  state.SkipWithError(error.what());
}

void predict_all(benchmark::State& state, const std::string& file) try {
  const Predictor& measured = predictor(file);
  for (auto _ : state) continue;
  double sum = 0, worst = 0;
  for (const WholeNetwork& network : measured.networks) {
    const double error = std::abs(prediction_error(measured.table, network));
    sum += error, worst = std::max(worst, error);
  }
  state.counters["mean_error_%"] = 100 * sum / static_cast<double>(measured.networks.size());
  state.counters["worst_error_%"] = 100 * worst;
} catch (const std::exception& error) {
  state.SkipWithError(error.what());
}

}  // namespace

std::vector<WholeNetwork> whole_networks() {
  std::vector<WholeNetwork> all;
  for (const std::string name : networks) {
    for (const int percent : {40, 70, 100}) {
      const Network network = make_network(name, percent / 100.0);
      all.push_back({.name = name, .percent = percent, .description = describe(network), .deployed = {deployed(network)}});
    }
  }
  return all;
}

double prediction_error(const LatencyTable& table, const WholeNetwork& network) {
  return total(table, network.description) / network.seconds - 1;
}

void add_predictions(const std::string& table_file) {
  std::size_t index = 0;
  for (const std::string name : networks) {
    for (const int percent : {40, 70, 100}) {
      benchmark::RegisterBenchmark(format("prediction/{}/percent:{}", name, percent).c_str(),
                                   [=](benchmark::State& state) { predict(state, table_file, index); })
          ->Iterations(1)
          ->Unit(benchmark::kMicrosecond)
          ->UseManualTime();
      ++index;
    }
  }
  benchmark::RegisterBenchmark("prediction/mean", [=](benchmark::State& state) {
    predict_all(state, table_file);
  })->Iterations(1);
}

}  // namespace siena::bench
