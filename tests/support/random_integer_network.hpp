// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Networks of integers of any make, with any numbers in them: what must hold for all of them is tested on many.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/deploy/integer/network.hpp"

namespace siena::test {

/// Writes random networks of all kinds of operations. Sums are held so that no arithmetic overflows, as `quantize` does it.
class RandomIntegerNetwork {
 public:
  explicit RandomIntegerNetwork(std::uint64_t seed) : random_(seed) {}

  /// Of images or signals, with about so many operations.
  deploy::IntegerNetwork make(int operations = 8) {
    network_ = {};
    const bool signal = chance(0.3);
    const Shape input = signal ? Shape{4 + below(20), 1 + below(6)} : Shape{3 + below(8), 3 + below(8), 1 + below(6)};
    network_.values.push_back({"input", input, scale(), zero()});
    network_.output = 0;
    for (int i = 0; i < operations; ++i) another();
    return std::move(network_);
  }
  std::vector<std::int8_t> input(const deploy::IntegerNetwork& network) {
    std::vector<std::int8_t> values(static_cast<std::size_t>(network.values[0].shape.elements()));
    for (std::int8_t& value : values) value = number();
    return values;
  }

  // What follows adds an operation to a network that was begun with `begin`; each returns the value that is made.

  int begin(const Shape& input) {
    network_ = {};
    network_.values.push_back({"input", input, scale(), zero()});
    return network_.output = 0;
  }
  deploy::IntegerNetwork end() { return std::move(network_); }

  /// Outputs of the geometry are worked out.
  int convolution(int x, kernels::ConvGeometry g) {
    const deploy::IntegerValue from = network_.values[x];
    set_image(g, from.shape);
    if (g.out_channels == 0) g.out_channels = g.groups * (1 + below(4));
    g = kernels::conv_geometry(g);
    deploy::integer::Convolution what{.geometry = g, .weights = {}, .bias = {}, .multiplier = {}};
    what.bits = bits(g.out_channels);
    for (std::int64_t o = 0; o < g.out_channels; ++o) {
      const int most = (1 << (what.bits[static_cast<std::size_t>(o)] - 1)) - 1;
      for (std::int64_t i = 0; i < g.weight_rows(); ++i)
        what.weights.push_back(static_cast<std::int8_t>(below(2 * most + 1) - most));
    }
    for (std::int64_t o = 0; o < g.out_channels; ++o) {
      what.bias.push_back(below(20000) - 10000);
      what.multiplier.push_back(chance(0.1) ? 0 : static_cast<std::int32_t>(random_.uniform(1e5, 6e7)));
    }
    what.shift = chance(0.2) ? 1 + below(3) : 0;
    return add("conv", std::move(what), {x}, image_like(from.shape, g.out_height, g.out_width, g.out_channels), chance(0.2));
  }
  int linear(int x, int outputs) {
    kernels::ConvGeometry g{.in_channels = network_.values[x].shape.elements(), .out_channels = outputs};
    const int made = convolution(reshape(x), g);
    return made;
  }
  int table(int x) {
    deploy::integer::Table what;
    for (std::int8_t& y : what.of) y = number();
    return add("table", what, {x}, network_.values[x].shape, chance(0.2));
  }
  int prelu(int x) {
    deploy::integer::PRelu what{.above = multiplier(), .below = {}, .shift = 8 + below(4)};
    for (std::int64_t c = 0; c < network_.values[x].shape.columns(); ++c) what.below.push_back(multiplier() / 2 - (1 << 20));
    return add("prelu", std::move(what), {x}, network_.values[x].shape, chance(0.2));
  }
  int sum(int x0, int x1) {
    const deploy::integer::Add what{.a = 1 + below(1 << 21), .b = 1 + below(1 << 21), .offset = below(1 << 24), .shift = 20};
    return add("add", what, {x0, x1}, network_.values[x0].shape, chance(0.3));
  }
  int multiply(int x0, int x1) {
    return add("multiply", deploy::integer::Multiply{.multiplier = multiplier(), .shift = below(6)}, {x0, x1},
               network_.values[x0].shape, chance(0.2));
  }
  int max_pool(int x, kernels::ConvGeometry g) {
    const deploy::IntegerValue from = network_.values[x];
    set_image(g, from.shape);
    g = kernels::pool_geometry(g);
    return keep(
        add("max_pool", deploy::integer::MaxPool{g}, {x}, image_like(from.shape, g.out_height, g.out_width, g.in_channels)), x);
  }
  int average_pool(int x, kernels::ConvGeometry g, bool one_multiplier = false) {
    const deploy::IntegerValue from = network_.values[x];
    set_image(g, from.shape);
    g = kernels::pool_geometry(g);
    deploy::integer::AveragePool what{.geometry = g, .multiplier = {}, .shift = below(8)};
    for (std::int64_t i = 0; i < g.taps(); ++i)
      what.multiplier.push_back(one_multiplier && i > 0 ? what.multiplier[0] : multiplier());
    const bool whole = g.out_rows() == 1 && from.shape.rank() > 1 && chance(0.5);
    return add("average_pool", std::move(what), {x},
               whole ? Shape{g.in_channels} : image_like(from.shape, g.out_height, g.out_width, g.in_channels), chance(0.2));
  }
  int concat(const std::vector<int>& parts) {
    deploy::integer::Concat what;
    std::vector<std::int64_t> sizes(network_.values[parts[0]].shape.sizes().begin(),
                                    network_.values[parts[0]].shape.sizes().end());
    sizes.back() = 0;
    for (const int part : parts) {
      sizes.back() += network_.values[part].shape.columns();
      if (chance(0.5))
        what.parts.push_back({});
      else
        what.parts.push_back({.a = 1 + below(1 << 21), .offset = below(1 << 24) - (1 << 23), .shift = 20});
    }
    return add("concat", std::move(what), parts, Shape(std::span<const std::int64_t>(sizes)), chance(0.2));
  }
  int slice(int x) {
    const Shape shape = network_.values[x].shape;
    kernels::BoxGeometry g = whole(shape);
    g.top = below(static_cast<int>(g.height)), g.left = below(static_cast<int>(g.width));
    g.first = chance(0.5) ? 0 : below(static_cast<int>(g.channels));
    g.box_height = 1 + below(static_cast<int>(g.height - g.top)), g.box_width = 1 + below(static_cast<int>(g.width - g.left));
    g.box_channels = g.first == 0 && chance(0.5) ? g.channels : 1 + below(static_cast<int>(g.channels - g.first));
    return keep(add("slice", deploy::integer::Slice{g}, {x}, image_like(shape, g.box_height, g.box_width, g.box_channels)), x);
  }
  int pad(int x) {
    const Shape shape = network_.values[x].shape;
    kernels::BoxGeometry g = whole(shape);
    g.box_height = g.height, g.box_width = g.width, g.box_channels = g.channels;
    g.left = below(3), g.width += g.left + below(3);
    if (shape.rank() == 3) g.top = below(3), g.height += g.top + below(3);
    if (chance(0.2)) g.first = below(3), g.channels += g.first + below(3);
    return keep(add("pad", deploy::integer::Pad{g}, {x}, image_like(shape, g.height, g.width, g.channels)), x);
  }
  int upsample(int x) {
    const Shape shape = network_.values[x].shape;
    const kernels::BoxGeometry size = whole(shape);
    const kernels::UpsampleGeometry g{size.height, size.width, size.channels, shape.rank() == 3 ? 1 + below(2) : 1,
                                      1 + below(3)};
    return keep(add("upsample", deploy::integer::Upsample{g}, {x},
                    image_like(shape, g.height * g.vertical, g.width * g.horizontal, g.channels)),
                x);
  }
  int shuffle(int x) {
    const auto channels = static_cast<int>(network_.values[x].shape.columns());
    int groups = 1 + below(4);
    while (channels % groups != 0) --groups;
    return keep(add("shuffle", deploy::integer::Shuffle{groups}, {x}, network_.values[x].shape), x);
  }
  int reshape(int x, bool holds = false) {
    const int made = add("reshape", deploy::integer::Reshape{}, {x}, {network_.values[x].shape.elements()}, holds);
    return keep(made, x);
  }

