// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// --int8: what was trained as a network of integers, as it is or trained on with the levels that those have.

#include <array>
#include <cstdint>
#include <filesystem>
#include <siena/data.hpp>
#include <siena/deploy/c/options.hpp>
#include <siena/deploy/integer/network.hpp>
#include <siena/nn.hpp>
#include <string>

#include "onnx_file.hpp"

namespace CLI {
class App;
}

namespace siena::examples {

struct Int8Settings {
  std::string when = {};       ///< after or aware; none: no integers
  int epochs = 5;              ///< with the levels of integers
  std::int64_t samples = 512;  ///< to calibrate with
  double rate = 0.01;          ///< of the highest rate of the fine-tuning
  bool learn_scales = false;

  bool wanted() const { return !when.empty(); }
  bool aware() const { return when == "aware"; }
  /// What a run with checkpoints is recognised by, a line.
  std::string owner() const;
};

/// Adds the options.
void add_int8(CLI::App& app, Int8Settings& settings);

/// Samples from all of the training part: folders are often read class by class.
data::Dataset calibration_samples(const data::Dataset& train, const Int8Settings& settings);

/// The integers that stand for a network.
deploy::IntegerNetwork integers_of(const Network& network, const data::Dataset& samples);

/// What can be scored as other networks are.
Network scorable(const deploy::IntegerNetwork& integers);

/// The network to train on: one that has the levels of its integers already as it is.
Network int8_aware(const Network& network, const data::Dataset& samples, const Int8Settings& settings);

/// --onnx-int8.
void write_onnx_int8(const deploy::IntegerNetwork& integers, const OnnxFile& file, const data::Dataset& trained_with);

/// What --c writes.
inline std::array<std::filesystem::path, 2> c_files(const std::filesystem::path& folder) {
  return {std::filesystem::absolute(folder) / "network.h", std::filesystem::absolute(folder) / "network.c"};
}
/// Throws what would go wrong when these are written.
void check_c(const std::string& folder);
void write_c(const deploy::IntegerNetwork& integers, const std::string& folder, const deploy::CSourceOptions& options);

}  // namespace siena::examples
