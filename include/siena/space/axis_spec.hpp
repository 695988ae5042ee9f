// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <any>
#include <concepts>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/attributes.hpp"
#include "siena/nn/graph.hpp"
#include "siena/nn/layers.hpp"

namespace siena {

/// What is said of one layer: that it may vary along an axis, and how far, such as `Channels{.minimum = 4}`. Its name is that
/// in files; `check` throws ArgumentError, with `where` in front, for a layer that does not have this axis. May have
/// `template <class L> static constexpr void require_layer()`, which does not compile, with a sentence, for types of layers
/// that cannot have it, `static void check_input(const SearchAxes&, const Layer&, const Shape& input, where)`, and, where its
/// axis is none of those that every space has, a type `Axis`, which is made for networks with such a layer.
template <class S>
concept AxisSpec = HasAttributes<S> && std::copyable<S> && requires(const S& spec, const Layer& layer, std::string_view where) {
  { S::name } -> std::convertible_to<std::string_view>;
  spec.check(layer, where);
};

class SearchAxes;
class AxisHooks;
class Network;
struct SpaceOptions;
template <class A>
std::shared_ptr<const AxisHooks> install_axis(Network& network, const SpaceOptions& options);

/// One of any type.
class AnyAxisSpec {
 public:
  AnyAxisSpec() = default;
  template <class S>
  requires(!std::same_as<S, AnyAxisSpec> && AxisSpec<S>) AnyAxisSpec(S spec)  // NOLINT(google-explicit-constructor)
      : value_(std::move(spec)), functions_(&functions_of<S>) {}

  std::string_view name() const { return functions_->name; }
  template <AxisSpec S>
  const S* as() const {
    return std::any_cast<S>(&value_);
  }
  void check(const Layer& layer, std::string_view where) const { functions_->check(value_, layer, where); }
  void check_input(const SearchAxes& all, const Layer& layer, const Shape& input, std::string_view where) const {
    functions_->check_input(all, layer, input, where);
  }
  static void attributes(auto& self, auto&& visit) {
    if (self.functions_ == nullptr) return;
    std::any copy = self.value_;
    self.functions_->visit(copy, ForwardTo<std::remove_reference_t<decltype(visit)>>(visit));
    if constexpr (!std::is_const_v<std::remove_reference_t<decltype(self)>>) self.value_ = std::move(copy);
  }

  /// Makes the axis of such layers for a network; null where every space has it.
  using Install = std::shared_ptr<const AxisHooks> (*)(Network&, const SpaceOptions&);
  Install install() const { return functions_->install; }
  int order() const { return functions_->order; }

 private:
  class Visitor {
   public:
    virtual ~Visitor() = default;
    virtual void operator()(std::string_view name, bool& option) const = 0;
    virtual void operator()(std::string_view name, int& option) const = 0;
    virtual void operator()(std::string_view name, double& option) const = 0;
    virtual void operator()(std::string_view name, std::vector<int>& option) const = 0;
  };
  template <class Visit>
  class ForwardTo final : public Visitor {
   public:
    explicit ForwardTo(Visit& visit) : visit_(visit) {}
    void operator()(std::string_view name, bool& option) const override { visit_(name, option); }
    void operator()(std::string_view name, int& option) const override { visit_(name, option); }
    void operator()(std::string_view name, double& option) const override { visit_(name, option); }
    void operator()(std::string_view name, std::vector<int>& option) const override { visit_(name, option); }

   private:
    Visit& visit_;
  };
  struct Functions {
    std::string_view name;
    void (*check)(const std::any&, const Layer&, std::string_view);
    void (*check_input)(const SearchAxes&, const Layer&, const Shape&, std::string_view);
    void (*visit)(std::any&, const Visitor&);
    Install install;
    int order;
  };
  template <class S>
  static constexpr Install install_of() {
    if constexpr (requires { typename S::Axis; }) return &install_axis<typename S::Axis>;
    return nullptr;
  }
  template <class S>
  static constexpr int order_of() {
    if constexpr (requires { typename S::Axis; }) {
      static_assert(sizeof(typename S::Axis) > 0, "siena: an axis is complete where a layer is given it");
      if constexpr (requires { S::Axis::order; }) return S::Axis::order;  // else install_axis says what it lacks
    }
    return 0;
  }
  template <class S>
  static constexpr Functions functions_of{
      S::name,
      [](const std::any& value, const Layer& layer, std::string_view where) {
        std::any_cast<const S&>(value).check(layer, where);
      },
      [](const SearchAxes& all, const Layer& layer, const Shape& input, std::string_view where) {
        if constexpr (requires { S::check_input(all, layer, input, where); }) S::check_input(all, layer, input, where);
      },
      [](std::any& value, const Visitor& visit) { S::attributes(std::any_cast<S&>(value), visit); },
      install_of<S>(),
      order_of<S>()};

  std::any value_;
  const Functions* functions_ = nullptr;
};

/// What may vary in one layer: the decoration that Searchable puts on a node.
class SearchAxes {
 public:
  /// Instead of one of the same name.
  void set(AnyAxisSpec spec) {
    drop(spec.name());
    specs_.push_back(std::move(spec));
  }
  void drop(std::string_view name) {
    std::erase_if(specs_, [&](const AnyAxisSpec& spec) { return spec.name() == name; });
  }
  template <AxisSpec S>
  const S* find() const {
    for (const AnyAxisSpec& spec : specs_) {
      if (const S* found = spec.as<S>()) return found;
    }
    return nullptr;
  }
  auto begin() const { return specs_.begin(); }
  auto end() const { return specs_.end(); }

  /// Throws ArgumentError, with `where` in front, for an axis that a layer does not have.
  void check(const Layer& layer, std::string_view where) const {
    for (const AnyAxisSpec& spec : specs_) spec.check(layer, where);
  }
  /// The same where nothing can vary because of the layer's input. What a search has made of a layer is not asked: there
  /// nothing may be left to go.
  void check_input(const Layer& layer, const Shape& input, std::string_view where) const {
    for (const AnyAxisSpec& spec : specs_) spec.check_input(*this, layer, input, where);
  }

 private:
  std::vector<AnyAxisSpec> specs_;
};

/// What is said of a node to vary along an axis of this kind, null where nothing is.
template <AxisSpec S>
const S* spec_of(const Decoration& decoration) {
  const auto* axes = std::any_cast<SearchAxes>(&decoration);
  return axes != nullptr ? axes->find<S>() : nullptr;
}

}  // namespace siena
