// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::json (nlohmann-json): layers in files. Not part of the umbrella header.

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/attributes_json.hpp"
#include "siena/nn/layers.hpp"
#include "siena/space/activation_bits.hpp"
#include "siena/space/bits.hpp"
#include "siena/space/resolution.hpp"

namespace siena {

template <>
struct JsonForm<Size2> {
  static nlohmann::json write(const Size2& size) { return {size.height, size.width}; }
  static void read(const nlohmann::json& json, Size2& size, const std::string& where) {
    whole_numbers_from_json(json, {&size.height, &size.width}, where, "[height, width]");
  }
};
template <>
struct JsonForm<WeightBits> {
  static nlohmann::json write(const WeightBits& bits) {
    if (bits.differ()) return bits.list();
    return bits[0];
  }
  static void read(const nlohmann::json& json, WeightBits& bits, const std::string& where) {
    require<FormatError>(json.is_number_integer() || json.is_array(),
                         "{}: expected bits of all weights, or a list with those of each output, got {}", where,
                         json_excerpt(json));
    std::vector<int> list;
    for (const nlohmann::json& each : json.is_array() ? json : nlohmann::json::array({json}))
      list.push_back(static_cast<int>(whole_number_from_json(each, where, 0, 8)));
    bits = std::move(list);
  }
};
template <>
struct JsonForm<ImagePadding> {
  static nlohmann::json write(const ImagePadding& p) {
    return p.is_same ? nlohmann::json("same") : nlohmann::json{p.top, p.bottom, p.left, p.right};
  }
  static void read(const nlohmann::json& json, ImagePadding& p, const std::string& where) {
    p = json == "same" ? ImagePadding(same) : ImagePadding(0);
    if (p.is_same) return;
    whole_numbers_from_json(json, {&p.top, &p.bottom, &p.left, &p.right}, where, "\"same\" or [top, bottom, left, right]");
  }
};
template <>
struct JsonForm<TimePadding> {
  static nlohmann::json write(const TimePadding& p) {
    if (p.is_same || p.is_causal) return p.is_same ? "same" : "causal";
    return {p.before, p.after};
  }
  static void read(const nlohmann::json& json, TimePadding& p, const std::string& where) {
    p = json == "same" ? TimePadding(same) : json == "causal" ? TimePadding(causal) : TimePadding(0);
    if (p.is_same || p.is_causal) return;
    whole_numbers_from_json(json, {&p.before, &p.after}, where, "\"same\", \"causal\" or [before, after]");
  }
};

}  // namespace siena

namespace siena::deploy {

/// A layer as a file holds it: the name of its type and its options.
struct LayerJson {
  std::string type;
  nlohmann::json options;
};

/// The layers, and the axes along which they may vary, that files of networks may hold: siena's own, and those of users that
/// were added, under the names that files know them by: `LayerRegistry().add<Swish>("swish")`.
class LayerRegistry {
 public:
  /// A layer of one's own, which names its options (HasAttributes).
  template <class L>
  LayerRegistry& add(std::string type) {
    static_assert(!BuiltInLayer<L>, "siena: files know siena's own layers already");
    require_attributes<L>();
    if constexpr (HasAttributes<L>) {
      Entry entry{[](const Custom& layer, const std::string& where) -> std::optional<nlohmann::json> {
                    const L* known = layer.get_if<L>();
                    return known != nullptr ? std::optional(option_to_json(*known, where)) : std::nullopt;
                  },
                  [](const nlohmann::json& options, const std::string& where) {
                    L layer{};
                    option_from_json(options, layer, where);
                    return Layer(Custom(std::move(layer)));
                  }};
      require<ArgumentError>(!built_in(type) && entries_.emplace(type, std::move(entry)).second,
                             "LayerRegistry: expected a name of its own for every layer, got '{}' again", type);
    }
    return *this;
  }

  /// An axis of one's own along which layers may vary, under the name that it has.
  template <AxisSpec S>
  LayerRegistry& add_axis() {
    require<ArgumentError>(find_axis(S::name) == nullptr,
                           "LayerRegistry: expected a name of its own for every axis, got '{}' again", S::name);
    axes_.emplace_back(S{});
    return *this;
  }

  /// The axis of a name with its default options. Throws FormatError, which begins with `where`, for one that was not added.
  AnyAxisSpec axis(std::string_view name, const std::string& where) const {
    std::string known;
    for (const AnyAxisSpec& axis : axes_) known += (known.empty() ? "" : ", ") + std::string(axis.name());
    const AnyAxisSpec* found = find_axis(name);
    require<FormatError>(found != nullptr,
                         "{}: expected no axes but {} and those that were added to the LayerRegistry, got '{}'; was this "
                         "written by a newer siena?",
                         where, known, name);
    return *found;
  }

  /// Throws ArgumentError, which begins with `where`, for a layer of a user that was not added.
  LayerJson to_json(const Layer& layer, const std::string& where) const {
    if (const auto* custom = layer.get_if<Custom>()) {
      for (const auto& [type, entry] : entries_) {
        if (std::optional<nlohmann::json> options = entry.write(*custom, where)) return {type, std::move(*options)};
      }
      fail<ArgumentError>("{}: expected a layer that files know, got '{}', which is none of siena's; add it to a LayerRegistry",
                          where, custom->kind());
    }
    return visit_layer(
        [&]<class L>(const L& own) -> LayerJson {
          if constexpr (std::is_same_v<L, Custom>) {
            return {};
          } else {
            return {std::string(own.kind()), option_to_json(own, where)};
          }
        },
        layer);
  }

  /// Throws FormatError, which begins with `where`, for a type that was not added, and for options that it does not have.
  Layer from_json(const LayerJson& json, const std::string& where) const {
    if (const std::optional<Layer> layer = built_in(json.type)) {
      return altered(*layer, [&]<class L>(L& own) {
        if constexpr (!std::is_same_v<L, Custom>) option_from_json(json.options, own, where);
      });
    }
    const auto found = entries_.find(json.type);
    require<FormatError>(
        found != entries_.end(),
        "{}: expected a layer of siena's or one that was added to the LayerRegistry, got '{}'; was this written "
        "by a newer siena?",
        where, json.type);
    return found->second.read(json.options, where);
  }

 private:
  struct Entry {
    std::function<std::optional<nlohmann::json>(const Custom&, const std::string&)> write;
    std::function<Layer(const nlohmann::json&, const std::string&)> read;
  };

  /// The layer of siena's own with its default options.
  static std::optional<Layer> built_in(std::string_view type) { return built_in(type, BuiltInLayers{}); }
  template <class... Ls>
  static std::optional<Layer> built_in(std::string_view type, siena::detail::LayerList<Ls...>) {
    std::optional<Layer> found;
    const auto attempt = [&]<class L>(const L* /*type*/) {
      if constexpr (!std::is_same_v<L, Custom>) {
        if (L{}.kind() == type) found = L{};
      }
    };
    (attempt(static_cast<const Ls*>(nullptr)), ...);
    return found;
  }

  const AnyAxisSpec* find_axis(std::string_view name) const {
    const auto found = std::find_if(axes_.begin(), axes_.end(), [&](const AnyAxisSpec& axis) { return axis.name() == name; });
    return found == axes_.end() ? nullptr : &*found;
  }

  std::map<std::string, Entry> entries_;
  std::vector<AnyAxisSpec> axes_{Channels{}, ReceptiveField{}, Dilation{}, Resolution{}, Bits{}, ActivationBits{}};
};

}  // namespace siena::deploy
