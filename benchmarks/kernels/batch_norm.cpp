// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Batch norm with ReLU (and the residual add, where the networks have one) at the shapes of the networks, as training runs it.
// %copy: of the rate at which a copy of that size moves bytes.

#include "siena/kernels.hpp"

#include <benchmark/benchmark.h>

#include "kernels.hpp"
#include "layers.hpp"
#include "machine.hpp"
#include "support.hpp"

namespace siena::bench {

namespace {

struct NormTensors {
  NormTensors(const NormLayer& layer, std::int64_t batch) : rows(batch * layer.rows), channels(layer.channels) {
    for (Tensor* tensor : {&x, &z, &dz, &dx, &residual, &dresidual}) {
      const bool unused = !layer.residual && (tensor == &residual || tensor == &dresidual);
      if (!unused) *tensor = random_tensor({rows, channels}, 1);
    }
    for (Tensor* tensor : {&mean, &variance, &scale, &shift, &sum_dy, &sum_dy_xhat}) *tensor = random_tensor({channels}, 2);
  }

  void forward() {
    kernels::channel_statistics<simd::native, float>(rows, channels, x.storage(), mean.storage(), variance.storage());
    kernels::affine<simd::native, float>(rows, channels, x.storage(), scale.storage(), shift.storage(), residual.storage(),
                                         true, z.storage());
  }
  void backward() {
    using Gate = kernels::ReluGate<float>;
    const Gate gate =
        residual.elements() > 0 ? Gate{.z = z.storage()} : Gate{.scale = scale.storage(), .shift = shift.storage()};
    kernels::batch_norm_backward_sums<simd::native, float>(rows, channels, dz.storage(), gate, x.storage(), mean.storage(),
                                                           variance.storage(), sum_dy.storage(), sum_dy_xhat.storage());
    kernels::batch_norm_backward_data<simd::native, float>(
        rows, channels, dz.storage(), gate, x.storage(), mean.storage(), variance.storage(), scale.storage(), sum_dy.storage(),
        sum_dy_xhat.storage(), dx.storage(), kernels::Write::overwrite, dresidual.storage(), kernels::Write::overwrite);
  }

  std::int64_t rows, channels;
  Tensor x, z, dz, dx, residual, dresidual, mean, variance, scale, shift, sum_dy, sum_dy_xhat;
};

void batch_norm(benchmark::State& state, const NormLayer& layer, Pass pass) {
  const std::int64_t batch = state.range(0), threads = state.range(1);
  const ThreadScope scope(threads);
  NormTensors tensors(layer, batch);
  // Forwards x is read twice and z written; backwards dz, z and x are read twice and dx is written.
  const int passes = (pass == Pass::forward ? 3 : 7) + (layer.residual ? 1 : 0);
  const auto tensor_bytes = static_cast<double>(tensors.x.storage().size_bytes());
  const double bytes = passes * tensor_bytes;
  const double bandwidth = copy_bandwidth((pass == Pass::forward ? 2 : 4) * tensor_bytes, threads);
  const Stopwatch watch(threads == 1 ? Stopwatch::Time::thread : Stopwatch::Time::wall);
  for (auto _ : state) {
    pass == Pass::forward ? tensors.forward() : tensors.backward();
    benchmark::ClobberMemory();
  }
  const double rate = bytes * static_cast<double>(state.iterations()) / watch.seconds();
  state.counters["GB/s"] = 1e-9 * rate;
  state.counters["%copy"] = 100 * rate / bandwidth;
}

}  // namespace

void add_batch_norms() {
  for (const NormLayer& layer : norm_layers()) {
    for (const Pass pass : {Pass::forward, Pass::backward_data}) {
      const std::string name = "kernels/" + layer.name + (layer.residual ? "_add" : "") +
                               (pass == Pass::forward ? "/forward/siena" : "/backward/siena");
      for (const auto& [batch, threads] : kernel_arguments()) {
        add_kernel(name, batch, threads, [=](benchmark::State& state) { batch_norm(state, layer, pass); });
      }
    }
  }
}

}  // namespace siena::bench
