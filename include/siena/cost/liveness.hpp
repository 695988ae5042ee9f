// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "siena/cost/description.hpp"

namespace siena {

/// Which layers write their output over what they read, where nobody reads that again.
enum class InPlace {
  fused,        ///< what a runtime computes along with the layer before: batch norms that fold, ReLUs, clips and dropouts
  elementwise,  ///< all that do it by themselves: LayerDesc::works_in_place
  overlap       ///< convolutions, too: see arena_overlap
};

/// How the memory of a network's values is shared.
struct ArenaRules {
  InPlace in_place = InPlace::elementwise;  ///< which layers write over what they read
  int alignment = 0;  ///< offsets and sizes are multiples of so many bytes; 0: exact, down to the bits of a value
  int repairs = 300;  ///< most orders that are tried where values do not fit by size; 0: greedy by size, as TFLite Micro's
};
/// Adds, products, batch norms and activations in place: what `PeakMemory` prices.
inline constexpr ArenaRules arena_siena{};
/// TFLite Micro: nothing in place, 16 bytes. Its own planner is greedy by size (`.repairs = 0`); it takes plans made elsewhere.
inline constexpr ArenaRules arena_tflm{.in_place = InPlace::fused, .alignment = 16};
/// What specialised int8 kernels can do besides, each with its scratch memory (elements widened to 16 bits):
/// - a convolution writes row by row over rows of its input that it has in a ring already, forwards or from the last row
///   backwards; scratch: as many rows as the kernel has, padded;
/// - one of 1x1 at stride 1 writes block by block of 4 pixels, of which it copies the inputs first; scratch: these;
/// - a depthwise one goes channel by channel through a padded copy of the channel; scratch: that;
/// - a linear layer keeps its input widened; scratch: that.
inline constexpr ArenaRules arena_overlap{.in_place = InPlace::overlap};
/// The same with words where they can be read at once: what the C for Cortex-M keeps.
inline constexpr ArenaRules arena_cortex_m{.in_place = InPlace::overlap, .alignment = 4};

namespace detail {
/// How an output may lie over the input: `before` bytes or more in front of it, or `behind` or more after its beginning.
/// `exact`: just where it is.
template <class N>
struct Overlay {
  N before = 0, behind = 0;
  bool exact = true;
};

/// A convolution whose output is written over its input, row by row (or block by block of pixels).
template <class N>
struct RowsOver {
  double outputs = 1, inputs = 1;  // rows
  N output_row = 0, input_row = 0;
  int kernel = 1, stride = 1, pad = 0;

