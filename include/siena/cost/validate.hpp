// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/cost/cost_model.hpp"

namespace siena {

/// Something that `validate` found wrong.
struct Finding {
  std::string layer, input;  ///< what was moved
  std::string expected, got;

  std::string to_string() const { return format("{}, {}: expected {}, got {}", layer, input, expected, got); }
};

/// Whether a cost model tells the truth about its gradient.
struct Validation {
  std::string model = {};
  int walks = 0;           ///< inputs of layers that were moved
  double worst_error = 0;  ///< of the mean slope over a walk, relative, nothing allowed for
  std::vector<Finding> findings = {};

  bool passed() const { return findings.empty(); }
  /// A line for the whole, and one for each finding.
  std::string to_string() const {
    const std::string found = passed() ? "nothing wrong" : format("{} findings", findings.size());
    std::string text = format("{}: {} in {} walks, worst mean slope off by {:.2g}", model, found, walks, worst_error);
    for (const Finding& finding : findings) text += "\n  " + finding.to_string();
    return text;
  }
};

struct ValidateOptions {
  int span = 512;           ///< how many channels a layer is widened by: a multiple of the tiles of the model, or many of them
  int size_span = 0;        ///< how many rows and columns images grow by; 0: they stay, as in a search over channels
  double tolerance = 0.05;  ///< of the growth over a walk or of the cost, whichever is larger, beside the largest step
};

namespace detail {
enum class LayerInput {
  in_channels,
  out_channels,
  channels,
  groups,
  weight_bits,
  input_bits,
  output_bits,
  presence,
  height,
  width
};

inline const char* name_of(LayerInput input) {
  constexpr const char* names[] = {"input channels", "output channels", "channels", "groups", "weight bits",
                                   "input bits",     "output bits",     "presence", "height", "width"};
  return names[static_cast<int>(input)];
}

/// What stays as it is where several numbers go along.
struct InputRatios {
  double outputs_per_input = 1, inputs_per_group = 1;
  double rows_per_row = 1, columns_per_column = 1;  // of the input, per output
};

/// The last slice of bits has the filters that come or go.
template <class N>
void fill_slices(LayerDesc<N>& layer) {
  if (layer.slices.empty()) return;
  N filters = layer.filters();
  for (std::size_t s = 0; s + 1 < layer.slices.size(); ++s) filters -= layer.slices[s].filters;
  layer.slices.back().filters = filters;
}

template <class N>
void set_input(LayerDesc<N>& layer, LayerInput input, const N& x, const InputRatios& ratio) {
  switch (input) {
    case LayerInput::in_channels:
      layer.in_channels = x;
      break;
    case LayerInput::out_channels:
      layer.out_channels = x;
      fill_slices(layer);
      break;
    case LayerInput::channels:
      layer.in_channels = x, layer.out_channels = x * ratio.outputs_per_input;
      fill_slices(layer);
      break;
    case LayerInput::groups:
      layer.groups = x, layer.in_channels = x * ratio.inputs_per_group;
      layer.out_channels = layer.in_channels * ratio.outputs_per_input;
      fill_slices(layer);
      break;
    case LayerInput::weight_bits:
      (layer.slices.empty() ? layer.weight_bits : layer.slices.back().bits) = x;
      break;
    case LayerInput::input_bits:
      layer.input_bits = x;
      break;
    case LayerInput::output_bits:
      layer.output_bits = x;
      break;
    case LayerInput::presence:
      layer.presence = x;
      break;
    case LayerInput::height:
      layer.out_height = x, layer.in_height = x * ratio.rows_per_row;
      break;
    case LayerInput::width:
      layer.out_width = x, layer.in_width = x * ratio.columns_per_column;
      break;
  }
}

/// How an input of a layer is moved.
struct Way {
  LayerInput input = LayerInput::channels;
  double begin = 0, step = 1;
  int steps = 1;

