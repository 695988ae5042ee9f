// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>

#include "siena/nn/layer.hpp"

namespace siena {

/// Holds any layer that is not among siena's own. Copies share it: a layer is immutable, its parameters live in the network.
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
  };
  template <class L>
  struct Model final : Interface {
    explicit Model(L its_layer) : layer(std::move(its_layer)) {}
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
    L layer;
  };
  std::shared_ptr<const Interface> model_;
};

}  // namespace siena
