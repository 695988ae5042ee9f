// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Networks of any make: what must hold for every network is tested on many of these.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "siena/autograd/ops/activation.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/activation_bits.hpp"
#include "siena/space/bits.hpp"
#include "siena/space/choice.hpp"
#include "siena/space/search_space.hpp"
#include "siena/space/searchable.hpp"

namespace siena::test {

/// A layer of a user, with a weight per channel.
struct Scaled {
  std::string_view kind() const { return "scaled"; }
  static void attributes(auto&, auto&&) {}
  Shape setup(LayerSetup& setup) const {
    setup.parameter("weight", {setup.input()[-1]}, Init::constant(2), false);
    return setup.input();
  }
  Var forward(Forward& f) const { return ops::prelu(f.input(), f.parameter(0)); }
  void lower(Lowering& to) const { to.is(primitive::PRelu{}); }
};

template <class L>
bool has(const Network& network) {
  return std::any_of(network.nodes().begin(), network.nodes().end(),
                     [](const Network::Node& node) { return node.layer.is<L>(); });
}
inline bool has_custom_layers(const Network& network) { return has<Custom>(network); }

/// Writes random graphs: most layers may vary, some may not; `choices`: with alternatives, also in each other; `bits`: with
/// weights of few bits, which may vary.
class RandomNetwork {
 public:
  explicit RandomNetwork(std::uint64_t seed, bool choices = false, bool bits = false)
      : random_(seed),
        taps_(seed + 1000),
        others_(seed + 2000),
        latest_(seed + 3000),
        bits_(seed + 4000),
        choices_(choices),
        few_bits_(bits) {}

  Network make() {
    const Shape input{5 + below(6), 5 + below(6), 1 + below(4)};
    return make(input);
  }
  /// A network of signals.
  Network make_1d() {
    const Shape input{8 + below(12), 1 + below(4)};
    return make(input);
  }

  /// Channels and taps that stay by chance, never fewer than a group's minimum, and any alternative.
  Selection selection(const SearchSpace& space) {
    Selection selection = space.full();
    for (std::size_t g = 0; g < selection["channels"].size(); ++g) {
      const ChannelGroup& group = space.axis<ChannelMasks>().groups()[g];
      std::vector<int> keep(static_cast<std::size_t>(group.channels), 1);
      const double likely = random_.uniform(-0.4, 1.1);  // below 0: as few as may be; above 1: all
      if (!group.frozen) {
        for (int& channel : keep) channel = random_.chance(likely) ? 1 : 0;
        const std::int64_t drawn = std::count(keep.begin(), keep.end(), 1);
        const std::int64_t wanted = drawn < group.minimum ? group.minimum : group.more(drawn - 1);
        for (auto kept = drawn; kept < wanted;) {
          int& channel = keep[random_.below(keep.size())];
          kept += 1 - channel;
          channel = 1;
        }
      }
      selection["channels"][g] = std::move(keep);
    }
    for (std::size_t a = 0; a < space.axes().size(); ++a) {
      for (const AxisSite& site : space.axes()[a]->sites()) {
        for (const AxisSite::Part& part : site.parts) selection[a][static_cast<std::size_t>(part.index)] = {below(part.values)};
      }
      if (space.axes()[a]->name() != Bits::name && space.axes()[a]->name() != ActivationBits::name) continue;
      for (std::vector<int>& units : selection[a])
        for (int& width : units) width = static_cast<int>(bits_.below(static_cast<std::uint64_t>(width) + 1));
    }
    return selection;
  }

  /// A batch for a network.
  Tensor batch(const Network& network, std::int64_t size) {
    Tensor batch(network.input_shape().batch(size));
    for (std::int64_t r = 0; r < batch.rows(); ++r) {
      for (float& x : batch.row(r)) x = static_cast<float>(random_.normal());
    }
    return batch;
  }

  /// Gives all that is not drawn when a network is made, norms and biases, values that hide no mistakes, as 0 and 1 do.
  void randomise(Network& network) {
    for (const auto& node : network.nodes()) {
      if (node.layer.is<BatchNorm>()) {
        fill(network.parameter(node.parameters[0]).value, 0.5, 1.5);
        fill(network.buffer(node.buffers[0]), -0.5, 0.5);
        fill(network.buffer(node.buffers[1]), 0.3, 2);
      } else if (node.layer.is<PRelu>() || node.layer.is<Custom>()) {
        fill(network.parameter(node.parameters[0]).value, -0.3, 0.6);
      } else if (node.layer.is<Mixture>()) {
        fill(network.parameter(node.parameters[0]).value, -1, 1);
      }
      if (node.layer.is<GroupNorm>()) fill(network.parameter(node.parameters[0]).value, 0.5, 1.5);
      if (node.parameters.size() > 1) fill(network.parameter(node.parameters[1]).value, -0.8, 0.8);
    }
  }

