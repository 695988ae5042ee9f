# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# Kernels are tested for this machine's instruction set with everything else (kernels_test), and for each of SIENA_TEST_TARGETS
# by a program of its own, kernels_test_<target>, in one translation unit: what costs is instantiating the kernels. All are
# built, so that they stay correct C++; what this machine cannot run is skipped. Other processors have a preset: see neon.
set(SIENA_TEST_TARGETS "" CACHE STRING "Instruction sets for which kernels are tested too: avx512;avx2;sse4_2;portable")

# The option that selects the target, and a feature that tells whether a machine runs it.
set(avx512 -march=x86-64-v4 avx512bw)
set(avx2 -march=x86-64-v3 avx2)
set(sse4_2 -march=x86-64-v2 sse4.2)
set(portable -U__SSE2__)  # xsimd then sees a machine without vectors

include(CheckCXXCompilerFlag)
include(CheckCXXSourceRuns)
file(GLOB kernel_tests CONFIGURE_DEPENDS kernels/*_test.cpp)
foreach(target IN LISTS SIENA_TEST_TARGETS)
  if(NOT target MATCHES "^(avx512|avx2|sse4_2|portable)$")
    message(FATAL_ERROR "SIENA_TEST_TARGETS: expected avx512, avx2, sse4_2 or portable, got ${target}")
  endif()
  list(POP_FRONT ${target} option feature)
  check_cxx_compiler_flag(${option} SIENA_COMPILES_${target})
  if(NOT SIENA_COMPILES_${target})
    message(STATUS "siena: the compiler has no ${option}: the kernels are not tested for ${target}")
    continue()
  endif()
  add_executable(kernels_test_${target} ${kernel_tests})
  set_target_properties(kernels_test_${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  target_include_directories(kernels_test_${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_options(kernels_test_${target} PRIVATE ${option})
  target_link_libraries(kernels_test_${target} PRIVATE siena::siena siena_warnings siena_sanitizers siena_test_main)
  if(feature)
    check_cxx_source_runs("int main() { return !__builtin_cpu_supports(\"${feature}\"); }" SIENA_RUNS_${target})
  else()
    set(SIENA_RUNS_${target} ON)
  endif()
  if(SIENA_RUNS_${target})
    add_test(NAME kernels/${target} COMMAND kernels_test_${target} ${catch_arguments})
  else()
    add_test(NAME kernels/${target} COMMAND ${CMAKE_COMMAND} -E echo "skipped: this machine has no ${feature}")
  endif()
  set_tests_properties(kernels/${target} PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped: " ENVIRONMENT "${environment}"
                       TIMEOUT 600)
endforeach()
