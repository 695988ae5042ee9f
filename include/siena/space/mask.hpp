// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "siena/autograd/ops/mask.hpp"
#include "siena/autograd/ops/structure.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/axis.hpp"
#include "siena/space/channel_freedom.hpp"
#include "siena/space/channels.hpp"
#include "siena/space/groups.hpp"
#include "siena/space/measured_mask.hpp"

namespace siena {

/// The channel masks of a network: one architecture parameter alpha per group that is not frozen, in [0, 1], all 1 at first,
/// and gates on the layers that read the group. A mask acts where its channels are read: a layer's weights are multiplied by
/// the mask of its input channels, which computes what masked inputs would, and is exactly the network without those channels.
/// The object names parameters by index: it serves every copy of the network.
class ChannelMasks final : public AxisHooks {
 public:
  static constexpr int order = 0;

  /// Adds the parameters and gates to the network.
  explicit ChannelMasks(Network& network, const SpaceOptions& space_options = {})
      : groups_(network), options_(space_options.masks) {
    const MaskOptions& options = options_;
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

  std::string_view name() const override { return "channels"; }
  AxisState whole() const override {
    AxisState all;
    for (const ChannelGroup& group : groups()) all.emplace_back(static_cast<std::size_t>(group.channels), 1);
    return all;
  }
  AxisState smallest() const override {
    AxisState least;
    for (const ChannelGroup& group : groups()) {
      least.emplace_back(static_cast<std::size_t>(group.channels), 0);
      std::fill_n(least.back().begin(), group.minimum, 1);
    }
    return least;
  }
  /// How many channels of a group stay.
  static std::int64_t count(const Selection& selection, int group) { return count(selection["channels"][group]); }
  bool varies() const override {
    return std::any_of(groups().begin(), groups().end(),
                       [](const ChannelGroup& group) { return !group.frozen && group.minimum < group.channels; });
  }
  /// The channels of each group that the masks leave on now: those that a
  /// forward pass reads. `project` sees to the groups' minimums.
  AxisState state(const Network& network) const override {
    AxisState all = whole();
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      if (!alphas_[g]) continue;
      const Tensor mask = ops::binary_mask(alphas_[g].alpha(network), options_.threshold);
      for (std::size_t c = 0; c < all[g].size(); ++c) all[g][c] = mask.data()[c] > 0.5f ? 1 : 0;
    }
    return all;
  }
  /// Sets the masks: alpha 1 for what stays, 0 for the rest.
  void select(Network& network, const AxisState& keep) const override {
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      if (!alphas_[g]) continue;
      float* alpha = alphas_[g].alpha(network).data();
      for (std::size_t c = 0; c < keep[g].size(); ++c) alpha[c] = keep[g][c] != 0 ? 1.0f : 0.0f;
    }
  }
  /// Alpha 0 for those that are left out.
  void switch_off(Network& network, const AxisState& keep) const override {
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      if (!alphas_[g]) continue;
      float* alpha = alphas_[g].alpha(network).data();
      for (std::size_t c = 0; c < keep[g].size(); ++c) alpha[c] = keep[g][c] != 0 ? alpha[c] : 0.0f;
    }
  }
  /// Brings every alpha back into [0, 1] after an update, keeps the `minimum` largest of a group on, and where channels go in
  /// multiples as many as the nearest alphas with which that is so.
  void project(Network& network) const override {
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

  /// Moves of 1 to 16 channels of a group, in whole multiples, those that are worth least first (or most, of those that come
  /// back); a channel is worth its importance times its scarcity.
  void for_each_move(const Network& network, const Selection&, AxisState& state, Direction direction,
                     const TakeMove& take) const override {
    const bool away = direction == Direction::away;
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      const ChannelGroup& group = groups()[g];
      if (group.frozen) continue;
      const std::vector<int> before = state[g];
      const std::vector<std::int64_t> channels = ranked(network, before, g, away);
      AxisMove move;
      for (std::int64_t on = count(before);;) {
        const std::int64_t next = away ? group.fewer(on) : group.more(on);
        if (next == 0 || (move.steps > 0 && move.size + std::abs(next - on) > longest_move)) break;
        for (; on != next; ++move.size) {
          const std::int64_t channel = channels[static_cast<std::size_t>(move.size)];
          state[g][static_cast<std::size_t>(channel)] = away ? 0 : 1;
          const std::int64_t most = away ? on-- : ++on;
          move.worth += importance(network, g, channel) * scarcity(group.channels, most);
        }
        ++move.steps;
        if (!take(move)) break;
      }
      state[g] = before;
    }
  }
  /// Channels that go in whole groups of a convolution, or with their filters: it is another operation for each number.
  std::vector<AxisState> operations(const Network& network, const AxisState& state) const override {
    std::vector<AxisState> all{state};
    for (int i = 1; i < static_cast<int>(network.nodes().size()); ++i) {
      const auto conv = convolution_of(network.nodes()[i].layer);
      const std::int64_t in = network.nodes()[network.nodes()[i].inputs[0]].shape[-1];
      if (!conv || conv->group_count(in) == 1 || conv->out == conv->group_count(in)) continue;
      for (const ChannelRun& run : groups_.runs(i)) {
        const ChannelGroup& group = groups()[run.group];
        for (std::int64_t count = group.frozen ? 0 : group.channels; count != 0; count = group.fewer(count)) {
          AxisState counted = state;
          std::fill(counted[run.group].begin(), counted[run.group].end(), 0);
          std::fill_n(counted[run.group].begin(), count, 1);
          all.push_back(std::move(counted));
        }
      }
    }
    return all;
  }

  void vary(const Network&, const AxisState& state, Variation<double>& variation) const override {
    std::vector<double> counts;
    for (const std::vector<int>& keep : state) counts.push_back(static_cast<double>(count(keep)));
    variation.channels = [this, counts = std::move(counts)](int node) { return count_runs(node, counts); };
    variation.mask = [this, &state](int node) {
      std::vector<double> mask;
      groups_.for_each_channel(node, [&](int group, std::size_t channel) { mask.push_back(state[group][channel]); });
      return mask;
    };
  }
  /// With a gradient: sums of binary masks on the tape.
  void vary(Tape& tape, Network& network, Variation<Scalar>& variation) const override {
    std::vector<Scalar> counts;
    for (int g = 0; g < static_cast<int>(groups().size()); ++g) {
      counts.push_back(alphas_[g] ? tape.scalar(ops::sum(mask(tape, network, g)))
                                  : Scalar(static_cast<double>(groups()[g].channels)));
    }
    variation.channels = [this, counts = std::move(counts)](int node) { return count_runs(node, counts); };
    variation.mask = [this, &tape, &network](int node) {
      std::vector<ops::MaskSegment<float>> segments;
      for (const ChannelRun& run : groups_.runs(node))
        segments.push_back({alphas_[run.group] ? mask(tape, network, run.group) : Var{}, run.channels, run.width, run.repeat});
      return ops::join_masks<float>(tape, segments);
    };
  }
  void narrow(const Network&, const AxisState& state, Narrowing& narrowing) const override {
    for (std::size_t node = 0; node < narrowing.channels.size(); ++node) {
      std::vector<std::int64_t>& kept = narrowing.channels[node];
      kept.clear();
      std::int64_t place = 0;
      groups_.for_each_channel(static_cast<int>(node), [&](int group, std::size_t channel) {
        if (state[group][channel] != 0) kept.push_back(place);
        ++place;
      });
    }
  }
  /// A mask that is on scales the rows of the weights that read it by 1: its gradient is the sum of theirs.
  void take_slopes(Network& network, const AxisState& state, const std::vector<NodeSlopes>& slopes,
                   double batch) const override {
    std::vector<std::vector<float>> sums;
    for (const ChannelGroup& group : groups()) sums.emplace_back(static_cast<std::size_t>(group.channels), 0.0f);
    for (int node = 0; node < static_cast<int>(slopes.size()); ++node) {
      if (slopes[node].rows.empty() || !reads_channels(network, node)) continue;
      std::vector<float*> inputs;  // the sums of what the rows read, over and over, once for each tap of a kernel
      for (const ChannelRun& run : groups_.runs(network.nodes()[node].inputs[0])) {
        for (std::int64_t r = 0; r < run.repeat; ++r) {
          for (std::size_t c = 0; c < state[run.group].size(); ++c) {
            if (state[run.group][c] != 0) inputs.insert(inputs.end(), static_cast<std::size_t>(run.width), &sums[run.group][c]);
          }
        }
      }
      for (std::size_t r = 0; r < slopes[node].rows.size(); ++r) *inputs[r % inputs.size()] += slopes[node].rows[r];
    }
    for (std::size_t g = 0; g < sums.size(); ++g) {
      if (is_measured(sums[g])) alphas_[g].take_gradient(network, state[g], sums[g], batch, options_);
    }
  }

  std::string settings() const override {
    return format("masks {} {} {}", options_.threshold, options_.secant, options_.decay);
  }
  /// "8 to 32 of 32 channels in steps of 8, with conv2d_3", or "16 channels stay: they are the output of the network".
  std::string freedom(const Network& network, int node) const override {
    using enum ChannelRule::Kind;
    const ChannelRule::Kind rule = channel_rule(network.nodes()[node].layer, site_of(network, node)).kind;
    return rule != makes && rule != makes_in_blocks && rule != freezes ? std::string()
                                                                       : channel_freedom(network, groups_, node).to_string();
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
  static std::int64_t count(const std::vector<int>& keep) { return std::count(keep.begin(), keep.end(), 1); }
  /// How much more than its importance the last of `on` channels is worth, of `all` in its group. What many channels do
  /// together is more than the sum of what each is missed for: the others step in for one, until few are left. So the worth of
  /// a group is taken to grow with the logarithm of its channels; by the sum, whole layers go that no single channel of was
  /// missed.
  static double scarcity(std::int64_t all, std::int64_t on) { return static_cast<double>(all) / static_cast<double>(on); }

  /// Channels of a group that are on (or off), those that go (or come back) first in front.
  std::vector<std::int64_t> ranked(const Network& network, const std::vector<int>& keep, int group, bool on) const {
    std::vector<std::int64_t> channels;
    for (std::size_t c = 0; c < keep.size(); ++c) {
      if ((keep[c] != 0) == on) channels.push_back(static_cast<std::int64_t>(c));
    }
    std::stable_sort(channels.begin(), channels.end(), [&](std::int64_t a, std::int64_t b) {
      const double x = importance(network, group, a), y = importance(network, group, b);
      return on ? x < y : x > y;
    });
    return channels;
  }
  /// Of a node's output, where so many channels of each group stay.
  template <class N>
  N count_runs(int node, const std::vector<N>& counts) const {
    N sum = 0;
    for (const ChannelRun& run : groups_.runs(node)) sum += counts[run.group] * static_cast<double>(run.width * run.repeat);
    return sum;
  }

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
