# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

include(CMakePackageConfigHelpers)
set(siena_config_dir ${CMAKE_INSTALL_DATADIR}/cmake/siena)

# One export set for the library and one for each component, so that the package can offer what the user's machine has.
set_target_properties(siena_kernels PROPERTIES EXPORT_NAME kernels)
install(TARGETS siena siena_kernels EXPORT sienaTargets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES cmake/kernels.cpp DESTINATION ${siena_kernels_install_dir})
set(siena_export_sets sienaTargets)
foreach(component IN LISTS siena_components)
  set_target_properties(siena_${component} PROPERTIES EXPORT_NAME ${component})
  install(TARGETS siena_${component} EXPORT siena_${component}_targets
          FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  list(APPEND siena_export_sets siena_${component}_targets)
endforeach()

foreach(set IN LISTS siena_export_sets)
  install(EXPORT ${set} NAMESPACE siena:: DESTINATION ${siena_config_dir})
  export(EXPORT ${set} NAMESPACE siena:: FILE ${PROJECT_BINARY_DIR}/${set}.cmake)
endforeach()

configure_package_config_file(cmake/sienaConfig.cmake.in ${PROJECT_BINARY_DIR}/sienaConfig.cmake
                              INSTALL_DESTINATION ${siena_config_dir})
# Header-only: nothing in the package depends on the width of a pointer.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/sienaConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/sienaConfig.cmake ${PROJECT_BINARY_DIR}/sienaConfigVersion.cmake
              cmake/xsimd.cmake cmake/sndfile.cmake cmake/stb.cmake cmake/onnx.cmake
        DESTINATION ${siena_config_dir})
foreach(finder xsimd sndfile stb onnx)  # for find_package in the build tree
  configure_file(cmake/${finder}.cmake ${PROJECT_BINARY_DIR}/${finder}.cmake COPYONLY)
endforeach()
include(cmake/pkg_config.cmake)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
