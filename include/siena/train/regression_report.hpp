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
#include "siena/train/metrics.hpp"
#include "siena/train/objective.hpp"
#include "siena/train/predictions.hpp"

namespace siena {

/// How far predicted numbers are from the true ones: for each output, and means over the outputs.
struct RegressionReport {
  struct Errors {
    double mae = Metrics::none;   ///< mean absolute error, in the unit of the targets
    double rmse = Metrics::none;  ///< root of the mean squared error, in the same unit
    double r2 = Metrics::none;    ///< part of the targets' variance that is explained: 1 is perfect, 0 as good as their mean
  };
  std::vector<std::string> names = {};  ///< of the outputs
  std::vector<Errors> outputs = {};
  Errors mean = {};
  std::int64_t samples = 0;

  std::string to_string() const {
    const auto line = [](const std::string& name, const Errors& e) {
      return format("{:>16}  {:>10.4g}  {:>10.4g}  {:>8.4f}\n", name, e.mae, e.rmse, e.r2);
    };
    std::string text = format("{:>16}  {:>10}  {:>10}  {:>8}\n", "output", "MAE", "RMSE", "R2");
    for (std::size_t k = 0; k < outputs.size(); ++k) text += line(names[k], outputs[k]);
    return outputs.size() == 1 ? text : text + line("mean", mean);
  }
};

/// Judges the outputs of a network (N x targets) by the targets of a dataset. R2 is that of scikit-learn: 1 - (sum of squared
/// errors) / (sum of squares about the mean); where a target never changes it is not a number, unless there is no error: 1.
inline RegressionReport regression_report(Network& network, const data::Dataset& dataset) {
  const std::int64_t count = dataset.size(), outputs = dataset.target_size();
  require<DataError>(count > 0, "regression_report: expected samples, got none in '{}'", dataset.name());
  detail::check_targets("regression_report", network, dataset);
  const auto n = static_cast<double>(count);
  std::vector<double> mean(static_cast<std::size_t>(outputs)), around(mean.size()), absolute(mean.size()), squared(mean.size());
  const auto each_target = [&](const auto& visit) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto target = dataset.target(i);
      for (std::size_t k = 0; k < mean.size(); ++k) visit(k, double{target[k]});
    }
  };
  each_target([&](std::size_t k, double target) { mean[k] += target / n; });
  each_target([&](std::size_t k, double target) { around[k] += (target - mean[k]) * (target - mean[k]); });
  for_each_prediction(network, dataset, [&](const data::Batch& batch, const Tensor& predicted) {
    for (std::int64_t r = 0; r < predicted.rows(); ++r) {
      for (std::size_t k = 0; k < mean.size(); ++k) {
        const double error = double{predicted.row(r)[k]} - double{batch.targets.row(r)[k]};
        absolute[k] += std::abs(error);
        squared[k] += error * error;
      }
    }
  });
  RegressionReport report{.names = target_names(dataset), .mean = {.mae = 0, .rmse = 0, .r2 = 0}, .samples = count};
  for (std::size_t k = 0; k < mean.size(); ++k) {
    const double r2 = squared[k] == 0 ? 1 : around[k] > 0 ? 1 - squared[k] / around[k] : Metrics::none;
    const RegressionReport::Errors errors{.mae = absolute[k] / n, .rmse = std::sqrt(squared[k] / n), .r2 = r2};
    report.outputs.push_back(errors);
    report.mean.mae += errors.mae / static_cast<double>(outputs);
    report.mean.rmse += errors.rmse / static_cast<double>(outputs);
    report.mean.r2 += errors.r2 / static_cast<double>(outputs);
  }
  return report;
}

}  // namespace siena
