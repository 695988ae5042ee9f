// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Other programs, started, waited for and told to stop. POSIX.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace siena::examples {

inline std::string system_error(int code) { return std::error_code(code, std::generic_category()).message(); }

/// While it lives, SIGINT, SIGTERM, SIGHUP and SIGUSR1 are noted instead of ending the program, but where our caller ignores
/// them, as nohup does. They come through only in `wait`, so that none is missed between a look and a wait.
class Signals {
 public:
  Signals() {
    ::sigset_t held;
    ::sigemptyset(&held);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      ::sigaction(numbers[i], nullptr, &actions_[i]);
      if (actions_[i].sa_handler == SIG_IGN && numbers[i] != SIGCHLD) continue;
      struct ::sigaction action {};
      action.sa_handler = [](int signal) {
        if (signal != SIGCHLD) noted_ = signal;
      };
      ::sigaddset(&held, numbers[i]);
      ::sigaction(numbers[i], &action, nullptr);
    }
    ::sigprocmask(SIG_BLOCK, &held, &before_);
  }
  Signals(const Signals&) = delete;
  ~Signals() {
    for (std::size_t i = 0; i < numbers.size(); ++i) ::sigaction(numbers[i], &actions_[i], nullptr);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

  /// Returns when a signal has come, a child has ended, or the time is over.
  void wait(std::chrono::milliseconds longest) const {
    const ::timespec time{.tv_sec = longest.count() / 1000, .tv_nsec = longest.count() % 1000 * 1'000'000};
    ::pselect(0, nullptr, nullptr, nullptr, &time, &before_);
  }
  /// The signal noted since the last call; 0: none.
  int take() { return std::exchange(noted_, 0); }
  const ::sigset_t& before() const { return before_; }

 private:
  static constexpr std::array<int, 5> numbers{SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD};
  static inline volatile ::sig_atomic_t noted_ = 0;
  std::array<struct ::sigaction, numbers.size()> actions_{};  ///< before
  ::sigset_t before_{};
};

/// An environment without what makes its process a rank: a sweep may be one of several that srun or mpirun started, what it
/// starts runs by itself, or by an mpirun of its own.
inline std::vector<char*> without_ranks(char** environment) {
  std::vector<char*> kept;
  for (; *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    const auto begins = [&](std::string_view with) { return variable.starts_with(with); };
    const auto of_a_rank = {"OMPI_COMM_WORLD_", "OMPI_UNIVERSE_SIZE=", "OMPI_MCA_ess_", "OMPI_MCA_orte_", "PMIX_", "PMI_",
                            "MV2_COMM_"};
    if (std::none_of(of_a_rank.begin(), of_a_rank.end(), begins)) kept.push_back(*environment);
  }
  kept.push_back(nullptr);
  return kept;
}

/// Starts a program, without a shell: its words are what it gets. What it prints is appended to `log`. It has a process group
/// of its own, so that Ctrl-C reaches it once, through us. Throws DataError where it cannot be started.
inline ::pid_t start(const std::vector<std::string>& words, const std::filesystem::path& log, const Signals& signals) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));  // exec does not write them
  arguments.push_back(nullptr);

  ::posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  ::posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setsigmask(&attributes, &signals.before());
  ::sigset_t usual;  // what we outlive is not theirs to
  ::sigemptyset(&usual);
  for (const int number : {SIGPIPE, SIGXFSZ}) ::sigaddset(&usual, number);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::pid_t child = 0;
  std::vector<char*> surroundings = without_ranks(environ);
  const int code = ::posix_spawnp(&child, arguments[0], &files, &attributes, arguments.data(), surroundings.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  require<DataError>(code == 0, "sweep: expected to start '{}', got: {}", words[0], system_error(code));
  return child;
}

struct Ended {
  ::pid_t child = 0;
  int status = 0;  ///< as shells have it: 128 + the signal that killed it
};

/// A child that has ended, if there is one.
inline std::optional<Ended> ended() {
  int status = 0;
  const ::pid_t child = ::waitpid(-1, &status, WNOHANG);
  if (child <= 0) return std::nullopt;
  return Ended{child, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)};
}

}  // namespace siena::examples
