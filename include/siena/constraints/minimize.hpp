// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/cost/cost_model.hpp"

namespace siena {

/// A cost that is wanted small, beside the constraints: "as fast as possible within 64 KiB" is
/// `subject_to(MemoryBound{64_KiB}, Minimize{Gap8{}})`. It adds weight L c / c0 to the loss, with L the loss after warm-up and
/// c0 the cost at the start of the search, so that there it weighs `weight` times as much as the task. It is no constraint: it
/// has nothing to violate, and no formulation has a part in it. Holds any cost model; copies share it. Throws ArgumentError for
/// a weight that is not a positive number.
class Minimize {
 public:
  template <class Model>
  explicit Minimize(Model model, double weight = 1) : weight_(weight) {
    assert_cost_model<Model>();
    if constexpr (CostModel<Model>) {
      name_ = std::string_view(model.name());
      held_ = std::make_shared<const Held<Model>>(std::move(model));
    }
    require<ArgumentError>(std::isfinite(weight) && weight > 0, "Minimize: expected a weight above 0, got {}", weight);
  }

  /// That of the cost model, unless it was renamed.
  const std::string& name() const { return name_; }
  Minimize named(std::string name) const {
    Minimize renamed = *this;
    renamed.name_ = std::move(name);
    return renamed;
  }
  std::string model() const { return held_->name(); }
  std::string unit() const { return held_->unit(); }
  double weight() const { return weight_; }
  std::string to_string() const { return format("{}: minimize {}, weight {}", name_, held_->to_string(), weight_); }

  double value(const Architecture<double>& network) const { return held_->value(network); }
  Scalar value(const Architecture<Scalar>& network) const { return held_->value(network); }
  /// The part of one layer in the value; nothing where the value is no sum over layers.
  std::optional<double> layer_value(const LayerDesc<double>& layer) const { return held_->layer_value(layer); }
  /// Throws what the model throws that cannot price these networks and those between them; `checks_networks`: whether it says.
  bool checks_networks() const { return held_->checks_networks(); }
  void check(const std::vector<Architecture<double>>& networks) const { held_->check(networks); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string name() const = 0;
    virtual std::string unit() const = 0;
    virtual std::string to_string() const = 0;
    virtual double value(const Architecture<double>& network) const = 0;
    virtual Scalar value(const Architecture<Scalar>& network) const = 0;
    virtual std::optional<double> layer_value(const LayerDesc<double>& layer) const = 0;
    virtual bool checks_networks() const = 0;
    virtual void check(const std::vector<Architecture<double>>& networks) const = 0;
  };
  template <class Model>
  struct Held final : Interface {
    explicit Held(Model its_model) : model(std::move(its_model)) {}
    std::string name() const override { return std::string(std::string_view(model.name())); }
    std::string unit() const override { return std::string(unit_of(model)); }
    std::string to_string() const override { return text_of(model); }
    double value(const Architecture<double>& network) const override { return total(model, network); }
    Scalar value(const Architecture<Scalar>& network) const override { return total(model, network); }
    std::optional<double> layer_value([[maybe_unused]] const LayerDesc<double>& layer) const override {
      if constexpr (SumsLayers<Model>) return layer_total(model, layer);
      return std::nullopt;
    }
    bool checks_networks() const override { return checks; }
    void check([[maybe_unused]] const std::vector<Architecture<double>>& networks) const override {
      if constexpr (checks) model.check(networks);
    }
    static constexpr bool checks = requires(const Model& priced, const std::vector<Architecture<double>>& networks) {
      priced.check(networks);
    };
    Model model;
  };

  std::shared_ptr<const Interface> held_;
  std::string name_;
  double weight_;
};

}  // namespace siena
