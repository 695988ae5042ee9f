// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/cortex_finish.hpp"
#include "siena/deploy/c/cortex_instructions.hpp"
#include "siena/deploy/c/cortex_steps.hpp"
#include "siena/deploy/c/portable_convolution.hpp"
#include "siena/deploy/c/text.hpp"
#include "siena/kernels/geometry.hpp"

namespace siena::deploy::c {

/// Writes a convolution that is not depthwise, or a linear layer. Rows of the input are widened to 16 bits once, into a ring of
/// as many as the kernel covers, so that the output may be written over the input behind them, forwards or from the last row
/// backwards. Of a pointwise one 4 pixels at a time are widened. Packed weights stay as far up in their bytes as they lie:
/// sums of them are so many times too large, and moved down in the end. Where filters differ in bits, those of as many go
/// together, and `channels` says which output each one makes; a filter that fills up a pair is its neighbour once more.
class CortexConvolution {
 public:
  using Geometry = kernels::ConvGeometry;

  CortexConvolution(const Site& site, const integer::Convolution& what)
      : site_(site), what_(what), g_(what.geometry), slices_(slices_of(what)) {
    tile_.pixels = pixels_at_a_time();
    tile_.filters = filters().tile;
    require<ArgumentError>(!packs() || g_.weight_rows() <= most_inputs,
                           "c_source: expected at most {} inputs of a filter of {} bits, got {} in '{}'", most_inputs,
                           slices_.back().bits, g_.weight_rows(), site.operation.name);
  }

  Body body() const {
    const bool one = g_.pointwise() && g_.out_rows() == 1;
    Body body{.name = one              ? "linear"
                      : g_.pointwise() ? "pointwise"
                                       : "convolution",
              .about = one ? format("{} -> {}", g_.in_channels, g_.out_channels)
                           : format("{} -> {}", size_text(g_.in_height, g_.in_width, g_.in_channels),
                                    size_text(g_.out_height, g_.out_width, g_.out_channels)),
              .code = g_.pointwise() ? pointwise() : rows()};
    if (!g_.pointwise()) body.about += ", " + window_text(g_);
    if (g_.groups > 1) body.about += format(", {} groups", g_.groups);
    if (site_.backwards) body.about += ", from the end";
    body.arguments = {{"weights", weights()},
                      {"bias", padded(folded_bias(what_, site_.input().zero_point))},
                      {"multiplier", padded(what_.multiplier)}};
    if (differ()) add_slices(body);
    if (packs()) body.arguments.push_back(shift_of(what_));
    if (!g_.pointwise()) body.arguments.push_back({"x_zero", std::int32_t{site_.input().zero_point}});
    body.arguments.push_back({"y_zero", std::int32_t{site_.output().zero_point}});
    body.scratch = 2 * (g_.pointwise() ? tile_.pixels * g_.in_channels : ring() * pitch());
    body.preambles = {cortex_pragma, cortex_instructions, cortex_widen};
    if (!g_.pointwise()) body.preambles.push_back(cortex_fill);
    if (!g_.pointwise() && ring() > g_.stride_height)
      body.preambles.push_back(site_.backwards ? cortex_turn_back : cortex_turn);
    return body;
  }

 private:
  /// Of packed weights sums are 16 or 64 times as large, at most 128 * 112 for each input.
  static constexpr std::int64_t most_inputs = 149796;

