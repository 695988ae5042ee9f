// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// A measured device that never was: grids of points of a known function.

#include <functional>
#include <string>
#include <vector>

#include "siena/cost/latency_table.hpp"

namespace siena::test {

struct Measured {
  LatencyKey key;
  std::vector<int> heights, widths;
  std::vector<double> in, out;
  int tile = 1, in_tile = 1;
  std::function<double(double in, double out, double height, double width)> seconds;
};

inline void measure(const Measured& m, std::vector<LatencyPoint>& points) {
  for (const int h : m.heights) {
    for (const int w : m.widths) {
      for (const double in : m.in) {
        for (const double out : m.out) {
          points.push_back({.key = m.key,
                            .height = h,
                            .width = w,
                            .in_channels = in,
                            .out_channels = out,
                            .seconds = m.seconds(in, out, h, w),
                            .tile = m.tile,
                            .in_tile = m.in_tile});
        }
      }
    }
  }
}

/// 3x3 convolutions of 4x4 to 8x12 outputs, ReLUs and linear layers; multilinear in all sizes.
inline std::vector<LatencyPoint> latency_points() {
  std::vector<LatencyPoint> points;
  measure({.key = {.operation = "conv2d", .kernel_height = 3, .kernel_width = 3},
           .heights = {4, 8},
           .widths = {4, 6, 12},
           .in = {1, 4, 16},
           .out = {1, 8, 16},
           .seconds = [](double i, double o, double h, double w) { return 1e-6 + 1e-9 * h * w * (3 + i) * (2 + o); }},
          points);
  measure({.key = {.operation = "relu"},
           .heights = {4, 8},
           .widths = {4, 6, 12},
           .in = {1},
           .out = {8, 16},
           .tile = 8,
           .seconds = [](double, double o, double h, double w) { return 1e-7 + 1e-9 * h * w * o; }},
          points);
  measure({.key = {.operation = "linear"},
           .heights = {1},
           .widths = {1},
           .in = {1, 32},
           .out = {16, 32},
           .tile = 16,
           .seconds = [](double i, double o, double, double) { return 2e-7 + 1e-10 * i * o; }},
          points);
  return points;
}

}  // namespace siena::test
