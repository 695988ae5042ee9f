// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/search/slack.hpp"

#include <cstddef>
#include <vector>

#include "search/small.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/constraints/minimize.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "support/catch.hpp"

using namespace siena;
using test::Small;

TEST_CASE("use_slack: the most valuable channels come back first") {
  Small small;
  small.set_importance("a", {1, 5, 1, 1, 1, 7, 1, 1});
  small.set_importance("b", std::vector<float>(8, 0.01f));
  Selection some = small.all();
  for (const std::size_t c : {0, 1, 5}) some["channels"][static_cast<std::size_t>(small.a)][c] = false;
  const auto slack = [&](double limit) {
    return small.keep(use_slack({small.network, small.space, subject_to(AtMost{Params{}, limit})}, some), small.a);
  };
  CHECK(slack(312 - 36) == std::vector<bool>{0, 0, 1, 1, 1, 1, 1, 1});
  CHECK(slack(312 - 35) == std::vector<bool>{0, 1, 1, 1, 1, 1, 1, 1});
  CHECK(slack(312) == std::vector<bool>(8, true));
  CHECK(slack(312 - 3 * 35) == small.keep(some, small.a));      // met exactly: nothing fits
  CHECK(slack(312 - 3 * 35 - 1) == small.keep(some, small.a));  // broken: not for use_slack to mend
  CHECK(use_slack({small.network, small.space, {}}, some) == small.all());
}

TEST_CASE("shadow prices: what one unit more of a limit would be worth") {
  Small small;
  small.set_importance("a", {1, 5, 1, 1, 1, 7, 1, 1});  // 27 + 8 weights each
  small.set_importance("b", std::vector<float>(8, 0.01f));
  Selection some = small.all();
  for (const std::size_t c : {0, 1, 5}) some["channels"][static_cast<std::size_t>(small.a)][c] = false;
  const auto prices = [&](double limit, double raise = 0.05) {
    const auto bounds = subject_to(AtMost{Macs{}, 1e9}, AtMost{Params{}, limit}, Minimize{Gap8{}}, AtLeast{1});
    return shadow_prices({small.network, small.space, bounds}, some, raise);
  };
  const double met = 312 - 3 * 35;
  const auto at_least = prices(met);  // 5 % are less than a channel: as much as the next one needs
  REQUIRE(at_least.size() == 3);
  CHECK(at_least[0].to_string() == "macs does not bind");
  CHECK(at_least[0].price == 0);
  CHECK(at_least[1].to_string() == "params binds: a limit 1 % higher would lower the loss by 0.55");
  CHECK(at_least[1].price == Approx(7.0 * 8 / 6 / 35));  // the sixth of 8 channels
  CHECK_FALSE(at_least[2].binds);                        // a constraint from below: adding does not break it
  CHECK(prices(met, 2 * 35 / met)[1].price == Approx((7.0 * 8 / 6 + 5.0 * 8 / 7) / 70));
  CHECK(prices(met + 35)[1].price == Approx(5.0 * 8 / 7 / 35));  // the first is had without raising anything
  CHECK_FALSE(prices(312)[1].binds);
}

TEST_CASE("shadow prices: bounds that hold back the same channels") {
  Small small;
  small.set_importance("a", std::vector<float>(8, 1));
  Selection some = small.all();
  some["channels"][static_cast<std::size_t>(small.a)][0] = false;
  const auto twice = subject_to(AtMost{Params{}, 312 - 35}, MemoryBound{Bytes{312 + 4 * 20 - 39}});
  for (const ShadowPrice& price : shadow_prices({small.network, small.space, twice}, some)) CHECK_FALSE(price.binds);
}