  /// That windows see of a row, padding included; that of these are of the image.
  std::int64_t columns() const {
    return (g_.out_width - 1) * g_.stride_width + std::int64_t{g_.kernel_width - 1} * g_.dilation_width + 1;
  }
  std::int64_t columns_there() const { return std::clamp<std::int64_t>(columns() - g_.pad_left, 0, g_.in_width); }
  std::int64_t pitch() const { return columns() * g_.in_channels; }
  int ring() const { return (g_.kernel_height - 1) * g_.dilation_height + 1; }
  CortexFilters filters() const { return {g_.group_out_channels(), tile_.pixels, packs()}; }
  /// Groups go side by side: all as the widest.
  static std::vector<PackedSlice> slices_of(const integer::Convolution& what) {
    std::vector<PackedSlice> slices = packed_slices(what);
    if (what.geometry.groups == 1) return slices;
    for (std::size_t s = 1; s < slices.size(); ++s)
      slices[0].filters.insert(slices[0].filters.end(), slices[s].filters.begin(), slices[s].filters.end());
    slices.resize(1);
    return slices;
  }
  /// Whether weights take less than a byte; and not all as many bits.
  bool packs() const { return slices_.back().bits < 8; }
  bool differ() const { return slices_.size() > 1; }
  CortexTaps taps() const {
    if (g_.pointwise()) return {.length = static_cast<int>(g_.group_in_channels())};
    const bool whole = g_.dilation_width == 1 && g_.groups == 1;  // a row of the kernel lies side by side
    const auto inputs = static_cast<int>(g_.group_in_channels());
    return {.rows = g_.kernel_height,
            .runs = whole ? 1 : g_.kernel_width,
            .length = whole ? g_.kernel_width * inputs : inputs,
            .run_stride = static_cast<int>(g_.dilation_width * g_.in_channels)};
  }
  /// 4 pixels; 3 where they come out even, which backwards needs no more room before it than blocks of 4; fewer where there are
  /// no more.
  int pixels_at_a_time() const {
    const auto all = g_.pointwise() ? g_.out_rows() : g_.out_width;
    if (all < 4) return static_cast<int>(all);
    return all % 4 != 0 && all % 3 == 0 ? 3 : 4;
  }

  std::vector<std::int8_t> weights() const {
    std::vector<std::int8_t> ordered;
    const auto add = [&](const std::int8_t* from, const CortexFilters& filters, int bits) {
      append_weights(ordered, from, filters, taps(), bits);
    };
    if (differ()) {
      for (const PackedSlice& slice : slices_) {
        const std::vector<std::int64_t> filters = in_pairs(slice);
        std::vector<std::int8_t> together;
        for (const std::int64_t filter : filters) {
          const auto first = what_.weights.begin() + filter * g_.weight_rows();
          together.insert(together.end(), first, first + g_.weight_rows());
        }
        add(together.data(), {static_cast<std::int64_t>(filters.size()), tile_.pixels, true}, slice.bits);
      }
      return ordered;
    }
    for (int group = 0; group < g_.groups; ++group)
      add(what_.weights.data() + group * g_.group_out_channels() * g_.weight_rows(), filters(), slices_[0].bits);
    return ordered;
  }
  /// Filters, the last one twice where they are odd.
  static std::vector<std::int64_t> in_pairs(const PackedSlice& slice) {
    std::vector<std::int64_t> filters = slice.filters;
    if (filters.size() % 2 != 0) filters.push_back(filters.back());
    return filters;
  }
  /// A number for each filter, those that fill up pairs included.
  std::vector<std::int32_t> padded(const std::vector<std::int32_t>& numbers) const {
    std::vector<std::int32_t> result;
    for (std::size_t s = 0; differ() && s < slices_.size(); ++s)
      for (const std::int64_t filter : in_pairs(slices_[s])) result.push_back(numbers[static_cast<std::size_t>(filter)]);
    for (int group = 0; !differ() && group < g_.groups; ++group) {
      const auto first = numbers.begin() + group * g_.group_out_channels();
      result.insert(result.end(), first, first + g_.group_out_channels());
      if (g_.group_out_channels() % 2 != 0) result.push_back(0);
    }
    return result;
  }
  /// Which outputs filters make, and how many have how many bits.
  void add_slices(Body& body) const {
    std::vector<std::int8_t> bytes;
    std::vector<std::int32_t> words;
    for (const PackedSlice& slice : slices_) {
      for (const std::int64_t filter : in_pairs(slice)) {
        bytes.push_back(static_cast<std::int8_t>(static_cast<std::uint8_t>(filter)));
        words.push_back(static_cast<std::int32_t>(filter));
      }
    }
    body.arguments.push_back(g_.out_channels <= 256 ? Argument{"channels", bytes} : Argument{"channels", words});
    for (const PackedSlice& slice : slices_)
      body.arguments.push_back({format("filters_{}", slice.bits), static_cast<std::int32_t>(slice.filters.size())});
  }

