// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Every convolution of ResNet8 (and, under "other", of the other networks), all three passes: GFLOP/s, and the
// percentage of what a loop of multiply-adds in registers reaches on this machine at the same moment. FLOPs count the
// taps on the padding too, so that a kernel that skips them may pass 100 %. Arguments: batch, threads.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "siena/core.hpp"
#include "siena/kernels.hpp"

namespace {

using namespace siena;
using kernels::ConvGeometry;

/// FLOP/s of multiply-adds that touch no memory: on `count` threads, the best of a few short runs.
double register_peak(int count) {
  using V = simd::Batch<float>;
  constexpr int chains = simd::registers<> >= 32 ? 24 : 12;
  constexpr std::int64_t turns = 100000;
  std::vector<V> results(static_cast<std::size_t>(count) * chains, V(0.f));
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const auto start = std::chrono::steady_clock::now();
    parallel_for(count, [&](std::int64_t task) {
      V sums[chains];
      for (int i = 0; i < chains; ++i) sums[i] = V(1.f + static_cast<float>(i));
      V a(0.999f), b(0.001f);
      benchmark::DoNotOptimize(a);
      benchmark::DoNotOptimize(b);
      for (std::int64_t turn = 0; turn < turns; ++turn) {
        SIENA_UNROLL
        for (int i = 0; i < chains; ++i) sums[i] = simd::fma(sums[i], a, b);
      }
      for (int i = 0; i < chains; ++i) results[static_cast<std::size_t>(task) * chains + i] = sums[i];
    });
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2.0 * chains * turns * count * static_cast<double>(simd::width<float>) / time.count());
  }
  benchmark::DoNotOptimize(results.data());
  return best;
}

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor tensor(shape);
  Random random(seed);
  for (std::int64_t r = 0; r < tensor.rows(); ++r) {
    for (float& value : tensor.row(r)) value = static_cast<float>(random.uniform(-1, 1));
  }
  return tensor;
}

enum class Pass { forward, backward_data, backward_weights };

void convolution(benchmark::State& state, const ConvGeometry& g, Pass pass) {
  const std::int64_t batch = state.range(0);
  set_threads(static_cast<int>(state.range(1)));
  Tensor x = random_tensor({batch, g.in_height, g.in_width, g.in_channels}, 1);
  Tensor y = random_tensor({batch, g.out_height, g.out_width, g.out_channels}, 2);
  Tensor w = random_tensor({g.kernel_height, g.kernel_width, g.group_in_channels(), g.out_channels}, 3);
  const Tensor bias = random_tensor({g.out_channels}, 4);
  const double peak = register_peak(static_cast<int>(state.range(1)));
  for (auto _ : state) {
    if (pass == Pass::forward) {
      kernels::conv2d_forward(g, batch, std::as_const(x).storage(), std::as_const(w).storage(), bias.storage(), y.storage());
    } else if (pass == Pass::backward_data) {
      kernels::conv2d_backward_data(g, batch, std::as_const(y).storage(), std::as_const(w).storage(), x.storage(),
                                    kernels::Write::overwrite);
    } else {
      kernels::conv2d_backward_weights(g, batch, std::as_const(x).storage(), std::as_const(y).storage(), w.storage());
    }
    benchmark::ClobberMemory();
  }
  const double flop = 2.0 * static_cast<double>(g.macs() * batch) * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsRate);
  state.counters["%peak"] = benchmark::Counter(100 * flop / peak, benchmark::Counter::kIsRate);
  state.counters["peak"] = peak * 1e-9;
  set_threads(0);
}

struct Layer {
  std::string name;
  std::int64_t height, width, in, out;
  int kernel_height, kernel_width, stride, groups;
};

