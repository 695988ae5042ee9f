// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "siena/core/file.hpp"
#include "siena/deploy/c/options.hpp"
#include "siena/deploy/c/writer.hpp"
#include "siena/deploy/integer/network.hpp"

namespace siena::deploy {

/// What `c_source` writes, for those who have plans of their own with it.
inline CSource c_text(const IntegerNetwork& network, const CSourceOptions& options = {}) {
  return c::Writer(network, options).write();
}

/// Writes a network as C into a folder: name.h and name.c, both or neither. It computes what `simulate` does, to the last
/// bit. C99 (and C++) of integers alone, without malloc, recursion, pointers to functions, or any of the library but memcpy
/// and memset; all that it changes lies in a context that the caller has, so that threads and networks do not disturb one
/// another. The same network gives the same bytes. The header says how it is used. Throws ArgumentError or ShapeError for a
/// preparation of other inputs or a name without a letter, and DataError where a file cannot be written.
inline CSource c_source(const IntegerNetwork& network, const std::filesystem::path& folder,
                        const CSourceOptions& options = {}) {
  CSource source = c_text(network, options);
  write_pair_atomically({folder / (source.name + ".h"), source.header}, {folder / (source.name + ".c"), source.code});
  return source;
}

}  // namespace siena::deploy
