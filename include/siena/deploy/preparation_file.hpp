// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::json (nlohmann-json): how inputs are prepared, beside the weights. Not part of the umbrella header.

#include <filesystem>
#include <string>

#include "siena/core/json.hpp"
#include "siena/data/preparation.hpp"
#include "siena/data/preparation_json.hpp"
#include "siena/deploy/safetensors.hpp"

namespace siena::deploy {

/// How inputs are prepared, as metadata for files of networks and weights; docs/guides/deploy.md shows the JSON.
inline Metadata preparation_metadata(const data::Preparation& preparation) {
  return {{std::string(data::preparation_key), data::json_text(data::to_json(preparation))}};
}

/// How the inputs of the network in a safetensors file are prepared. Throws FormatError, with the file, for one that does not
/// say it, and as load_safetensors does.
inline data::Preparation load_preparation(const std::filesystem::path& file) {
  const std::string where = siena::format("load_preparation: '{}'", file.string()), key(data::preparation_key);
  const State state = load_safetensors(file);
  require<FormatError>(state.contains(key),
                       "{}: expected the text '{}', got a file without; write it with preparation_metadata", where, key);
  return data::preparation_from_json(parse_json(state.get<std::string>(key), where), where);
}

}  // namespace siena::deploy
