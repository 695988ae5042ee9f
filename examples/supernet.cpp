// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Chooses between layers as well as between numbers of channels: each block of the network becomes one of four alternatives.
//
//   supernet [CIFAR-10 directory] [--onnx FILE]      without a directory, synthetic images

#include <siena/siena.hpp>
#include <string>
#include <string_view>

#include "shared/onnx_file.hpp"

using namespace siena;

int main(int argc, char** argv) try {
  wait_briefly(argv);
  std::string onnx_file;
  if (argc > 2 && std::string_view(argv[argc - 2]) == "--onnx") onnx_file = argv[argc - 1], argc -= 2;
  const std::string_view folder = argc > 1 ? argv[1] : "";
  if (folder == "--help" || folder == "-h") {
    fmt::print("usage: supernet [CIFAR-10 directory] [--onnx FILE]; without a directory, synthetic images\n");
    return 0;
  }
  examples::check_onnx({.path = onnx_file});
  const bool smoke = folder == "--smoke";  // as little as shows that it runs
  const auto data = folder.empty() || smoke ? data::synthetic_images({.train = smoke ? 256 : 4000}) : data::cifar10(folder);

  auto conv = [](Flow x, int out, int kernel) {
    return x | Searchable{Conv2d{.out = out, .kernel = kernel}, Channels{}} | BatchNorm{} | Relu{};
  };
  auto block = [&](int width) {
    return Choice{Alternative{"3x3", [=](Flow x) { return conv(x, width, 3); }},
                  Alternative{"5x5", [=](Flow x) { return conv(x, width, 5); }},
                  Alternative{"bottleneck", [=](Flow x) { return conv(conv(x, width / 2, 1), width, 3); }},
                  Identity{}};  // nothing at all
  };
  Network net{data.train.shape(), [&](Flow x) {
                x = x | Searchable{Conv2d{.out = 16, .kernel = 3, .stride = 2}, Channels{}} | BatchNorm{} | Relu{};
                x = x | block(16) | block(16) | MaxPool{.kernel = 2};
                x = conv(x, 32, 3) | block(32) | block(32);
                return x | GlobalAvgPool{} | Linear{.out = 10};
              }};

  const auto bounds = subject_to(MemoryBound{24_KiB}, AtMost{Macs{}, 2e6});
  SearchOptions options{.warmup = smoke ? 1 : 4, .epochs = smoke ? 1 : 10, .batch = 32, .seed = 1};
  options.space.choices.sampling = Sampling::score;  // each step computes one alternative of each choice
  auto [found, history] = search(net, data, bounds, Duccio{}, options, ProgressBar{});
  fit(found, data, {.epochs = smoke ? 1 : 4, .batch = 32}, ProgressBar{});
  const Report report = evaluate(found, data.test, bounds);
  examples::write_onnx(found, {.path = onnx_file}, data.train);
  fmt::print("{}\n", report);
  return report.feasible ? 0 : 1;
} catch (const Error& error) {
  fmt::print(stderr, "supernet: {}\n", error.what());
  return 2;
}
