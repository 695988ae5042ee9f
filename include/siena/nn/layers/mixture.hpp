// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "siena/autograd/ops/mixture.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// The weighted sum of the outputs of several branches, all of one shape. The weights are its parameter `alpha` (one each,
/// equal at first) or what a gate makes of it; a pass works them out before the branches, and does not compute a branch whose
/// weight is 0. The buffers are the gate's: a temperature, which branch the last pass has sampled, and what was seen of the
/// branches that were. How alternatives are written: Choice, of the room space.
struct Mixture {
  /// The layers of one branch: nodes [first, last) of the network; none where the branch hands the mixture's input on.
  struct Branch {
    std::string name;
    int first = 0, last = 0;
    bool has(int node) const { return node >= first && node < last; }
    static void attributes(auto& self, auto&& visit) {
      visit("name", self.name);
      visit("first", self.first);
      visit("last", self.last);
    }
  };
  /// Which of the node's parameters and buffers is which, in the order in which `setup` asks for them.
  enum : int { alpha = 0 };
  enum : int { temperature, sample, advantage, samples };

  std::vector<Branch> branches;

  bool holds(int node) const {
    return std::any_of(branches.begin(), branches.end(), [&](const Branch& b) { return b.has(node); });
  }
  /// Whether `node` lies in a branch that is not that of `reader`: then it may not be computed.
  bool hides(int node, int reader) const {
    return std::any_of(branches.begin(), branches.end(), [&](const Branch& b) { return b.has(node) && !b.has(reader); });
  }

  /// As node `self` of a network: the branches are apart, before it, and read by it alone, as what is inside of one may not be
  /// computed.
  template <class Nodes>
  void check_branches(const Nodes& nodes, std::size_t self) const {
    const auto& name = nodes[self].name;
    int end = 1;
    for (std::size_t b = 0; b < branches.size(); ++b) {
      const auto& [its_name, first, last] = branches[b];
      const int input = nodes[self].inputs[b];
      const bool apart = first >= end && last >= first && last <= static_cast<int>(self);
      require<ArgumentError>(
          apart && (branches[b].has(input) || !holds(input)),
          "{}: expected alternatives one after the other, each with an output of its own or none; '{}' is not", name, its_name);
      end = last;
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (const int in : nodes[i].inputs)
        require<ArgumentError>(i == self || !hides(in, static_cast<int>(i)),
                               "{}: expected nothing but it to read '{}', which is inside of an alternative; '{}' does", name,
                               nodes[in].name, nodes[i].name);
    }
  }

  std::string_view kind() const { return "mixture"; }
  static void attributes(auto& self, auto&& visit) { visit("branches", self.branches); }
  /// Whichever alternative is there has the same channels.
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::ties(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  Mixture narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.mixture; }
  Shape setup(LayerSetup& setup) const {
    const auto in = setup.inputs();
    require<ArgumentError>(!branches.empty() && in.size() == branches.size(), "{}: expected one input a branch, got {} for {}",
                           setup.where(), in.size(), branches.size());
    for (std::size_t i = 1; i < in.size(); ++i) {
      require<ShapeError>(in[i] == in[0], "{}: expected alternatives of equal shape, got {} from '{}' and {} from '{}'",
                          setup.where(), in[0], branches[0].name, in[i], branches[i].name);
    }
    const auto count = static_cast<std::int64_t>(branches.size());
    setup.parameter("alpha", {count}, Init::constant(1.0 / static_cast<double>(count)), false, Role::architecture);
    setup.buffer("temperature", {1}, 1);
    setup.buffer("sample", {1}, -1);
    setup.buffer("advantage", {count}, 0);
    setup.buffer("samples", {count}, 0);
    return in[0];
  }
  Var forward(Forward& f) const {
    std::vector<Var> inputs;
    for (int i = 0; i < f.inputs(); ++i) inputs.push_back(f.input(i));
    return ops::weighted_sum(f.parameter(alpha), inputs);
  }
  void lower(Lowering& to) const {
    fail<ArgumentError>("{}: expected one of its alternatives, got {}; discretize the network first", to.where(),
                        branches.size());
  }
};

}  // namespace siena
