// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/bound.hpp"

#include <cmath>
#include <string>

#include "siena/cost/gap8.hpp"
#include "siena/cost/latency_table.hpp"
#include "siena/cost/macs.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

struct Stopwatch {  // a model that counts seconds
  std::string name() const { return "a stopwatch with a name too long to be stored in place"; }
  std::string_view unit() const { return "s"; }
  auto layer_cost(const auto& layer) const { return layer.macs() * 1e-9; }
};

}  // namespace

static_assert(Bound<AtMost<Macs>> && Bound<MemoryBound> && Bound<LatencyBound<Gap8>> && Bound<LatencyBound<Stopwatch>>);

TEST_CASE("bounds: violations are relative to the limit", "[constraints]") {
  const auto net = test::resnet8();
  const AtMost macs{Macs{}, 12501632.0 / 2};
  REQUIRE(macs.name() == "macs");
  REQUIRE(macs.unit() == "MACs");
  REQUIRE(macs.value(net) == 12501632);
  REQUIRE(macs.violation(net) == 1);
  REQUIRE(AtMost{Macs{}, 12501632}.violation(net) == 0);
  REQUIRE(AtMost{Macs{}, 4 * 12501632.0}.violation(net) == -0.75);

  const MemoryBound memory{64_KiB};
  REQUIRE(memory.limit() == 65536);
  REQUIRE(memory.value(net) == 78744);
  REQUIRE(memory.violation(net) == Approx(78744 / 65536.0 - 1).epsilon(1e-15));
  REQUIRE(memory.unit() == "B");
}

TEST_CASE("bounds: latency in seconds or cycles is the same bound", "[constraints]") {
  const auto net = test::resnet8();
  const LatencyBound seconds{Gap8{.clock = 100_MHz}, 5_ms};
  const LatencyBound cycles{Gap8{}, 500000_cycles};
  REQUIRE(seconds.value(net) == Approx(7.66624e-3));
  REQUIRE(seconds.unit() == "s");
  REQUIRE(cycles.value(net) == 766624);
  REQUIRE(cycles.unit() == "cycles");
  REQUIRE(seconds.violation(net) == Approx(cycles.violation(net)).epsilon(1e-14));
  REQUIRE(LatencyBound{Stopwatch{}, 10_ms}.violation(net) == Approx(0.2501632));
  REQUIRE(AtMost{Stopwatch{}, 0.01}.name() == Stopwatch{}.name());

  ScalarTape tape;
  auto soft = convert<Scalar>(net);
  soft.layers[0].out_channels = tape.leaf(16);
  tape.backward(seconds.violation(soft));
  REQUIRE(tape.gradient(soft.layers[0].out_channels) == Approx(64 * (5 + 14 * 7 + 10) / 4.0 / 500000));
}

TEST_CASE("bounds: limits that are none are refused", "[constraints]") {
  for (const double limit : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    REQUIRE_THROWS_AS((AtMost{Macs{}, limit}), ConstraintError);
    REQUIRE_THROWS_AS(MemoryBound{Bytes{limit}}, ConstraintError);
    REQUIRE_THROWS_AS((LatencyBound{Gap8{.clock = 100_MHz}, Seconds{limit}}), ConstraintError);
    REQUIRE_THROWS_AS((LatencyBound{Gap8{}, Cycles{limit}}), ConstraintError);
  }
  REQUIRE_THROWS_WITH((AtMost{Macs{}, 0}),
                      ContainsSubstring("AtMost: expected a limit of 'macs'") && ContainsSubstring("got 0 MACs"));
  REQUIRE_THROWS_WITH((LatencyBound{Gap8{}, 3_ms}), ContainsSubstring("expected 'gap8' to have a clock"));
}

TEST_CASE("latency bound: a table of energies is no latency", "[constraints]") {
  const LatencyTable energy({{.key = {.operation = "relu"}, .seconds = 1}}, {}, {.name = "energy", .unit = "uJ"});
  CHECK_THROWS_WITH((LatencyBound{energy, 1_ms}),
                    ContainsSubstring("expected 'energy' to count seconds or cycles, got a model that counts uJ"));
  CHECK((AtMost{energy, 250}).unit() == "uJ");
}
