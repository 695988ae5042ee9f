// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/layer_memory.hpp"

#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("layer memory: input, output and weights of known layers", "[cost]") {
  const auto bytes = LayerMemory{}.per_layer(test::resnet8());
  // Stem, the two convolutions of each block with its 1x1 one and its add, pool, linear.
  CHECK(bytes == std::vector<double>{19888, 35072, 35072, 49152, 29184, 25600, 25088, 24576, 30720, 45056, 14336, 12288,
                                     4096 + 64, 714});
  CHECK(total(LayerMemory{}, test::resnet8()) == 49152);
  const auto ds_cnn = LayerMemory{}.per_layer(test::ds_cnn());
  CHECK(ds_cnn[0] == 11050);
  CHECK(ds_cnn[1] == 16576);
  CHECK(ds_cnn[2] == 20096);
  CHECK(ds_cnn[9] == 844);
}

TEST_CASE("layer memory: bit widths, presence, and layers that run within others", "[cost]") {
  auto conv = test::conv("", {.in = 8, .out = 16, .height = 4, .width = 4});
  conv.input_bits = 4, conv.output_bits = 2, conv.weight_bits = 1;
  CHECK(LayerMemory{}.per_layer(Architecture<double>{{conv}})[0] == 8 * 16 / 2.0 + 16 * 16 / 4.0 + 9 * 8 * 16 / 8.0);
  LayerDesc<double> norm{.kind = LayerKind::batch_norm, .in_channels = 8, .out_channels = 8};
  CHECK(LayerMemory{}.per_layer(Architecture<double>{{norm}})[0] == 24);
  norm.batch_norm_folded = true;
  Architecture<double> net{{conv, norm, {.kind = LayerKind::activation, .in_channels = 8, .out_channels = 8}}};
  net.layers[0].presence = 0.5;
  CHECK(LayerMemory{}.per_layer(net) == std::vector<double>{64 + 64 + 144, 0, 0});
  CHECK(total(LayerMemory{}, net) == (64 + 64 + 144) / 2.0);
}

TEST_CASE("layer memory: every layer has its gradient", "[cost]") {
  ScalarTape tape;
  auto soft = convert<Scalar>(test::resnet8());
  const Scalar out = soft.layers[1].out_channels = tape.leaf(16);
  tape.backward(LayerMemory{}.per_layer(soft)[1]);
  CHECK(tape.gradient(out) == 1024 + 9 * 16);
}
