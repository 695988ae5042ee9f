// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "siena/constraints/bound.hpp"
#include "siena/core/units.hpp"
#include "siena/cost/flash.hpp"
#include "siena/cost/ram.hpp"

namespace siena {

namespace detail {
/// At most so many bytes of a kind that a device has.
template <class Model>
class BytesBound {
 public:
  BytesBound(std::string_view what, Bytes limit, Model model)
      : model_(std::move(model)), limit_(checked_limit(what, model_.name(), limit.value, "B")) {}

  std::string_view name() const { return model_.name(); }
  std::string_view unit() const { return "B"; }
  double limit() const { return limit_; }
  const Model& model() const { return model_; }
  std::string to_string() const { return format("at most {} B, by {}", limit_, text_of(model_)); }

  template <class N>
  N value(const Architecture<N>& network) const {
    return total(model_, network);
  }
  template <class N>
  N violation(const Architecture<N>& network) const {
    return value(network) / limit_ - 1.0;
  }

 private:
  Model model_;
  double limit_;
};
}  // namespace detail

/// What is written into flash as C may take this many bytes at most (see Flash): `FlashBound{64_KiB}`, or
/// `FlashBound{64_KiB, {code_cortex_m}}`.
struct FlashBound : detail::BytesBound<Flash> {
  explicit FlashBound(Bytes limit, Flash model = {}) : BytesBound("FlashBound", limit, std::move(model)) {}
};
static_assert(Bound<FlashBound>);

/// A run of the network as C may take this many bytes of RAM at most (see Ram): `RamBound{32_KiB}`.
struct RamBound : detail::BytesBound<Ram> {
  explicit RamBound(Bytes limit, Ram model = {}) : BytesBound("RamBound", limit, std::move(model)) {}
};
static_assert(Bound<RamBound>);

}  // namespace siena
