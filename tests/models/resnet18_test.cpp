// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/models/resnet18.hpp"

#include <cmath>

#include "siena/cost.hpp"
#include "siena/space/describe.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

TEST_CASE("resnet18: for images of 64 x 64") {
  const Network network = resnet18();
  CHECK(network.output_shape() == Shape{200});
  const auto counts = test::parameter_counts(network);
  CHECK(counts.weights == 11'261'632);
  CHECK(counts.biases == 200);
  CHECK(counts.norms == 2 * 4'800);
  const Architecture<double> d = describe(network);
  CHECK(total(Params{}, d) == 11'261'632);
  CHECK(total(Macs{}, d) == 2'221'772'800);
  CHECK(total(Gap8{}, d) == 124'211'712);
  CHECK(std::llround(total(Mpic{}, d)) == 1'057'987'048);
  CHECK(total(MpicEnergy{}, d) == Approx(22778).epsilon(2e-4));
  CHECK(total(Ne16{}, d) == 21'886'562);
  CHECK(total(PeakMemory{}, d) == 786'432);
  // Streams of four stages, and the inner convolution of eight blocks.
  const auto freedom = test::freedom(network);
  CHECK(freedom.groups == 12);
  CHECK(freedom.channels == 3 * (64 + 128 + 256 + 512));
}

TEST_CASE("resnet18: for images of 224 x 224") {
  const Architecture<double> d = describe(resnet18({.input = {224, 224, 3}, .imagenet_stem = true}));
  CHECK(total(Params{}, d) == 11'269'312);
  CHECK(total(Macs{}, d) == 1'813'663'744);
}

TEST_CASE("resnet18: width") {
  Network network = resnet18({.input = {16, 16, 3}, .classes = 3, .width = 0.1});
  CHECK(network.predict(random_tensor<float>({2, 16, 16, 3}, 1)).finite());
  CHECK_THROWS_WITH(resnet18({.width = 0}), "resnet18: expected a width above 0 and at most 1000, got 0");
}
