# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# Files for pkg-config: `siena`, and `siena-<component>` for each component that is built. They say what the library needs by the
# names that its dependencies have there; paths are relative to the file, so that the package may be moved.
set(siena_pc_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)
file(RELATIVE_PATH siena_pc_to_prefix /${siena_pc_dir} /)
string(REGEX REPLACE "/$" "" siena_pc_to_prefix "${siena_pc_to_prefix}")

# siena_add_pc(siena-audio REQUIRES siena-features sndfile [CFLAGS -D...] [LIBS -l...] DESCRIPTION "...")
function(siena_add_pc siena_pc_name)
  cmake_parse_arguments(siena_pc "" "DESCRIPTION" "REQUIRES;CFLAGS;LIBS" ${ARGN})
  foreach(field IN ITEMS requires cflags libs)
    string(TOUPPER ${field} upper)
    list(JOIN siena_pc_${upper} " " siena_pc_${field})
  endforeach()
  set(siena_pc_description "${siena_pc_DESCRIPTION}")
  configure_file(cmake/siena.pc.in ${PROJECT_BINARY_DIR}/${siena_pc_name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${siena_pc_name}.pc DESTINATION ${siena_pc_dir})
endfunction()

set(openmp)
if(SIENA_OPENMP AND TARGET OpenMP::OpenMP_CXX)
  string(REPLACE ";" " " openmp "${OpenMP_CXX_FLAGS}")
endif()
siena_add_pc(siena REQUIRES fmt xsimd CFLAGS "-I\${includedir}" ${openmp} -pthread LIBS ${openmp} -pthread
             DESCRIPTION "${PROJECT_DESCRIPTION}")
set(siena_pc_of_json REQUIRES siena nlohmann_json DESCRIPTION "reports, tables and weights as files, for siena")
set(siena_pc_of_features REQUIRES siena eigen3 DESCRIPTION "front-ends of sound, for siena")
set(siena_pc_of_audio REQUIRES siena-features sndfile DESCRIPTION "sound files, for siena")
set(siena_pc_of_images REQUIRES siena stb DESCRIPTION "image files, for siena")
if(siena_onnx_proto)
  get_target_property(definitions ${siena_onnx_proto} INTERFACE_COMPILE_DEFINITIONS)
  list(TRANSFORM definitions PREPEND -D)
  set(siena_pc_of_onnx REQUIRES siena-json protobuf CFLAGS ${definitions} LIBS -lonnx_proto
      DESCRIPTION "networks as ONNX files, for siena")
endif()
if(TARGET siena::mpi)
  set(siena_mpi_flags ${MPI_CXX_INCLUDE_DIRS})
  list(TRANSFORM siena_mpi_flags PREPEND -I)
  set(siena_pc_of_mpi REQUIRES siena CFLAGS ${siena_mpi_flags} LIBS ${MPI_CXX_LIBRARIES} DESCRIPTION "ranks of MPI, for siena")
endif()
foreach(component IN LISTS siena_components)
  siena_add_pc(siena-${component} ${siena_pc_of_${component}})
endforeach()
