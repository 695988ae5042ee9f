# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# Builds examples/firmware around a network and runs it: cmake -DROOT=<project> -DFIRMWARE=<program> -DAT=<folder> -P example.cmake
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${AT})
file(MAKE_DIRECTORY ${AT}/build)
run(${FIRMWARE} ${ROOT} --boards an386 --networks "autoencoder, found" --samples 1 --folder ${AT}/network)
run(${CMAKE_COMMAND} -S ${ROOT}/examples/firmware -B ${AT}/build -DNETWORK=${AT}/network
    -DCMAKE_TOOLCHAIN_FILE=${ROOT}/examples/firmware/arm-none-eabi.cmake)
run(${CMAKE_COMMAND} --build ${AT}/build)
if(NOT said MATCHES "[.]rodata +[0-9]+")
  message(FATAL_ERROR "expected the sizes of the sections, got ${said}")
endif()
file(RENAME ${AT}/network/inputs ${AT}/build/sample.bin)
run(${CMAKE_COMMAND} --build ${AT}/build --target run)
if(NOT said MATCHES "class [0-9]+")
  message(FATAL_ERROR "expected a class, got ${said}")
endif()
run(${CMAKE_COMMAND} -S ${ROOT}/examples/firmware -B ${AT}/benchmark -DNETWORK=${AT}/network -DBENCHMARK=ad01
    -DCMAKE_TOOLCHAIN_FILE=${ROOT}/examples/firmware/arm-none-eabi.cmake)
run(${CMAKE_COMMAND} --build ${AT}/benchmark)