  /// A window of a convolution that fits, of any make, for `x`; of a pool.
  kernels::ConvGeometry window(int x, bool pools) {
    const Shape& shape = network_.values[x].shape;
    const bool image = shape.rank() == 3;
    if (shape.rank() == 1) return {};  // features
    kernels::ConvGeometry g{.kernel_width = 1 + below(4), .stride_width = 1 + below(2)};
    if (image) g.kernel_height = 1 + below(4), g.stride_height = 1 + below(2);
    if (!pools && chance(0.3)) g.dilation_width = 1 + below(3), g.dilation_height = image ? 1 + below(3) : 1;
    const int height = (g.kernel_height - 1) * g.dilation_height, width = (g.kernel_width - 1) * g.dilation_width;
    const auto most = [&](int size) { return pools ? size / 2 : size + 1; };
    if (chance(0.6)) g.pad_left = below(most(width) + 1), g.pad_right = below(most(width) + 1);
    if (image && chance(0.6)) g.pad_top = below(most(height) + 1), g.pad_bottom = below(most(height) + 1);
    const std::int64_t rows = image ? shape[0] : 1, columns = shape.rank() > 1 ? shape[-2] : 1;
    if (g.kernel_height == 1 && pools) g.pad_top = g.pad_bottom = 0;
    if (rows + g.pad_top + g.pad_bottom <= height) g.pad_top = height, g.pad_bottom = pools ? 0 : height;
    if (columns + g.pad_left + g.pad_right <= width) g.pad_left = width, g.pad_right = pools ? 0 : width;
    return g;
  }
  int below(int n) { return static_cast<int>(random_.below(static_cast<std::uint64_t>(n))); }
  bool chance(double p) { return random_.chance(p); }

