// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// --onnx FILE: the network that was found, for other programs to run. SIENA_EXAMPLES_ONNX: this program has siena::onnx.

#ifdef SIENA_EXAMPLES_ONNX
#include <siena/deploy/onnx.hpp>
#endif
#include <siena/nn.hpp>
#include <string>

namespace siena::examples {

/// Said before hours of training, not after.
inline void check_onnx([[maybe_unused]] const std::string& file) {
#ifndef SIENA_EXAMPLES_ONNX
  require<ArgumentError>(
      file.empty(),
      "--onnx: expected a program built with siena::onnx, got one without; install ONNX and protobuf (Debian: "
      "libonnx-dev, libprotobuf-dev), configure and build it again");
#endif
}

/// Writes nothing where no file is named.
inline void write_onnx([[maybe_unused]] const Network& network, [[maybe_unused]] const std::string& file) {
#ifdef SIENA_EXAMPLES_ONNX
  if (!file.empty()) deploy::onnx(network, file);
#endif
}

}  // namespace siena::examples
