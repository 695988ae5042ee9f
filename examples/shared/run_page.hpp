// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// --html FILE: what a run came to and how it got there, on one page.

#include <algorithm>
#include <cmath>
#include <siena/search.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "json_parts.hpp"
#include "page.hpp"
#include "run_pictures.hpp"

namespace siena::examples {

namespace detail {
using Rows = std::vector<std::vector<std::string>>;

inline std::string count_text(double count) { return std::isnan(count) ? "-" : format("{:.0f}", count); }

/// Every bound with what it was before and how much of its limit is left.
inline Rows bound_rows(const Json& report) {
  Rows rows{{"bound", "before", "now", "limit", "of the limit", "kept"}};
  const Json& before = part(part(report, "before"), "bounds");
  for (const Json& bound : part(report, "bounds")) {
    const std::string name = text(bound, "name"), unit = text(bound, "unit");
    const double value = number(bound, "value"), limit = number(bound, "limit");
    const ShownUnit in = shown_unit(unit, limit);
    const auto amount = [&](double number) {
      return std::isnan(number) ? std::string("-") : in.amount(number) + std::string(in.space()) + std::string(in.name);
    };
    double was = std::nan("");
    for (const Json& other : before)
      if (text(other, "name") == name && text(other, "unit") == unit) was = number(other, "value");
    rows.push_back({name, amount(was), amount(value), amount(limit),
                    std::isnan(value / limit) ? "-" : format("{:.1f} %", 100 * value / limit),
                    number(bound, "violation") <= 1e-9 ? "yes" : "no"});
  }
  return rows;
}

/// The bits of a layer's weights: "8", or where filters differ "8 of 3, 4 of 13".
inline std::string bits_text(const Json& layer) {
  std::string all;
  const Json& slices = part(layer, "bits");
  for (const Json& slice : slices) {
    all += all.empty() ? "" : ", ";
    all += count_text(number(slice, "bits"));
    if (slices.size() > 1) all += " of " + count_text(number(slice, "filters"));
  }
  return all;
}

/// Channels, weights and multiply-accumulates of each layer, before and now, and the bits that are left where they are not 8
/// everywhere. A layer that is gone has nothing now.
inline Rows layer_rows(const Json& report) {
  Rows rows{{"layer", "kind", "channels before", "now", "weights before", "now", "MACs before", "now"}};
  const Json& before = part(part(report, "before"), "layers");
  const Json& after = part(report, "layers");
  const bool few = std::any_of(after.begin(), after.end(), [](const Json& layer) {
    const std::string bits = bits_text(layer);
    return !bits.empty() && bits != "8";
  });
  const bool few_values =
      std::any_of(after.begin(), after.end(), [](const Json& layer) { return number(layer, "output_bits") < 8; });
  if (few) rows[0].push_back("bits now");
  if (few_values) rows[0].push_back("bits out now");
  const auto add = [&](const std::string& name, const Json& was, const Json& is) {
    rows.push_back({name, text(is.is_null() ? was : is, "kind")});
    for (const std::string_view key : {"out_channels", "weights", "macs"})
      for (const Json* layer : {&was, &is}) rows.back().push_back(count_text(number(*layer, key)));
    if (few) rows.back().push_back(bits_text(is));
    if (few_values) rows.back().push_back(count_text(number(is, "output_bits")));
  };
  const auto named = [](const Json& layers, const std::string& name) -> const Json& {
    static const Json nothing;
    for (const Json& layer : layers)
      if (text(layer, "name") == name) return layer;
    return nothing;
  };
  for (const Json& layer : before) add(text(layer, "name"), layer, named(after, text(layer, "name")));
  for (const Json& layer : after)
    if (named(before, text(layer, "name")).is_null()) add(text(layer, "name"), Json(), layer);
  const Json &was = part(part(report, "before"), "costs"), &is = part(report, "costs");
  rows.push_back({"total", "", "", "", count_text(number(was, "weights")), count_text(number(is, "weights")),
                  count_text(number(was, "macs")), count_text(number(is, "macs"))});
  for (const bool shown : {few, few_values})
    if (shown) rows.back().push_back("");
  return rows;
}

inline Rows score_rows(const Json& report) {
  const std::string metric = text(report, "metric");
  Rows rows{{"on the test samples", metric == "auc" ? "AUC" : metric}};
  const Json& scores = part(report, metric);
  for (const auto& [key, name] : {std::pair("baseline", "before the search"),
                                  {"found", "as found"},
                                  {"finetuned", "after the last training"},
                                  {"calibrated", "in integers"},
                                  {"aware", "trained as integers"}}) {
    const double score = number(scores, key);
    if (!std::isnan(score)) rows.push_back({name, metric_text(metric, score)});
  }
  return rows;
}
}  // namespace detail

/// The page of a run, from its report as `--report` has it.
inline std::string run_page(const Json& report) {
  const std::string title =
      format("{}: {}, seed {}", text(report, "program"), text(report, "method"), detail::count_text(number(report, "seed")));
  std::string body;
  const auto table = [&](const detail::Rows& rows) {
    if (rows.size() > 1) body += html_table(rows);
  };
  const bool bounded = !part(report, "bounds").empty(), kept = part(report, "feasible") == true;
  if (bounded) body += kept ? "<p>Every bound is kept.</p>\n" : "<p><b>A bound is broken.</b></p>\n";
  table(detail::bound_rows(report));
  table(detail::score_rows(report));
  body += "<h2>Epochs and channels</h2>\n<div class=\"pictures\">\n";
  for (const auto& picture : {trajectory_picture(report), channels_picture(report)})
    if (picture) body += picture->svg;
  body += "</div>\n<h2>Layers</h2>\n";
  table(detail::layer_rows(report));
  detail::Rows phases{{"phase", "epochs", "time"}};
  for (const Json& phase : part(report, "phases"))
    phases.push_back(
        {text(phase, "name"), detail::count_text(number(phase, "epochs")), duration_text(number(phase, "seconds"))});
  if (phases.size() > 1) body += "<h2>Phases</h2>\n";
  table(phases);
  return html_page(title, body);
}

}  // namespace siena::examples
