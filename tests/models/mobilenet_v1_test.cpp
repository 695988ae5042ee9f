// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/models/mobilenet_v1.hpp"

#include <cmath>

#include "siena/cost.hpp"
#include "siena/space/describe.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

TEST_CASE("mobilenet_v1: the network of MLPerf Tiny") {
  Network network = mobilenet_v1();
  CHECK(network.input_shape() == Shape{96, 96, 3});
  CHECK(network.output_shape() == Shape{2});
  const auto counts = test::parameter_counts(network);
  CHECK(counts.weights == 208'112);
  CHECK(counts.biases == 2);
  CHECK(counts.norms == 2 * 2'736);
  const Architecture<double> d = describe(network);
  CHECK(total(Params{}, d) == 208'112);
  CHECK(total(Macs{}, d) == 7'489'664);
  CHECK(total(Gap8{}, d) == 1'425'728);
  CHECK(std::llround(total(Mpic{}, d)) == 3'566'507);
  CHECK(total(MpicEnergy{}, d) == Approx(76.79).epsilon(2e-4));
  CHECK(total(Ne16{}, d) == 388'172);
  CHECK(total(PeakMemory{}, d) == 55'296);
  // Inferences per second in MLPerf Tiny v1.0, see CortexM.
  CHECK(1 / seconds(CortexM{.clock = 120_MHz}, d) == Approx(3.32).epsilon(0.05));
  CHECK(1 / seconds(CortexM{.clock = 280_MHz, .rates = cortex_m7}, d) == Approx(19.722).epsilon(0.05));
  CHECK(total(CortexM{.rates = cortex_m4_siena}, d) == Approx(1.2 * 12'754'142).epsilon(0.01));  // counted, ./dev firmware
  for (const auto& node : network.nodes()) {
    if (node.name == "pointwise14") CHECK(node.shape == Shape{3, 3, 256});
  }
  CHECK(network.predict(random_tensor<float>({2, 96, 96, 3}, 1)).finite());
  const auto freedom = test::freedom(network);  // the stem and every pointwise convolution
  CHECK(freedom.groups == 14);
  CHECK(freedom.channels == 8 + 16 + 2 * 32 + 2 * 64 + 6 * 128 + 2 * 256);
}

TEST_CASE("mobilenet_v1: width") {
  CHECK(mobilenet_v1({.input = {32, 32, 3}, .classes = 5, .width = 0.5}).output_shape() == Shape{5});
  CHECK(test::parameter_counts(mobilenet_v1({.input = {32, 32, 3}, .classes = 1000, .width = 1})).weights ==
        4'231'976 - 21'888 - 1000);  // the 4.2 million of the paper less batch norms and the biases of the classifier
  CHECK_THROWS_WITH(mobilenet_v1({.width = -1}), "mobilenet_v1: expected a width above 0 and at most 1000, got -1");
}
