// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// A program as one of several ranks: mpirun -n 4 image_classification ...

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "say.hpp"
#ifdef SIENA_EXAMPLES_MPI
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <siena/mpi.hpp>
#include <vector>
#endif

namespace siena::examples {

/// The ranks that run this program together, where mpirun started it; else it is alone, and MPI is left asleep. Rank 0 alone
/// talks.
class Job {
 public:
  explicit Job(std::string program) : program_(std::move(program)) {
#ifdef SIENA_EXAMPLES_MPI
    if (!mpi::launched()) return;
    environment_.emplace();
    ranks_ = mpi::Ranks();
    if (ranks_.rank() == 0) return;
    errors_ = ::fdopen(::dup(STDERR_FILENO), "w");
    for (std::FILE* silenced : {stdout, stderr}) {
      if (std::freopen("/dev/null", "w", silenced) == nullptr) std::fclose(silenced);
    }
#endif
  }

  const AnyCommunicator& ranks() const { return ranks_; }

  /// Throws ArgumentError, on all ranks, where they are not the same program with the same command line.
  void require_alike([[maybe_unused]] int argc, [[maybe_unused]] char** argv) const {
    for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
      const char* size = std::getenv(variable);
      require<ArgumentError>(
          size == nullptr || std::atoi(size) == ranks_.size(),
          "mpirun: expected a program that was built for it, -DSIENA_MPI=ON with the MPI of this mpirun, got "
          "one that would run {} times by itself",
          size);
    }
#ifdef SIENA_EXAMPLES_MPI
    if (ranks_.alone()) return;
    require_same("program", format("build {:016x}", Fingerprint().add(read_file("/proc/self/exe")).value()));
    std::string line;
    for (int i = 1; i < argc; ++i) line += format("{}{}", i == 1 ? "" : " ", argv[i]);
    require_same("command line", std::move(line));
#endif
  }

  /// Gives the status of a program that went wrong, which is said once where it did so on all ranks: by `say_it`, if there is
  /// one. Where it did so on this rank alone, that says so and ends the others.
  int failed(int status, std::string_view what, const std::function<void()>& say_it = {}) {
#ifdef SIENA_EXAMPLES_MPI
    if (!ranks_.alone() && !environment_->all_end()) {
      say(errors_ != nullptr ? errors_ : stderr, "{}: rank {}: {}", program_, ranks_.rank(), what);
      environment_->abort(status);
    }
#endif
    say_it ? say_it() : say(stderr, "{}: {}", program_, what);
    return of_first(status);
  }
  /// The status of rank 0 is that of mpirun.
  int of_first(int status) const { return ranks_.rank() == 0 ? status : 0; }

 private:
#ifdef SIENA_EXAMPLES_MPI
  void require_same(const char* what, std::string mine) const {
    constexpr std::size_t said = 200;  // characters of it
    const std::vector<std::uint64_t> all = gather(ranks_, std::vector{Fingerprint().add(mine).value()});
    mine.resize(said);
    const std::vector<char> texts = gather(ranks_, std::vector<char>(mine.begin(), mine.end()));
    const auto of = [&](std::size_t rank) {
      const auto begin = texts.begin() + static_cast<std::ptrdiff_t>(rank * said), end = begin + said;
      return std::string(begin, std::find(begin, end, '\0'));
    };
    for (std::size_t rank = 1; rank < all.size(); ++rank)
      require<ArgumentError>(all[rank] == all[0],
                             "mpirun: expected the same {} on all {} ranks, got '{}' on rank 0 and '{}' on rank {}", what,
                             ranks_.size(), of(0), of(rank), rank);
  }

  std::optional<mpi::Environment> environment_;
  std::FILE* errors_ = nullptr;
#endif
  std::string program_;
  AnyCommunicator ranks_;
};

}  // namespace siena::examples
