// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Searches a small residual network under a memory and a latency bound, and fine-tunes what it found.
//
//   quickstart [CIFAR-10 directory]      without one, synthetic images

#include <siena/siena.hpp>
#include <string_view>

using namespace siena;

int main(int argc, char** argv) try {
  wait_briefly(argv);  // threads that wait leave the cores to other programs
  const std::string_view folder = argc > 1 ? argv[1] : "";
  if (folder == "--help" || folder == "-h") {
    fmt::print("usage: quickstart [CIFAR-10 directory]; without one, synthetic images\n");
    return 0;
  }
  const bool smoke = folder == "--smoke";  // as little as shows that it runs
  const auto data = folder.empty() || smoke ? data::synthetic_images({.train = smoke ? 256 : 4000}) : data::cifar10(folder);

  auto conv = [](int out, int kernel = 3, int stride = 1) {  // channels of this layer may vary
    return Searchable{Conv2d{.out = out, .kernel = kernel, .stride = stride}, Channels{}};
  };
  auto block = [&](Flow x, int width, int stride) {
    auto y = x | conv(width, 3, stride) | BatchNorm{} | Relu{} | conv(width) | BatchNorm{};
    auto skip = stride == 1 ? x : x | conv(width, 1, stride);
    return add(y, skip) | Relu{};  // the add ties both branches to one mask
  };
  Network net{data.train.shape(), [&](Flow x) {
                x = x | conv(16) | BatchNorm{} | Relu{};
                x = block(x, 16, 1);
                x = block(x, 32, 2);
                x = block(x, 64, 2);
                return x | GlobalAvgPool{} | Linear{.out = 10};
              }};

  const auto bounds = subject_to(MemoryBound{40_KiB}, LatencyBound{Gap8{.clock = 100_MHz}, 4_ms});
  const int epochs = smoke ? 1 : 4;
  auto [found, history] = search(net, data, bounds, Duccio{}, {.warmup = epochs, .epochs = epochs, .seed = 1}, ProgressBar{});
  fit(found, data, {.epochs = smoke ? 1 : 2}, ProgressBar{});
  const Report report = evaluate(found, data.test, bounds);  // true costs, slack of every bound
  fmt::print("{}\n", report);
  return report.feasible ? 0 : 1;
} catch (const Error& error) {
  fmt::print(stderr, "quickstart: {}\n", error.what());
  return 2;
}
