// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// predict_converted folded|norms|signal|flat FILE: the outputs of a small network with the weights of a file, for one input
// whose value at place i is sin(i).
#include <cmath>
#include <cstdio>
#include <string_view>

#include "siena/core/error.hpp"
#include "siena/deploy/fold_batch_norm.hpp"
#include "siena/deploy/safetensors.hpp"
#include "siena/nn/network.hpp"

namespace {

using namespace siena;

// A stride of 2 with `same` padding on an even size: where TensorFlow pads at the bottom and at the right alone.
Network images() {
  return Network({6, 8, 3}, [](Flow x) {
    x = (x | Conv2d{.out = 4, .kernel = 3, .stride = 2}).named("stem") | BatchNorm{} | Relu{};
    x = (x | Conv2d{.out = 4, .kernel = 3, .groups = Conv2d::depthwise}).named("depthwise") | Relu{};
    return (x | GlobalAvgPool{} | Linear{.out = 5}).named("out");
  });
}
Network network(std::string_view which) {
  if (which == "folded") return deploy::fold_batch_norm(images());
  if (which == "norms") return images();
  if (which == "signal") {
    return Network({9, 2}, [](Flow x) { return (x | Conv1d{.out = 3, .kernel = 4}).named("conv") | GlobalAvgPool{}; });
  }
  return Network({2, 3, 4}, [](const Flow& x) { return (x | Flatten{} | Linear{.out = 5}).named("fc"); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s folded|norms|signal|flat FILE\n", argv[0]);
    return 2;
  }
  try {
    Network net = network(argv[1]);
    deploy::load_weights(net, argv[2]);
    Tensor input(net.input_shape().batch(1));
    float place = 0;
    for (std::int64_t r = 0; r < input.rows(); ++r) {
      for (float& value : input.row(r)) value = std::sin(place), ++place;
    }
    for (const float value : net.predict(input).row(0)) std::printf("%.7g\n", static_cast<double>(value));
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
