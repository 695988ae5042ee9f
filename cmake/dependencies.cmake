# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# A parent project may bring a dependency itself: whatever target exists already is used as it is.
macro(siena_require target package minimum debian_package)
  if(NOT TARGET ${target})
    find_package(${package} QUIET)
  endif()
  if(NOT TARGET ${target})
    message(FATAL_ERROR "siena needs ${package} ${minimum} or newer, and CMake finds none. "
                        "Debian and Ubuntu: apt-get install ${debian_package}. Elsewhere: add its prefix to CMAKE_PREFIX_PATH.")
  elseif(${package}_VERSION AND ${package}_VERSION VERSION_LESS ${minimum})
    message(FATAL_ERROR "siena needs ${package} ${minimum} or newer, found ${${package}_VERSION} in ${${package}_DIR}")
  endif()
endmacro()

include(${CMAKE_CURRENT_LIST_DIR}/xsimd.cmake)
siena_require(xsimd xsimd 8.1 libxsimd-dev)
siena_require(fmt::fmt fmt 9.1 libfmt-dev)
find_package(Threads REQUIRED)

if(SIENA_OPENMP AND NOT TARGET OpenMP::OpenMP_CXX)
  find_package(OpenMP QUIET COMPONENTS CXX)
endif()

# Only where it is asked for: the component siena::mpi. Its C functions are all that is called.
if(SIENA_MPI AND NOT TARGET MPI::MPI_CXX)
  set(MPI_CXX_SKIP_MPICXX TRUE)
  find_package(MPI COMPONENTS CXX)
  if(NOT TARGET MPI::MPI_CXX)
    message(FATAL_ERROR "SIENA_MPI needs MPI, and CMake finds none. "
                        "Debian and Ubuntu: apt-get install libopenmpi-dev openmpi-bin, or libmpich-dev mpich.")
  endif()
endif()

# Optional: the component siena::json.
if(TARGET nlohmann_json::nlohmann_json)
  set(nlohmann_json_FOUND TRUE)
else()
  find_package(nlohmann_json 3.11 QUIET)
endif()

# Optional: the component siena::features.
if(NOT TARGET Eigen3::Eigen)
  find_package(Eigen3 3.4 QUIET)
endif()

# Optional: the components siena::audio and siena::images.
include(${CMAKE_CURRENT_LIST_DIR}/sndfile.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/stb.cmake)

# Optional: the component siena::onnx.
include(${CMAKE_CURRENT_LIST_DIR}/onnx.cmake)
