// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/latency_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "siena/cost/validate.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"
#include "support/latency_points.hpp"

using namespace siena;

namespace {

LayerDesc<double> measured_conv(double in, double out, int height, int width) {
  return test::conv("conv", {.in = in, .out = out, .height = height, .width = width});
}
double conv_seconds(double in, double out, int h, int w) { return 1e-6 + 1e-9 * h * w * (3 + in) * (2 + out); }

using SizeOfImage = Scalar LayerDesc<Scalar>::*;

LayerDesc<double> plain_layer(LayerKind kind, std::string operation, double channels, int size) {
  LayerDesc<double> layer{.kind = kind, .operation = std::move(operation), .name = "plain"};
  layer.in_channels = layer.out_channels = channels;
  layer.in_height = layer.in_width = layer.out_height = layer.out_width = size;
  return layer;
}
std::vector<LatencyPoint> points_but(std::size_t index, double LatencyPoint::*member, double value) {
  auto points = test::latency_points();
  points[index].*member = value;
  return points;
}

}  // namespace

TEST_CASE("latency table: exact on its points, and in between for what is multilinear", "[cost]") {
  const LatencyTable table(test::latency_points());
  for (const int h : {4, 5, 8}) {
    for (const int w : {4, 6, 7, 12}) {
      for (const double in : {1.0, 3.0, 4.0, 15.5, 16.0}) {
        for (const double out : {1.0, 2.0, 8.0, 13.0, 16.0}) {
          CHECK_THAT(table.layer_cost(measured_conv(in, out, h, w)), WithinRel(conv_seconds(in, out, h, w), 1e-12));
        }
      }
    }
  }
  for (const LatencyPoint& p : table.points()) {  // the very bits
    if (p.key.operation == "conv2d") {
      CHECK(table.layer_cost(measured_conv(p.in_channels, p.out_channels, p.height, p.width)) == p.seconds);
    }
  }
  CHECK(unit_of(table) == "s");
}

TEST_CASE("latency table: the gradient is that of finite differences", "[cost]") {
  const LatencyTable table(test::latency_points());
  for (const double in : {1.0, 3.0, 9.0}) {  // between points, where there is one slope
    for (const int w : {6, 7}) {
      ScalarTape tape;
      auto layer = convert<Scalar>(measured_conv(in + 0.5, 11, 6, w));
      const Scalar at_in = tape.leaf(in + 0.5), at_out = tape.leaf(11);
      layer.in_channels = at_in, layer.out_channels = at_out;
      const Scalar cost = table.layer_cost(layer);
      tape.backward(cost);
      const auto seconds = [&](double i, double o) { return table.layer_cost(measured_conv(i, o, 6, w)); };
      CHECK(cost.value() == Approx(seconds(in + 0.5, 11)).epsilon(1e-12));
      CHECK(tape.gradient(at_in) == Approx((seconds(in + 0.6, 11) - seconds(in + 0.4, 11)) / 0.2));
      CHECK(tape.gradient(at_out) == Approx((seconds(in + 0.5, 12) - seconds(in + 0.5, 10)) / 2));
    }
  }
}

TEST_CASE("latency table: a size that varies has the slope from the next smaller measured one", "[cost]") {
  const LatencyTable table(test::latency_points());
  const auto slope = [&](const LayerDesc<double>& plain, SizeOfImage size, double at) {
    ScalarTape tape;
    auto layer = convert<Scalar>(plain);
    layer.*size = tape.leaf(at);
    const Scalar cost = table.layer_cost(layer);
    CHECK(cost.value() == table.layer_cost(convert<double>(layer)));
    tape.backward(cost);
    return tape.gradient(layer.*size);
  };
  const auto conv = measured_conv(4, 8, 8, 12);
  for (const double height : {4.0, 6.0, 8.0}) {  // one slope all over
    CHECK(slope(conv, &LayerDesc<Scalar>::out_height, height) == Approx(1e-9 * 12 * 7 * 10));
  }
  for (const double width : {4.0, 7.0, 12.0}) {
    CHECK(slope(conv, &LayerDesc<Scalar>::out_width, width) == Approx(1e-9 * 8 * 7 * 10));
  }
  const auto linear = test::linear("one size", 32, 32);
  CHECK(slope(linear, &LayerDesc<Scalar>::out_height, 1) == Approx(table.layer_cost(linear)));
}

