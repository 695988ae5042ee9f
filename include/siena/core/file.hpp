// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "siena/core/error.hpp"

namespace siena {

namespace detail {

inline std::string file_error(int code) { return std::error_code(code, std::generic_category()).message(); }

/// Owns a descriptor of the system.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { close(); }

  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  /// Network file systems report a failed write as late as here. The descriptor is gone either way.
  bool close() { return descriptor_ < 0 || ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

/// A new file beside the target, removed again unless it took the target's place.
class TemporaryFile {
 public:
  /// `target` has no symbolic link as its last part; `shown` is what the caller called it.
  TemporaryFile(std::filesystem::path target, std::string shown)
      : target_(std::move(target)), shown_(std::move(shown)), file_(create()) {
    struct ::stat old {};
    // The new file may be read by whoever might read the old one; a system that refuses leaves the default.
    if (::stat(target_.c_str(), &old) == 0) (void)!::fchmod(file_.descriptor(), old.st_mode & 0777);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void write(std::string_view bytes) {
    constexpr std::size_t most = std::size_t{1} << 30;  // systems refuse more at once
    while (!bytes.empty()) {
      const ::ssize_t written = ::write(file_.descriptor(), bytes.data(), std::min(bytes.size(), most));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_with(errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  /// Renames to the target when every byte is on the disk: a crash leaves the old file or the new one, never a part.
  void commit() {
    if (::fsync(file_.descriptor()) != 0 && errno != EINVAL) fail_with(errno);  // EINVAL: nothing to flush to
    if (!file_.close()) fail_with(errno);
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail_with(errno);
    path_.clear();
    const OpenFile directory(::open(folder().c_str(), O_RDONLY | O_CLOEXEC));
    if (directory.is_open()) (void)::fsync(directory.descriptor());  // the file is in place: no failure any more
  }

 private:
  std::filesystem::path folder() const { return target_.has_parent_path() ? target_.parent_path() : "."; }

  int create() {
    static std::atomic<unsigned> counter{0};
    while (true) {
      // A short name of its own: the target's name with an addition may be longer than the system allows.
      path_ = folder() / siena::format(".siena-{}-{}.tmp", ::getpid(), counter++);
      const int descriptor = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
      if (descriptor >= 0) return descriptor;
      if (errno == EEXIST || errno == EINTR) continue;
      const int code = errno;
      path_.clear();
      fail_with(code);
    }
  }

  [[noreturn]] void fail_with(int code) const {
    fail<DataError>("write_file_atomically: expected to write '{}', got: {}{}; what was there before is unchanged", shown_,
                    file_error(code),
                    code == ENOENT && !std::filesystem::is_directory(folder())
                        ? siena::format(" (no folder '{}')", folder().string())
                        : std::string());
  }

  std::filesystem::path target_;
  std::string shown_;
  std::filesystem::path path_;
  OpenFile file_;
};

}  // namespace detail

/// All bytes of a file. Throws DataError with the system's reason where there is no file, or it cannot be read, and where it has
/// more than `most` bytes: a device may have no end.
inline std::string read_file(const std::filesystem::path& path, std::size_t most = static_cast<std::size_t>(-1)) {
  const auto give_up = [&](const std::string& reason) {
    fail<DataError>("read_file: expected to read the file '{}', got: {}", path.string(), reason);
  };
  const detail::OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) give_up(detail::file_error(errno));
  struct ::stat status {};
  if (::fstat(file.descriptor(), &status) != 0) give_up(detail::file_error(errno));
  if (S_ISDIR(status.st_mode)) give_up("it is a directory");
  const auto check_size = [&](std::size_t size) {
    if (size > most) give_up(siena::format("more than {} bytes", most));
  };
  check_size(static_cast<std::size_t>(std::max<::off_t>(status.st_size, 0)));

  // The size is a guess: files of the kernel and pipes have none, and another program may be writing. One byte more than the
  // guess, so that a file of that size ends in the first turn.
  std::string bytes(static_cast<std::size_t>(std::max<::off_t>(status.st_size, 4095)) + 1, '\0');
  std::size_t size = 0;
  while (true) {
    if (size == bytes.size()) bytes.resize(2 * size);
    const ::ssize_t count = ::read(file.descriptor(), bytes.data() + size, std::min(bytes.size() - size, std::size_t{1} << 30));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) give_up(detail::file_error(errno));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
    check_size(size);
  }
  bytes.resize(size);
  return bytes;
}

/// As read_file, but for files on a disk alone: a pipe that lies among the files of a data set would be waited for, a device may
/// have no end.
inline std::string read_regular_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  require<DataError>(!std::filesystem::is_other(status),
                     "read_file: expected to read the file '{}', got: a device, a pipe or a socket", path.string());
  return read_file(path);
}

namespace detail {
/// The file that takes the contents of `path`, behind symbolic links. Throws DataError where none may be written there.
inline std::filesystem::path file_to_write(const std::filesystem::path& path) {
  const std::string shown = path.string();
  require<DataError>(path.has_filename(), "write_file_atomically: expected the name of a file, got '{}'", shown);
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  require<DataError>(!std::filesystem::is_directory(status),
                     "write_file_atomically: expected to write the file '{}', got: it is a directory", shown);
  require<DataError>(std::filesystem::status_known(status), "write_file_atomically: expected to write '{}', got: {}", shown,
                     error.message());  // a name that is too long
  if (!std::filesystem::exists(status)) return path;
  require<DataError>(std::filesystem::is_regular_file(status),
                     "write_file_atomically: expected '{}' to be a regular file, got a device, a pipe or a socket", shown);
  // A rename asks only the folder for permission; a file that was made read-only is to stay.
  if (::access(path.c_str(), W_OK) != 0) {
    fail<DataError>("write_file_atomically: expected to write '{}', got: {}", shown, file_error(errno));
  }
  std::filesystem::path target;
  if (std::filesystem::is_symlink(path, error)) target = std::filesystem::canonical(path, error);
  return target.empty() ? path : target;
}
}  // namespace detail

/// Throws what `write_file_atomically` would throw, but for a full disk, and leaves all as it is: to know before hours of work.
inline void check_can_write(const std::filesystem::path& path) {
  const detail::TemporaryFile removed(detail::file_to_write(path), path.string());
}

/// Writes a file whole or not at all: into a temporary file of the same folder, flushed to the disk, then renamed. Readers see
/// the old contents or the new ones. Throws DataError with the path and the system's reason; then the old file is as it was and
/// the temporary one is gone. A symbolic link is followed; only regular files are replaced. Contents may come in several parts.
inline void write_file_atomically(const std::filesystem::path& path, std::span<const std::string_view> parts) {
  detail::TemporaryFile file(detail::file_to_write(path), path.string());
  for (const std::string_view part : parts) file.write(part);
  file.commit();
}
inline void write_file_atomically(const std::filesystem::path& path, std::string_view contents) {
  write_file_atomically(path, std::span<const std::string_view>(&contents, 1));
}
inline void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> contents) {
  write_file_atomically(path, std::string_view(reinterpret_cast<const char*>(contents.data()), contents.size()));
}

}  // namespace siena