  /// So many bytes in front of the input the output has to start where it is written forwards: no row reaches inputs that are
  /// not in the ring yet.
  N before() const {
    double most = 0, written = 0, read = 0;
    for (double row = 0; row < outputs; ++row) {
      const double end = std::min(row + 1, outputs), known = std::clamp(row * stride + kernel - pad, 0.0, inputs);
      const double bytes = value_of(output_row) * end - value_of(input_row) * known;
      if (bytes > most) most = bytes, written = end, read = known;
    }
    return output_row * written - input_row * read;
  }
  /// So many bytes after its beginning where it is written from the last row backwards.
  N behind() const {
    double most = 0, written = 0, read = 0;
    for (double row = 0; row < outputs; ++row) {
      const double needed = std::clamp(row * stride - pad, 0.0, inputs);
      const double bytes = value_of(input_row) * needed - value_of(output_row) * row;
      if (bytes > most) most = bytes, written = row, read = needed;
    }
    return input_row * read - output_row * written;
  }
};

/// Whether a convolution is a matrix product of pixels, which goes by blocks of 4 and not by rows.
template <class N>
bool in_blocks(const LayerDesc<N>& layer) {
  return layer.pointwise() && layer.in_height == layer.out_height && layer.in_width == layer.out_width;
}

template <class N>
Overlay<N> overlay_of(const LayerDesc<N>& layer) {
  if (layer.kind != LayerKind::conv2d) return {};
  RowsOver<N> rows{.outputs = value_of(layer.out_height), .inputs = value_of(layer.in_height)};
  if (in_blocks(layer)) {
    rows.outputs = rows.inputs = value_of(layer.out_height * layer.out_width) / 4;
  } else {
    rows.kernel = (layer.kernel_height - 1) * layer.dilation_height + 1;
    rows.stride = layer.stride_height, rows.pad = layer.pad_top;
  }
  rows.output_row = layer.output_elements() * (layer.output_bits / 8.0) / rows.outputs;
  rows.input_row = layer.input_elements() * (layer.input_bits / 8.0) / rows.inputs;
  return {.before = rows.before(), .behind = rows.behind(), .exact = false};
}

/// Bytes that a specialised kernel works in, besides its input and output: of an image what its windows see, padding included.
template <class N>
N scratch_of(const LayerDesc<N>& layer) {
  const auto seen = [](const N& outputs, int stride, int reach) { return (outputs - 1.0) * double(stride) + (reach + 1.0); };
  const int above = (layer.kernel_height - 1) * layer.dilation_height, left = (layer.kernel_width - 1) * layer.dilation_width;
  const N rows = seen(layer.out_height, layer.stride_height, above), columns = seen(layer.out_width, layer.stride_width, left);
  switch (layer.kind) {
    case LayerKind::conv2d:
      return in_blocks(layer) ? layer.in_channels * (2.0 * std::min(4.0, value_of(layer.out_height * layer.out_width)))
                              : columns * layer.in_channels * (2.0 * (above + 1));
    case LayerKind::depthwise_conv2d:
      return rows * (columns + 1.0) * 2.0;
    case LayerKind::linear:
      return layer.input_elements() * 2.0;
    default:
      return 0;
  }
}
}  // namespace detail

/// When the values of a network live, where, and in how many bytes. Value 0 is the input of the network, value i + 1 is made by
/// layer i, in step i. A value that nobody reads is an output and stays. A flatten is a view, an add of one summand hands it
/// on, and a mixture lies where its producers do, each by its presence; a layer of presence 0 makes and reads nothing.
template <class N>
class Liveness {
 public:
  /// A value or a layer, with the probability that it is the one.
  struct Share {
    int index;
    N weight;
  };
  using Shares = std::vector<Share>;

  /// Keeps a reference to `network`.
  explicit Liveness(const Architecture<N>& network, const ArenaRules& rules = {})
      : layers_(network.layers), rules_(rules), places_(layers_.size() + 1), readers_(places_.size()), over_(layers_.size()) {
    places_[0] = {{0, 1}};
    std::vector<bool> read(places_.size(), false);
    const int end = static_cast<int>(layers_.size());
    for (int i = 0; i < end; ++i) {
      const std::vector<int> values = values_read(i);
      for (const int value : values) read[value] = true;
      if (value_of(layers_[i].presence) != 0) place(i, values);
    }
    for (int value = 1; value <= end; ++value) {  // what nobody reads is an output, and stays
      if (!read[value]) add_reader(places_[value], end, 1);
    }
    bytes_.push_back(aligned(input_bytes()));
    for (const auto& layer : layers_) bytes_.push_back(aligned(layer.output_elements() * (layer.output_bits / 8.0)));
  }

  explicit Liveness(const Architecture<N>&&, const ArenaRules& = {}) = delete;  // it would refer to what is gone

