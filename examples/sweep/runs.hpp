// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The runs of a sweep: what each is called, how its command line reads, and what its folder says of it.

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <siena/core.hpp>
#include <siena/core/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "shared/json_parts.hpp"

namespace siena::examples {

namespace fs = std::filesystem;

/// A search under two bounds, or what it is compared with: the program's uniform scaling under the same bounds, the
/// baseline network under none.
struct Run {
  enum class Role { search, uniform, baseline };
  Role role = Role::search;
  std::string memory = "none", latency = "none";  ///< as on the command line
  std::uint64_t seed = 0;

  bool operator==(const Run&) const = default;
  /// "memory-50pc_latency-75pc_seed-0": its folder.
  std::string name() const {
    const std::string of_seed = format("seed-{}", seed);
    if (role == Role::baseline) return "baseline_" + of_seed;
    std::string text = format("{}memory-{}_latency-{}_{}", role == Role::uniform ? "uniform_" : "", memory, latency, of_seed);
    for (std::size_t at = text.find('%'); at != std::string::npos; at = text.find('%')) text.replace(at, 1, "pc");
    return text;
  }
  /// "memory 50%, latency 75%, seed 0"
  std::string to_string() const {
    if (role == Role::baseline) return format("baseline network, seed {}", seed);
    return format("{}memory {}, latency {}, seed {}", role == Role::uniform ? "uniform, " : "", memory, latency, seed);
  }
};

inline constexpr std::array<std::string_view, 3> role_names{"search", "uniform", "baseline"};
inline std::string_view name_of(Run::Role role) { return role_names[static_cast<std::size_t>(role)]; }

/// Whether a word of a command line is `option`, with or without "=value".
inline bool is_option(std::string_view word, std::string_view option) {
  return word.starts_with(option) && (word.size() == option.size() || word[option.size()] == '=');
}

/// Refuses what a sweep has to say itself, files that all runs would write, and what no run would come out of.
inline void check_command(const std::vector<std::string>& command) {
  require<ArgumentError>(!command.empty(), "sweep: expected a program after --, got none; e.g. -- ./image_classification");
  for (const std::string& word : command) {
    require<ArgumentError>(is_utf8(word), "sweep: expected a command in UTF-8, which is kept as JSON, got '{}'", excerpt(word));
  }
  for (std::size_t i = 1; i < command.size(); ++i) {
    for (const std::string_view option : {"--dry-run", "--help"}) {
      require<ArgumentError>(!is_option(command[i], option), "sweep: expected a command that trains, got one with '{}'",
                             option);
    }
    for (const std::string_view option : {"--memory", "--latency", "--seed", "--checkpoint", "--report"}) {
      require<ArgumentError>(!is_option(command[i], option),
                             "sweep: expected a command without {}, which each run gets, got '{}'", option, command[i]);
    }
    for (const std::string_view option : {"--save", "--onnx", "--log", "--html"}) {
      const std::string& file = command[i].size() > option.size() || i + 1 == command.size() ? command[i] : command[i + 1];
      require<ArgumentError>(!is_option(command[i], option) || file.find("{run}") != std::string::npos,
                             "sweep: expected a file for each run with {}, got '{}' for all; write e.g. {} '{{run}}/{}'",
                             option, file, option, option == "--onnx" ? "found.onnx" : "found");
    }
  }
}

/// The words that start a run in its folder: "{run}" stands for the folder; the method of a baseline takes the place of what
/// the command says.
inline std::vector<std::string> words_of(const Run& run, const std::vector<std::string>& command, const fs::path& folder) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (i > 0 && run.role != Run::Role::search && is_option(command[i], "--method")) {
      i += command[i] == "--method";
      continue;
    }
    std::string& word = words.emplace_back(command[i]);
    for (std::size_t at = 0; (at = word.find("{run}", at)) != std::string::npos; at += folder.string().size()) {
      word.replace(at, 5, folder.string());
    }
  }
  const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  if (run.role != Run::Role::search) add({"--method", std::string(name_of(run.role))});
  add({"--memory", run.memory, "--latency", run.latency, "--seed", std::to_string(run.seed)});
  add({"--checkpoint", folder.string(), "--resume", "--report", (folder / "report.json").string()});
  return words;
}

/// What "command.json" in a run's folder says.
struct RunRecord {
  Run run;
  std::vector<std::string> command;  ///< what the sweep was called with after --

  bool operator==(const RunRecord&) const = default;
};

inline void save(const RunRecord& record, const fs::path& folder) {
  const Json json{{"role", name_of(record.run.role)},
                  {"memory", record.run.memory},
                  {"latency", record.run.latency},
                  {"seed", record.run.seed},
                  {"command", record.command}};
  write_file_atomically(folder / "command.json", json.dump(2) + "\n");
}

/// Throws FormatError where the file is not what `save` writes.
inline RunRecord load_record(const fs::path& folder) try {
  const nlohmann::json json = read_json(folder / "command.json");
  RunRecord record;
  const auto role = std::find(role_names.begin(), role_names.end(), json.at("role").get<std::string>());
  require<FormatError>(role != role_names.end(), "expected a role, got {}", json.at("role").dump());
  record.run = {.role = static_cast<Run::Role>(role - role_names.begin()),
                .memory = json.at("memory"),
                .latency = json.at("latency"),
                .seed = json.at("seed")};
  record.command = json.at("command").get<std::vector<std::string>>();
  return record;
} catch (const std::exception& error) {
  fail<FormatError>("sweep: expected what a run was started with in '{}', got: {}", (folder / "command.json").string(),
                    error.what());
}

/// The folders of all runs below `out`, by name.
inline std::vector<fs::path> run_folders(const fs::path& out) {
  std::vector<fs::path> folders;
  if (!fs::is_directory(out / "runs")) return folders;
  for (const auto& entry : fs::directory_iterator(out / "runs"))
    if (fs::exists(entry.path() / "command.json")) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

inline bool is_done(const fs::path& folder) { return fs::exists(folder / "report.json"); }

/// Whether a search has left its warm-up behind: that file does not change any more.
inline bool is_warm(const fs::path& folder) {
  return is_done(folder) || fs::exists(folder / "search.checkpoint") || fs::exists(folder / "fine-tuning.checkpoint");
}

/// Gives a search the warm-up of another one with the same command and seed, if there is one that has finished it.
inline bool share_warmup(const RunRecord& record, const fs::path& out, const fs::path& folder) {
  constexpr std::string_view file = "warm-up.checkpoint";
  if (record.run.role != Run::Role::search || fs::exists(folder / file)) return false;
  for (const fs::path& other : run_folders(out)) {
    if (!fs::exists(other / file) || !is_warm(other)) continue;
    const RunRecord with = load_record(other);
    if (with.run.role != Run::Role::search || with.run.seed != record.run.seed || with.command != record.command) continue;
    write_file_atomically(folder / file, read_file(other / file));
    return true;
  }
  return false;
}

/// The last lines of a log.
inline std::string last_lines(const fs::path& log, std::size_t lines) {
  std::string text = read_file(log);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t from = text.size();
  for (; lines > 0 && from != std::string::npos; --lines) from = from == 0 ? std::string::npos : text.rfind('\n', from - 1);
  return from == std::string::npos ? text : text.substr(from + 1);
}

}  // namespace siena::examples
