// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::onnx (ONNX, protobuf and nlohmann-json): networks as files of ONNX. Not part of an umbrella header.

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

#include "siena/core/config.hpp"
#include "siena/core/file.hpp"
#include "siena/data/preparation.hpp"
#include "siena/deploy/lower.hpp"
#include "siena/deploy/onnx_graph.hpp"
#include "siena/deploy/onnx_preparation.hpp"
#include "siena/deploy/plain.hpp"

namespace siena::deploy {

struct OnnxOptions {
  std::int64_t batch = 1;                             ///< samples of an input; 0: any number, the dimension "N"
  bool fold_batch_norm = true;                        ///< into the layers before; else BatchNormalization
  std::optional<data::Preparation> preparation = {};  ///< of the inputs, stated in the file; `Dataset::preparation`
  /// Of `onnx_int8`: where a layer's weights have 4 bits or fewer they are tensors of INT4, for runtimes that know opset 21
  /// (ONNX 1.16, of the year 2024; IR version 10); else of int8, in which small numbers are as small.
  bool int4 = false;
  bool normalize = false;  ///< the graph does what the preparation says: it takes bytes (as floats from 0 to 255) or raw values
};

/// The operators are those of opset 13 (ONNX 1.8, of the year 2020), in the format of that time (IR version 7).
inline constexpr int onnx_opset = 13;

namespace detail {
/// A model for inputs of a shape whose graph is what `write` makes of an empty one.
template <class Write>
::onnx::ModelProto onnx_model_of(const Shape& input, const OnnxOptions& options, Write&& write) {
  require<ArgumentError>(options.batch >= 0, "onnx: expected a batch of 1 or more, or 0 for any, got {}", options.batch);
  ::onnx::ModelProto model;
  model.set_ir_version(options.int4 ? 10 : 7);
  model.set_producer_name("siena");
  model.set_producer_version(format("{}.{}.{}", SIENA_VERSION_MAJOR, SIENA_VERSION_MINOR, SIENA_VERSION_PATCH));
  model.add_opset_import()->set_version(options.int4 ? 21 : onnx_opset);
  model.mutable_graph()->set_name("siena");
  write(*model.mutable_graph());
  require<ArgumentError>(options.preparation || !options.normalize,
                         "onnx: expected how inputs are prepared, to put it into the graph, got none; hint: .preparation = "
                         "data.train.preparation()");
  if (options.preparation) state_preparation(model, input, *options.preparation, options.normalize);
  return model;
}
}  // namespace detail

/// What `onnx` writes, for those who have plans of their own with it.
inline ::onnx::ModelProto onnx_model(const Network& network, const OnnxOptions& options = {}) {
  require_plain(network, "onnx");
  const LoweredNetwork lowered = lower(network, {.fold_batch_norm = options.fold_batch_norm});
  return detail::onnx_model_of(network.input_shape(), options,
                               [&](::onnx::GraphProto& graph) { OnnxGraph(lowered, graph, options.batch).write(); });
}

/// Writes the function that a plain network computes in inference mode as an ONNX file, whole or not at all. Channels stand
/// behind the batch, in inputs, outputs and weights: images are N x C x H x W, signals N x C x T. Layers and tensors keep
/// their names; dropouts are gone. A linear layer after a flatten has its rows in the order of ONNX, C x H x W. The same
/// network gives the same bytes. Throws ArgumentError for what cannot be written (masks or alternatives that are still open,
/// layers of users, numbers that are not finite, 2 GiB or more) and DataError where the file cannot be.
inline void onnx(const Network& network, const std::filesystem::path& file, const OnnxOptions& options = {}) {
  const ::onnx::ModelProto model = onnx_model(network, options);
  const std::size_t bytes = model.ByteSizeLong();
  require<ArgumentError>(bytes <= std::size_t{std::numeric_limits<std::int32_t>::max()},
                         "onnx: expected a network of less than 2 GiB, which is what the format can hold, got {} bytes", bytes);
  write_file_atomically(file, model.SerializeAsString());
}

}  // namespace siena::deploy
