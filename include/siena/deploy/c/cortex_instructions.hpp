// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace siena::deploy::c {

// What specialised bodies call: texts that stand before them.

/// Whatever the file is compiled with: gcc's scheduler moves loads so far ahead that the registers do not suffice (1.9 instead
/// of 1.05 instructions a MAC).
inline constexpr std::string_view cortex_pragma = R"(#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2", "no-schedule-insns")
#endif
#if defined(__GNUC__)
#define SIENA_INLINE static inline __attribute__((always_inline))
#else
#define SIENA_INLINE static inline
#endif
)";

/// Each instruction for processors that have it, and the same in C for all others. Loads of what is multiplied are volatile:
/// the compiler must neither keep what it has loaded, for want of registers, nor load it elsewhere.
inline constexpr std::string_view cortex_instructions = R"(/* Words of two numbers of 16 bits or four of 8, the first lowest. */
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !defined(__ARM_BIG_ENDIAN)
#define SIENA_OF_2(name, text) \
  SIENA_INLINE uint32_t name(uint32_t a, uint32_t b) { \
    uint32_t r; \
    __asm__(text : "=r"(r) : "r"(a), "r"(b)); \
    return r; \
  }
#define SIENA_OF_3(name, text) \
  SIENA_INLINE int32_t name(uint32_t a, uint32_t b, int32_t sum) { \
    int32_t r; \
    __asm__(text : "=r"(r) : "r"(a), "r"(b), "r"(sum)); \
    return r; \
  }
typedef uint32_t __attribute__((may_alias, aligned(1))) siena_word;
SIENA_INLINE uint32_t siena_pair(const int16_t *p) { return *(const siena_word *)(const void *)p; }
SIENA_INLINE uint32_t siena_bytes(const int8_t *p) { return *(const siena_word *)(const void *)p; }
SIENA_INLINE void siena_put_pair(int16_t *p, uint32_t v) { *(siena_word *)(void *)p = v; }
SIENA_INLINE uint32_t siena_load_pair(const int16_t *p) {
  uint32_t v;
  __asm__ volatile("ldr %0, %1" : "=r"(v) : "m"(*(const siena_word *)(const void *)p));
  return v;
}
SIENA_INLINE uint32_t siena_load_one(const int16_t *p) {
  uint32_t v;
  __asm__ volatile("ldrsh %0, %1" : "=r"(v) : "m"(*p));
  return v;
}
SIENA_INLINE uint32_t siena_next_pair(const int16_t **p) {
  uint32_t v;
  __asm__ volatile("ldr %0, [%1], #4" : "=r"(v), "+r"(*p) : : "memory");
  return v;
}
SIENA_INLINE uint32_t siena_next_bytes(const int8_t **p) {
  uint32_t v;
  __asm__ volatile("ldr %0, [%1], #4" : "=r"(v), "+r"(*p) : : "memory");
  return v;
}
SIENA_INLINE uint32_t siena_even(uint32_t v) {
  uint32_t r;
  __asm__("sxtb16 %0, %1" : "=r"(r) : "r"(v));
  return r;
}
SIENA_INLINE uint32_t siena_odd(uint32_t v) {
  uint32_t r;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(r) : "r"(v));
  return r;
}
SIENA_OF_2(siena_lower, "pkhbt %0, %1, %2, lsl #16")
SIENA_OF_2(siena_upper, "pkhtb %0, %2, %1, asr #16")
SIENA_INLINE int32_t siena_add_products(uint32_t a, uint32_t b, int32_t sum) {
  __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}
