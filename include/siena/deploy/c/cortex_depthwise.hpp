// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/cortex_finish.hpp"
#include "siena/deploy/c/cortex_instructions.hpp"
#include "siena/deploy/c/packed_weights.hpp"
#include "siena/deploy/c/portable_convolution.hpp"
#include "siena/kernels/geometry.hpp"

namespace siena::deploy::c {

/// Writes a depthwise convolution, channel by channel through a padded copy of 16 bits, in which two neighbours make a word:
/// at stride 1 two outputs of three taps take two loads and four multiplications. The output may be written over the input.
/// Packed weights are taken out filter by filter.
class CortexDepthwise {
 public:
  using Geometry = kernels::ConvGeometry;

  CortexDepthwise(const Site& site, const integer::Convolution& what)
      : site_(site), what_(what), g_(what.geometry), slices_(packed_slices(what)) {}

  Body body() const {
    const int zero = site_.input().zero_point;
    Body body{.name = "depthwise",
              .about = format("{} -> {}, {}", size_text(g_.in_height, g_.in_width, g_.in_channels),
                              size_text(g_.out_height, g_.out_width, g_.out_channels), window_text(g_)),
              .code = text(),
              .arguments = {{"weights", packs() ? packed_filters(what_) : what_.weights},
                            {"bias", folded_bias(what_, zero)},
                            {"multiplier", what_.multiplier}},
              .scratch = 2 * rows() * pitch(),
              .preambles = {cortex_pragma, cortex_instructions, cortex_fill}};
    if (packs()) {
      add_code(body, what_);
      body.preambles.push_back(packed_take);
    }
    body.arguments.push_back({"x_zero", std::int32_t{zero}});
    body.arguments.push_back({"y_zero", std::int32_t{site_.output().zero_point}});
    return body;
  }

 private:
  bool packs() const { return slices_.back().bits < 8; }
  /// That windows see, padding included; that of these are of the image.
  std::int64_t rows() const {
    return (g_.out_height - 1) * g_.stride_height + std::int64_t{g_.kernel_height - 1} * g_.dilation_height + 1;
  }
  std::int64_t columns() const {
    return (g_.out_width - 1) * g_.stride_width + std::int64_t{g_.kernel_width - 1} * g_.dilation_width + 1;
  }
  std::int64_t rows_there() const { return std::clamp<std::int64_t>(rows() - g_.pad_top, 0, g_.in_height); }
  std::int64_t columns_there() const { return std::clamp<std::int64_t>(columns() - g_.pad_left, 0, g_.in_width); }
  /// Words reach one column beyond; rows begin at words where one more is enough.
  std::int64_t pitch() const {
    const bool beyond = g_.stride_width != 1 || g_.out_width % 2 != 0 || g_.kernel_width % 2 == 0;
    return in_words() && (beyond || columns() % 2 != 0) ? columns() + 1 : columns();
  }
  /// Neighbours make a word where taps are neighbours.
  bool in_words() const { return g_.dilation_width == 1 && g_.kernel_width > 1; }
  int multiplier() const { return static_cast<int>(g_.out_channels / g_.in_channels); }
  int outputs_at_a_time() const { return in_words() && g_.stride_width <= 2 && g_.out_width > 1 ? 2 : 1; }

