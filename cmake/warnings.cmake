# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# Warnings for our own programs; link PRIVATE.
# Not here, on purpose: -Wconversion and -Wsign-conversion. Kernels mix int (a layer's sizes), std::int64_t (offsets) and
# std::size_t (the standard library) in every index, and casts everywhere would hide more mistakes than the warnings find.
# -Wmissing-field-initializers is off because options are aggregates with designated initialisers: leaving out is the point.
add_library(siena_warnings INTERFACE)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(siena_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wextra-semi -Wundef -Wvla
    -Wno-missing-field-initializers
    # g++ 12 sees overflows in fmt's inlined fill, uninitialised values in std::optional and overlaps in std::string where
    # there are none.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
    $<$<BOOL:${SIENA_WARNINGS_AS_ERRORS}>:-Werror>)
elseif(MSVC)
  target_compile_options(siena_warnings INTERFACE /W4 /permissive- $<$<BOOL:${SIENA_WARNINGS_AS_ERRORS}>:/WX>)
endif()
