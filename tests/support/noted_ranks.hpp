// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// A communicator that keeps a record of what it is asked for.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/communicator.hpp"

namespace siena::test {

/// The beginning of a message, or the end of waiting for it.
struct Note {
  std::string what;     ///< all_gather, all_to_all or broadcast; "" when its result is there
  std::size_t message;  ///< which one, counted from 0
  std::size_t bytes;    ///< that this rank gives
};
using Notes = std::shared_ptr<std::vector<Note>>;

/// Hands on what another communicator does, and notes it down.
class NotedRanks {
 public:
  NotedRanks(AnyCommunicator ranks, Notes notes) : ranks_(std::move(ranks)), notes_(std::move(notes)) {}
  int rank() const { return ranks_.rank(); }
  int size() const { return ranks_.size(); }
  Message all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    return noted("all_gather", mine.size(), ranks_.all_gather(mine, all));
  }
  Message all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) {
    return noted("all_to_all", mine.size(), ranks_.all_to_all(mine, all));
  }
  Message broadcast(std::span<std::byte> all, int root) { return noted("broadcast", all.size(), ranks_.broadcast(all, root)); }

 private:
  struct UnderWay {
    Message message;
    Notes notes;
    std::size_t number;
    void wait() {
      message.wait();
      notes->push_back({"", number, 0});
    }
  };
  Message noted(std::string_view what, std::size_t bytes, Message message) {
    notes_->push_back({std::string(what), messages_, bytes});
    return Message(UnderWay{std::move(message), notes_, messages_++});
  }

  AnyCommunicator ranks_;
  Notes notes_;
  std::size_t messages_ = 0;
};

}  // namespace siena::test
