// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Layers one by one. In a network a layer's weights were last used an inference ago: so copies of a layer take turns. What a
// pass takes without any layer is subtracted. All shapes take turns in every round, in another order each time, whole networks
// among them; medians count.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../support.hpp"
#include "cost_models.hpp"
#include "siena/nn.hpp"
#include "siena/space.hpp"

namespace siena::bench {

namespace {

/// Layers that differ in channels and size only.
struct Family {
  Layer layer;               // whatever number of outputs it says
  const char *sizes, *more;  // of the output, of a global pool of its input: in both grids, in the full one alone
};

const std::vector<Family>& families() {
  static const char* const used = "64,48,32,25x5,24,16,12,8,6,3,1";
  static const std::vector<Family> all{
      {Conv2d{.kernel = 3}, "64,32,16,8", "48,24,12,6,4,3"},
      {Conv2d{.kernel = 3, .stride = 2}, "48,32,16,8", "24,12,6,4"},
      {Conv2d{}, "48,25x5,24,12,6,3", "64,32,16,8,4"},
      {Conv2d{.stride = 2}, "32,16,8", "24,12,6,4"},
      {Conv2d{.kernel = {10, 4}, .stride = 2}, "25x5", ""},
      {Conv2d{.kernel = 5}, "", "32,25x5,16,8"},
      {Conv2d{.kernel = 7, .stride = 2}, "", "112,32"},
      {Conv2d{.kernel = 3, .groups = 2}, "", "32,16,8"},
      {Conv2d{.kernel = 3, .groups = Conv2d::depthwise}, "48,25x5,24,12,6,3", "64,32,16,8,4"},
      {Conv2d{.kernel = 3, .stride = 2, .groups = Conv2d::depthwise}, "24,12,6,3", "48,32,16,8,4"},
      {Conv2d{.kernel = 5, .groups = Conv2d::depthwise}, "", "32,24,16,12,8,6"},
      {Linear{}, "1", ""},
      {Relu{}, used, "4"},
      {PRelu{}, "", "16,8"},
      {Sigmoid{}, "", "16,8"},
      {Tanh{}, "", "16,8"},
      {BatchNorm{}, "", used},
      {Add{}, "64,32,16,8", "48,24,12,6"},
      {Concat{}, "", "16,8"},
      {Multiply{}, "", "16,8"},
      {HardSigmoid{}, "", "16,8"},
      {HardSwish{}, "", "16,8"},
      {Clip{}, "", "16,8"},
      {LeakyRelu{}, "", "16,8"},
      {GlobalAvgPool{}, "25x5,8,3", "64,32,16,12,6,4"},
      {MaxPool{}, "", "16,8,4"},
      {MaxPool{.kernel = 3, .stride = 2, .padding = 1}, "", "56,16,8"},
      {AvgPool{}, "", "16,8,4"},
  };
  return all;
}

std::vector<ImageSize> sizes_of(const Family& family, const GridOptions& options) {
  std::string sizes = family.sizes;
  if (options.grid == Grid::full) sizes += (sizes.empty() || *family.more == '\0' ? "" : ",") + std::string(family.more);
  if (sizes.empty() || options.grid == Grid::none) return {};
  return options.sizes.empty() || family.layer.is<Linear>() ? parse_sizes(sizes) : options.sizes;
}

/// A layer to be timed.
struct Shot {
  Layer layer;
  ImageSize size;
  int in, out;
};

/// x through the layer, with so many outputs where it may have any number.
Flow append(const Flow& x, const Layer& layer, int out) {
  if (layer.is<Add>()) return add(x, x);
  if (layer.is<Multiply>()) return multiply(x, x);
  if (layer.is<Concat>()) return concat({x, x});
  return visit_layer(
      [&]<class L>(L own) {
        if constexpr (std::is_same_v<L, Conv2d> || std::is_same_v<L, Linear>) own.out = out;
        return x.append(std::move(own));
      },
      layer);
}

Network build(const Shot& shot) {
  int stride = 1;
  if (const auto* conv = shot.layer.get_if<Conv2d>()) stride = conv->stride.height;
  if (shot.layer.is<MaxPool>() || shot.layer.is<AvgPool>()) stride = 2;
  const bool image = !shot.layer.is<Linear>();
  const Shape input = image ? Shape{shot.size.height * stride, shot.size.width * stride, shot.in} : Shape{shot.in};
  const auto layers = [&](const Flow& x) { return append(x, shot.layer, shot.out); };
  return Network(input, layers, std::nullopt);
}

std::vector<int> input_channels(bool full) {
  if (full) return {1, 3, 4, 8, 16, 32, 64, 128, 256, 384, 512, 640, 1024};
  return {1, 8, 64, 128, 256, 512, 640, 1024};
}
std::vector<int> output_channels(bool full) {
  if (!full) return {8, 16, 32, 64, 128, 256, 512, 640, 1024};
  std::vector<int> channels;
  for (int c = 8; c <= 1024; c += c < 64 ? 8 : c < 256 ? 16 : c < 512 ? 64 : 128) channels.push_back(c);
  return channels;
}

std::vector<Shot> shots_of(const GridOptions& options) {
  const bool full = options.grid == Grid::full;
  std::vector<Shot> shots;
  for (const Family& family : families()) {
    // Multiplications for each pair of channels; 0 where the output has the channels of the input.
    double taps = family.layer.is<Linear>() ? 1 : 0;
    int groups = 1;
    if (const auto* conv = family.layer.get_if<Conv2d>(); conv != nullptr && conv->groups != Conv2d::depthwise) {
      taps = double(conv->kernel.height) * conv->kernel.width, groups = conv->groups;
    }
    for (const ImageSize& size : sizes_of(family, options)) {
      // As many channels as keep a layer at what the largest ones of a ResNet18 take.
      const double pixels = double(size.height) * size.width;
      const double most = taps > 0 ? std::sqrt(160e6 / (pixels * taps)) : 4e6 / pixels;
      const auto fits = [&](int channels) { return channels <= most && channels % groups == 0; };
      for (const int out : output_channels(full)) {
        if (!fits(out)) continue;
        if (taps == 0) shots.push_back({family.layer, size, out, out});
        for (const int in : input_channels(full)) {
          if (taps > 0 && fits(in)) shots.push_back({family.layer, size, in, out});
        }
      }
    }
  }
  return shots;
}

/// Seconds of one pass through one of the networks, which take turns.
double seconds_of(std::vector<Network>& copies, double least) {
  const Tensor input(copies.front().input_shape().batch(1), 0.5f);
  const auto turn = [&] {
    Tape tape(false);
    for (Network& network : copies) tape.release(network.forward(tape.reference(input), Mode::inference));
  };
  double seconds = 0;
  int turns = 0;
  for (const bool warm : {false, true}) {  // the first turns fill caches and the memory pool, which other shapes have used
    const Stopwatch watch(Stopwatch::Time::thread);
    turns = 0;
    do {
      turn();
      ++turns;
      seconds = watch.seconds();
    } while (seconds < least || (!warm && turns < 2 && seconds < 1e-3));
  }
  return seconds / (static_cast<double>(turns) * static_cast<double>(copies.size()));
}

double seconds_of(const Shot& shot, double least) {
  const Network network = build(shot);
  const double bytes = 4 * static_cast<double>(network.weight_count());
  // So that the weights come from where those of a network would: the whole has 4 to 8 times those of its larger layers.
  const double copies = bytes > 0 ? std::clamp(512 * 1024 / bytes, 4.0, 8.0) : 8;
  std::vector<Network> all(static_cast<std::size_t>(copies), network);
  return seconds_of(all, least);
}

/// Seconds of layers, of whole networks among them, and of passes without any layer.
class Samples {
 public:
  Samples(std::vector<Shot> shots, std::vector<WholeNetwork> networks)
      : shots_(std::move(shots)),
        networks_(std::move(networks)),
        empty_(8, build({Dropout{}, {1, 1}, 8, 8})),
        order_(shots_.size()),
        of_layers_(shots_.size()),
        of_networks_(networks_.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
  }

