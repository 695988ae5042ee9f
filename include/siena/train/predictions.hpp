// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/loader.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/confusion_matrix.hpp"
#include "siena/train/metrics.hpp"

namespace siena {

/// Calls visit(const data::Batch&, const Tensor& outputs) for all of a dataset, in order, in inference mode.
template <class Visit>
void for_each_prediction(Network& network, const data::Dataset& dataset, const Visit& visit) {
  const data::Loader loader(dataset, {.batch = 256, .shuffle = false});
  Tape tape(false);
  loader.for_each(0, [&](const data::Batch& batch) {
    tape.clear();
    visit(batch, network.forward(tape.reference(batch.inputs), Mode::inference).value());
  });
}

namespace detail {
inline void check_labelled(const char* where, const data::Dataset& dataset) {
  require<DataError>(dataset.labelled(), "{}: expected samples with labels, got none in '{}'{}", where, dataset.name(),
                     dataset.target_size() > 0 ? "; for targets see regression_report and multi_label_report" : "");
}
}  // namespace detail

/// Fraction of the samples that are of a class whose class is among the `k` largest outputs; NaN where there are none.
inline double top_k_accuracy(Network& network, const data::Dataset& dataset, std::int64_t k = 5) {
  detail::check_labelled("top_k_accuracy", dataset);
  std::int64_t found = 0, labelled = 0;
  for_each_prediction(network, dataset, [&](const data::Batch& batch, const Tensor& outputs) {
    found += count_top_k(outputs, batch.labels, k);
    labelled += batch.labelled();
  });
  return static_cast<double>(found) / static_cast<double>(labelled);
}

/// Which class was taken for which, by the names that the dataset has for its classes.
inline ConfusionMatrix confusion(Network& network, const data::Dataset& dataset) {
  detail::check_labelled("confusion", dataset);
  std::vector<std::string> names = dataset.preparation().classes;
  if (static_cast<std::int64_t>(names.size()) != dataset.classes()) names.clear();  // those of its targets
  ConfusionMatrix matrix(dataset.classes(), std::move(names));
  for_each_prediction(network, dataset,
                      [&](const data::Batch& batch, const Tensor& outputs) { matrix.add(outputs, batch.labels); });
  return matrix;
}

/// What the dataset calls its targets, or their numbers: where its samples have classes too, the names may be those of the
/// classes.
inline std::vector<std::string> target_names(const data::Dataset& dataset) {
  std::vector<std::string> names = dataset.preparation().classes;
  const auto count = static_cast<std::int64_t>(names.size());
  if (count != dataset.target_size() || (dataset.labelled() && count == dataset.classes())) names.clear();
  while (static_cast<std::int64_t>(names.size()) < dataset.target_size()) names.push_back(std::to_string(names.size()));
  return names;
}

/// Mean squared difference between the outputs and the inputs, for each sample: how strange a sample is to an autoencoder.
inline std::vector<double> reconstruction_errors(Network& network, const data::Dataset& dataset) {
  std::vector<double> errors;
  for_each_prediction(network, dataset, [&](const data::Batch& batch, const Tensor& outputs) {
    require<ShapeError>(outputs.shape() == batch.inputs.shape(),
                        "reconstruction_errors: expected outputs of the inputs' shape {}, got {}", batch.inputs.shape(),
                        outputs.shape());
    const std::int64_t rows = outputs.rows() / batch.size();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      double sum = 0;
      for (std::int64_t r = i * rows; r < (i + 1) * rows; ++r) {
        const auto in = batch.inputs.row(r), out = outputs.row(r);
        for (std::size_t c = 0; c < in.size(); ++c) {
          const double difference = double{out[c]} - double{in[c]};
          sum += difference * difference;
        }
      }
      errors.push_back(sum / static_cast<double>(rows * outputs.columns()));
    }
  });
  return errors;
}

}  // namespace siena
