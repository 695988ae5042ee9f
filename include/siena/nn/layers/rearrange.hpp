// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "siena/autograd/ops/rearrange.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layers/conv2d.hpp"

namespace siena {

namespace detail {
/// Height, width and channels of images H x W x C, signals T x C (of height 1) and vectors of features (of width 1).
struct ImageSizes {
  std::int64_t height = 1, width = 1, channels = 1;
  explicit ImageSizes(const Shape& shape)
      : height(shape.rank() > 2 ? shape[0] : 1), width(shape.rank() > 1 ? shape[-2] : 1), channels(shape[-1]) {}
  ImageSizes(std::int64_t h, std::int64_t w, std::int64_t c) : height(h), width(w), channels(c) {}
  /// Back to a shape of a rank.
  Shape shape(int rank) const {
    return rank > 2 ? Shape{height, width, channels} : rank > 1 ? Shape{width, channels} : Shape{channels};
  }
};
inline const Shape& positions_of(LayerSetup& setup) {
  require<ShapeError>(setup.input().rank() == 2 || setup.input().rank() == 3,
                      "{}: expected images of height x width x channels or signals of time x channels, got {}", setup.where(),
                      setup.input());
  return setup.input();
}
}  // namespace detail

/// Every pixel of an image `factor` times, side by side: nearest neighbours. Of signals, in time: the factor of the width.
struct Upsample {
  Size2 factor = 2;  ///< how often each pixel comes, in each direction

  std::string_view kind() const { return "upsample"; }
  static void attributes(auto& self, auto&& visit) { visit("factor", self.factor); }
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  Upsample narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.rearrange; }
  kernels::UpsampleGeometry geometry(const Shape& in) const {
    const detail::ImageSizes sizes(in);
    return {sizes.height, sizes.width, sizes.channels, in.rank() > 2 ? factor.height : 1, factor.width};
  }
  Shape setup(LayerSetup& setup) const {
    const Shape& in = detail::positions_of(setup);
    require<ArgumentError>(factor.height > 0 && factor.width > 0, "{}: expected factors of 1 or more, got {} and {}",
                           setup.where(), factor.height, factor.width);
    const kernels::UpsampleGeometry g = geometry(in);
    require<ShapeError>(g.vertical <= Shape::most_elements / g.height && g.horizontal <= Shape::most_elements / g.width,
                        "{}: expected at most 2^48 elements, got factors of {} and {} for {}", setup.where(), g.vertical,
                        g.horizontal, in);
    return detail::ImageSizes(g.height * g.vertical, g.width * g.horizontal, g.channels).shape(in.rank());
  }
  Var forward(Forward& f) const { return ops::upsample(f.input(), geometry(f.input().shape().sample()), f.output_shape()); }
  void lower(Lowering& to) const { to.is(primitive::Upsample{geometry(to.input())}); }
};

/// Zeros around an image, as many as said on each side. Signals have a width alone: `.padding = {0, 1}` is one before and one
/// after them, `{0, 0, 2, 1}` two before and one after.
struct Pad {
  ImagePadding padding = 0;  ///< rows and columns of zeros

  std::string_view kind() const { return "pad"; }
  static void attributes(auto& self, auto&& visit) { visit("padding", self.padding); }
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  Pad narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.rearrange; }
  /// The input as a box in the output.
  kernels::BoxGeometry geometry(const Shape& in) const {
    const detail::ImageSizes sizes(in);
    return {.height = sizes.height + padding.top + padding.bottom,
            .width = sizes.width + padding.left + padding.right,
            .channels = sizes.channels,
            .top = padding.top,
            .left = padding.left,
            .box_height = sizes.height,
            .box_width = sizes.width,
            .box_channels = sizes.channels};
  }
  Shape setup(LayerSetup& setup) const {
    const Shape& in = detail::positions_of(setup);
    const auto [top, bottom, left, right, is_same] = padding;
    require<ArgumentError>(!is_same && top >= 0 && bottom >= 0 && left >= 0 && right >= 0,
                           "{}: expected 0 or more zeros on each side, got {}; `same` depends on a kernel: write it there",
                           setup.where(), is_same ? "same" : format("{}, {}, {} and {}", top, bottom, left, right));
    require<ArgumentError>(
        in.rank() == 3 || (top == 0 && bottom == 0),
        "{}: expected zeros before and after a signal alone, `.padding = {{0, 0, before, after}}`, got {} and {} above and "
        "below it",
        setup.where(), top, bottom);
    const kernels::BoxGeometry g = geometry(in);
    return detail::ImageSizes(g.height, g.width, g.channels).shape(in.rank());
  }
  Var forward(Forward& f) const { return ops::put_box(f.input(), geometry(f.input().shape().sample()), f.output_shape()); }
  void lower(Lowering& to) const { to.is(primitive::Pad{geometry(to.input())}); }
};

