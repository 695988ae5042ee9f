// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "validators.hpp"

namespace siena::examples {

/// How deep the network is that a benchmark starts from: --blocks, of which `text` says what they are.
inline void add_blocks(CLI::App& app, int& blocks, const std::string& text) {
  app.add_option("--blocks", blocks, text)
      ->capture_default_str()
      ->check(whole_between(1, 100))
      ->excludes("--network")
      ->group("Training");
}

}  // namespace siena::examples
