// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// The widths that searches settle on, held against a public table of what all widths give: Channel-Bench-Macro
// (github.com/xiusu/Channel-Bench-Macro), 16,384 networks of seven widths, each trained three times on CIFAR-10. No times.
//   bench_widths                                                    a table that is made up, of narrow networks
//   bench_widths --resnet=Results_ResNet.json --mobilenet=Results_MobileNet.json
// Under each of 200 random pairs of bounds on weights and MACs, `repair`, `use_slack` and `exchange` choose widths, as a search
// does when it settles, from what channels are worth:
//   even      each layer is worth as much as any other: nothing is known but that channels count for more the fewer are left
//   measured  what the widest network lost in its first training with the layer at three quarters, half and a quarter
// Beside them: the widest network scaled uniformly, the best of all by its first training, and a network drawn at random of
// those in which no layer may be wider. The counters are means: `accuracy` by the second and the third training, `below_best`
// how far that is from the highest mean of all three, which chance has raised.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "../support.hpp"
#include "siena/siena.hpp"

#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#endif

namespace {

using namespace siena;
using namespace siena::bench;

constexpr int layers = 7, levels = 4, trainings = 3, pairs = 200;
constexpr std::size_t networks = 16384;
static_assert(networks == std::size_t{1} << (2 * layers));

using Widths = std::array<int, layers>;  // in quarters, 1 to 4
std::string resnet_file, mobilenet_file;

void read_option(std::string_view argument) {
  if (argument.starts_with("--resnet=")) {
    resnet_file = argument.substr(9);
  } else if (argument.starts_with("--mobilenet=")) {
    mobilenet_file = argument.substr(12);
  } else {
    fail<ArgumentError>("expected --resnet=FILE.json or --mobilenet=FILE.json, got '{}'", argument);
  }
}

Widths widths_of(std::size_t index) {
  Widths widths;
  for (int& width : widths) width = static_cast<int>(index % levels) + 1, index /= levels;
  return widths;
}
std::size_t index_of(const Widths& widths) {
  std::size_t index = 0;
  for (std::size_t l = layers; l-- > 0;) index = index * levels + static_cast<std::size_t>(widths[l] - 1);
  return index;
}

struct Accuracies {
  std::array<double, trainings> of = {};
  double macs = 0;  ///< as the table has them; 0: it does not say
  double later() const { return (of[1] + of[2]) / 2; }
  double mean() const { return (of[0] + of[1] + of[2]) / 3; }
};
using Table = std::vector<Accuracies>;

Table read_table(const std::string& file) {
  Table table(networks);
#if __has_include(<nlohmann/json.hpp>)
  std::ifstream stream(file);
  require<DataError>(stream.good(), "expected a table of Channel-Bench-Macro that can be read, got '{}'", file);
  const nlohmann::json rows = nlohmann::json::parse(stream);
  for (const auto& [name, row] : rows.items()) {
    Widths widths;
    require<FormatError>(name.size() == layers && name.find_first_not_of("1234") == std::string::npos,
                         "'{}': expected seven widths of 1 to 4 each, got '{}'", file, name);
    std::transform(name.begin(), name.end(), widths.begin(), [](char digit) { return digit - '0'; });
    table[index_of(widths)] = {.of = row.at("acc").get<std::array<double, trainings>>(), .macs = row.at("flops")};
  }
  const bool whole = std::all_of(table.begin(), table.end(), [](const Accuracies& row) { return row.of[0] > 0; });
  require<FormatError>(whole, "'{}': expected {} networks, got fewer", file, networks);
#else
  fail<ArgumentError>("expected a program built with nlohmann-json, to read '{}'", file);
#endif
  return table;
}
/// Layers of different worth whose widths count by their logarithms, and chance.
Table made_up() {
  constexpr std::array<double, layers> worth{0.5, 0.1, 0.2, 0.4, 0.3, 0.2, 0.1};
  Random random(7);
  Table table(networks);
  for (std::size_t i = 0; i < networks; ++i) {
    const Widths widths = widths_of(i);
    double accuracy = 93;
    for (std::size_t l = 0; l < layers; ++l) accuracy += worth[l] * std::log(widths[l] / 4.0);
    for (double& once : table[i].of) once = accuracy + 0.05 * random.normal();
  }
  return table;
}

/// The widest networks of the table; what lies between them follows from which channels are on.
Network widest(bool resnet, double scale) {
  const auto scaled = [&](int channels) { return static_cast<int>(channels * scale); };
  const auto in_quarters = [](const Conv2d& layer) {
    return Searchable{layer, Channels{.minimum = layer.out / levels, .multiple = layer.out / levels}};
  };
  const auto conv = [&](int out, int kernel, int stride) {
    return in_quarters({.out = scaled(out), .kernel = kernel, .stride = stride, .padding = kernel / 2, .bias = false});
  };
  const auto named = [](int layer) { return format("width{}", layer); };
  const auto residual = [&](const Flow& x, int inside, int out, int layer) {
    Flow y = (x | conv(inside, 3, 1)).named(named(layer));
    y = y | BatchNorm{} | Relu{} | conv(out, 3, 1) | BatchNorm{};
    return add(x, y) | Relu{};
  };
  const auto inverted = [&](const Flow& x, int inside, int stride, int layer) {
    const Flow y = (x | conv(inside, 1, 1)).named(named(layer)) | BatchNorm{} | Relu{};
    const Conv2d depthwise{
        .out = scaled(inside), .kernel = 3, .stride = stride, .padding = 1, .groups = Conv2d::depthwise, .bias = false};
    return y | in_quarters(depthwise) | BatchNorm{} | Relu{};
  };
  const auto linear = [&](const Flow& x, int out) { return x | conv(out, 1, 1); };
  return Network({32, 32, 3}, [&](Flow x) {
    x = (x | conv(resnet ? 256 : 128, 3, 2)).named(named(0)) | BatchNorm{} | Relu{};
    if (resnet) {
      x = residual(x, 256, 256, 1);
      x = residual(x, 256, 256, 2);
      x = (x | conv(512, 3, 2)).named(named(3)) | BatchNorm{} | Relu{};
      x = (x | conv(512, 3, 1)).named(named(4)) | BatchNorm{} | Relu{};
      x = residual(x, 512, 512, 5);
      x = residual(x, 512, 512, 6);
    } else {
      x = add(x, linear(inverted(x, 768, 1, 1), 128) | BatchNorm{});
      x = add(x, linear(inverted(x, 768, 1, 2), 128) | BatchNorm{});
      x = linear(inverted(x, 768, 2, 3), 256).named(named(4)) | BatchNorm{};
      x = add(x, linear(inverted(x, 1536, 1, 5), 256) | BatchNorm{});
      x = linear(x, 1024).named(named(6)) | BatchNorm{} | Relu{};
    }
    return x | GlobalAvgPool{} | Linear{.out = 10};
  });
}

/// A space of widths with what its networks cost and reach.
class Bench {
 public:
  Bench(bool resnet, const std::string& file)
      : table_(file.empty() ? made_up() : read_table(file)),
        network_(widest(resnet, file.empty() ? 1.0 / 16 : 1)),
        space_(SearchSpace::install(network_)) {
    const auto& masks = space_.axis<ChannelMasks>();
    for (int layer = 0; layer < layers; ++layer) {
      const auto is_its = [&](const ChannelGroup& group) {
        return network_.nodes()[static_cast<std::size_t>(group.layers.front())].name == format("width{}", layer);
      };
      const auto found = std::find_if(masks.groups().begin(), masks.groups().end(), is_its);
      SIENA_ASSERT(found != masks.groups().end());
      groups_[static_cast<std::size_t>(layer)] = static_cast<std::size_t>(found - masks.groups().begin());
    }
    for (std::size_t i = 0; i < networks; ++i) {
      const Architecture<double> its = siena::describe(network_, space_, selection(widths_of(i)));
      weights_.push_back(total(Params{}, its)), macs_.push_back(total(Macs{}, its));
      require<DataError>(table_[i].macs == 0 || table_[i].macs == macs_[i], "'{}': expected networks of {} MACs, got {}", file,
                         macs_[i], table_[i].macs);
    }
  }

