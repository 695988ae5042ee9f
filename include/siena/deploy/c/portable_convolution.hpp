// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/packed_weights.hpp"
#include "siena/deploy/c/window.hpp"

namespace siena::deploy::c {

/// Whether the zero point of the input can be taken from the bias: no taps are left out, and no sum leaves the 32 bits.
inline bool folds_zero_point(const integer::Convolution& what) {
  const kernels::ConvGeometry& g = what.geometry;
  if (g.pad_top + g.pad_bottom + g.pad_left + g.pad_right > 0) return false;
  const std::size_t each = static_cast<std::size_t>(g.weight_rows());
  for (std::size_t o = 0; o < what.bias.size(); ++o) {
    std::int64_t most = std::abs(std::int64_t{what.bias[o]});
    for (std::size_t i = 0; i < each; ++i) most += 256 * std::abs(std::int64_t{what.weights[o * each + i]});
    if (most > std::numeric_limits<std::int32_t>::max()) return false;
  }
  return true;
}

/// The biases with the zero point of the input in them: sum = bias + the weights times x itself.
inline std::vector<std::int32_t> folded_bias(const integer::Convolution& what, int zero) {
  std::vector<std::int32_t> bias = what.bias;
  const std::size_t each = static_cast<std::size_t>(what.geometry.weight_rows());
  for (std::size_t o = 0; o < bias.size(); ++o) {
    for (std::size_t i = 0; i < each; ++i) bias[o] -= zero * what.weights[o * each + i];
  }
  return bias;
}

namespace detail {

/// A convolution as plain loops. Weights that are packed, filter by filter, are taken out by functions that all layers share.
class PortableConvolution {
 public:
  PortableConvolution(const Site& site, const integer::Convolution& what)
      : site_(site), what_(what), g_(what.geometry), slices_(packed_slices(what)), folds_(!packs() && folds_zero_point(what)) {}

  Body body() const {
    const bool norm = scales();
    Body body{.name = norm             ? "scale"
                      : what_.linear() ? "linear"
                      : g_.depthwise() ? "depthwise"
                                       : "convolution",
              .about = format("{} -> {}", size_text(g_.in_height, g_.in_width, g_.in_channels),
                              size_text(g_.out_height, g_.out_width, g_.out_channels)),
              .code = norm                               ? scale()
                      : g_.pointwise() && g_.groups == 1 ? product()
                                                         : window()};
    if (what_.linear()) body.about = format("{} -> {}", g_.in_channels, g_.out_channels);
    if (!g_.pointwise()) body.about += ", " + window_text(g_);
    if (g_.groups > 1 && !g_.depthwise()) body.about += format(", {} groups", g_.groups);
    const int zero = site_.input().zero_point;
    body.arguments = {{"weights", packs() ? packed_filters(what_) : what_.weights},
                      {"bias", folds_ ? folded_bias(what_, zero) : what_.bias},
                      {"multiplier", what_.multiplier}};
    if (packs()) {
      add_code(body, what_);
      if (!single()) body.preambles.push_back(packed_sum);
    }
    if (!folds_) body.arguments.push_back({"x_zero", std::int32_t{zero}});
    body.arguments.push_back({"y_zero", std::int32_t{site_.output().zero_point}});
    return body;
  }
  /// Whether it takes each element for itself, and so can work in place.
  bool scales() const { return g_.pointwise() && g_.depthwise() && g_.out_channels == g_.in_channels; }

 private:
  /// Whether weights take less than a byte; and not all as many bits.
  bool packs() const { return slices_.back().bits < 8 && !scales(); }
  bool differ() const { return slices_.size() > 1; }
  /// Whether the taps of a row lie side by side, in the input as in the weights; else, whether a filter has one input at each.
  bool in_runs() const { return g_.groups == 1 && g_.dilation_width == 1; }
  bool single() const { return !in_runs() && g_.group_in_channels() == 1; }
  /// How the loop over filters begins and ends where weights are packed.
  std::string begin() const { return differ() ? "  const int32_t code = siena_code(codes, o);\n" : ""; }
  std::string end() const { return packs() ? format("  w += (({} << code) + 7) >> 3;\n", g_.weight_rows()) : ""; }

  std::string x(const std::string& at) const { return folds_ ? format("x[{}]", at) : format("(x[{}] - x_zero)", at); }
  std::string result() const {
    return requantized(packs() ? format("sum * {}", shift_factor) : shifted(site_, "sum", what_.shift), "multiplier[o]");
  }

