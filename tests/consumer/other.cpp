// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <siena/siena.hpp>

int other(int classes);
int other(int classes) {
  const siena::Tensor tensor(siena::Shape{2, classes});
  return static_cast<int>(tensor.columns());
}
