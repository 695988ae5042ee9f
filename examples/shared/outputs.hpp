// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hours of work should not end with a file that cannot be written.

#include <filesystem>
#include <functional>
#include <map>
#include <siena/core.hpp>
#include <siena/train.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "onnx_file.hpp"

namespace siena::examples {

/// The file in the folder of checkpoints that says whose they are.
inline std::filesystem::path owner_file(const std::filesystem::path& checkpoints) { return checkpoints / "run.txt"; }

/// Throws what goes wrong as ArgumentError, with the option in the place of who found it.
inline void for_option(const char* option, const std::function<void()>& attempt) {
  try {
    attempt();
  } catch (const Error& error) {
    const std::string_view text = error.what();  // "write_file_atomically: expected ..."
    fail<ArgumentError>("{}: {}", option, text.substr(text.find(": ") + 2));
  }
}

/// Throws ArgumentError where no folder of checkpoints can be made, or it cannot be written; leaves no new one behind.
inline void check_checkpoint_folder(const std::filesystem::path& asked) {
  namespace fs = std::filesystem;
  std::error_code error, none;
  std::vector<fs::path> missing;  // the deepest first
  for (fs::path at = fs::absolute(asked); !fs::exists(at, none) && at.has_relative_path(); at = at.parent_path())
    missing.push_back(at);
  fs::create_directories(asked, error);
  if (!error) for_option("--checkpoint", [&] { check_can_write(owner_file(asked)); });
  for (const fs::path& made : missing) fs::remove(made, none);
  require<ArgumentError>(!error,
                         "--checkpoint: expected a folder that is there or can be made, got '{}': {}; name one in a folder "
                         "where you may write",
                         asked.string(), error.message());
}

/// Throws ArgumentError, which names the option, where an output cannot be written, or two are one file.
inline void check_outputs(const Settings& s) {
  namespace fs = std::filesystem;
  std::map<fs::path, const char*> named;
  for (const auto& [option, file] :
       {std::pair("--report", &s.report), {"--save", &s.save}, {"--onnx", &s.onnx}, {"--log", &s.log}}) {
    if (file->empty()) continue;
    for_option(option, [&, file = file] { file == &s.log ? (void)JsonLinesLog(*file) : check_can_write(*file); });
    const auto [other, is_new] = named.try_emplace(fs::weakly_canonical(fs::absolute(*file)), option);
    require<ArgumentError>(is_new, "{}: expected a file of its own, got '{}', as for {}", option, *file, other->second);
  }
  check_onnx(s.onnx);
  if (!s.checkpoint.empty()) check_checkpoint_folder(s.checkpoint);
}

}  // namespace siena::examples
