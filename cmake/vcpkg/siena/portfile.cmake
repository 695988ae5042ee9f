# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# vcpkg install siena --overlay-ports=cmake/vcpkg   (docs/guides/install.md)
set(VCPKG_BUILD_TYPE release)  # headers
vcpkg_cmake_configure(SOURCE_PATH "${CURRENT_PORT_DIR}/../../.."
  OPTIONS -DSIENA_INSTALL=ON -DSIENA_BUILD_TESTS=OFF -DSIENA_BUILD_EXAMPLES=OFF -DSIENA_BUILD_BENCHMARKS=OFF -DSIENA_NATIVE=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/siena)
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${CURRENT_PORT_DIR}/../../../LICENSE")
