// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace siena {

/// What a caller can get wrong. Every message reads "where: expected ..., got ...; hint".
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Tensors, layers or networks whose sizes do not fit together.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// Data that is missing, out of range or not a number.
class DataError : public Error {
 public:
  using Error::Error;
};

/// A file that is not what it should be: truncated, oversized, of another format or version.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// A bound that no architecture can keep, or that is no bound at all.
class ConstraintError : public Error {
 public:
  using Error::Error;
};

/// An argument or option out of its range.
class ArgumentError : public Error {
 public:
  using Error::Error;
};

/// Throws `E` with a formatted message: `fail<ShapeError>("Linear: expected {} features, got {}", 4, 5)`.
template <class E, class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw E(fmt::format(format, std::forward<Args>(args)...));
}

/// Throws `E` unless `condition` holds; the arguments are formatted only then.
template <class E, class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) fail<E>(format, std::forward<Args>(args)...);
}

using fmt::format;

}  // namespace siena
