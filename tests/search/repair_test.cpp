// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/search/repair.hpp"

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/params.hpp"
#include "support/catch.hpp"
#include "support/searchable.hpp"

using namespace siena;

namespace {

/// Two layers of 8 channels that may vary, with 27 A + A B + 4 B weights for A and B of them: 312 as it is, 32 at least.
struct Small {
  explicit Small(int minimum = 1)
      : network({8, 8, 3},
                [&](const Flow& x) {
                  const Flow first =
                      (x | Searchable{Conv2d{.out = 8, .kernel = 3}, Channels{.minimum = minimum}}).named("a") | Relu{};
                  const Flow second = (first | Searchable{Conv2d{.out = 8}, Channels{}}).named("b") | Relu{};
                  return (second | GlobalAvgPool{} | Linear{.out = 4}).named("out");
                }),
        space(network),
        a(space.masks().channels().runs(1)[0].group),
        b(space.masks().channels().runs(3)[0].group) {
    set_importance("a", std::vector<float>(8, 1.0f));
    set_importance("b", std::vector<float>(8, 1.0f));
  }

  /// As if training had found out what the channels are worth.
  void set_importance(const std::string& layer, const std::vector<float>& importance) {
    State before, after;
    network.save(before);
    for (const auto& [name, value] : before.values()) {
      auto tensor = std::get<Tensor>(value);
      if (name == "mask." + layer + ".gradient_variance") {
        for (std::size_t c = 0; c < importance.size(); ++c) tensor.data()[c] = 2 * importance[c];
      }
      after.put(name, std::move(tensor));
    }
    network.load(after);
  }
  std::vector<bool> keep(const Selection& selection, int group) const {
    return selection.keep[static_cast<std::size_t>(group)];
  }
  Selection all() const { return space.full(); }
  double cost(const Selection& selection) const { return total(Params{}, describe(network, space, selection)); }
  Selection repaired(const ConstraintSet& bounds) const { return repair(network, space, bounds, all()); }
  bool feasible(const ConstraintSet& bounds, const Selection& selection) const {
    return bounds.feasible(describe(network, space, selection));
  }
  /// Whether a channel can still be switched on; which one makes no difference to a cost.
  bool fits_another(const ConstraintSet& bounds, Selection selection) const {
    for (auto& group : selection.keep) {
      for (auto&& channel : group) {
        if (channel) continue;
        channel = true;
        const bool fits = feasible(bounds, selection);
        channel = false;
        if (fits) return true;
      }
    }
    return false;
  }

  Network network;
  SearchSpace space;
  int a, b;
};

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

struct Near {  // kept neither by the smallest nor by the largest network
  double target;
  std::string_view name() const { return "near"; }
  template <class N>
  N violation(const Architecture<N>& network) const {
    const N off = total(Params{}, network) / target - 1.0;
    return off * off - 0.01;
  }
};
}  // namespace

TEST_CASE("repair: the largest of several costs, which no layer lowers alone") {
  Small small;
  const auto bounds = subject_to(Widest{5});
  const auto kept = small.repaired(bounds);
  CHECK(small.feasible(bounds, kept));
  CHECK(use_slack(small.network, small.space, bounds, kept).count(small.a) == 5);
}

TEST_CASE("repair: brings channels back for a constraint from below") {
  Small small;
  const auto both = subject_to(AtLeast{190}, AtMost{Params{}, 210});
  const auto kept = repair(small.network, small.space, both, small.space.smallest());
  CHECK(small.feasible(both, kept));
  CHECK(small.cost(kept) >= 190);
}

TEST_CASE("repair: what holds already comes back as it is") {
  Small small;
  CHECK(small.space.masks().importance(small.network, small.a, 3) == 1);
  CHECK(small.cost(small.all()) == 312);
  CHECK(small.cost(small.space.smallest()) == 32);
  for (const double limit : {312.0, 313.0, 1e9}) CHECK(small.repaired(subject_to(AtMost{Params{}, limit})) == small.all());
  CHECK(small.repaired({}) == small.all());
  Selection fewer = small.all();
  fewer.keep[static_cast<std::size_t>(small.a)][2] = false;
  CHECK(repair(small.network, small.space, subject_to(AtMost{Params{}, 280}), fewer) == fewer);
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

TEST_CASE("repair: groups keep their minimum") {
  Small small(6);
  small.set_importance("a", std::vector<float>(8, 1e-6f));
  small.set_importance("b", std::vector<float>(8, 1e6f));
  const double least = small.cost(small.space.smallest());
  CHECK(least == 27 * 6 + 6 + 4);
  const auto kept = small.repaired(subject_to(AtMost{Params{}, least}));
  CHECK(kept.count(small.a) == 6);
  CHECK(kept.count(small.b) == 1);
}

TEST_CASE("repair: tiled costs fall only when several channels go at once") {
  Small small;
  const double full = total(Gap8{}, describe(small.network, small.space, small.all()));
  Selection one = small.all();
  one.keep[static_cast<std::size_t>(small.b)][0] = false;
  // One channel of `b` less leaves the tiles of `b` as they are, and only halves of the linear layer's pairs.
  CHECK(total(Gap8{}, describe(small.network, small.space, one)) == full);
  const auto bounds = subject_to(AtMost{Gap8{}, full - 1});
  const auto kept = small.repaired(bounds);
  CHECK(small.feasible(bounds, kept));
  CHECK(kept.count(small.a) + kept.count(small.b) < 16);
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
    CHECK_NOTHROW(require_reachable(small.network, small.space, bounds));
    const auto kept = small.repaired(bounds);
    REQUIRE(small.feasible(bounds, kept));
    const auto full = use_slack(small.network, small.space, bounds, kept);
    CHECK(small.feasible(bounds, full));
    CHECK_FALSE(small.fits_another(bounds, full));
    for (std::size_t g = 0; g < full.keep.size(); ++g) {
      CHECK(kept.count(static_cast<int>(g)) >= small.space.masks().groups()[g].minimum);
      for (std::size_t c = 0; c < full.keep[g].size(); ++c)
        CHECK((full.keep[g][c] || !kept.keep[g][c]));  // nothing was taken away
    }
  }
}

