// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
#include "siena/space/choice.hpp"
#include "siena/space/searchable.hpp"
#include "support/catch.hpp"
#include "support/rank_threads.hpp"

using namespace siena;

namespace {

const data::Splits& side_images() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 4, .height = 12, .width = 12, .channels = 2, .train = 96, .validation = 32, .test = 0});
  return splits;
}
Network side_network() {
  const auto conv = [](int out, int kernel) {
    return Searchable{Conv2d{.out = out, .kernel = kernel, .stride = 1}, Channels{}};
  };
  return Network({12, 12, 2}, [&](Flow x) {
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .stride = 2}, Channels{}} | BatchNorm{} | Relu{};
    x = x | Choice{Alternative{"3", [&](const Flow& y) { return y | conv(8, 3) | BatchNorm{} | Relu{}; }},
                   Alternative{"1", [&](const Flow& y) { return y | conv(8, 1) | BatchNorm{} | Relu{}; }}};
    return x | GlobalAvgPool{} | Linear{.out = 4};
  });
}
// The bytes of what a search finds.
std::string side_search(std::uint64_t seed, const AnyCommunicator& ranks = {}, Bytes bytes = {500}) {
  const SearchResult result = search(side_network(), side_images(), subject_to(MemoryBound{bytes}), Duccio{},
                                     {.warmup = 1,
                                      .epochs = 3,
                                      .batch = 32,
                                      .optimizer = Adam{.lr = 1e-2},
                                      .architecture = Adam{.lr = 5e-2},
                                      .seed = seed,
                                      .ranks = ranks});
  State state;
  result.network.save(state);
  return detail::state_bytes(state);
}

}  // namespace

TEST_CASE("search: two at once, in threads of one process, find what each finds alone") {
  const std::vector<std::string> alone{side_search(1), side_search(2)};
  CHECK(alone[0] != alone[1]);
  std::vector<std::string> beside(2);
  std::thread first([&] { beside[0] = side_search(1); }), second([&] { beside[1] = side_search(2); });
  first.join();
  second.join();
  CHECK(beside[0] == alone[0]);
  CHECK(beside[1] == alone[1]);
}

TEST_CASE("search: ranks find the same network, each on its part of every batch") {
  const auto found = [](int count) {
    std::vector<std::string> all(static_cast<std::size_t>(count));
    const auto errors = test::on_ranks(
        count, [&](int rank, const AnyCommunicator& ranks) { all[static_cast<std::size_t>(rank)] = side_search(1, ranks); });
    for (const auto& error : errors) CHECK(test::text_of(error).empty());
    return all;
  };
  CHECK(found(1)[0] == side_search(1));
  const auto two = found(2);
  CHECK_FALSE(two[0].empty());
  CHECK(two[0] == two[1]);
}

TEST_CASE("search: a rank with another bound is refused on all ranks") {
  const auto errors = test::on_ranks(
      2, [&](int rank, const AnyCommunicator& ranks) { (void)side_search(1, ranks, {rank == 0 ? 500.0 : 490.0}); });
  for (const auto& error : errors) CHECK_THAT(test::text_of(error), ContainsSubstring("search: expected all 2 ranks to begin"));
}
