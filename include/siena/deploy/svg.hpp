// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/utf8.hpp"

namespace siena::deploy {

namespace detail {
/// Bytes of the UTF-8 character at the start of `text` that XML allows; 0: there is none.
inline std::size_t xml_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const bool control = first < 0x20 && first != '\t' && first != '\n' && first != '\r';
  return control || text.starts_with("\xef\xbf\xbe") || text.starts_with("\xef\xbf\xbf") ? 0
                                                                                         : utf8_length(text);  // U+FFFE, U+FFFF
}
}  // namespace detail

/// A text as XML and HTML have it, in attributes too; what no XML may contain, such as a byte that is not UTF-8, becomes '?'.
inline std::string xml_text(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = detail::xml_character(text);
    switch (text[0]) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += length == 0 ? std::string_view("?") : text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

/// How series of a chart differ: by colour (Okabe and Ito's, which the colour-blind can tell apart), shape and dashes.
struct Look {
  std::string_view color = "#333333";
  std::string_view dashes = "";  ///< of SVG; "": an unbroken line
  std::string_view marker = "";  ///< outline around 0, 0
};

inline const Look& look(std::size_t index) {
  static constexpr std::array<Look, 7> looks{{
      {"#0072b2", "", "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z"},                         // circle
      {"#d55e00", "7 3", "M-3.2-3.2h6.4v6.4h-6.4z"},                                            // square
      {"#009e73", "2 2.5", "M0-4.4L4.2 3.2H-4.2z"},                                             // triangle
      {"#b3508f", "8 3 2 3", "M0-4.7L4.7 0L0 4.7L-4.7 0z"},                                     // diamond
      {"#b8860b", "12 4", "M0 4.4L4.2-3.2H-4.2z"},                                              // its point down
      {"#3f9fd0", "4 2 1 2 1 2", "M-4-1.3h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z"},  // plus
      {"#333333", "1 2",
       "M0-1.9L2.4-4.2L4.2-2.4L1.9 0L4.2 2.4L2.4 4.2L0 1.9L-2.4 4.2L-4.2 2.4L-1.9 0L-4.2-2.4L-2.4-4.2z"},  // cross
  }};
  return looks[index % looks.size()];
}

/// An SVG file in the making. Lengths are pixels, y grows downwards; whoever draws later draws on top.
class Svg {
 public:
  struct Point {
    double x = 0, y = 0;
  };
  struct Line {
    std::vector<Point> points;
    std::string_view color = "#333333", dashes = "";
    double width = 1;
  };
  struct Box {
    Point at;
    double width = 0, height = 0;
    std::string_view fill = "#ffffff", stroke = "none";
  };
  struct Text {
    Point at;  ///< on the base line
    std::string_view text = "";
    double size = 12;
    std::string_view anchor = "start";  ///< where `at` is: start, middle or end
    std::string_view color = "#333333";
    bool bold = false, upwards = false, halo = false;
  };

  /// Nothing where it has no points.
  Svg& line(const Line& line) {
    if (line.points.empty()) return *this;
    body_ += format(R"(<polyline fill="none" stroke="{}" stroke-width="{:.3g}")", line.color, line.width);
    if (!line.dashes.empty()) body_ += format(R"( stroke-dasharray="{}")", line.dashes);
    body_ += R"( stroke-linejoin="round" points=")";
    for (const Point& point : line.points) body_ += format("{:.1f},{:.1f} ", point.x, point.y);
    body_.back() = '"';
    body_ += "/>\n";
    return *this;
  }
  Svg& box(const Box& box) {
    body_ += format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}" stroke="{}"/>)", box.at.x, box.at.y,
                    box.width, box.height, box.fill, box.stroke);
    body_ += "\n";
    return *this;
  }
  Svg& text(const Text& text) {
    body_ += format(R"(<text x="{:.1f}" y="{:.1f}" font-size="{:.3g}" fill="{}")", text.at.x, text.at.y, text.size, text.color);
    if (text.anchor != "start") body_ += format(R"( text-anchor="{}")", text.anchor);
    if (text.bold) body_ += R"( font-weight="bold")";
    if (text.halo) body_ += R"( paint-order="stroke" stroke="#ffffff" stroke-width="3")";
    if (text.upwards) body_ += format(R"x( transform="rotate(-90 {:.1f} {:.1f})")x", text.at.x, text.at.y);
    body_ += ">" + xml_text(text.text) + "</text>\n";
    return *this;
  }
  /// The marker of a look; browsers show `tip` under the mouse.
  Svg& marker(const Look& look, Point at, std::string_view tip = "") {
    body_ += format(R"x(<path transform="translate({:.1f} {:.1f})" d="{}" fill="{}" stroke="#ffffff" stroke-width="0.8")x",
                    at.x, at.y, look.marker, look.color);
    body_ += tip.empty() ? std::string("/>\n") : "><title>" + xml_text(tip) + "</title></path>\n";
    return *this;
  }
  /// A whole picture, as `file` gives it, inside this one.
  Svg& picture(std::string_view picture, Point at) {
    body_ += format("<g transform=\"translate({:.1f} {:.1f})\">\n{}</g>\n", at.x, at.y, picture);
    return *this;
  }

  /// The picture on white ground; `title` is for who cannot see it. It can stand in HTML as it is.
  std::string file(double width, double height, std::string_view title) const {
    return format(R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {2:.0f} {3:.0f}" )",
                  width, height, width, height) +
           R"(font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" role="img">)" + "\n<title>" + xml_text(title) +
           "</title>\n" + R"(<rect width="100%" height="100%" fill="#ffffff"/>)" + "\n" + body_ + "</svg>\n";
  }

 private:
  std::string body_;
};

