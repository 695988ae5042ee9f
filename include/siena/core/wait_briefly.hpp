// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifdef __linux__
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#endif

namespace siena {

/// Lets threads that wait leave the cores to other programs; the first thing that `main` does, with its own `argv`. How long
/// libgomp's threads spin while they wait is read before `main`, and is far too long where others want the cores, too
/// (docs/performance.md). So the program says it and starts once more in its own place, unless GOMP_SPINCOUNT or
/// OMP_WAIT_POLICY are set. Does nothing without OpenMP, or where there is no Linux.
inline void wait_briefly([[maybe_unused]] char** argv) {
#if defined(__linux__) && defined(_OPENMP)
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  std::error_code none;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", none);  // by its name, which ps shows
  ::setenv("GOMP_SPINCOUNT", "10000", 1);
  ::execv(self.c_str(), argv);  // comes back only where it could not, and is slow then
#endif
}

}  // namespace siena
