// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/data/loader.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::data;

namespace {

// Softmax regression on the normalised pixels, by stochastic gradient descent: the share of `test` that it gets right.
double linear_accuracy(const Dataset& train, const Dataset& test, int epochs) {
  const auto classes = static_cast<std::size_t>(train.classes()), stride = static_cast<std::size_t>(padded(train.channels()));
  const auto inputs = static_cast<std::size_t>(train.shape().rows()) * stride;
  std::vector<float> weights((inputs + 1) * classes), scores(classes);
  const float rate = 1.0f / static_cast<float>(inputs);
  const auto score = [&](const float* x) {
    std::copy_n(weights.end() - static_cast<std::ptrdiff_t>(classes), classes, scores.begin());
    for (std::size_t k = 0; k < inputs; ++k) {
      for (std::size_t c = 0; c < classes; ++c) scores[c] += x[k] * weights[k * classes + c];
    }
    return std::max_element(scores.begin(), scores.end());
  };
  for (int epoch = 0; epoch < epochs; ++epoch) {
    Loader(train, {.batch = 50}).for_each(epoch, [&](const Batch& batch) {
      for (std::int64_t n = 0; n < batch.size(); ++n) {
        const float* x = batch.inputs.data() + static_cast<std::size_t>(n) * inputs;
        const float highest = *score(x);
        float sum = 0;
        for (float& value : scores) sum += value = std::exp(value - highest);
        for (float& value : scores) value *= -rate / sum;
        scores[static_cast<std::size_t>(batch.labels[static_cast<std::size_t>(n)])] += rate;
        for (std::size_t k = 0; k < inputs; ++k) {
          for (std::size_t c = 0; c < classes; ++c) weights[k * classes + c] += x[k] * scores[c];
        }
        for (std::size_t c = 0; c < classes; ++c) weights[inputs * classes + c] += scores[c];
      }
    });
  }
  std::int64_t right = 0;
  Loader(test, {.shuffle = false}).for_each(0, [&](const Batch& batch) {
    for (std::int64_t n = 0; n < batch.size(); ++n) {
      const auto best = score(batch.inputs.data() + static_cast<std::size_t>(n) * inputs) - scores.begin();
      right += best == batch.labels[static_cast<std::size_t>(n)];
    }
  });
  return static_cast<double>(right) / static_cast<double>(test.size());
}

// How much neighbours differ, for neighbours up to four pixels away; leaning left and leaning right count alike. Only the
// proportions are kept.
std::vector<double> local_differences(const Dataset& dataset, std::int64_t i) {
  const auto bytes = dataset.bytes(i);
  const std::int64_t height = dataset.shape()[0], width = dataset.shape()[1], channels = dataset.shape()[2], reach = 4;
  std::vector<double> energies;
  for (std::int64_t dy = 0; dy <= reach; ++dy) {
    for (std::int64_t dx = dy == 0 ? 1 : 0; dx <= reach; ++dx) {
      std::int64_t energy = 0;
      for (std::int64_t y = 0; y + dy < height; y += 2) {
        for (std::int64_t x = reach; x < width - reach; ++x) {
          for (std::int64_t c = 0; c < channels; ++c) {
            const int here = bytes[static_cast<std::size_t>((y * width + x) * channels + c)];
            const int right = bytes[static_cast<std::size_t>(((y + dy) * width + x + dx) * channels + c)];
            const int left = bytes[static_cast<std::size_t>(((y + dy) * width + x - dx) * channels + c)];
            energy += (here - right) * (here - right) + (here - left) * (here - left);
          }
        }
      }
      energies.push_back(static_cast<double>(energy) / static_cast<double>(height - dy));
    }
  }
  double mean = 0, square = 0;
  for (const double energy : energies) mean += energy / static_cast<double>(energies.size());
  for (double& energy : energies) {
    energy -= mean;
    square += energy * energy;
  }
  for (double& energy : energies) energy /= std::sqrt(square);
  return energies;
}

// Nearest class mean of these features, by angle.
double local_accuracy(const Dataset& train, const Dataset& test) {
  std::vector<std::vector<double>> means(static_cast<std::size_t>(train.classes()));
  for (std::int64_t i = 0; i < train.size(); ++i) {
    const auto features = local_differences(train, i);
    auto& mean = means[static_cast<std::size_t>(train.label(i))];
    mean.resize(features.size());
    for (std::size_t k = 0; k < features.size(); ++k) mean[k] += features[k];
  }
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < test.size(); ++i) {
    const auto features = local_differences(test, i);
    std::vector<double> cosine;
    for (const auto& mean : means) {
      double dot = 0, square = 0;
      for (std::size_t k = 0; k < features.size(); ++k) {
        dot += mean[k] * features[k];
        square += mean[k] * mean[k];
      }
      cosine.push_back(dot / std::sqrt(square));
    }
    right += std::max_element(cosine.begin(), cosine.end()) - cosine.begin() == test.label(i);
  }
  return static_cast<double>(right) / static_cast<double>(test.size());
}

}  // namespace

