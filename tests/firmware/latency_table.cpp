// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Measures layers on an emulated Cortex-M4, for a LatencyTable:
//     latency_table ROOT NETWORK|POINTS.csv TABLE.csv [--mhz 120] [--waits 1.2] [--linear-waits 1.43] [--check 0]
//                   [--cycles FILE] [--folder FOLDER]
// A network of the benchmarks (resnet8, ds_cnn, mobilenet_v1) gets a grid of all its layers, of 1 to as many channels as it
// has; POINTS.csv has the points that a search asks for. Cycles are estimated from the instructions that were executed, times a
// factor for memory that waits. In FOLDER stays the program, which says "point N cycles" on a board that counts them: these
// lines in FILE make the table of that board. So many networks of other widths are checked against what the table says of them.
// Filters, and the inputs of a row of the kernel, are taken in twos: the columns tile and in_tile.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "emulator.hpp"
#include "siena/cost/latency_table_csv.hpp"
#include "siena/cost/macs.hpp"
#include "siena/deploy/integer/quantize.hpp"
#include "siena/models.hpp"
#include "siena/space/describe.hpp"
#include "support/random_integer_network.hpp"
#include "support/random_network.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

const firmware::Board& board = firmware::boards[0];

struct Options {
  std::filesystem::path root;
  std::string points, table;
  std::map<std::string, std::string> more;

  double number(const std::string& name) const { return std::stod(more.at(name)); }
};

Options options(int count, char** words) {
  require<ArgumentError>(
      count >= 4 && count % 2 == 0,
      "latency_table: expected ROOT, NETWORK or POINTS.csv, TABLE.csv and options with a value each, got {} words", count - 1);
  Options result{.root = words[1], .points = words[2], .table = words[3], .more = {}};
  result.more = {{"--mhz", "120"}, {"--waits", "1.2"}, {"--linear-waits", "1.43"},
                 {"--check", "0"}, {"--cycles", ""},   {"--folder", ""}};
  for (int i = 4; i < count; i += 2) {
    require<ArgumentError>(result.more.contains(words[i]), "latency_table: expected an option, got {}", words[i]);
    result.more[words[i]] = words[i + 1];
  }
  return result;
}

/// A network of the benchmarks, with so much of its channels.
Network network_of(const std::string& name, double width) {
  if (name == "resnet8") return resnet8({.width = width});
  if (name == "ds_cnn") return ds_cnn({.width = width});
  if (name == "mobilenet_v1") return mobilenet_v1({.width = width});
  fail<ArgumentError>("latency_table: expected resnet8, ds_cnn, mobilenet_v1 or a file of points, got {}", name);
}

double full_width(const std::string& name) { return name == "mobilenet_v1" ? 0.25 : 1; }

/// Grids of channels for all layers of a network: eighths of what it has, and 1. What the network reads and says stays.
std::vector<LatencyPoint> points_of(const Network& network) {
  struct Channels {
    std::set<double> in, out;
  };
  std::map<std::tuple<LatencyKey, int, int>, Channels> grids;
  const auto add = [](std::set<double>& axis, double most, bool varies, double tile) {
    for (const double eighths : {0.0, 1.0, 2.0, 4.0, 6.0, 8.0}) {
      const double channels = varies ? std::max(1.0, std::floor(most * eighths / 8)) : most;
      axis.insert(std::ceil(channels / tile) * tile);
    }
  };
  const Architecture<double> all = describe(network);
  for (std::size_t i = 0; i < all.layers.size(); ++i) {
    const auto query = latency_query(all.layers[i]);
    if (!query) continue;
    Channels& grid = grids[{query->key, static_cast<int>(query->height), static_cast<int>(query->width)}];
    const bool tiled = query->key.operation == "conv2d" || query->key.operation == "linear";
    add(grid.in, query->in_channels, i > 0, tiled && query->key.kernel_width == 1 ? 2 : 1);
    add(grid.out, query->out_channels, i + 1 < all.layers.size(), tiled ? 2 : 1);
  }
  std::vector<LatencyPoint> points;
  for (const auto& [place, grid] : grids) {
    const auto& [key, height, width] = place;
    const int tile = key.operation == "conv2d" || key.operation == "linear" ? 2 : 1;  // filters, and inputs, side by side
    for (const double in : grid.in)
      for (const double out : grid.out) points.push_back({key, height, width, in, out, 0, tile, tile});
  }
  return points;
}

