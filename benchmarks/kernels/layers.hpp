// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The layers that the five networks are made of, each shape once: read from the networks themselves.

#include <cstdint>
#include <string>
#include <vector>

#include "siena/core.hpp"
#include "siena/kernels.hpp"

namespace siena::bench {

enum class Pass { forward, backward_data, backward_weights };
constexpr const char* name_of(Pass pass) {
  return pass == Pass::forward ? "forward" : pass == Pass::backward_data ? "backward_data" : "backward_weights";
}

/// A convolution, or a linear layer as a convolution of 1 x 1 images.
struct ConvLayer {
  std::string name;  ///< network/node
  kernels::ConvGeometry geometry;
  bool bias = false;
  bool linear = false;
  bool first = false;  ///< reads the network's input, to which no gradient goes back

  /// Multiply-adds count two each; taps on the padding too, so that a kernel that skips them may pass 100 % of the peak.
  double flops(std::int64_t batch) const { return 2.0 * static_cast<double>(geometry.macs() * batch); }
  /// The least that must go between memory and processor: inputs, outputs and weights once each.
  double bytes(std::int64_t batch) const {
    return sizeof(float) *
           static_cast<double>(batch * (geometry.in_storage() + geometry.out_storage()) + geometry.weight_storage());
  }
};

/// A batch norm with the ReLU, and perhaps the add, that are computed at one go with it.
struct NormLayer {
  std::string name;
  std::int64_t rows = 0;  ///< of one image
  std::int64_t channels = 0;
  bool residual = false;
};

std::vector<ConvLayer> conv_layers();
std::vector<NormLayer> norm_layers();

/// Numbers between -1 and 1, the same for the same seed.
Tensor random_tensor(const Shape& shape, std::uint64_t seed);

/// What the passes of a layer read and write.
struct ConvTensors {
  ConvTensors(const ConvLayer& layer, std::int64_t batch);
  Tensor x, y, w, bias;
};

/// Runs one pass of the library: writes y, x, or adds to w.
void run_siena(const ConvLayer& layer, Pass pass, std::int64_t batch, ConvTensors& tensors);
/// The same by the plain loops of kernels/reference.hpp.
void run_reference(const ConvLayer& layer, Pass pass, std::int64_t batch, ConvTensors& tensors);

}  // namespace siena::bench
