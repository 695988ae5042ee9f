# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# Finds xsimd, for our own build and for those who use the installed package. Debian's libxsimd-dev 8.1 tells the linker to
# link "xtl", which is neither a library nor installed with it: take it out where no such target exists.
if(NOT TARGET xsimd)
  find_package(xsimd QUIET)
endif()
if(TARGET xsimd)
  get_target_property(siena_xsimd_links xsimd INTERFACE_LINK_LIBRARIES)
  if("xtl" IN_LIST siena_xsimd_links AND NOT TARGET xtl)
    list(REMOVE_ITEM siena_xsimd_links xtl)
    set_target_properties(xsimd PROPERTIES INTERFACE_LINK_LIBRARIES "${siena_xsimd_links}")
  endif()
endif()