TEST_CASE("use_slack: the most valuable channels come back first") {
  Small small;
  small.set_importance("a", {1, 5, 1, 1, 1, 7, 1, 1});
  small.set_importance("b", std::vector<float>(8, 0.01f));
  Selection some = small.all();
  for (const std::size_t c : {0, 1, 5}) some.keep[static_cast<std::size_t>(small.a)][c] = false;
  const auto slack = [&](double limit) {
    return small.keep(use_slack(small.network, small.space, subject_to(AtMost{Params{}, limit}), some), small.a);
  };
  CHECK(slack(312 - 36) == std::vector<bool>{0, 0, 1, 1, 1, 1, 1, 1});
  CHECK(slack(312 - 35) == std::vector<bool>{0, 1, 1, 1, 1, 1, 1, 1});
  CHECK(slack(312) == std::vector<bool>(8, true));
  CHECK(slack(312 - 3 * 35) == small.keep(some, small.a));      // met exactly: nothing fits
  CHECK(slack(312 - 3 * 35 - 1) == small.keep(some, small.a));  // broken: not for use_slack to mend
  CHECK(use_slack(small.network, small.space, {}, some) == small.all());
}

TEST_CASE("require_reachable: says what can be reached") {
  const Small small;
  const auto check = [&](const auto&... constraints) {
    require_reachable(small.network, small.space, subject_to(constraints...));
  };
  CHECK_NOTHROW(check());
  CHECK_NOTHROW(check(AtMost{Params{}, 32}, AtMost{Macs{}, 1e9}));
  CHECK_THROWS_AS(check(AtMost{Params{}, 31.9}), ConstraintError);
  CHECK_THROWS_WITH(check(AtMost{Params{}, 31}), ContainsSubstring("bound 'params'") && ContainsSubstring("got 31 weights") &&
                                                     ContainsSubstring("reaches is 32 weights") &&
                                                     ContainsSubstring("as it is: 312"));
  CHECK_THROWS_WITH(check(AtMost{Params{}, 100}, MemoryBound{8_B}), ContainsSubstring("bound 'memory'"));
  // One channel of `a`, `b` and all four outputs, with biases of 4 bytes: 32 + 4 * 6.
  CHECK_NOTHROW(check(MemoryBound{56_B}));
  CHECK_THROWS_WITH(check(MemoryBound{55_B}), ContainsSubstring("reaches is 56 B"));

  CHECK_NOTHROW(check(AtLeast{300}));
  CHECK_THROWS_WITH(check(AtLeast{400}), ContainsSubstring("constraint 'capacity'") &&
                                             ContainsSubstring("violation of 0.92 for the smallest") &&
                                             ContainsSubstring("0.22 for the largest"));
}

TEST_CASE("require_reachable: what neither the smallest nor the largest network keeps") {
  const Small small;
  CHECK_NOTHROW(require_reachable(small.network, small.space, subject_to(Near{150})));
  CHECK_THROWS_WITH(require_reachable(small.network, small.space, subject_to(Near{1000})),
                    ContainsSubstring("constraint 'near'"));
}

TEST_CASE("repair: a constraint from below beside a bound from above") {
  Small small;
  const auto both = subject_to(AtLeast{190}, AtMost{Params{}, 210});
  const auto kept = small.repaired(both);
  CHECK(small.feasible(both, kept));
  CHECK(small.cost(kept) >= 190);
  CHECK(small.cost(kept) <= 210);
  const auto more = use_slack(small.network, small.space, both, kept);
  CHECK(small.cost(more) <= 210);
  CHECK_FALSE(small.fits_another(both, more));
  // Each can be had, but not both.
  const auto neither = subject_to(AtLeast{250}, AtMost{Params{}, 200});
  CHECK_THROWS_WITH(require_reachable(small.network, small.space, neither), ContainsSubstring("contradict each other"));
  CHECK_THROWS_AS(small.repaired(neither), ConstraintError);
  CHECK_THROWS_WITH(small.repaired(neither),
                    ContainsSubstring("repair: expected every constraint to hold after dropping channels"));
}
