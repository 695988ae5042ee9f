// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two programs that write into one folder would each spoil what the other does.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace siena::examples {

/// Keeps others out of a folder until it goes, or the process ends, however it does. Programs that we start inherit it: while
/// one of them outlives us, nobody else writes where it writes.
class FolderLock {
 public:
  /// Throws DataError where another one has it: "who: expected to be alone in 'folder', got others; wait for its end".
  FolderLock(const std::filesystem::path& folder, std::string_view who, std::string_view others)
      : FolderLock(folder, who, others, LOCK_EX) {}
  /// Keeps out only who wants to be alone.
  static FolderLock shared(const std::filesystem::path& folder, std::string_view who, std::string_view others) {
    return {folder, who, others, LOCK_SH};
  }
  /// Whether somebody is alone in it. False where the file system has no locks, or only those of one machine.
  static bool is_held(const std::filesystem::path& folder) {
    const int descriptor = ::open((folder / ".lock").c_str(), O_RDWR | O_CLOEXEC);
    const bool held = descriptor >= 0 && ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (descriptor >= 0) ::close(descriptor);
    return held;
  }
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  FolderLock(const std::filesystem::path& folder, std::string_view who, std::string_view others, int operation)
      : descriptor_(::open((folder / ".lock").c_str(), O_RDWR | O_CREAT, 0666)) {
    require<DataError>(descriptor_ >= 0, "{}: expected a folder that may be written, got '{}': {}", who, folder.string(),
                       std::generic_category().message(errno));
    if (::flock(descriptor_, operation | LOCK_NB) == 0 || errno != EWOULDBLOCK)
      return;  // file systems without locks let all in
    ::close(descriptor_);
    fail<DataError>("{}: expected to be alone in '{}', got {}; wait for its end, or name another folder", who, folder.string(),
                    others);
  }

  int descriptor_;
};

}  // namespace siena::examples
