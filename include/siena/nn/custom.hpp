// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// Holds any layer that is not among siena's own. Copies share it: a layer is immutable, its parameters live in the network.
/// One that says its `channel_rule`, `tensor_axes` and `narrowed` takes part in searches; one that says none of them keeps all
/// channels that it touches.
class Custom {
 public:
  template <class L>
  requires(!std::same_as<L, Custom> && LayerType<L>)  // in this order: whether a Custom can be copied must not depend on itself
      explicit Custom(L layer)
      : model_(std::make_shared<const Model<L>>(std::move(layer))) {}

  std::string_view kind() const { return model_->kind(); }
  Shape setup(LayerSetup& setup) const { return model_->setup(setup); }
  Var forward(Forward& forward) const { return model_->forward(forward); }
  /// ArgumentError for a layer that does not say it of itself.
  void lower(Lowering& to) const { model_->lower(to); }

  ChannelRule channel_rule(const LayerSite& at) const { return model_->channel_rule(at); }
  TensorAxes tensor_axes(const LayerSite& at, int tensor) const { return model_->tensor_axes(at, tensor); }
  Custom narrowed(const KeptChannels& kept) const { return model_->narrowed(*this, kept); }
  bool may_make_channels() const { return model_->may_make_channels(); }
  /// Weights are counted along the axes of its parameters; multiply-adds are what it says, or else each weight once at every
  /// position of the output.
  template <class Description>
  void describe(Description& layer, const LayerSite& at) const {
    using N = decltype(layer.own_weights);
    layer.kind = layer.other;
    if (model_->in_place()) layer.in_place = true;
    for (std::size_t p = 0; p < at.parameters.size(); ++p) {
      const TensorAxes axes = tensor_axes(at, static_cast<int>(p));
      const double others = static_cast<double>(at.parameters[p].elements() / (axes.reads ? at.channels() : 1) /
                                                (axes.makes ? at.output[-1] : 1));
      layer.own_weights += (axes.reads ? layer.in_channels : N(1)) * (axes.makes ? layer.out_channels : N(1)) * others;
    }
    const LayerSizes<N> sizes{layer.in_channels, layer.out_channels, layer.in_height,
                              layer.in_width,    layer.out_height,   layer.out_width};
    if (model_->says_macs()) {
      model_->count_macs(sizes, layer.own_macs);
    } else {
      layer.own_macs = at.macs ? N(*at.macs) : layer.own_weights * layer.out_height * layer.out_width;
    }
  }

  /// The layer itself where it is an L, else null.
  template <class L>
  const L* get_if() const {
    const auto* model = dynamic_cast<const Model<L>*>(model_.get());
    return model != nullptr ? &model->layer : nullptr;
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string_view kind() const = 0;
    virtual Shape setup(LayerSetup&) const = 0;
    virtual Var forward(Forward&) const = 0;
    virtual void lower(Lowering&) const = 0;
    virtual ChannelRule channel_rule(const LayerSite&) const = 0;
    virtual TensorAxes tensor_axes(const LayerSite&, int tensor) const = 0;
    virtual Custom narrowed(const Custom& self, const KeptChannels&) const = 0;
    virtual bool may_make_channels() const = 0;
    virtual bool in_place() const = 0;
    virtual bool says_macs() const = 0;
    virtual void count_macs(const LayerSizes<double>&, double& macs) const = 0;
    virtual void count_macs(const LayerSizes<Scalar>&, Scalar& macs) const = 0;
  };
  template <class L>
  struct Model final : Interface {
    static constexpr bool takes_part = SaysChannelRule<L> || SaysTensorAxes<L> || requires { &L::channel_rule; }
    || requires { &L::tensor_axes; }
    || requires { &L::narrowed; };

    explicit Model(L its_layer) : layer(std::move(its_layer)) {
      if constexpr (takes_part) require_channel_hooks<L>();
    }
    std::string_view kind() const override { return layer.kind(); }
    Shape setup(LayerSetup& setup) const override { return layer.setup(setup); }
    Var forward(Forward& forward) const override { return layer.forward(forward); }
    void lower(Lowering& to) const override {
      if constexpr (Lowerable<L>) {
        layer.lower(to);
      } else {
        fail<ArgumentError>(
            "{}: expected a layer that says of which operations it is made, got one of your own ({}) without `void "
            "lower(Lowering& to) const`; write that, or use siena's layers",
            to.where(), layer.kind());
      }
    }

    ChannelRule channel_rule(const LayerSite& at) const override {
      if (takes_part && at.macs && !SaysMacs<L>) {
        const std::string why = format("'{}' says its multiply-adds for all channels alone, without own_macs", at.name);
        return ChannelRule::freezes(why, why);
      }
      if constexpr (SaysChannelRule<L>) {
        return layer.channel_rule(at);
      } else {
        return ChannelRule::freezes(format("'{}', a custom layer, reads them", at.name),
                                    format("'{}' is a custom layer", at.name));
      }
    }
    TensorAxes tensor_axes(const LayerSite& at, int tensor) const override {
      if constexpr (SaysTensorAxes<L>) return layer.tensor_axes(at, tensor);
      return {};
    }
    Custom narrowed(const Custom& self, const KeptChannels& kept) const override {
      if constexpr (takes_part && SaysNarrowed<L> && !std::is_empty_v<L>) return Custom(layer.narrowed(kept));
      return self;
    }
    bool may_make_channels() const override {
      if constexpr (requires { L::makes_channels; }) return L::makes_channels;
      return false;
    }
    bool in_place() const override {
      if constexpr (requires { L::in_place; }) return L::in_place;
      return false;
    }
    bool says_macs() const override { return SaysMacs<L>; }
    void count_macs(const LayerSizes<double>& sizes, double& macs) const override { count(sizes, macs); }
    void count_macs(const LayerSizes<Scalar>& sizes, Scalar& macs) const override { count(sizes, macs); }
    template <class N>
    void count(const LayerSizes<N>& sizes, N& macs) const {
      if constexpr (SaysMacs<L>) macs = layer.own_macs(sizes);
    }
    L layer;
  };
  std::shared_ptr<const Interface> model_;
};

}  // namespace siena
