// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// "failed.json" in the folder of a run: how often it has failed, and where.

#include <cstddef>
#include <exception>
#include <siena/core.hpp>
#include <siena/core/json.hpp>
#include <string>
#include <vector>

#include "sweep/claim.hpp"
#include "sweep/runs.hpp"

namespace siena::examples {

/// The machines on which a run has failed since it was last done, one for each time.
struct Failures {
  static constexpr std::size_t most = 3;  ///< after which sweeps that share a folder leave it alone

  std::vector<std::string> where;

  static fs::path file(const fs::path& folder) { return folder / "failed.json"; }
  /// None where nobody has written any, or what is there cannot be read: it counts as tried for the first time.
  static Failures load(const fs::path& folder) {
    if (!fs::exists(file(folder))) return {};
    try {
      return {read_json(file(folder)).at("where").get<std::vector<std::string>>()};
    } catch (const std::exception&) {
      return {};
    }
  }
  bool too_many() const { return where.size() >= most; }
  /// One more, on this machine.
  static void add(const fs::path& folder) {
    Failures all = load(folder);
    all.where.push_back(host_name());
    write_file_atomically(file(folder), Json{{"where", all.where}}.dump() + "\n");
  }
  static void forget(const fs::path& folder) { fs::remove(file(folder)); }
  /// "3 times (node1, node1, node2)"
  std::string to_string() const {
    std::string hosts;
    for (const std::string& host : where) hosts += (hosts.empty() ? "" : ", ") + host;
    return format("{} {} ({})", where.size(), where.size() == 1 ? "time" : "times", hosts);
  }
};

}  // namespace siena::examples
