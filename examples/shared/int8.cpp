// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "int8.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <limits>
#include <siena/deploy/c_source.hpp>
#include <siena/deploy/integer/as_network.hpp>
#include <siena/deploy/integer/quantization_aware.hpp>
#ifdef SIENA_EXAMPLES_ONNX
#include <siena/deploy/onnx_int8.hpp>
#endif
#include <vector>

#include "validators.hpp"

namespace siena::examples {

std::string Int8Settings::owner() const {
  return wanted() ? format("int8 {} epochs {} samples {} rate {} learned {}\n", when, epochs, samples, rate, learn_scales) : "";
}

void add_int8(CLI::App& app, Int8Settings& settings) {
  CLI::Option* int8 =
      app.add_option("--int8", settings.when,
                     "score the network in integers of 8 bits, too: after, calibrated when all is trained; aware, "
                     "trained on with the levels of integers, and that is the network that is saved")
          ->check(one_of({"after", "aware"}))
          ->group("Training");
  app.add_option("--int8-epochs", settings.epochs, "epochs with the levels of integers")
      ->capture_default_str()
      ->check(whole_between(1, 1'000'000))
      ->needs(int8)
      ->group("Training");
  app.add_option("--int8-rate", settings.rate, "their highest learning rate, as a part of that of the fine-tuning")
      ->capture_default_str()
      ->check(between(1e-9, 1e3))
      ->needs(int8)
      ->group("Training");
  app.add_option("--int8-samples", settings.samples, "training samples to calibrate with")
      ->capture_default_str()
      ->check(whole_between(1, std::numeric_limits<int>::max()))
      ->needs(int8)
      ->group("Training");
  app.add_flag("--int8-learn-scales", settings.learn_scales, "train the scales of values, too (learned step size)")
      ->needs(int8)
      ->group("Training");
}

data::Dataset calibration_samples(const data::Dataset& train, const Int8Settings& settings) {
  const std::int64_t count = std::min(settings.samples, train.size());
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < count; ++i) places.push_back(i * train.size() / count);
  return train.subset(places);
}

deploy::IntegerNetwork integers_of(const Network& network, const data::Dataset& samples) {
  return deploy::quantize(network, samples);
}

Network scorable(const deploy::IntegerNetwork& integers) { return deploy::as_network(integers); }

Network int8_aware(const Network& network, const data::Dataset& samples, const Int8Settings& settings) {
  return deploy::quantization_aware(network, samples, {.learn_scales = settings.learn_scales});
}

void write_onnx_int8([[maybe_unused]] const deploy::IntegerNetwork& integers, [[maybe_unused]] const OnnxFile& file,
                     [[maybe_unused]] const data::Dataset& trained_with) {
#ifdef SIENA_EXAMPLES_ONNX
  deploy::onnx_int8(integers, file.int8, onnx_options(file, trained_with));
#endif
}

void check_c(const std::string& folder) {
  for (std::filesystem::path file : c_files(folder)) {
    std::error_code none;
    while (!std::filesystem::exists(file.parent_path(), none)) file = file.parent_path();  // to the first that is to be made
    check_can_write(file);
  }
}

void write_c(const deploy::IntegerNetwork& integers, const std::string& folder, const deploy::CSourceOptions& options) {
  std::error_code none;  // what follows says what is wrong
  std::filesystem::create_directories(folder, none);
  deploy::c_source(integers, folder, options);
}

}  // namespace siena::examples