  double at(std::size_t i) const { return begin + step * static_cast<double>(i); }
};
/// What a model says on the way, at each point.
struct CostWalk {
  Way way = {};
  std::vector<double> truth = {}, surrogate = {}, slope = {};
};

class WalkJudge {
 public:
  WalkJudge(const CostWalk& walk, Finding where, Validation& to) : walk_(walk), where_(std::move(where)), to_(to) {
    for (std::size_t i = 0; i < walk.truth.size(); ++i) {
      largest_ = std::max({largest_, std::abs(walk.truth[i]), std::abs(walk.surrogate[i])});
      if (i == 0) continue;
      const double kink = walk.way.step * std::abs(walk.slope[i] - walk.slope[i - 1]);
      jump_ = std::max({jump_, std::abs(walk.truth[i] - walk.truth[i - 1]), kink});
    }
  }

  void judge(double tolerance) {
    ++to_.walks;
    if (!finite()) return;
    agreement();
    sign();
    mean_slope(tolerance);
  }

 private:
  bool finite() {
    for (std::size_t i = 0; i < walk_.truth.size(); ++i) {
      for (const double x : {walk_.truth[i], walk_.surrogate[i], walk_.slope[i]}) {
        if (std::isfinite(x)) continue;
        find(format("finite numbers at {:.6g}", walk_.way.at(i)), format("cost {}, slope {}", walk_.truth[i], walk_.slope[i]));
        return false;
      }
    }
    return true;
  }
  void agreement() {
    for (std::size_t i = 0; i < walk_.truth.size(); ++i) {
      if (std::abs(walk_.surrogate[i] - walk_.truth[i]) <= 1e-9 * largest_) continue;
      return find(format("{:.10g} at {:.6g}, the cost in doubles", walk_.truth[i], walk_.way.at(i)),
                  format("{:.10g} from the number that carries the gradient", walk_.surrogate[i]));
    }
  }
  void sign() {
    bool grows = true;
    for (std::size_t i = 1; i < walk_.truth.size() && grows; ++i) {
      grows = walk_.truth[i] >= walk_.truth[i - 1] - 1e-9 * largest_;
      if (!grows) {
        find(format("a cost that does not fall from {:.6g} to {:.6g}", walk_.way.at(i - 1), walk_.way.at(i)),
             format("{:.10g}, then {:.10g}", walk_.truth[i - 1], walk_.truth[i]));
      }
    }
    for (std::size_t i = 0; i < walk_.slope.size() && grows; ++i) {
      if (walk_.slope[i] >= -1e-9 * largest_ / walk_.way.step) continue;
      return find(format("a slope of 0 or more at {:.6g}, for the cost never falls", walk_.way.at(i)),
                  format("{:.6g}", walk_.slope[i]));
    }
  }
  // Steps and the line along their corners differ by a step at most, and a point on a kink may take the slope of either side.
  void mean_slope(double tolerance) {
    double promised = 0;
    for (std::size_t i = 1; i < walk_.slope.size(); ++i) promised += walk_.slope[i] * walk_.way.step;
    const double grown = walk_.truth.back() - walk_.truth.front(), error = std::abs(promised - grown);
    const double scale = std::max(std::abs(promised), std::abs(grown));
    if (error <= 1e-9 * largest_) return;
    to_.worst_error = std::max(to_.worst_error, error / scale);
    if (error <= jump_ + tolerance * std::max(scale, largest_)) return;
    const double width = walk_.way.at(walk_.truth.size() - 1) - walk_.way.begin;
    find(format("a mean slope of {:.6g} from {:.6g} to {:.6g}, as the cost grows", grown / width, walk_.way.begin,
                walk_.way.begin + width),
         grown != 0 ? format("{:.6g}, {:.3g} times that", promised / width, promised / grown)
                    : format("{:.6g}", promised / width));
  }
  void find(std::string expected, std::string got) {
    where_.expected = std::move(expected), where_.got = std::move(got);
    to_.findings.push_back(where_);
  }

  const CostWalk& walk_;
  Finding where_;
  Validation& to_;
  double largest_ = 0;
  double jump_ = 0;  // largest step of the cost, or of what its slope promises
};

/// A cost model whose type is forgotten, so that what validates is compiled once for all of them.
class AnyCost {
 public:
  template <class M>
  explicit AnyCost(const M& model)
      : layers_alone(!PricesNetworks<M, double>), model_(&model), truth_(&priced<M, double>), surrogate_(&priced<M, Scalar>) {}

