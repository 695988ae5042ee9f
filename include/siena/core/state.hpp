// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/tensor.hpp"

namespace siena {

/// Named values of anything that can be saved and loaded: tensors, numbers and text, under dotted names.
/// `save(State&)` puts them in, `load(const State&)` takes them out and throws FormatError for what is missing or does not fit.
class State {
 public:
  using Value = std::variant<Tensor, double, std::int64_t, std::string>;

  void put(const std::string& name, Value value) {
    require<ArgumentError>(values_.emplace(name, std::move(value)).second, "State: '{}' was saved twice", name);
  }
  /// All values of another state, under names that begin with `prefix`.
  void put_all(const std::string& prefix, const State& other) {
    for (const auto& [name, value] : other.values()) put(prefix + name, value);
  }
  /// The values whose names begin with `prefix`, by the rest of their names.
  State under(const std::string& prefix) const {
    State part;
    for (auto at = values_.lower_bound(prefix); at != values_.end() && at->first.starts_with(prefix); ++at) {
      part.put(at->first.substr(prefix.size()), at->second);
    }
    return part;
  }
  bool contains(const std::string& name) const { return values_.contains(name); }

  template <class T>
  const T& get(const std::string& name) const {
    const auto found = values_.find(name);
    require<FormatError>(found != values_.end(),
                         "State: expected a value named '{}', got none; was this saved by another program?", name);
    const T* value = std::get_if<T>(&found->second);
    require<FormatError>(value != nullptr, "State: '{}' holds another type of value than the one expected", name);
    return *value;
  }
  /// The tensor of a name, checked against the shape that its owner needs.
  const Tensor& tensor(const std::string& name, const Shape& shape) const {
    const Tensor& value = get<Tensor>(name);
    require<FormatError>(value.shape() == shape, "State: expected '{}' of shape {}, got {}", name, shape, value.shape());
    return value;
  }
  const std::map<std::string, Value>& values() const { return values_; }

 private:
  std::map<std::string, Value> values_;
};

/// Can be saved into a State and restored from it: `thing.save(state, prefix)`, `thing.load(state, prefix)`.
template <class T>
concept Stateful = requires(T& thing, const T& constant, State& out, const State& in, const std::string& prefix) {
  constant.save(out, prefix);
  thing.load(in, prefix);
};

/// Says all of itself in a text, every option that matters: by that a checkpoint is recognised as one of the same.
template <class T>
concept Described = requires(const T& thing) {
  { thing.to_string() } -> std::convertible_to<std::string>;
};

}  // namespace siena
