// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/preparation_file.hpp"

#include <string>
#include <vector>

#include "siena/data/synthetic_benchmarks.hpp"
#include "siena/deploy/network_file.hpp"
#include "siena/models/mobilenet_v1.hpp"
#include "siena/train/predictor.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

TEST_CASE("a network and how its inputs are prepared, in one file, answer in another program") {
  const test::TemporaryFolder folder("siena_preparation_file");
  const auto file = folder.path / "found.safetensors";
  const data::Splits data = data::synthetic_wake_words({.train = 8, .validation = 2, .test = 4});
  const Network found = mobilenet_v1({.input = data.shape(), .classes = 2, .width = 0.25});
  // The samples of docs/guides/deploy.md.
  deploy::save_network(found, file, {.metadata = deploy::preparation_metadata(data.train.preparation())});

  const auto pixels = data.test.bytes(1);
  // clang-format off
  Predictor predictor(deploy::load_network(file), deploy::load_preparation(file));
  const Answer answer = predictor.classify(pixels);  // 96 x 96 x 3 bytes, as the camera gives them
  fmt::print("{}: {:.0f} %\n", answer.name, 100 * answer.score);
  // clang-format on
  CHECK(predictor.preparation() == data.train.preparation());
  CHECK(answer.name == (answer.index == 0 ? "nobody" : "person"));
  CHECK(answer.all == Predictor(found, data.train.preparation()).classify(pixels).all);
}

TEST_CASE("a network of numbers answers for a window as the sensor gives it") {
  const test::TemporaryFolder folder("siena_preparation_window");
  const auto file = folder.path / "found.safetensors";
  std::vector<float> readings(2 * 64 * 3);
  for (std::size_t i = 0; i < readings.size(); ++i) readings[i] = static_cast<float>(i * 7 % 20);
  const auto windows = data::Dataset::from_floats(readings, {.shape = {64, 3}, .labels = {0, 1}})
                           .described({.classes = {"still", "walking"}})
                           .normalized({9, 10, 11}, {2, 3, 4});
  Network network(windows.shape(),
                  [](Flow x) { return x | Conv1d{.out = 4, .kernel = 5} | GlobalAvgPool{} | Linear{.out = 2}; });
  deploy::save_network(network, file, {.metadata = deploy::preparation_metadata(windows.preparation())});
  const auto read_sensor = [&] { return std::vector<float>(readings.begin() + 64 * 3, readings.end()); };
  // The sample of docs/guides/deploy.md.
  // clang-format off
  Predictor predictor(deploy::load_network(file), deploy::load_preparation(file));
  const std::vector<float> window = read_sensor();  // 64 readings of three axes: x y z x y z ...
  fmt::print("{}\n", predictor.classify(window).name);
  const Tensor numbers = predictor.outputs(window);  // 1 x outputs, as the network says them
  // clang-format on
  REQUIRE(numbers.shape() == Shape{1, 2});
  for_each_prediction(network, windows.subset({1}), [&](const data::Batch&, const Tensor& outputs) {
    for (std::size_t c = 0; c < 2; ++c) CHECK(numbers.row(0)[c] == outputs.row(0)[c]);
  });
}

TEST_CASE("files without a preparation, or with a damaged one, are refused by name") {
  const test::TemporaryFolder folder("siena_preparation_refused");
  const auto file = folder.path / "weights.safetensors";
  const Network network({3}, [](Flow x) { return x | Linear{.out = 2}; });
  deploy::save_weights(network, file);
  CHECK_THROWS_WITH(deploy::load_preparation(file),
                    ContainsSubstring("load_preparation: '") && ContainsSubstring("expected the text 'siena.preparation'"));
  deploy::save_weights(network, file, {{"siena.preparation", "{\"version\": 7}"}});
  CHECK_THROWS_WITH(deploy::load_preparation(file), ContainsSubstring("weights.safetensors': expected version 1, got 7"));
  deploy::save_weights(network, file, {{"siena.preparation", std::string(100000, '[')}});
  CHECK_THROWS_AS(deploy::load_preparation(file), FormatError);
  // Names of folders need not be UTF-8.
  deploy::save_weights(network, file,
                       deploy::preparation_metadata({.shape = {3}, .mean = {0}, .deviation = {1}, .classes = {"a\xff", "b"}}));
  CHECK(deploy::load_preparation(file).classes == std::vector<std::string>{"a\xef\xbf\xbd", "b"});
}
