// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/models/tcn.hpp"

#include "siena/cost.hpp"
#include "siena/space/describe.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

TEST_CASE("tcn: weights, MACs and what may vary") {
  Network network = tcn();
  CHECK(network.output_shape() == Shape{12});
  CHECK(total(Params{}, describe(network)) == 30'912);
  CHECK(total(Macs{}, describe(network)) == 1'496'256);
  CHECK(network.predict(random_tensor<float>({3, 49, 10}, 1)).finite());
  int layers = 0;
  for (const auto& node : network.nodes()) {
    if (!node.layer.is<Conv1d>()) continue;
    CHECK(node.layer.get<Conv1d>().padding == TimePadding(causal));
    ++layers;
  }
  CHECK(layers == 4);
  CHECK(test::freedom(network).groups == 4);
  Network searched = network;
  const SearchSpace space = SearchSpace::install(searched);
  CHECK(space.axis<TapMasks>().chains().size() == 8);  // how far back, how far apart
  const Architecture<double> least = describe(searched, space, space.smallest());
  CHECK(total(Params{}, least) == 10 + 3 + 12);  // a channel and a tap of each layer
}

TEST_CASE("tcn: layers, taps, width and shapes of other signals") {
  const auto params = [](const TcnOptions& options) { return total(Params{}, describe(tcn(options))); };
  CHECK(params({.layers = 6}) == params({}) + 2 * 9 * 32 * 32);
  CHECK(params({.kernel = 5}) == 5 * 10 * 32 + 3 * 5 * 32 * 32 + 32 * 12);
  CHECK(params({.width = 0.5}) == 9 * 10 * 16 + 3 * 9 * 16 * 16 + 16 * 12);
  CHECK(tcn({.input = {100, 3}, .classes = 2}).output_shape() == Shape{2});
  CHECK_THROWS_WITH(tcn({.layers = 0}), "tcn: expected 1 layer or more, got 0");
  CHECK_THROWS_WITH(tcn({.width = 0}), "tcn: expected a width above 0 and at most 1000, got 0");
  CHECK_THROWS_WITH(tcn({.input = {49, 10, 1}}), "conv1d_1: expected signals of time x channels, got 49x10x1");
}
