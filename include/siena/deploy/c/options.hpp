// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "siena/cost/code_size.hpp"
#include "siena/data/preparation.hpp"

namespace siena::deploy {

using siena::CTarget;
inline std::span<const std::string_view> names_of(CTarget) {
  static constexpr std::string_view names[] = {"portable", "cortex-m"};
  return names;
}

struct CSourceOptions {
  std::string name = "network";                       ///< of the files and of all that they declare
  CTarget target = CTarget::portable;                 ///< whose instructions are used
  std::optional<data::Preparation> preparation = {};  ///< of the inputs; `Dataset::preparation`
  std::string report = {};                            ///< put into the header as a comment
};

/// The two files of a network, and what they take.
struct CSource {
  std::string name, header, code;
  std::map<std::string, std::int64_t> tables;  ///< bytes in flash by what they are: weights, bias, multiplier, ...
  std::int64_t arena = 0;                      ///< bytes that a run works in

  std::int64_t table_bytes() const {
    std::int64_t sum = 0;
    for (const auto& table : tables) sum += table.second;
    return sum;
  }
};

}  // namespace siena::deploy
