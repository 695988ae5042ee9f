// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "siena/cost/code_target.hpp"
#include "siena/cost/description.hpp"
#include "siena/cost/packed_weights.hpp"
#include "siena/cost/written_steps.hpp"

namespace siena {

/// Kinds of functions in the C of a network. `apart`: convolutions whose taps of a row do not lie side by side, for groups or
/// dilation.
enum class CodeKind {
  none,
  linear,
  pointwise,
  convolution,
  apart,
  depthwise,
  scale,
  table,
  prelu,
  max_pool,
  average_pool,
  add,
  multiply,
  concat,
  rearrange,
  count
};

/// What the code of a layer is made of: how often there is each thing that a kind of function is written with (a loop, a tile
/// of sums, a step of multiplications). `CodeSize` has a number of bytes for each.
struct CodeParts {
  static constexpr std::size_t most = 44;
  CodeKind kind = CodeKind::none;
  std::array<double, most> counts{};
  std::size_t size = 0;
  double stack = 0;  ///< bytes by which large kernels take more of it than what `CodeSize` was fitted to

  /// Where weights take less than a byte: whether functions are called that take them out, into so many bytes of the stack;
  /// else what is written out for Cortex-M.
  struct Packed {
    bool any = false, differ = false, calls = false;
    double taps = 0, pairs = 0, sums = 0;
  };
  Packed packed = {};

  void add(auto... more) { ((counts[size++] = static_cast<double>(more)), ...); }
};

namespace detail {

/// Counts the parts. Shapes are constants of a function, so a loop of one turn is none, and one of few may be written out.
class CodePartsOf {
 public:
  CodePartsOf(const LayerDesc<double>& layer, CTarget target, bool beside)
      : l_(layer),
        cortex_(target == CTarget::cortex_m),
        beside_(beside),
        widths_(layer.has_weights() ? packed_widths(layer, target) : std::vector<BitSlice<double>>()),
        groups_(layer.kind == LayerKind::depthwise_conv2d ? whole(layer.in_channels) : whole(layer.groups)),
        in_(whole(layer.in_channels)),
        out_(whole(layer.filters())),
        height_(whole(layer.out_height)),
        width_(whole(layer.out_width)),
        above_(layer.pad_top > 0),
        below_(over(height_, layer.in_height, layer.kernel_height, layer.stride_height, layer.dilation_height, layer.pad_top)),
        left_(layer.pad_left > 0),
        right_(over(width_, layer.in_width, layer.kernel_width, layer.stride_width, layer.dilation_width, layer.pad_left)) {}

  CodeParts make() {
    parts_.kind = kind();
    if (parts_.kind == CodeKind::none) return parts_;
    parts_.add(1);
    CodeParts::Packed& packed = parts_.packed;
    packed.any = beside_ || (!widths_.empty() && widths_.back().bits < 8), packed.differ = packed.any && widths_.size() > 1;
    packed.calls = packed.any && (!cortex_ || l_.kind == LayerKind::depthwise_conv2d);
    if (cortex_ && has_cortex_body(l_)) {
      if (l_.kind == LayerKind::add) {
        cortex_add();
      } else {
        l_.kind == LayerKind::depthwise_conv2d ? cortex_depthwise() : cortex_convolution();
      }
    } else {
      portable();
    }
    return parts_;
  }

 private:
  static int whole(double count) { return std::max(1, static_cast<int>(std::ceil(count - 1e-9))); }
  static bool over(int outputs, double inputs, int kernel, int stride, int dilation, int pad) {
    return (outputs - 1.0) * stride + (kernel - 1.0) * dilation + 1 - pad > inputs;
  }
  bool padded() const { return above_ || below_ || left_ || right_; }
  bool product() const { return l_.kind == LayerKind::linear || (l_.pointwise() && !padded()); }
  int pixels() const { return height_ * width_; }

