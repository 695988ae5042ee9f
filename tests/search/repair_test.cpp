// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/search/repair.hpp"

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "search/small.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/params.hpp"
#include "siena/search/reach.hpp"
#include "siena/search/slack.hpp"
#include "support/catch.hpp"

using namespace siena;
using test::Small;

namespace {

/// The largest of several costs: dropping channels of one layer alone lowers it only where no other layer is as wide.
struct Widest {
  double most;
  std::string_view name() const { return "widest"; }
  std::string_view unit() const { return "channels"; }
  double limit() const { return most; }
  template <class N>
  N value(const Architecture<N>& network) const {
    N widest = 0;
    for (const auto& layer : network.layers) widest = max_of(widest, layer.out_channels);
    return widest;
  }
  template <class N>
  N violation(const Architecture<N>& network) const {
    return value(network) / most - 1.0;
  }
};
}  // namespace

TEST_CASE("repair: the largest of several costs, which no layer lowers alone") {
  Small small;
  const auto bounds = subject_to(Widest{5});
  const auto kept = small.repaired(bounds);
  CHECK(small.feasible(bounds, kept));
  CHECK(ChannelMasks::count(use_slack({small.network, small.space, bounds}, kept), small.a) == 5);
}

TEST_CASE("repair: brings channels back for a constraint from below") {
  Small small;
  const auto both = subject_to(AtLeast{190}, AtMost{Params{}, 210});
  const auto kept = repair({small.network, small.space, both}, small.space.smallest());
  CHECK(small.feasible(both, kept));
  CHECK(small.cost(kept) >= 190);
}

TEST_CASE("repair: what holds already comes back as it is") {
  Small small;
  CHECK(small.space.axis<ChannelMasks>().importance(small.network, small.a, 3) == 1);
  CHECK(small.cost(small.all()) == 312);
  CHECK(small.cost(small.space.smallest()) == 32);
  for (const double limit : {312.0, 313.0, 1e9}) CHECK(small.repaired(subject_to(AtMost{Params{}, limit})) == small.all());
  CHECK(small.repaired({}) == small.all());
  Selection fewer = small.all();
  fewer["channels"][static_cast<std::size_t>(small.a)][2] = false;
  CHECK(repair({small.network, small.space, subject_to(AtMost{Params{}, 280})}, fewer) == fewer);
}

TEST_CASE("repair: the least important channels go first, and no more than needed") {
  Small small;
  small.set_importance("a", {8, 7, 6, 0.5f, 5, 0.2f, 4, 9});
  small.set_importance("b", std::vector<float>(8, 100.0f));
  // A channel of `a` is worth 27 + 8 weights.
  const auto exactly = small.repaired(subject_to(AtMost{Params{}, 312 - 35}));
  CHECK(small.keep(exactly, small.a) == std::vector<bool>{1, 1, 1, 1, 1, 0, 1, 1});
  CHECK(small.keep(exactly, small.b) == std::vector<bool>(8, true));
  CHECK(small.cost(exactly) == 277);
  const auto two = small.repaired(subject_to(AtMost{Params{}, 312 - 36}));
  CHECK(small.keep(two, small.a) == std::vector<bool>{1, 1, 1, 0, 1, 0, 1, 1});
  CHECK(small.keep(two, small.b) == std::vector<bool>(8, true));

  // Worth counts per weight that it saves: 12 for a channel of `b`.
  small.set_importance("b", {3, 3, 3, 3, 0.1f, 3, 3, 3});
  const auto cheap = small.repaired(subject_to(AtMost{Params{}, 312 - 12}));
  CHECK(small.keep(cheap, small.a) == std::vector<bool>(8, true));
  CHECK(small.keep(cheap, small.b) == std::vector<bool>{1, 1, 1, 1, 0, 1, 1, 1});
}

TEST_CASE("repair: no layer is used up because none of its channels is missed much") {
  Small small;
  small.set_importance("a", std::vector<float>(8, 35));                // a channel takes 35 weights
  small.set_importance("b", std::vector<float>(8, 13));                // and one of `b` 12: worth a little more for each
  const auto kept = small.repaired(subject_to(AtMost{Params{}, 78}));  // a quarter; one channel of `a` and all of `b` have 67
  CHECK(ChannelMasks::count(kept, small.a) >= 2);
  CHECK(ChannelMasks::count(kept, small.b) >= 2);
  CHECK(ChannelMasks::count(kept, small.b) < 8);
}

