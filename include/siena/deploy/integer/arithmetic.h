/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * The arithmetic of one number of a network of integers: C99 that is C++20, too. The simulators compute with these lines, and
 * the writer of C puts them into its files as text; there is no other definition. LINE is a macro of one line of code, in which
 * braces may stay open and brackets not. Shifts of negative numbers to the right keep the sign: C++20 says so, and every C
 * compiler of interest.
 *
 * siena_requantize: round(sum * multiplier / 2^32), halves up: one instruction on a Cortex-M4.
 * siena_blend: (a * x + b * y + offset) / 2^shift, rounded down; a half is in the offset. */
#ifndef SIENA_DEPLOY_INTEGER_ARITHMETIC_H
#define SIENA_DEPLOY_INTEGER_ARITHMETIC_H

#include <stdint.h>

// clang-format off
#define SIENA_ARITHMETIC(LINE)                                                                                               \
  LINE(static inline int32_t siena_clamp(int32_t x, int32_t low, int32_t high) {)                                            \
  LINE(  return x < low ? low : x > high ? high : x;)                                                                        \
  LINE(})                                                                                                                    \
  LINE(static inline int32_t siena_requantize(int32_t sum, int32_t multiplier) {)                                            \
  LINE(  return (int32_t)(((int64_t)sum * multiplier + ((int64_t)1 << 31)) >> 32);)                                          \
  LINE(})                                                                                                                    \
  LINE(static inline int32_t siena_blend(int32_t a, int32_t x, int32_t b, int32_t y, int32_t offset, int32_t shift) {)       \
  LINE(  return (a * x + b * y + offset) >> shift;)                                                                          \
  LINE(})
// clang-format on

#endif
