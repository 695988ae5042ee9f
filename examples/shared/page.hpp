// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTML that needs nothing but itself: no script, no other file, light or dark as its reader has it. It is well-formed XML, too.

#include <cstddef>
#include <siena/deploy/svg.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace siena::examples {

namespace detail {
// Pictures are drawn for white ground. Where it is dark, rules take the place of the colours in them.
inline constexpr std::string_view page_style = R"(<meta name="viewport" content="width=device-width, initial-scale=1"/>
<style>
:root { color-scheme: light dark; --ink: #222; --soft: #555; --ground: #fff; --shade: #f4f4f4; --line: #ddd; --bad: #fdeee6; }
body { font: 15px/1.45 Helvetica, Arial, "DejaVu Sans", sans-serif; color: var(--ink); background: var(--ground); }
body { max-width: 1480px; margin: 1.5em auto; padding: 0 1.2em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 1.6em; }
code { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 0.88em; }
code { background: var(--shade); padding: 0.1em 0.3em; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 0.8em 0; }
table { border-collapse: collapse; font-size: 0.92em; }
th, td { padding: 0.3em 0.75em; text-align: right; border-bottom: 1px solid var(--line); }
th { vertical-align: bottom; border-bottom: 2px solid var(--soft); }
th.text, td.text { text-align: left; }
th.group { text-align: center; border-bottom: 1px solid var(--line); }
tr.broken td { background: var(--bad); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 600px), 1fr)); }
.pictures { align-items: start; gap: 0.5em; margin: 1em 0; }
.pictures > svg { width: 100%; height: auto; border: 1px solid var(--line); }
details { margin: 0.3em 0; } summary { cursor: pointer; }
.note { color: var(--soft); font-size: 0.92em; }
@media (max-width: 1000px) { table { font-size: 0.8em; } th, td { padding: 0.25em 0.35em; } }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --soft: #aaa; --ground: #191a1c; --shade: #2a2b2e; --line: #3c3e42; --bad: #4a2a1c; }
  svg [fill="#ffffff"] { fill: #191a1c; } svg [stroke="#ffffff"] { stroke: #191a1c; }
  svg [fill="#333333"] { fill: #ddd; } svg [stroke="#333333"] { stroke: #ddd; }
  svg [fill="#555555"] { fill: #aaa; } svg [stroke="#e3e3e3"] { stroke: #34363a; }
  svg [stroke="#808080"], svg [stroke="#9a9a9a"] { stroke: #7a7d82; }
  svg [fill="#0072b2"] { fill: #4da6de; } svg [stroke="#0072b2"] { stroke: #4da6de; }
  svg [fill="#d55e00"] { fill: #f08030; } svg [stroke="#d55e00"] { stroke: #f08030; }
  svg [fill="#009e73"] { fill: #2cc295; } svg [stroke="#009e73"] { stroke: #2cc295; }
  svg [fill="#b3508f"] { fill: #d982b8; } svg [stroke="#b3508f"] { stroke: #d982b8; }
}
</style>
)";
}  // namespace detail

inline std::string html_page(std::string_view title, std::string_view body) {
  const std::string name = deploy::xml_text(title);
  return "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
         "charset=\"utf-8\"/>\n<title>" +
         name + "</title>\n" + std::string(detail::page_style) + "</head>\n<body>\n<h1>" + name + "</h1>\n" +
         std::string(body) + "</body>\n</html>\n";
}

/// A narrow column breaks "39094 (49.5 %)" before the bracket, never before the percent sign.
inline std::string html_cell(std::string_view text, bool left = false) {
  std::string html = (left ? "<td class=\"text\">" : "<td>") + deploy::xml_text(text) + "</td>";
  for (std::size_t at = 0; (at = html.find(" %", at)) != html.npos;) html.replace(at, 1, "&#160;");
  return html;
}
inline std::string html_heading(std::string_view text, bool left = false) {
  return (left ? "<th class=\"text\">" : "<th>") + deploy::xml_text(text) + "</th>";
}

/// The first row are headings, the first column stands to the left.
inline std::string html_table(const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"wide\"><table>\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    html += "<tr>";
    for (std::size_t c = 0; c < rows[r].size(); ++c)
      html += r == 0 ? html_heading(rows[r][c], c == 0) : html_cell(rows[r][c], c == 0);
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace siena::examples
