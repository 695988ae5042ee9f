// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "siena/nn/layers/conv2d.hpp"

namespace siena {

/// How a model that is known by name pads its convolutions: `same`, as its TensorFlow version does, or nothing, for as much on
/// both sides, as its PyTorch version does. With the usual inputs shapes are equal either way (DS-CNN's also differ where the
/// height is even or the width odd); at stride 2 windows lie elsewhere, so that weights trained with the one give wrong answers
/// with the other.
using ModelPadding = std::optional<SamePadding>;

inline ImagePadding padding_or(const ModelPadding& padding, const ImagePadding& symmetric) {
  return padding ? ImagePadding(*padding) : symmetric;
}

}  // namespace siena