namespace detail {
/// Whether a byte of UTF-8 goes on a character.
inline bool goes_on(char byte) { return (static_cast<unsigned char>(byte) & 0xc0u) == 0x80u; }

/// At least as wide as a text comes out in common sans-serif fonts (measured: DejaVu Sans, the widest of them). What takes
/// three bytes or more, as Chinese does, fills a square.
inline double text_width(std::string_view text, double size) {
  double width = 0;
  for (const char letter : text) {
    if (goes_on(letter)) continue;
    if (static_cast<unsigned char>(letter) >= 0xe0) {
      width += 1;
      continue;
    }
    const bool narrow = std::string_view(" .,:;'|!()[]/ijlIft-").find(letter) != std::string_view::npos;
    width += narrow ? 0.40 : std::string_view("mwMW%@").find(letter) != std::string_view::npos ? 0.97 : 0.66;
  }
  return width * size;
}

/// A text cut to a width, with dots for what is gone.
inline std::string fitting(std::string_view text, double width, double size) {
  if (text_width(text, size) <= width) return std::string(text);
  while (!text.empty() && text_width(text, size) + size > width) {
    bool inside = true;
    while (inside && !text.empty()) inside = goes_on(text.back()), text.remove_suffix(1);
  }
  return std::string(text) + "…";
}

/// What a legend says of one series.
struct LegendEntry {
  enum class Sample { line, marker, both, box };
  std::string name;
  Look look;
  Sample sample = Sample::box;
};

/// Draws title and legend, in as many rows as they need, and returns the y below which nothing is drawn yet.
inline double draw_head(Svg& svg, std::string_view title, std::span<const LegendEntry> legend, double width) {
  constexpr double size = 12, sample = 26, gap = 18, row = 19, edge = 10;
  double y = 8;
  if (!title.empty()) {
    svg.text({.at = {width / 2, y + 14},
              .text = fitting(title, width - 2 * edge, 15),
              .size = 15,
              .anchor = "middle",
              .bold = true});
    y += 24;
  }
  double x = edge;
  bool begun = false;
  for (const LegendEntry& entry : legend) {
    const std::string name = fitting(entry.name, width - 2 * edge - sample, size);
    const double wide = sample + 5 + text_width(name, size);
    if (begun && x + wide > width - edge) x = edge, y += row;
    begun = true;
    const double middle = y + row / 2;
    using enum LegendEntry::Sample;
    if (entry.sample == box) svg.box({.at = {x + 6, middle - 5}, .width = 14, .height = 10, .fill = entry.look.color});
    if (entry.sample == line || entry.sample == both) {
      svg.line({.points = {{x, middle}, {x + sample, middle}},
                .color = entry.look.color,
                .dashes = entry.look.dashes,
                .width = 1.8});
    }
    if (entry.sample == marker || entry.sample == both) svg.marker(entry.look, {x + sample / 2, middle});
    svg.text({.at = {x + sample + 5, middle + 4}, .text = name, .size = size});
    x += wide + gap;
  }
  return y + (begun ? row + 6 : 4);
}
}  // namespace detail

}  // namespace siena::deploy
