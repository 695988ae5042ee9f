// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/models/resnet8.hpp"

#include <cmath>
#include <string>

#include "siena/cost.hpp"
#include "siena/models/supernets.hpp"
#include "siena/space/describe.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"

using namespace siena;

TEST_CASE("resnet8: the network of MLPerf Tiny") {
  const Network network = resnet8();
  CHECK(network.input_shape() == Shape{32, 32, 3});
  CHECK(network.output_shape() == Shape{10});
  const auto [weights, biases, norms] = test::parameter_counts(network);
  CHECK(weights == 77'360);
  CHECK(biases == 218);
  CHECK(norms == 2 * (16 + 2 * (16 + 32 + 64)));
  CHECK(network.weight_count() == weights + biases + norms);

  const Architecture<double> d = describe(network);
  CHECK(total(Params{}, d) == 77'360);
  CHECK(total(Macs{}, d) == 12'501'632);
  CHECK(total(Gap8{}, d) == 766'624);
  CHECK(std::llround(total(Mpic{}, d)) == 5'953'158);
  CHECK(total(MpicEnergy{}, d) == Approx(128.17).epsilon(2e-4));
  CHECK(total(Ne16{}, d) == 180'273);
  CHECK(total(PeakMemory{}, d) == 49'152);
  // Inferences per second in MLPerf Tiny v1.0, see CortexM.
  CHECK(1 / seconds(CortexM{.clock = 120_MHz}, d) == Approx(2.567).epsilon(0.05));
  CHECK(1 / seconds(CortexM{.clock = 280_MHz, .rates = cortex_m7}, d) == Approx(18.401).epsilon(0.05));
  CHECK(total(CortexM{.rates = cortex_m4_siena}, d) == Approx(1.2 * 17'702'059).epsilon(0.01));  // counted, ./dev firmware
  CHECK(total(ModelSize{}, d) == 77'360 + 4 * 346);  // batch norms folded: a bias for every channel that a layer makes
  // As the description written by hand says.
  CHECK(total(Gap8{}, d) == total(Gap8{}, test::resnet8()));
  CHECK(total(ModelSize{}, d) == total(ModelSize{}, test::resnet8()));
}

TEST_CASE("resnet8: every convolution may vary; sums tie their summands") {
  Network network = resnet8();
  const SearchSpace space = SearchSpace::install(network);
  // Stem with the first block; the inner convolution of each block; stages two and three.
  CHECK(network.parameters(Role::architecture).size() == 6);
  std::int64_t channels = 0;
  for (const ChannelGroup& group : space.axis<ChannelMasks>().groups()) channels += group.frozen ? 0 : group.channels;
  CHECK(channels == 2 * (16 + 32 + 64));
  const Selection least = space.smallest();
  // Three channels in, one everywhere, ten out.
  CHECK(total(Params{}, describe(network, space, least)) == 27 + 6 * 9 + 2 + 10);
}

TEST_CASE("resnet8: width, classes and input scale") {
  const Network half = resnet8({.input = {16, 24, 1}, .classes = 4, .width = 0.5});
  CHECK(half.output_shape() == Shape{4});
  const auto d = describe(half);
  const auto conv = [](double in, double out) { return 9 * in * out; };
  CHECK(total(Params{}, d) ==
        conv(1, 8) + 2 * conv(8, 8) + conv(8, 16) + conv(16, 16) + 8 * 16 + conv(16, 32) + conv(32, 32) + 16 * 32 + 32 * 4);
  for (const double width : {0.01, 0.3, 2.0}) {
    INFO("width " << width);
    Network network = resnet8({.width = width});
    const auto scaled = [&](int c) { return std::max<std::int64_t>(1, std::lround(c * width)); };
    CHECK(network.nodes()[1].shape[-1] == scaled(16));
    CHECK(network.nodes()[static_cast<std::size_t>(network.output()) - 1].shape[-1] == scaled(64));
  }
  CHECK_THROWS_AS(resnet8({.classes = 0}), Error);
}

TEST_CASE("resnet8: more blocks a stage") {
  const Network network = resnet8({.blocks = 3});
  const Architecture<double> d = describe(network);
  CHECK(total(Params{}, d) == 77'360 + 2 * 2 * 9 * (16 * 16 + 32 * 32 + 64 * 64));
  CHECK(total(Macs{}, d) == 12'501'632 + 2 * 2 * 9 * 3 * 16 * 16 * 32 * 32);  // each stage as many
  std::string names;
  for (const auto& layer : d.layers)
    if (layer.name.starts_with("convblock")) names += layer.name + " ";
  CHECK(names ==
        "convblock1 convblock1_2 convblock1_3 convblock2 convblock2_2 convblock2_3 convblock3 convblock3_2 convblock3_3 ");
  CHECK(total(Macs{}, describe(resnet8_supernet({.blocks = 2}))) > total(Macs{}, describe(resnet8_supernet())));
  CHECK_THROWS_WITH(resnet8({.blocks = 0}), "resnet8: expected 1 block or more, got 0");
  CHECK_THROWS_WITH(resnet8_supernet({.blocks = -1}), "resnet8_supernet: expected 1 block or more, got -1");
}

TEST_CASE("resnet8: the seed draws the weights") {
  const auto first = [](std::uint64_t seed) { return *resnet8({.width = 0.1, .seed = seed}).parameter(0).value.data(); };
  CHECK(first(1) == first(1));
  CHECK(first(1) != first(2));
}
