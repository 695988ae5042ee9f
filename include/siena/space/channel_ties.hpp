// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/space/channels.hpp"

namespace siena {

/// Neighbouring channels of a value that belong to one group: `width` of them to each channel of the group, and all `repeat`
/// times over (once for each position that a flatten unrolled).
struct ChannelRun {
  int group = 0;
  std::int64_t channels = 0;  ///< of the group
  std::int64_t width = 1;
  std::int64_t repeat = 1;

  /// Of the value.
  std::int64_t size() const { return channels * width * repeat; }
};

/// Channels that live and die together: those of all layers whose outputs meet in an add or a product or are alternatives, or
/// that a depthwise or grouped layer hands on. One channel of a group may stand for several of a layer (see ChannelRun): for
/// all that one group of a grouped convolution reads, and all that it makes.
struct ChannelGroup {
  std::int64_t channels = 0;
  std::int64_t minimum = 1;   ///< the fewest that may stay
  std::int64_t multiple = 1;  ///< as many stay as are a multiple of this, or all
  bool frozen = false;        ///< touched by something that cannot vary: all stay
  bool ordered = false;       ///< and in their order: not only for want of an axis
  std::string frozen_by{};    ///< what that is, as half a sentence
  std::vector<int> layers{};  ///< nodes that make these channels

  /// The next smaller number that may stay, 0 where there is none.
  std::int64_t fewer(std::int64_t count) const {
    const std::int64_t next = (count - 1) / multiple * multiple;
    return next >= minimum ? next : 0;
  }
  /// The next larger number that may stay, 0 where there is none.
  std::int64_t more(std::int64_t count) const {
    return count < channels ? std::min(channels, (count / multiple + 1) * multiple) : 0;
  }
};

/// The groups of all channels of a network while they are found: united where channels are tied, cut where a tie or a slice
/// ends in the middle of a group, and coarsened where channels go in blocks.
class ChannelTies {
 public:
  explicit ChannelTies(std::size_t values) : runs_(values) {}

  const std::vector<ChannelRun>& runs(int value) const { return runs_[value]; }
  void set_runs(int value, std::vector<ChannelRun> runs) { runs_[value] = std::move(runs); }

  /// Channels that layer `node` makes; without an axis they stay, because of `frozen_by`.
  std::vector<ChannelRun> make(int node, std::int64_t channels, const std::optional<Channels>& axis, std::string frozen_by) {
    groups_.push_back({.channels = channels,
                       .minimum = axis ? std::min<std::int64_t>(axis->minimum, channels) : channels,
                       .multiple = axis ? axis->multiple : 1,
                       .frozen = !axis,
                       .frozen_by = axis ? "" : std::move(frozen_by),
                       .layers = {node}});
    parent_.push_back(static_cast<int>(parent_.size()));
    return {{.group = parent_.back(), .channels = channels}};
  }
  /// Layer `node` makes channels of these groups, too, in blocks of their width, and may have an axis of its own.
  void join(int node, const std::vector<ChannelRun>& runs, const std::optional<Channels>& axis) {
    for (const ChannelRun& run : runs) {
      ChannelGroup& group = groups_[root(run.group)];
      group.layers.push_back(node);
      if (!axis) continue;
      group.minimum = std::max(group.minimum, std::min<std::int64_t>(blocks(axis->minimum, run.width), group.channels));
      group.multiple = std::lcm(group.multiple, axis->multiple / std::gcd<std::int64_t>(axis->multiple, run.width));
    }
  }
  /// All channels stay, in their order.
  void freeze(const std::vector<ChannelRun>& runs, const std::string& why) {
    keep_all(runs, why);
    for (const ChannelRun& run : runs) groups_[root(run.group)].ordered = true;
  }
  /// All channels stay.
  void keep_all(const std::vector<ChannelRun>& runs, const std::string& why) {
    for (const ChannelRun& run : runs) {
      ChannelGroup& group = groups_[root(run.group)];
      group.frozen = true, group.frozen_by = why;
    }
  }

