// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a network comes to on the accuracy sets of MLPerf Tiny (--mlperf).

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <siena/core.hpp>
#include <siena/data.hpp>
#include <siena/data/mlperf_tiny.hpp>
#include <siena/nn.hpp>
#include <siena/train.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace siena::examples {

struct MlperfScore {
  double score = 0;
  std::int64_t inputs = 0;

  std::string to_string(std::string_view metric) const {
    return metric == "accuracy" ? format("MLPerf Tiny: {:.2f} % of {} inputs", 100 * score, inputs)
                                : format("MLPerf Tiny: {} {:.4f} over {} inputs", metric, score, inputs);
  }
};

namespace detail {
/// Top-1 accuracy.
inline MlperfScore right_answers(Network& network, const data::Dataset& set) {
  require<ArgumentError>(network.output_shape() == Shape{set.classes()},
                         "--mlperf: expected a network that tells {} classes apart, as the set does, got one with outputs {}",
                         set.classes(), network.output_shape());
  return {top_k_accuracy(network, set, 1), set.size()};
}
inline data::Dataset prepared(const data::Dataset& set, const data::Preparation& as) {
  require<ArgumentError>(as.shape == set.shape() && as.bytes == set.holds_bytes(),
                         "--mlperf: expected inputs of {} {}, as the network was trained with, got {} {}", as.shape,
                         as.bytes ? "bytes" : "numbers", set.shape(), set.holds_bytes() ? "bytes" : "numbers");
  return set.normalized(as.mean, as.deviation);
}
/// The set with its classes numbered as the network's are.
inline data::Dataset renumbered(const data::Dataset& set, const std::vector<std::string>& of_set, const data::Preparation& as) {
  require<ArgumentError>(set.classes() == static_cast<std::int64_t>(of_set.size()),
                         "--mlperf: expected the {} classes of kws01, got {}; is this the folder of another set?",
                         of_set.size(), set.classes());
  if (as.classes.empty() || as.classes == of_set) return set;
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const std::string& name = of_set.at(static_cast<std::size_t>(set.label(i)));
    const auto found = std::find(as.classes.begin(), as.classes.end(), name);
    require<ArgumentError>(found != as.classes.end(),
                           "--mlperf: expected a network that knows '{}', got one of {} other classes", name,
                           as.classes.size());
    labels.push_back(static_cast<std::int32_t>(found - as.classes.begin()));
    values.insert(values.end(), set.floats(i).begin(), set.floats(i).end());
  }
  return data::Dataset::from_floats(std::move(values), {.shape = set.shape(),
                                                        .labels = std::move(labels),
                                                        .classes = static_cast<std::int64_t>(as.classes.size()),
                                                        .name = set.name()});
}
}  // namespace detail

/// Top-1 accuracy on a folder of images (ic01, vww01), whose classes are numbered alike here and there: those of CIFAR-10, and
/// without and with a person.
template <data::MlperfFormat (*format)()>
MlperfScore mlperf_images(Network& network, const std::filesystem::path& folder, const data::Preparation& as) {
  return detail::right_answers(network, detail::prepared(data::mlperf_tiny(folder, format()), as));
}

/// Top-1 accuracy on the words of kws01.
inline MlperfScore mlperf_keywords(Network& network, const std::filesystem::path& folder, const data::Preparation& as) {
  require<ArgumentError>(!as.sound || as.sound->front_end == data::FrontEndOptions(data::MfccOptions::mlperf_tiny()),
                         "--mlperf: expected a network trained on the MFCC of MLPerf Tiny (--features mfcc-mlperf), got one on "
                         "{}",
                         to_string(as.sound->front_end));
  static const std::vector<std::string> words{"down",  "go",   "left", "no",  "off",       "on",
                                              "right", "stop", "up",   "yes", "_silence_", "_unknown_"};
  const data::Dataset set = detail::renumbered(data::mlperf_tiny(folder, data::MlperfFormat::kws01()), words, as);
  return detail::right_answers(network, detail::prepared(set, as));
}

/// AUC over the recordings of ad01.
inline MlperfScore mlperf_machine_sounds(Network& network, const std::filesystem::path& folder, const data::Preparation& as) {
  const data::MonitoredMachines machines = data::mlperf_machines(folder);
  const std::vector<double> errors = reconstruction_errors(network, detail::prepared(machines.test, as));
  const auto scores = score_machines(data::mean_by_recording(errors, machines.recordings), machines.recordings);
  return {scores.auc, static_cast<std::int64_t>(machines.recordings.size())};
}

}  // namespace siena::examples
