// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Not in the umbrella: front-ends of sound need Eigen.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/tensor.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/preparation.hpp"
#include "siena/data/sound_preparer.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/predictions.hpp"

namespace siena {

/// What a network takes a sample for.
struct Answer {
  std::int64_t index = 0;   ///< of the class; the first one where several are as likely
  std::string name;         ///< of the class; its number where nobody named it
  double score = 0;         ///< of the class: softmax, 0 to 1
  std::vector<double> all;  ///< scores of all classes, which add up to 1
};

/// A trained network and how its inputs are prepared: answers for samples as they come from a camera, a sensor or a microphone,
/// to the bits that `evaluate` sees. For one thread at a time; a copy is for another.
class Predictor {
 public:
  Predictor(Network network, data::Preparation preparation)
      : network_(std::move(network)), preparation_(std::move(preparation)) {
    const auto& p = preparation_;
    require<ShapeError>(p.shape == network_.input_shape(),
                        "Predictor: expected a preparation of the network's inputs {}, got one of {}", network_.input_shape(),
                        p.shape);
    const std::int64_t outputs = network_.output_shape().elements(), names = static_cast<std::int64_t>(p.classes.size());
    if (p.sound) prepare_sound_.emplace(*p.sound);
    named_ = names == outputs;
  }

  const Network& network() const { return network_; }
  const data::Preparation& preparation() const { return preparation_; }

  /// The network's outputs for samples that lie one after the other, H x W x C each for images: bytes, where the network was
  /// trained with bytes, or else values as Dataset::sample gives them (b / 255 for a byte b), not yet normalised. Throws
  /// ShapeError unless they are whole samples, and DataError for what is not finite or, in place of bytes, not from 0 to 1.
  Tensor outputs(std::span<const std::uint8_t> bytes) {
    require<ArgumentError>(preparation_.bytes, "Predictor: expected numbers, as the network was trained with, got bytes");
    return run(data::Dataset::from_bytes({bytes.begin(), bytes.end()}, description()));
  }
  Tensor outputs(std::span<const float> values) {
    for (const float value : values)
      require<DataError>(
          !preparation_.bytes || (value >= 0 && value <= 1),
          "Predictor: expected numbers from 0 to 1 in place of bytes, b / 255 for a byte b, got {}; give bytes as "
          "uint8_t, or divide by 255",
          value);
    return run(data::Dataset::from_floats({values.begin(), values.end()}, description()));
  }

  /// One sample.
  Answer classify(std::span<const std::uint8_t> bytes) { return one(bytes); }
  Answer classify(std::span<const float> values) { return one(values); }
  /// Any number of samples, one after the other.
  std::vector<Answer> classify_all(std::span<const std::uint8_t> bytes) { return answers(outputs(bytes)); }
  std::vector<Answer> classify_all(std::span<const float> values) { return answers(outputs(values)); }

  /// Sound of one channel, from -1 to 1, `rate` samples of it a second, through the front-end that the network was trained
  /// with. Throws ArgumentError where that is not known.
  Answer classify_sound(std::span<const float> sound, std::int64_t rate) {
    require<ArgumentError>(prepare_sound_.has_value(),
                           "Predictor: expected a preparation with a front-end for sound, got none; classify takes features");
    return one(std::span<const float>((*prepare_sound_)(sound, rate)));
  }

 private:
  data::Description description() const { return {.shape = preparation_.shape, .name = "Predictor"}; }

  Tensor run(const data::Dataset& samples) {
    Tensor result = Tensor::uninitialized(network_.output_shape().batch(samples.size()));
    std::int64_t row = 0;
    const auto keep = [&](const data::Batch&, const Tensor& outputs) {
      for (std::int64_t r = 0; r < outputs.rows(); ++r, ++row) std::ranges::copy(outputs.row(r), result.row(row).begin());
    };
    for_each_prediction(network_, samples.normalized(preparation_.mean, preparation_.deviation), keep);
    return result;
  }

  template <class T>
  Answer one(std::span<const T> values) {
    require<ShapeError>(static_cast<std::int64_t>(values.size()) == preparation_.shape.elements(),
                        "Predictor: expected the {} values of a {} sample, got {}", preparation_.shape.elements(),
                        preparation_.shape, values.size());
    return answers(outputs(values)).front();
  }

  std::vector<Answer> answers(const Tensor& outputs) const {
    const std::int64_t classes = outputs.columns();
    require<ShapeError>(outputs.shape().rank() == 2 && classes >= 2 && (named_ || preparation_.classes.empty()),
                        "Predictor: expected a network with an output for each of {} classes, got outputs {}",
                        preparation_.classes.size(), network_.output_shape());
    std::vector<Answer> result;
    for (std::int64_t r = 0; r < outputs.rows(); ++r) {
      const auto row = outputs.row(r);
      const auto best = std::max_element(row.begin(), row.end());
      Answer answer{.index = best - row.begin(), .name = {}, .all = {}};
      double sum = 0;
      for (const float output : row) sum += answer.all.emplace_back(std::exp(double{output} - double{*best}));
      for (double& score : answer.all) score /= sum;
      const auto at = static_cast<std::size_t>(answer.index);
      answer.score = answer.all[at];
      answer.name = named_ ? preparation_.classes[at] : std::to_string(answer.index);
      result.push_back(std::move(answer));
    }
    return result;
  }

  Network network_;
  data::Preparation preparation_;
  std::optional<data::SoundPreparer> prepare_sound_;
  bool named_ = false;
};

}  // namespace siena
