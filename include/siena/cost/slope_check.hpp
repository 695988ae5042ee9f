// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "siena/cost/cost_model.hpp"

namespace siena {

/// The worst slope that check_slopes found.
struct SlopeReport {
  double worst_error = 0;  ///< relative
  std::string where = {};  ///< layer and channel count
  double slope = 0, secant = 0;
};

/// Whether the gradient of a cost model tells the truth. Each channel count of each layer with weights is moved up by `span`
/// channels, alone: the mean slope that the model claims on the way is compared with what its cost really grows by. `span` is a
/// multiple of all tiles of the model. Exact slopes give rounding errors; a straight-through ceil(c / 4) gives 0.75.
template <class M>
SlopeReport check_slopes(const M& model, const Architecture<double>& network, int span = 64) {
  assert_cost_model<M>();
  require<ArgumentError>(span > 0, "check_slopes: expected a span of 1 channel or more, got {}", span);
  SlopeReport report;
  ScalarTape tape;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (!network.layers[i].has_weights()) continue;
    for (const bool input : {true, false}) {
      const bool depthwise = network.layers[i].kind == LayerKind::depthwise_conv2d;
      if (depthwise && !input) continue;  // goes by its input channels
      const auto moved = [&](auto& architecture, auto delta) {
        auto& layer = architecture.layers[i];
        (input ? layer.in_channels : layer.out_channels) += delta;
        if (depthwise) layer.out_channels = layer.in_channels * double(layer.multiplier);
      };
      double slopes = 0;
      for (int step = 1; step <= span; ++step) {
        tape.clear();
        auto scalars = convert<Scalar>(network);
        const Scalar delta = tape.leaf(step);
        moved(scalars, delta);
        tape.backward(total(model, scalars));
        slopes += tape.gradient(delta) / span;
      }
      auto after = network;
      moved(after, double(span));
      const double secant = (total(model, after) - total(model, network)) / span;
      const double scale = std::max({std::abs(secant), std::abs(slopes), 1e-30});
      if (const double error = std::abs(slopes - secant) / scale; error > report.worst_error || report.where.empty()) {
        report = {error, format("{}, {} channels", network.layers[i].name, input ? "input" : "output"), slopes, secant};
      }
    }
  }
  return report;
}

}  // namespace siena
