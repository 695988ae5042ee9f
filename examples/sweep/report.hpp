// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a sweep leaves for people and programs: results.jsonl, report.html and the pictures as SVG files.

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <siena/core.hpp>
#include <siena/deploy/svg.hpp>
#include <siena/train.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "shared/page.hpp"
#include "shared/run_pictures.hpp"
#include "sweep/pictures.hpp"
#include "sweep/results.hpp"

namespace siena::examples {

/// The page of a sweep, and its pictures as files.
class Page {
 public:
  explicit Page(fs::path out) : out_(std::move(out)) {}

  /// All of one command; `index` is in the names of its pictures.
  void section(const Comparison& comparison, std::size_t index) {
    const std::string suffix = index == 0 ? "" : format("_{}", index + 1);
    body_ += "<section>\n";
    std::string command;
    for (const std::string& word : comparison.command) command += word + " ";
    body_ += "<p>Each run: <code>" + deploy::xml_text(command) + "</code></p>\n";
    means(comparison);
    body_ += "<div class=\"pictures\">\n";
    for (const CostColumn& cost : comparison.costs) {
      if (const auto picture = pareto_picture(comparison, cost)) add(*picture, file_name(comparison, cost) + suffix + ".svg");
    }
    body_ +=
        "</div>\n<p class=\"note\">Beside points: memory bound / latency bound / bits, once for all seeds. The front is that "
        "of the "
        "searches that kept their bounds.</p>\n";
    runs(comparison);
    details(comparison);
    body_ += "</section>\n";
  }

  /// Names the logs to look into.
  void unfinished(const std::vector<std::string>& names) {
    if (names.empty()) return;
    body_ += "<h2>Not finished</h2>\n<p>";
    for (const std::string& name : names) body_ += "<code>runs/" + deploy::xml_text(name) + "/log.txt</code> ";
    body_ += "</p>\n";
  }

  void write(std::string_view title) const {
    for (const auto& entry : fs::directory_iterator(out_)) {  // of costs that are not compared any more
      const fs::path file = entry.path().filename();
      if (file.string().starts_with("pareto_") && file.extension() == ".svg" && !pictures_.contains(file))
        fs::remove(out_ / file);
    }
    write_file_atomically(out_ / "report.html", html_page(title, body_));
  }

 private:
  /// "pareto_peak_memory"; with its unit where the same is bounded in two.
  static std::string file_name(const Comparison& comparison, const CostColumn& cost) {
    const auto alike = [&](const CostColumn& other) { return other.key == cost.key; };
    const bool alone = std::count_if(comparison.costs.begin(), comparison.costs.end(), alike) == 1;
    std::string name = "pareto_" + cost.key + (alone ? "" : "_" + cost.unit);
    std::replace(name.begin(), name.end(), ' ', '_');
    return name;
  }
  void add(const deploy::Picture& picture, const fs::path& file) {
    pictures_.insert(file);
    if (!fs::exists(out_ / file) || read_file(out_ / file) != picture.svg) write_file_atomically(out_ / file, picture.svg);
    body_ += picture.svg;
  }

  /// "81.20 ± 0.31 (3)": mean, deviation, how many seeds.
  static std::string spread(const std::vector<double>& values, const Result& like) {
    const Spread of(values);
    if (of.count == 0) return "-";
    const bool percent = like.metric == "accuracy";
    std::string text = percent ? format("{:.2f}", 100 * of.mean) : format("{:.4f}", of.mean);
    if (of.count > 1) text += percent ? format(" ± {:.2f}", 100 * of.deviation) : format(" ± {:.4f}", of.deviation);
    return text + format(" ({})", of.count);
  }
  static std::string share(const std::vector<double>& shares) {
    const Spread of(shares);
    return of.count == 0 ? "-" : format("{:.1f} %", 100 * of.mean);
  }