TEST_CASE("latency table: channels count in whole tiles, with the slope between them", "[cost]") {
  const LatencyTable table(test::latency_points());
  const auto cost = [&](double channels) { return table.layer_cost(plain_layer(LayerKind::activation, "relu", channels, 4)); };
  CHECK(cost(1) == cost(8));
  CHECK(cost(9) == cost(16));
  CHECK(cost(8) < cost(9));
  ScalarTape tape;
  auto layer = convert<Scalar>(plain_layer(LayerKind::activation, "relu", 11, 4));
  const Scalar channels = tape.leaf(11);
  layer.in_channels = layer.out_channels = channels;
  tape.backward(table.layer_cost(layer));
  CHECK(tape.gradient(channels) == Approx((cost(16) - cost(8)) / 8));
  // All slopes against the secants over tiles.
  const Architecture<double> net{.layers = {test::linear("linear", 7, 16)}};
  const Validation validation = validate(table, net, {.span = 8});
  INFO(validation.to_string());
  CHECK(validation.passed());
}

TEST_CASE("latency table: inputs of a row of the kernel count in whole tiles", "[cost]") {
  std::vector<LatencyPoint> points;
  const auto steps = [](double inputs) { return std::ceil(inputs / 2); };
  const auto seconds = [&](double in, double out, double, double) { return 1e-6 * (3 + steps(3 * in)) * out; };
  test::measure({.key = {.operation = "conv2d", .kernel_height = 3, .kernel_width = 3},
                 .heights = {4},
                 .widths = {4},
                 .in = {1, 4, 9},
                 .out = {1, 16},
                 .in_tile = 2,
                 .seconds = seconds},
                points);
  const LatencyTable table(points);
  CHECK(table.layer_cost(measured_conv(9.000001, 5, 4, 4)) == table.layer_cost(measured_conv(9, 5, 4, 4)));
  for (double in = 1; in <= 9; ++in) CHECK(table.layer_cost(measured_conv(in, 5, 4, 4)) == Approx(seconds(in, 5, 4, 4)));
  const Architecture<double> net{.layers = {measured_conv(5, 5, 4, 4)}};
  CHECK(missing_points(points, {net}).empty());
  const Validation validation = validate(table, net, {.span = 4});
  INFO(validation.to_string());
  CHECK(validation.passed());
  points.back().in_tile = 3;
  CHECK_THROWS_WITH(LatencyTable(points), ContainsSubstring("expected the in_tile 2 of the other points of conv2d 3x3"));
  for (LatencyPoint& point : points) point.in_tile = 32;
  CHECK_THROWS_WITH(LatencyTable(points), ContainsSubstring("expected input channels of different tiles of 32"));
}

TEST_CASE("latency table: monotone where the data are", "[cost]") {
  const LatencyTable table(test::latency_points());
  double last = 0;
  for (double channels = 1; channels <= 16; channels += 0.25) {
    const double now = table.layer_cost(measured_conv(channels, channels, 5, 9));
    CHECK(now > last);
    last = now;
  }
}

TEST_CASE("latency table: where groups vary, the slope is the time of the last one", "[cost]") {
  std::vector<LatencyPoint> points;
  for (const int groups : {1, 2, 4}) {
    points.push_back({.key = {.operation = "conv2d", .kernel_height = 3, .kernel_width = 3, .groups = groups},
                      .height = 8,
                      .width = 8,
                      .in_channels = 4.0 * groups,
                      .out_channels = 6.0 * groups,
                      .seconds = 1.0 + groups * groups});
  }
  points.push_back(points.back());  // three groups of a layer with other channels
  points.back().key.groups = 3, points.back().in_channels = 48;
  const LatencyTable table(points);
  const auto slope = [&](double groups) {
    ScalarTape tape;
    const Scalar count = tape.leaf(groups);
    auto layer = convert<Scalar>(test::conv("conv", {.in = 4, .out = 6, .height = 8, .width = 8}));
    layer.groups = count, layer.in_channels = count * 4.0, layer.out_channels = count * 6.0;
    const Scalar seconds = table.layer_cost(layer);
    CHECK(seconds.value() == 1 + groups * groups);
    tape.backward(seconds);
    return tape.gradient(count);
  };
  CHECK(slope(2) == 5 - 2);
  CHECK(slope(1) == 2);           // all there is
  CHECK(slope(4) == 17.0 / 4.0);  // three were not measured
}

