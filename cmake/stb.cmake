# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# Finds stb as the target stb::stb, for our own build and for those who use the installed package. Debian compiles its
# functions into a library; where there are only headers, compile them (#define STB_IMAGE_IMPLEMENTATION) and make the target.
if(NOT TARGET stb::stb)
  find_path(SIENA_STB_INCLUDE_DIR stb/stb_image.h)
  find_library(SIENA_STB_LIBRARY stb)
  mark_as_advanced(SIENA_STB_INCLUDE_DIR SIENA_STB_LIBRARY)
  if(SIENA_STB_INCLUDE_DIR AND SIENA_STB_LIBRARY)
    add_library(stb::stb UNKNOWN IMPORTED GLOBAL)
    set_target_properties(stb::stb PROPERTIES
      IMPORTED_LOCATION ${SIENA_STB_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${SIENA_STB_INCLUDE_DIR})
  endif()
endif()
