# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# siena_split_headers(json "<nlohmann/" ...) sorts the headers of the library by what they need: siena_json_headers gets those
# whose includes match <nlohmann/...>, directly or through another header of ours, and so on; siena_headers gets all the rest.
function(siena_split_headers)
  set(root ${PROJECT_SOURCE_DIR}/include)
  file(GLOB_RECURSE core CONFIGURE_DEPENDS ${root}/siena/*.hpp ${root}/siena/*.h)

  foreach(header IN LISTS core)
    file(STRINGS ${header} "includes_${header}" REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
  endforeach()
  set(pairs ${ARGN})
  while(pairs)
    list(POP_FRONT pairs component marks)
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
    set(siena_${component}_headers "${found}" PARENT_SCOPE)
  endwhile()
  set(siena_headers "${core}" PARENT_SCOPE)
endfunction()

# Adds the target siena::<name>: its headers, the library, and what else is named.
macro(siena_add_component name)
  add_library(siena_${name} INTERFACE)
  add_library(siena::${name} ALIAS siena_${name})
  target_sources(siena_${name} INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${siena_${name}_headers})
  target_link_libraries(siena_${name} INTERFACE siena ${ARGN})
  list(APPEND siena_components ${name})
endmacro()
