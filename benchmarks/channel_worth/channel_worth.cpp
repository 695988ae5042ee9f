// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What channels and bits are worth: by how much the loss on validation samples rises when a part of the channels of a layer,
// and of those that are tied to it, go, the ones worth least, or when its weights get fewer bits. No times.
//   bench_channel_worth                                            a small ResNet8, trained on synthetic images
//   bench_channel_worth --network=FILE --cifar10=FOLDER            a trained network (--save of a program)
//   bench_channel_worth --bits=2,4,8 --log=worth.csv               bits of the weights of each layer, too
// A line of the log is a group of channels of which two thirds, or half, are left, or a layer with fewer bits:
//   estimate  what a search takes them to be worth       recalibrated  the rise once batch norms know what is left
//   trained   the rise after an epoch on a quarter of the samples, beside the whole network after the same
// The counters of a row are over the groups: the rank correlation (Spearman) of the estimate with either.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "../support.hpp"
#include "siena/deploy/network_file.hpp"
#include "siena/siena.hpp"

namespace {

using namespace siena;
using namespace siena::bench;

#if defined(NDEBUG)
constexpr int samples = 1600, epochs = 6;
#else
constexpr int samples = 64, epochs = 1;  // with assertions: shows that it runs
#endif
constexpr std::int64_t batch = 128;

std::string network_file, cifar10_folder;
std::vector<int> widths;
std::ofstream log_file;

void read_option(std::string_view argument) {
  if (argument.starts_with("--network=")) {
    network_file = argument.substr(10);
  } else if (argument.starts_with("--cifar10=")) {
    cifar10_folder = argument.substr(10);
  } else if (argument.starts_with("--bits=")) {
    for (const char digit : argument.substr(7))
      if (digit != ',') widths.push_back(digit - '0');  // the axis says what it expects
  } else if (argument.starts_with("--log=")) {
    log_file.open(std::string(argument.substr(6)));
    require<ArgumentError>(log_file.good(), "--log: expected a file that may be written, got '{}'", argument.substr(6));
    log_file << "axis,layer,of,left,estimate,recalibrated,trained\n";
  } else {
    fail<ArgumentError>("expected --network=FILE, --cifar10=FOLDER, --bits=N,N,... or --log=FILE.csv, got '{}'", argument);
  }
}

/// A trained network whose masks have been measured, and its data.
struct Measured {
  data::Splits data;
  Network network;
  SearchSpace space;
  FitOptions tuning{.epochs = 1, .batch = batch, .optimizer = Sgd{.lr = 0.02, .momentum = 0.9}, .schedule = CosineLr{}};
  Metrics whole, whole_trained;

  explicit Measured(data::Splits splits)
      : data(std::move(splits)), network(searchable()), space(SearchSpace::install(network)) {
    if (!cifar10_folder.empty()) tuning.augment = {.crop_padding = 4, .flip = true};
    measure_masks();
    std::tie(whole, whole_trained) = judge(space.full());
  }

  /// Of a selection, its batch norms recalibrated: on validation samples at once, and after some training.
  std::pair<Metrics, Metrics> judge(const Selection& selection) const {
    Network left = discretize(network, space, selection);
    data::Splits few = data;
    few.train = data.train.take(data.train.size() / 4), few.validation = {};
    data::Loader(few.train, {.batch = batch, .shuffle = false}).for_each(0, [&](const data::Batch& samples_of_step) {
      Tape tape(false);
      left.forward(tape.reference(samples_of_step.inputs), Mode::training);
    });
    const Metrics recalibrated = evaluate(left, data.validation);
    fit(left, few, tuning);
    return {recalibrated, evaluate(left, data.validation)};
  }

  /// Of the first layer that is another without a part of an axis.
  std::string name_of(std::size_t axis, std::size_t part) const {
    Selection without = space.full();
    for (int& unit : without[axis][part]) unit = 0;
    const auto whole_layers = describe(network, space, space.full()).layers, layers = describe(network, space, without).layers;
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (layers[i].out_channels != whole_layers[i].out_channels || layers[i].weight_bits != whole_layers[i].weight_bits)
        return layers[i].name;
    return "";
  }