/// The layer by itself; without operations where the one before it does its work.
deploy::IntegerNetwork layer_of(const LatencyPoint& p) {
  test::RandomIntegerNetwork r(1);
  const auto in = static_cast<std::int64_t>(p.in_channels), out = static_cast<std::int64_t>(p.out_channels);
  const LatencyKey& k = p.key;
  const auto rows = std::int64_t{p.height} * k.stride_height, columns = std::int64_t{p.width} * k.stride_width;
  const kernels::Padding above = kernels::same_padding(rows, k.kernel_height, k.stride_height);
  const kernels::Padding left = kernels::same_padding(columns, k.kernel_width, k.stride_width);
  kernels::ConvGeometry window{.out_channels = out,
                               .kernel_height = k.kernel_height,
                               .kernel_width = k.kernel_width,
                               .stride_height = k.stride_height,
                               .stride_width = k.stride_width,
                               .pad_top = above.before,
                               .pad_bottom = above.after,
                               .pad_left = left.before,
                               .pad_right = left.after,
                               .groups = k.groups};
  if (k.operation == "conv2d") {
    r.convolution(r.begin({rows, columns, in}), window);
  } else if (k.operation == "depthwise_conv2d") {
    window.groups = static_cast<int>(out / k.multiplier);
    r.convolution(r.begin({rows, columns, out / k.multiplier}), window);
  } else if (k.operation == "linear") {
    r.linear(r.begin({in}), static_cast<int>(out));
  } else if (k.operation == "add") {
    r.sum(r.begin({p.height, p.width, out}), 0);
  } else if (k.operation == "global_avg_pool") {
    r.average_pool(r.begin({p.height, p.width, out}), {.kernel_height = p.height, .kernel_width = p.width});
  } else if (k.operation == "avg_pool" || k.operation == "max_pool") {
    const int x = r.begin({rows, columns, out});
    k.operation == "avg_pool" ? r.average_pool(x, window) : r.max_pool(x, window);
  } else if (k.operation == "relu" || k.operation == "clip") {
    return {};
  } else {
    fail<ArgumentError>("latency_table: expected convolutions, linear layers, adds, pools and ReLUs, got {}", k);
  }
  deploy::IntegerNetwork network = r.end();
  for (deploy::IntegerOperation& operation : network.operations) {
    operation.low = -128, operation.high = 127;
    if (auto* what = std::get_if<deploy::integer::Convolution>(&operation.what)) what->shift = 0, what->bits = 8;
  }
  return network;
}

/// A program of all points: QEMU counts instructions, a board its cycles.
std::string program(const std::vector<deploy::CSource>& sources) {
  std::string includes, runs;
  std::int64_t memory = 4;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    memory = std::max(memory, sources[i].arena + 4);
    includes += format("#include \"{}.h\"\n", sources[i].name);
    runs += format("  begin();\n  p{}_run(P{}_CONTEXT_IN(memory.bytes));\n  end({});\n", i, i, i);
  }
  return includes + deploy::c::fill(R"(#include "board.h"

static union {
  int32_t aligned;
  int8_t bytes[$memory];
} memory;

__attribute__((noinline)) void count_begin(void) { __asm__ volatile("" ::: "memory"); }
__attribute__((noinline)) void count_end(void) { __asm__ volatile("nop" ::: "memory"); }

/* The cycle counter of Cortex-M3, M4, M7, M33 and M55. */
#define DEMCR (*(volatile uint32_t *)0xE000EDFC)
#define DWT_CTRL (*(volatile uint32_t *)0xE0001000)
#define DWT_CYCCNT (*(volatile uint32_t *)0xE0001004)
static uint32_t start;
static void begin(void) {
  start = DWT_CYCCNT;
  count_begin();
}
static void end(uint32_t point) {
  count_end();
  const uint32_t cycles = DWT_CYCCNT - start;
  board_say("point ");
  board_say_number(point);
  board_say(" ");
  board_say_number(cycles);
  board_say("\n");
}

int main(void) {
  DEMCR |= 1u << 24;
  DWT_CTRL |= 1;
$runs  return 0;
}
)",
                                    {{"memory", memory}, {"runs", runs}});
}

/// Cycles of points, in their order; below 0 for those that take none.
struct Measured {
  std::vector<double> cycles;
  std::string how;
};