  /// Ties two values channel by channel. False where no groups fit both.
  bool tie(int a, int b) {
    if (repeats_differ(a, b)) unroll(a), unroll(b);
    const std::int64_t size = size_of(a);
    for (std::int64_t at = 0; at < size;) {
      const ChannelRun x = run_at(a, at), y = run_at(b, at);
      const std::int64_t extent = std::min(x.size(), y.size());
      if (x.size() > extent) {
        if (!cut(x, extent)) return false;
      } else if (y.size() > extent) {
        if (!cut(y, extent)) return false;
      } else if (x.width != y.width) {
        const std::int64_t width = std::lcm(x.width, y.width);
        if (!coarsen(x, width / x.width) || !coarsen(y, width / y.width)) return false;
      } else {
        unite(x.group, y.group);
        at += extent;
      }
    }
    return true;
  }

  /// The outputs of a layer that makes `out` channels of every `in` neighbouring ones of a value, which then go together. None
  /// where no groups fit.
  std::optional<std::vector<ChannelRun>> in_blocks(int value, std::int64_t in, std::int64_t out) {
    const std::int64_t size = size_of(value);
    for (std::int64_t at = 0; at < size;) {
      const ChannelRun run = run_at(value, at);
      if (at % in != 0) return std::nullopt;
      if (run.width % in == 0) {
        at += run.size();
      } else if (!coarsen(run, std::lcm(run.width, in) / run.width)) {
        return std::nullopt;
      }
    }
    std::vector<ChannelRun> made = runs_[value];
    for (ChannelRun& run : made) run.width = run.width / in * out;
    return made;
  }

  /// The channels [begin, end) of a value, as groups of their own. None where a group cannot be cut there.
  std::optional<std::vector<ChannelRun>> slice(int value, std::int64_t begin, std::int64_t end) {
    unroll(value);
    if (!cut_at(value, begin) || !cut_at(value, end)) return std::nullopt;
    std::vector<ChannelRun> part;
    std::int64_t at = 0;
    for (const ChannelRun& run : runs_[value]) {
      if (at >= begin && at < end) part.push_back(run);
      at += run.size();
    }
    return part;
  }

  /// The channels of `parts` equal parts of a value, the first of each, then the second of each, and so on. None where no
  /// groups fit all parts.
  std::optional<std::vector<ChannelRun>> interleave(int value, std::int64_t parts) {
    const std::int64_t size = size_of(value) / parts;
    const auto first = static_cast<int>(runs_.size());  // parts are values for as long as this takes
    bool fits = true;
    for (std::int64_t p = 0; p < parts && fits; ++p) {
      auto part = slice(value, p * size, (p + 1) * size);
      fits = part.has_value();
      if (fits) runs_.push_back(*std::move(part));
    }
    for (int p = 1; p < parts && fits; ++p) fits = tie(first, first + p);
    std::vector<ChannelRun> mixed = fits ? runs_[first] : std::vector<ChannelRun>();
    for (ChannelRun& run : mixed) run.width *= parts;
    runs_.resize(static_cast<std::size_t>(first));
    return fits ? std::optional(std::move(mixed)) : std::nullopt;
  }

  /// The groups that are left, numbered in order of first appearance; what may stay of each is made whole multiples.
  std::vector<ChannelGroup> compress() {
    std::vector<int> number(groups_.size(), -1);
    std::vector<ChannelGroup> kept;
    for (auto& runs : runs_) {
      for (ChannelRun& run : runs) {
        const int top = root(run.group);
        if (number[top] < 0) {
          number[top] = static_cast<int>(kept.size());
          ChannelGroup& group = kept.emplace_back(std::move(groups_[top]));
          group.minimum =
              group.frozen ? group.channels : std::min(group.channels, blocks(group.minimum, group.multiple) * group.multiple);
        }
        run.group = number[top];
      }
    }
    return kept;
  }

 private:
  static std::int64_t blocks(std::int64_t channels, std::int64_t size) { return (channels + size - 1) / size; }

  int root(int group) {
    while (parent_[group] != group) group = parent_[group] = parent_[parent_[group]];
    return group;
  }
  std::int64_t size_of(int value) const {
    std::int64_t size = 0;
    for (const ChannelRun& run : runs_[value]) size += run.size();
    return size;
  }
  ChannelRun run_at(int value, std::int64_t at) const {
    std::int64_t begin = 0;
    for (const ChannelRun& run : runs_[value]) {
      if (begin == at) return run;
      begin += run.size();
    }
    SIENA_ASSERT(false);  // runs of both sides are cut alike up to here
    return {};
  }