  /// What stands above a table of means, in two rows. `bits`: whether they differ.
  void means_head(const Comparison& comparison, const std::string& metric, bool bits) {
    const std::size_t wide = 1 + comparison.costs.size();
    const auto group = [](std::size_t columns, std::string_view text) {
      return format("<th colspan=\"{}\" class=\"group\">{}</th>", columns, text);
    };
    body_ += "<tr>" + group(bits ? 3 : 2, bits ? "bounds, bits" : "bounds") + group(wide, "searched") +
             group(bits ? wide + 1 : wide, "uniform scaling") +
             "<th class=\"group\">searched − uniform</th><th class=\"group\">baseline</th></tr>\n<tr>" +
             html_heading("memory", true) + html_heading("latency", true);
    if (bits) body_ += html_heading("bits", true);
    for (int side = 0; side < 2; ++side) {
      if (side == 1 && bits) body_ += html_heading("bits", true);
      body_ += html_heading(metric);
      for (const CostColumn& cost : comparison.costs) body_ += html_heading(cost.heading());
    }
    body_ += html_heading(metric) + html_heading(metric) + "</tr>\n";
  }
  /// Result and costs of one side of a row.
  std::string side(const Comparison& comparison, const std::map<std::uint64_t, const Result*>& results) {
    std::vector<double> values;
    for (const auto& [seed, result] : results) values.push_back(result->value());
    std::string cells = html_cell(spread(values, comparison.results[0]));
    for (const CostColumn& cost : comparison.costs) {
      std::vector<double> shares;
      for (const auto& [seed, result] : results) shares.push_back(result->share(cost));
      cells += html_cell(share(shares));
    }
    return cells;
  }

  void means(const Comparison& comparison) {
    const Result& like = comparison.results[0];
    const std::string metric = metric_label(like) + (like.metric == "accuracy" ? " (%)" : "");
    std::map<RunBits, std::vector<double>> whole;  // the baseline network, by bits
    bool bits = false;
    for (const Result& result : comparison.results) {
      const Run& run = result.record.run;
      bits = bits || !run.bits.empty();
      if (run.role == Run::Role::baseline) whole[run.bits].push_back(result.value());
    }
    const auto bits_cell = [&](const RunBits& of) { return bits ? html_cell(of.to_string(), true) : std::string(); };
    body_ += "<h2>Mean over seeds</h2>\n<div class=\"wide\"><table>\n";
    means_head(comparison, metric, bits);
    const std::vector<GridPoint> points = points_of(comparison.results);
    for (const GridPoint& point : points) {
      const GridPoint& beside = uniform_beside(point, points);
      std::vector<double> difference;
      for (const auto& [seed, result] : point.found)
        if (const auto at = beside.uniform.find(seed); at != beside.uniform.end())
          difference.push_back(result->value() - at->second->value());
      body_ += "<tr>" + html_cell(point.memory, true) + html_cell(point.latency, true) + bits_cell(point.bits) +
               side(comparison, point.found);
      if (bits) body_ += beside.uniform.empty() ? html_cell("-", true) : bits_cell(beside.bits);
      body_ += side(comparison, beside.uniform) + html_cell(spread(difference, like)) + html_cell(spread(whole[{}], like)) +
               "</tr>\n";
    }
    for (const auto& [of, values] : whole) {
      if (of.empty()) continue;
      body_ += "<tr>" + html_cell("none", true) + html_cell("none", true) + bits_cell(of) + side(comparison, {}) +
               html_cell("-", true) + side(comparison, {}) + html_cell("-") + html_cell(spread(values, like)) + "</tr>\n";
    }
    body_ +=
        "</table></div>\n<p class=\"note\">Of the test part: mean ± standard deviation (number of seeds); the difference is "
        "taken seed by seed. Costs are parts of those of the baseline network.";
    if (bits)
      body_ +=
          " Bits are those of weights, then of the values between layers. Beside searches that choose bits stands the best "
          "uniform scaling with one of their "
          "widths; the baseline is the network in floats, in rows of its own with each width.";
    body_ += "</p>\n";
  }

