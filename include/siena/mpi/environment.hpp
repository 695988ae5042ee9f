// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

#include "siena/core/error.hpp"

namespace siena::mpi {

/// Whether this process was started as a rank: by mpirun, mpiexec or srun.
inline bool launched() {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "MV2_COMM_WORLD_RANK"})
    if (std::getenv(variable) != nullptr) return true;
  return false;
}

/// MPI, for as long as it lives: one a program, made by the thread that is to call it. A rank whose exception unwinds it ends
/// the whole job, unless all ranks do the same: else the others would wait for it for ever. It does so when its program ends,
/// so that whoever catches the exception has said it.
class Environment {
 public:
  explicit Environment(int* argc = nullptr, char*** argv = nullptr) : uncaught_(std::uncaught_exceptions()) {
    int provided = 0;
    const int code = MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    require<DataError>(code == MPI_SUCCESS && provided >= MPI_THREAD_FUNNELED,
                       "mpi: expected an MPI that starts and lets the thread that started it call it, got another");
    MPI_Comm_dup(MPI_COMM_WORLD, &endings_);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    if (std::uncaught_exceptions() > uncaught_ && !all_end()) {
      if (std::atexit(end_job) == 0) return;
      abort(2);
    }
    MPI_Finalize();
  }

  /// For a rank that cannot go on: whether all the others say the same within two seconds. Asked once.
  bool all_end() const {
    using Clock = std::chrono::steady_clock;
    constexpr auto patience = std::chrono::seconds(2);
    MPI_Request request;
    MPI_Ibarrier(endings_, &request);
    int done = 0;
    for (const auto start = Clock::now(); done == 0 && Clock::now() < start + patience;) {
      MPI_Test(&request, &done, MPI_STATUS_IGNORE);
      if (done == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return done != 0;
  }
  /// Ends all ranks now.
  [[noreturn]] static void abort(int status) {
    MPI_Abort(MPI_COMM_WORLD, status);
    std::abort();
  }

 private:
  static void end_job() {
    std::fflush(nullptr);
    abort(2);
  }

  int uncaught_;
  MPI_Comm endings_ = MPI_COMM_NULL;
};

}  // namespace siena::mpi
