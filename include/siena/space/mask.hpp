// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/autograd/ops/mask.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/groups.hpp"
#include "siena/space/measured_mask.hpp"

namespace siena {

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
    std::map<std::string, int> parts;  // of channels of one layer that an add or a slice has cut
    for (const ChannelGroup& group : groups_.groups()) {
      std::string name = "mask." + network.nodes()[group.layers.front()].name;
      if (const int part = ++parts[name]; part > 1) name += format(".part_{}", part);
      alphas_.push_back(group.frozen ? MeasuredMask{} : MeasuredMask(network, name, group.channels));
    }
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      if (reads_channels(network, node)) add_gate(network, node);
    }
  }

  const ChannelGroups& channels() const { return groups_; }
  const std::vector<ChannelGroup>& groups() const { return groups_.groups(); }
  const MaskOptions& options() const { return options_; }
  /// Index of a group's parameter in the network, -1 where it is frozen.
  int parameter(int group) const { return alphas_[group].parameter(); }

  /// The channels of each group that the masks leave on now: those that a
  /// forward pass reads. `project` sees to the groups' minimums.
  std::vector<std::vector<bool>> kept(const Network& network) const {
    std::vector<std::vector<bool>> all;
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      std::vector<bool> keep(static_cast<std::size_t>(groups()[g].channels), true);
      if (alphas_[g]) {
        const Tensor mask = ops::binary_mask(alphas_[g].alpha(network), options_.threshold);
        for (std::size_t c = 0; c < keep.size(); ++c) keep[c] = mask.data()[c] > 0.5f;
      }
      all.push_back(std::move(keep));
    }
    return all;
  }
  /// Sets the masks: alpha 1 for what stays, 0 for the rest.
  void select(Network& network, const std::vector<std::vector<bool>>& keep) const {
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      if (!alphas_[g]) continue;
      float* alpha = alphas_[g].alpha(network).data();
      for (std::size_t c = 0; c < keep[g].size(); ++c) alpha[c] = keep[g][c] ? 1.0f : 0.0f;
    }
  }
  /// Alpha 0 for those that are left out.
  void switch_off(Network& network, const std::vector<std::vector<bool>>& keep) const {
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      if (!alphas_[g]) continue;
      float* alpha = alphas_[g].alpha(network).data();
      for (std::size_t c = 0; c < keep[g].size(); ++c) alpha[c] = keep[g][c] ? alpha[c] : 0.0f;
    }
  }
  /// Brings every alpha back into [0, 1] after an update, keeps the `minimum` largest of a group on, and where channels go in
  /// multiples as many as the nearest alphas with which that is so.
  void project(Network& network) const {
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      if (!alphas_[g]) continue;
      const auto alpha = alphas_[g].alpha(network).row(0);
      for (float& a : alpha) a = std::clamp(a, 0.0f, 1.0f);
      if (groups()[g].multiple > 1) {
        const std::int64_t count = nearest_count(groups()[g], alpha);
        keep_on(alpha, count);
        keep_off(alpha, count);
      } else {
        keep_on(alpha, groups()[g].minimum);
      }
    }
  }

  /// Estimated rise of the task loss when a channel goes.
  double importance(const Network& network, int group, std::int64_t channel) const {
    return alphas_[group].importance(network, channel);
  }

  /// For a step that computed only the channels that are on (see MeasuredMask::take_gradient).
  void take_gradient(Network& network, int group, const std::vector<bool>& on, const std::vector<float>& tangents,
                     double batch) const {
    alphas_[group].take_gradient(network, on, tangents, batch, options_);
  }

  /// The binary mask of a group on a tape, as the cost sees it (slope 1: the cost's own slopes are chords already).
  Var mask(Tape& tape, Network& network, int group) const {
    return ops::binarize(tape.parameter(network.parameter(alphas_[group].parameter())), options_.threshold);
  }

  /// Whether a layer makes channels of all of its input's: such layers are gated.
  static bool reads_channels(const Network& network, int node) {
    return channel_rule(network.nodes()[node].layer, site_of(network, node)).kind == ChannelRule::Kind::makes;
  }

 private:
  struct Segment {
    MeasuredMask mask;
    std::int64_t channels, width, repeat;
  };

  class InputGate final : public Gate {
   public:
    InputGate(std::vector<Segment> segments, const MaskOptions& options) : segments_(std::move(segments)), options_(options) {}

    Var apply(Forward& forward, const Var& weight) const override {
      const auto binary = [&](const Tensor& alpha) { return ops::binary_mask(alpha, options_.threshold); };
      std::vector<ops::MaskSegment<float>> masks;
      for (const Segment& segment : segments_) {
        masks.push_back({segment.mask ? segment.mask.measured(forward, options_, binary) : Var{}, segment.channels,
                         segment.width, segment.repeat});
      }
      const Var joined = ops::join_masks<float>(forward.tape(), masks);
      return ops::mask_input_channels(weight, joined);
    }

   private:
    std::vector<Segment> segments_;
    MaskOptions options_;
  };

  void add_gate(Network& network, int node) {
    std::vector<Segment> segments;
    bool masked = false;
    for (const ChannelRun& run : groups_.runs(network.nodes()[node].inputs[0])) {
      segments.push_back({alphas_[run.group], run.channels, run.width, run.repeat});
      masked |= static_cast<bool>(alphas_[run.group]);
    }
    if (masked) network.add_gate(node, std::make_shared<InputGate>(std::move(segments), options_));
  }

  float on_floor() const { return static_cast<float>(options_.threshold) + 1e-3f; }
  /// Lifts the `count` largest, of equal ones the first, to where they are on.
  void keep_on(std::span<float> alpha, std::int64_t count) const {
    std::vector<float> sorted(alpha.begin(), alpha.end());
    const auto last = sorted.begin() + (count - 1);
    std::nth_element(sorted.begin(), last, sorted.end(), std::greater<>());
    if (*last >= on_floor()) return;
    std::int64_t missing = count;
    for (float& a : alpha) missing -= a > *last ? 1 : 0;
    for (float& a : alpha) {
      if (a > *last || (a == *last && missing-- > 0)) a = std::max(a, on_floor());
    }
  }
  /// Lowers all but the `count` largest to where they are off.
  void keep_off(std::span<float> alpha, std::int64_t count) const {
    if (count == static_cast<std::int64_t>(alpha.size())) return;
    std::vector<float> sorted(alpha.begin(), alpha.end());
    const auto next = sorted.begin() + count;
    std::nth_element(sorted.begin(), next, sorted.end(), std::greater<>());
    const auto off = static_cast<float>(options_.threshold);
    if (*next <= off) return;
    std::int64_t stay = count;
    for (float& a : alpha) stay -= a > *next ? 1 : 0;
    for (float& a : alpha) {
      if (a < *next || (a == *next && stay-- <= 0)) a = std::min(a, off);
    }
  }
  /// How many channels of a group that go in multiples are on after the least change of alphas (of their squares).
  std::int64_t nearest_count(const ChannelGroup& group, std::span<const float> alpha) const {
    std::vector<float> sorted(alpha.begin(), alpha.end());
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const auto off = static_cast<float>(options_.threshold);
    const std::int64_t on = std::count_if(sorted.begin(), sorted.end(), [&](float a) { return a > off; });
    if (on < group.minimum) return group.minimum;
    const std::int64_t above = on == group.channels ? on : group.more(on - 1), below = group.fewer(on + 1);
    if (below == on || below == 0) return above;
    double up = 0, down = 0;
    for (std::int64_t i = on; i < above; ++i)
      up += std::pow(double(on_floor()) - double(sorted[static_cast<std::size_t>(i)]), 2);
    for (std::int64_t i = below; i < on; ++i) down += std::pow(double(sorted[static_cast<std::size_t>(i)]) - double(off), 2);
    return up <= down ? above : below;
  }

  ChannelGroups groups_;
  MaskOptions options_;
  std::vector<MeasuredMask> alphas_;
};

}  // namespace siena