  const ArenaRules& rules() const { return rules_; }
  int steps() const { return static_cast<int>(layers_.size()); }
  int values() const { return static_cast<int>(places_.size()); }
  /// Whether a value has memory of its own: it is there, is no view of others, and, the input, somebody reads it.
  bool owns_memory(int value) const {
    if (value == 0) return !readers_[0].empty();
    return places_[value].size() == 1 && places_[value][0].index == value;
  }
  /// Those in whose memory a value lies; none where it is not there.
  const Shares& places(int value) const { return places_[value]; }
  const N& bytes(int value) const { return bytes_[value]; }
  N scratch(int i) const { return rules_.in_place == InPlace::overlap ? aligned(detail::scratch_of(layers_[i])) : N(0); }
  /// The steps in which a value with memory of its own is there.
  int first(int value) const { return std::max(0, value - 1); }
  int last(int value) const {
    return readers_[value].empty() ? first(value) : std::min(readers_[value].back().index, steps() - 1);
  }
  /// Whether nothing is probable: every layer is there or not.
  bool exact() const {
    for (const auto& layer : layers_)
      if (value_of(layer.presence) != 0 && value_of(layer.presence) != 1) return false;
    return true;
  }

  /// Whether layer i writes its value over this one.
  bool replaces(int i, int value) const {
    const auto over = [&](const Share& share) { return share.index == value; };
    return std::any_of(over_[i].begin(), over_[i].end(), over) && readers_[value].back().index == i;
  }
  /// The value that layer i writes over, or -1; where layers are there or not, it is one at most.
  int replaced(int i) const { return i >= 0 && !over_[i].empty() && replaces(i, over_[i][0].index) ? over_[i][0].index : -1; }
  /// How it does that. What goes through all elements once may do so at a distance, from either end; a layer that says itself
  /// that it works in place, a depthwise one, and what is fused lie just where their input does.
  detail::Overlay<N> overlay(int i, int value) const {
    const LayerDesc<N>& layer = layers_[i];
    detail::Overlay<N> overlay;
    if (layer.in_place || layer.kind == LayerKind::depthwise_conv2d || rules_.in_place == InPlace::fused) return overlay;
    if (layer.works_in_place()) {
      const N more = bytes_[i + 1] - bytes_[value];
      overlay.before = positive_part(more), overlay.behind = positive_part(-more);
    } else {
      overlay = detail::overlay_of(layer);
    }
    overlay.exact = false;
    overlay.before = aligned(overlay.before), overlay.behind = aligned(overlay.behind);
    return overlay;
  }
  /// The probability that layer i, or one after it, is there to read a value that has been made.
  N needed(int value, int i) const {
    N readers = 0;
    for (const Share& reader : readers_[value]) readers += reader.index >= i ? reader.weight : N(0);
    return min_of(presence(value), readers);
  }
  N presence(int value) const { return value == 0 ? N(1) : layers_[value - 1].presence; }

  /// Bytes that live while each layer runs, where it makes a value of its own.
  std::vector<N> moments() const {
    std::vector<N> moments;
    for (int i = 0; i < steps(); ++i) {
      if (!owns_memory(i + 1)) continue;
      N others = 0, replaced = 0;
      for (int value = 0; value <= i; ++value) {
        if (readers_[value].empty() || readers_[value].back().index < i) continue;
        (replaces(i, value) ? replaced : others) += bytes_[value] * needed(value, i);
      }
      const N out = bytes_[i + 1] * presence(i + 1);
      if (rules_.in_place != InPlace::overlap) {
        moments.push_back(others + max_of(out, replaced));
        continue;
      }
      const detail::Overlay<N> how =
          value_of(replaced) > 0 && !over_[i].empty() ? overlay(i, over_[i][0].index) : detail::Overlay<N>{};
      const N forwards = max_of(out, replaced + how.before * presence(i + 1));
      const N backwards = max_of(out + how.behind * presence(i + 1), replaced);
      moments.push_back(others + min_of(forwards, backwards) + scratch(i) * presence(i + 1));
    }
    return moments;
  }