 private:
  /// Of weights: 8 more often than others, the same for all outputs or not.
  WeightBits bits(std::int64_t outputs) {
    if (chance(0.4)) return 8;
    if (chance(0.5)) return 2 + below(7);
    std::vector<int> each;
    for (std::int64_t o = 0; o < outputs; ++o) each.push_back(chance(0.7) ? 2 << below(3) : 2 + below(7));
    return each;
  }
  double scale() { return random_.uniform(0.001, 0.2); }
  int zero() { return chance(0.4) ? -128 : number(); }
  std::int8_t number() { return static_cast<std::int8_t>(below(256) - 128); }
  std::int32_t multiplier() { return 1 + below(1 << 26); }

  int add(const std::string& name, deploy::integer::Kind what, std::vector<int> inputs, const Shape& shape,
          bool holds = false) {
    const int made = static_cast<int>(network_.values.size());
    deploy::IntegerOperation operation{
        .name = format("{}{}", name, made), .what = std::move(what), .inputs = std::move(inputs), .output = made};
    if (holds) operation.low = -100 + below(60), operation.high = operation.low + 1 + below(120);
    network_.values.push_back({operation.name, shape, scale(), zero()});
    network_.operations.push_back(std::move(operation));
    return network_.output = made;
  }
  /// Scale and zero point of what is only moved are those of the input.
  int keep(int made, int x) {
    network_.values[made].scale = network_.values[x].scale, network_.values[made].zero_point = network_.values[x].zero_point;
    return made;
  }
  static void set_image(kernels::ConvGeometry& g, const Shape& shape) {
    const kernels::BoxGeometry size = whole(shape);
    g.in_height = size.height, g.in_width = size.width, g.in_channels = size.channels;
  }
  static kernels::BoxGeometry whole(const Shape& shape) {
    kernels::BoxGeometry g{.channels = shape.columns()};
    if (shape.rank() > 1) g.width = shape[-2];
    if (shape.rank() > 2) g.height = shape[0];
    return g;
  }
  static Shape image_like(const Shape& like, std::int64_t height, std::int64_t width, std::int64_t channels) {
    if (like.rank() == 3) return {height, width, channels};
    return like.rank() == 2 ? Shape{width, channels} : Shape{channels};
  }
  /// A value of that shape, the newer the likelier; -1: none but `than`.
  int other(const Shape& shape, int than) {
    for (int value = static_cast<int>(network_.values.size()) - 1; value >= 0; --value)
      if (value != than && network_.values[value].shape == shape && chance(0.7)) return value;
    return -1;
  }
  void another() {
    const int last = static_cast<int>(network_.values.size()) - 1;
    const int x = chance(0.8) ? last : below(last + 1);
    const Shape shape = network_.values[x].shape;
    const auto channels = static_cast<int>(shape.columns());
    const bool large = shape.elements() > 600, positions = shape.rank() > 1;
    kernels::ConvGeometry g = window(x, false);
    g.out_channels = 1 + below(8);
    switch (below(15)) {
      case 0:
        if (large && positions) g.stride_width = 2;  // that networks do not grow for ever
        convolution(x, g);
        return;
      case 1:
        g.groups = channels, g.out_channels = channels * (channels < 12 ? 1 + below(2) : 1);
        convolution(x, g);
        return;
      case 2:
        for (g.groups = 2 + below(2); channels % g.groups != 0;) --g.groups;
        g.out_channels = g.groups * (1 + below(3));
        convolution(x, g);
        return;
      case 3:
        convolution(x, {.out_channels = 1 + below(8)});
        return;
      case 4:
        convolution(x, {.out_channels = channels, .groups = channels});
        return;
      case 5:
        table(x);
        return;
      case 6:
        prelu(x);
        return;
      case 7:
        multiply(x, positions
                        ? average_pool(x, {.kernel_height = positions && shape.rank() == 3 ? static_cast<int>(shape[0]) : 1,
                                           .kernel_width = static_cast<int>(shape[-2])})
                        : x);
        return;
      case 8:
        if (const int y = other(shape, x); y >= 0)
          chance(0.8) ? sum(x, y) : multiply(x, y);
        else
          sum(x, x);
        return;
      case 9:
        chance(0.5) ? max_pool(x, window(x, true)) : average_pool(x, window(x, true), chance(0.3));
        return;
      case 10:
        if (const int y = other(shape, x); y >= 0 && !large)
          concat({x, y, x});
        else
          concat({x});
        return;
      case 11:
        slice(x);
        return;
      case 12:
        if (!large && positions) chance(0.5) ? pad(x) : upsample(x);
        return;
      case 13:
        shuffle(x);
        return;
      default:
        if (chance(0.5))
          reshape(x, chance(0.5));
        else if (shape.elements() < 400 && chance(0.5))
          linear(x, 1 + below(9));
        else
          sum(x, table(x));
        return;
    }
  }

  Random random_;
  deploy::IntegerNetwork network_;
};

}  // namespace siena::test
