// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/slope_check.hpp"

#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

// A tiled model whose gradient goes straight through its ceiling: wrong by the size of the tile.
struct StraightThrough {
  std::string_view name() const { return "straight through"; }
  auto layer_cost(const auto& layer) const {
    return with_slope(layer.out_channels, value_of(ceil_div(layer.out_channels, 4)), 1);
  }
};
struct WithoutSlope {
  std::string_view name() const { return "without slope"; }
  double layer_cost(const auto& layer) const { return value_of(layer.macs()); }
};

}  // namespace

TEST_CASE("slope check: finds slopes that are wrong by a tile, or missing", "[cost]") {
  Architecture<double> net{.layers = {test::conv("conv", {.in = 8, .out = 8})}};
  const auto through = check_slopes(StraightThrough{}, net);
  REQUIRE(through.worst_error == Approx(0.75));
  REQUIRE(through.where == "conv, output channels");
  REQUIRE(through.slope == Approx(1));
  REQUIRE(through.secant == Approx(0.25));
  REQUIRE(check_slopes(WithoutSlope{}, net).worst_error == 1);
  REQUIRE_THROWS_WITH(check_slopes(WithoutSlope{}, net, 0), ContainsSubstring("span"));
}