  CodeKind kind() const {
    switch (l_.kind) {
      case LayerKind::linear:
        return CodeKind::linear;
      case LayerKind::conv2d:
        if (product() && pixels() == 1 && (cortex_ || groups_ == 1)) return CodeKind::linear;
        if (product() && (cortex_ || groups_ == 1)) return CodeKind::pointwise;
        return groups_ == 1 && l_.dilation_width == 1 ? CodeKind::convolution : CodeKind::apart;
      case LayerKind::depthwise_conv2d:
        return CodeKind::depthwise;
      case LayerKind::batch_norm:
        return CodeKind::scale;
      case LayerKind::activation:
        return l_.own_weights > 1 ? CodeKind::prelu : CodeKind::table;
      case LayerKind::other:
        return CodeKind::prelu;
      case LayerKind::pool:
        return l_.operation == "max_pool" ? CodeKind::max_pool : CodeKind::average_pool;
      case LayerKind::add:
        return CodeKind::add;
      case LayerKind::multiply:
        return CodeKind::multiply;
      case LayerKind::concat:
        return CodeKind::concat;
      case LayerKind::rearrange:
        return CodeKind::rearrange;
      default:
        return CodeKind::none;
    }
  }

  void portable() {
    const bool channels = in_ > 1, many = pixels() > 1;
    switch (parts_.kind) {
      case CodeKind::linear:
      case CodeKind::pointwise:
        parts_.add(channels, out_ > 1, channels && out_ > 1, in_ == 2, out_ == 2, pixels() == 2, in_ == 3);
        break;
      case CodeKind::convolution:
      case CodeKind::apart:
      case CodeKind::depthwise:
        window();
        portable_convolution();
        break;
      case CodeKind::max_pool:
      case CodeKind::average_pool:
        window();
        portable_pool();
        break;
      case CodeKind::scale:
      case CodeKind::prelu:
        parts_.add(channels, many, in_ == 2, in_ == 3, in_ == 4, pixels() == 2);
        break;
      case CodeKind::table:
      case CodeKind::add:
        parts_.add(many || out_ > 1, pixels() * out_ > 255);
        break;
      case CodeKind::multiply:
        parts_.add(l_.per_channel, l_.per_channel && channels, l_.per_channel && many);
        break;
      case CodeKind::concat:
        parts_.add(summands(), many, many ? summands() : 0);
        break;
      default:
        rearrange();
    }
  }
  double summands() const { return static_cast<double>(std::max<std::size_t>(1, l_.producers.size())); }
  void rearrange() {
    const auto is = [&](std::string_view operation) { return l_.operation == operation; };
    const bool many = in_ > 1, rows = height_ > 1, columns = width_ > 1;
    parts_.add(is("pad"), is("upsample"), is("channel_shuffle"), rows, columns, many, out_ > 1, out_ != in_);
    parts_.add(is("pad") && rows, is("pad") && columns, out_ != in_ && rows);
  }
  /// The loops over the pixels, and over the taps that are in the image.
  void window() {
    const bool rows = height_ > 1, columns = width_ > 1;
    parts_.add(in_ > 1, rows, columns, l_.kernel_height > 1, l_.kernel_width > 1, above_, below_, left_, right_);
    parts_.add(height_ == 2, width_ == 2, l_.kernel_height == 2, l_.kernel_width == 2, l_.kernel_height == 3,
               l_.kernel_width == 3, in_ == 2, rows && l_.stride_height > 1, columns && l_.stride_width > 1, rows && columns);
  }
  void portable_pool() {
    const bool two = l_.kernel_height > 1 && l_.kernel_width > 1, four = l_.kernel_height == 2 && l_.kernel_width == 2;
    const bool apart = windows_differ(l_);
    parts_.add(two, four, four && height_ > 1 && width_ > 1, height_ > 1 && l_.kernel_height > 1, in_ > 1 && height_ > 1);
    parts_.add(in_ > 1 && l_.kernel_width > 1, apart, above_ && below_, left_ && right_);
  }
  void portable_convolution() {
    const int each = in_ / groups_, length = parts_.kind == CodeKind::convolution ? in_ * l_.kernel_width : each;
    const bool filters = out_ > 1, rows = l_.kernel_height > 1, columns = l_.kernel_width > 1, many = each > 1;
    parts_.add(filters, out_ == 2, length == 1, length == 2, length == 3, many, groups_ > 1, groups_ > 1 && out_ > groups_);
    const bool far = rows && l_.dilation_height > 1, wide = columns && l_.dilation_width > 1;
    parts_.add(far, wide, above_ && below_, left_ && right_, above_ || below_, left_ || right_, many && (left_ || right_));
    parts_.add(rows && columns, filters && rows, filters && width_ > 1, many && rows, many && columns, height_ <= l_.pad_top,
               width_ <= l_.pad_left);
  }

