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

/// Sizes of a window that slides over N x H x W x C images: of a convolution with KH x KW x (Cin / groups) x Cout weights, or
/// of a pooling, which has a group a channel and no weights. The caller says all but the outputs, which conv_geometry and
/// pool_geometry check and work out once.
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

/// Checks the sizes of a convolution and works out its outputs; `where` names the layer in the ShapeError.
inline ConvGeometry conv_geometry(ConvGeometry g, std::string_view where = "convolution") {
  require<ShapeError>(g.in_height > 0 && g.in_width > 0 && g.in_channels > 0 && g.out_channels > 0,
                      "{}: expected sizes above 0, got a {}x{}x{} image and {} output channels", where, g.in_height, g.in_width,
                      g.in_channels, g.out_channels);
  require<ShapeError>(g.kernel_height > 0 && g.kernel_width > 0 && g.stride_height > 0 && g.stride_width > 0 &&
                          g.dilation_height > 0 && g.dilation_width > 0,
                      "{}: expected window, stride and dilation above 0, got window {}x{}, stride {}x{}, dilation {}x{}", where,
                      g.kernel_height, g.kernel_width, g.stride_height, g.stride_width, g.dilation_height, g.dilation_width);
  require<ShapeError>(g.pad_top >= 0 && g.pad_bottom >= 0 && g.pad_left >= 0 && g.pad_right >= 0,
                      "{}: expected padding of 0 or more, got top {}, bottom {}, left {}, right {}", where, g.pad_top,
                      g.pad_bottom, g.pad_left, g.pad_right);
  require<ShapeError>(
      g.groups > 0 && g.in_channels % g.groups == 0 && g.out_channels % g.groups == 0,
      "{}: expected groups that divide {} input and {} output channels, got {}; hint: depthwise layers have as many "
      "groups as input channels",
      where, g.in_channels, g.out_channels, g.groups);
  g.out_height = output_size(g.in_height, g.kernel_height, g.stride_height, g.dilation_height, {g.pad_top, g.pad_bottom});
  g.out_width = output_size(g.in_width, g.kernel_width, g.stride_width, g.dilation_width, {g.pad_left, g.pad_right});
  require<ShapeError>(
      g.out_height > 0 && g.out_width > 0,
      "{}: expected a window that fits the padded input, got a {}x{} window with dilation {}x{} over a {}x{} input "
      "({}x{} with padding); hint: pad more or pool less before",
      where, g.kernel_height, g.kernel_width, g.dilation_height, g.dilation_width, g.in_height, g.in_width,
      g.in_height + g.pad_top + g.pad_bottom, g.in_width + g.pad_left + g.pad_right);
  return g;
}

/// Checks the sizes of a pooling and works out its outputs; every window must hold at least one pixel of the image.
inline ConvGeometry pool_geometry(ConvGeometry g, std::string_view where = "pooling") {
  g.out_channels = g.in_channels;
  g.groups = static_cast<int>(g.in_channels);
  g = conv_geometry(g, where);
  require<ShapeError>(
      std::max(g.pad_top, g.pad_bottom) < g.kernel_height && std::max(g.pad_left, g.pad_right) < g.kernel_width,
      "{}: expected less padding than the window is wide, got a {}x{} window with padding top {}, bottom {}, left {}, "
      "right {}",
      where, g.kernel_height, g.kernel_width, g.pad_top, g.pad_bottom, g.pad_left, g.pad_right);
  return g;
}

}  // namespace siena::kernels
