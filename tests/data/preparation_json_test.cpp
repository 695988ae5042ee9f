// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/preparation_json.hpp"

#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace siena;
using namespace siena::data;

namespace {

Preparation picture() {
  return {.shape = {32, 24, 3},
          .bytes = true,
          .mean = {0.1f, 1 / 3.0f, 0.5f},
          .deviation = {0.25f, 0.7f, 1e-30f},
          .classes = {"kätzchen", "\"dog\""},
          .colours = Colours::bgr,
          .resize = ResizeOptions{.height = 32, .width = 24, .stretch = true, .resampling = Resampling::bilinear}};
}
Preparation clip() {
  return {.shape = {49, 10, 1},
          .mean = {-3.5f},
          .deviation = {12},
          .classes = {"down", "go"},
          .sound = SoundPreparation{.front_end = MfccOptions::mlperf_tiny(), .seconds = 1}};
}
Preparation windows() {
  LogMelOptions options;
  options.mel.bands = 3;
  return {.shape = {6},
          .mean = std::vector<float>(6, -40.5f),
          .deviation = std::vector<float>(6, 7),
          .sound = SoundPreparation{.front_end = options, .window = 2}};
}
Preparation again(const Preparation& preparation) {
  return preparation_from_json(parse_json(to_json(preparation).dump(), "text"));
}

}  // namespace

TEST_CASE("how inputs are prepared, as JSON and back") {
  for (const Preparation& preparation :
       {picture(), clip(), windows(), Preparation{.shape = {2, 5}, .mean = {0, 0, 0, 0, 1}, .deviation = {1, 1, 1, 1, 2}}}) {
    CHECK(again(preparation) == preparation);
  }
  const auto json = to_json(picture());
  CHECK(json["version"] == 1);
  CHECK(json["layout"].dump() == R"(["height","width","channels"])");
  CHECK(json["values"] == "bytes");
  CHECK(json["scale"] == 1.0 / 255);
  CHECK(json["colours"] == "bgr");
  CHECK(json["resize"]["resampling"] == "bilinear");
  CHECK_FALSE(json.contains("sound"));
  CHECK(to_json(windows())["mean"].dump() == "[-40.5]");  // one for all
  const auto front_end = to_json(clip())["sound"]["front_end"];
  CHECK(front_end["kind"] == "mfcc");
  CHECK(front_end["scale_to_largest"] == true);
  CHECK(front_end["mel"]["power"] == 1.0);
  CHECK(front_end["mel"]["scale"] == "htk");
}

TEST_CASE("a preparation in a file that is damaged, foreign or newer is refused by name") {
  const auto refusal = [](const auto& change, Preparation preparation = clip()) {
    nlohmann::json json = nlohmann::json::parse(to_json(preparation).dump());
    change(json);
    try {
      (void)preparation_from_json(json, "'found.safetensors'");
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  using Json = nlohmann::json;
  CHECK(refusal([](Json&) {}) == "accepted");
  CHECK(refusal([](Json& json) { json["version"] = 2; }) == "'found.safetensors': expected version 1, got 2");
  CHECK(refusal([](Json& json) { json = Json::array(); }) == "'found.safetensors': expected an object, got []");
  CHECK(refusal([](Json& json) { json.erase("mean"); }) == "'found.safetensors': expected 'mean', got none");
  CHECK(refusal([](Json& json) {
          json["mean"] = {1, 2, 3};
        }) == "'found.safetensors': expected a mean for each of 1 channels, or one for all, got 3");
  CHECK(refusal([](Json& json) { json["deviation"] = {0}; }) == "'found.safetensors': expected deviations above 0, got 0.0");
  CHECK(refusal([](Json& json) { json["deviation"] = {1e39}; }) ==
        "'found.safetensors'.deviation[0]: expected a number of 32 bits, got 1e+39");
  CHECK(refusal([](Json& json) {
          json["shape"] = {49, 0, 1};
        }) == "'found.safetensors': expected a shape of a sample, got [49,0,1]");
  CHECK(refusal([](Json& json) { json["values"] = "words"; }) ==
        "'found.safetensors': expected values that are bytes or numbers, got \"words\"");
  CHECK(refusal([](Json& json) { json["classes"] = {"a", 7}; }) == "'found.safetensors'.classes[1]: expected a text, got 7");
  CHECK(refusal([](Json& json) { json["colours"] = "sepia"; }) ==
        "'found.safetensors'.colours: expected one of none, grey, rgb, bgr, got \"sepia\"");
  CHECK(refusal([](Json& json) { json["sound"]["front_end"]["kind"] = "wavelet"; }) ==
        "'found.safetensors'.sound.front_end: expected the kind mfcc or log_mel, got \"wavelet\"");
  CHECK(refusal([](Json& json) { json["sound"]["front_end"]["mel"]["hop"] = 0.5; }) ==
        "'found.safetensors'.sound.front_end.mel.hop: expected a whole number, got 0.5");
  CHECK_THAT(
      refusal([](Json& json) { json["sound"]["front_end"]["lifter"] = 22; }),
      ContainsSubstring("sound.front_end: expected no options but coefficients, floor, scale_to_largest, orthonormal, mel, got "
                        "'lifter'; was this written by a newer"));
  CHECK_THAT(refusal([](Json& json) { json["resize"]["width"] = true; }, picture()),
             ContainsSubstring("resize.width: expected a whole number, got true"));
}
