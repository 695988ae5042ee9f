// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "siena/cost.hpp"
#include "siena/cost/latency_table.hpp"
#include "siena/nn.hpp"

namespace siena::bench {

/// The five networks, at a part of their width.
inline constexpr std::array networks{"resnet8", "ds_cnn", "mobilenet_v1", "autoencoder", "resnet18"};
Network make_network(const std::string& name, double width);

/// Height and width of an image.
struct ImageSize {
  int height, width;
  bool operator==(const ImageSize&) const = default;
};
/// "32,25x5": 32x32 and 25x5. Throws ArgumentError for what is no such list.
std::vector<ImageSize> parse_sizes(const std::string& text);

/// quick: what the five networks need, seconds. full: more channels, kernels, sizes and rounds, minutes. none: networks alone.
enum class Grid { none, quick, full };
struct GridOptions {
  Grid grid = Grid::quick;
  std::vector<ImageSize> sizes = {};  ///< of the outputs of every kind of layer, instead of the grid's own
};

/// A network at a part of its width, as it is deployed: batch norms folded.
struct WholeNetwork {
  std::string name;
  int percent;
  Architecture<double> description;
  std::vector<Network> deployed;  ///< one
  double seconds = 0;             ///< as measured
};
/// The five networks at 40, 70 and 100 percent.
std::vector<WholeNetwork> whole_networks();

struct Measurement {
  std::vector<LatencyPoint> points;
  std::vector<WholeNetwork> networks;
};
/// Times our own layers, one image at a time on one thread, over a grid of shapes, and whole networks in between. Says on
/// stderr how far it is.
Measurement measure(const GridOptions& options);

/// The table of a file (.csv or .json), and networks measured now; "": both measured with the quick grid. Made once, when first
/// asked for.
struct Predictor {
  LatencyTable table;
  std::vector<WholeNetwork> networks;
};
const Predictor& predictor(const std::string& file);
/// What `table` says of a network against what was measured, as a part of that.
double prediction_error(const LatencyTable& table, const WholeNetwork& network);

/// Registers rows `prediction/<network>/percent:<width>`: the time of a whole network beside the sum of its layers in the
/// table, and `prediction/mean` over all.
void add_predictions(const std::string& table_file);
/// Registers rows `evaluation/<network>/<cost model>/<exact or soft>`: what pricing a network takes.
void add_evaluations(const std::string& table_file);
/// Registers rows `figures/<network>`: costs beside those that are known from elsewhere. A difference is an error.
void add_figures();
/// Whether a row has said that something is wrong.
bool failed();

}  // namespace siena::bench
