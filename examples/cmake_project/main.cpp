// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <siena/siena.hpp>

int main() {
  const siena::Tensor image(siena::Shape{1, 32, 32, 3}, 0.5F);
  return image.elements() == 32 * 32 * 3 ? 0 : 1;
}
