// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "siena/core/error.hpp"
#include "siena/nn/custom.hpp"
#include "siena/nn/layers/activation.hpp"
#include "siena/nn/layers/batch_norm.hpp"
#include "siena/nn/layers/channel_shuffle.hpp"
#include "siena/nn/layers/conv1d.hpp"
#include "siena/nn/layers/conv2d.hpp"
#include "siena/nn/layers/fake_quantize.hpp"
#include "siena/nn/layers/group_norm.hpp"
#include "siena/nn/layers/linear.hpp"
#include "siena/nn/layers/mixture.hpp"
#include "siena/nn/layers/pool.hpp"
#include "siena/nn/layers/rearrange.hpp"
#include "siena/nn/layers/structure.hpp"

namespace siena {

namespace detail {
template <class... Ls>
struct LayerList {
  static constexpr int size = sizeof...(Ls);
  /// The place of L in the list; its size where it is not there.
  template <class L>
  static constexpr int place = [] {
    int place = 0;
    static_cast<void>(((std::is_same_v<L, Ls> || (++place, false)) || ...));
    return place;
  }();
  /// Layer I of the list, or the last one.
  template <int I>
  using At = std::tuple_element_t<(I < size ? I : size - 1), std::tuple<Ls...>>;
};
}  // namespace detail

/// Every layer that a network can hold. Each says everything of itself (see layer_hooks.hpp), or does not compile: to add one
/// is to write its header and to name it here. Layers of users come in as Custom.
using BuiltInLayers = detail::LayerList<Input, Conv2d, Linear, BatchNorm, Relu, PRelu, Sigmoid, Tanh, Dropout, MaxPool, AvgPool,
                                        GlobalAvgPool, Flatten, Add, Concat, Mixture, Conv1d, Multiply, HardSigmoid, HardSwish,
                                        Clip, LeakyRelu, Upsample, Pad, Slice, Custom, GroupNorm, ChannelShuffle, FakeQuantize>;

namespace detail {
template <class L>
consteval bool says_all() {
  if constexpr (!std::is_same_v<L, Custom>) require_hooks<L>();
  require_lowering<L>();
  return true;
}
template <class... Ls>
consteval bool say_all(LayerList<Ls...>) {
  return (says_all<Ls>() && ...);
}
static_assert(say_all(BuiltInLayers{}));
}  // namespace detail

/// One of siena's own layers.
template <class L>
concept BuiltInLayer = BuiltInLayers::place<L> < BuiltInLayers::size;

/// Any layer. Copies share what they hold, which never changes: to change a layer is to assign another one.
class Layer {
 public:
  template <BuiltInLayer L>
  Layer(L layer) : held_(static_cast<const Held*>(new Holds<L>(std::move(layer)))), place_(BuiltInLayers::place<L>) {}

  /// Which of the BuiltInLayers it is.
  int index() const { return place_; }
  template <BuiltInLayer L>
  bool is() const {
    return place_ == BuiltInLayers::place<L>;
  }
  /// What it holds where that is an L, else null.
  template <BuiltInLayer L>
  const L* get_if() const {
    return is<L>() ? &static_cast<const Holds<L>&>(*held_).layer : nullptr;
  }
  /// ArgumentError where it does not hold an L.
  template <BuiltInLayer L>
  const L& get() const {
    const L* layer = get_if<L>();
    if constexpr (std::is_default_constructible_v<L>) {
      if (layer == nullptr) refuse(L{}.kind());
    } else {
      if (layer == nullptr) refuse("a custom layer");
    }
    return *layer;
  }

 private:
  template <class F>
  friend decltype(auto) visit_layer(F&& f, const Layer& layer);

  struct Held {
    virtual ~Held() = default;
  };
  template <class L>
  struct Holds final : Held {
    explicit Holds(L its_layer) : layer(std::move(its_layer)) {}
    const L layer;
  };

  template <int I>
  const auto& at() const {
    return static_cast<const Holds<BuiltInLayers::At<I>>&>(*held_).layer;
  }
  [[noreturn]] void refuse(std::string_view expected) const;

