// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/models/autoencoder.hpp"

#include <cmath>

#include "siena/cost.hpp"
#include "siena/space/describe.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

TEST_CASE("autoencoder: the network of MLPerf Tiny") {
  Network network = autoencoder();
  CHECK(network.input_shape() == Shape{640});
  CHECK(network.output_shape() == Shape{640});
  const auto counts = test::parameter_counts(network);
  CHECK(counts.weights == 264'192);
  CHECK(counts.biases == 1'672);
  CHECK(counts.norms == 2 * 1'032);
  const Architecture<double> d = describe(network);
  CHECK(total(Params{}, d) == 264'192);
  CHECK(total(Macs{}, d) == 264'192);
  CHECK(total(Gap8{}, d) == 33'024);
  CHECK(std::llround(total(Mpic{}, d)) == 125'806);
  CHECK(total(MpicEnergy{}, d) == Approx(2.709).epsilon(2e-4));
  CHECK(total(Ne16{}, d) == 36'706);
  CHECK(total(PeakMemory{}, d) == 768);
  // Inferences per second in MLPerf Tiny v1.0, see CortexM.
  CHECK(1 / seconds(CortexM{.clock = 120_MHz}, d) == Approx(116.212).epsilon(0.05));
  CHECK(1 / seconds(CortexM{.clock = 280_MHz, .rates = cortex_m7}, d) == Approx(547.705).epsilon(0.05));
  CHECK(total(CortexM{.rates = cortex_m4_siena}, d) == Approx(1.43 * 458'337).epsilon(0.01));  // counted, ./dev firmware
  CHECK(network.predict(random_tensor<float>({5, 640}, 1)).finite());
  const auto freedom = test::freedom(network);
  CHECK(freedom.groups == 9);
  CHECK(freedom.channels == 8 * 128 + 8);
}

TEST_CASE("autoencoder: width and features") {
  CHECK(test::parameter_counts(autoencoder({.features = 10, .width = 0.5})).weights == 2 * 10 * 64 + 6 * 64 * 64 + 2 * 64 * 4);
  CHECK_THROWS_WITH(autoencoder({.width = 0}), "autoencoder: expected a width above 0 and at most 1000, got 0");
}
