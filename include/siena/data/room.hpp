// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/shape.hpp"

namespace siena::data {

/// Zeros for `count` samples of a shape. Throws DataError, in the name of `reader`, where no machine, or not this one, has
/// memory for as many.
template <class T>
std::vector<T> room_for(std::int64_t count, const Shape& shape, std::string_view reader) {
  require<ArgumentError>(count >= 0, "{}: expected 0 samples or more, got {}", reader, count);
  const std::int64_t each = shape.elements();
  try {
    if (each > 0 && count > Shape::most_elements / each) throw std::bad_alloc();
    return std::vector<T>(static_cast<std::size_t>(count * each));
  } catch (const std::bad_alloc&) {
    fail<DataError>("{}: expected memory for {} samples of {} ({} bytes a value), got none; make them fewer or smaller", reader,
                    count, shape, sizeof(T));
  }
}

}  // namespace siena::data