  std::string pointwise() const {
    const auto pixels = g_.out_rows();
    const int tile = tile_.pixels;
    const bool uneven = pixels % tile != 0, one = pixels == tile;
    return fill(
        R"(int16_t *const wide = (int16_t *)(void *)scratch;
$loop {
$there  siena_widen(x$from, wide, $count);
  int8_t *out = y$to;
$filters}
)",
        {{"loop",
          one ? ""
              : fill(site_.backwards ? "for (int i = $last; i >= 0; i -= $tile)" : "for (int i = 0; i < $n; i += $tile)",
                     {{"last", (pixels - 1) / tile * tile}, {"tile", tile}, {"n", pixels}})},
         {"there",
          uneven ? fill("  const int there = $n - i < $tile ? $n - i : $tile;\n", {{"n", pixels}, {"tile", tile}}) : ""},
         {"from", one ? "" : format(" + i * {}", g_.in_channels)},
         {"count", uneven ? format("there * {}", g_.in_channels) : std::to_string(tile * g_.in_channels)},
         {"to", one ? "" : format(" + i * {}", g_.out_channels)},
         {"filters", filters_text(tile_, "wide", static_cast<int>(g_.in_channels), uneven, "  ")}});
  }

  std::string rows() const {
    const int kept = std::max(0, ring() - g_.stride_height), fresh = ring() - kept;
    const bool back = site_.backwards;
    const auto start = back ? (g_.out_height - 1) * g_.stride_height - g_.pad_top : std::int64_t{-g_.pad_top};
    return fill(
        R"(int16_t *const wide = (int16_t *)(void *)scratch;
int16_t *ring[$rows];
for (int r = 0; r < $rows; ++r) {
  ring[r] = wide + r * $pitch;
  siena_fill(ring[r], $pitch, x_zero);
}
$first$loop {
$load  int8_t *out = y + row * $outputs;
$tiles$turn}
)",
        {{"rows", ring()},
         {"pitch", pitch()},
         {"first", kept > 0 ? load(back ? fresh : 0, back ? ring() : kept, std::to_string(start), "") : ""},
         {"loop", back ? format("for (int row = {}; row >= 0; --row)", g_.out_height - 1)
                       : format("for (int row = 0; row < {}; ++row)", g_.out_height)},
         {"load", load(back ? 0 : kept, back ? fresh : ring(), format("row * {} - {}", g_.stride_height, g_.pad_top), "  ")},
         {"outputs", g_.out_width * g_.out_channels},
         {"tiles", tiles()},
         {"turn", kept == 0 ? ""
                            : fill("  for (int r = 0; r < $fresh; ++r) $turn(ring, $rows);\n",
                                   {{"fresh", fresh}, {"turn", back ? "siena_turn_back" : "siena_turn"}, {"rows", ring()}})}});
  }
  /// Fills rows of the ring, of which the first would be row `start` of the image.
  std::string load(int begin, int end, const std::string& start, const std::string& indent) const {
    return indented(fill(R"(for (int r = $begin; r < $end; ++r) {
  const int in = $start + r;
  if (in >= 0 && in < $height) {
    siena_widen(x + in * $row, ring[r] + $left, $numbers);
  } else {
    siena_fill(ring[r] + $left, $numbers, x_zero);
  }
}
)",
                         {{"begin", begin},
                          {"end", end},
                          {"start", start},
                          {"height", g_.in_height},
                          {"row", g_.in_width * g_.in_channels},
                          {"left", std::min<std::int64_t>(g_.pad_left, columns()) * g_.in_channels},
                          {"numbers", columns_there() * g_.in_channels}}),
                    static_cast<int>(indent.size()));
  }
  /// The pixels of a row.
  std::string tiles() const {
    const int stride = static_cast<int>(g_.stride_width * g_.in_channels);
    const auto whole = g_.out_width / tile_.pixels * tile_.pixels;
    const int rest = static_cast<int>(g_.out_width - whole);
    const bool loop = whole > tile_.pixels;
    std::string text = loop ? fill("  for (int column = 0; column < $end; column += $step) {\n",
                                   {{"end", whole * stride}, {"step", tile_.pixels * stride}})
                            : "  {\n";
    text += filters_text(tile_, loop ? "column" : "", stride, false, "    ") + "  }\n";
    if (rest == 0) return text;
    return text + "  {\n" + filters_text({tile_.filters, rest}, std::to_string(whole * stride), stride, false, "    ") +
           "  }\n";
  }

  /// All filters on a tile of pixels: writes at `out`, and moves it on by so many pixels.
  std::string filters_text(CortexTile tile, const std::string& from, int pixel_stride, bool uneven,
                           const std::string& indent) const {
    const Tile all{.size = tile, .from = from, .pixel_stride = pixel_stride, .uneven = uneven, .bits = slices_[0].bits};
    std::string text = "const int8_t *w = weights;\nconst int32_t *b = bias, *m = multiplier;\n";
    text += differ() ? slices_text(all) : groups_text(all);
    return indented(text, static_cast<int>(indent.size()));
  }
  struct Tile {
    CortexTile size;
    std::string from;
    int pixel_stride;
    bool uneven;
    int bits;
    std::string last = {};  ///< when its last filter is there; "": always
  };
  std::string slices_text(Tile tile) const {
    std::string text = fill("const $type *c = $channels;\n",
                            {{"type", g_.out_channels <= 256 ? "uint8_t" : "int32_t"},
                             {"channels", g_.out_channels <= 256 ? "(const uint8_t *)channels" : "channels"}});
    tile.size.filters = 2;
    for (const PackedSlice& slice : slices_) {
      tile.bits = slice.bits;
      text += format("for (int o = 0; o < filters_{}; o += 2) {{\n", slice.bits) + tile_text(tile) + "}\n";
    }
    return text + format("out += {};\n", tile.size.pixels * g_.out_channels);
  }
  std::string groups_text(Tile tile) const {
    const CortexFilters filters = this->filters();
    const bool grouped = g_.groups > 1, odd = filters.filters % 2 != 0, loop = filters.tiles() > 1, rest = filters.rest() > 0;
    tile.last = !odd || rest ? "" : loop ? format("o + 1 < {}", filters.tiles()) : "0";
    std::string text = loop ? format("for (int o = 0; o < {}; ++o) {{\n", filters.tiles()) : "{\n";
    text += tile_text(tile) + "}\n";
    if (rest) {
      Tile smaller = tile;
      smaller.size.filters = filters.rest(), smaller.last = odd ? "0" : "";
      text += "{\n" + tile_text(smaller) + "}\n";
    }
    if (grouped) {
      text = format("for (int group = 0; group < {}; ++group) {{\n", g_.groups) + indented(text, 2) +
             (odd ? "  --out;\n" : "") + "}\n";
    }
    const auto on = tile.size.pixels * g_.out_channels - (grouped ? g_.out_channels : filters.padded());
    return text + (on == 0 ? "" : format("out += {};\n", on));
  }

  /// A tile of filters on a tile of pixels.
  std::string tile_text(const Tile& tile) const {
    const auto [filters, pixels] = tile.size;
    const bool packed = tile.bits < 8;
    std::vector<std::string> sums, factors;
    const int there = filters - (tile.last == "0" ? 1 : 0);
    for (int f = 0; f < filters; ++f) {
      for (int p = 0; p < pixels; ++p) sums.push_back(format("s{}{} = {}", f, p, packed ? "0" : format("b[{}]", f)));
      if (f >= there) continue;
      factors.push_back(format("m{} = m[{}]", f, f));
      if (packed) factors.push_back(format("b{} = b[{}]", f, f));
      if (differ()) factors.push_back(format("c{} = c[{}]", f, f));
    }
    std::string text = wrapped("int32_t ", sums, ";\n", 4) + (packed ? "uint32_t a, t, u, v;\n" : "uint32_t a, t, u;\n") +
                       runs(tile) + wrapped("const int32_t ", factors, ";\n", 4);
    for (int p = 0; p < pixels; ++p) {
      std::string stores;
      for (int f = 0; f < there; ++f) {
        const bool asks = f + 1 == filters && !tile.last.empty();
        const std::string to = differ() ? p == 0 ? format("c{}", f) : format("{} + c{}", p * g_.out_channels, f)
                                        : std::to_string(p * g_.out_channels + f);
        std::string sum = format("s{}{}", f, p);
        if (packed) sum = format("(({} >> {}) + b{})", sum, 8 - tile.bits, f);
        sum = packs() ? format("{} * {}", sum, shift_factor) : shifted(site_, sum, what_.shift);
        stores +=
            format("{}out[{}] = ", asks ? "if (" + tile.last + ") " : "", to) + cortex_finish(sum, format("m{}", f)) + ";\n";
      }
      text += tile.uneven && p > 0 ? format("if (there > {}) {{\n", p) + indented(stores, 2) + "}\n" : stores;
    }
    return indented(text + fill("b += $n;\nm += $n;\n$out += $n;\n", {{"n", filters}, {"out", differ() ? "c" : "out"}}), 2);
  }
  /// Of two inputs, that are written out.
  int most_steps() const { return differ() ? 5 : 10; }
  /// The sums over all runs of inputs. Short rows follow one another without a loop.
  std::string runs(const Tile& tile) const {
    const CortexTaps taps = this->taps();
    const std::string& from = tile.from;
    const std::string group = g_.groups > 1 ? format(" + group * {}", g_.group_in_channels()) : "";
    const std::string steps =
        CortexSteps(tile.size,
                    {.length = taps.length, .pixel_stride = tile.pixel_stride, .bits = tile.bits, .most = most_steps()})
            .text();
    if (g_.pointwise()) return "const int16_t *p = " + from + group + ";\n" + steps;
    const auto row = [&](const std::string& at) {
      const std::string start = "ring[" + at + "]" + (from.empty() ? "" : " + " + from) + group;
      if (taps.runs == 1) return "  const int16_t *p = " + start + ";\n" + indented(steps, 2) + "}\n";
      return fill(
                 "  const int16_t *run = $start;\n  for (int j = 0; j < $runs; ++j, run += $stride) {\n    const int16_t *p = "
                 "run;\n",
                 {{"start", start}, {"runs", taps.runs}, {"stride", taps.run_stride}}) +
             indented(steps, 4) + "  }\n}\n";
    };
    if (taps.rows > 1 && (taps.runs * taps.steps() > 2 || taps.rows * taps.steps() > 2 * most_steps())) {
      return fill("for (int i = 0; i < $end; i += $step) {\n",
                  {{"end", taps.rows * g_.dilation_height}, {"step", g_.dilation_height}}) +
             row("i");
    }
    std::string text;
    for (int i = 0; i < taps.rows; ++i) text += "{\n" + row(std::to_string(i * g_.dilation_height));
    return text;
  }

  const Site& site_;
  const integer::Convolution& what_;
  Geometry g_;
  std::vector<PackedSlice> slices_;
  CortexTile tile_;
};

}  // namespace siena::deploy::c
