// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

#include <cstddef>
#include <limits>
#include <span>
#include <string>

#include "siena/core/communicator.hpp"
#include "siena/core/error.hpp"

namespace siena::mpi {

/// The ranks of an MPI communicator, all of them by default; needs an Environment that outlives it. MPI moves bytes here and
/// adds nothing, so that every MPI gives the same bits.
class Ranks {
 public:
  explicit Ranks(MPI_Comm ranks = MPI_COMM_WORLD) : ranks_(ranks) {
    MPI_Comm_set_errhandler(ranks_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(ranks_, &rank_);
    MPI_Comm_size(ranks_, &size_);
  }
  int rank() const { return rank_; }
  int size() const { return size_; }
  void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    const int bytes = count(mine.size());
    check("MPI_Allgather", MPI_Allgather(mine.data(), bytes, MPI_BYTE, all.data(), bytes, MPI_BYTE, ranks_));
  }
  void all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) {
    const int bytes = count(mine.size() / static_cast<std::size_t>(size_));
    check("MPI_Alltoall", MPI_Alltoall(mine.data(), bytes, MPI_BYTE, all.data(), bytes, MPI_BYTE, ranks_));
  }
  void broadcast(std::span<std::byte> all, int root) {
    check("MPI_Bcast", MPI_Bcast(all.data(), count(all.size()), MPI_BYTE, root, ranks_));
  }

 private:
  static int count(std::size_t bytes) {
    require<ArgumentError>(bytes <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
                           "mpi: expected less than 2 GiB for a rank in a message, got {} bytes", bytes);
    return static_cast<int>(bytes);
  }
  static void check(const char* call, int code) {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    MPI_Error_string(code, text, &length);
    fail<DataError>("{}: expected all ranks to answer, got: {}", call, std::string(text, static_cast<std::size_t>(length)));
  }

  MPI_Comm ranks_;
  int rank_ = 0, size_ = 1;
};
static_assert(Communicator<Ranks>);

}  // namespace siena::mpi
