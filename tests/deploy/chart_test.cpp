// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/chart.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "siena/deploy/bar_chart.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::deploy;

namespace {

constexpr double chart_nan = std::numeric_limits<double>::quiet_NaN();

std::size_t occurrences(std::string_view text, std::string_view of) {
  std::size_t count = 0;
  for (std::size_t at = text.find(of); at != std::string_view::npos; at = text.find(of, at + of.size())) ++count;
  return count;
}

/// The numbers along an axis over [low, high], with spaces between.
std::string ticks(double low, double high, const deploy::Axis& axis = {}) {
  std::string text;
  const siena::deploy::detail::Scale scale(axis, low, high);
  for (const auto& tick : scale.ticks()) text += (text.empty() ? "" : " ") + tick.label;
  return text;
}

/// Whether every element of an XML text is closed in its turn, and no bare & or < is in between.
bool well_formed(std::string_view xml) {
  std::vector<std::string> open;
  while (!xml.empty()) {
    const std::size_t begin = xml.find('<'), end = xml.find('>');
    const std::string_view between = xml.substr(0, begin);
    for (std::size_t at = between.find('&'); at != std::string_view::npos; at = between.find('&', at + 1))
      if (between.find(';', at) == std::string_view::npos) return false;
    if (begin == std::string_view::npos) break;
    if (end == std::string_view::npos || end < begin) return false;
    const std::string_view tag = xml.substr(begin + 1, end - begin - 1);
    const std::string name(tag.substr(0, tag.find_first_of(" /\n", 1)));
    if (tag.find('<') != std::string_view::npos || occurrences(tag, "\"") % 2 != 0) return false;
    if (tag.front() == '/') {
      if (open.empty() || "/" + open.back() != std::string(tag)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    xml.remove_prefix(end + 1);
  }
  return open.empty();
}

}  // namespace

TEST_CASE("axes have round numbers") {
  CHECK(ticks(0, 1) == "0.0 0.2 0.4 0.6 0.8 1.0");
  CHECK(ticks(0.31, 2.38) == "0.0 0.5 1.0 1.5 2.0 2.5");
  CHECK(ticks(-3, 7) == "-4 -2 0 2 4 6 8");
  CHECK(ticks(19547, 78978) == "10k 20k 30k 40k 50k 60k 70k 80k");
  CHECK(ticks(81.2, 81.4) == "81.20 81.25 81.30 81.35 81.40");
  CHECK(ticks(1, 3, {.whole = true}) == "1 2 3");
  CHECK(ticks(1, 50, {.whole = true, .low = 0.5, .high = 50.5}) == "10 20 30 40 50");
  CHECK(ticks(0, 2.5e-5) == "0 5e-06 1e-05 1.5e-05 2e-05 2.5e-05");
  CHECK(ticks(2e17, 5e17) == "2e+17 2.5e+17 3e+17 3.5e+17 4e+17 4.5e+17 5e+17");
}

TEST_CASE("axes of one value have room on both sides of it") {
  for (const double value : {0.0, 5.0, -2e9, 1e-12, 1e17}) {
    for (const bool log : {false, true}) {
      if (log && value <= 0) continue;
      const siena::deploy::detail::Scale scale({.log = log}, value, value);
      CHECK(scale(value) > 0.05);
      CHECK(scale(value) < 0.95);
      CHECK(scale.ticks().size() >= 2);
    }
  }
}

TEST_CASE("logarithmic axes") {
  CHECK(ticks(1200, 9000, {.log = true}) == "1000 2000 5000 10k");
  CHECK(ticks(3, 4e6, {.log = true}) == "10 100 1000 10k 100k 1M");
  const siena::deploy::detail::Scale scale({.log = true, .low = 1, .high = 100}, 1, 100);
  CHECK(scale(10) == Approx(0.5));
  CHECK(std::isnan(scale(0)));
  CHECK(std::isnan(scale(-1)));
  CHECK(ticks(1e-200, 1e200, {.log = true}) == "1e-200 1e-150 1e-100 1e-50 1 1e+50 1e+100 1e+150 1e+200");
  const siena::deploy::detail::Scale widest({.log = true}, 1e-300, 1e300);
  CHECK(widest(1) == Approx(0.5));
  for (const double beyond : {5e-324, 1e-301, 1e301})
    CHECK_THROWS_WITH(siena::deploy::detail::Scale({.label = "loss", .log = true}, beyond, 1),
                      ContainsSubstring("'loss' of positive numbers, from 1e-300 to 1e300"));
}

TEST_CASE("every tick lies on its axis, in order") {
  for (const bool log : {false, true}) {
    for (double low = 1e-7; low < 1e8; low *= 7.3) {
      for (double factor = 1.001; factor < 1e9; factor *= 3.1) {
        const siena::deploy::detail::Scale scale({.log = log}, low, low * factor);
        REQUIRE(scale.ticks().size() >= 2);
        REQUIRE(scale.ticks().size() <= 13);
        double last = -1;
        for (const auto& tick : scale.ticks()) {
          REQUIRE(scale(tick.at) >= -1e-6);
          REQUIRE(scale(tick.at) <= 1 + 1e-6);
          REQUIRE(scale(tick.at) > last + 0.01);
          last = scale(tick.at);
        }
        REQUIRE(scale(low) >= -1e-6);
        REQUIRE(scale(low * factor) <= 1 + 1e-6);
      }
    }
  }
}

TEST_CASE("texts of charts are XML") {
  CHECK(xml_text("a < b & \"c\" > d") == "a &lt; b &amp; &quot;c&quot; &gt; d");
  CHECK(xml_text("Größe ≤ 5 €") == "Größe ≤ 5 €");
  CHECK(xml_text(std::string_view("a\0b\x1b\tc", 6)) == "a?b?\tc");
  CHECK(xml_text("\xff\xc0\x80 \xed\xa0\x80 \xc3") == "??? ??? ?");
  const Chart chart{.title = "<a> & \"b\"",
                    .x = {.label = "x < 1"},
                    .y = {.label = "y & z"},
                    .series = {{.name = "</svg>",
                                .x = {1, 2},
                                .y = {3, 4},
                                .draw = Series::Draw::both,
                                .labels = {"<", "&"},
                                .tips = {"<tip>", "\"&\""}}},
                    .levels = {{3.5, "<level>"}},
                    .sections = {{1, "<section>"}}};
  const Picture picture = draw(chart);
  CHECK(well_formed(picture.svg));
  CHECK_THAT(picture.svg, ContainsSubstring("&lt;/svg&gt;") && ContainsSubstring("&lt;tip&gt;"));
  CHECK(occurrences(picture.svg, "</svg>") == 1);
  CHECK_FALSE(well_formed("<a><b></a></b>"));
  CHECK_FALSE(well_formed("<a>&</a>"));
}

TEST_CASE("texts that are too long lose their last characters, in any script") {
  const auto repeated = [](std::string_view letter, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += letter;
    return text;
  };
  using siena::deploy::detail::fitting, siena::deploy::detail::text_width;
  CHECK(fitting("日本", 20, 10) == "日本");
  CHECK(fitting(repeated("日", 80), 205, 10) == repeated("日", 19) + "…");  // as wide as high
  CHECK(fitting(repeated("ж", 80), 100, 10) == repeated("ж", 13) + "…");
  CHECK(fitting("точность на проверке", 0.66 * 10 * 17, 10) == "точность на пров…");
  CHECK(fitting("a" + repeated("\x80", 80), 3, 10) == "…");  // no UTF-8, and still an end
}

TEST_CASE("a line without points draws nothing") { CHECK(Svg().line({}).file(1, 1, "") == Svg().file(1, 1, "")); }

TEST_CASE("what is missing interrupts a line, and a point alone is marked") {
  Chart chart{.series = {{.x = {1, 2, 3, 4, 5, 6}, .y = {1, 2, chart_nan, 3, INFINITY, 4}}}};
  const std::string gaps = draw(chart).svg;
  CHECK(occurrences(gaps, "stroke-width=\"1.8\"") == 1);  // 1 to 2
  CHECK(occurrences(gaps, "<path") == 2);                 // 4 and 6
  chart.series[0].y = {1, 2, 3, 4, 5, 6};
  CHECK(occurrences(draw(chart).svg, "<path") == 0);
  chart.y.log = true;
  chart.series[0].y = {1, 2, -3, 4, 0, 6};
  CHECK(occurrences(draw(chart).svg, "<path") == 2);
  chart.y = {.low = 2.5, .high = 4.5};  // what is outside of the axes is not drawn
  chart.series[0].y = {1, 2, 3, 4, 5, 6};
  chart.series[0].draw = Series::Draw::points;
  CHECK(occurrences(draw(chart).svg, "<path") == 2);
}

TEST_CASE("series differ in colour, and in shape or dashes") {
  for (std::size_t a = 0; a < 7; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      CHECK(look(a).color != look(b).color);
      CHECK(look(a).marker != look(b).marker);
      CHECK(look(a).dashes != look(b).dashes);
    }
  }
  CHECK(look(7).color == look(0).color);
}

TEST_CASE("legends take as many rows as they need, above the data") {
  Chart chart{.series = {{.x = {1, 2}, .y = {1, 2}}}};
  const double without = draw(chart).height;
  chart.series[0].name = "one";
  const double one = draw(chart).height;
  CHECK(one > without);
  for (int i = 0; i < 9; ++i) chart.series.push_back({.name = "a name of some length", .x = {1, 2}, .y = {1, 2}});
  CHECK(draw(chart).height > one + 30);
  chart.series[0].name = std::string(500, 'W');
  CHECK_THAT(draw(chart).svg, ContainsSubstring("…"));
}

TEST_CASE("labels stand where nothing is, or not at all") {
  Chart chart{.series = {{.x = {1, 2}, .y = {1, 2}, .draw = Series::Draw::points, .labels = {"here", ""}}}};
  CHECK_THAT(draw(chart).svg, ContainsSubstring(">here</text>"));
  auto& series = chart.series[0];
  for (int i = 0; i < 200; ++i) {  // a crowd at one place
    series.x.push_back(1 + 1e-4 * i), series.y.push_back(1), series.labels.push_back("crowd");
  }
  CHECK(occurrences(draw(chart).svg, ">crowd</text>") < 20);
}

TEST_CASE("charts that cannot be drawn say why") {
  Chart chart{.title = "loss"};
  CHECK_THROWS_WITH(draw(chart), ContainsSubstring("chart 'loss': expected a point to draw, got 0 series"));
  chart.series = {{.name = "a", .x = {1, 2}, .y = {chart_nan, chart_nan}}};
  CHECK_THROWS_AS(draw(chart), DataError);
  chart.series[0].y = {1};
  CHECK_THROWS_WITH(draw(chart), ContainsSubstring("expected as many y as x in 'a', got 1 and 2"));
  chart.series[0].y = {1, 2};
  chart.series[0].labels = {"one"};
  CHECK_THROWS_WITH(draw(chart), ContainsSubstring("a text for each of the 2 points of 'a', got 1"));
  chart.series[0].labels.clear();
  chart.y = {.label = "loss", .log = true, .low = 0};
  CHECK_THROWS_WITH(draw(chart), ContainsSubstring("positive"));
  chart.y = {};
  chart.width = 10;
  CHECK_THROWS_AS(draw(chart), ArgumentError);
}

TEST_CASE("bars have names and values") {
  BarChart chart{.title = "channels",
                 .categories = {"conv1", "a name <that> is too long for any picture: " + std::string(200, 'x')},
                 .series = {{"before", {16, 32}}, {"after", {12, chart_nan}}}};
  const Picture picture = draw(chart);
  CHECK(well_formed(picture.svg));
  CHECK(occurrences(picture.svg, "<rect") == 1 + 2 + 3);  // the ground, the legend, the bars
  CHECK_THAT(picture.svg, ContainsSubstring(">12</text>") && ContainsSubstring(">conv1</text>") && ContainsSubstring("…"));
  chart.categories.push_back("another"), chart.series[0].values.push_back(1), chart.series[1].values.push_back(0);
  CHECK(draw(chart).height > picture.height);
  chart.series[0].values.pop_back();
  CHECK_THROWS_WITH(draw(chart), ContainsSubstring("a value for each of the 3 categories in 'before', got 2"));
  chart.series[0].values.push_back(-1);
  CHECK_THROWS_WITH(draw(chart), ContainsSubstring("values from 0 on"));
  CHECK_THROWS_AS(draw(BarChart{}), DataError);
}

TEST_CASE("pictures below each other are one picture") {
  const Chart chart{.title = "one", .series = {{.x = {1, 2}, .y = {1, 2}}}};
  const Picture one = draw(chart);
  const std::vector<Picture> two{one, one};
  const Picture both = stack(two, "two");
  CHECK(both.height == Approx(2 * one.height));
  CHECK(both.width == Approx(one.width));
  CHECK(well_formed(both.svg));
  CHECK(occurrences(both.svg, "<svg") == 3);
}
