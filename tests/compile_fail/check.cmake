# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# cmake -DCOMPILER=<c++> -DCASE=<file.cpp> -DFLAGS=<response file> -P check.cmake
cmake_minimum_required(VERSION 3.24)
function(refuse text)
  message("${text}")  # not in the fatal message, which CMake would wrap
  message(FATAL_ERROR "compile_fail")
endfunction()

set(ENV{LC_ALL} C)  # plain quotes in messages
set(command ${COMPILER} -std=c++20 -fsyntax-only -w @${FLAGS} ${CASE})

file(READ ${CASE} text)
set(options)
if(text MATCHES "// with: ([^\n]+)\n")
  separate_arguments(options UNIX_COMMAND "${CMAKE_MATCH_1}")
endif()
execute_process(COMMAND ${command} ${options} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  refuse("${CASE}: compiles, but must not")
endif()

# The compiler quotes source lines, the expectation among them at worst: those lines do not count.
string(REGEX REPLACE "\n[^\n]*// expect:[^\n]*" "" heard "\n${output}")
set(expectations 0)
while(text MATCHES "// expect: ([^\n]+)\n")
  set(expected "${CMAKE_MATCH_1}")
  string(FIND "${text}" "${CMAKE_MATCH_0}" at)
  string(LENGTH "${CMAKE_MATCH_0}" length)
  math(EXPR at "${at} + ${length}")
  string(SUBSTRING "${text}" ${at} -1 text)
  math(EXPR expectations "${expectations} + 1")
  if(NOT heard MATCHES "${expected}")
    refuse("${CASE}: fails, but without the message \"${expected}\":\n${output}")
  endif()
endwhile()
if(expectations EQUAL 0)
  refuse("${CASE}: has no line \"// expect: <regular expression>\"")
endif()
