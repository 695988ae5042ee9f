# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# The headers of these packages, which the cross compiler finds in /usr/include, serve any processor; what Debian installs for
# CMake, and the library of {fmt}, are for the one that compiles.
add_library(xsimd INTERFACE IMPORTED GLOBAL)
add_library(fmt::fmt INTERFACE IMPORTED GLOBAL)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
