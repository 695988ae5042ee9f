# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# Sorts the headers of the library by what they need: out_json gets those that reach <nlohmann/...>, directly or through
# another header of ours, out_mpi those that reach <mpi.h>, out_core all the rest.
function(siena_split_headers out_core out_json out_mpi)
  set(root ${PROJECT_SOURCE_DIR}/include)
  file(GLOB_RECURSE core CONFIGURE_DEPENDS ${root}/siena/*.hpp)

  foreach(header IN LISTS core)
    file(STRINGS ${header} "includes_${header}" REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
  endforeach()
  foreach(component json mpi)
    set(marks "<nlohmann/")
    if(component STREQUAL mpi)
      set(marks "<mpi[.]h>")
    endif()
    set(found)
    set(grown TRUE)
    while(grown)
      set(grown FALSE)
      foreach(header IN LISTS core)
        if("${includes_${header}}" MATCHES "${marks}")
          list(APPEND found ${header})
          list(REMOVE_ITEM core ${header})
          file(RELATIVE_PATH name ${root} ${header})
          string(REPLACE "." "[.]" name ${name})
          string(APPEND marks "|[<\"]${name}[>\"]")
          set(grown TRUE)
          # Its includes decide where it belongs: look again when they change.
          set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
        endif()
      endforeach()
    endwhile()
    set(${out_${component}} "${found}" PARENT_SCOPE)
  endforeach()
  set(${out_core} "${core}" PARENT_SCOPE)
endfunction()
