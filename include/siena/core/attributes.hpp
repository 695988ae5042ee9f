// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string_view>

namespace siena {

namespace detail {
struct AnyAttribute {
  template <class Field>
  void operator()(std::string_view, Field&) const {}
};
}  // namespace detail

/// A type that names its options in one place: a static function template `attributes(auto& self, auto&& visit)` that calls
/// `visit("name", self.name)` for each of them, whether self is const or not. Files of networks are written, read and compared
/// by these names: a name that is changed is another option.
template <class T>
concept HasAttributes = std::default_initializable<T> &&
    requires(T& self, const T& constant, const detail::AnyAttribute& visit) {
  T::attributes(self, visit);
  T::attributes(constant, visit);
};

/// Fails to compile, with a sentence, for a layer that does not name its options.
template <class L>
constexpr void require_attributes() {
  static_assert(HasAttributes<L>,
                "siena: a layer that is kept in files can be made by default and names its options in one place, `static void "
                "attributes(auto& self, auto&& visit)`, which calls `visit(\"out\", self.out)` for each of them; one without "
                "options leaves it empty");
}

}  // namespace siena
