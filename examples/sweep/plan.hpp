// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the command line of a sweep to its runs.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <siena/core.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/bounds.hpp"
#include "sweep/command_line.hpp"
#include "sweep/runs.hpp"

namespace siena::examples {

/// Refuses what a sweep has to say itself, files that all runs would write, and what no run would come out of.
inline void check_command(const SweepSettings& s) {
  const std::vector<std::string>& command = s.command;
  require<ArgumentError>(!command.empty(), "sweep: expected a program after --, got none; e.g. -- ./image_classification");
  for (const std::string& word : command) {
    require<ArgumentError>(is_utf8(word), "sweep: expected a command in UTF-8, which is kept as JSON, got '{}'", excerpt(word));
  }
  for (std::size_t i = 1; i < command.size(); ++i) {
    const std::string_view word = command[i], next = i + 1 < command.size() ? std::string_view(command[i + 1]) : "";
    for (const std::string_view option : {"--dry-run", "--help"}) {
      require<ArgumentError>(!is_option(word, option), "sweep: expected a command that trains, got one with '{}'", option);
    }
    for (const std::string_view option : {"--memory", "--latency", "--seed", "--checkpoint", "--report"}) {
      require<ArgumentError>(!is_option(word, option), "sweep: expected a command without {}, which each run gets, got '{}'",
                             option, word);
    }
    for (const std::string_view option : {"--bits", "--bits-per", "--activation-bits"}) {
      const bool is_ours = !(option == "--activation-bits" ? s.activation_bits : s.bits).empty();
      require<ArgumentError>(!is_ours || !is_option(word, option),
                             "sweep: expected {} before -- alone, where it gives each run its own, got '{}' in the command",
                             option == "--bits-per" ? "--bits N,N:channel" : option, word);
      const std::string_view bits = word == option ? next : is_option(word, option) ? word : "";
      require<ArgumentError>(!s.baselines || bits.find(',') == bits.npos,
                             "sweep: expected one number of bits with --baselines, which choose nothing, got '{}'; with {} "
                             "before -- they get each width alone",
                             bits, option);
    }
    for (const std::string_view option : {"--save", "--onnx", "--log", "--html"}) {
      const std::string_view file = word.size() > option.size() || next.empty() ? word : next;
      require<ArgumentError>(!is_option(word, option) || file.find("{run}") != file.npos,
                             "sweep: expected a file for each run with {}, got '{}' for all; write e.g. {} '{{run}}/{}'",
                             option, file, option, option == "--onnx" ? "found.onnx" : "found");
    }
  }
}

namespace detail {

template <class T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

/// Throws ArgumentError where no program would take the bound.
inline void check_bound(std::string_view option, const std::string& text) {
  constexpr Unit latency_units[] = {{"ms", 1}, {"us", 1}, {"s", 1}, {"cycles", 1}, {"MACs", 1}, {"kMACs", 1}, {"MMACs", 1}};
  if (text == "none") return;
  const std::span<const Unit> units = option == "--memory" ? std::span<const Unit>(byte_units) : latency_units;
  (void)parse_limit(option, text, units, 1);
}

inline std::vector<std::pair<std::string, std::string>> bounds_of(const SweepSettings& s) {
  std::vector<std::pair<std::string, std::string>> bounds;
  if (!s.memory.empty() || !s.latency.empty()) {
    for (const std::string& memory : s.memory.empty() ? std::vector<std::string>{"none"} : s.memory)
      for (const std::string& latency : s.latency.empty() ? std::vector<std::string>{"none"} : s.latency)
        add_once(bounds, {memory, latency});
  }
  for (const std::string& pair : s.pairs) {
    const std::size_t colon = pair.find(':');
    require<ArgumentError>(colon != std::string::npos, "--pairs: expected MEMORY:LATENCY, e.g. 50%:75%, got '{}'", pair);
    add_once(bounds, {pair.substr(0, colon), pair.substr(colon + 1)});
  }
  require<ArgumentError>(!bounds.empty(), "sweep: expected bounds (--memory, --latency or --pairs), got none");
  for (const auto& [memory, latency] : bounds) check_bound("--memory", memory), check_bound("--latency", latency);
  return bounds;
}

/// As runs have it: "none" is "", and ":layer", which is what the programs do, is left out. Throws ArgumentError where no
/// program would take it.
inline std::string bits_of(std::string_view option, const std::string& text) {
  if (text == "none") return "";
  const bool may_choose_per = option == "--bits";
  const std::size_t colon = may_choose_per ? std::min(text.find(':'), text.size()) : text.size();
  const std::string list = text.substr(0, colon), per = text.substr(colon);
  bool good = per.empty() || per == ":layer" || per == ":channel";
  char before = '1';  // "2,4,8": a digit, a comma, each digit above the last
  for (std::size_t i = 0; i < list.size(); ++i) {
    good = good && (i % 2 == 1 ? list[i] == ',' : list[i] > before && list[i] <= '8');
    if (i % 2 == 0) before = list[i];
  }
  require<ArgumentError>(good && list.size() % 2 == 1,
                         "{}: expected numbers from 2 to 8 that rise, such as 4 or 2,4,8{}, or none, got '{}'; several of them "
                         "have blanks between",
                         option, may_choose_per ? ", with :channel behind them where each output channel chooses" : "", text);
  require<ArgumentError>(list.size() > 1 || per.empty(), "{}: expected several numbers to choose from with '{}', got '{}'",
                         option, per, text);
  return list + (per == ":channel" ? per : "");
}

inline std::vector<RunBits> bits_of(const SweepSettings& s) {
  const std::vector<std::string> none{"none"};
  std::vector<RunBits> all;
  for (const std::string& weights : s.bits.empty() ? none : s.bits)
    for (const std::string& values : s.activation_bits.empty() ? none : s.activation_bits)
      add_once(all, RunBits{bits_of("--bits", weights), bits_of("--activation-bits", values)});
  return all;
}

}  // namespace detail

/// Seed by seed: searches, by bits, of each of which the first makes the warm-up of all; then the baselines. These choose no
/// bits, so that they come once with each width that a search may choose; the network as it is always comes as the command has
/// it, too: the one that percents are of.
inline std::vector<Run> plan(const SweepSettings& s) {
  using detail::add_once;
  const auto bounds = detail::bounds_of(s);
  const std::vector<RunBits> bits = detail::bits_of(s);
  std::vector<RunBits> single;
  for (const RunBits& setting : bits)
    for (const RunBits& alone : setting.single()) add_once(single, alone);
  std::vector<Run> runs;
  const auto add = [&](Run::Role role, const RunBits& of_bits, std::uint64_t seed) {
    for (const auto& [memory, latency] : bounds) add_once(runs, Run{role, memory, latency, seed, of_bits});
  };
  for (const std::uint64_t seed : s.seeds) {
    for (const RunBits& setting : bits) add(Run::Role::search, setting, seed);
    if (!s.baselines) continue;
    for (const RunBits& width : single) add(Run::Role::uniform, width, seed);
    add_once(runs, Run{.role = Run::Role::baseline, .seed = seed});
    for (const RunBits& width : single) add_once(runs, Run{.role = Run::Role::baseline, .seed = seed, .bits = width});
  }
  return runs;
}

}  // namespace siena::examples
