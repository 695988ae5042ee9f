// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/validate.hpp"

#include <cmath>
#include <string>

#include "siena/cost/cortex_m.hpp"
#include "siena/cost/diana.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/layer_memory.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/mpic.hpp"
#include "siena/cost/ne16.hpp"
#include "siena/cost/params.hpp"
#include "siena/cost/peak_memory.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

// Slopes as a known implementation has them: its ceil(a / tile) passes the gradient on unscaled, 1 instead of 1 / tile.
template <class N>
N straight_through_ceil(const N& a, double tile) {
  return with_slope(a, value_of(ceil_div(a, tile)), 1);
}

struct StraightThroughGap8 {
  std::string_view name() const { return "straight-through gap8"; }
  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    if (!layer.has_weights()) return 0;
    const N tiles = layer.groups * (ceil_div(layer.out_height, 2) * ceil_div(layer.out_width, 8));
    const N patch = layer.taps() * layer.in_channels / layer.groups;
    const N filters = layer.filters() / layer.groups;
    return (patch * 2.0 + straight_through_ceil(filters, 4) * (straight_through_ceil(patch, 4) * 14.0 + 15.0)) * tiles;
  }
};
struct StraightThroughDiana {
  double tile;  // 16 columns of the digital core, 512 of the analogue one
  std::string_view name() const { return "straight-through diana"; }
  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    if (!layer.has_weights()) return 0;
    return straight_through_ceil(layer.filters(), tile) * layer.in_channels * layer.taps();
  }
};
struct StraightThroughNe16 {
  std::string_view name() const { return "straight-through ne16"; }
  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    if (!layer.has_weights()) return 0;
    const N cost = Ne16{}.layer_cost(layer);
    // Both ways into floor(K / 32) it(32) + it(K mod 32) with slope 1: 355 cycles a channel and the remainder's.
    const double in_blocks = value_of(ceil_div(layer.in_channels, 16));
    return with_slope(layer.out_channels, value_of(cost), in_blocks * (45 + 32 * 8) + 22 + 32 + 11);
  }
};
struct UnrollOfTheWrongSign {
  std::string_view name() const { return "unroll of the wrong sign"; }
  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    double u = 8;
    while (u > 1 && u * value_of(layer.out_channels) > 512) u /= 2;
    return N(100.0) / with_slope(layer.out_channels, u, 1);
  }
};

struct WithoutSlope {
  std::string_view name() const { return "without slope"; }
  double layer_cost(const auto& layer) const { return value_of(layer.macs()); }
};
struct TwoTruths {
  std::string_view name() const { return "two truths"; }
  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    return layer.out_channels / (std::is_same_v<N, Scalar> ? 4.0 : 1.0);
  }
};
struct Falling {
  std::string_view name() const { return "falling"; }
  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    return N(1.0) / (layer.out_channels + 1.0);
  }
};
struct NotANumber {
  std::string_view name() const { return "not a number"; }
  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    using std::sqrt;
    return sqrt(layer.out_channels - 100.0);
  }
};

