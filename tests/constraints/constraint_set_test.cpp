// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/constraint_set.hpp"

#include <cmath>

#include "siena/constraints/bound.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/params.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

struct AtLeast {
  double floor;
  std::string_view name() const { return "capacity"; }
  template <class N>
  N violation(const Architecture<N>& net) const {
    return N(1.0) - total(Params{}, net) / floor;
  }
};
struct NotANumber {
  std::string_view name() const { return "broken"; }
  template <class N>
  N violation(const Architecture<N>&) const {
    return N(std::nan(""));
  }
};
struct OnlyTruth {
  std::string_view name() const { return "only truth"; }
  double violation(const Architecture<double>&) const { return 0; }
};
static_assert(Constraint<AtLeast> && !Bound<AtLeast>);
static_assert(!Constraint<OnlyTruth> && !Constraint<Params> && !Constraint<int>);

}  // namespace

TEST_CASE("constraint set: any constraints, in order, by truth and by gradient", "[constraints]") {
  const auto net = test::resnet8();
  const auto set = subject_to(MemoryBound{Bytes{78744 / 2}}, AtLeast{77360 * 2}, AtMost{Macs{}, 20e6});
  REQUIRE(set.size() == 3);
  REQUIRE(set.violations(net) == std::vector<double>{1, 0.5, 12501632 / 20e6 - 1});
  REQUIRE(set.worst_violation(net) == 1);
  REQUIRE_FALSE(set.feasible(net));

  ScalarTape tape;
  auto soft = convert<Scalar>(net);
  soft.layers[0].in_channels = tape.leaf(3);
  const auto violations = set.violations(soft);
  REQUIRE(violations[0].value() == 1);
  tape.backward(violations[1]);
  REQUIRE(tape.gradient(soft.layers[0].in_channels) == Approx(-144.0 / (77360 * 2)));

  const auto status = set.status(net);
  REQUIRE(status[0].name == "memory");
  REQUIRE(status[0].unit == "B");
  REQUIRE(status[0].value == 78744);
  REQUIRE(status[0].limit == 39372);
  REQUIRE_FALSE(status[0].feasible());
  REQUIRE(status[1].name == "capacity");
  REQUIRE_FALSE(status[1].value);
  REQUIRE_FALSE(status[1].limit);
  REQUIRE(status[2].feasible());
  REQUIRE(set[0].is_bound());
  REQUIRE_FALSE(set[1].is_bound());
}

TEST_CASE("constraint set: grows at run time; none at all always holds", "[constraints]") {
  const auto net = test::resnet8();
  ConstraintSet set;
  REQUIRE(set.empty());
  REQUIRE(set.feasible(net));
  REQUIRE(subject_to().empty());
  set.add(AtMost{Params{}, 77360}).add(MemoryBound{78744_B});
  REQUIRE(set.feasible(net));  // a limit that is met exactly holds
  const auto copy = set;
  set.add(AtMost{Params{}, 77359});
  REQUIRE_FALSE(set.feasible(net));
  REQUIRE(copy.feasible(net));
  std::vector<std::string> names;
  for (const auto& constraint : set) names.push_back(constraint.name());
  REQUIRE(names == std::vector<std::string>{"params", "memory", "params 2"});
  REQUIRE(set.add(AnyConstraint(MemoryBound{1_KiB}).named("flash"))[3].name() == "flash");
}

TEST_CASE("constraint set: rounding does not break a limit that is met exactly", "[constraints]") {
  auto net = test::resnet8();
  const double kilobytes = 78744 / 1e3;
  REQUIRE(subject_to(MemoryBound{Bytes{kilobytes * 1e3 * (1 - 1e-13)}}).feasible(net));
  REQUIRE_FALSE(subject_to(MemoryBound{Bytes{78743.99}}).feasible(net));
}

TEST_CASE("constraint set: a violation that is not a number is an error", "[constraints]") {
  const auto net = test::resnet8();
  const auto set = subject_to(NotANumber{});
  REQUIRE_THROWS_AS(set.feasible(net), ConstraintError);
  REQUIRE_THROWS_WITH(set.violations(convert<Scalar>(net)), ContainsSubstring("constraint 'broken'"));
}
