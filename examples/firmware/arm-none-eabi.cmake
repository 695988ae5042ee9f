# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# CMake's toolchain file for Cortex-M: -DCMAKE_TOOLCHAIN_FILE=arm-none-eabi.cmake, with -DCPU=... for others than the M4.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CPU)
set(CPU cortex-m4 CACHE STRING "cortex-m4, cortex-m7, cortex-m55, ...")
set(CMAKE_C_FLAGS_INIT "-mcpu=${CPU} -mthumb -mfloat-abi=hard -ffunction-sections -fdata-sections")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles --specs=nano.specs -Wl,--gc-sections")
