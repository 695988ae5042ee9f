// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace siena::data {

/// The twelve classes of MLPerf Tiny's keyword spotting, in its order.
inline std::vector<std::string> mlperf_keywords() {
  return {"down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "_silence_", "_unknown_"};
}

}  // namespace siena::data
