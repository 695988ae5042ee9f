// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/autograd/ops/activation.hpp"
#include "siena/nn/layer.hpp"

namespace siena {

/// max(x, 0).
struct Relu {
  std::string_view kind() const { return "relu"; }
  static void attributes(auto&, auto&&) {}
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::relu(f.input()); }
};

/// x where x > 0, else slope x, one learnt slope a channel.
struct PRelu {
  double slope = 0.25;
  std::string_view kind() const { return "prelu"; }
  static void attributes(auto& self, auto&& visit) { visit("slope", self.slope); }
  Shape setup(LayerSetup& setup) const {
    setup.parameter("weight", {setup.input()[-1]}, Init::constant(slope), false);
    return setup.input();
  }
  Var forward(Forward& f) const { return ops::prelu(f.input(), f.parameter(0)); }
};

/// 1 / (1 + exp(-x)).
struct Sigmoid {
  std::string_view kind() const { return "sigmoid"; }
  static void attributes(auto&, auto&&) {}
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::sigmoid(f.input()); }
};

struct Tanh {
  std::string_view kind() const { return "tanh"; }
  static void attributes(auto&, auto&&) {}
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::tanh(f.input()); }
};

/// While training, zeroes elements with a probability and scales the others up; else nothing.
struct Dropout {
  double probability = 0.5;
  std::string_view kind() const { return "dropout"; }
  static void attributes(auto& self, auto&& visit) { visit("probability", self.probability); }
  Shape setup(LayerSetup& setup) const {
    require<ArgumentError>(probability >= 0 && probability < 1, "{}: expected a probability in [0, 1), got {}", setup.where(),
                           probability);
    return setup.input();
  }
  Var forward(Forward& f) const {
    if (f.mode() == Mode::inference || probability == 0) return f.input();
    return ops::dropout(f.input(), probability, f.random());
  }
};

}  // namespace siena
