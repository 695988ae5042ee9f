// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// A program as one of several ranks: mpirun -n 4 image_classification ...

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
    Fingerprint words;
    for (int i = 1; i < argc; ++i) words.add(std::string_view(argv[i]));
    require_same("program", Fingerprint().add(read_file("/proc/self/exe")).value());
    require_same("command line", words.value());
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
  void require_same(const char* what, std::uint64_t mine) const {
    for (const std::uint64_t other : gather(ranks_, std::vector{mine}))
      require<ArgumentError>(other == mine, "mpirun: expected the same {} on all {} ranks, got others", what, ranks_.size());
  }

  std::optional<mpi::Environment> environment_;
  std::FILE* errors_ = nullptr;
#endif
  std::string program_;
  AnyCommunicator ranks_;
};

}  // namespace siena::examples
