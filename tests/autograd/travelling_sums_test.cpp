// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/travelling_sums.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "siena/core/tensor.hpp"
#include "support/catch.hpp"
#include "support/noted_ranks.hpp"
#include "support/rank_threads.hpp"

using namespace siena;

namespace {
Buffer<float> sum_of(std::size_t size, float value) {
  Buffer<float> rows(size);
  for (float& each : rows) each = value;
  return rows;
}
std::size_t begun(const test::Notes& notes) {
  std::size_t count = 0;
  for (const test::Note& note : *notes) count += note.what.empty() ? 0 : 1;
  return count;
}
}  // namespace

TEST_CASE("sums leave as soon as there are enough for a message, and reach their gradients together") {
  constexpr std::int64_t size = 10240;  // 40 KiB
  const auto errors = test::on_ranks(2, [&](int rank, const AnyCommunicator& threads) {
    const auto notes = std::make_shared<std::vector<test::Note>>();
    const Shards shards(2, test::NotedRanks(threads, notes));
    Tensor a(Shape{size}, 1.0f), b(Shape{size}), c(Shape{size}), small(Shape{16});
    TravellingSums<float> sums;
    std::vector<std::size_t> messages;
    const auto add = [&](Tensor& gradient, float value) {
      sums.add(shards, gradient, sum_of(gradient.storage().size(), value * static_cast<float>(rank + 1)));
      messages.push_back(begun(notes));
    };
    add(a, 1), add(b, 10), add(c, 100), add(a, 1000), add(small, 1);
    const bool untouched = *a.data() == 1 && *b.data() == 0;
    sums.arrive(shards);
    // The second bundle lets the first go on; the short rest is a single message.
    if (messages != std::vector<std::size_t>{0, 1, 1, 3, 3} || begun(notes) != 5) throw std::runtime_error("other messages");
    if (!untouched || *a.data() != 3004 || b.data()[size - 1] != 30 || *c.data() != 300 || small.data()[15] != 3)
      throw std::runtime_error("other sums");
    sums.arrive(shards);  // nothing is left
    if (*a.data() != 3004 || begun(notes) != 5) throw std::runtime_error("sums arrived twice");
  });
  for (const auto& error : errors) CHECK(test::text_of(error).empty());
}

TEST_CASE("the sums of one process wait for their end, too") {
  const Shards shards(4, {});
  Tensor gradient(Shape{4}, 1.0f);
  TravellingSums<float> sums;
  sums.add(shards, gradient, sum_of(gradient.storage().size(), 2));
  CHECK(*gradient.data() == 1);
  sums.arrive(shards);
  CHECK(*gradient.data() == 3);
}