TEST_CASE("repair: groups keep their minimum") {
  Small small(6);
  small.set_importance("a", std::vector<float>(8, 1e-6f));
  small.set_importance("b", std::vector<float>(8, 1e6f));
  const double least = small.cost(small.space.smallest());
  CHECK(least == 27 * 6 + 6 + 4);
  const auto kept = small.repaired(subject_to(AtMost{Params{}, least}));
  CHECK(ChannelMasks::count(kept, small.a) == 6);
  CHECK(ChannelMasks::count(kept, small.b) == 1);
}

TEST_CASE("repair: tiled costs fall only when several channels go at once") {
  Small small;
  const double full = total(Gap8{}, describe(small.network, small.space, small.all()));
  Selection one = small.all();
  one["channels"][static_cast<std::size_t>(small.b)][0] = false;
  // One channel of `b` less leaves the tiles of `b` as they are, and only halves of the linear layer's pairs.
  CHECK(total(Gap8{}, describe(small.network, small.space, one)) == full);
  const auto bounds = subject_to(AtMost{Gap8{}, full - 1});
  const auto kept = small.repaired(bounds);
  CHECK(small.feasible(bounds, kept));
  CHECK(ChannelMasks::count(kept, small.a) + ChannelMasks::count(kept, small.b) < 16);
}

TEST_CASE("repair and use_slack: every bound is kept and none is left unused, whatever the channels are worth") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Small small(1 + static_cast<int>(seed % 3));
    Random random(seed);
    for (const char* layer : {"a", "b"}) {
      std::vector<float> importance;
      for (int c = 0; c < 8; ++c)
        importance.push_back(random.chance(0.2) ? 0.0f : static_cast<float>(std::exp(4 * random.normal())));
      small.set_importance(layer, importance);
    }
    const auto least = describe(small.network, small.space, small.space.smallest());
    const auto most = describe(small.network, small.space, small.all());
    const auto limit = [&](const auto& model) {  // the smallest reachable value is a limit, too
      const double at = random.chance(0.2) ? 0 : random.uniform();
      return total(model, least) + at * (total(model, most) - total(model, least));
    };
    const auto bounds = subject_to(AtMost{Params{}, limit(Params{})}, AtMost{Gap8{}, limit(Gap8{})},
                                   AtMost{Macs{}, limit(Macs{})}, MemoryBound{Bytes{limit(ModelSize{})}});
    INFO("seed " << seed);
    CHECK_NOTHROW(require_reachable({small.network, small.space, bounds}));
    const auto kept = small.repaired(bounds);
    REQUIRE(small.feasible(bounds, kept));
    const auto full = use_slack({small.network, small.space, bounds}, kept);
    CHECK(small.feasible(bounds, full));
    CHECK_FALSE(small.fits_another(bounds, full));
    for (std::size_t g = 0; g < full["channels"].size(); ++g) {
      CHECK(ChannelMasks::count(kept, static_cast<int>(g)) >= small.space.axis<ChannelMasks>().groups()[g].minimum);
      for (std::size_t c = 0; c < full["channels"][g].size(); ++c)
        CHECK((full["channels"][g][c] || !kept["channels"][g][c]));  // nothing was taken away
    }
  }
}

TEST_CASE("repair: a constraint from below beside a bound from above") {
  Small small;
  const auto both = subject_to(AtLeast{190}, AtMost{Params{}, 210});
  const auto kept = small.repaired(both);
  CHECK(small.feasible(both, kept));
  CHECK(small.cost(kept) >= 190);
  CHECK(small.cost(kept) <= 210);
  const auto more = use_slack({small.network, small.space, both}, kept);
  CHECK(small.cost(more) <= 210);
  CHECK_FALSE(small.fits_another(both, more));
  // Each can be had, but not both.
  const auto neither = subject_to(AtLeast{250}, AtMost{Params{}, 200});
  CHECK_THROWS_WITH(require_reachable({small.network, small.space, neither}), ContainsSubstring("contradict each other"));
  CHECK_THROWS_AS(small.repaired(neither), ConstraintError);
  CHECK_THROWS_WITH(small.repaired(neither),
                    ContainsSubstring("repair: expected every constraint to hold after dropping channels"));
}
