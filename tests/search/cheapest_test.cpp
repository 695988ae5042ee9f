// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What is least, where no single step leads there, and moves that would go round in a ring.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "siena/cost/ne16.hpp"
#include "siena/cost/params.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/search/reach.hpp"
#include "siena/search/repair.hpp"
#include "siena/search/slack.hpp"
#include "siena/space/choice.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

/// Checks that a bound at the least value of all that is in a space is reachable and met, and a lower one refused.
template <class Model>
void check_least(Network network, const Model& model) {
  const SearchSpace space = SearchSpace::install(network);
  const auto cost = [&](const Selection& selection) { return total(model, describe(network, space, selection)); };
  Selection trial = space.smallest();
  double least = cost(trial);
  const auto next = [&] {
    for (std::size_t c = 0; c < trial["taps"].size(); ++c) {
      if (++trial["taps"][c][0] <= space.axis<TapMasks>().chains()[c].steps) return true;
      trial["taps"][c][0] = 0;
    }
    for (std::size_t c = 0; c < trial["choices"].size(); ++c) {
      if (++trial["choices"][c][0] < space.axis<Choices>().sizes()[c]) return true;
      trial["choices"][c][0] = 0;
    }
    return false;
  };
  while (next()) least = std::min(least, cost(trial));
  CHECK(cost(cheapest(network, space, cost)) == least);
  const auto bounds = subject_to(AtMost{model, least});
  CHECK_NOTHROW(require_reachable({network, space, bounds}));
  CHECK(cost(repair({network, space, bounds}, space.full())) == least);
  CHECK_THROWS_AS(require_reachable({network, space, subject_to(AtMost{model, 0.99 * least})}), ConstraintError);
}

}  // namespace

TEST_CASE("cheapest: an alternative that is cheap only by what is chosen within") {
  check_least(Network({4, 4, 4},
                      [](const Flow& x) {
                        const auto cell = [](const Flow& y) { return y | Choice{Conv2d{.out = 4, .kernel = 5}, Identity{}}; };
                        return x | Choice{Conv2d{.out = 4, .kernel = 3}, cell} | GlobalAvgPool{} | Linear{.out = 2};
                      }),
              Params{});
}

TEST_CASE("cheapest: the largest of several costs, which no choice lowers alone") {
  const auto block = [](const Flow& x) {
    const auto bottleneck = [](int width) {
      return [=](const Flow& y) { return y | Conv2d{.out = width} | Relu{} | Conv2d{.out = 4}; };
    };
    return x | Choice{bottleneck(24), bottleneck(8), bottleneck(16)};
  };
  check_least(Network({8, 8, 4}, [&](const Flow& x) { return block(block(block(x))) | GlobalAvgPool{} | Linear{.out = 2}; }),
              PeakMemory{});
}

TEST_CASE("cheapest: a whole kernel that a device computes sooner than what is left of it") {
  check_least(Network({8, 8, 4},
                      [](const Flow& x) {
                        const Conv2d conv{.out = 4, .kernel = 3, .padding = ImagePadding(2, 0, 2, 0)};
                        return x | Searchable{conv, ReceptiveField{.minimum = 2}} | GlobalAvgPool{} | Linear{.out = 2};
                      }),
              Ne16{});
}

TEST_CASE("use_slack: ends, though losses and probabilities rank alternatives differently") {
  Network network({4}, [](const Flow& x) { return x | Choice{Relu{}, Tanh{}, Sigmoid{}} | Linear{.out = 2}; });
  const SearchSpace space = SearchSpace::install(network);
  const Network::Node& node = network.nodes()[space.axis<Choices>().node(0)];
  network.parameter(node.parameters[0]).value.assign(std::vector<float>{0.4f, 0.3f, 0.35f});
  network.buffer(node.buffers[2]).assign(std::vector<float>{0, -0.01f, 0});  // tanh did a little better than relu
  network.buffer(node.buffers[3]).assign(std::vector<float>{5, 5, 0});       // sigmoid was never sampled
  for (int first = 0; first < 3; ++first) {
    Selection selection = space.full();
    selection["choices"][0] = {first};
    CHECK(use_slack({network, space, {}}, selection)["choices"] == AxisState{{0}});
  }
}