  std::string text() const {
    return fill(R"(int16_t *const plane = (int16_t *)(void *)scratch;
siena_fill(plane, $plane, x_zero);
for (int c = 0; c < $channels; ++c) {
  const int8_t *from = x + c;
  int16_t *to = plane + $inside;
  for (int i = 0; i < $height; ++i, to += $pitch, from += $row) {
$copy  }
$filters
$weights    const int32_t first = *bias++, factor = *multiplier++;
    const int16_t *in = plane;
    int8_t *out = y++;
    for (int i = 0; i < $rows; ++i, in += $down, out += $outRow) {
$outputs    }
$next  }
}
)",
                {{"plane", rows() * pitch()},
                 {"channels", g_.in_channels},
                 {"inside", rows_there() * columns_there() > 0 ? g_.pad_top * pitch() + g_.pad_left : 0},
                 {"height", rows_there()},
                 {"pitch", pitch()},
                 {"row", g_.in_width * g_.in_channels},
                 {"copy", indented(copy(columns_there()), 4)},
                 {"filters", multiplier() == 1 ? "  {" : format("  for (int m = 0; m < {}; ++m) {{", multiplier())},
                 {"weights", indented(weights(), 4)},
                 {"rows", g_.out_height},
                 {"down", g_.stride_height * pitch()},
                 {"outRow", g_.out_width * g_.out_channels},
                 {"outputs", indented(outputs(), 6)},
                 {"next", packs() ? "" : format("    weights += {};\n", g_.taps())}});
  }
  /// A row of the channel.
  std::string copy(std::int64_t columns) const {
    const auto straight = [&](std::int64_t n, std::string_view to, std::string_view from) {
      std::string text;
      for (std::int64_t j = 0; j < n; ++j) text += format("{}[{}] = {}[{}];\n", to, j, from, j * g_.in_channels);
      return text;
    };
    if (columns <= 10) return straight(columns, "to", "from");
    const auto loops = columns / 8;
    return fill(R"(const int8_t *s = from;
int16_t *t = to;
for (const int16_t *const end = to + $n; t < end; t += 8, s += $step) {
$eight}
)",
                {{"n", loops * 8}, {"step", 8 * g_.in_channels}, {"eight", indented(straight(8, "t", "s"), 2)}}) +
           straight(columns % 8, "t", "s");
  }
  /// Packed ones of a filter.
  std::string take() const {
    const std::string filter = multiplier() == 1 ? "c" : format("c * {} + m", multiplier());
    return fill("int8_t taps[$n];\nweights = siena_take(weights, $n, $code, taps);\n",
                {{"n", g_.taps()}, {"code", slices_.size() > 1 ? format("siena_code(codes, {})", filter) : "code"}});
  }
  /// The taps of a filter, two of them in a word: e of 0 and 1, 2 and 3, ..., o of 1 and 2, 3 and 4, ...
  std::string weights() const {
    const std::string_view from = packs() ? "taps" : "weights";
    std::string text = packs() ? take() : "";
    const auto pair = [&](char name, int row, int k, int tap) {
      const auto at = row * g_.kernel_width + tap;
      text += format("const uint32_t {}{}{} = siena_lower((uint32_t){}[{}], (uint32_t){}[{}]);\n", name, row, k, from, at, from,
                     at + 1);
    };
    const bool odd = g_.kernel_width % 2 != 0;
    for (int i = 0; i < g_.kernel_height; ++i) {
      for (int k = 0; in_words() && 2 * k + 1 < g_.kernel_width; ++k) pair('e', i, k, 2 * k);
      for (int k = 0; shifts() && (odd || outputs_at_a_time() == 2) && 2 * k + 2 < g_.kernel_width; ++k)
        pair('o', i, k, 2 * k + 1);
      for (int k = 0; k < g_.kernel_width; ++k) {
        const bool alone = !in_words() || (!shifts() && odd && k + 1 == g_.kernel_width);
        if (alone) text += format("const int32_t w{}{} = {}[{}];\n", i, k, from, i * g_.kernel_width + k);
      }
    }
    return text;
  }
  /// Whether the second of two outputs begins in the middle of a word.
  bool shifts() const { return in_words() && g_.stride_width == 1; }

  /// A row of outputs: so many at a time, in a loop where they are many.
  std::string outputs() const {
    const int step = outputs_at_a_time();
    const auto units = g_.out_width / step;
    const bool rest = g_.out_width % step != 0;
    std::string text;
    std::int64_t done = 0;
    std::string from = "in", to = "out";
    if (units > 4) {
      constexpr int unrolled = 2;
      done = units / unrolled * unrolled;
      std::string turn;
      for (int i = 0; i < unrolled; ++i) turn += unit("p", "d", i * step, step);
      text = fill(R"(const int16_t *p = in;
int8_t *d = out;
for (const int16_t *const end = in + $end; p < end; p += $in, d += $out) {
$turn}
)",
                  {{"end", done * step * g_.stride_width},
                   {"in", unrolled * step * g_.stride_width},
                   {"out", unrolled * step * g_.out_channels},
                   {"turn", indented(turn, 2)}});
      from = "p", to = "d";
    }
    for (auto i = done; i < units; ++i) text += unit(from, to, static_cast<int>((i - done) * step), step);
    if (rest) text += unit(from, to, static_cast<int>((units - done) * step), 1);
    return text;
  }
  /// One output, or two side by side.
  std::string unit(const std::string& from, const std::string& to, int column, int outputs) const {
    std::string text = outputs == 2 ? "{\n  int32_t s0 = first, s1 = first;\n" : "{\n  int32_t s0 = first;\n";
    for (int i = 0; i < g_.kernel_height; ++i)
      text += row(from, i, i * g_.dilation_height * pitch() + std::int64_t{column} * g_.stride_width, outputs);
    for (int o = 0; o < outputs; ++o) {
      text += format("  {}[{}] = ", to, (column + o) * g_.out_channels) +
              cortex_finish(packs() ? format("s{} * {}", o, shift_factor) : shifted(site_, format("s{}", o), what_.shift),
                            "factor") +
              ";\n";
    }
    return text + "}\n";
  }
  std::string row(const std::string& from, int i, std::int64_t at, int outputs) const {
    const int taps = g_.kernel_width, half = taps / 2;
    std::string text = " ";
    if (!in_words()) {
      for (int k = 0; k < taps; ++k)
        text += format(" s0 += {}[{}] * w{}{};", from, at + std::int64_t{k} * g_.dilation_width, i, k);
      return text + "\n";
    }
    const bool shifted = outputs == 2 && shifts(), beside = outputs == 2 && !shifts();
    const int words = (taps + 1) / 2 + (beside || (shifted && taps % 2 == 0) ? 1 : 0);
    const auto mac = [&](std::string_view how, std::string_view sum, int word, char name, int k) {
      text += format(" {} = siena_mac{}(p{}, {}{}{}, {});", sum, how, word, name, i, k, sum);
    };
    text += " {\n    const uint32_t";
    for (int k = 0; k < words; ++k) text += format("{} p{} = siena_pair({} + {})", k > 0 ? "," : "", k, from, at + 2 * k);
    text += ";\n   ";
    for (int o = 0; o < (beside ? 2 : 1); ++o) {
      const char* sum = o == 0 ? "s0" : "s1";
      for (int k = 0; k < half; ++k) mac("", sum, k + o, 'e', k);
      if (taps % 2 != 0 && shifts()) mac("_lower_upper", sum, half + o, 'o', half - 1);
      if (taps % 2 != 0 && !shifts())
        text += format(" {} = siena_mac_lower(p{}, (uint32_t)w{}{}, {});", sum, half + o, i, taps - 1, sum);
    }
    if (shifted) {
      mac("_upper_lower", "s1", 0, 'e', 0);
      for (int k = 0; 2 * k + 2 < taps; ++k) mac("", "s1", k + 1, 'o', k);
      if (taps % 2 == 0) mac("_lower_upper", "s1", half, 'e', half - 1);
    }
    return text + "\n  }\n";
  }

  const Site& site_;
  const integer::Convolution& what_;
  Geometry g_;
  std::vector<PackedSlice> slices_;
};

}  // namespace siena::deploy::c