  void unite(int a, int b) {
    a = root(a), b = root(b);
    if (a == b) return;
    if (b < a) std::swap(a, b);
    parent_[b] = a;
    ChannelGroup &to = groups_[a], &from = groups_[b];
    SIENA_ASSERT(to.channels == from.channels);
    if (!to.frozen && from.frozen) to.frozen = true, to.frozen_by = from.frozen_by;
    to.ordered |= from.ordered;
    to.minimum = std::max(to.minimum, from.minimum);
    to.multiple = std::lcm(to.multiple, from.multiple);
    to.layers.insert(to.layers.end(), from.layers.begin(), from.layers.end());
  }

  /// Calls each(runs, index) for the runs of a group, all values'.
  template <class Each>
  void for_each_run(int group, Each&& each) {
    for (auto& runs : runs_) {
      for (std::size_t i = 0; i < runs.size(); ++i) {
        if (root(runs[i].group) == group) each(runs, i);
      }
    }
  }

  /// Makes a group of the channels behind the first `extent` of a run. A minimum is shared out, so that the parts have it
  /// together.
  bool cut(const ChannelRun& run, std::int64_t extent) {
    const int group = root(run.group);
    const std::int64_t first = extent / run.width;
    if (run.repeat > 1 || extent % run.width != 0 || (!groups_[group].frozen && first % groups_[group].multiple != 0)) {
      return false;
    }
    for (auto& runs : runs_) unroll(runs, group);
    const auto rest = static_cast<int>(groups_.size());
    const std::int64_t all = groups_[group].channels;
    ChannelGroup behind = groups_[group];
    const auto share = [&](ChannelGroup& part, std::int64_t channels) {
      part.channels = channels;
      part.minimum = blocks(part.minimum * channels, all);
    };
    share(groups_[group], first);
    share(behind, all - first);
    groups_.push_back(std::move(behind));
    parent_.push_back(rest);
    for_each_run(group, [&](std::vector<ChannelRun>& runs, std::size_t i) {
      ChannelRun part = runs[i];
      runs[i].channels = first;
      part.group = rest, part.channels = all - first;
      runs.insert(runs.begin() + static_cast<std::ptrdiff_t>(i) + 1, part);
    });
    return true;
  }
  /// Cuts the run around a place of a value in two, if it does not begin or end there.
  bool cut_at(int value, std::int64_t place) {
    std::int64_t begin = 0;
    for (const ChannelRun run : runs_[value]) {
      if (place > begin && place < begin + run.size()) return cut(run, place - begin);
      begin += run.size();
    }
    return true;
  }
  /// Makes blocks of so many channels of a group its channels.
  bool coarsen(const ChannelRun& run, std::int64_t block) {
    const int index = root(run.group);
    ChannelGroup& group = groups_[index];
    if (group.channels % block != 0) return false;
    group.channels /= block;
    group.minimum = blocks(group.minimum, block);
    group.multiple /= std::gcd(group.multiple, block);
    for_each_run(index, [&](std::vector<ChannelRun>& runs, std::size_t i) {
      runs[i].channels /= block;
      runs[i].width *= block;
    });
    return true;
  }

  bool repeats_differ(int a, int b) const {
    const auto alike = [](const ChannelRun& x, const ChannelRun& y) { return x.repeat == y.repeat && x.size() == y.size(); };
    return !std::equal(runs_[a].begin(), runs_[a].end(), runs_[b].begin(), runs_[b].end(), alike);
  }
  void unroll(int value) { unroll(runs_[value], std::nullopt); }
  /// Writes runs that repeat one after the other; `group`: of this group alone.
  void unroll(std::vector<ChannelRun>& runs, std::optional<int> group) {
    const auto repeats = [&](const ChannelRun& run) { return run.repeat > 1 && (!group || root(run.group) == *group); };
    if (std::none_of(runs.begin(), runs.end(), repeats)) return;
    std::vector<ChannelRun> all;
    for (const ChannelRun& run : runs) {
      ChannelRun once = run;
      if (repeats(run)) once.repeat = 1;
      all.insert(all.end(), static_cast<std::size_t>(run.repeat / once.repeat), once);
    }
    runs = std::move(all);
  }

  std::vector<ChannelGroup> groups_;
  std::vector<int> parent_;
  std::vector<std::vector<ChannelRun>> runs_;  // by value
};

}  // namespace siena