  void cortex_add() {
    const int all = pixels() * out_, rest = all % 4;
    parts_.add(all >= 4, all >= 8, rest > 0, rest > 1, rest > 2, all > 255);
  }
  /// As CortexConvolution writes it: tiles of filters and pixels, each with steps of two inputs.
  void cortex_convolution() {
    const bool matrix = product(), runs = groups_ == 1 && l_.dilation_width == 1;
    const int all = matrix ? pixels() : width_, together = all < 4 ? all : all % 4 != 0 && all % 3 == 0 ? 3 : 4;
    const int inputs = std::max(1, in_ / groups_), filters = std::max(1, out_ / groups_), even = filters + filters % 2;
    const bool by_two = together > 1 || parts_.packed.any, uneven = all % together != 0;
    int tile = by_two ? 2 : std::min(even, 8);
    for (const int exact : {4, 6, 8})
      if (!by_two && even % exact == 0) tile = exact;
    Tiling of{.inputs = matrix || !runs ? inputs : l_.kernel_width * inputs,
              .rows = matrix ? 1 : l_.kernel_height,
              .turns = matrix || runs ? 1 : l_.kernel_width,
              .filters = filters,
              .tile = tile};
    Written sum;
    if (!widths_.empty()) of.bits = static_cast<int>(widths_[0].bits);
    if (beside_) of.filters = even, of.most = 5;
    add_filters(sum, of, together, matrix && uneven);
    if (!matrix && uneven) add_filters(sum, of, all % together, false);
    parts_.add(sum.tiles, sum.sums, sum.unpacked, sum.weights, sum.inputs, sum.products, sum.loops, sum.turns, sum.row_loops);
    parts_.add(sum.rows, sum.large, sum.asked, sum.asked_outputs, sum.filter_loops, sum.groups, sum.last);
    const int ring = (l_.kernel_height - 1) * l_.dilation_height + 1, kept = std::max(0, ring - l_.stride_height);
    parts_.add(all > together, matrix && together * in_ > 255);
    if (matrix) return;
    parts_.stack = std::max(0, ring - 7) * 4.0;  // a pointer to each row
    parts_.add(kept > 0, kept > 1, ring - kept > 1, height_ > 1, l_.in_height > 1, l_.in_width * in_ > 255, width_ * out_ > 255,
               uneven);
  }
  struct Tiling {
    int inputs, rows, turns, filters, tile;
    int bits = 8, most = 10;  // of weights; steps of two inputs that are written out
  };
  struct Written {
    double tiles = 0, sums = 0, unpacked = 0, weights = 0, inputs = 0, products = 0, loops = 0, turns = 0, row_loops = 0,
           rows = 0, large = 0, asked = 0, asked_outputs = 0, filter_loops = 0, groups = 0, last = 0;
  };
  void add_filters(Written& sum, const Tiling& of, int pixels, bool uneven) {
    const int even = of.filters + of.filters % 2, tiles = even / of.tile, rest = even % of.tile, odd = of.filters % 2;
    sum.filter_loops += tiles > 1 || beside_, sum.groups += groups_ > 1;
    add_tile(sum, of, of.tile, pixels, rest == 0 && tiles == 1 ? odd : 0, uneven);
    if (rest == 0 && tiles > 1 && odd > 0) sum.last += pixels;
    if (rest > 0) add_tile(sum, of, rest, pixels, odd, uneven);
  }
  void add_tile(Written& sum, const Tiling& of, int filters, int pixels, int missing, bool uneven) {
    const int all = (of.inputs + 1) / 2, there = filters - missing;
    const WrittenSteps steps = written_steps(of.inputs, of.bits, of.most);
    const bool loops = of.rows > 1 && (of.turns * all > 2 || of.rows * all > 2 * of.most);
    const double rows = loops ? 1 : of.rows, words = rows * steps.written(),
                 written = std::min(words * 8 / of.bits, rows * all);
    sum.tiles += 1, sum.sums += there * pixels, sum.unpacked += written * there, sum.weights += words * (filters / 2);
    if (of.bits < 8) parts_.packed.pairs += written * (filters / 2);
    if (parts_.packed.any) parts_.packed.sums += there * pixels;
    sum.inputs += written * pixels * (pixels > 1 ? filters / 2 : 1), sum.products += written * there * pixels;
    sum.loops += steps.loops > 1 ? rows : 0, sum.turns += of.turns > 1 ? rows : 0, sum.row_loops += loops, sum.rows += rows;
    sum.large += filters * pixels >= 8;
    if (uneven) sum.asked += pixels - 1, sum.asked_outputs += (pixels - 1) * there;
  }
  /// As CortexDepthwise writes it: a row of the channel is copied, then outputs come one or two at a time.
  void cortex_depthwise() {
    const int columns = l_.kernel_width, rows = l_.kernel_height;
    const bool words = l_.dilation_width == 1 && columns > 1, shifts = words && l_.stride_width == 1;
    const int step = words && l_.stride_width <= 2 && width_ > 1 ? 2 : 1, units = width_ / step, rest = width_ % step;
    const int written = units > 4 ? 2 + units % 2 : units;
    double alone = 0, outputs = 0, loads = 0, products = 0;
    const auto unit = [&](int together, int times) {
      outputs += times * together;
      if (!words) {
        alone += times * rows * columns;
        return;
      }
      const bool beside = together == 2 && !shifts, shifted = together == 2 && shifts;
      loads += times * rows * ((columns + 1) / 2 + (beside || (shifted && columns % 2 == 0) ? 1 : 0));
      products += times * rows * ((columns + 1) / 2) * together;
    };
    unit(step, written);
    if (rest > 0) unit(1, 1);
    const double seen = (width_ - 1.0) * l_.stride_width + (columns - 1.0) * l_.dilation_width + 1;
    const int copied = static_cast<int>(std::clamp(seen - l_.pad_left, 0.0, l_.in_width));
    const int pairs = words ? rows * (columns / 2) : 0, between = shifts ? rows * ((columns - 1) / 2) : 0;
    const int single = !words ? rows * columns : shifts || columns % 2 == 0 ? 0 : rows;
    parts_.add(alone, outputs, loads, products, units > 4, copied <= 10 ? copied : 8.0 + copied % 8, copied > 10);
    parts_.stack = std::max(0, pairs + between - 20) * 1.5;  // words that no register is left for
    if (parts_.packed.any) parts_.packed.taps = rows * columns + 20;
    parts_.add(double(pairs), double(between), double(single), height_ > 1, out_ > in_, l_.in_height > 1,
               std::max(0.0, pairs + between + single - 4.0));
  }

  const LayerDesc<double>& l_;
  bool cortex_, beside_;
  std::vector<BitSlice<double>> widths_;  // of weights, where there are any
  int groups_, in_, out_, height_, width_;
  bool above_, below_, left_, right_;
  CodeParts parts_;
};

}  // namespace detail

/// Of a layer as it is deployed; `beside`: of filters of one width, by pairs, beside others.
inline CodeParts code_parts(const LayerDesc<double>& layer, CTarget target, bool beside = false) {
  return detail::CodePartsOf(layer, target, beside).make();
}

}  // namespace siena
