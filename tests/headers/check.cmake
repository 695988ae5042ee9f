# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# chains.cmake over the headers of tree/: top includes middle includes low; beside includes low; by_itself includes nothing, and
# may stand neither before others nor behind them. With -DHEADERS, over those, which are to be refused.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/chains.cmake)

function(check headers expected)
  list(TRANSFORM headers REPLACE "(.+)" "siena/\\1.hpp")
  siena_header_chains(${CMAKE_CURRENT_LIST_DIR}/tree ${headers})
  set(chains)
  foreach(head IN LISTS siena_chain_heads)
    string(REGEX REPLACE "siena/|[.]hpp" "" chain "${siena_chain_${head}}")
    list(APPEND chains "[${chain}]")
  endforeach()
  if(NOT chains STREQUAL expected)
    message(FATAL_ERROR "chains of ${headers}: expected ${expected}, got ${chains}")
  endif()
endfunction()

if(HEADERS)
  siena_header_chains(${CMAKE_CURRENT_LIST_DIR}/tree ${HEADERS})
  return()
endif()
check("low;middle;top;beside;by_itself" "[low;middle;top];[beside];[by_itself]")
check("by_itself;beside;low" "[low;beside];[by_itself]")
check("top" "[top]")
