# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# SIENA_SANITIZE="address;undefined" or "thread": for our own programs; link PRIVATE. Any finding ends the program.
add_library(siena_sanitizers INTERFACE)
if(SIENA_SANITIZE)
  list(JOIN SIENA_SANITIZE "," siena_sanitizer_names)
  target_compile_options(siena_sanitizers INTERFACE
    -fsanitize=${siena_sanitizer_names} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(siena_sanitizers INTERFACE -fsanitize=${siena_sanitizer_names})
endif()
