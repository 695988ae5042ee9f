# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# Finds ONNX's protobuf classes, for our own build and for those who use the installed package, and sets siena_onnx_proto to
# their target ("" where there is none) and siena_onnx_checker to that of ONNX's checker. Newer versions put ONNX:: in front.
if(NOT TARGET onnx AND NOT TARGET ONNX::onnx)
  find_package(Protobuf QUIET)  # ONNX's own files do not look for it
  if(TARGET protobuf::libprotobuf)
    find_package(ONNX CONFIG QUIET)
  endif()
endif()
set(siena_onnx_proto)
set(siena_onnx_checker)
foreach(prefix IN ITEMS "ONNX::" "")
  if(TARGET ${prefix}onnx_proto AND TARGET ${prefix}onnx)
    set(siena_onnx_proto ${prefix}onnx_proto)
    set(siena_onnx_checker ${prefix}onnx)
  endif()
endforeach()
