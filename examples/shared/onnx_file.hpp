// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// --onnx FILE: the network that was found, for other programs to run. SIENA_EXAMPLES_ONNX: this program has siena::onnx.

#ifdef SIENA_EXAMPLES_ONNX
#include <siena/deploy/onnx.hpp>
#endif
#include <siena/data.hpp>
#include <siena/nn.hpp>
#include <string>

namespace siena::examples {

struct OnnxFile {
  std::string path = {}, int8 = {};  ///< --onnx, --onnx-int8
  std::string batch = "1";           ///< or "any"
  bool normalized = false;           ///< the graph normalises
};

/// Said before hours of training, not after.
inline void check_onnx([[maybe_unused]] const OnnxFile& file) {
#ifndef SIENA_EXAMPLES_ONNX
  require<ArgumentError>(
      file.path.empty() && file.int8.empty(),
      "--onnx: expected a program built with siena::onnx, got one without; install ONNX and protobuf (Debian: "
      "libonnx-dev, libprotobuf-dev), configure and build it again");
#endif
}

#ifdef SIENA_EXAMPLES_ONNX
inline deploy::OnnxOptions onnx_options(const OnnxFile& file, const data::Dataset& trained_with) {
  return {.batch = file.batch == "any" ? 0 : std::stoll(file.batch),
          .preparation = trained_with.preparation(),
          .normalize = file.normalized};
}
#endif

/// Writes nothing where no file is named.
inline void write_onnx([[maybe_unused]] const Network& network, [[maybe_unused]] const OnnxFile& file,
                       [[maybe_unused]] const data::Dataset& trained_with) {
#ifdef SIENA_EXAMPLES_ONNX
  if (file.path.empty()) return;
  deploy::onnx(network, file.path, onnx_options(file, trained_with));
#endif
}

}  // namespace siena::examples
