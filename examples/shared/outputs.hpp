// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hours of work should not end with a file that cannot be written.

#include <filesystem>
#include <map>
#include <siena/core.hpp>
#include <siena/train.hpp>
#include <string>
#include <utility>

#include "command_line.hpp"
#include "onnx_file.hpp"

namespace siena::examples {

/// The file in the folder of checkpoints that says whose they are.
inline std::filesystem::path owner_file(const std::filesystem::path& checkpoints) { return checkpoints / "run.txt"; }

/// Throws ArgumentError, which names the option, where an output cannot be written, or two are one file.
inline void check_outputs(const Settings& s) {
  namespace fs = std::filesystem;
  const auto check = [](const char* option, const auto& attempt) {
    try {
      attempt();
    } catch (const Error& error) {
      fail<ArgumentError>("{}: {}", option, error.what());
    }
  };
  std::map<fs::path, const char*> named;
  for (const auto& [option, file] :
       {std::pair("--report", &s.report), {"--save", &s.save}, {"--onnx", &s.onnx}, {"--log", &s.log}}) {
    if (file->empty()) continue;
    check(option, [&, file = file] { file == &s.log ? (void)JsonLinesLog(*file) : check_can_write(*file); });
    const auto [other, is_new] = named.try_emplace(fs::weakly_canonical(fs::absolute(*file)), option);
    require<ArgumentError>(is_new, "{}: expected a file of its own, got '{}', as for {}", option, *file, other->second);
  }
  check_onnx(s.onnx);
  if (s.checkpoint.empty()) return;
  fs::path folder = fs::absolute(s.checkpoint);
  while (!fs::exists(folder) && folder.has_relative_path()) folder = folder.parent_path();
  check("--checkpoint", [&] { check_can_write(owner_file(folder)); });
}

}  // namespace siena::examples
