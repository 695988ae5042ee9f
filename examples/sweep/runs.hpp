// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The runs of a sweep: what each is called, how its command line reads, and what its folder says of it.

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <siena/core.hpp>
#include <siena/core/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "shared/json_parts.hpp"

namespace siena::examples {

namespace fs = std::filesystem;

/// With how many bits a run computes; "" means floats.
struct RunBits {
  std::string weights = {};  ///< "4", "2,4,8" or "2,4,8:channel", where each output channel chooses
  std::string values = {};   ///< of what layers hand on: "8" or "4,8"

  auto operator<=>(const RunBits&) const = default;
  bool empty() const { return weights.empty() && values.empty(); }
  /// "bits-2-4-8-channel_values-4-8_", in the name of a folder.
  std::string name() const {
    std::string text = (weights.empty() ? "" : "bits-" + weights + "_") + (values.empty() ? "" : "values-" + values + "_");
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == ',' || c == ':'; }, '-');
    return text;
  }
  /// "2,4,8 per channel", "4, values 8", "values 8", "none"
  std::string to_string() const {
    const std::size_t colon = weights.find(':');
    std::string text = weights.substr(0, colon) + (colon == std::string::npos ? "" : " per " + weights.substr(colon + 1));
    if (!values.empty()) text += (text.empty() ? "values " : ", values ") + values;
    return text.empty() ? "none" : text;
  }
  /// For tables: what chooses nothing first, floats before wide ones before narrow ones.
  std::array<int, 3> place() const {
    const auto widest = [](const std::string& list) { return list.empty() ? 9 : std::stoi(widths(list).back()); };
    return {static_cast<int>(single().size()), -widest(weights), -widest(values)};
  }
  /// Each width of the one alone with each of the other, which is what networks have that choose nothing.
  std::vector<RunBits> single() const {
    std::vector<RunBits> all;
    for (const std::string& weight : widths(weights))
      for (const std::string& value : widths(values)) all.push_back({weight, value});
    return all;
  }

 private:
  /// Those in "2,4,8:channel", as texts; in "" floats alone.
  static std::vector<std::string> widths(std::string_view list) {
    list = list.substr(0, list.find(':'));
    std::vector<std::string> all;
    for (std::size_t comma = 0; comma != list.npos; list.remove_prefix(comma == list.npos ? 0 : comma + 1)) {
      comma = list.find(',');
      all.emplace_back(list.substr(0, comma));
    }
    return all;
  }
};

/// A search under two bounds, or what it is compared with: the program's uniform scaling under the same bounds, the
/// baseline network under none.
struct Run {
  enum class Role { search, uniform, baseline };
  Role role = Role::search;
  std::string memory = "none", latency = "none";  ///< as on the command line
  std::uint64_t seed = 0;
  RunBits bits = {};  ///< none: as the command has it

  bool operator==(const Run&) const = default;
  /// "bits-2-4-8_seed-0"
  std::string bits_and_seed() const { return bits.name() + format("seed-{}", seed); }
  /// "memory-50pc_latency-75pc_bits-2-4-8_seed-0": its folder.
  std::string name() const {
    if (role == Role::baseline) return "baseline_" + bits_and_seed();
    std::string text =
        format("{}memory-{}_latency-{}_{}", role == Role::uniform ? "uniform_" : "", memory, latency, bits_and_seed());
    for (std::size_t at = text.find('%'); at != std::string::npos; at = text.find('%')) text.replace(at, 1, "pc");
    return text;
  }
  /// "memory 50%, latency 75%, bits 2,4,8, seed 0"
  std::string to_string() const {
    const std::string rest = format("{}seed {}", bits.empty() ? "" : "bits " + bits.to_string() + ", ", seed);
    if (role == Role::baseline) return "baseline network, " + rest;
    return format("{}memory {}, latency {}, {}", role == Role::uniform ? "uniform, " : "", memory, latency, rest);
  }
};

