// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/models/padding.hpp"

#include <utility>
#include <vector>

#include "siena/models.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("stock models pad as TensorFlow does in every layer with a window of more than one, or in none") {
  std::vector<std::pair<Network, Network>> pairs;  // as PyTorch, as TensorFlow
  pairs.emplace_back(resnet8(), resnet8({.padding = same}));
  pairs.emplace_back(ds_cnn(), ds_cnn({.padding = same}));
  pairs.emplace_back(mobilenet_v1(), mobilenet_v1({.padding = same}));
  const ResNet18Options imagenet{.input = {64, 64, 3}, .width = 0.25, .imagenet_stem = true};
  ResNet18Options tensorflow = imagenet;
  tensorflow.padding = same;
  pairs.emplace_back(resnet18(imagenet), resnet18(tensorflow));
  pairs.emplace_back(resnet8_supernet(), resnet8_supernet({.padding = same}));
  pairs.emplace_back(ds_cnn_supernet(), ds_cnn_supernet({.padding = same}));
  pairs.emplace_back(mobilenet_v1_supernet(), mobilenet_v1_supernet({.padding = same}));
  for (const auto& [symmetric, asymmetric] : pairs) {
    REQUIRE(symmetric.nodes().size() == asymmetric.nodes().size());
    int windows = 0;
    const auto check = [&](Size2 kernel, const ImagePadding& a, const ImagePadding& b) {
      if (kernel.height == 1 && kernel.width == 1) return;
      ++windows;
      CHECK(!a.is_same);
      CHECK(b.is_same);
    };
    for (std::size_t i = 0; i < symmetric.nodes().size(); ++i) {
      const Network::Node &a = symmetric.nodes()[i], &b = asymmetric.nodes()[i];
      CHECK(a.shape == b.shape);
      if (const auto* conv = a.layer.get_if<Conv2d>()) {
        check(conv->kernel, conv->padding, b.layer.get<Conv2d>().padding);
      }
      if (const auto* pool = a.layer.get_if<MaxPool>()) {
        check(pool->kernel, pool->padding, b.layer.get<MaxPool>().padding);
      }
    }
    CHECK(windows > 0);
  }
}
