// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Everything that has a text is printed by {fmt} as it is, beside whatever else {fmt} can print.

#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <ostream>
#include <string>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/core/shape.hpp"
#include "siena/cost/latency_table.hpp"
#include "siena/cost/params.hpp"
#include "siena/cost/validate.hpp"
#include "siena/search/reach.hpp"
#include "siena/search/report.hpp"
#include "siena/search/slack.hpp"
#include "siena/space/freedom.hpp"
#include "siena/train/confusion_matrix.hpp"
#include "siena/train/optimizers.hpp"
#include "siena/train/roc.hpp"
#include "siena/train/schedule.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

template <class T>
void check_text(const T& value) {
  CHECK(fmt::format("{}", value) == value.to_string());
  CHECK(fmt::format("{:>300}", value).size() >= 300);
}
struct Streamed {
  friend std::ostream& operator<<(std::ostream& out, const Streamed&) { return out << "streamed"; }
};

}  // namespace
template <>
struct fmt::formatter<Streamed> : fmt::ostream_formatter {};

/// A type of a user, whose text is nobody's business but his.
struct Users {
  std::string to_string() const { return "not asked for"; }
};
static_assert(!HasText<Users> && !HasText<std::string> && !HasText<int>);

TEST_CASE("formatting: every type that has a text") {
  const Network network({8, 8, 3}, [](const Flow& x) { return x | Conv2d{.out = 4} | GlobalAvgPool{} | Linear{.out = 2}; });
  check_text(Shape{2, 3});
  check_text(ConstraintStatus{.name = "memory", .unit = "B", .value = 1, .limit = 2});
  check_text(Finding{"layer", "channels", "1", "2"});
  check_text(validate(Params{}));
  check_text(LatencyKey{.operation = "conv2d"});
  check_text(Reach{.name = "memory", .unit = "B", .smallest = 1, .largest = 3});
  check_text(ShadowPrice{.name = "memory"});
  check_text(report(network, ConstraintSet()));
  check_text(freedom(network));
  check_text(freedom(network).layers[0]);
  check_text(AnomalyReport{});
  check_text(ConfusionMatrix(2));
  check_text(Sgd{});
  check_text(Adam{});
  check_text(AdamW{});
  check_text(AnyOptimizer(Sgd{}));
  check_text(ConstantLr{});
  check_text(StepLr{});
  check_text(MilestoneLr{});
  check_text(PiecewiseLr{});
  check_text(ExponentialLr{});
  check_text(CosineLr{});
  check_text(PlateauLr{});
  check_text(AnySchedule(CosineLr{}));
}

TEST_CASE("formatting: with the other ways of {fmt}") {
  CHECK(fmt::format("{}", Streamed{}) == "streamed");
  CHECK(fmt::format("{}", std::vector<int>{1, 2}) == "[1, 2]");
  CHECK(fmt::format("{}", std::vector<Shape>{Shape{2, 3}, Shape{4}}) == "[2x3, 4]");
}
