// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The only macros of the library. Everything else is C++.
//
// SIENA_ASSERT(condition)   an invariant of ours (never a caller's mistake); checked when NDEBUG is not defined
// SIENA_RESTRICT            "no other pointer of this function reaches these elements"
// SIENA_UNROLL              the loop that follows has few, known turns: write them all out
// SIENA_UNROLL_BY_2         two turns of the loop that follows at a time
// SIENA_OPAQUE(pointer)     the optimiser forgets where the pointer comes from: it then steps the pointer as written, where
//                           it would otherwise compute every address of an unrolled loop ahead and run out of registers
// SIENA_FORGET_LOADS        what is loaded after it is not taken from what was loaded before, which would stay in a register
// SIENA_INLINE              inlined whatever the optimiser thinks: kernels that keep their tile in registers
// SIENA_INLINE_LAMBDA       the same for a lambda, behind its parameters
//
// and one that its users may define: SIENA_COMPILED_KERNELS, see kernels/compiled.hpp.

#include <cassert>

#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
// With them the compiler takes every check for NaN and infinity away, and says nothing.
#error "siena: expected NaN and infinity to exist, got -ffast-math or -Ofast; leave it out, or add -fno-finite-math-only"
#endif

#define SIENA_VERSION_MAJOR 0
#define SIENA_VERSION_MINOR 1
#define SIENA_VERSION_PATCH 0

#define SIENA_ASSERT(condition) assert(condition)

#if defined(_MSC_VER)
#define SIENA_RESTRICT __restrict
#define SIENA_INLINE __forceinline
#define SIENA_INLINE_LAMBDA
#else
#define SIENA_RESTRICT __restrict__
#define SIENA_INLINE inline __attribute__((always_inline))
#define SIENA_INLINE_LAMBDA __attribute__((always_inline))
#endif

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__aarch64__))
#define SIENA_OPAQUE(pointer) asm("" : "+r"(pointer))
#else
#define SIENA_OPAQUE(pointer) static_cast<void>(0)
#endif

#if defined(__GNUC__)
#define SIENA_FORGET_LOADS asm volatile("" ::: "memory")
#else
#define SIENA_FORGET_LOADS static_cast<void>(0)
#endif

#if defined(__clang__)
#define SIENA_UNROLL _Pragma("clang loop unroll(full)")
#define SIENA_UNROLL_BY_2 _Pragma("clang loop unroll_count(2)")
#elif defined(__GNUC__)
#define SIENA_UNROLL _Pragma("GCC unroll 32")
#define SIENA_UNROLL_BY_2 _Pragma("GCC unroll 2")
#else
#define SIENA_UNROLL
#define SIENA_UNROLL_BY_2
#endif

// Lines of C that are compiled, or texts for who writes C (deploy/integer/arithmetic.h).
#define SIENA_AS_CODE(...) __VA_ARGS__
#define SIENA_AS_TEXT(...) #__VA_ARGS__ "\n"