inline constexpr std::array<std::string_view, 3> role_names{"search", "uniform", "baseline"};
inline std::string_view name_of(Run::Role role) { return role_names[static_cast<std::size_t>(role)]; }

/// Whether a word of a command line is `option`, with or without "=value".
inline bool is_option(std::string_view word, std::string_view option) {
  return word.starts_with(option) && (word.size() == option.size() || word[option.size()] == '=');
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
  if (const std::string& bits = run.bits.weights; !bits.empty()) {
    const std::size_t colon = std::min(bits.find(':'), bits.size());
    add({"--bits", bits.substr(0, colon)});
    if (colon < bits.size()) add({"--bits-per", bits.substr(colon + 1)});
  }
  if (!run.bits.values.empty()) add({"--activation-bits", run.bits.values});
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
                  {"bits", record.run.bits.weights},
                  {"activation_bits", record.run.bits.values},
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
                .seed = json.at("seed"),
                .bits = {json.value("bits", ""), json.value("activation_bits", "")}};
  record.command = json.at("command").get<std::vector<std::string>>();
  return record;
} catch (const std::exception& error) {
  fail<FormatError>("sweep: expected what a run was started with in '{}', got: {}", (folder / "command.json").string(),
                    error.what());
}

inline std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// A folder of this name must come from the same run of the same command.
inline void check_folder(const RunRecord& record, const fs::path& folder) {
  if (!fs::exists(folder / "command.json")) {
    // One that was killed before it had written that left no more than half of it.
    const auto is_ours = [](const fs::directory_entry& entry) { return is_temporary_file(entry.path()); };
    require<ArgumentError>(
        !fs::exists(folder) || std::all_of(fs::directory_iterator(folder), fs::directory_iterator(), is_ours) ||
            fs::exists(folder / "command.json"),  // another sweep has put it there meanwhile
        "sweep: expected '{}' to be ours, got one without command.json; take another --out, or remove that folder",
        folder.string());
    return;
  }
  const RunRecord found = load_record(folder);
  require<ArgumentError>(found == record,
                         "sweep: expected '{}' to be made by the same command, got one made by '{}'; take another --out, or "
                         "remove that folder",
                         folder.string(), joined(found.command));
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

/// Whether two searches begin with the same warm-up: the layers that it trains have their bits already.
inline bool same_warmup(const Run& a, const Run& b) {
  return a.role == Run::Role::search && b.role == Run::Role::search && a.seed == b.seed && a.bits == b.bits;
}

/// The finished warm-up of another search with the same command, seed and bits, if there is one.
inline std::optional<fs::path> warmup_for(const RunRecord& record, const fs::path& out) {
  for (const fs::path& other : run_folders(out)) {
    const fs::path file = other / "warm-up.checkpoint";
    if (!fs::exists(file) || !is_warm(other)) continue;
    const RunRecord with = load_record(other);
    if (same_warmup(with.run, record.run) && with.command == record.command) return file;
  }
  return std::nullopt;
}

/// Gives it to a search that has not begun one of its own.
inline void share_warmup(const RunRecord& record, const fs::path& out, const fs::path& folder) {
  const fs::path own = folder / "warm-up.checkpoint";
  if (record.run.role != Run::Role::search || fs::exists(own)) return;
  if (const auto file = warmup_for(record, out)) write_file_atomically(own, read_file(*file));
}

/// "planned.json": the names of all runs that the last sweep in this folder was asked for.
inline void save_plan(const std::vector<Run>& runs, const fs::path& out) {
  Json names = Json::array();
  for (const Run& run : runs) names.push_back(run.name());
  write_file_atomically(out / "planned.json", names.dump(1) + "\n");
}
/// None where there is none, or none that can be read.
inline std::vector<std::string> load_plan(const fs::path& out) {
  try {
    return read_json(out / "planned.json").get<std::vector<std::string>>();
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace siena::examples