 private:
  Network searchable() const { return widths.empty() ? trained() : with_bits(trained(), {.weights = widths}); }
  Network trained() const {
    if (!network_file.empty()) return deploy::load_network(network_file);
    Network made = resnet8({.classes = 8, .width = 0.5});
    fit(made, data, {.epochs = 3 * epochs, .batch = 32, .optimizer = Sgd{.lr = 0.05, .momentum = 0.9}});
    return made;
  }
  /// Steps that move nothing, in which masks meet their gradients.
  void measure_masks() {
    const Objective objective = classification();
    Tape tape;
    int steps = 0;
    data::Loader(data.train, {.batch = batch, .augment = tuning.augment}).for_each(0, [&](const data::Batch& samples_of_step) {
      if (++steps > 150) return;
      tape.clear();
      for (Parameter* parameter : network.parameters()) parameter->grad.fill(0);
      StepContext step{.network = network, .tape = tape, .batch = samples_of_step, .mode = Mode::training};
      tape.backward(objective.loss(step).task);
    });
  }
};

/// Channels that are on, or how often bits went up.
int size_of(const std::vector<int>& part) { return std::accumulate(part.begin(), part.end(), 0); }

/// What of a part is left: two thirds and half of the channels, or each number of bits below the highest.
std::vector<int> sizes_left(const std::vector<int>& part) {
  const int all = size_of(part);
  if (part.size() > 1) return {(2 * all + 2) / 3, (all + 1) / 2};
  std::vector<int> sizes;
  for (int left = all - 1; left >= 0; --left) sizes.push_back(left);
  return sizes;
}

/// With so much of one part of an axis, and what a search takes that to be worth that went.
std::pair<Selection, double> narrowed(const Measured& given, std::size_t axis, std::size_t part, int left) {
  Selection now = given.space.full();
  double worth = 0;
  for (bool moved = true; moved && size_of(now[axis][part]) > left;) {
    moved = false;
    Selection next;
    for_each_move(given.network, given.space, now, Direction::away, [&](const Move& move) {
      if (moved || size_of(move.to[axis][part]) != size_of(now[axis][part]) - 1) return true;
      next = move.to, worth += move.worth, moved = true;
      return true;
    });
    if (moved) now = std::move(next);
  }
  return {now, worth};
}

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto ranks = [](const std::vector<double>& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
    std::vector<double> rank(values.size());
    for (std::size_t r = 0; r < order.size(); ++r) rank[order[r]] = static_cast<double>(r);
    return rank;
  };
  const std::vector<double> p = ranks(a), q = ranks(b);
  const double n = static_cast<double>(a.size());
  double squares = 0;
  for (std::size_t i = 0; i < p.size(); ++i) squares += (p[i] - q[i]) * (p[i] - q[i]);
  return 1 - 6 * squares / (n * (n * n - 1));
}

void measure(benchmark::State& state) {
  std::vector<double> estimates, recalibrated, trained;
  for (auto _ : state) {
    const auto splits = cifar10_folder.empty()
                            ? data::synthetic_images({.classes = 8, .train = samples, .validation = 400, .noise = 0.3})
                            : data::Splits(data::cifar10(cifar10_folder, {.validation = 0.1}));
    const Measured given(splits);
    const Selection full = given.space.full();
    for (std::size_t axis = 0; axis < full.size(); ++axis) {
      for (std::size_t part = 0; part < full[axis].size(); ++part) {
        for (const int left : sizes_left(full[axis][part])) {
          const auto [selection, worth] = narrowed(given, axis, part, left);
          if (worth == 0) continue;  // the input's and the output's stay
          const auto [at_once, after] = given.judge(selection);
          estimates.push_back(worth);
          recalibrated.push_back(at_once.loss - given.whole.loss);
          trained.push_back(after.loss - given.whole_trained.loss);
          if (log_file.is_open())
            log_file << fmt::format("{},{},{},{},{:.4f},{:.4f},{:.4f}\n", given.space.axes()[axis]->name(),
                                    given.name_of(axis, part), size_of(full[axis][part]), size_of(selection[axis][part]), worth,
                                    recalibrated.back(), trained.back())
                     << std::flush;
        }
      }
    }
  }
  state.counters["over"] = static_cast<double>(estimates.size());
  state.counters["recalibrated"] = rank_correlation(estimates, recalibrated);
  state.counters["trained"] = rank_correlation(estimates, trained);
}

void add_channel_worth() {
  benchmark::RegisterBenchmark("channel_worth", measure)->Iterations(1)->UseRealTime()->Unit(benchmark::kSecond);
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv, add_channel_worth, read_option); }