/// The places from `begin` to before `end`; by default all. Negative numbers count from the end: {-1} is the last place.
struct SliceRange {
  static constexpr int to_end = std::numeric_limits<int>::max();
  int begin = 0, end = to_end;

  bool operator==(const SliceRange&) const = default;
  static void attributes(auto& self, auto&& visit) {
    visit("begin", self.begin);
    visit("end", self.end);
  }
  bool all() const { return *this == SliceRange{}; }
  std::int64_t first(std::int64_t size) const { return begin < 0 ? begin + size : begin; }
  std::int64_t last(std::int64_t size) const { return end == to_end ? size : end < 0 ? end + size : end; }
};

/// A part of an image, a signal or a vector of features: the rows, columns (of a signal: moments) and channels of three ranges.
/// Two slices of the channels split them into branches; a range of the columns keeps the last moment of a signal.
struct Slice {
  SliceRange height = {}, width = {}, channels = {};

  std::string_view kind() const { return "slice"; }
  static void attributes(auto& self, auto&& visit) {
    visit("height", self.height);
    visit("width", self.width);
    visit("channels", self.channels);
  }
  ChannelRule channel_rule(const LayerSite& at) const {
    const kernels::BoxGeometry g = geometry(at.inputs[0]);
    return g.box_channels == g.channels ? ChannelRule::follows() : ChannelRule::slices(g.first, g.first + g.box_channels);
  }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  Slice narrowed(const KeptChannels& kept) const {
    if (channels.all()) return *this;
    const auto before = [&](std::int64_t end) {
      return static_cast<int>(std::lower_bound(kept.in.begin(), kept.in.end(), end) - kept.in.begin());
    };
    return {
        .height = height, .width = width, .channels = {before(channels.first(kept.read)), before(channels.last(kept.read))}};
  }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.rearrange; }
  /// The output as a box in the input.
  kernels::BoxGeometry geometry(const Shape& in) const {
    const detail::ImageSizes sizes(in);
    return {.height = sizes.height,
            .width = sizes.width,
            .channels = sizes.channels,
            .top = height.first(sizes.height),
            .left = width.first(sizes.width),
            .first = channels.first(sizes.channels),
            .box_height = height.last(sizes.height) - height.first(sizes.height),
            .box_width = width.last(sizes.width) - width.first(sizes.width),
            .box_channels = channels.last(sizes.channels) - channels.first(sizes.channels)};
  }
  Shape setup(LayerSetup& setup) const {
    const Shape& in = setup.input();
    require<ShapeError>(in.rank() <= 3, "{}: expected images, signals or features, got {}", setup.where(), in);
    const detail::ImageSizes sizes(in);
    check(setup, "rows", height, sizes.height, in.rank() > 2);
    check(setup, "columns", width, sizes.width, in.rank() > 1);
    check(setup, "channels", channels, sizes.channels, true);
    const kernels::BoxGeometry g = geometry(in);
    return detail::ImageSizes(g.box_height, g.box_width, g.box_channels).shape(in.rank());
  }
  Var forward(Forward& f) const { return ops::take_box(f.input(), geometry(f.input().shape().sample()), f.output_shape()); }
  void lower(Lowering& to) const { to.is(primitive::Slice{geometry(to.input())}); }

 private:
  static void check(const LayerSetup& setup, std::string_view what, const SliceRange& range, std::int64_t size, bool has) {
    require<ShapeError>(has || range.all(), "{}: expected no range of {} for an input that has none, {}", setup.where(), what,
                        setup.input());
    const std::int64_t first = range.first(size), last = range.last(size);
    require<ShapeError>(first >= 0 && first < last && last <= size, "{}: expected a part of its {} {}, got [{}, {})",
                        setup.where(), size, what, first, last);
  }
};

}  // namespace siena
