// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who does what, where sweeps on any machines share a folder. It takes files that are made by one alone (O_EXCL), and rename:
// no locks, which may be local to each machine, and no times, which machines do not agree on. POSIX.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace siena::examples {

/// What stands in the file of a claim: "node7 4242 5f3a9c01d2e4b677 120 0000000012", the third of them chosen at random, the
/// fourth the seconds for which its owner wants to be waited for, then the run whose program works under it.
struct ClaimText {
  std::string host, process, number, renewals, run;
  std::chrono::seconds patience{0};

  /// None in what is no claim, or one whose maker has not come to write it.
  static std::optional<ClaimText> parse(std::string_view text) {
    ClaimText claim;
    std::string seconds;
    for (std::string* word : {&claim.host, &claim.process, &claim.number, &seconds, &claim.renewals, &claim.run}) {
      const std::size_t end = text.find(word == &claim.renewals || word == &claim.run ? '\n' : ' ');
      if (end == text.npos) return std::nullopt;
      *word = text.substr(0, end);
      text.remove_prefix(end + 1);
    }
    claim.patience = std::chrono::seconds(std::strtol(seconds.c_str(), nullptr, 10));
    if (claim.patience.count() <= 0) return std::nullopt;
    return claim;
  }
};

inline std::string host_name() {
  std::array<char, 65> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "unknown";
}
/// "node7 4242 5f3a9c01d2e4b677 ": this process, as no other one was ever called: numbers of processes come again.
inline std::string unique_words() {
  std::random_device random;
  return format("{} {} {:016x} ", host_name(), ::getpid(), std::uint64_t{random()} << 32 | random());
}

/// A file that one process of all machines has made, which says that it is at something. It must be renewed: others watch
/// whether it changes. Gone when this is.
class Claim {
 public:
  /// None: there is one already. Others are to wait for `patience` when it does not change. Throws DataError where it cannot be
  /// written.
  static std::optional<Claim> make(const std::filesystem::path& file, std::string_view run, std::chrono::seconds patience) {
    Claim claim(file, ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666), run, patience);
    if (claim.descriptor_ < 0 && errno == EEXIST) return std::nullopt;
    require<DataError>(claim.descriptor_ >= 0 && claim.write(), "sweep: expected to write '{}', got: {}", file.string(),
                       std::generic_category().message(errno));
    return claim;
  }
  Claim(Claim&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        who_(std::move(other.who_)),
        run_(std::move(other.run_)),
        renewals_(other.renewals_) {}
  Claim& operator=(Claim&& other) noexcept {
    std::swap(path_, other.path_), std::swap(descriptor_, other.descriptor_), std::swap(who_, other.who_);
    std::swap(run_, other.run_), std::swap(renewals_, other.renewals_);
    return *this;
  }
  ~Claim() {
    if (descriptor_ < 0) return;
    if (text_of(path_).starts_with(who_)) ::unlink(path_.c_str());
    ::close(descriptor_);
  }

  /// False: another one has taken it over. That a disk is full or away for a while is no reason to give it up.
  bool renew() {
    const std::string text = text_of(path_);  // none: not to be read for a moment, or aside; should it be gone, that costs time
    if (!text.empty() && !text.starts_with(who_)) return false;
    ++renewals_;
    (void)write();  // into the file that is ours: should it be taken over just now, that of the other one stays as it is
    return true;
  }
  /// "": there is none.
  static std::string text_of(const std::filesystem::path& file) {
    try {
      return read_file(file);
    } catch (const DataError&) {
      return {};
    }
  }

 private:
  Claim(std::filesystem::path path, int descriptor, std::string_view run, std::chrono::seconds patience)
      : path_(std::move(path)), descriptor_(descriptor), who_(unique_words() + format("{} ", patience.count())), run_(run) {}
  /// All texts of a claim have one length. Network file systems show others what was flushed.
  bool write() const {
    const std::string text = format("{}{:010}\n{}\n", who_, renewals_, run_);
    return ::pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<::ssize_t>(text.size()) &&
           ::fsync(descriptor_) == 0;
  }

  std::filesystem::path path_;
  int descriptor_;
  std::string who_, run_;
  std::uint32_t renewals_ = 0;
};

}  // namespace siena::examples