  void runs(const Comparison& comparison) {
    body_ += "<h2>All runs</h2>\n<div class=\"wide\"><table>\n<tr>" + html_heading("run", true) +
             html_heading("test " + metric_label(comparison.results[0])) + html_heading("before fine-tuning");
    for (const CostColumn& cost : comparison.costs) body_ += html_heading(cost.heading());
    body_ += html_heading("bounds kept", true) + html_heading("on the front of", true) +
             html_heading("training time, warm-up included") + "</tr>\n";
    for (const Result& result : comparison.results) {
      std::string fronts;
      for (const CostColumn& cost : result.fronts) fronts += (fronts.empty() ? "" : ", ") + cost.brief;
      const Run::Role role = result.record.run.role;
      const bool broken = !result.kept_bounds();
      body_ += broken ? "<tr class=\"broken\">" : "<tr>";
      body_ += html_cell(result.record.run.to_string(), true) + html_cell(metric_text(result.metric, result.value()));
      const double tuned = number(result.report.at(result.metric), "finetuned");
      body_ +=
          html_cell(std::isnan(tuned) ? "-" : metric_text(result.metric, number(result.report.at(result.metric), "found")));
      for (const CostColumn& cost : comparison.costs) {
        const double value = result.cost(cost), part_of = result.share(cost);
        std::string text = std::isnan(value) ? "-" : cost.in.amount(value);
        if (!std::isnan(part_of)) text += format(" ({:.1f} %)", 100 * part_of);
        body_ += html_cell(text);
      }
      body_ += html_cell(role == Run::Role::baseline ? "-"
                         : broken                    ? "no"
                                                     : "yes",
                         true) +
               html_cell(fronts, true) + html_cell(duration_text(result.seconds())) + "</tr>\n";
    }
    body_ += "</table></div>\n";
  }

  /// Pictures of each run, folded away but for those of the first search.
  void details(const Comparison& comparison) {
    body_ += "<h2>Run by run</h2>\n";
    bool open = false;
    for (const Result& result : comparison.results) {
      const auto trajectory = trajectory_picture(result.report, result.record.run.to_string()),
                 channels = channels_picture(result.report, result.record.run.to_string());
      if (!trajectory && !channels) continue;
      const bool first = !std::exchange(open, true);
      body_ += format("<details{}>\n<summary>", first ? " open=\"open\"" : "") +
               deploy::xml_text(result.record.run.to_string()) + "</summary>\n<div class=\"pictures\">\n";
      if (trajectory) add(*trajectory, fs::path("runs") / result.name / "epochs.svg");
      if (channels) add(*channels, fs::path("runs") / result.name / "channels.svg");
      body_ += "</div>\n</details>\n";
    }
  }

  fs::path out_;
  std::set<fs::path> pictures_;
  std::string body_;
};

struct Written {
  std::size_t results = 0;
  std::vector<std::string> problems;  ///< reports that cannot be read
};

namespace detail {

inline Written write_report_once(const fs::path& out, const std::vector<fs::path>& done) {
  Written written;
  std::vector<Result> results;
  std::vector<std::string> unfinished;
  for (const fs::path& folder : run_folders(out)) {
    try {
      if (std::find(done.begin(), done.end(), folder) != done.end()) {
        results.push_back(load_result(folder));
        continue;
      }
    } catch (const FormatError& error) {
      written.problems.push_back(error.what());
    }
    unfinished.push_back(folder.filename().string());
  }
  const std::size_t count = written.results = results.size();
  const std::vector<Comparison> compared = comparisons(std::move(results));
  std::string lines, title = "A sweep";
  Page page(out);
  for (std::size_t i = 0; i < compared.size(); ++i) {
    for (const Result& result : compared[i].results) lines += line_of(result).dump() + "\n";
    page.section(compared[i], i);
  }
  if (!compared.empty()) {
    const std::string program = text(compared[0].results[0].report, "program");
    title =
        format("Sweep of {}: {} {}", program.empty() ? compared[0].command[0] : program, count, count == 1 ? "run" : "runs");
  }
  page.unfinished(unfinished);
  write_file_atomically(out / "results.jsonl", lines);
  page.write(title);
  return written;
}

}  // namespace detail

/// Reads all runs below `out` and writes everything anew. Other sweeps may do that, too: the last one to write has seen all.
inline Written write_report(const fs::path& out) {
  const auto all_done = [&] {
    std::vector<fs::path> folders = run_folders(out);
    std::erase_if(folders, [](const fs::path& folder) { return !is_done(folder); });
    return folders;
  };
  std::vector<fs::path> done = all_done();
  while (true) {
    const Written written = detail::write_report_once(out, done);
    std::vector<fs::path> now = all_done();
    if (now == done) return written;
    done = std::move(now);
  }
}

}  // namespace siena::examples
