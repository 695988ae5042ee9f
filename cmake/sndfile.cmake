# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

# Finds libsndfile as the target SndFile::sndfile, for our own build and for those who use the installed package. Debian's
# package has no files for CMake.
if(NOT TARGET SndFile::sndfile)
  find_package(SndFile CONFIG QUIET)
endif()
if(NOT TARGET SndFile::sndfile)
  find_path(SIENA_SNDFILE_INCLUDE_DIR sndfile.h)
  find_library(SIENA_SNDFILE_LIBRARY sndfile)
  mark_as_advanced(SIENA_SNDFILE_INCLUDE_DIR SIENA_SNDFILE_LIBRARY)
  if(SIENA_SNDFILE_INCLUDE_DIR AND SIENA_SNDFILE_LIBRARY)
    add_library(SndFile::sndfile UNKNOWN IMPORTED GLOBAL)
    set_target_properties(SndFile::sndfile PROPERTIES
      IMPORTED_LOCATION ${SIENA_SNDFILE_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${SIENA_SNDFILE_INCLUDE_DIR})
  endif()
endif()
