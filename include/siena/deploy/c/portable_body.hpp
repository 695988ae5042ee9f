// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/portable_convolution.hpp"
#include "siena/deploy/c/window.hpp"

namespace siena::deploy::c {

namespace detail {

/// Every kind of operation but a convolution as plain loops over its definition.
class PortableBody {
 public:
  explicit PortableBody(const Site& site)
      : site_(site), elements_(site.output().shape.elements()), channels_(site.input().shape.columns()) {}

  Body make() {
    return std::visit([&](const auto& what) { return of(what); }, site_.operation.what);
  }

 private:
  Body of(const integer::Convolution& what) { return PortableConvolution(site_, what).body(); }
  Body of(const integer::Table& table) {
    return {.name = "table",
            .about = count_text(),
            .code = fill("$each y[i] = $y;\n", {{"each", each_element()}, {"y", "table[x[i] + 128]"}}),
            .arguments = {{"table", std::vector<std::int8_t>(table.of.begin(), table.of.end())}}};
  }
  Body of(const integer::PRelu& prelu) {
    return {.name = "prelu",
            .about = format("{}, {} channels", count_text(), channels_),
            .code = per_channel(R"(const int32_t sum = x[p + c] - x_zero;
y[p + c] = $y;
)",
                                requantized(shifted(site_, "sum", prelu.shift), "sum > 0 ? above : below[c]")),
            .arguments = {{"above", prelu.above}, {"below", prelu.below}, zero("x_zero", site_.input()), y_zero()}};
  }
  Body of(const integer::Add& add) {
    return {.name = "add",
            .about = count_text(),
            .code = fill("$each y[i] = $y;\n",
                         {{"each", each_element()},
                          {"y", held(format("siena_blend(a, x0[i], b, x1[i], offset, {})", bits(add.shift)))}}),
            .arguments = {{"a", add.a}, {"b", add.b}, {"offset", add.offset}}};
  }
  Body of(const integer::Multiply& multiply) {
    const bool each = site_.input(1).shape.elements() == elements_;
    const std::string y = requantized(shifted(site_, "sum", multiply.shift), "multiplier");
    const std::vector<Argument> arguments = {
        {"multiplier", multiply.multiplier}, zero("x0_zero", site_.input(0)), zero("x1_zero", site_.input(1)), y_zero()};
    if (!each) {
      return {.name = "multiply",
              .about = format("{}, by a number for each of {} channels", count_text(), channels_),
              .code = per_channel(R"(const int32_t sum = (x0[p + c] - x0_zero) * (x1[c] - x1_zero);
y[p + c] = $y;
)",
                                  y),
              .arguments = arguments};
    }
    return {.name = "multiply",
            .about = count_text(),
            .code = fill(R"($each {
  const int32_t sum = (x0[i] - x0_zero) * (x1[i] - x1_zero);
  y[i] = $y;
}
)",
                         {{"each", each_element()}, {"y", y}}),
            .arguments = arguments};
  }
  Body of(const integer::MaxPool& pool) {
    const std::string inner = "if (x[$at] > most) most = x[$at];";
    return {.name = "max_pool",
            .about = pool_text(pool.geometry),
            .code = pooled(pool.geometry, "int8_t most = -128;", inner, "", "most")};
  }
  Body of(const integer::AveragePool& pool) {
    const Window window(pool.geometry);
    // Where all windows see as many pixels, one multiplier is enough.
    const std::set<std::int64_t> counts = counts_of(pool.geometry);
    const bool sure = counts.size() == 1;
    const std::string count =
        format("({} - {}) * ({} - {})", window.rows.behind, window.rows.first, window.columns.behind, window.columns.first);
    Body body{
        .name = "average_pool",
        .about = pool_text(pool.geometry),
        .code = pooled(pool.geometry, sure ? "int32_t sum = start;" : "int32_t sum = -$count * x_zero;", "sum += x[$at];",
                       sure ? "" : format("const int count = {};", count),
                       requantized(shifted(site_, "sum", pool.shift), sure ? "multiplier" : "multiplier[count - 1]"), "count")};
    if (sure) {
      body.arguments.push_back({"multiplier", pool.multiplier[static_cast<std::size_t>(*counts.begin() - 1)]});
    } else {
      body.arguments.push_back({"multiplier", pool.multiplier});
    }
    if (sure) {
      body.arguments.push_back({"start", static_cast<std::int32_t>(-*counts.begin() * site_.input().zero_point)});
    } else {
      body.arguments.push_back(zero("x_zero", site_.input()));
    }
    body.arguments.push_back(y_zero());
    return body;
  }
  Body of(const integer::Concat& concat) {
    std::string inner, sizes;
    for (std::size_t k = 0; k < concat.parts.size(); ++k) {
      const auto& [a, offset, shift] = concat.parts[k];
      const std::int64_t size = site_.input(static_cast<int>(k)).shape.columns();
      const std::string x = concat.parts.size() == 1 ? "x" : format("x{}", k);
      sizes += format("{}{}", k == 0 ? "" : " + ", size);
      const std::string value = held(format("siena_blend({}, {}[p * {} + c], 0, 0, {}, {})", a, x, size, offset, shift));
      if (concat.parts[k].copies()) {
        inner += format("  memcpy(y, {} + p * {}, {});\n  y += {};\n", x, size, size, size);
      } else {
        inner += format("  for (int c = 0; c < {}; ++c) *y++ = {};\n", size, value);
      }
    }
    const std::int64_t rows = site_.input().shape.rows();
    return {.name = "concat",
            .about = format("{} pixels of {} channels", rows, sizes),
            .code = format("for (int p = 0; p < {}; ++p) {{\n{}}}\n", rows, inner)};
  }
  Body of(const integer::Slice& slice) { return box("slice", slice.geometry, true); }
  Body of(const integer::Pad& pad) { return box("pad", pad.geometry, false); }
  Body of(const integer::Upsample& up) {
    const kernels::UpsampleGeometry& g = up.geometry;
    return {.name = "upsample",
            .about = format("{}, {} x {} times", size_text(g.height, g.width, g.channels), g.vertical, g.horizontal),
            .code = fill(R"(for (int h = 0; h < $rows; ++h) {
  for (int w = 0; w < $columns; ++w)
    memcpy(y + (h * $columns + w) * $c, x + (h / $vertical * $width + w / $horizontal) * $c, $c);
}
)",
                         {{"rows", g.height * g.vertical},
                          {"columns", g.width * g.horizontal},
                          {"vertical", g.vertical},
                          {"horizontal", g.horizontal},
                          {"width", g.width},
                          {"c", g.channels}})};
  }
  Body of(const integer::Shuffle& shuffle) {
    const std::int64_t each = channels_ / shuffle.groups;
    return {.name = "shuffle",
            .about = format("{}, {} groups of {} channels", count_text(), shuffle.groups, each),
            .code = fill(R"(for (int p = 0; p < $pixels; ++p, x += $c) {
  for (int k = 0; k < $each; ++k) {
    for (int g = 0; g < $groups; ++g) *y++ = $x;
  }
}
)",
                         {{"pixels", elements_ / channels_},
                          {"c", channels_},
                          {"each", each},
                          {"groups", shuffle.groups},
                          {"x", format("x[g * {} + k]", each)}})};
  }
  Body of(const integer::Reshape&) {
    return {
        .name = "copy", .about = count_text(), .code = fill("$each y[i] = $y;\n", {{"each", each_element()}, {"y", "x[i]"}})};
  }

  static std::string plus(std::int64_t number) { return number == 0 ? "" : format(" + {}", number); }
  static Argument zero(std::string name, const IntegerValue& value) {
    return {std::move(name), std::int32_t{value.zero_point}};
  }
  Argument y_zero() const { return zero("y_zero", site_.output()); }
  std::string count_text() const { return format("{} numbers", elements_); }
  static std::string pool_text(const kernels::ConvGeometry& g) {
    return format("{} -> {}, {}", size_text(g.in_height, g.in_width, g.in_channels),
                  size_text(g.out_height, g.out_width, g.out_channels), window_text(g));
  }
  std::string bits(int shift) const { return site_.asks_shift ? "shift" : std::to_string(shift); }

  std::string each_element() const {
    return site_.backwards ? format("for (int i = {} - 1; i >= 0; --i)", elements_)
                           : format("for (int i = 0; i < {}; ++i)", elements_);
  }
  /// `code` for each pixel, p elements from the first, and channel, c.
  std::string per_channel(std::string_view code, std::string y) const {
    const std::string_view loops = site_.backwards
                                       ? "for (int p = $last; p >= 0; p -= $c) {\n  for (int c = $c - 1; c >= 0; --c) {\n"
                                       : "for (int p = 0; p < $all; p += $c) {\n  for (int c = 0; c < $c; ++c) {\n";
    return fill(loops, {{"last", elements_ - channels_}, {"all", elements_}, {"c", channels_}}) +
           indented(fill(code, {{"y", std::move(y)}}), 4) + "  }\n}\n";
  }

  /// What `begin`, then `inner` for each tap at x[$at] of the image, make of each window and channel.
  std::string pooled(const kernels::ConvGeometry& g, std::string_view begin, std::string_view inner, std::string counted,
                     std::string y, std::string count = "") const {
    const Window window(g);
    const Filling at("at", format("(({}) * {} + {}) * {} + c", window.row, g.in_width, window.column, g.in_channels));
    return window.around(g,
                         (counted.empty() ? "" : counted + "\n") + fill(R"(for (int c = 0; c < $channels; ++c) {
  $begin
  for (int kh = $firstRow; kh < $endRow; ++kh) {
    for (int kw = $firstColumn; kw < $endColumn; ++kw) $inner
  }
  *y++ = $y;
}
)",
                                                                        {{"channels", g.in_channels},
                                                                         {"begin", fill(begin, {{"count", std::move(count)}})},
                                                                         {"firstRow", window.rows.first},
                                                                         {"endRow", window.rows.behind},
                                                                         {"firstColumn", window.columns.first},
                                                                         {"endColumn", window.columns.behind},
                                                                         {"inner", fill(inner, {at})},
                                                                         {"y", std::move(y)}}));
  }
  /// How many pixels of the image windows have.
  static std::set<std::int64_t> counts_of(const kernels::ConvGeometry& g) {
    const auto inside = [](std::int64_t outputs, int kernel, int stride, int dilation, int pad, std::int64_t size) {
      std::set<std::int64_t> counts;
      for (std::int64_t o = 0; o < outputs; ++o) {
        std::int64_t count = 0;
        for (std::int64_t k = 0; k < kernel; ++k) {
          const std::int64_t at = o * stride + k * dilation - pad;
          count += at >= 0 && at < size ? 1 : 0;
        }
        counts.insert(count);
      }
      return counts;
    };
    std::set<std::int64_t> counts;
    for (const std::int64_t h :
         inside(g.out_height, g.kernel_height, g.stride_height, g.dilation_height, g.pad_top, g.in_height)) {
      for (const std::int64_t w : inside(g.out_width, g.kernel_width, g.stride_width, g.dilation_width, g.pad_left, g.in_width))
        counts.insert(h * w);
    }
    return counts;
  }

  /// A box of an image by itself, or put between zero points.
  Body box(std::string name, const kernels::BoxGeometry& g, bool takes) const {
    const bool rows = g.box_channels == g.channels;  // whole ones at once
    const std::string whole = fill("((h$top) * $width$column$left) * $channels$first", {{"top", plus(g.top)},
                                                                                        {"width", g.width},
                                                                                        {"column", rows ? "" : " + w"},
                                                                                        {"left", plus(g.left)},
                                                                                        {"channels", g.channels},
                                                                                        {"first", plus(g.first)}});
    const std::string part =
        rows ? format("h * {}", g.box_width * g.box_channels) : format("(h * {} + w) * {}", g.box_width, g.box_channels);
    std::string code = takes ? "" : format("memset(y, x_zero, {});\n", elements_);
    code += fill("for (int h = 0; h < $height; ++h)$columns memcpy(y + $to, x + $from, $count);\n",
                 {{"height", g.box_height},
                  {"columns", rows ? "" : format(" for (int w = 0; w < {}; ++w)", g.box_width)},
                  {"to", takes ? part : whole},
                  {"from", takes ? whole : part},
                  {"count", rows ? g.box_width * g.channels : g.box_channels}});
    Body body{.name = std::move(name),
              .about = format("{} in {} from {}, {}, {}", size_text(g.box_height, g.box_width, g.box_channels),
                              size_text(g.height, g.width, g.channels), g.top, g.left, g.first),
              .code = std::move(code)};
    if (!takes) body.arguments.push_back(zero("x_zero", site_.input()));
    return body;
  }

  const Site& site_;
  std::int64_t elements_, channels_;  // of the output; of the input
};

}  // namespace detail

/// An operation as plain C: for every kind. It needs no scratch memory, and works in place what takes each element by itself.
inline Body portable_body(const Site& site) { return detail::PortableBody(site).make(); }

}  // namespace siena::deploy::c