 private:
  Network make(const Shape& input) {
    Network network(
        input, [&](const Flow& x) { return head(body(x)); }, random_.next());
    randomise(network);
    return network;
  }
  int below(int n) { return static_cast<int>(random_.below(static_cast<std::uint64_t>(n))); }
  bool chance(double p) { return random_.chance(p); }

  template <class L>
  Flow maybe_searchable(const Flow& x, L layer) {
    SearchAxes axes;
    if (chance(0.85)) {
      axes.set(Channels{.minimum = chance(0.7) ? 1 : 1 + below(3),
                        .multiple = taps_.chance(0.8) ? 1 : 2 + static_cast<int>(taps_.below(2))});
    }
    if constexpr (is_convolution<L>) {
      const Conv2d conv = *convolution_of(layer);
      const bool aligned = conv.dilation == Size2(1) || (conv.stride == Size2(1) && conv.kernel.width % 2 == 1);
      if ((aligned || !conv.padding.is_same) && taps_.chance(0.5)) {
        if (taps_.chance(0.7)) axes.set(ReceptiveField{.minimum = taps_.chance(0.8) ? 1 : 2});
        if (taps_.chance(0.7)) axes.set(Dilation{});
      }
    }
    if (few_bits_ && bits_.chance(0.3)) {
      layer.weight_bits = any_bits(layer.out);
    } else if (few_bits_ && bits_.chance(0.7)) {
      std::vector<int> widths;
      for (int width = 2; width <= 8; ++width)
        if (bits_.chance(0.4)) widths.push_back(width);
      if (widths.empty()) widths.push_back(4);
      axes.set(Bits{.weights = widths, .per = bits_.chance(0.5) ? Bits::Per::layer : Bits::Per::channel});
    }
    return x.append(layer, Decoration(axes));
  }
  WeightBits any_bits(int outputs) {
    std::vector<int> each(bits_.chance(0.5) ? 1 : static_cast<std::size_t>(outputs));
    for (int& bits : each) bits = 2 + static_cast<int>(bits_.below(7));
    return each;
  }
  /// A convolution; `keeps_size`: as high and wide as its input.
  Flow conv(const Flow& x, int out, bool keeps_size) {
    if (x.shape().rank() == 2) return conv_1d(x, out, keeps_size);
    const int kernel = 1 + 2 * below(3);
    Conv2d layer{.out = out, .kernel = {kernel, chance(0.8) ? kernel : 1}, .bias = chance(0.5)};
    const bool small = x.shape()[0] < 4 || x.shape()[1] < 4;
    if (!keeps_size && !small && chance(0.5)) layer.stride = chance(0.7) ? Size2(2) : Size2(1, 2);
    if (chance(0.4)) layer.padding = ImagePadding(layer.kernel.height / 2, layer.kernel.width / 2);
    if (!keeps_size && chance(0.2)) layer.padding = ImagePadding(kernel, kernel / 2, kernel / 2, kernel);
    if (keeps_size && layer.padding.is_same && chance(0.2)) layer.dilation = 2;
    return maybe_searchable(x, layer);
  }
  Flow conv_1d(const Flow& x, int out, bool keeps_size) {
    Conv1d layer{.out = out, .kernel = 1 + below(7), .dilation = 1 + below(2), .bias = chance(0.5)};
    if (!keeps_size && x.shape()[0] > 4 && chance(0.5)) layer.stride = 2;
    if (chance(0.5)) layer.padding = causal;
    if (!keeps_size && chance(0.2)) layer.padding = {layer.kernel * layer.dilation, layer.kernel * layer.dilation};
    return maybe_searchable(x, layer);
  }
  Flow activation(const Flow& x) {
    const int kind = below(6);
    switch (others_.chance(0.3) ? others_.below(5) : 5) {
      case 0:
        return x | HardSigmoid{};
      case 1:
        return x | HardSwish{};
      case 2:
        return x | Clip{.low = -0.2, .high = 0.7};
      case 3:
        return x | Relu6{};
      case 4:
        return x | LeakyRelu{.slope = 0.1};
      default:
        break;
    }
    switch (kind) {
      case 0:
        return x | PRelu{};
      case 1:
        return x | Sigmoid{};
      case 2:
        return x | Tanh{};
      case 3:
        return x;
      default:
        return x | Relu{};
    }
  }
  Flow finish(const Flow& x) { return activation(chance(0.7) ? x | BatchNorm{} : x); }
  Flow depthwise(const Flow& x) {
    const int channels = static_cast<int>(x.shape()[-1]);
    if (x.shape().rank() == 2) {
      return maybe_searchable(
          x, Conv1d{.out = channels, .kernel = 1 + below(5), .groups = Conv1d::depthwise, .bias = chance(0.5)});
    }
    return maybe_searchable(
        x, Conv2d{.out = channels, .kernel = 1 + 2 * below(2), .groups = Conv2d::depthwise, .bias = chance(0.5)});
  }
  /// Of channels that 2 or 3 divides: with so many groups, or each channel with so many filters.
  Flow grouped(const Flow& x) {
    const int channels = static_cast<int>(x.shape()[-1]), parts = channels % 2 == 0 ? 2 : 3;
    const bool each = taps_.chance(0.4);
    const int groups = each ? Conv2d::depthwise : taps_.chance(0.5) ? parts : channels / parts;
    const int out = each ? 2 * channels : groups * (1 + static_cast<int>(taps_.below(3)));
    if (x.shape().rank() == 2)
      return maybe_searchable(x, Conv1d{.out = out, .kernel = 3, .padding = causal, .groups = groups, .bias = chance(0.5)});
    return maybe_searchable(x, Conv2d{.out = out, .kernel = 3, .groups = groups, .bias = chance(0.5)});
  }
  Flow residual(const Flow& x) {
    const int channels = static_cast<int>(x.shape()[-1]);
    Flow y = finish(conv(x, 2 + below(6), true));
    y = conv(y, channels, true);
    if (chance(0.6)) y = y | BatchNorm{};
    const Flow skip = chance(0.3) ? conv(x, channels, true) : x;
    const Flow sum = chance(0.5) ? add(skip, y) : add(y, skip);
    return chance(0.7) ? sum | Relu{} : sum;
  }
  Flow branches(const Flow& x) {
    const Flow a = finish(conv(x, 2 + below(4), true));
    const Flow b = conv(x, 2 + below(4), true);
    switch (below(4)) {
      case 0:
        return concat({a, b});
      case 1:
        return concat({x, b, a, b});
      case 2: {  // cut elsewhere
        const Flow whole = conv(x, static_cast<int>(a.shape()[-1] + b.shape()[-1]), true);
        return add(concat({a, b}), whole);
      }
      default: {
        const Flow c = conv(x, static_cast<int>(a.shape()[-1]), true);
        const Flow d = conv(x, static_cast<int>(b.shape()[-1]), true);
        return add(concat({a, b}), concat({c, d}));
      }
    }
  }
  /// Weighs channels by what global pooling has seen of them.
  Flow squeeze_excite(const Flow& x) {
    Flow gate = x | GlobalAvgPool{};
    gate = maybe_searchable(gate, Linear{.out = 1 + below(4)}) | Relu{};
    gate = maybe_searchable(gate, Linear{.out = static_cast<int>(x.shape()[-1])});
    return multiply(x, others_.chance(0.5) ? gate | Sigmoid{} : gate | HardSigmoid{});
  }
  /// Cuts the channels in two and convolves one part.
  Flow split(const Flow& x) {
    const auto channels = static_cast<int>(x.shape()[-1]);
    if (channels < 2) return x;
    const int cut = 1 + static_cast<int>(others_.below(static_cast<std::uint64_t>(channels - 1)));
    const Flow right = x | Slice{.channels = {cut - channels}};
    if (others_.chance(0.3)) return right;
    const Flow left = x | Slice{.channels = {0, cut}};
    return others_.chance(0.3) ? concat({left, x, right}) : concat({right, finish(conv(left, 2 + below(4), true))});
  }
  /// More pixels, or fewer.
  Flow resize(const Flow& x) {
    const bool image = x.shape().rank() == 3;
    const std::int64_t width = x.shape()[-2], height = image ? x.shape()[0] : 2;
    switch (others_.below(4)) {
      case 0:
        return width * height > 36 ? x : x | Upsample{.factor = {2, image ? 1 + below(2) : 2}};
      case 1:
        return x | Pad{.padding = image ? ImagePadding(1, 0, 0, 2) : ImagePadding(0, 0, 2, 1)};
      case 2:
        return width < 2 ? x : x | Slice{.width = {1}};
      default:
        return image && height > 1 ? x | Slice{.height = {0, -1}} : x;
    }
  }
  Flow another(const Flow& x) {
    switch (others_.below(4)) {
      case 0:
        return squeeze_excite(x);
      case 1:
        return split(x);
      case 2:
        return resize(x);
      default:
        return multiply(conv(x, static_cast<int>(x.shape()[-1]), true), others_.chance(0.5) ? x : activation(x));
    }
  }
  /// Norms and shuffles of groups of channels.
  Flow in_groups(const Flow& x) {
    const auto channels = static_cast<int>(x.shape()[-1]);
    int groups = 1 + static_cast<int>(latest_.below(4));
    while (channels % groups != 0) --groups;
    if (latest_.chance(0.5)) return x | ChannelShuffle{.groups = groups};
    return x | GroupNorm{.groups = latest_.chance(0.3) ? channels : groups, .epsilon = 1e-2};
  }
  Flow pool(const Flow& x) {
    if (x.shape().rank() == 2 || x.shape()[0] < 4 || x.shape()[1] < 4) return x;
    if (chance(0.5)) return x | MaxPool{.kernel = 3, .stride = 2, .padding = 1};
    return x | AvgPool{.kernel = 2, .count_padding = chance(0.5)};
  }
  Flow choice(const Flow& x, int depth) {
    const int channels = static_cast<int>(x.shape()[-1]);
    Choice choice;
    const int alternatives = 1 + below(4);
    for (int i = 0; i < alternatives; ++i) {
      switch (below(depth > 0 ? 5 : 4)) {
        case 0:
          choice.add(Identity{});
          break;
        case 1:
          choice.add([&](const Flow& y) { return residual(y); });
          break;
        case 2:
          choice.add(
              Alternative{"deep", [&](const Flow& y) { return conv(finish(conv(y, 2 + below(6), true)), channels, true); }});
          break;
        case 3:
          choice.add([&](const Flow& y) { return finish(depthwise(y)); });
          break;
        default:
          choice.add([&](const Flow& y) { return this->choice(finish(conv(y, channels, true)), depth - 1); });
          break;
      }
    }
    return finish(x | choice);
  }
  Flow body(Flow x) {
    x = finish(conv(x, 3 + below(7), false));
    const int blocks = 1 + below(5);
    for (int i = 0; i < blocks; ++i) {
      if (choices_ && chance(0.5)) x = choice(x, 1);
      if (others_.chance(0.4)) x = another(x);
      if (latest_.chance(0.25)) x = in_groups(x);
      switch (below(9)) {
        case 0:
          x = finish(conv(x, 2 + below(10), false));
          break;
        case 1:
        case 2:
          x = residual(x);
          break;
        case 3:
        case 4:
          x = finish(depthwise(x));
          break;
        case 5:
          x = branches(x);
          break;
        case 6:
          x = pool(x);
          break;
        case 7:
          x = (x.shape()[-1] % 2 == 0 || x.shape()[-1] % 3 == 0) && chance(0.7) ? finish(grouped(x)) : finish(x);
          break;
        default:
          x = chance(0.2) ? x | Scaled{} : x | Dropout{};
          break;
      }
    }
    return x;
  }
  Flow head(Flow x) {
    if (chance(0.5)) {
      x = chance(0.3) ? concat({x | GlobalAvgPool{}, pool(x) | Flatten{}}) : x | GlobalAvgPool{};
    } else {
      x = pool(x) | Flatten{};
    }
    if (chance(0.5)) x = finish(maybe_searchable(x, Linear{.out = 3 + below(6), .bias = chance(0.5)}));
    return x | Linear{.out = 2 + below(4), .bias = chance(0.7)};
  }

  void fill(Tensor& tensor, double low, double high) {
    for (std::int64_t r = 0; r < tensor.rows(); ++r) {
      for (float& x : tensor.row(r)) x = static_cast<float>(random_.uniform(low, high));
    }
  }

  Random random_, taps_, others_, latest_, bits_;  // of taps and of layers that came later: what was before is drawn as ever
  bool choices_, few_bits_;
};

}  // namespace siena::test
