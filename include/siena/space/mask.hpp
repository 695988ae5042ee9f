// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/autograd/ops/mask.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/groups.hpp"

namespace siena {

/// How masks behave; the defaults are those of siena's search.
struct MaskOptions {
  double threshold = 0.5;  ///< a channel is on where its alpha is larger
  /// How the task's gradient crosses the step: by the chord between on and off (what the channel is
  /// worth), or the tangent as in the paper ("straight-through").
  bool secant = true;
  /// Memory of the estimate of what a channel is worth: weight of the past in a running mean over steps.
  double decay = 0.99;
};

/// The channel masks of a network: one architecture parameter alpha per group that is not frozen, in [0, 1], all 1 at first,
/// and gates on the layers that read the group. A mask acts where its channels are read: a layer's weights are multiplied by
/// the mask of its input channels, which computes what masked inputs would, and is exactly the network without those channels.
/// The object names parameters by index: it serves every copy of the network.
class ChannelMasks {
 public:
  /// Adds the parameters and gates to the network.
  ChannelMasks(Network& network, const MaskOptions& options = {}) : groups_(network), options_(options) {
    require<ArgumentError>(options.threshold > 0 && options.threshold < 0.99 && options.decay >= 0 && options.decay < 1,
                           "ChannelMasks: expected a threshold in (0, 0.99) and a decay in [0, 1), got {} and {}",
                           options.threshold, options.decay);
    for (const Parameter* parameter : network.parameters(Role::architecture)) {
      require<ArgumentError>(!parameter->name.starts_with("mask."),
                             "ChannelMasks: expected a network without masks, got one with '{}'; search a plain network, such "
                             "as `discretize` returns",
                             parameter->name);
    }
    const auto& groups = groups_.groups();
    for (int g = 0; g < static_cast<int>(groups.size()); ++g) {
      handles_.push_back(groups[g].frozen ? Handle{} : add_mask(network, g));
    }
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      if (reads_channels(network, node)) add_gate(network, node);
    }
  }

  const ChannelGroups& channels() const { return groups_; }
  const std::vector<ChannelGroup>& groups() const { return groups_.groups(); }
  const MaskOptions& options() const { return options_; }
  /// Index of a group's parameter in the network, -1 where it is frozen.
  int parameter(int group) const { return handles_[group].alpha; }

