// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/search/exchange.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "search/small.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/core/random.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/search/search_phase.hpp"
#include "support/catch.hpp"

using namespace siena;
using test::Small;

TEST_CASE("exchange: channels that are worth little make room for others") {
  Small small;
  small.set_importance("a", {5, 5, 4, 3, 3, 3, 3, 3});
  small.set_importance("b", std::vector<float>(8, 0.01f));
  Selection some = small.all();
  for (std::size_t c = 2; c < 8; ++c) some["channels"][static_cast<std::size_t>(small.a)][c] = false;  // 102 weights
  const auto exchanged = [&](double limit, const PriceOf& price = {}) {
    return exchange({small.network, small.space, subject_to(AtMost{Params{}, limit}), price}, some);
  };
  const Selection kept = exchanged(109);  // 7 are too few for a channel of "a", but four of "b" make room
  CHECK(small.keep(kept, small.a) == std::vector<bool>{1, 1, 1, 0, 0, 0, 0, 0});
  CHECK(ChannelMasks::count(kept, small.b) == 4);
  CHECK(small.cost(kept) == 109);
  const auto bounds = subject_to(AtMost{Params{}, 109});
  MultiConstraint<Duccio> constraints(bounds, Duccio{});
  constraints.start(1, describe(small.network, small.space, small.all()), 1);
  for (const bool exchanges : {false, true}) {
    SearchPhase<Duccio> phase(small.network, small.space, constraints, {.exchange = exchanges});
    small.space.select(small.network, some);
    phase.settle();
    CHECK(small.space.selection(small.network) == (exchanges ? kept : some));
  }

  CHECK(exchanged(101) == some);  // broken: not for exchange to mend
  const auto price = [](double weight) {
    return [weight](const Architecture<double>& network) { return weight * total(Params{}, network); };
  };
  CHECK(exchanged(109, price(0.01)) == kept);
  CHECK(exchanged(109, price(10)) == some);  // 7 weights more cost 70, and the channel is worth 4 * 8 / 3
  small.set_importance("b", std::vector<float>(8, 10.0f));
  CHECK(exchanged(109) == some);
}

TEST_CASE("exchange: every bound stays kept, and no channel fits besides") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    INFO("seed " << seed);
    Small small;
    Random random(seed);
    for (const char* layer : {"a", "b"}) {
      std::vector<float> importance;
      for (int c = 0; c < 8; ++c) importance.push_back(static_cast<float>(std::exp(3 * random.normal())));
      small.set_importance(layer, importance);
    }
    const auto least = describe(small.network, small.space, small.space.smallest());
    const auto most = describe(small.network, small.space, small.all());
    const auto limit = [&](const auto& model) {
      return total(model, least) + random.uniform() * (total(model, most) - total(model, least));
    };
    const auto bounds = subject_to(AtMost{Params{}, limit(Params{})}, AtMost{Gap8{}, limit(Gap8{})});
    const Selection kept = use_slack({small.network, small.space, bounds}, small.repaired(bounds));
    const Selection better = exchange({small.network, small.space, bounds}, kept);
    CHECK(small.feasible(bounds, better));
    CHECK_FALSE(small.fits_another(bounds, better));
  }
}