TEST_CASE("latency query: what tells layers apart, and what takes no time", "[cost]") {
  auto conv = test::conv("conv", {.in = 4, .out = 8, .kernel = 5, .stride = 2, .height = 9, .width = 7});
  conv.groups = 2;
  const auto query = latency_query(conv);
  REQUIRE(query);
  CHECK(query->key.to_string() == "conv2d 5x5 stride 2x2 groups 2");
  CHECK(query->in_channels == 4);
  CHECK(query->out_channels == 8);
  CHECK(query->height == 5);
  CHECK(query->width == 4);

  auto depthwise = test::depthwise("depthwise", {.in = 4, .out = 8, .height = 6, .width = 6});
  depthwise.multiplier = 2;
  CHECK(latency_query(depthwise)->key.to_string() == "depthwise_conv2d 3x3 multiplier 2");
  CHECK(latency_query(depthwise)->in_channels == 1);
  CHECK(latency_query(depthwise)->out_channels == 8);
  ScalarTape tape;  // the mask of a depthwise layer is that of its input
  auto soft = convert<Scalar>(depthwise);
  const Scalar in = tape.leaf(4);
  soft.in_channels = in;
  tape.backward(latency_query(soft)->out_channels);
  CHECK(tape.gradient(in) == 2);

  auto pool = plain_layer(LayerKind::pool, "max_pool", 3, 8);
  pool.kernel_height = pool.kernel_width = pool.stride_height = pool.stride_width = 2;
  CHECK(latency_query(pool)->key.to_string() == "max_pool 2x2 stride 2x2");
  auto global = plain_layer(LayerKind::pool, "global_avg_pool", 3, 8);
  global.kernel_height = global.kernel_width = 8, global.out_height = global.out_width = 1;
  CHECK(latency_query(global)->key.to_string() == "global_avg_pool");
  CHECK(latency_query(global)->width == 8);
  CHECK(latency_query(plain_layer(LayerKind::add, "", 3, 8))->key.to_string() == "add");
  CHECK(latency_query(plain_layer(LayerKind::multiply, "", 3, 8))->key.to_string() == "multiply");
  CHECK(latency_query(plain_layer(LayerKind::rearrange, "pad", 3, 8))->key.to_string() == "pad");
  CHECK(latency_query(plain_layer(LayerKind::batch_norm, "", 3, 8))->key.to_string() == "batch_norm");
  CHECK(latency_query(plain_layer(LayerKind::other, "mine", 3, 8))->in_channels == 3);

  const LatencyTable table(test::latency_points());
  auto folded = plain_layer(LayerKind::batch_norm, "", 3, 99);
  folded.batch_norm_folded = true;
  for (const auto& free : {folded, plain_layer(LayerKind::flatten, "", 3, 99), plain_layer(LayerKind::mixture, "", 3, 99),
                           plain_layer(LayerKind::activation, "dropout", 3, 99)}) {
    CHECK_FALSE(latency_query(free));
    CHECK(table.layer_cost(free) == 0);
  }
  conv.live_taps = 4;
  CHECK_THROWS_WITH(latency_query(conv), ContainsSubstring("'conv'") && ContainsSubstring("masked elements"));

  // None is masked, but they may be.
  ScalarTape of_taps;
  const auto whole = measured_conv(4, 8, 4, 4);
  auto varied = convert<Scalar>(whole);
  varied.live_taps = of_taps.leaf(9);
  const Scalar seconds = table.layer_cost(varied);
  CHECK(seconds.value() == table.layer_cost(whole));
  of_taps.backward(seconds);
  CHECK(of_taps.gradient(*varied.live_taps) == Approx(seconds.value() / 9));
}

