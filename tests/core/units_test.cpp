// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/units.hpp"

#include <cmath>

#include "support/catch.hpp"

using namespace siena;

namespace {
bool near(double a, double b) { return std::abs(a - b) <= 1e-12 * std::abs(b); }
}  // namespace

TEST_CASE("literals are what they say", "[core][units]") {
  REQUIRE((16_KiB).value == 16'384);
  REQUIRE((0.5_KiB).value == 512);
  REQUIRE((16_kB).value == 16'000);
  REQUIRE((2_MiB).value == 2'097'152);
  REQUIRE((1.5_MiB).value == 1'572'864);
  REQUIRE((3_B).value == 3);
  REQUIRE(near((25_ms).value, 0.025));
  REQUIRE(near((2.5_us).value, 2.5e-6));
  REQUIRE((3_s).value == 3);
  REQUIRE((100_MHz).value == 1e8);
  REQUIRE(near((1.2_GHz).value, 1.2e9));
  REQUIRE((7_cycles).value == 7);
}

TEST_CASE("units convert through the clock and compare among themselves", "[core][units]") {
  static_assert(1_KiB > 1_kB);
  static_assert(1000_ms == 1_s);
  static_assert(16_KiB == Bytes{16384});
  REQUIRE(near((1'000'000_cycles / 100_MHz).value, 0.01));
  REQUIRE(near((10_ms * 100_MHz).value, 1e6));
  REQUIRE(near(((5_ms * 80_MHz) / 80_MHz).value, 0.005));
}

TEST_CASE("amounts are readable at any size", "[core][units]") {
  REQUIRE(amount_text(0.00398) == "0.00398");
  REQUIRE(amount_text(39372.5) == "39372.5");
  REQUIRE(amount_text(4871460) == "4871460");
  REQUIRE(amount_text(1e6) == "1000000");
  REQUIRE(amount_text(3e20) == "3e+20");
  REQUIRE(shown_unit("s", 0.004).amount(0.00398) == "3.98");
  REQUIRE(shown_unit("s", 0.004).name == "ms");
  REQUIRE(shown_unit("s", 4e-5).amount(3e-5) == "30");
  REQUIRE(shown_unit("s", 4e-5).name == "us");
  REQUIRE(shown_unit("s", 1.5).name == "s");
  REQUIRE(shown_unit("cycles", 0.5).amount(0.5) == "0.5");
  REQUIRE(shown_unit("", 1).space().empty());
}