TEST_CASE("synthetic images are balanced, reproducible and normalised by the training part") {
  const SyntheticOptions options{.height = 16, .width = 20, .train = 200, .validation = 50, .test = 30, .seed = 3};
  const auto data = synthetic_images(options);
  REQUIRE(data.train.size() == 200);
  REQUIRE(data.validation.size() == 50);
  REQUIRE(data.test.size() == 30);
  REQUIRE(data.shape() == Shape{16, 20, 3});
  REQUIRE(data.classes() == 10);
  REQUIRE(data.train.holds_bytes());
  std::vector<int> counts(10);
  for (std::int64_t i = 0; i < 200; ++i) ++counts[static_cast<std::size_t>(data.train.label(i))];
  REQUIRE(counts == std::vector<int>(10, 20));
  REQUIRE(data.test.normalization().mean == measure(data.train).mean);
  REQUIRE(data.validation.normalization().deviation == measure(data.train).deviation);

  const auto same = [](const Dataset& a, std::int64_t i, const Dataset& b, std::int64_t j) {
    const auto x = a.bytes(i), y = b.bytes(j);
    return std::equal(x.begin(), x.end(), y.begin(), y.end());
  };
  set_threads(1);
  const auto again = synthetic_images(options);
  set_threads(0);
  for (std::int64_t i = 0; i < 200; ++i) REQUIRE(same(data.train, i, again.train, i));
  // A longer set begins with the shorter one; parts and seeds share nothing.
  auto longer = options;
  longer.train = 300;
  REQUIRE(same(synthetic_images(longer).train, 199, data.train, 199));
  auto reseeded = options;
  reseeded.seed = 4;
  REQUIRE_FALSE(same(synthetic_images(reseeded).train, 0, data.train, 0));
  for (std::int64_t i = 0; i < 30; ++i) {
    for (std::int64_t j = 0; j < 200; ++j) REQUIRE_FALSE(same(data.test, i, data.train, j));
  }
}

TEST_CASE("synthetic images: local structure tells the classes apart, pixels do not") {
  const auto data = synthetic_images({.train = 1500, .validation = 0, .test = 500, .seed = 1});
  REQUIRE(linear_accuracy(data.train, data.test, 4) < 0.25);
  REQUIRE(local_accuracy(data.train.take(300), data.test.take(300)) > 0.8);
}

TEST_CASE("synthetic images of other sizes can be told apart too") {
  const auto small =
      synthetic_images({.classes = 4, .height = 16, .width = 16, .channels = 1, .train = 400, .validation = 0, .test = 200});
  REQUIRE(local_accuracy(small.train, small.test) > 0.8);
  const auto many = synthetic_images({.classes = 20, .train = 400, .validation = 0, .test = 200});
  REQUIRE(local_accuracy(many.train, many.test) > 0.7);
  const auto pairs = synthetic_images({.classes = 40, .height = 64, .width = 64, .train = 800, .validation = 0, .test = 200});
  REQUIRE(local_accuracy(pairs.train, pairs.test) > 0.3);  // chance: 0.025
}

TEST_CASE("the linear model of this test learns what a linear model can") {
  // Class k is brighter in column k.
  Random random(5);
  const auto make = [&](std::int64_t size) {
    std::vector<std::uint8_t> values;
    std::vector<std::int32_t> labels;
    for (std::int64_t i = 0; i < size; ++i) {
      labels.push_back(static_cast<std::int32_t>(i % 10));
      for (std::int64_t k = 0; k < 100; ++k)
        values.push_back(static_cast<std::uint8_t>(random.below(180) + (k % 10 == i % 10 ? 60 : 0)));
    }
    const auto dataset = Dataset::from_bytes(std::move(values), {.shape = {10, 10, 1}, .labels = std::move(labels)});
    return dataset.normalized(measure(dataset));
  };
  const auto train = make(500);
  REQUIRE(linear_accuracy(train, make(200), 4) > 0.8);
}

TEST_CASE("synthetic images refuse what cannot be drawn") {
  REQUIRE_THROWS_WITH(synthetic_images({.classes = 1}), ContainsSubstring("2 to 276 classes, got 1"));
  REQUIRE_THROWS_AS(synthetic_images({.classes = 277}), ArgumentError);
  REQUIRE_THROWS_WITH(synthetic_images({.height = 4}),
                      ContainsSubstring("at least 8 x 8 pixels and a channel, got 4 x 32 x 3"));
  REQUIRE_THROWS_AS(synthetic_images({.channels = 0}), ArgumentError);
  REQUIRE_THROWS_AS(synthetic_images({.train = 0}), ArgumentError);
  REQUIRE_THROWS_WITH(synthetic_images({.train = std::int64_t{1} << 62}), ContainsSubstring("expected memory for"));
  REQUIRE_THROWS_AS(synthetic_images({.height = std::int64_t{1} << 32, .width = std::int64_t{1} << 32}), ShapeError);
  REQUIRE_THROWS_AS(synthetic_images({.noise = -1}), ArgumentError);
}