  /// What a layer loses at three quarters, half and a quarter, per unit of the logarithm of its width.
  std::array<double, layers> measured() const {
    std::array<double, layers> worth{};
    const double whole = table_[networks - 1].of[0];
    for (std::size_t l = 0; l < layers; ++l) {
      double products = 0, squares = 0;
      for (int width = 1; width < levels; ++width) {
        Widths narrow = widths_of(networks - 1);
        narrow[l] = width;
        const double log = std::log(width / double{levels});
        products += log * (table_[index_of(narrow)].of[0] - whole), squares += log * log;
      }
      worth[l] = std::max(products / squares, 1e-3);
    }
    return worth;
  }

  struct Bounds {
    double weights, macs;
  };
  /// Random ones that a hundred networks keep.
  std::vector<Bounds> bounds() const {
    Random random(1);
    std::vector<Bounds> drawn;
    while (drawn.size() < pairs) {
      const auto between = [&](const std::vector<double>& costs) { return random.uniform(costs.front(), costs.back()); };
      const Bounds next{between(weights_), between(macs_)};
      if (feasible(next).size() >= 100) drawn.push_back(next);
    }
    return drawn;
  }
  std::vector<std::size_t> feasible(const Bounds& bounds) const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < networks; ++i)
      if (keeps(i, bounds)) all.push_back(i);
    return all;
  }
  bool keeps(std::size_t i, const Bounds& bounds) const { return weights_[i] <= bounds.weights && macs_[i] <= bounds.macs; }

  /// Channels are from now on worth that.
  void set_worth(const std::array<double, layers>& worth) {
    State now, changed;
    network_.save(now);
    for (auto [name, value] : now.values()) {
      for (std::size_t l = 0; l < layers; ++l) {
        if (name != format("mask.width{}.gradient_variance", l)) continue;
        auto& variances = std::get<Tensor>(value);
        variances.fill(static_cast<float>(2 * worth[l] / static_cast<double>(variances.elements())));
      }
      changed.put(name, std::move(value));
    }
    network_.load(changed);
  }
  /// As a search settles that has left everything on.
  std::size_t settled(const Bounds& bounds) const {
    const ConstraintSet set = subject_to(AtMost{Params{}, bounds.weights}, AtMost{Macs{}, bounds.macs});
    const Problem problem{network_, space_, set};
    const Selection found = exchange(problem, use_slack(problem, repair(problem, space_.full())));
    Widths widths;
    for (std::size_t l = 0; l < layers; ++l) {
      const auto& channels = found["channels"][groups_[l]];
      const auto on = std::count(channels.begin(), channels.end(), 1);
      widths[l] = static_cast<int>(on * levels / static_cast<std::ptrdiff_t>(channels.size()));
    }
    return index_of(widths);
  }
  const Table& table() const { return table_; }

 private:
  Selection selection(const Widths& widths) const {
    Selection selection = space_.full();
    for (std::size_t l = 0; l < layers; ++l) {
      auto& channels = selection["channels"][groups_[l]];
      const std::size_t on = channels.size() * static_cast<std::size_t>(widths[l]) / levels;
      std::fill(channels.begin() + static_cast<std::ptrdiff_t>(on), channels.end(), 0);
    }
    return selection;
  }

  Table table_;
  Network network_;
  SearchSpace space_;
  std::array<std::size_t, layers> groups_{};
  std::vector<double> weights_, macs_;
};