  std::shared_ptr<const Held> held_;
  int place_;
};

/// f(what the layer holds); a switch costs the compiler less than a table of functions.
template <class F>
decltype(auto) visit_layer(F&& f, const Layer& layer) {
  static_assert(BuiltInLayers::size <= 32, "a case for every layer");
  switch (layer.index()) {
    case 0:
      return f(layer.at<0>());
    case 1:
      return f(layer.at<1>());
    case 2:
      return f(layer.at<2>());
    case 3:
      return f(layer.at<3>());
    case 4:
      return f(layer.at<4>());
    case 5:
      return f(layer.at<5>());
    case 6:
      return f(layer.at<6>());
    case 7:
      return f(layer.at<7>());
    case 8:
      return f(layer.at<8>());
    case 9:
      return f(layer.at<9>());
    case 10:
      return f(layer.at<10>());
    case 11:
      return f(layer.at<11>());
    case 12:
      return f(layer.at<12>());
    case 13:
      return f(layer.at<13>());
    case 14:
      return f(layer.at<14>());
    case 15:
      return f(layer.at<15>());
    case 16:
      return f(layer.at<16>());
    case 17:
      return f(layer.at<17>());
    case 18:
      return f(layer.at<18>());
    case 19:
      return f(layer.at<19>());
    case 20:
      return f(layer.at<20>());
    case 21:
      return f(layer.at<21>());
    case 22:
      return f(layer.at<22>());
    case 23:
      return f(layer.at<23>());
    case 24:
      return f(layer.at<24>());
    case 25:
      return f(layer.at<25>());
    case 26:
      return f(layer.at<26>());
    case 27:
      return f(layer.at<27>());
    case 28:
      return f(layer.at<28>());
    case 29:
      return f(layer.at<29>());
    case 30:
      return f(layer.at<30>());
    default:
      return f(layer.at<31>());
  }
}

/// The layer after f has changed what it holds, as in `altered(layer, [](auto& own) { ... })`.
template <class F>
Layer altered(const Layer& layer, F&& f) {
  return visit_layer(
      [&]<class L>(L own) {
        f(own);
        return Layer(std::move(own));
      },
      layer);
}

inline std::string_view kind_of(const Layer& layer) {
  return visit_layer([](const auto& l) -> std::string_view { return l.kind(); }, layer);
}
inline void Layer::refuse(std::string_view expected) const {
  fail<ArgumentError>("Layer: expected {}, got {}; get_if asks first", expected, kind_of(*this));
}

/// What becomes of the channels of a layer.
inline ChannelRule channel_rule(const Layer& layer, const LayerSite& at) {
  return visit_layer([&](const auto& l) { return l.channel_rule(at); }, layer);
}
/// Which channels its k-th tensor is about, of its parameters and then its buffers.
inline TensorAxes tensor_axes(const Layer& layer, const LayerSite& at, int k) {
  return visit_layer([&](const auto& l) { return l.tensor_axes(at, k); }, layer);
}

/// A layer with a kernel, which says what convolution of images it is.
template <class L>
inline constexpr bool is_convolution = requires(L& layer) {
  layer.set_image(layer.image());
};

/// A layer's convolution as one of images: of height 1 for Conv1d, none for other layers.
inline std::optional<Conv2d> convolution_of(const Layer& layer) {
  return visit_layer(
      []<class L>(const L& l) -> std::optional<Conv2d> {
        if constexpr (is_convolution<L>) return l.image();
        return std::nullopt;
      },
      layer);
}
/// Makes a convolution the one whose `convolution_of` that is.
inline void set_convolution(Layer& layer, const Conv2d& image) {
  layer = altered(layer, [&]<class L>(L& own) {
    if constexpr (is_convolution<L>) own.set_image(image);
  });
}

/// Whether a layer can compute with weights of few bits.
template <class L>
inline constexpr bool has_weight_bits = requires(L& layer) {
  { layer.weight_bits } -> std::same_as<WeightBits&>;
};
/// With how many bits a layer computes with its weights; none for one that cannot.
inline WeightBits weight_bits_of(const Layer& layer) {
  return visit_layer(
      []<class L>(const L& l) -> WeightBits {
        if constexpr (has_weight_bits<L>) return l.weight_bits;
        return 0;
      },
      layer);
}
inline void set_weight_bits(Layer& layer, const WeightBits& bits) {
  layer = altered(layer, [&]<class L>(L& own) {
    if constexpr (has_weight_bits<L>) own.weight_bits = bits;
  });
}

/// Whether a layer has output channels of its own, which may be Searchable.
template <class L>
inline constexpr bool makes_channels = requires {
  L::makes_channels;
};
/// Whether a batch norm behind a layer folds into it: into its weights, column by column, and its option `bias`.
template <class L>
inline constexpr bool takes_batch_norm = requires {
  L::takes_batch_norm;
};
inline bool may_make_channels(const Layer& layer) {
  return visit_layer(
      []<class L>(const L& own) {
        if constexpr (std::is_same_v<L, Custom>) return own.may_make_channels();
        return makes_channels<L>;
      },
      layer);
}
inline bool may_take_batch_norm(const Layer& layer) {
  return visit_layer([]<class L>(const L&) { return takes_batch_norm<L>; }, layer);
}

/// Whether it hands its only input's numbers on, moved or some of them.
inline bool only_moves(const Layer& layer) {
  return layer.is<MaxPool>() || layer.is<Flatten>() || layer.is<Pad>() || layer.is<Slice>() || layer.is<Upsample>() ||
         layer.is<ChannelShuffle>() || layer.is<Dropout>();
}

/// The layer of the channels that stay.
inline Layer narrowed(const Layer& layer, const KeptChannels& kept) {
  return visit_layer(
      [&]<class L>(const L& own) {
        if constexpr (std::is_empty_v<L>)
          return layer;
        else
          return Layer(own.narrowed(kept));
      },
      layer);
}

}  // namespace siena