Measured measure(const std::vector<LatencyPoint>& points, firmware::Emulator& emulator, const Options& options) {
  std::vector<deploy::CSource> sources;
  std::vector<std::string> names;
  std::vector<int> places;  // of each point among the sources
  for (const LatencyPoint& point : points) {
    const deploy::IntegerNetwork network = layer_of(point);
    places.push_back(network.operations.empty() ? -1 : static_cast<int>(sources.size()));
    if (network.operations.empty()) continue;
    names.push_back(format("p{}", sources.size()));
    sources.push_back(deploy::c_text(network, {.name = names.back(), .target = deploy::CTarget::cortex_m}));
    emulator.write(sources.back());
  }
  emulator.write("points.c", program(sources));
  std::vector<double> cycles(sources.size(), -1);
  const std::string file = options.more.at("--cycles");
  if (file.empty()) {
    emulator.build(board, "points.c", names);
    const std::vector<firmware::Counts> counts = emulator.count(board);
    for (std::size_t i = 0; i < cycles.size(); ++i) cycles[i] = counts.at(i).cycles();
  } else {
    const std::string text = read_file(file);
    std::istringstream words(text);
    std::string word;
    for (std::size_t point = 0; words >> word >> point;) words >> cycles.at(point);
  }
  Measured result{.cycles = {},
                  .how = file.empty() ? "estimated from the instructions of an emulated Cortex-M4" : "measured on a board"};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool linear = points[i].key.operation == "linear";
    const double waits = file.empty() ? options.number(linear ? "--linear-waits" : "--waits") : 1;
    result.cycles.push_back(places[i] < 0 ? 0 : cycles[static_cast<std::size_t>(places[i])] * waits);
    require<DataError>(result.cycles.back() >= 0, "latency_table: expected 'point {} cycles' in {}, got none", places[i], file);
  }
  if (file.empty())
    result.how += format(" x {}; linear layers x {}", options.more.at("--waits"), options.more.at("--linear-waits"));
  return result;
}

/// With columns that say what the times are made of.
void write(const LatencyTable& table, const Options& options, const std::string& how) {
  std::istringstream lines(to_csv(table));
  std::string text, line;
  for (std::size_t i = 0; std::getline(lines, line); ++i) {
    text += line;
    if (i == 1) text += ",cycles,how";
    if (i > 1) text += format(",{:.0f},{}", table.points()[i - 2].seconds * options.number("--mhz") * 1e6, how);
    text += '\n';
  }
  latency_table_from_csv(text, options.table);
  write_file_atomically(options.table, text);
}

/// What the table says of networks between those that were measured, beside what they take.
bool check(const LatencyTable& table, firmware::Emulator& emulator, const Options& options) {
  double worst = 0;
  const int networks = static_cast<int>(options.number("--check"));
  for (int i = 0; i < networks; ++i) {
    Network network = network_of(options.points, full_width(options.points) * (0.2 + 0.8 * (i + 0.5) / networks));
    test::RandomNetwork(13).randomise(network);
    const std::vector<Tensor> batch{test::RandomNetwork(5).batch(network, 4)};
    const deploy::IntegerNetwork integers = deploy::quantize(network, batch);
    const std::vector<std::int8_t> input(static_cast<std::size_t>(integers.values[0].shape.elements()));
    const firmware::Run run =
        emulator.run(board, deploy::c_text(integers, {.target = deploy::CTarget::cortex_m}), input, input.size());
    const double predicted = total(table, describe(network)) * options.number("--mhz") * 1e6 / options.number("--waits");
    const double off = predicted / run.counts.cycles() - 1;
    fmt::print("{} MACs: predicted {:.0f} cycles, counted {:.0f}, {:+.2f} %\n", total(Macs{}, describe(network)), predicted,
               run.counts.cycles(), 100 * off);
    worst = std::max(worst, std::abs(off));
  }
  if (networks > 0) fmt::print("at most {:.2f} % off\n", 100 * worst);
  return worst <= 0.04;
}

int run(const Options& options) {
  if (!firmware::Emulator::has(board)) {
    fmt::print("firmware: skipped, for want of a compiler or an emulator for {} ({})\n", board.name, board.core);
    return 77;
  }
  const test::TemporaryFolder temporary("siena_latency_table");
  const std::string folder = options.more.at("--folder");
  firmware::Emulator emulator(options.root, folder.empty() ? temporary.path : std::filesystem::path(folder));
  const bool file = options.points.ends_with(".csv");
  std::vector<LatencyPoint> points =
      file ? load_latency_csv(options.points).points() : points_of(network_of(options.points, full_width(options.points)));
  const Measured measured = measure(points, emulator, options);
  for (std::size_t i = 0; i < points.size(); ++i) points[i].seconds = measured.cycles[i] / (options.number("--mhz") * 1e6);
  const LatencyTable table(points);
  write(table, options, measured.how);
  fmt::print("{}: {} points, {}\n", options.table, points.size(), measured.how);
  return file || check(table, emulator, options) ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(options(count, words));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
