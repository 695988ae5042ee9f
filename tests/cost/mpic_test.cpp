// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/mpic.hpp"

#include "siena/cost/validate.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("mpic: cycles and energy of known networks", "[cost]") {
  CHECK(std::llround(total(Mpic{}, test::resnet8())) == 5953158);
  CHECK(std::llround(total(Mpic{}, test::ds_cnn())) == 1265128);
  CHECK(total(MpicEnergy{}, test::resnet8()) == Approx(128.17).epsilon(1e-4));
  CHECK(total(MpicEnergy{}, test::ds_cnn()) == Approx(27.24).epsilon(1e-4));
  CHECK(seconds(Mpic{.clock = 250_MHz}, test::resnet8()) == Approx(12501632 / 2.1 / 250e6));
  CHECK(unit_of(MpicEnergy{}) == "uJ");
}

TEST_CASE("mpic: the table, and what lies between its entries runs as the next", "[cost]") {
  const auto rate = [](double in, double weights) { return Mpic::cycles_per_mac(in, weights); };
  const double in[] = {2, 4, 8}, weights[] = {2, 4, 8};
  const double macs_per_cycle[3][3] = {{6.5, 4.0, 2.2}, {3.9, 3.5, 2.1}, {2.5, 2.3, 2.1}};
  for (int i = 0; i < 3; ++i) {
    CHECK(rate(in[i], 0) == 0);
    for (int w = 0; w < 3; ++w) CHECK(rate(in[i], weights[w]) == Approx(1 / macs_per_cycle[i][w]).epsilon(1e-14));
  }
  CHECK(rate(2, 3) == rate(2, 4));
  CHECK(rate(6, 2) == rate(8, 2));
  CHECK(rate(3, 5) == rate(4, 8));
  CHECK_THROWS_WITH(rate(8, 16), ContainsSubstring("expected 2 to 8 input bits and 0 to 8 weight bits, got 8 and 16"));
  CHECK_THROWS_WITH(rate(0, 8), ContainsSubstring("got 0 and 8"));

  ScalarTape tape;
  const Scalar a = tape.leaf(6), w = tape.leaf(3);
  tape.backward(Mpic::cycles_per_mac(a, w));
  CHECK(tape.gradient(a) == Approx((rate(8, 4) - rate(4, 4)) / 4));
  CHECK(tape.gradient(w) == Approx((rate(8, 4) - rate(8, 2)) / 2));
}

TEST_CASE("mpic: what has no weights is free, custom layers are not", "[cost]") {
  CHECK(Mpic{}.layer_cost(LayerDesc<double>{.kind = LayerKind::add, .in_channels = 8, .out_channels = 8}) == 0);
  CHECK(Mpic{}.layer_cost(LayerDesc<double>{.kind = LayerKind::other, .own_macs = 210}) == Approx(100));
}

TEST_CASE("mpic: slopes are true", "[cost]") { CHECK(validate(Mpic{}).passed()); }