  /// The channels of each group that the masks leave on now: those that a
  /// forward pass reads. `project` sees to the groups' minimums.
  std::vector<std::vector<bool>> kept(const Network& network) const {
    std::vector<std::vector<bool>> all;
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      std::vector<bool> keep(static_cast<std::size_t>(groups()[g].channels), true);
      if (handles_[g].alpha >= 0) {
        const Tensor mask = ops::binary_mask(network.parameter(handles_[g].alpha).value, options_.threshold);
        for (std::size_t c = 0; c < keep.size(); ++c) keep[c] = mask.data()[c] > 0.5f;
      }
      all.push_back(std::move(keep));
    }
    return all;
  }
  /// Sets the masks: alpha 1 for what stays, 0 for the rest.
  void select(Network& network, const std::vector<std::vector<bool>>& keep) const {
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      if (handles_[g].alpha < 0) continue;
      float* alpha = network.parameter(handles_[g].alpha).value.data();
      for (std::size_t c = 0; c < keep[g].size(); ++c) alpha[c] = keep[g][c] ? 1.0f : 0.0f;
    }
  }
  /// Brings every alpha back into [0, 1] after an update, and keeps the `minimum` largest of a group on.
  void project(Network& network) const {
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      if (handles_[g].alpha < 0) continue;
      auto alpha = network.parameter(handles_[g].alpha).value.row(0);
      for (float& a : alpha) a = std::clamp(a, 0.0f, 1.0f);
      std::vector<float> sorted(alpha.begin(), alpha.end());
      const auto last = sorted.begin() + (groups()[g].minimum - 1);
      std::nth_element(sorted.begin(), last, sorted.end(), std::greater<>());
      const float floor = static_cast<float>(options_.threshold) + 1e-3f;
      if (*last >= floor) continue;
      std::int64_t missing = groups()[g].minimum;
      for (float& a : alpha) missing -= a > *last ? 1 : 0;
      for (float& a : alpha) {
        if (a > *last || (a == *last && missing-- > 0)) a = std::max(a, floor);
      }
    }
  }

  /// Estimated rise of the task loss when a channel goes: half the Fisher information of its mask (see ops::sample_fisher).
  double importance(const Network& network, int group, std::int64_t channel) const {
    const Handle& handle = handles_[group];
    if (handle.alpha < 0) return 0;
    return 0.5 *
           ops::sample_fisher(network.buffer(handle.mean).data()[channel], network.buffer(handle.variance).data()[channel]);
  }

  /// For a step that computed only the channels that are on (CompactNetwork): takes the gradients of their
  /// masks in, and adds every channel's slope to the gradient of alpha. A channel that is off is worth what it
  /// was when it was last on; the tangent knows nothing of it.
  void take_gradient(Network& network, int group, const std::vector<bool>& on, const std::vector<float>& tangents,
                     double batch) const {
    const Handle& handle = handles_[group];
    if (handle.alpha < 0) return;
    const auto moments = moments_of(handle, options_, batch, [&](int index) { return &network.buffer(index); });
    const float weight = moments.next_step();
    float* alpha = network.parameter(handle.alpha).grad.data();
    for (std::size_t c = 0; c < on.size(); ++c) {
      const auto channel = static_cast<std::int64_t>(c);
      if (on[c]) moments.take_in(channel, tangents[c], weight);
      alpha[c] += options_.secant ? ops::secant_slope(moments, channel, true) : tangents[c];
    }
  }

  /// The binary mask of a group on a tape, as the cost sees it (slope 1: the cost's own slopes are chords already).
  Var mask(Tape& tape, Network& network, int group) const {
    return ops::binarize(tape.parameter(network.parameter(handles_[group].alpha)), options_.threshold);
  }

 private:
  struct Handle {
    int alpha = -1, mean = -1, variance = -1, steps = -1;
  };
  template <class BufferOf>
  static ops::MaskMoments<float> moments_of(const Handle& handle, const MaskOptions& options, double batch,
                                            const BufferOf& buffer) {
    return {.mean = buffer(handle.mean),
            .variance = buffer(handle.variance),
            .steps = buffer(handle.steps),
            .decay = options.decay,
            .batch = batch,
            .secant = options.secant};
  }
  struct Segment {
    Handle handle;
    std::int64_t channels, repeat;
  };

  class InputGate final : public Gate {
   public:
    InputGate(std::vector<Segment> segments, const MaskOptions& options) : segments_(std::move(segments)), options_(options) {}

    Var apply(Forward& forward, const Var& weight) const override {
      std::vector<ops::MaskSegment<float>> masks;
      for (const Segment& segment : segments_) {
        masks.push_back({segment.handle.alpha >= 0 ? mask(forward, segment.handle) : Var{}, segment.channels, segment.repeat});
      }
      const Var joined = ops::join_masks<float>(forward.tape(), masks);
      return ops::mask_input_channels(weight, joined);
    }

   private:
    // One mask a group and pass, whoever reads it.
    Var mask(Forward& forward, const Handle& handle) const {
      Var& shared = forward.shared(handle.alpha);
      if (shared) return shared;
      const auto moments = moments_of(handle, options_, static_cast<double>(forward.input().shape()[0]),
                                      [&](int index) { return &forward.network_buffer(index); });
      return shared = ops::binarize_measured(forward.network_parameter(handle.alpha), options_.threshold, moments);
    }

    std::vector<Segment> segments_;
    MaskOptions options_;
  };

  Handle add_mask(Network& network, int group) {
    const Shape shape{groups()[group].channels};
    const std::string name = "mask." + network.nodes()[groups()[group].layers.front()].name;
    Handle handle;
    handle.alpha = network.add_parameter(Parameter(name + ".alpha", Tensor(shape, 1.0f), Role::architecture, false));
    handle.mean = network.add_buffer(name + ".gradient_mean", Tensor(shape));
    handle.variance = network.add_buffer(name + ".gradient_variance", Tensor(shape));
    handle.steps = network.add_buffer(name + ".gradient_steps", Tensor(Shape{1}));
    return handle;
  }
  static bool reads_channels(const Network& network, int node) {
    const auto& layer = network.nodes()[node].layer;
    if (std::holds_alternative<Linear>(layer)) return true;
    const auto* conv = std::get_if<Conv2d>(&layer);
    return conv != nullptr && conv->group_count(network.nodes()[network.nodes()[node].inputs[0]].shape[-1]) == 1;
  }
  void add_gate(Network& network, int node) {
    std::vector<Segment> segments;
    bool masked = false;
    for (const ChannelRun& run : groups_.runs(network.nodes()[node].inputs[0])) {
      segments.push_back({handles_[run.group], run.channels, run.repeat});
      masked |= handles_[run.group].alpha >= 0;
    }
    if (masked) network.set_gate(node, std::make_shared<InputGate>(std::move(segments), options_));
  }

  ChannelGroups groups_;
  MaskOptions options_;
  std::vector<Handle> handles_;
};

}  // namespace siena