  std::string scale() const {
    const std::string_view loops =
        site_.backwards ? "for (int p = $end - $out; p >= 0; p -= $out) {\n  for (int o = $out - 1; o >= 0; --o) {"
                        : "for (int p = 0; p < $end; p += $out) {\n  for (int o = 0; o < $out; ++o) {";
    return fill(loops, {{"end", g_.in_rows() * g_.in_channels}, {"out", g_.out_channels}}) +
           fill(R"(
    const int32_t sum = bias[o] + $x * weights[o];
    y[p + o] = $result;
  }
}
)",
                {{"x", x("p + o")}, {"result", result()}});
  }
  std::string product() const {
    const bool one = g_.in_rows() == 1;
    const std::string code = fill(packs() ? R"(const int8_t *w = weights;
for (int o = 0; o < $out; ++o) {
$begin  const int32_t sum = siena_sum(x, x_zero, w, 0, $in, code, bias[o]);
  *y++ = $result;
$end}
)"
                                          : R"(const int8_t *w = weights;
for (int o = 0; o < $out; ++o, w += $in) {
  int32_t sum = bias[o];
  for (int i = 0; i < $in; ++i) sum += $x * w[i];
  *y++ = $result;
}
)",
                                  {{"in", g_.in_channels},
                                   {"out", g_.out_channels},
                                   {"x", x("i")},
                                   {"result", result()},
                                   {"begin", begin()},
                                   {"end", end()}});
    if (one) return code;
    return fill("for (int p = 0; p < $pixels; ++p, x += $in) {\n$code}\n",
                {{"pixels", g_.in_rows()}, {"in", g_.in_channels}, {"code", indented(code, 2)}});
  }
  std::string window() const {
    const Window window(g_);
    const std::string taps =
        fill(in_runs()  ? R"(const int from = (($row) * $width + $column) * $in;
const int at = ($filter$columns$skipped) * $each;
$run)"
             : single() ? R"(for (int kw = $first; kw < $end; ++kw) {
  const int from = (($row) * $width + $column) * $in$group;
  sum += $one * $weight;
}
)"
                        : R"(for (int kw = $first; kw < $end; ++kw) {
  const int from = (($row) * $width + $column) * $in$group;
  const int at = ($filter$columns + kw) * $each;
  $run}
)",
             {{"row", window.row},
              {"column", in_runs() ? "left" + plus(window.columns.first) : window.column},
              {"filter", packs() ? "kh * " : format("(o * {} + kh) * ", g_.kernel_height)},
              {"skipped", plus(window.columns.first)},
              {"first", window.columns.first},
              {"end", window.columns.behind},
              {"run", add_run(in_runs() ? length(window.columns) : std::to_string(g_.group_in_channels()))},
              {"width", g_.in_width},
              {"in", g_.in_channels},
              {"each", g_.group_in_channels()},
              {"columns", g_.kernel_width},
              {"group", group()},
              {"one", x("from")},
              {"weight", weight()}});
    const std::string filters = fill(R"(for (int o = 0; o < $out; ++o) {
$begin  int32_t sum = bias[o];
  for (int kh = $first; kh < $end; ++kh) {
$taps  }
  *y++ = $result;
$last}
)",
                                     {{"out", g_.out_channels},
                                      {"begin", begin()},
                                      {"first", window.rows.first},
                                      {"end", window.rows.behind},
                                      {"taps", indented(taps, 4)},
                                      {"result", result()},
                                      {"last", end()}});
    return window.around(g_, (packs() ? "const int8_t *w = weights;\n" : "") + filters);
  }
  /// A run of inputs times weights.
  std::string add_run(const std::string& length) const {
    if (packs()) return format("sum = siena_sum(x + from, x_zero, w, at, {}, code, sum);\n", length);
    return format("for (int i = 0; i < {}; ++i) sum += {} * weights[at + i];\n", length, x("from + i"));
  }
  std::string weight() const {
    if (packs()) return format("siena_weight(w, kh * {} + kw, code)", g_.kernel_width);
    return format("weights[(o * {} + kh) * {} + kw]", g_.kernel_height, g_.kernel_width);
  }
  static std::string plus(const std::string& number) { return number == "0" ? "" : " + " + number; }
  /// Elements of a run of taps.
  std::string length(const Taps& taps) const {
    if (taps.first == "0" && taps.behind == std::to_string(g_.kernel_width))
      return std::to_string(g_.kernel_width * g_.in_channels);
    const std::string count = taps.first == "0" ? taps.behind : format("({} - {})", taps.behind, taps.first);
    return g_.in_channels == 1 ? count : format("{} * {}", count, g_.in_channels);
  }
  /// From the first channel of a pixel to the first that filter o reads.
  std::string group() const {
    if (g_.groups == 1) return "";
    const std::string number = g_.group_out_channels() == 1 ? "o" : format("o / {}", g_.group_out_channels());
    return g_.group_in_channels() == 1 ? " + " + number : format(" + {} * {}", number, g_.group_in_channels());
  }

  const Site& site_;
  const integer::Convolution& what_;
  const kernels::ConvGeometry& g_;
  std::vector<PackedSlice> slices_;
  bool folds_;
};

}  // namespace detail
}  // namespace siena::deploy::c
