// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/search/reach.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "search/small.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/constraints/minimize.hpp"
#include "siena/core/random.hpp"
#include "siena/cost/flash.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/latency_table.hpp"
#include "siena/cost/latency_table_csv.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/models/ds_cnn.hpp"
#include "siena/models/supernets.hpp"
#include "siena/search/random_selection.hpp"
#include "siena/space/bits.hpp"
#include "siena/space/choice.hpp"
#include "support/catch.hpp"

using namespace siena;
using test::Small;

namespace {

struct Near {  // kept neither by the smallest nor by the largest network
  double target;
  std::string_view name() const { return "near"; }
  template <class N>
  N violation(const Architecture<N>& network) const {
    const N off = total(Params{}, network) / target - 1.0;
    return off * off - 0.01;
  }
};
struct Odd {  // cheapest at five channels each, as measured times may be
  std::string_view name() const { return "odd"; }
  auto layer_cost(const auto& layer) const { return (layer.out_channels - 5.0) * (layer.out_channels - 5.0) + 1.0; }
};
}  // namespace

TEST_CASE("require_reachable: says what can be reached") {
  const Small small;
  const auto check = [&](const auto&... constraints) {
    require_reachable({small.network, small.space, subject_to(constraints...)});
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
  CHECK_NOTHROW(require_reachable({small.network, small.space, subject_to(Near{150})}));
  CHECK_THROWS_WITH(require_reachable({small.network, small.space, subject_to(Near{1000})}),
                    ContainsSubstring("constraint 'near'"));
}

TEST_CASE("reach: from the smallest network to the whole one, for every constraint and every minimized cost") {
  const Small small;
  const auto all = reach(Problem{small.network, small.space,
                                 subject_to(AtMost{Params{}, 100}, MemoryBound{1_KiB}, AtLeast{64}, Minimize{Macs{}})});
  REQUIRE(all.size() == 4);
  CHECK(all[0].to_string() ==
        "params: 32 to 312 weights can be reached, the limit of 100 weights is 32.1 % of the whole network's 312 weights");
  CHECK(all[1].name == "memory");
  CHECK(all[1].smallest == 56);
  CHECK(all[1].largest == 312 + 4 * 20);
  CHECK(all[1].limit == 1024);
  CHECK(all[1].to_string() ==
        "memory: 56 to 392 B can be reached, the limit of 1024 B is 261.2 % of the whole network's 392 B: the largest network "
        "keeps it");
  CHECK(all[2].to_string() == "capacity: -3.875 to 0.5 can be reached");  // a violation: 1 - weights / 64
  CHECK(all[3].largest == total(Macs{}, describe(small.network)));
  CHECK_FALSE(all[3].limit);
}

TEST_CASE("reach: of a supernet, from the cheapest to the dearest alternatives") {
  const auto weights = reach(ds_cnn_supernet(), subject_to(AtMost{Params{}, 22016}));
  REQUIRE(weights.size() == 1);
  CHECK(weights[0].smallest == 3328);
  CHECK(weights[0].largest == 412928);
  CHECK(weights[0].whole == 3328 + 4 * 36864);
}

TEST_CASE("require_reachable: costs that do not grow with channels") {
  const Small small;
  const double most = total(Odd{}, describe(small.network, small.space, small.all()));
  CHECK_NOTHROW(require_reachable({small.network, small.space, subject_to(AtMost{Odd{}, most - 10})}));
  CHECK_THROWS_WITH(require_reachable({small.network, small.space, subject_to(AtMost{Odd{}, 1})}),
                    ContainsSubstring("bound 'odd'"));
}

TEST_CASE("reach: all that a table of measurements lacks is listed as a file to fill in") {
  const LatencyTable empty({{.key = {.operation = "tanh"}, .seconds = 1}});
  for (const bool choices : {false, true}) {
    const Network network = choices ? resnet8_supernet() : ds_cnn();
    std::string missing;
    try {
      (void)reach(network, subject_to(LatencyBound{empty, 1_s}));
      FAIL("nothing thrown");
    } catch (const DataError& error) {
      missing = error.what();
    }
    missing = missing.substr(missing.find("operation,"));
    std::string filled;
    for (const char letter : missing) filled += letter == '\n' && filled.ends_with(',') ? "1e-6\n" : std::string(1, letter);
    const LatencyTable table = latency_table_from_csv(filled);
    const auto reached = reach(network, subject_to(LatencyBound{table, 1_s}));
    REQUIRE(reached.size() == 1);
    CHECK(reached[0].smallest > 0);
  }
}

TEST_CASE("reach: a table that was filled in prices every kernel, number of groups and alternative in between") {
  Network network({8, 8, 6}, [](const Flow& x) {
    const Flow y = x | Searchable{Conv2d{.out = 8, .kernel = 5, .padding = same}, Channels{}, ReceptiveField{}, Dilation{}} |
                   Searchable{Conv2d{.out = 16, .kernel = 3, .padding = same, .groups = 4}, Channels{}} | Relu{};
    const auto inner = [](const Flow& z) {
      const Searchable half{Conv2d{.out = 16, .groups = 8}, Channels{}};
      return z | Choice{Searchable{Conv2d{.out = 16}, Channels{}}, [&](const Flow& u) { return u | half | Tanh{}; }};
    };
    return y | Choice{Identity{}, inner} | BatchNorm{} |
           Searchable{Conv2d{.out = 32, .groups = Conv2d::depthwise}, Channels{}} | GlobalAvgPool{} | Linear{.out = 4};
  });
  const SearchSpace space = SearchSpace::install(network);
  const LatencyTable empty({{.key = {.operation = "tanh"}, .seconds = 1}});
  std::vector<LatencyPoint> points = missing_points(empty.points(), detail::extremes(network, space));
  for (LatencyPoint& point : points) point.seconds = 1e-6;
  const LatencyTable table(points);
  const auto has = [&](int kernel, int groups) {
    return std::any_of(points.begin(), points.end(), [&](const LatencyPoint& point) {
      return point.key.kernel_height == kernel && point.key.kernel_width == kernel && point.key.groups == groups;
    });
  };
  for (const int kernel : {1, 2, 3, 5}) CHECK(has(kernel, 1) == (kernel != 2));
  for (const int groups : {1, 2, 3, 4}) CHECK(has(3, groups));

  CHECK(total(table, describe_expected(network, space)) > 0);

  Random random(5);
  for (int trial = 0; trial < 200; ++trial) {
    Selection any = space.smallest();
    for (auto& keep : any["channels"]) {
      for (std::size_t c = 0; c < keep.size(); ++c) keep[c] = keep[c] || random.below(2) == 1;
    }
    for (std::size_t c = 0; c < any["taps"].size(); ++c)
      any["taps"][c][0] =
          static_cast<int>(random.below(static_cast<std::uint64_t>(space.axis<TapMasks>().chains()[c].steps) + 1));
    for (std::size_t c = 0; c < any["choices"].size(); ++c)
      any["choices"][c][0] = static_cast<int>(random.below(static_cast<std::uint64_t>(space.axis<Choices>().sizes()[c])));
    CHECK(total(table, describe(network, space, any)) > 0);
  }
}

namespace {

/// Weights from below, as a bound: with a value and a limit to show.
struct AtLeastShown : AtLeast {
  std::string_view unit() const { return "weights"; }
  double limit() const { return floor; }
  double value(const Architecture<double>& network) const { return total(Params{}, network); }
};

}  // namespace

TEST_CASE("reach: constraints that contradict each other are refused, by both names") {
  const test::Small small;  // 32 to 312 weights
  const auto refused = [&](const ConstraintSet& bounds) {
    CHECK_THROWS_WITH(
        require_reachable({small.network, small.space, bounds}),
        ContainsSubstring("constraints 'params' and 'capacity': expected some architecture that keeps both, found "
                          "none; of the smallest network: params 32 of 100"));
  };
  refused(subject_to(AtMost{Params{}, 100}, AtLeast{200}));
  refused(subject_to(AtMost{Params{}, 100}, AtLeastShown{{200}}));  // though a bound, it is none from above
  refused(subject_to(MemoryBound{1_MiB}, AtMost{Params{}, 100}, AtLeastShown{{200}}));
  for (const double floor : {33.0, 60.0, 80.0}) {
    require_reachable({small.network, small.space, subject_to(AtMost{Params{}, 100}, AtLeastShown{{floor}})});
    const auto both = subject_to(AtMost{Params{}, 100}, AtLeastShown{{floor}});
    CHECK(both.feasible(describe(small.network, small.space, repair({small.network, small.space, both}, small.all()))));
    CHECK(both.feasible(
        describe(small.network, small.space, repair({small.network, small.space, both}, small.space.smallest()))));
  }
  CHECK_THROWS_WITH(require_reachable({small.network, small.space, subject_to(AtLeastShown{{400}})}),
                    ContainsSubstring("'capacity': expected one that some architecture keeps"));
}

TEST_CASE("reach: weights of few bits take code, and so more flash than those of 8 where there are few") {
  Network network({8, 8, 3}, [](Flow x) {
    for (int layer = 0; layer < 3; ++layer)
      x = x | Searchable{Conv2d{.out = 8, .kernel = 3}, Channels{}, Bits{.weights = {2, 4, 8}}} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 4};
  });
  const SearchSpace space = SearchSpace::install(network);
  const auto reached = [&](const ConstraintSet& bounds) { return Problem{network, space, bounds}; };
  Selection least = space.smallest();
  const double fewest = total(Flash{}, describe(network, space, least)),
               bytes = total(ModelSize{}, describe(network, space, least));
  least["bits"] = space.full()["bits"];
  const double flash = total(Flash{}, describe(network, space, least));
  REQUIRE(flash < fewest);
  REQUIRE(total(ModelSize{}, describe(network, space, least)) > bytes);

  const auto tight = subject_to(AtMost{Flash{}, flash}), few_bytes = subject_to(AtMost{ModelSize{}, bytes});
  CHECK(reach(reached(tight)).at(0).smallest == flash);
  CHECK(reach(reached(few_bytes)).at(0).smallest == bytes);
  CHECK_NOTHROW(require_reachable(reached(tight)));
  CHECK_NOTHROW(require_reachable(reached(few_bytes)));
  CHECK_THROWS_WITH(require_reachable(reached(subject_to(AtMost{Flash{}, flash - 1}))), ContainsSubstring("bound 'flash'"));
  CHECK_THROWS_WITH(require_reachable(reached(subject_to(AtMost{Flash{}, flash}, AtMost{ModelSize{}, bytes}))),
                    ContainsSubstring("constraints 'flash' and 'model size'"));
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    CHECK(tight.feasible(describe(network, space, random_selection(reached(tight), seed))));
}