/// What was found about one input of one layer.
std::string findings(const Validation& validation, const std::string& layer, const std::string& input) {
  std::string text;
  for (const Finding& finding : validation.findings) {
    if (finding.layer == layer && finding.input == input) text += finding.to_string() + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("validate: every model that is shipped tells the truth", "[cost]") {
  const auto passes = [](const auto& model) {
    const Validation builtin = validate(model), known = validate(model, test::resnet8());
    CHECK(builtin.walks > 60);
    CHECK(known.walks > 60);
    INFO(builtin.to_string() << "\n" << known.to_string());
    CHECK(builtin.passed());
    CHECK(known.passed());
    const Validation of_sizes = validate(model, test::resnet8(), {.size_span = 32});
    CHECK(of_sizes.walks > known.walks);
    INFO(of_sizes.to_string());
    CHECK(of_sizes.passed());
  };
  passes(Params{});
  passes(Params{.bias = true});
  passes(Macs{});
  passes(ModelSize{});
  passes(Gap8{});
  passes(Ne16{});
  passes(Diana{});
  passes(Diana{.core = DianaCore::analog});
  passes(Mpic{});
  passes(MpicEnergy{});
  passes(CortexM{});
  passes(CortexM{.rates = cortex_m4_siena});
  passes(CortexM{.rates = cortex_m7});
  passes(PeakMemory{});
  passes(LayerMemory{});
}

TEST_CASE("validate: finds the four faults of existing models", "[cost]") {
  const auto gap8 = validate(StraightThroughGap8{});
  INFO(gap8.to_string());
  CHECK_THAT(findings(gap8, "conv 3x3", "output channels"), ContainsSubstring(", 4 times that"));
  CHECK_THAT(findings(gap8, "conv 3x3", "input channels"), ContainsSubstring("times that"));
  CHECK(findings(gap8, "add", "channels").empty());

  CHECK_THAT(findings(validate(StraightThroughDiana{16}), "conv 3x3", "output channels"), ContainsSubstring(", 16 times that"));
  CHECK_THAT(findings(validate(StraightThroughDiana{512}), "conv 3x3", "output channels"),
             ContainsSubstring(", 512 times that"));
  CHECK(findings(validate(StraightThroughDiana{16}), "conv 3x3", "input channels").empty());

  // 366 instead of 11.1 cycles.
  const Architecture<double> tile{{test::conv("tile", {.in = 16, .out = 32, .height = 3, .width = 3})}};
  CHECK_THAT(findings(validate(StraightThroughNe16{}, tile), "tile", "output channels"), ContainsSubstring(", 33 times that"));

  const auto unroll = validate(UnrollOfTheWrongSign{});
  CHECK_THAT(findings(unroll, "conv 3x3", "output channels"),
             ContainsSubstring("expected a slope of 0 or more at 32, for the cost never falls, got -1.5625"));
}

TEST_CASE("validate: sizes of images move where that is asked for", "[cost]") {
  const Architecture<double> net{{test::conv("first", {.in = 8, .out = 8, .stride = 2})}};
  CHECK(findings(validate(WithoutSlope{}, net), "first", "height").empty());
  const Validation sizes = validate(WithoutSlope{}, net, {.size_span = 4});
  CHECK(findings(sizes, "first", "height") ==
        "first, height: expected a mean slope of 9216 from 16 to 20, as the cost grows, got 0, 0 times that\n");
  CHECK_THAT(findings(sizes, "first", "width"), ContainsSubstring("expected a mean slope of 9216 from 16 to 20"));
}

TEST_CASE("validate: finds what else may be wrong, and says where", "[cost]") {
  const Architecture<double> net{{test::conv("first", {.in = 8, .out = 8})}};
  CHECK(findings(validate(WithoutSlope{}, net), "first", "output channels") ==
        "first, output channels: expected a mean slope of 73728 from 8 to 520, as the cost grows, got 0, 0 times that\n");
  CHECK_THAT(findings(validate(TwoTruths{}, net), "first", "output channels"),
             ContainsSubstring("expected 8 at 8, the cost in doubles, got 2 from the number that carries the gradient"));
  CHECK_THAT(findings(validate(Falling{}, net), "first", "output channels"),
             ContainsSubstring("expected a cost that does not fall from 8 to 9"));
  CHECK_THAT(findings(validate(NotANumber{}, net), "first", "output channels"),
             ContainsSubstring("expected finite numbers at 8"));
  const Validation wrong = validate(WithoutSlope{}, net);
  CHECK_FALSE(wrong.passed());
  CHECK(wrong.worst_error == 1);
  CHECK_THAT(wrong.to_string(), ContainsSubstring("without slope: ") && ContainsSubstring("\n  first, input channels: "));
  CHECK_THAT(validate(Macs{}, net).to_string(), ContainsSubstring("macs: nothing wrong in 6 walks"));
  CHECK_THROWS_WITH(validate(WithoutSlope{}, net, {.span = 0}), ContainsSubstring("span"));
}
