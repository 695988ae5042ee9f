// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "siena/core/error.hpp"
#include "siena/core/shape.hpp"

namespace siena::kernels {

/// Whether a kernel replaces its result or adds to what is there.
enum class Write { overwrite, accumulate };

/// Zeros in front of and behind one dimension of an image.
struct Padding {
  int before = 0, after = 0;
  bool operator==(const Padding&) const = default;
};

/// The padding that gives ceil(in / stride) outputs, as TensorFlow's SAME and ONNX's SAME_UPPER mean it: where the
/// total is odd the extra zero goes behind.
constexpr Padding same_padding(std::int64_t in, int kernel, int stride, int dilation = 1) {
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * stride + std::int64_t{dilation} * (kernel - 1) + 1 - in);
  return {static_cast<int>(total / 2), static_cast<int>(total - total / 2)};
}

/// Outputs along one dimension: floor((in + padding - window) / stride) + 1; 0 or less where the window does not fit.
constexpr std::int64_t output_size(std::int64_t in, int kernel, int stride, int dilation, Padding padding) {
  const std::int64_t room = in + padding.before + padding.after - (std::int64_t{dilation} * (kernel - 1) + 1);
  return room < 0 ? 0 : room / stride + 1;
}

/// Sizes of a convolution of N x H x W x C images with KH x KW x (Cin / groups) x Cout weights, worked out once by
/// conv_geometry.
struct ConvGeometry {
  std::int64_t in_height = 1, in_width = 1, in_channels = 1;
  std::int64_t out_height = 1, out_width = 1, out_channels = 1;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int dilation_height = 1, dilation_width = 1;
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  int groups = 1;

  bool operator==(const ConvGeometry&) const = default;

  /// Every input channel has its own filters. One channel convolved into one is an ordinary convolution.
  bool depthwise() const { return groups > 1 && groups == in_channels; }
  /// One tap that moves by one pixel over an image without padding: a matrix product.
  bool pointwise() const {
    return kernel_height == 1 && kernel_width == 1 && stride_height == 1 && stride_width == 1 && pad_top == 0 &&
           pad_bottom == 0 && pad_left == 0 && pad_right == 0;
  }
  std::int64_t group_in_channels() const { return in_channels / groups; }
  std::int64_t group_out_channels() const { return out_channels / groups; }
  std::int64_t taps() const { return std::int64_t{kernel_height} * kernel_width; }

  /// Pixels (rows of a tensor) of an image before and after.
  std::int64_t in_rows() const { return in_height * in_width; }
  std::int64_t out_rows() const { return out_height * out_width; }
  /// Rows of the weights: KH * KW * Cin / groups.
  std::int64_t weight_rows() const { return taps() * group_in_channels(); }

  /// Elements from one pixel to the next.
  std::int64_t in_stride() const { return padded(in_channels); }
  std::int64_t out_stride() const { return padded(out_channels); }
  /// Elements of an image, of the weights, with the padding of their rows.
  std::int64_t in_storage() const { return in_rows() * in_stride(); }
  std::int64_t out_storage() const { return out_rows() * out_stride(); }
  std::int64_t weight_storage() const { return weight_rows() * out_stride(); }

  /// Multiplications for one image, taps on the padding included (the convention of the literature).
  std::int64_t macs() const { return out_rows() * out_channels * weight_rows(); }
};

/// What the caller of conv_geometry says; it works out the rest.
struct ConvOptions {
  std::int64_t in_height = 1, in_width = 1, in_channels = 1, out_channels = 1;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int dilation_height = 1, dilation_width = 1;
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  int groups = 1;
};

