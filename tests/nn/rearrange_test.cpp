// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/nn/layers/rearrange.hpp"

#include <vector>

#include "siena/nn/network.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {
template <class Build>
std::vector<float> outputs(const Tensor& x, const Build& build) {
  std::vector<float> elements;
  Network(x.shape().sample(), build).predict(x).copy_to(elements);
  return elements;
}
using Numbers = std::vector<float>;
}  // namespace

TEST_CASE("layers that rearrange: images") {
  const Tensor image({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});  // pixels 1 2 | 3 4, below them 5 6 | 7 8
  CHECK(outputs(image, [](Flow x) { return x | Slice{.channels = {1}}; }) == Numbers{2, 4, 6, 8});
  CHECK(outputs(image, [](Flow x) { return x | Slice{.height = {-1}, .width = {0, 1}}; }) == Numbers{5, 6});
  CHECK(outputs(image, [](Flow x) {
          return x | Slice{.channels = {0, 1}} | Pad{.padding = {1, 0, 0, 1}};
        }) == Numbers{0, 0, 0, 1, 3, 0, 5, 7, 0});
  CHECK(outputs(image, [](Flow x) {
          return x | Slice{.height = {0, 1}, .channels = {0, 1}} | Upsample{.factor = {2, 3}};
        }) == Numbers{1, 1, 1, 3, 3, 3, 1, 1, 1, 3, 3, 3});
  CHECK(outputs(image, [](Flow x) {
          return concat({x | Slice{.channels = {1, 2}}, x | Slice{.channels = {0, 1}}});
        }) == Numbers{2, 1, 4, 3, 6, 5, 8, 7});
}

TEST_CASE("layers that rearrange: signals and features") {
  const Tensor signal({1, 3, 1}, {1, 2, 3});
  CHECK(outputs(signal, [](Flow x) { return x | Slice{.width = {-1}} | Flatten{}; }) == Numbers{3});
  CHECK(outputs(signal, [](Flow x) { return x | Pad{.padding = {0, 0, 2, 1}}; }) == Numbers{0, 0, 1, 2, 3, 0});
  CHECK(outputs(signal, [](Flow x) { return x | Upsample{}; }) == Numbers{1, 1, 2, 2, 3, 3});
  CHECK(outputs(signal, [](Flow x) {
          return x | Upsample{} | Pad{.padding = {0, 1}} | Slice{.width = {1, -1}};
        }) == Numbers{1, 1, 2, 2, 3, 3});
  CHECK(outputs(Tensor({1, 4}, {1, 2, 3, 4}), [](Flow x) { return x | Slice{.channels = {1, 3}}; }) == Numbers{2, 3});
}

TEST_CASE("multiply: a value for each channel of each sample") {
  const Tensor images({2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(outputs(images, [](Flow x) { return multiply(x, x | GlobalAvgPool{}); }) == Numbers{2, 6, 6, 12, 30, 42, 42, 56});
  CHECK(outputs(images, [](Flow x) { return multiply(x, x); }) == Numbers{1, 4, 9, 16, 25, 36, 49, 64});
}

TEST_CASE("upsample: sizes that cannot be are refused") {
  const auto wide = [](int factor) {  // 2^70 pixels for 2^30: more than an integer holds
    return [factor](Flow x) {
      return x | Upsample{.factor = {1, 1 << 20}} | Upsample{.factor = {1, 1 << 20}} | Upsample{.factor = {1, factor}};
    };
  };
  CHECK_THROWS_WITH(Network({1, 1, 1}, wide(1 << 30)),
                    Catch::Contains("upsample_3: expected at most 2^48 elements, got factors of 1 and 1073741824 for 1x"));
  CHECK_THROWS_WITH(Network({1, 1, 1}, wide(1 << 8)), Catch::Contains("upsample_3: Shape: expected at most 2^48 elements"));
}

TEST_CASE("channel shuffle: channels of the groups in turns") {
  const Tensor features({1, 6}, {1, 2, 3, 4, 5, 6});
  CHECK(outputs(features, [](Flow x) { return x | ChannelShuffle{.groups = 2}; }) == Numbers{1, 4, 2, 5, 3, 6});
  CHECK(outputs(features, [](Flow x) { return x | ChannelShuffle{.groups = 3}; }) == Numbers{1, 3, 5, 2, 4, 6});
  CHECK_THROWS_WITH(Network({6}, [](Flow x) { return x | ChannelShuffle{.groups = 4}; }),
                    Catch::Contains("channel_shuffle_1: expected a number of groups that divides 6 channels, got 4"));
}

TEST_CASE("group norm: each sample and group by itself") {
  const Tensor images({2, 1, 1, 4}, {1, 3, 10, 30, -1, 1, 0, 2});
  const auto norm = [](Flow x) { return x | GroupNorm{.groups = 2, .epsilon = 1e-12}; };
  for (const float value : outputs(images, norm)) CHECK(std::abs(value) == Approx(1));
  CHECK_THROWS_WITH(
      Network({4, 4, 6}, [](Flow x) { return x | GroupNorm{.groups = 4}; }),
      Catch::Contains("group_norm_1: expected a number of groups that divides 6 channels, and epsilon > 0, got 4"));
}
