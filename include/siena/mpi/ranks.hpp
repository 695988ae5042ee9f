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

namespace detail {
inline void check(const char* call, int code) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  fail<DataError>("{}: expected all ranks to answer, got: {}", call, std::string(text, static_cast<std::size_t>(length)));
}
}  // namespace detail

/// The ranks of an MPI communicator, all of them by default; needs an Environment that outlives it. MPI moves bytes here and
/// adds nothing, so that every MPI gives the same bits. Messages are under way when a call returns; waiting for one lets MPI
/// work on the others, too.
class Ranks {
 public:
  explicit Ranks(MPI_Comm ranks = MPI_COMM_WORLD) : ranks_(ranks) {
    MPI_Comm_set_errhandler(ranks_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(ranks_, &rank_);
    MPI_Comm_size(ranks_, &size_);
  }
  int rank() const { return rank_; }
  int size() const { return size_; }
  Message all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    const int bytes = count(mine.size());
    return start("MPI_Iallgather", MPI_Iallgather, mine.data(), bytes, MPI_BYTE, all.data(), bytes, MPI_BYTE);
  }
  Message all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) {
    const int bytes = count(mine.size() / static_cast<std::size_t>(size_));
    return start("MPI_Ialltoall", MPI_Ialltoall, mine.data(), bytes, MPI_BYTE, all.data(), bytes, MPI_BYTE);
  }
  Message broadcast(std::span<std::byte> all, int root) {
    return start("MPI_Ibcast", MPI_Ibcast, all.data(), count(all.size()), MPI_BYTE, root);
  }

 private:
  struct UnderWay {
    const char* call;
    MPI_Request request;
    void wait() { detail::check(call, MPI_Wait(&request, MPI_STATUS_IGNORE)); }
  };
  template <class Call, class... Arguments>
  Message start(const char* name, Call call, Arguments... arguments) {
    UnderWay message{name, MPI_REQUEST_NULL};
    detail::check(name, call(arguments..., ranks_, &message.request));
    return Message(message);
  }
  static int count(std::size_t bytes) {
    require<ArgumentError>(bytes <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
                           "mpi: expected less than 2 GiB for a rank in a message, got {} bytes", bytes);
    return static_cast<int>(bytes);
  }

  MPI_Comm ranks_;
  int rank_ = 0, size_ = 1;
};
static_assert(Communicator<Ranks>);

}  // namespace siena::mpi
