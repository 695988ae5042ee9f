// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/units.hpp"
#include "siena/train/events.hpp"

// How events read as text: what the terminal line and the plain lines have in common.

namespace siena {

/// "8 s", "3:05", "2:00:05"; "?" for what is no duration.
inline std::string duration_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return format("{} s", whole);
  if (whole < 3600) return format("{}:{:02}", whole / 60, whole % 60);
  return format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

/// "16", "14.2", "383304": four digits, but never an exponent for what people count.
inline std::string number_text(double number) {
  const double size = std::abs(number);
  return size >= 1000 && size < 1e15 ? format("{:.0f}", number) : format("{:.4g}", number);
}

/// "memory 14.2/16 KiB ok" or "... over"; "gap8 383304 cycles" without a limit. Bytes and seconds are shown in the multiple
/// that suits the limit, or the value where there is none.
inline std::string bound_text(const BoundReading& bound) {
  const bool limited = !std::isinf(bound.limit);
  const double size = limited ? bound.limit : bound.value;
  ShownUnit in = shown_unit(bound.unit, size);
  if (bound.unit == "B" && size >= 1024) in = size >= 1024 * 1024 ? ShownUnit{1024 * 1024, "MiB"} : ShownUnit{1024, "KiB"};
  const std::string limit = limited ? "/" + number_text(bound.limit / in.size) : "";
  return format("{} {}{}{}{}{}", bound.name, number_text(bound.value / in.size), limit, in.space(), in.name,
                !limited       ? ""
                : bound.kept() ? " ok"
                               : " over");
}

/// The first `columns` characters of UTF-8 text.
inline std::string_view clipped(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && columns-- == 0) break;
  }
  return text.substr(0, end);
}

namespace detail {
/// What a line is made of, two blanks between. Where there is no room for all, parts leave whole: the highest rank first, of
/// equal ones the last. Rank 0 stays, and is cut off at the end.
struct LinePart {
  std::string text;
  int rank = 0;
};

inline std::string joined(const std::vector<LinePart>& parts) {
  std::string line;
  for (const LinePart& part : parts) line += (line.empty() ? "" : "  ") + part.text;
  return line;
}

inline std::string fitted(std::vector<LinePart> parts, std::size_t columns) {
  for (;;) {
    std::string line = joined(parts);
    const std::string_view fits = clipped(line, columns);
    if (fits.size() == line.size()) return line;
    auto last = parts.begin();  // the last of those of the highest rank
    for (auto part = parts.begin(); part != parts.end(); ++part) {
      if (part->rank >= last->rank) last = part;
    }
    if (last->rank == 0) return std::string(fits);
    parts.erase(last);
  }
}

inline LinePart loss_part(std::string_view of, double loss, int rank) { return {format("{}loss {:.4f}", of, loss), rank}; }
inline void add_accuracy(std::vector<LinePart>& parts, std::string_view of, double accuracy, int rank) {
  if (accuracy == accuracy) parts.push_back({format("{}accuracy {:.1f} %", of, 100 * accuracy), rank});
}
}  // namespace detail

/// An epoch in one line of at most `columns` characters. Where there is no room for all, the rate goes first, then the losses,
/// the time, the accuracies; the bounds last.
inline std::string epoch_text(const EpochEvent& event, std::size_t columns = std::string::npos) {
  std::vector<detail::LinePart> parts{{format("{} {}/{}", event.phase, event.epoch, event.epochs)},
                                      detail::loss_part("", event.train.loss, 5)};
  detail::add_accuracy(parts, "", event.train.accuracy, 3);
  if (event.has_validation) {
    parts.push_back(detail::loss_part("validation ", event.validation.loss, 6));
    detail::add_accuracy(parts, "validation ", event.validation.accuracy, 2);
  }
  for (const BoundReading& bound : event.bounds) parts.push_back({bound_text(bound), 1});
  parts.push_back({format("lr {:.3g}", event.lr), 7});
  parts.push_back({duration_text(event.seconds), 4});
  return detail::fitted(std::move(parts), columns);
}

/// A step in one line of at most `columns` characters. Where there is no room for all, the bar goes first, then the loss, the
/// accuracy, the bounds; the time left stays.
inline std::string step_text(const StepEvent& event, std::size_t columns) {
  std::vector<detail::LinePart> parts{{format("{} {}/{}", event.phase, event.epoch, event.epochs)},
                                      detail::loss_part("", event.loss, 3)};
  detail::add_accuracy(parts, "", event.accuracy, 2);
  for (const BoundReading& bound : event.bounds) parts.push_back({bound_text(bound), 1});
  parts.push_back({format("{} left", duration_text(event.seconds_left))});

  const std::size_t taken = detail::joined(parts).size() + 3;  // a blank and two brackets
  const std::size_t width = columns > taken ? std::min<std::size_t>(columns - taken, 24) : 0;
  if (width >= 6) {
    const double part = event.steps > 0 ? static_cast<double>(event.step) / static_cast<double>(event.steps) : 1;
    const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(width));
    parts[0].text += format(" [{}{}]", std::string(full, '#'), std::string(width - full, '.'));
  }
  return detail::fitted(std::move(parts), columns);
}

}  // namespace siena
