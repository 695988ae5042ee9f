# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# The instruction set of this machine, for our own programs; link PRIVATE. xsimd uses what the compile flags allow, so every
# program chooses for all of its translation units at once; a library must not choose for it.
add_library(siena_native INTERFACE)
if(SIENA_NATIVE)
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-march=native SIENA_HAS_MARCH_NATIVE)
  if(SIENA_HAS_MARCH_NATIVE)
    target_compile_options(siena_native INTERFACE -march=native)
  endif()
endif()
