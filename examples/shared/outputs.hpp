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

#include "command_line.hpp"
#include "onnx_file.hpp"

namespace siena::examples {

/// Throws what goes wrong as ArgumentError, with the option in the place of who found it.
inline void for_option(const char* option, const std::function<void()>& attempt) {
  try {
    attempt();
  } catch (const Error& error) {
    const std::string_view text = error.what();  // "write_file_atomically: expected ..."
    const std::size_t who = text.find(": ");
    fail<ArgumentError>("{}: {}", option, who == text.npos ? text : text.substr(who + 2));
  }
}

/// For what goes wrong in the middle of a run: names the option whose file, or folder, the error is about.
template <class Work>
auto for_options(const Settings& s, const Work& work) {
  try {
    return work();
  } catch (const DataError& error) {
    const std::string text = error.what();
    for (const auto& [option, path] : {std::pair("--checkpoint", s.checkpoint.string()), {"--log", s.log}}) {
      const bool named = text.find("'" + path + "/") != text.npos || text.find("'" + path + "'") != text.npos;
      if (!path.empty() && named) for_option(option, [&] { throw error; });
    }
    throw;
  }
}

/// Throws ArgumentError, which names the option, where an output cannot be written, or is also something else: another output,
/// what the run begins with (which --save may replace), or a part of its checkpoints.
inline void check_outputs(const Settings& s) {
  namespace fs = std::filesystem;
  const auto place = [](const fs::path& file) {
    std::error_code none;  // a pipe has no such path
    const fs::path path = fs::weakly_canonical(fs::absolute(file), none);
    return none ? fs::absolute(file) : path;
  };
  std::map<fs::path, const char*> taken;
  if (!s.c.empty())
    for (const fs::path& file : c_files(s.c)) taken.try_emplace(place(file), "--c");
  for (const auto& [option, file] :
       {std::pair("--network", &s.network), {"--init", &s.init}, {"--teacher", &s.objective.teacher}})
    if (!file->empty() && (s.save.empty() || place(*file) != place(s.save))) taken.try_emplace(place(*file), option);
  for (const auto& [option, file] : {std::pair("--report", &s.report),
                                     {"--html", &s.html},
                                     {"--save", &s.save},
                                     {"--onnx", &s.onnx.path},
                                     {"--onnx-int8", &s.onnx.int8},
                                     {"--log", &s.log}}) {
    if (file->empty()) continue;
    const fs::path path = place(*file);
    const auto [other, is_new] = taken.try_emplace(path, option);
    require<ArgumentError>(is_new, "{}: expected a file of its own, got '{}', as for {}", option, *file, other->second);
    const bool kept = path.filename() == "run.txt" || path.filename() == ".lock" || path.extension() == ".checkpoint";
    require<ArgumentError>(!kept || s.checkpoint.empty() || path.parent_path() != place(s.checkpoint),
                           "{}: expected a file of its own, got '{}', which --checkpoint keeps", option, *file);
    for_option(option, [&, file = file] { file == &s.log ? (void)JsonLinesLog(*file) : check_can_write(*file); });
  }
  check_onnx(s.onnx);
}

}  // namespace siena::examples
