# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# A program searches within the flash, RAM and time of a board, by times that were counted there. Linked for the board, what it wrote
# keeps what was promised and takes the time that was predicted; and examples/firmware runs it on the bytes of an image:
# cmake -DROOT=<project> -DPROGRAM=<image_classification> -DTABLE=<latency_table> -DFIRMWARE=<program> -DAT=<folder> -P search.cmake
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${AT})
file(MAKE_DIRECTORY ${AT})
run(${TABLE} ${ROOT} resnet8 ${AT}/table.csv)
run(${PROGRAM} --smoke --quiet --memory none --flash 60% --ram 60% --latency 50% --cost-model ${AT}/table.csv --int8 after
    --c ${AT}/network --c-target cortex-m --report ${AT}/report.json)
file(READ ${AT}/report.json report)
string(JSON feasible GET ${report} feasible)
if(NOT feasible)
  message(FATAL_ERROR "expected a network that keeps its bounds, got ${report}")
endif()
string(JSON count LENGTH ${report} bounds)
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
  string(JSON name GET ${report} bounds ${i} name)
  string(JSON ${name} GET ${report} bounds ${i} value)
endforeach()
run(${FIRMWARE} ${ROOT} --boards an386 --written ${AT}/network --flash ${flash} --ram ${ram} --seconds ${latency})
message("${said}")
run(${CMAKE_COMMAND} -S ${ROOT}/examples/firmware -B ${AT}/build -DNETWORK=${AT}/network -DCMAKE_TOOLCHAIN_FILE=arm-none-eabi.cmake)
run(${CMAKE_COMMAND} --build ${AT}/build)
string(REPEAT "siena " 512 image) # 32 x 32 x 3 bytes
file(WRITE ${AT}/build/sample.bin "${image}")
run(${CMAKE_COMMAND} --build ${AT}/build --target run)
if(NOT said MATCHES "class [0-9]+")
  message(FATAL_ERROR "expected a class, got ${said}")
endif()
file(WRITE ${AT}/build/sample.bin "too short")
execute_process(COMMAND ${CMAKE_COMMAND} --build ${AT}/build --target run RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT failed OR NOT said MATCHES "3072 bytes")
  message(FATAL_ERROR "expected to hear of a sample that is too short, got ${said}")
endif()
