// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Cost models: how well a measured table predicts whole networks, what one evaluation takes, and whether the figures are the
// known ones.
//   bench_cost_models --measure=table.csv --grid=full    times this machine's layers and writes a LatencyTable (or table.json)
//   bench_cost_models --table=table.csv                  uses it for the predictions

#include <benchmark/benchmark.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../support.hpp"
#include "cost_models.hpp"
#include "siena/cost/latency_table_csv.hpp"
#if __has_include(<nlohmann/json.hpp>)
#include "siena/cost/latency_table_json.hpp"
#endif

namespace {

using namespace siena;
using namespace siena::bench;

struct Options {
  std::string measure, table;
  GridOptions grid;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const std::string value(equals == std::string_view::npos ? "" : argument.substr(equals + 1));
    require<ArgumentError>(
        !value.empty() && (name == "--measure" || name == "--table" || name == "--grid" || name == "--sizes"),
        "expected --measure=FILE, --grid=quick or full, --sizes=32,25x5 or --table=FILE, got '{}'", argument);
    if (name == "--measure") options.measure = value;
    if (name == "--table") options.table = value;
    if (name == "--sizes") options.grid.sizes = parse_sizes(value);
    if (name == "--grid") {
      require<ArgumentError>(value == "quick" || value == "full", "expected --grid=quick or full, got '{}'", value);
      options.grid.grid = value == "full" ? Grid::full : Grid::quick;
    }
  }
  return options;
}

/// What reads and writes the kind of file that a name stands for.
struct FileKind {
  void (*save)(const LatencyTable&, const std::filesystem::path&);
  LatencyTable (*load)(const std::filesystem::path&);
};
FileKind kind_of(const std::filesystem::path& file) {
  if (file.extension() == ".csv")
    return {save_latency_csv, [](const std::filesystem::path& path) { return load_latency_csv(path); }};
#if __has_include(<nlohmann/json.hpp>)
  if (file.extension() == ".json")
    return {save_latency_json, [](const std::filesystem::path& path) { return load_latency_json(path); }};
#endif
  fail<ArgumentError>("expected a table in a .csv file (or .json, built with nlohmann-json), got '{}'", file.string());
}

void write_table(const std::string& file, const GridOptions& grid) {
  const FileKind kind = ::kind_of(file);
  const Measurement measured = measure(grid);
  const LatencyTable table(measured.points);
  kind.save(table, file);
  std::printf("%s: %zu points; whole networks, measured in between:\n", file.c_str(), table.points().size());
  for (const WholeNetwork& network : measured.networks) try {
      const double error = prediction_error(table, network);
      std::printf("%-13s %3d %%  measured %9.1f us  error %5.1f %%\n", network.name.c_str(), network.percent,
                  1e6 * network.seconds, 100 * error);
    } catch (const DataError&) {  // --sizes that it does not have
      std::printf("%-13s %3d %%  not in the table\n", network.name.c_str(), network.percent);
    }
}

}  // namespace

const siena::bench::Predictor& siena::bench::predictor(const std::string& file) {
  static const Predictor all = [&]() -> Predictor {
    std::optional<LatencyTable> table;
    if (!file.empty()) table = ::kind_of(file).load(file);  // refused at once
    Measurement measured = measure({.grid = table ? Grid::none : Grid::quick});
    return {.table = table ? *table : LatencyTable(std::move(measured.points)), .networks = std::move(measured.networks)};
  }();
  return all;
}

int main(int argc, char** argv) try {
  benchmark::Initialize(&argc, argv);
  const Options options = parse(argc, argv);
  if (!options.measure.empty()) {
    write_table(options.measure, options.grid);
    return 0;
  }
#if !defined(NDEBUG)
  benchmark::AddCustomContext("siena", "built with assertions: the times are not those of a release build");
#endif
  add_figures();
  add_predictions(options.table);
  add_evaluations(options.table);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return failed() ? 1 : 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}