/// Whether a layer could be wider.
bool has_room(const Bench& bench, std::size_t i, const Bench::Bounds& bounds) {
  const Widths widths = widths_of(i);
  for (std::size_t l = 0; l < layers; ++l) {
    Widths wider = widths;
    if (++wider[l] <= levels && bench.keeps(index_of(wider), bounds)) return true;
  }
  return false;
}

/// Which of the networks that keep the bounds a way of choosing takes.
using Choose = std::size_t (*)(const Bench&, const Bench::Bounds&, const std::vector<std::size_t>&);

std::size_t by_settling(const Bench& bench, const Bench::Bounds& bounds, const std::vector<std::size_t>&) {
  return bench.settled(bounds);
}
std::size_t uniform_width(const Bench&, const Bench::Bounds&, const std::vector<std::size_t>& kept) {
  std::size_t widest = 0;
  for (const std::size_t i : kept) {
    const Widths widths = widths_of(i);
    if (std::count(widths.begin(), widths.end(), widths[0]) == layers) widest = std::max(widest, i);
  }
  return widest;
}
std::size_t best_of_one(const Bench& bench, const Bench::Bounds&, const std::vector<std::size_t>& kept) {
  return *std::max_element(kept.begin(), kept.end(),
                           [&](std::size_t a, std::size_t b) { return bench.table()[a].of[0] < bench.table()[b].of[0]; });
}
std::size_t drawn(const Bench& bench, const Bench::Bounds& bounds, const std::vector<std::size_t>& kept) {
  Random random(static_cast<std::uint64_t>(bounds.weights + bounds.macs));
  while (true) {
    const std::size_t i = kept[random.below(kept.size())];
    if (!has_room(bench, i, bounds)) return i;
  }
}

void choose(benchmark::State& state, Bench& bench, const std::array<double, layers>& worth, Choose choose_one) {
  double accuracy = 0, below = 0;
  const std::vector<Bench::Bounds> all = bench.bounds();
  for (auto _ : state) {
    bench.set_worth(worth);
    accuracy = below = 0;
    for (const Bench::Bounds& bounds : all) {
      const std::vector<std::size_t> kept = bench.feasible(bounds);
      const std::size_t found = choose_one(bench, bounds, kept);
      if (!bench.keeps(found, bounds)) state.SkipWithError("a bound was broken");
      double best = 0;
      for (const std::size_t i : kept) best = std::max(best, bench.table()[i].mean());
      accuracy += bench.table()[found].later(), below += best - bench.table()[found].later();
    }
  }
  state.counters["accuracy"] = accuracy / pairs, state.counters["below_best"] = below / pairs;
}

void add_widths() {
  for (const bool resnet : {true, false}) {
    const std::string& file = resnet ? resnet_file : mobilenet_file;
    if (file.empty() && !(resnet_file.empty() && mobilenet_file.empty())) continue;
    auto* bench = new Bench(resnet, file);  // for as long as the program runs
    std::array<double, layers> even;
    even.fill(1);
    const auto add = [&](const char* way, const std::array<double, layers>& worth, Choose choose_one) {
      benchmark::RegisterBenchmark(format("widths/{}/{}", resnet ? "resnet" : "mobilenet", way).c_str(),
                                   [=](benchmark::State& state) { choose(state, *bench, worth, choose_one); })
          ->Iterations(1)
          ->Unit(benchmark::kMillisecond);
    };
    add("even", even, by_settling);
    add("measured", bench->measured(), by_settling);
    add("uniform", even, uniform_width);
    add("best_of_one", even, best_of_one);
    add("drawn", even, drawn);
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv, add_widths, read_option); }
