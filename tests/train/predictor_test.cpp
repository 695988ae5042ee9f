// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/predictor.hpp"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "siena/data/keywords.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/models/ds_cnn.hpp"
#include "siena/models/resnet8.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("a predictor answers for raw samples as the network does for prepared ones") {
  const data::Dataset test = data::synthetic_images({.classes = 4, .height = 12, .width = 10, .train = 8, .test = 300})
                                 .test.described({.classes = {"a", "b", "c", "d"}, .colours = data::Colours::rgb});
  Network network = resnet8({.input = test.shape(), .classes = 4, .seed = 3});
  std::vector<float> expected;  // of more than a batch
  for_each_prediction(network, test, [&](const data::Batch&, const Tensor& outputs) {
    for (std::int64_t r = 0; r < outputs.rows(); ++r)
      for (const float value : outputs.row(r)) expected.push_back(value);
  });

  Predictor predictor(network, test.preparation());
  std::vector<std::uint8_t> bytes;
  std::vector<float> values(static_cast<std::size_t>(test.shape().elements()));
  for (std::int64_t i = 0; i < test.size(); ++i) bytes.insert(bytes.end(), test.bytes(i).begin(), test.bytes(i).end());
  const Tensor outputs = predictor.outputs(bytes);
  REQUIRE(outputs.shape() == Shape{300, 4});
  for (std::int64_t r = 0; r < 300; ++r)
    for (std::size_t c = 0; c < 4; ++c) REQUIRE(outputs.row(r)[c] == expected[static_cast<std::size_t>(r) * 4 + c]);

  const std::vector<Answer> answers = predictor.classify_all(bytes);
  REQUIRE(answers.size() == 300);
  const Answer answer = predictor.classify(test.bytes(7));
  CHECK(answer.name == std::string(1, static_cast<char>('a' + answer.index)));
  CHECK(answer.all == answers[7].all);
  double sum = 0, exponentials = 0;
  for (std::size_t c = 0; c < 4; ++c) {
    CHECK(answer.score >= answer.all[c]);
    sum += answer.all[c];
    exponentials += std::exp(double{expected[28 + c]});
  }
  CHECK(sum == Approx(1));
  CHECK(answer.score == Approx(std::exp(double{expected[28 + static_cast<std::size_t>(answer.index)]}) / exponentials));
  test.sample(7, values);
  CHECK(predictor.classify(values).all == answer.all);
  CHECK(Predictor(network, test.described({}).preparation()).classify(values).name == std::to_string(answer.index));

  CHECK_THROWS_WITH(predictor.classify(std::vector<std::uint8_t>(359)),
                    ContainsSubstring("Predictor: expected the 360 values of a 12x10x3 sample, got 359"));
  CHECK_THROWS_WITH(predictor.classify_all(std::vector<std::uint8_t>(361)), ContainsSubstring("1 are left over"));
  for (const float pixel : {255.F, 1.01F, -0.01F}) {
    values[3] = pixel;
    CHECK_THROWS_WITH(predictor.classify(values), ContainsSubstring("b / 255 for a byte b, got"));
    CHECK_THROWS_AS(predictor.outputs(values), DataError);
  }
  values[3] = std::nanf("");
  CHECK_THROWS_AS(predictor.classify(values), DataError);
  CHECK_THROWS_WITH(predictor.classify_sound(values, 16000), ContainsSubstring("front-end for sound, got none"));
}

TEST_CASE("a predictor hears sound through the front-end of its training") {
  data::Preparation preparation{.shape = {49, 10, 1},
                                .mean = {-3},
                                .deviation = {20},
                                .classes = data::mlperf_keywords(),
                                .sound = data::SoundPreparation{.front_end = data::MfccOptions::mlperf_tiny(), .seconds = 1}};
  Predictor predictor(ds_cnn({.width = 0.25}), preparation);
  std::vector<float> sound(12000);  // shorter than a clip
  for (std::size_t n = 0; n < sound.size(); ++n) sound[n] = static_cast<float>(0.3 * std::sin(0.1 * static_cast<double>(n)));
  const Answer answer = predictor.classify_sound(sound, 16000);
  std::vector<float> filled = sound;
  filled.resize(16000);
  const auto features = data::Mfcc(data::MfccOptions::mlperf_tiny())(filled);
  CHECK(answer.all == predictor.classify(features).all);
  CHECK(answer.name == data::mlperf_keywords()[static_cast<std::size_t>(answer.index)]);
  CHECK_THROWS_WITH(predictor.classify(std::vector<std::uint8_t>(490)), ContainsSubstring("expected numbers"));
}

TEST_CASE("a predictor whose parts do not fit is refused") {
  const data::Preparation preparation{.shape = {4}, .mean = {0, 0, 0, 0}, .deviation = {1, 1, 1, 1}, .classes = {"a", "b"}};
  const auto network = [](int in, int out) { return Network({in}, [=](Flow x) { return x | Linear{.out = out}; }); };
  CHECK_THROWS_WITH(Predictor(network(5, 2), preparation), ContainsSubstring("the network's inputs 5, got one of 4"));
  Predictor other(network(4, 3), preparation);  // an autoencoder of classes that it does not name, say
  CHECK(other.outputs(std::vector<float>{1, 2, 3, 4}).shape() == Shape{1, 3});
  CHECK_THROWS_WITH(other.classify(std::vector<float>{1, 2, 3, 4}),
                    ContainsSubstring("an output for each of 2 classes, got outputs 3"));
}
