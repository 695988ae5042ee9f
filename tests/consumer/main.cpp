// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <siena/siena.hpp>

int other(int classes);

int main() { return other(10) == 10 ? 0 : 1; }
