// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "siena/core/error.hpp"
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
  double scale = 1;
  std::string_view unit = bound.unit;
  if (unit == "B" && size >= 1024) {
    const bool large = size >= 1024.0 * 1024;
    scale = large ? 1024.0 * 1024 : 1024;
    unit = large ? "MiB" : "KiB";
  } else if (unit == "s" && size < 1) {
    const bool small = size < 1e-3;
    scale = small ? 1e-6 : 1e-3;
    unit = small ? "us" : "ms";
  }
  const std::string limit = limited ? "/" + number_text(bound.limit / scale) : "";
  return format("{} {}{}{}{}{}", bound.name, number_text(bound.value / scale), limit, unit.empty() ? "" : " ", unit,
                !limited       ? ""
                : bound.kept() ? " ok"
                               : " over");
}

/// "  loss 0.6931  accuracy 91.2 %", where `prefix` says of what.
inline std::string metrics_text(std::string_view prefix, double loss, double accuracy) {
  std::string text = format("  {}loss {:.4f}", prefix, loss);
  if (accuracy == accuracy) text += format("  {}accuracy {:.1f} %", prefix, 100 * accuracy);
  return text;
}

/// An epoch in one line.
inline std::string epoch_text(const EpochEvent& event) {
  std::string text = format("{} {}/{}", event.phase, event.epoch, event.epochs);
  text += metrics_text("", event.train.loss, event.train.accuracy);
  if (event.has_validation) text += metrics_text("validation ", event.validation.loss, event.validation.accuracy);
  for (const BoundReading& bound : event.bounds) text += "  " + bound_text(bound);
  return text + format("  lr {:.3g}  {}", event.lr, duration_text(event.seconds));
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

/// A step in one line of at most `columns` characters: where there is no room for all, the bar goes first, then the end.
inline std::string step_text(const StepEvent& event, std::size_t columns) {
  const std::string head = format("{} {}/{} ", event.phase, event.epoch, event.epochs);
  std::string tail = metrics_text("", event.loss, event.accuracy);
  for (const BoundReading& bound : event.bounds) tail += "  " + bound_text(bound);
  tail += format("  {} left", duration_text(event.seconds_left));
  const std::size_t taken = head.size() + tail.size() + 2;
  const std::size_t width = columns > taken ? std::min<std::size_t>(columns - taken, 24) : 0;
  std::string bar;
  if (width >= 6) {
    const double part = event.steps > 0 ? static_cast<double>(event.step) / static_cast<double>(event.steps) : 1;
    const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(width));
    bar = format("[{}{}]", std::string(full, '#'), std::string(width - full, '.'));
  }
  return std::string(clipped(head + bar + tail, columns));
}

}  // namespace siena