SIENA_OF_3(siena_mac, "smlad %0, %1, %2, %3")
SIENA_OF_3(siena_mac_lower, "smlabb %0, %1, %2, %3")
SIENA_OF_3(siena_mac_lower_upper, "smlabt %0, %1, %2, %3")
SIENA_OF_3(siena_mac_upper_lower, "smlatb %0, %1, %2, %3")
SIENA_INLINE int32_t siena_scale(int32_t sum, int32_t multiplier, int32_t zero) {
  int32_t r;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(r) : "r"(sum), "r"(multiplier), "r"(zero));
  return r;
}
SIENA_INLINE int32_t siena_narrow(int32_t v) {
  int32_t r;
  __asm__("ssat %0, #8, %1" : "=r"(r) : "r"(v));
  return r;
}
#define SIENA_NARROW_SHIFTED(to, v, shift) \
  do { \
    int32_t siena_r; \
    __asm__("ssat %0, #8, %1, asr #" #shift : "=r"(siena_r) : "r"(v)); \
    to = (int8_t)siena_r; \
  } while (0)
#else
SIENA_INLINE uint32_t siena_pair(const int16_t *p) { return (uint32_t)(uint16_t)p[0] | (uint32_t)(uint16_t)p[1] << 16; }
SIENA_INLINE uint32_t siena_bytes(const int8_t *p) {
  return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8 | (uint32_t)(uint8_t)p[2] << 16 | (uint32_t)(uint8_t)p[3] << 24;
}
SIENA_INLINE void siena_put_pair(int16_t *p, uint32_t v) {
  p[0] = (int16_t)v;
  p[1] = (int16_t)(v >> 16);
}
SIENA_INLINE uint32_t siena_load_pair(const int16_t *p) { return siena_pair(p); }
SIENA_INLINE uint32_t siena_load_one(const int16_t *p) { return (uint32_t)(uint16_t)*p; }
SIENA_INLINE uint32_t siena_next_pair(const int16_t **p) { return *p += 2, siena_pair(*p - 2); }
SIENA_INLINE uint32_t siena_next_bytes(const int8_t **p) { return *p += 4, siena_bytes(*p - 4); }
SIENA_INLINE uint32_t siena_even(uint32_t v) {
  return (uint32_t)(uint16_t)(int8_t)v | (uint32_t)(uint16_t)(int8_t)(v >> 16) << 16;
}
SIENA_INLINE uint32_t siena_odd(uint32_t v) {
  return (uint32_t)(uint16_t)(int8_t)(v >> 8) | (uint32_t)(uint16_t)(int8_t)(v >> 24) << 16;
}
SIENA_INLINE uint32_t siena_lower(uint32_t a, uint32_t b) { return (a & 0xffff) | b << 16; }
SIENA_INLINE uint32_t siena_upper(uint32_t a, uint32_t b) { return a >> 16 | (b & 0xffff0000u); }
/* Sums may wrap on their way to a result that fits. */
SIENA_INLINE int32_t siena_plus(int32_t sum, int32_t product) { return (int32_t)((uint32_t)sum + (uint32_t)product); }
SIENA_INLINE int32_t siena_mac_lower(uint32_t a, uint32_t b, int32_t sum) {
  return siena_plus(sum, (int32_t)(int16_t)a * (int16_t)b);
}
SIENA_INLINE int32_t siena_mac_lower_upper(uint32_t a, uint32_t b, int32_t sum) { return siena_mac_lower(a, b >> 16, sum); }
SIENA_INLINE int32_t siena_mac_upper_lower(uint32_t a, uint32_t b, int32_t sum) { return siena_mac_lower(a >> 16, b, sum); }
SIENA_INLINE int32_t siena_mac(uint32_t a, uint32_t b, int32_t sum) {
  return siena_mac_lower(a >> 16, b >> 16, siena_mac_lower(a, b, sum));
}
SIENA_INLINE int32_t siena_add_products(uint32_t a, uint32_t b, int32_t sum) { return siena_mac(a, b, sum); }
SIENA_INLINE int32_t siena_scale(int32_t sum, int32_t multiplier, int32_t zero) {
  return siena_requantize(sum, multiplier) + zero;
}
SIENA_INLINE int32_t siena_narrow(int32_t v) { return siena_clamp(v, -128, 127); }
#define SIENA_NARROW_SHIFTED(to, v, shift) (to) = (int8_t)siena_narrow((v) >> (shift))
#endif
)";

inline constexpr std::string_view cortex_fill = R"(SIENA_FUNCTION void siena_fill(int16_t *to, int n, int value) {
  for (int i = 0; i < n; ++i) to[i] = (int16_t)value;
}
)";
inline constexpr std::string_view cortex_widen = R"(SIENA_FUNCTION void siena_widen(const int8_t *x, int16_t *to, int n) {
  for (; n >= 4; n -= 4, x += 4, to += 4) {
    const uint32_t v = siena_bytes(x), even = siena_even(v), odd = siena_odd(v);
    siena_put_pair(to, siena_lower(even, odd));
    siena_put_pair(to + 2, siena_upper(even, odd));
  }
  for (; n > 0; --n) *to++ = *x++;
}
)";
/// The first row of a ring becomes the last; or the last one the first.
inline constexpr std::string_view cortex_turn = R"(SIENA_FUNCTION void siena_turn(int16_t **ring, int rows) {
  int16_t *const first = ring[0];
  for (int r = 0; r + 1 < rows; ++r) ring[r] = ring[r + 1];
  ring[rows - 1] = first;
}
)";
inline constexpr std::string_view cortex_turn_back = R"(SIENA_FUNCTION void siena_turn_back(int16_t **ring, int rows) {
  int16_t *const last = ring[rows - 1];
  for (int r = rows - 1; r > 0; --r) ring[r] = ring[r - 1];
  ring[0] = last;
}
)";

}  // namespace siena::deploy::c
