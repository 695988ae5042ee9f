// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/tensor.hpp"
#include "siena/data/dataset.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/hit_counts.hpp"
#include "siena/train/metrics.hpp"
#include "siena/train/objective.hpp"
#include "siena/train/predictions.hpp"

namespace siena {

/// How well each of several labels is found, of which a sample may have none, one or many.
struct MultiLabelReport {
  std::vector<std::string> names = {};
  std::vector<HitCounts> labels = {};
  double all_right = Metrics::none;  ///< fraction of the samples of which every label is right
  std::int64_t samples = 0;

  HitAverages macro() const { return macro_average(labels); }  ///< each label counts the same
  HitAverages micro() const { return micro_average(labels); }  ///< each decision counts the same

  std::string to_string() const {
    std::string text = format("{:>16}{}", "label", detail::hit_heading());
    const auto line = [&](const std::string& name, double precision, double recall, double f1) {
      text += format("{:>16}{}", name, detail::hit_columns(precision, recall, f1));
    };
    for (std::size_t k = 0; k < labels.size(); ++k) line(names[k], labels[k].precision(), labels[k].recall(), labels[k].f1());
    line("macro", macro().precision, macro().recall, macro().f1);
    line("micro", micro().precision, micro().recall, micro().f1);
    return text + format("every label right: {:.1f} % of {} samples\n", 100 * all_right, samples);
  }
};

/// Judges the outputs of a network (N x labels, logits) by the targets of a dataset: a label is given where its probability,
/// the sigmoid of the output, is above `threshold`, and true where its target is at least 1/2.
inline MultiLabelReport multi_label_report(Network& network, const data::Dataset& dataset, double threshold = 0.5) {
  const std::int64_t count = dataset.size(), labels = dataset.target_size();
  require<DataError>(count > 0, "multi_label_report: expected samples, got none in '{}'", dataset.name());
  detail::check_label_targets("multi_label_report", network, dataset);
  require<ArgumentError>(threshold > 0 && threshold < 1, "multi_label_report: expected a threshold between 0 and 1, got {}",
                         threshold);
  MultiLabelReport report{
      .names = target_names(dataset), .labels = std::vector<HitCounts>(static_cast<std::size_t>(labels)), .samples = count};
  const double limit = std::log(threshold / (1 - threshold));  // of a logit
  std::int64_t all_right = 0;
  for_each_prediction(network, dataset, [&](const data::Batch& batch, const Tensor& outputs) {
    for (std::int64_t r = 0; r < outputs.rows(); ++r) {
      bool right = true;
      for (std::size_t k = 0; k < report.labels.size(); ++k) {
        const bool given = double{outputs.row(r)[k]} > limit, true_label = batch.targets.row(r)[k] >= 0.5f;
        if (given && true_label) ++report.labels[k].hits;
        if (given && !true_label) ++report.labels[k].false_alarms;
        if (!given && true_label) ++report.labels[k].misses;
        right = right && given == true_label;
      }
      all_right += right ? 1 : 0;
    }
  });
  report.all_right = static_cast<double>(all_right) / static_cast<double>(count);
  return report;
}

}  // namespace siena