  std::string_view name() const { return "any"; }
  double network_cost(const Architecture<double>& network) const { return truth_(model_, network); }
  Scalar network_cost(const Architecture<Scalar>& network) const { return surrogate_(model_, network); }

  const bool layers_alone;  // what a layer costs does not depend on others

 private:
  template <class M, class N>
  static N priced(const void* model, const Architecture<N>& network) {
    return total(*static_cast<const M*>(model), network);
  }

  const void* model_;
  double (*truth_)(const void*, const Architecture<double>&);
  Scalar (*surrogate_)(const void*, const Architecture<Scalar>&);
};

/// Walks inputs of a layer of a network, all else being as it is. (A template, so that those who do not validate do not pay.)
template <class M>
class Walker {
 public:
  Walker(const M& model, const Architecture<double>& network, std::size_t layer)
      : model_(model), doubles_(network), scalars_(convert<Scalar>(network)), layer_(layer), original_(network.layers[layer]) {}

  void walk(const Way& way, double tolerance, Validation& to) {
    CostWalk walk{.way = way};
    const InputRatios ratio{.outputs_per_input = original_.kind == LayerKind::depthwise_conv2d ? original_.multiplier
                                                 : original_.in_channels > 0 ? original_.out_channels / original_.in_channels
                                                                             : 1,
                            .inputs_per_group = original_.in_channels / original_.groups,
                            .rows_per_row = original_.in_height / original_.out_height,
                            .columns_per_column = original_.in_width / original_.out_width};
    auto& scalar = scalars_.layers[layer_];
    auto& plain = doubles_.layers[layer_];
    const auto scalar_before = scalar;
    for (int i = 0; i <= way.steps; ++i) {
      tape_.clear();
      const Scalar x = tape_.leaf(way.at(static_cast<std::size_t>(i)));
      set_input(scalar, way.input, x, ratio);
      set_input(plain, way.input, x.value(), ratio);
      const Scalar cost = total(model_, scalars_);
      tape_.backward(cost);
      walk.truth.push_back(total(model_, doubles_));
      walk.surrogate.push_back(cost.value());
      walk.slope.push_back(tape_.gradient(x));
    }
    scalar = scalar_before, plain = original_;
    const Finding where{original_.name, name_of(way.input), {}, {}};
    WalkJudge(walk, where, to).judge(tolerance);
  }

