// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/models/ds_cnn.hpp"

#include <cmath>

#include "siena/cost.hpp"
#include "siena/models/supernets.hpp"
#include "siena/space/describe.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

TEST_CASE("ds_cnn: the network of MLPerf Tiny") {
  Network network = ds_cnn();
  CHECK(network.input_shape() == Shape{49, 10, 1});
  CHECK(network.output_shape() == Shape{12});
  const auto counts = test::parameter_counts(network);
  CHECK(counts.weights == 22'016);
  CHECK(counts.biases == 588);
  CHECK(counts.norms == 2 * 576);
  const Architecture<double> d = describe(network);
  CHECK(total(Params{}, d) == 22'016);
  CHECK(total(Macs{}, d) == 2'656'768);
  CHECK(total(Gap8{}, d) == 526'880);
  CHECK(std::llround(total(Mpic{}, d)) == 1'265'128);
  CHECK(total(MpicEnergy{}, d) == Approx(27.24).epsilon(2e-4));
  CHECK(total(Ne16{}, d) == 314'542);
  CHECK(total(PeakMemory{}, d) == 16'000);
  // Inferences per second in MLPerf Tiny v1.0, see CortexM.
  CHECK(1 / seconds(CortexM{.clock = 120_MHz}, d) == Approx(10.019).epsilon(0.05));
  CHECK(1 / seconds(CortexM{.clock = 280_MHz, .rates = cortex_m7}, d) == Approx(59.667).epsilon(0.05));
  CHECK(total(CortexM{.rates = cortex_m4_siena}, d) == Approx(1.2 * 4'436'184).epsilon(0.01));  // counted, ./dev firmware
  for (const auto& node : network.nodes()) {
    if (node.name == "inputlayer") CHECK(node.shape == Shape{25, 5, 64});
  }
  CHECK(network.predict(random_tensor<float>({3, 49, 10, 1}, 1)).finite());
  // The stem and three pointwise convolutions each with the depthwise one that follows; the last pointwise one.
  const auto freedom = test::freedom(network);
  CHECK(freedom.groups == 5);
  CHECK(freedom.channels == 5 * 64);
}

TEST_CASE("ds_cnn: more blocks and fewer") {
  const auto of = [](int blocks) { return ds_cnn({.blocks = blocks}); };
  CHECK(of(4).weight_count() == ds_cnn().weight_count());
  const double block = 9 * 64 + 64 * 64;
  CHECK(total(Params{}, describe(of(7))) == total(Params{}, describe(of(4))) + 3 * block);
  CHECK(total(Params{}, describe(of(1))) == total(Params{}, describe(of(4))) - 3 * block);
  CHECK(of(6).nodes().back().shape == Shape{12});
  CHECK(of(6).predict(random_tensor<float>({2, 49, 10, 1}, 1)).finite());
  CHECK(test::freedom(of(6)).groups == 7);
  CHECK(total(Macs{}, describe(ds_cnn_supernet({.blocks = 5}))) > total(Macs{}, describe(ds_cnn_supernet())));
  CHECK_THROWS_WITH(of(0), "ds_cnn: expected 1 block or more, got 0");
  CHECK_THROWS_WITH(ds_cnn_supernet({.blocks = -2}), "ds_cnn_supernet: expected 1 block or more, got -2");
}

TEST_CASE("ds_cnn: width") {
  CHECK(total(Params{}, describe(ds_cnn({.classes = 4, .width = 0.25}))) == 40 * 16 + 4 * (9 * 16 + 16 * 16) + 16 * 4);
  CHECK_THROWS_WITH(ds_cnn({.width = 0}), "ds_cnn: expected a width above 0 and at most 1000, got 0");
}