TEST_CASE("latency table: nothing is guessed outside of what was measured", "[cost]") {
  const LatencyTable table(test::latency_points());
  const auto refused = [&](const LayerDesc<double>& layer, const std::string& what) {
    CHECK_THROWS_AS(table.layer_cost(layer), DataError);
    CHECK_THROWS_WITH(table.layer_cost(layer),
                      ContainsSubstring(what) && ContainsSubstring("'" + layer.name + "'") && ContainsSubstring("measure it"));
    CHECK_THROWS_AS(table.layer_cost(convert<Scalar>(layer)), DataError);
  };
  refused(measured_conv(17, 8, 4, 4), "expected 1 to 16 input channels");
  refused(measured_conv(4, 17, 4, 4), "expected 1 to 16 output channels");
  refused(measured_conv(0.5, 8, 4, 4), "(conv2d 3x3 at 4x4), got 0.5");
  refused(measured_conv(4, 8, 9, 4), "got measurements at 4x4, 4x6, 4x12, 8x4");
  refused(measured_conv(4, 8, 4, 3), "expected the size 4x3");
  refused(test::conv("five", {.in = 4, .out = 8, .kernel = 5}), "expected a measurement of conv2d 5x5");
  refused(plain_layer(LayerKind::activation, "tanh", 8, 4), "got those of: conv2d 3x3; linear; relu");
  refused(test::linear("head", 32, 33), "expected 16 to 32 output channels");
  CHECK(table.layer_cost(test::linear("head", 32, 10)) > 0);
  CHECK(table.layer_cost(test::linear("a hair beyond", 32.000001, 32)) > 0);  // sums of masks in float

  // Square sizes alone: each by itself, nothing in between.
  std::vector<LatencyPoint> squares;
  for (const auto& p : test::latency_points()) {
    if (p.height == p.width) squares.push_back(p);
  }
  const LatencyTable square(squares);
  CHECK(square.layer_cost(measured_conv(4, 8, 4, 4)) == conv_seconds(4, 8, 4, 4));
  CHECK_THROWS_WITH(square.layer_cost(measured_conv(4, 8, 6, 6)), ContainsSubstring("expected the size 6x6"));
}

TEST_CASE("latency table: what is missing says what the nearest has otherwise", "[cost]") {
  const LatencyTable table(test::latency_points());
  CHECK_THROWS_WITH(table.layer_cost(test::conv("a", {.in = 4, .out = 8, .stride = 2})),
                    ContainsSubstring("expected a measurement of conv2d 3x3 stride 2x2") &&
                        ContainsSubstring("the nearest has stride 1x1 instead of 2x2"));
  CHECK_THROWS_WITH(table.layer_cost(test::depthwise("a", {.in = 4, .out = 4})),
                    ContainsSubstring("the nearest has conv2d instead of depthwise_conv2d"));
}