 private:
  const M& model_;
  Architecture<double> doubles_;
  Architecture<Scalar> scalars_;
  std::size_t layer_;
  LayerDesc<double> original_;
  ScalarTape tape_;
};

/// One layer each: square and odd kernels, stride, groups, depthwise, linear, odd sizes, and kinds without weights.
inline std::vector<LayerDesc<double>> sample_layers() {
  std::vector<LayerDesc<double>> layers;
  const auto append = [&](const char* name, LayerKind kind, double in, double out) -> LayerDesc<double>& {
    LayerDesc<double> layer{.kind = kind, .name = name, .producers = {-1}, .in_channels = in, .out_channels = out};
    layer.in_height = layer.out_height = 16, layer.in_width = layer.out_width = 16;
    return layers.emplace_back(std::move(layer));
  };
  const auto kernel = [](LayerDesc<double>& layer, int size, int stride = 1) {
    layer.kernel_height = layer.kernel_width = size, layer.stride_height = layer.stride_width = stride;
    layer.out_height = layer.out_width = 16 / stride;
  };
  kernel(append("conv 3x3", LayerKind::conv2d, 16, 32), 3);
  kernel(append("conv 1x1", LayerKind::conv2d, 64, 64), 1);
  kernel(append("conv 5x5", LayerKind::conv2d, 8, 24), 5);
  kernel(append("conv 3x3, stride 2", LayerKind::conv2d, 16, 32), 3, 2);
  auto& odd = append("conv 5x3, odd sizes", LayerKind::conv2d, 13, 21);
  odd.kernel_height = 5, odd.kernel_width = 3, odd.in_height = odd.out_height = 13, odd.in_width = odd.out_width = 7;
  auto& grouped = append("conv 3x3, 4 groups", LayerKind::conv2d, 16, 32);
  kernel(grouped, 3), grouped.groups = 4;
  kernel(append("conv of one channel", LayerKind::conv2d, 1, 1), 3);
  kernel(append("depthwise 3x3", LayerKind::depthwise_conv2d, 64, 64), 3);
  kernel(append("depthwise 3x3, stride 2", LayerKind::depthwise_conv2d, 24, 24), 3, 2);
  auto& several = append("depthwise 3x3, multiplier 2", LayerKind::depthwise_conv2d, 24, 48);
  kernel(several, 3), several.multiplier = 2;
  auto& linear = append("linear", LayerKind::linear, 64, 10);
  linear.in_height = linear.in_width = linear.out_height = linear.out_width = 1;
  append("add", LayerKind::add, 16, 16).producers = {-1, -1};
  append("multiply", LayerKind::multiply, 16, 16).producers = {-1, -1};
  append("batch norm", LayerKind::batch_norm, 16, 16);
  append("pool", LayerKind::pool, 64, 64).out_height = 1, layers.back().out_width = 1;
  append("activation", LayerKind::activation, 16, 16);
  return layers;
}

/// Walks all inputs of all layers of a network.
template <class M>
void walk_layers(const M& model, const Architecture<double>& network, const ValidateOptions& options, Validation& to) {
  require<ArgumentError>(options.span > 0, "validate: expected a span of 1 channel or more, got {}", options.span);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const LayerDesc<double>& layer = network.layers[i];
    Walker<M> walker(model, model.layers_alone ? Architecture<double>{{layer}} : network, model.layers_alone ? 0 : i);
    const auto walk = [&](const Way& way) { walker.walk(way, options.tolerance, to); };
    using enum LayerInput;
    const double step = layer.groups;  // of whole groups
    const int steps = std::max(1, static_cast<int>(options.span / step));
    if (layer.has_weights() && layer.kind != LayerKind::depthwise_conv2d) {
      walk({.input = in_channels, .begin = layer.in_channels, .step = step, .steps = steps});
      walk({.input = out_channels, .begin = layer.out_channels, .step = step, .steps = steps});
      if (step > 1) walk({.input = groups, .begin = step, .step = 1, .steps = steps});
    } else {
      walk({.input = channels, .begin = layer.in_channels, .step = step, .steps = steps});
    }
    for (const auto bits : {weight_bits, input_bits, output_bits}) {
      walk({.input = bits, .begin = 2, .step = 1, .steps = 6});
    }
    walk({.input = presence, .begin = 0, .step = 0.125, .steps = 8});
    if (options.size_span <= 0 || layer.kind == LayerKind::linear) continue;
    walk({.input = height, .begin = layer.out_height, .step = 1, .steps = options.size_span});
    walk({.input = width, .begin = layer.out_width, .step = 1, .steps = options.size_span});
  }
}
}  // namespace detail

/// Compares what the gradient of a cost model says with what its cost does, layer by layer of a network: each channel count is
/// moved up by a span of channels, each bit width from 2 to 8 and the presence from 0 to 1, alone; with `size_span` the image,
/// too, in height and in width. On the way
/// - truth (double) and surrogate (Scalar) must agree;
/// - the cost must not fall, and no slope may say that it does;
/// - the mean slope must be that of the cost, give or take its largest step and 5 % (which leaves room for smoothed maxima): a
///   tiled cost has the slope of its tiles, so that a straight-through ceil(c / 4), four times too steep, is found.
/// Layers with weights move their input and output channels, and grouped ones the number of their groups, too; depthwise and
/// other ones have one count.
template <class M>
Validation validate(const M& model, const Architecture<double>& network, const ValidateOptions& options = {}) {
  assert_cost_model<M>();
  Validation result{.model = std::string(model.name())};
  if constexpr (CostModel<M>) detail::walk_layers(detail::AnyCost(model), network, options, result);
  return result;
}

/// The same for a set of layers of the kinds that cost something, one at a time.
template <class M>
Validation validate(const M& model, const ValidateOptions& options = {}) {
  assert_cost_model<M>();
  Validation result{.model = std::string(model.name())};
  if constexpr (CostModel<M>) {
    for (const auto& layer : detail::sample_layers()) {
      detail::walk_layers(detail::AnyCost(model), {{layer}}, options, result);
    }
  }
  return result;
}

}  // namespace siena
