// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/cortex_instructions.hpp"

namespace siena::deploy::c {

/// Adds four elements at a time.
inline Body cortex_add(const Site& site, const integer::Add& add) {
  const auto elements = site.output().shape.elements();
  const bool at_once = add.shift > 0 && !site.asks_shift;
  const std::string bits = site.asks_shift ? "shift" : std::to_string(add.shift);
  const auto sum = [](const std::string& p, const std::string& q) { return format("a * {} + b * {} + offset", p, q); };
  std::string four;
  for (int k = 0; k < 4; ++k) {
    const std::string shift = k == 0 ? "" : format(" >> {}", 8 * k);
    const std::string value = sum("(int8_t)(p" + shift + ")", "(int8_t)(q" + shift + ")");
    four += at_once ? format("  SIENA_NARROW_SHIFTED(y[i + {}], {}, {});\n", k, value, bits)
                    : format("  y[i + {}] = (int8_t)siena_narrow(({}) >> {});\n", k, value, bits);
  }
  const auto rest = elements % 4;
  std::string ones;
  if (rest > 0) {
    const std::string one = format("(int8_t)siena_narrow(({}) >> {})", sum("x0[i]", "x1[i]"), bits);
    ones = site.backwards ? format("for (int i = {}; i >= {}; --i) y[i] = {};\n", elements - 1, elements - rest, one)
                          : format("for (int i = {}; i < {}; ++i) y[i] = {};\n", elements - rest, elements, one);
  }
  const std::string fours =
      elements < 4 ? ""
                   : fill("for ($loop) {\n  const uint32_t p = siena_bytes(x0 + i), q = siena_bytes(x1 + i);\n$four}\n",
                          {{"loop", site.backwards ? format("int i = {}; i >= 0; i -= 4", elements - rest - 4)
                                                   : format("int i = 0; i < {}; i += 4", elements - rest)},
                           {"four", four}});
  return {.name = "add",
          .about = format("{} numbers", elements),
          .code = site.backwards ? ones + fours : fours + ones,
          .arguments = {{"a", add.a}, {"b", add.b}, {"offset", add.offset}},
          .preambles = {cortex_pragma, cortex_instructions}};
}

}  // namespace siena::deploy::c
