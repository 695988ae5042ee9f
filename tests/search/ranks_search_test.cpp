// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/noted_ranks.hpp"
#include "support/rank_threads.hpp"
#include "support/shared_searches.hpp"

using namespace siena;

namespace {

// What one of two ranks is asked for in a step of a training.
std::size_t messages_of(const Network& network) {
  const auto notes = std::make_shared<std::vector<test::Note>>();
  std::size_t before = 0, after = 0;
  const auto errors = test::on_ranks(2, [&](int rank, const AnyCommunicator& ranks) {
    Network mine = network;
    FitOptions options{.epochs = 1, .batch = 37, .ranks = ranks};
    if (rank == 0) {
      options.ranks = test::NotedRanks(ranks, notes);
      options.objective.before_step = [&](StepContext&) { before = notes->size(); };
      options.objective.after_step = [&](StepContext&) { after = notes->size(); };
    }
    fit(mine, {.train = test::shared_images().train, .validation = {}, .test = {}}, options);
  });
  for (const auto& error : errors) CHECK(test::text_of(error).empty());
  return (after - before) / 2;  // each begins and ends
}

}  // namespace

TEST_CASE("search: what masks and bits make of weights travels with the gradients of others") {
  const std::size_t plain = messages_of(test::plain_shared());
  CHECK(plain == 7);  // two norms, forwards and back, the loss, what the batch came to, and all gradients
  for (const bool bits : {false, true}) {
    Network network = test::plain_shared();
    if (bits) network = with_activation_bits(with_bits(std::move(network), {.per = Bits::Per::channel}), {});
    SearchSpace::install(network);
    CHECK(messages_of(network) == plain);
  }
}

TEST_CASE("search: ranks find what one process with as many shards does, by every method") {
  constexpr int shards = 12;
  std::set<std::string> different;
  for (const test::SharedSearch& searched : test::shared_searches()) {
    INFO(searched.name);
    const std::string alone = test::found_with(searched, {}, shards);
    CHECK(different.insert(alone).second);
    for (const int count : {2, 3, 4}) {
      std::vector<std::string> found(static_cast<std::size_t>(count));
      const auto errors = test::on_ranks(count, [&](int rank, const AnyCommunicator& ranks) {
        found[static_cast<std::size_t>(rank)] = test::found_with(searched, ranks, shards);
      });
      for (const auto& error : errors) CHECK(test::text_of(error).empty());
      for (const std::string& one : found) CHECK(one == alone);
    }
  }
}
