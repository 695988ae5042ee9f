// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// A small part of the library that finds xsimd and links {fmt}: shows that another way to get siena brings what it needs.

#include <siena/core/error.hpp>
#include <siena/kernels/elementwise.hpp>
#include <string_view>
#include <vector>

int main() {
  const std::vector<float> x(8, 1.5f);
  std::vector<float> sum(8, 1.0f);
  siena::kernels::add_to<siena::simd::native, float>(x, sum);
  try {
    siena::require<siena::ArgumentError>(sum[7] != 2.5f, "a sum of {}", sum[7]);
  } catch (const siena::ArgumentError& error) {
    return std::string_view(error.what()) == "a sum of 2.5" ? 0 : 1;
  }
  return 1;
}