 private:
  std::vector<int> values_read(int i) const {
    if (layers_[i].producers.empty()) return {i};
    std::vector<int> values;
    for (const int producer : layers_[i].producers) values.push_back(producer + 1);
    return values;
  }
  N aligned(const N& bytes) const {
    return rules_.alignment > 0 ? ceil_div(bytes, rules_.alignment) * double(rules_.alignment) : bytes;
  }
  /// By the rules, if its first input is not read again.
  bool may_replace(const LayerDesc<N>& layer) const {
    if (rules_.in_place == InPlace::fused) {
      const bool activation = layer.kind == LayerKind::activation && layer.in_place.value_or(true);
      return (layer.kind == LayerKind::batch_norm && layer.batch_norm_folded) ||
             (activation && (layer.operation.empty() || layer.operation == "relu" || layer.operation == "clip" ||
                             layer.operation == "dropout" || layer.operation == "fake_quantize"));
    }
    if (rules_.in_place == InPlace::elementwise || !layer.is_convolution()) return layer.works_in_place();
    return layer.in_place.value_or(layer.kind != LayerKind::depthwise_conv2d || layer.multiplier == 1);
  }
  void place(int i, const std::vector<int>& values) {
    const LayerDesc<N>& layer = layers_[i];
    if (layer.kind == LayerKind::mixture) {
      places_[i + 1] = mixture(layer, values);
      return;
    }
    std::vector<const Shares*> inputs;  // of those that are there
    for (const int value : values) {
      if (!places_[value].empty()) inputs.push_back(&places_[value]);
    }
    for (const Shares* input : inputs) add_reader(*input, i, layer.presence);
    const bool of_two = layer.kind == LayerKind::add || layer.kind == LayerKind::multiply;
    const bool view = (layer.kind == LayerKind::flatten || of_two) && inputs.size() == 1;
    if (may_replace(layer) && !view && !inputs.empty()) over_[i] = *inputs[0];
    places_[i + 1] = view ? *inputs[0] : Shares{{i + 1, layer.presence}};
  }
  /// A mixture lies where its producers do, each by its presence. The input of a choice is there anyhow: it comes first, so the
  /// producers after it go first and leave it the rest.
  Shares mixture(const LayerDesc<N>& layer, std::vector<int> values) const {
    std::sort(values.begin(), values.end(), std::greater<>());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    Shares shares;
    N rest = layer.presence;
    for (const int value : values) {
      const N taken = min_of(presence(value), rest);
      if (places_[value].empty() || value_of(taken) <= 0) continue;
      for (const Share& share : places_[value]) shares.push_back({share.index, share.weight * (taken / presence(value))});
      rest -= taken;
    }
    return shares;
  }
  void add_reader(const Shares& values, int layer, const N& presence) {
    for (const Share& value : values) readers_[value.index].push_back({layer, min_of(value.weight, presence)});
  }
  /// Of the network, by a layer that reads nothing else; where there is none, by what a concat is left with.
  N input_bytes() const {
    N bytes = 0;
    for (int i = 0; i < steps(); ++i) {
      const LayerDesc<N>& layer = layers_[i];
      const auto values = values_read(i);
      const auto times = std::count(values.begin(), values.end(), 0);
      if (times == 0) continue;
      const bool shared = layer.kind == LayerKind::concat;
      N channels = layer.in_channels;
      for (const int value : values) channels -= shared && value > 0 ? layers_[value - 1].filters() : N(0);
      if (shared) channels /= static_cast<double>(times);
      const bool one_each = layer.per_channel && values[0] != 0;  // read as the second input
      bytes = channels * (one_each ? N(1) : layer.in_height * layer.in_width) * (layer.input_bits / 8.0);
      if (!shared) break;
    }
    return bytes;
  }

  const std::vector<LayerDesc<N>>& layers_;
  ArenaRules rules_;
  std::vector<N> bytes_;         // of each value
  std::vector<Shares> places_;   // of each value: those in whose memory it lies
  std::vector<Shares> readers_;  // of each value with memory: layers, in order; their number for whoever takes the output
  std::vector<Shares> over_;     // of each layer: what it may write over
};

}  // namespace siena