TEST_CASE("latency table: all that is missing is listed at once", "[cost]") {
  const auto points = test::latency_points();
  const LatencyTable table(points);
  Architecture<double> least, most;
  const auto add = [&](LayerDesc<double> small, LayerDesc<double> large) {
    least.layers.push_back(std::move(small)), most.layers.push_back(std::move(large));
  };
  add(measured_conv(1, 1, 4, 4), measured_conv(16, 16, 4, 4));    // there
  add(measured_conv(3, 1, 6, 6), measured_conv(3, 16, 6, 6));     // between four sizes
  add(measured_conv(1, 1, 8, 12), measured_conv(20, 16, 8, 12));  // too many input channels
  add(plain_layer(LayerKind::activation, "relu", 1, 5), plain_layer(LayerKind::activation, "relu", 20, 5));  // a new size
  add(plain_layer(LayerKind::activation, "tanh", 2, 4), plain_layer(LayerKind::activation, "tanh", 6, 4));   // a new key
  const std::vector<Architecture<double>> networks{least, most};
  auto missing = missing_points(points, networks);
  const auto count = [&](std::string_view operation, int height) {
    return std::count_if(missing.begin(), missing.end(),
                         [&](const LatencyPoint& p) { return p.key.operation == operation && p.height == height; });
  };
  CHECK(count("conv2d", 8) == 3);  // 20 to 1, 8 and 16 channels
  CHECK(count("conv2d", 4) == 0);
  CHECK(count("tanh", 4) == 2);
  CHECK(missing.size() >= 7);
  try {
    table.check(networks);
    FAIL("nothing thrown");
  } catch (const DataError& error) {
    const std::string text = error.what();
    CHECK_THAT(text, ContainsSubstring("\noperation,kernel_height,") && ContainsSubstring("out_channels,seconds\n"));
    CHECK_THAT(
        text, ContainsSubstring("\nconv2d,3,3,1,1,1,1,1,8,12,20,8,\n") && ContainsSubstring("\ntanh,1,1,1,1,1,1,1,4,4,1,6,\n"));
  }
  // Filled in, the table is whole and prices both.
  for (LatencyPoint& point : missing) point.seconds = 1e-6;
  missing.insert(missing.end(), points.begin(), points.end());
  const LatencyTable whole(missing);
  CHECK_NOTHROW(whole.check(networks));
  CHECK(total(whole, least) > 0);
  CHECK(total(whole, most) > 0);
}

TEST_CASE("latency table: other things than times are bounds, too", "[cost]") {
  const LatencyTable energy(test::latency_points(), {}, {.name = "energy", .unit = "uJ"});
  CHECK(energy.name() == "energy");
  CHECK(energy.unit() == "uJ");
  CHECK(LatencyTable(test::latency_points()).name() == "latency table");
  for (const std::string name : {"", "groups"}) {
    CHECK_THROWS_WITH(LatencyTable(test::latency_points(), {}, {.name = name, .unit = "uJ"}),
                      ContainsSubstring("LatencyTable: expected a name of its own for what was measured") &&
                          ContainsSubstring("got '" + name + "'"));
  }
}

TEST_CASE("latency table: points that make no table", "[cost]") {
  const auto refused = [](std::vector<LatencyPoint> points, const std::string& what) {
    CHECK_THROWS_AS(LatencyTable(points), DataError);
    CHECK_THROWS_WITH(LatencyTable(std::move(points)), ContainsSubstring(what));
  };
  refused({}, "at least one");
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  refused(points_but(3, &LatencyPoint::seconds, nan), "point 4: expected a number of 0 or more, got nan");
  refused(points_but(3, &LatencyPoint::seconds, infinite), "point 4");
  refused(points_but(0, &LatencyPoint::seconds, -1e-9), "point 1");
  refused(points_but(1, &LatencyPoint::in_channels, 0), "expected sizes and channels above 0");
  refused(points_but(1, &LatencyPoint::out_channels, nan), "expected sizes and channels above 0");
  auto points = test::latency_points();
  points[2].key.operation = "";
  refused(points, "name of an operation");
  points[2].key.operation = "a,b";
  refused(points, "name of an operation");
  points[2].key.operation = "M\xfcller";
  refused(points, "name of an operation in UTF-8, without commas and quotes, got 'M?ller'");
  points = test::latency_points();
  points.push_back(points[7]);
  refused(points, format("point {}: expected each point once, got conv2d 3x3, 16 to 8 channels at 4x4 again", points.size()));
  points = test::latency_points();
  points.erase(points.begin() + 4);
  refused(points, "expected a whole grid of channels for conv2d 3x3 at 4x4, got no point of 4 to 8 channels");
  points = test::latency_points();
  points.erase(points.begin() + 8);
  refused(points, "got no point of 16 to 16 channels");
  points = test::latency_points();
  points.back().tile = 8;
  refused(points, "expected the tile 16 of the other points of linear, got 8");
  points.back().tile = 5;
  refused(points, "whole tiles");

  points = test::latency_points();
  std::reverse(points.begin(), points.end());
  CHECK(LatencyTable(points).points() == LatencyTable(test::latency_points()).points());
}