  /// Each layer once, for `least` seconds or more, in an order of its own; after every so many a network.
  void add_round(double least) {
    constexpr std::size_t between = 20;
    for (std::size_t i = order_.size(); i > 1; --i)
      std::swap(order_[i - 1], order_[static_cast<std::size_t>(random_.below(i))]);
    for (std::size_t done = 0; done < std::max(order_.size(), networks_.size() * between); ++done) {
      if (done < order_.size()) of_layers_[order_[done]].push_back(seconds_of(shots_[order_[done]], least));
      if (done % between > 0) continue;
      of_nothing_.push_back(seconds_of(empty_, least));
      const std::size_t network = turn_++ % networks_.size();
      of_networks_[network].push_back(seconds_of(networks_[network].deployed, 5e-4));
    }
  }

  Measurement medians() {
    const double nothing = median(of_nothing_);
    std::vector<LatencyPoint> points;
    for (std::size_t i = 0; i < shots_.size(); ++i) {
      const auto query = latency_query(describe(build(shots_[i])).layers.back());
      points.push_back({.key = query->key,
                        .height = static_cast<int>(query->height),
                        .width = static_cast<int>(query->width),
                        .in_channels = query->in_channels,
                        .out_channels = query->out_channels,
                        .seconds = std::max(0.0, median(of_layers_[i]) - nothing),
                        .tile = static_cast<int>(row_padding)});
    }
    for (std::size_t i = 0; i < networks_.size(); ++i) networks_[i].seconds = median(of_networks_[i]);
    return {.points = std::move(points), .networks = networks_};
  }