ConvGeometry geometry(const Layer& l) {
  const kernels::Padding v = kernels::same_padding(l.height, l.kernel_height, l.stride);
  const kernels::Padding h = kernels::same_padding(l.width, l.kernel_width, l.stride);
  return kernels::conv_geometry({.in_height = l.height,
                                 .in_width = l.width,
                                 .in_channels = l.in,
                                 .out_channels = l.out,
                                 .kernel_height = l.kernel_height,
                                 .kernel_width = l.kernel_width,
                                 .stride_height = l.stride,
                                 .stride_width = l.stride,
                                 .pad_top = v.before,
                                 .pad_bottom = v.after,
                                 .pad_left = h.before,
                                 .pad_right = h.after,
                                 .groups = l.groups});
}

const std::vector<Layer> layers = {
    {"resnet8/3->16_3x3_32x32", 32, 32, 3, 16, 3, 3, 1, 1},
    {"resnet8/16->16_3x3_32x32", 32, 32, 16, 16, 3, 3, 1, 1},
    {"resnet8/16->32_3x3s2_32x32", 32, 32, 16, 32, 3, 3, 2, 1},
    {"resnet8/32->32_3x3_16x16", 16, 16, 32, 32, 3, 3, 1, 1},
    {"resnet8/32->64_3x3s2_16x16", 16, 16, 32, 64, 3, 3, 2, 1},
    {"resnet8/64->64_3x3_8x8", 8, 8, 64, 64, 3, 3, 1, 1},
    {"resnet8/16->32_1x1s2_32x32", 32, 32, 16, 32, 1, 1, 2, 1},
    {"resnet8/32->64_1x1s2_16x16", 16, 16, 32, 64, 1, 1, 2, 1},
    {"other/ds_cnn_1->64_10x4s2_49x10", 49, 10, 1, 64, 10, 4, 2, 1},
    {"other/ds_cnn_pointwise_64->64_25x5", 25, 5, 64, 64, 1, 1, 1, 1},
    {"other/ds_cnn_depthwise_64_3x3_25x5", 25, 5, 64, 64, 3, 3, 1, 64},
    {"other/mobilenet_3->8_3x3s2_96x96", 96, 96, 3, 8, 3, 3, 2, 1},
    {"other/mobilenet_depthwise_8_3x3_48x48", 48, 48, 8, 8, 3, 3, 1, 8},
    {"other/mobilenet_pointwise_8->16_48x48", 48, 48, 8, 16, 1, 1, 1, 1},
    {"other/mobilenet_depthwise_16_3x3s2_48x48", 48, 48, 16, 16, 3, 3, 2, 16},
    {"other/mobilenet_pointwise_16->32_24x24", 24, 24, 16, 32, 1, 1, 1, 1},
    {"other/mobilenet_depthwise_64_3x3_12x12", 12, 12, 64, 64, 3, 3, 1, 64},
    {"other/mobilenet_pointwise_128->128_6x6", 6, 6, 128, 128, 1, 1, 1, 1},
    {"other/mobilenet_pointwise_256->256_3x3", 3, 3, 256, 256, 1, 1, 1, 1},
    {"other/autoencoder_640->128", 1, 1, 640, 128, 1, 1, 1, 1},
};

}  // namespace

int main(int argc, char** argv) {
  const std::pair<Pass, const char*> passes[] = {
      {Pass::forward, "forward"}, {Pass::backward_data, "backward_data"}, {Pass::backward_weights, "backward_weights"}};
  for (const Layer& layer : layers) {
    for (const auto& [pass, name] : passes) {
      const ConvGeometry g = geometry(layer);
      const Pass p = pass;
      const auto run = [g, p](benchmark::State& state) { convolution(state, g, p); };
      // One thread is timed by the processor's clock, which other programs on the machine do not disturb.
      benchmark::RegisterBenchmark((layer.name + "/" + name).c_str(), run)
          ->ArgNames({"batch", "threads"})
          ->ArgsProduct({{32, 128}, {1}})
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark((layer.name + "/" + name).c_str(), run)
          ->ArgNames({"batch", "threads"})
          ->ArgsProduct({{32, 128}, {2}})
          ->Unit(benchmark::kMicrosecond)
          ->UseRealTime();
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