/// Checks the sizes of a convolution and works out its outputs; `where` names the layer in the ShapeError.
inline ConvGeometry conv_geometry(const ConvOptions& o, std::string_view where = "convolution") {
  require<ShapeError>(o.in_height > 0 && o.in_width > 0 && o.in_channels > 0 && o.out_channels > 0,
                      "{}: expected sizes above 0, got a {}x{}x{} image and {} output channels", where, o.in_height, o.in_width,
                      o.in_channels, o.out_channels);
  require<ShapeError>(o.kernel_height > 0 && o.kernel_width > 0 && o.stride_height > 0 && o.stride_width > 0 &&
                          o.dilation_height > 0 && o.dilation_width > 0,
                      "{}: expected window, stride and dilation above 0, got window {}x{}, stride {}x{}, dilation {}x{}", where,
                      o.kernel_height, o.kernel_width, o.stride_height, o.stride_width, o.dilation_height, o.dilation_width);
  require<ShapeError>(o.pad_top >= 0 && o.pad_bottom >= 0 && o.pad_left >= 0 && o.pad_right >= 0,
                      "{}: expected padding of 0 or more, got top {}, bottom {}, left {}, right {}", where, o.pad_top,
                      o.pad_bottom, o.pad_left, o.pad_right);
  require<ShapeError>(
      o.groups > 0 && o.in_channels % o.groups == 0 && o.out_channels % o.groups == 0,
      "{}: expected groups that divide {} input and {} output channels, got {}; hint: depthwise layers have as many "
      "groups as input channels",
      where, o.in_channels, o.out_channels, o.groups);
  ConvGeometry g{
      .in_height = o.in_height,
      .in_width = o.in_width,
      .in_channels = o.in_channels,
      .out_height = output_size(o.in_height, o.kernel_height, o.stride_height, o.dilation_height, {o.pad_top, o.pad_bottom}),
      .out_width = output_size(o.in_width, o.kernel_width, o.stride_width, o.dilation_width, {o.pad_left, o.pad_right}),
      .out_channels = o.out_channels,
      .kernel_height = o.kernel_height,
      .kernel_width = o.kernel_width,
      .stride_height = o.stride_height,
      .stride_width = o.stride_width,
      .dilation_height = o.dilation_height,
      .dilation_width = o.dilation_width,
      .pad_top = o.pad_top,
      .pad_bottom = o.pad_bottom,
      .pad_left = o.pad_left,
      .pad_right = o.pad_right,
      .groups = o.groups};
  require<ShapeError>(
      g.out_height > 0 && g.out_width > 0,
      "{}: expected a window that fits the padded input, got a {}x{} window with dilation {}x{} over a {}x{} input "
      "({}x{} with padding); hint: pad more or pool less before",
      where, o.kernel_height, o.kernel_width, o.dilation_height, o.dilation_width, o.in_height, o.in_width,
      o.in_height + o.pad_top + o.pad_bottom, o.in_width + o.pad_left + o.pad_right);
  return g;
}

/// Sizes of a pooling over N x H x W x C images, worked out once by pool_geometry.
struct PoolGeometry {
  std::int64_t in_height = 1, in_width = 1, out_height = 1, out_width = 1, channels = 1;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;

  bool operator==(const PoolGeometry&) const = default;

  /// Pixels (rows of a tensor) of an image before and after.
  std::int64_t in_rows() const { return in_height * in_width; }
  std::int64_t out_rows() const { return out_height * out_width; }
  /// Elements from one pixel to the next.
  std::int64_t stride() const { return padded(channels); }
};

/// What the caller of pool_geometry says; it works out the rest.
struct PoolOptions {
  std::int64_t in_height = 1, in_width = 1, channels = 1;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
};

/// Checks the sizes of a pooling and works out its outputs; every window must hold at least one pixel of the image.
inline PoolGeometry pool_geometry(const PoolOptions& o, std::string_view where = "pooling") {
  const ConvGeometry g = conv_geometry({.in_height = o.in_height,
                                        .in_width = o.in_width,
                                        .in_channels = o.channels,
                                        .out_channels = o.channels,
                                        .kernel_height = o.kernel_height,
                                        .kernel_width = o.kernel_width,
                                        .stride_height = o.stride_height,
                                        .stride_width = o.stride_width,
                                        .pad_top = o.pad_top,
                                        .pad_bottom = o.pad_bottom,
                                        .pad_left = o.pad_left,
                                        .pad_right = o.pad_right},
                                       where);
  require<ShapeError>(
      std::max(o.pad_top, o.pad_bottom) < o.kernel_height && std::max(o.pad_left, o.pad_right) < o.kernel_width,
      "{}: expected less padding than the window is wide, got a {}x{} window with padding top {}, bottom {}, left {}, "
      "right {}",
      where, o.kernel_height, o.kernel_width, o.pad_top, o.pad_bottom, o.pad_left, o.pad_right);
  return {.in_height = g.in_height,
          .in_width = g.in_width,
          .out_height = g.out_height,
          .out_width = g.out_width,
          .channels = o.channels,
          .kernel_height = o.kernel_height,
          .kernel_width = o.kernel_width,
          .stride_height = o.stride_height,
          .stride_width = o.stride_width,
          .pad_top = o.pad_top,
          .pad_bottom = o.pad_bottom,
          .pad_left = o.pad_left,
          .pad_right = o.pad_right};
}

}  // namespace siena::kernels
