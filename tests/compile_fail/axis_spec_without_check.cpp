// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: what may vary in a layer is an axis such as Channels.*: it needs `static constexpr std::string_view name`
#include <string_view>

#include "siena/space/searchable.hpp"

struct Mine {
  static constexpr std::string_view name = "mine";
  static void attributes(auto&, auto&&) {}
#ifdef CONTROL
  void check(const siena::Layer&, std::string_view) const {}
#endif
};

siena::Flow add(const siena::Flow& x) { return x | siena::Searchable{siena::Relu{}, Mine{}}; }
