// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Channels that go in multiples and in whole groups, through every part of a search.

#include <cstdint>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/params.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/approach.hpp"
#include "siena/search/exchange.hpp"
#include "siena/search/search.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

/// 24 channels in multiples of 8, 16 in groups of 4 with what they read, and 32 by twos.
Network network_in_steps(const Shape& input) {
  return Network(
      input,
      [](Flow x) {
        x = (x | Searchable{Conv2d{.out = 24, .kernel = 3, .stride = 2}, Channels{.multiple = 8}}).named("eights") | Relu{};
        x = (x | Searchable{Conv2d{.out = 16}, Channels{}}).named("read") | Relu{};
        x = (x | Searchable{Conv2d{.out = 12, .kernel = 3, .groups = 4}, Channels{}}).named("groups") | BatchNorm{} | Relu{};
        x = (x | Searchable{Conv2d{.out = 24, .kernel = 3, .groups = Conv2d::depthwise}, Channels{}}).named("twice");
        return x | Relu{} | GlobalAvgPool{} | Linear{.out = 4};
      },
      3);
}

/// Whether channels stay as they must.
void check_steps(const SearchSpace& space, const Selection& selection) {
  const auto& groups = space.axis<ChannelMasks>().groups();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::int64_t count = ChannelMasks::count(selection, static_cast<int>(g));
    CHECK(count >= groups[g].minimum);
    CHECK((count % groups[g].multiple == 0 || count == groups[g].channels));
  }
}
int channels_of(const Network& network, const std::string& name) {
  for (const auto& node : network.nodes()) {
    if (node.name == name) return static_cast<int>(node.shape[-1]);
  }
  FAIL("no layer " << name);
  return 0;
}

}  // namespace

TEST_CASE("multiples: every step of a search keeps them") {
  Network network = network_in_steps({8, 8, 3});
  const SearchSpace space = SearchSpace::install(network);
  const double whole = total(Params{}, describe(network, space, space.full())),
               least = total(Params{}, describe(network, space, space.smallest()));
  check_steps(space, space.smallest());
  for (const double part : {0.9, 0.7, 0.5, 0.3, 0.0}) {
    const auto bounds = subject_to(AtMost{Params{}, least + part * (whole - least)});
    const Selection repaired = repair({network, space, bounds}, space.full());
    check_steps(space, repaired);
    CHECK(bounds.feasible(describe(network, space, repaired)));
    const Selection grown = use_slack({network, space, bounds}, space.smallest());
    check_steps(space, grown);
    check_steps(space, exchange({network, space, bounds}, grown));
    const Problem problem{network, space, bounds};
    check_steps(space, Approach(problem.violations(space.full())).drop(problem, space.full(), 0.5));
  }
  const std::vector<Reach> ranges = reach(Problem{network, space, subject_to(AtMost{Params{}, 1e6})});
  CHECK(ranges[0].smallest == least);
  CHECK(ranges[0].largest == whole);
}

TEST_CASE("multiples: one that is more than the longest move still goes") {
  Network network({8, 8, 3}, [](const Flow& x) {
    return x | Searchable{Conv2d{.out = 64}, Channels{.multiple = 32}} | GlobalAvgPool{} | Linear{.out = 4};
  });
  const SearchSpace space = SearchSpace::install(network);
  const auto bounds = subject_to(AtMost{Params{}, 230});
  const Selection kept = repair({network, space, bounds}, space.full());
  CHECK(describe(network, space, kept).layers[0].out_channels == 32);
}

TEST_CASE("multiples: a search ends with them, in the network that is found") {
  const auto data = data::synthetic_images({.classes = 4, .train = 64, .validation = 32, .test = 0});
  const Network network = network_in_steps(data.train.shape());
  const Architecture<double> start = describe(network);
  const auto bounds = subject_to(AtMost{Params{}, 0.5 * total(Params{}, start)}, AtMost{Gap8{}, 0.7 * total(Gap8{}, start)});
  const auto [found, history] = search(network, data, bounds, Duccio{}, {.warmup = 0, .epochs = 4, .batch = 16, .seed = 1});
  CHECK(bounds.feasible(describe(found)));
  CHECK(channels_of(found, "eights") % 8 == 0);
  const int groups = channels_of(found, "read") / 4;
  CHECK(channels_of(found, "read") == 4 * groups);
  CHECK(channels_of(found, "groups") == 3 * groups);
  CHECK(channels_of(found, "twice") == 6 * groups);
  CHECK(total(Params{}, describe(found)) < 0.5 * total(Params{}, start) + 1e-9);
}
