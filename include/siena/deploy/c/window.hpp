// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "siena/deploy/c/body.hpp"
#include "siena/kernels/geometry.hpp"

namespace siena::deploy::c {

/// The taps of a window that lie in the image, along one dimension.
struct Taps {
  std::string first, behind;  ///< names of variables or numbers
  std::string code;           ///< that sets them, in one line
};

/// `k` is what a tap is called, `start` where the window at output `o` begins, `size` what the image has along it.
inline Taps taps_inside(std::string_view k, std::string_view start, std::string_view o, int kernel, int stride, int dilation,
                        kernels::Padding padding, std::int64_t size) {
  Taps taps{.first = "0", .behind = std::to_string(kernel), .code = ""};
  const std::string moved = stride == 1 ? std::string(o) : format("{} * {}", o, stride);
  taps.code = padding.before == 0 ? format("const int {} = {}", start, moved)
                                  : format("const int {} = {} - {}", start, moved, padding.before);
  // Taps before the image, or of it, are a distance divided by the dilation, rounded up.
  const auto count = [&](const std::string& distance) {
    return dilation == 1 ? distance : format("({} + {}) / {}", distance, dilation - 1, dilation);
  };
  if (padding.before > 0) {
    taps.first = format("first_{}", k);
    taps.code += format(", {} = {} < 0 ? {} : 0", taps.first, start, count(format("-{}", start)));
  }
  if (padding.after > 0) {
    taps.behind = format("end_{}", k);
    taps.code += format(", {} = {} > {} ? {} : {}", taps.behind, start, size - 1 - std::int64_t{kernel - 1} * dilation,
                        count(format("{} - {}", size, start)), kernel);
  }
  taps.code += ";";
  return taps;
}

/// The loops over the output pixels of a window around `code`, which knows the taps that are in the image.
struct Window {
  Taps rows, columns;
  std::string row, column;  ///< of the image at a tap

  explicit Window(const kernels::ConvGeometry& g)
      : rows(taps_inside("kh", "top", "oh", g.kernel_height, g.stride_height, g.dilation_height, {g.pad_top, g.pad_bottom},
                         g.in_height)),
        columns(taps_inside("kw", "left", "ow", g.kernel_width, g.stride_width, g.dilation_width, {g.pad_left, g.pad_right},
                            g.in_width)),
        row(g.dilation_height == 1 ? "top + kh" : format("top + kh * {}", g.dilation_height)),
        column(g.dilation_width == 1 ? "left + kw" : format("left + kw * {}", g.dilation_width)) {}

  std::string around(const kernels::ConvGeometry& g, std::string_view code) const {
    return fill(R"(for (int oh = 0; oh < $rows; ++oh) {
  $rowTaps
  for (int ow = 0; ow < $columns; ++ow) {
    $columnTaps
$inner  }
}
)",
                {{"rows", g.out_height},
                 {"columns", g.out_width},
                 {"rowTaps", rows.code},
                 {"columnTaps", columns.code},
                 {"inner", indented(code, 4)}});
  }
};

/// For comments: what a window does besides its sizes.
inline std::string window_text(const kernels::ConvGeometry& g) {
  std::string text = format("window {} x {}", g.kernel_height, g.kernel_width);
  if (g.stride_height * g.stride_width > 1) text += format(", stride {} x {}", g.stride_height, g.stride_width);
  if (g.dilation_height * g.dilation_width > 1) text += format(", dilation {} x {}", g.dilation_height, g.dilation_width);
  if (g.pad_top + g.pad_bottom > 0) text += format(", padded by {} rows above and {} below", g.pad_top, g.pad_bottom);
  if (g.pad_left + g.pad_right > 0) text += format(", padded by {} columns before and {} behind", g.pad_left, g.pad_right);
  return text;
}

}  // namespace siena::deploy::c