 private:
  std::vector<Shot> shots_;
  std::vector<WholeNetwork> networks_;
  std::vector<Network> empty_;
  std::vector<std::size_t> order_;
  std::vector<std::vector<double>> of_layers_, of_networks_;
  std::vector<double> of_nothing_;
  Random random_{1};
  std::size_t turn_ = 0;
};

}  // namespace

std::vector<ImageSize> parse_sizes(const std::string& text) {
  std::vector<ImageSize> sizes;
  const char *at = text.data(), *const end = at + text.size();
  const auto number = [&] {
    int value = 0;
    const auto [stop, error] = std::from_chars(at, end, value);
    require<ArgumentError>(error == std::errc() && value > 0 && value <= 4096, "expected sizes such as '32,25x5', got '{}'",
                           text);
    at = stop;
    return value;
  };
  while (true) {
    const int height = number();
    const bool other = at != end && *at == 'x';
    if (other) ++at;
    const ImageSize size{height, other ? number() : height};
    if (std::find(sizes.begin(), sizes.end(), size) == sizes.end()) sizes.push_back(size);
    if (at == end) return sizes;
    require<ArgumentError>(*at++ == ',', "expected sizes such as '32,25x5', got '{}'", text);
  }
}

Measurement measure(const GridOptions& options) {
  const ThreadScope one_thread(1);
#if defined(NDEBUG)
  const int rounds = options.grid == Grid::none ? 15 : 5;
#else
  const int rounds = 1;  // with assertions: shows that it runs
#endif
  Samples samples(shots_of(options), whole_networks());
  for (int round = 1; round <= rounds; ++round) {
    std::fprintf(stderr, "\rlayers: round %d of %d", round, rounds);
    samples.add_round(options.grid == Grid::full ? 1e-4 : 3e-5);
  }
  std::fprintf(stderr, "\r%40s\r", "");
  return samples.medians();
}

}  // namespace siena::bench
