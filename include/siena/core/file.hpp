// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

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

/// While it lives, a write beyond the limit of file sizes (ulimit -f) fails, where it would end the program by SIGXFSZ.
class NoSizeSignal {
 public:
  NoSizeSignal() {
    ::sigemptyset(&only_);
    ::sigaddset(&only_, SIGXFSZ);
    ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
  }
  NoSizeSignal(const NoSizeSignal&) = delete;
  NoSizeSignal& operator=(const NoSizeSignal&) = delete;
  ~NoSizeSignal() {
    if (::sigismember(&before_, SIGXFSZ) == 1) return;  // blocked before us, too
    ::sigset_t pending;
    int taken = 0;
    if (::sigpending(&pending) == 0 && ::sigismember(&pending, SIGXFSZ) == 1) ::sigwait(&only_, &taken);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  ::sigset_t only_, before_;
};

/// What the names of this machine's temporary files begin with; a number of the process, one of the file and ".tmp" follow.
inline std::string temporary_prefix() {
  std::array<char, 65> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {};
  std::string text = siena::format(".siena-{}-", std::string_view(host.data()));
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

/// Removes what programs of this machine left behind when they were killed: who writes a temporary file holds a lock on it, and
/// locks are gone with their process. Where the file system has no locks, nothing can be said of a file, and it stays.
inline void remove_left_over(const std::filesystem::path& folder) {
  static std::mutex mutex;
  static std::vector<std::string> seen;  // once for each folder
  std::error_code error;
  {
    const std::string name = std::filesystem::absolute(folder, error).string();
    const std::lock_guard lock(mutex);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) return;
    seen.push_back(name);
  }
  const std::string prefix = temporary_prefix();
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    // "host-1-12-0.tmp" is none of the machine "host".
    if (!name.starts_with(prefix) ||
        std::count(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), name.end(), '-') != 1)
      continue;
    const OpenFile file(::open(at->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.is_open() && ::flock(file.descriptor(), LOCK_EX | LOCK_NB) == 0) ::unlink(at->path().c_str());
  }
}

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
    const NoSizeSignal held;
    constexpr std::size_t most = std::size_t{1} << 30;  // systems refuse more at once
    while (!bytes.empty()) {
      const ::ssize_t written = ::write(file_.descriptor(), bytes.data(), std::min(bytes.size(), most));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_with(errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void flush() {
    if (::fsync(file_.descriptor()) != 0 && errno != EINVAL) fail_with(errno);  // EINVAL: nothing to flush to
  }
  /// Renames to the target when every byte is on the disk: a crash leaves the old file or the new one, never a part.
  void commit() {
    flush();
    const OpenFile locked(::dup(file_.descriptor()));  // until it has its name: nobody takes it for one that was left behind
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
    remove_left_over(folder());
    while (true) {
      // A short name of its own: the target's name with an addition may be longer than the system allows.
      path_ = folder() / siena::format("{}{}-{}.tmp", temporary_prefix(), ::getpid(), counter++);
      const int descriptor = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
      if (descriptor >= 0) {
        if (lock(descriptor)) return descriptor;
        ::close(descriptor);
        continue;
      }
      if (errno == EEXIST || errno == EINTR) continue;
      const int code = errno;
      path_.clear();
      fail_with(code);
    }
  }

  /// False where another program was faster, and has removed it for one that was left behind.
  static bool lock(int descriptor) {
    while (::flock(descriptor, LOCK_EX) != 0 && errno == EINTR) {
    }
    struct ::stat status {};
    return ::fstat(descriptor, &status) != 0 || status.st_nlink > 0;
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

/// All bytes of a file. Throws DataError with the system's reason where there is no file, or it cannot be read, and where it
/// has more than `most` bytes: a device may have no end.
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

/// As read_file, but for files on a disk alone: a pipe that lies among the files of a data set would be waited for, a device
/// may have no end.
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
  if (std::filesystem::exists(status)) {
    require<DataError>(std::filesystem::is_regular_file(status),
                       "write_file_atomically: expected '{}' to be a regular file, got a device, a pipe or a socket", shown);
    // A rename asks only the folder for permission; a file that was made read-only is to stay.
    if (::access(path.c_str(), W_OK) != 0) {
      fail<DataError>("write_file_atomically: expected to write '{}', got: {}", shown, file_error(errno));
    }
  }
  std::filesystem::path target = path;  // a link may lead to a file that is still to be made; rings were refused above
  while (std::filesystem::is_symlink(std::filesystem::symlink_status(target, error))) {
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error) break;
    target = target.parent_path() / next;
  }
  return target;
}
}  // namespace detail

/// Whether a file is one that `write_file_atomically` was writing, under a name of its own: what a program leaves in a folder
/// when it is killed. The next program that writes there, on the same machine, removes it.
inline bool is_temporary_file(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return name.starts_with(".siena-") && name.ends_with(".tmp");
}

/// Throws what `write_file_atomically` would throw, but for a full disk, and leaves all as it is: to know before hours of work.
inline void check_can_write(const std::filesystem::path& path) {
  const detail::TemporaryFile removed(detail::file_to_write(path), path.string());
}

/// Writes a file whole or not at all: into a temporary file of the same folder, flushed to the disk, then renamed. Readers see
/// the old contents or the new ones. Throws DataError with the path and the system's reason; then the old file is as it was and
/// the temporary one is gone (that of a killed program when the next one writes there). A symbolic link is followed, also to a
/// file that is not there yet; only regular files are replaced. Contents may come in several parts.
inline void write_file_atomically(const std::filesystem::path& path, std::initializer_list<std::string_view> parts) {
  detail::TemporaryFile file(detail::file_to_write(path), path.string());
  for (const std::string_view part : parts) file.write(part);
  file.commit();
}
inline void write_file_atomically(const std::filesystem::path& path, std::string_view contents) {
  write_file_atomically(path, {contents});
}

struct FileContents {
  std::filesystem::path path;
  std::string_view contents;
};
/// Two files that belong together, as above: where one cannot be written, both are as they were.
inline void write_pair_atomically(const FileContents& first, const FileContents& second) {
  detail::TemporaryFile one(detail::file_to_write(first.path), first.path.string());
  detail::TemporaryFile two(detail::file_to_write(second.path), second.path.string());
  one.write(first.contents), two.write(second.contents);
  one.flush(), two.flush();
  one.commit(), two.commit();
}

}  // namespace siena
