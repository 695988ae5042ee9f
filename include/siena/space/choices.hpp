// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "siena/autograd/ops/mixture.hpp"
#include "siena/nn/batch_norm_folding.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/alternatives.hpp"
#include "siena/space/axis.hpp"
#include "siena/space/options.hpp"

namespace siena {

/// The choices of a network: installs the gates that turn each Mixture's alphas into weights. Names nodes and parameters by
/// index, and so serves every copy of the network.
class Choices final : public AxisHooks {
 public:
  static constexpr int order = 2;

  explicit Choices(Network& network, const SpaceOptions& space_options = {}) : options_(space_options.choices) {
    const ChoiceOptions& options = options_;
    require<ArgumentError>(options.temperature > 0 && options.lowest_temperature > 0 && std::isfinite(options.temperature) &&
                               std::isfinite(options.cooling),
                           "Choices: expected temperatures above 0 and a finite cooling, got {}, {} and {}",
                           options.temperature, options.lowest_temperature, options.cooling);
    require<ArgumentError>(options.one_hot_penalty >= 0, "Choices: expected a one_hot_penalty of 0 or more, got {}",
                           options.one_hot_penalty);
    const auto gate = std::make_shared<WeightGate>(options.sampling);
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      if (!network.nodes()[node].layer.is<Mixture>()) continue;
      require<ArgumentError>(network.nodes()[node].gates.empty(),
                             "Choices: expected a network without a search space, got one where '{}' already samples; make one "
                             "SearchSpace of a network, it serves all copies",
                             network.nodes()[node].name);
      nodes_.push_back(node);
      sizes_.push_back(static_cast<int>(network.nodes()[node].layer.get<Mixture>().branches.size()));
      const std::vector<int>& buffers = network.nodes()[node].buffers;
      choices_.push_back({.alpha = network.nodes()[node].parameters[Mixture::alpha],
                          .sample = buffers[Mixture::sample],
                          .advantage = buffers[Mixture::advantage],
                          .samples = buffers[Mixture::samples]});
      network.add_gate(node, gate);
    }
    set_temperature(network, options.temperature_at(0));
  }

  const ChoiceOptions& options() const { return options_; }
  int count() const { return static_cast<int>(nodes_.size()); }
  /// The mixture's node.
  int node(int choice) const { return nodes_[choice]; }
  const std::vector<Mixture::Branch>& branches(const Network& network, int choice) const {
    return network.nodes()[nodes_[choice]].layer.get<Mixture>().branches;
  }

  /// How many alternatives each choice has.
  const std::vector<int>& sizes() const { return sizes_; }

  std::string_view name() const override { return "choices"; }
  /// The first alternatives.
  AxisState whole() const override { return AxisState(nodes_.size(), {0}); }
  AxisState smallest() const override { return whole(); }
  bool varies() const override {
    return std::any_of(sizes_.begin(), sizes_.end(), [](int count) { return count > 1; });
  }
  bool mixes() const override { return !nodes_.empty(); }
  /// The likeliest alternative of each choice: what evaluation computes.
  AxisState state(const Network& network) const override {
    AxisState all;
    for (const Alternatives& choice : choices_) all.push_back({choice.chosen(network)});
    return all;
  }
  /// -1 for choices that are open.
  AxisState computed(const Network& network, Mode) const override {
    AxisState all;
    for (const Alternatives& choice : choices_) all.push_back({choice.decided(network)});
    return all;
  }
  void open(AxisState& state) const override { state.assign(nodes_.size(), {-1}); }
  /// Decides every choice: from then on only the chosen alternatives are computed, however weights are sampled.
  void select(Network& network, const AxisState& alternatives) const override {
    for (std::size_t c = 0; c < choices_.size(); ++c) choices_[c].select(network, alternatives[c][0]);
  }
  /// Every other alternative of a choice, away; back those that are better (see `rise`).
  void for_each_move(const Network& network, const Selection&, AxisState& state, Direction direction,
                     const TakeMove& take) const override {
    for (int c = 0; c < count(); ++c) {
      const int from = state[c][0];
      for (int b = 0; b < sizes_[c]; ++b) {
        if (b == from) continue;
        const double more = rise(network, c, from, b);
        if (direction == Direction::back && more >= 0) continue;
        state[c][0] = b;
        (void)take({.worth = direction == Direction::away ? std::max(more, 0.0) : -more});
      }
      state[c][0] = from;
    }
  }
  std::vector<AxisSite> sites() const override {
    std::vector<AxisSite> all;
    for (int c = 0; c < count(); ++c) all.push_back({.node = nodes_[c], .parts = {{.index = c, .values = sizes_[c]}}});
    return all;
  }
  /// The alternatives that a node lies in.
  void enter(const Network& network, int node, AxisState& state) const override {
    for (int c = 0; c < count(); ++c) {
      const auto& all = branches(network, c);
      for (int b = 0; b < static_cast<int>(all.size()); ++b) {
        if (all[b].has(node)) state[c][0] = b;
      }
    }
  }

  void vary(const Network& network, const AxisState& state, Variation<double>& variation) const override {
    variation.sources = sources(network, state);
  }
  /// Of what is open all alternatives are there, each with its probability as presence (see `weigh`).
  void vary(Tape&, Network& network, Variation<Scalar>& variation) const override {
    variation.sources = sources(network, computed(network, Mode::training));
  }
  /// Gives the layers of open choices the probability of their alternative as presence; and a batch norm behind a choice that
  /// of the alternatives into which it does not fold.
  void weigh(Tape& tape, Network& network, const std::vector<int>& sources, Architecture<Scalar>& architecture) const override {
    std::vector<LayerDesc<Scalar>*> layers(network.nodes().size(), nullptr);
    for (auto& layer : architecture.layers) layers[layer.node] = &layer;
    std::vector<std::vector<Scalar>> likely(network.nodes().size());
    for (int c = count() - 1; c >= 0; --c) {  // outer choices come after those in their alternatives
      const int mixture = nodes_[c];
      if (sources[mixture] != mixture) continue;
      likely[mixture] = probabilities(tape, network, c);
      for (std::size_t b = 0; b < likely[mixture].size(); ++b) {
        const Mixture::Branch& branch = branches(network, c)[b];
        const Scalar presence = layers[mixture]->presence * likely[mixture][b];
        for (int inner = branch.first; inner < branch.last; ++inner) {
          if (layers[inner] != nullptr) layers[inner]->presence = presence;
        }
      }
    }
    const BatchNormFolding folding = batch_norm_folding(network, sources);
    const std::function<Scalar(int)> stays = [&](int node) -> Scalar {  // a batch norm behind this node
      if (folding.takes[node] || !folding.read_once[node]) return folding.takes[node] ? 0 : 1;
      if (node != 0 && layers[node]->kind == LayerKind::batch_norm) return stays(sources[network.nodes()[node].inputs[0]]);
      if (likely[node].empty()) return 1;
      Scalar sum = 0;
      for (std::size_t b = 0; b < likely[node].size(); ++b)
        sum += likely[node][b] * stays(sources[network.nodes()[node].inputs[b]]);
      return sum;
    };
    for (auto& layer : architecture.layers) {
      if (layer.kind != LayerKind::batch_norm || layer.batch_norm_folded) continue;
      layer.presence = layer.presence * stays(sources[network.nodes()[layer.node].inputs[0]]);
    }
  }
  void narrow(const Network& network, const AxisState& state, Narrowing& narrowing) const override {
    narrowing.sources = sources(network, state);
    for (const int node : nodes_) narrowing.gated[node] = true;
  }

  /// Cools what samples; forgets what was sampled, where the loss is to say whether that was better than usual.
  void begin_step(Network& network, const AxisStep& step) const override {
    set_temperature(network, options_.temperature_at(step.epoch));
    if (learns_from_loss() && step.learns) {
      for (const Alternatives& choice : choices_) choice.take(network, -1);
    }
  }
  bool learns_from_loss() const override { return !nodes_.empty() && options_.sampling == Sampling::score; }
  std::string settings() const override {
    return format("sampling {}, temperature {} {} {}, one-hot penalty {}", static_cast<int>(options_.sampling),
                  options_.temperature, options_.cooling, options_.lowest_temperature, options_.one_hot_penalty);
  }
  /// "3x3, 5x5 or identity"
  std::string freedom(const Network& network, int node) const override {
    const auto found = std::find(nodes_.begin(), nodes_.end(), node);
    if (found == nodes_.end()) return {};
    std::string names;
    const auto& all = branches(network, static_cast<int>(found - nodes_.begin()));
    for (std::size_t b = 0; b < all.size(); ++b) names += (b == 0 ? "" : b + 1 == all.size() ? " or " : ", ") + all[b].name;
    return names;
  }

  /// The alternative that a choice was decided for, -1 where it is open.
  int decided(const Network& network, int choice) const { return choices_[choice].decided(network); }

  /// How likely each alternative of a choice is: softmax(alpha / temperature), or softmax(alpha) where Gumbel noise samples,
  /// which it does with these probabilities at any temperature.
  std::vector<double> probabilities(const Network& network, int choice) const {
    return choices_[choice].probabilities(network, sharpness(network));
  }
  /// The same with their gradient to alpha.
  std::vector<Scalar> probabilities(Tape& tape, Network& network, int choice) const {
    return choices_[choice].probabilities(tape, network, sharpness(network));
  }
  /// Estimated rise of the task loss when alternative `to` stands in the place of `from` (see Alternatives).
  double rise(const Network& network, int choice, int from, int to) const {
    return choices_[choice].rise(network, from, to, sharpness(network));
  }
  /// `one_hot_penalty` times the sum of mean(p)^2 / (var(p) + 1e-3), with the unbiased variance.
  Scalar penalty(Tape& tape, Network& network) const override {
    Scalar sum = 0;
    for (int c = 0; c < count() && options_.one_hot_penalty > 0; ++c) {
      const std::vector<Scalar> p = probabilities(tape, network, c);
      const double mean = 1.0 / static_cast<double>(p.size());  // probabilities sum to 1
      Scalar variance = 0;
      for (const Scalar& x : p) variance += (x - mean) * (x - mean);
      if (p.size() > 1) sum += mean * mean / (variance / static_cast<double>(p.size() - 1) + 1e-3);
    }
    return sum * options_.one_hot_penalty;
  }

  /// After a step with Sampling::score, with the loss above the usual one.
  void learn(Network& network, double rise) const override {
    for (const Alternatives& choice : choices_) choice.learn(network, rise, sharpness(network));
  }

  /// Kept with the network: saved and loaded with it.
  double temperature(const Network& network) const {
    return nodes_.empty()
               ? 1.0
               : static_cast<double>(*network.buffer(network.nodes()[nodes_[0]].buffers[Mixture::temperature]).data());
  }
  void set_temperature(Network& network, double temperature) const {
    for (const int node : nodes_)
      network.buffer(network.nodes()[node].buffers[Mixture::temperature]).fill(static_cast<float>(temperature));
  }

  /// Which node makes the value of each node once the choices are decided for `chosen` (-1: left open): itself, but for decided
  /// mixtures, whose value is that of an alternative; -1: nothing, where it belongs to an alternative that is not chosen.
  std::vector<int> sources(const Network& network, const AxisState& chosen) const {
    std::vector<int> source(network.nodes().size());
    for (int i = 0; i < static_cast<int>(source.size()); ++i) source[i] = i;
    for (int c = count() - 1; c >= 0; --c) {  // outer choices come after those in their alternatives
      if (source[nodes_[c]] < 0 || chosen[c][0] < 0) continue;
      const auto& all = branches(network, c);
      for (int b = 0; b < static_cast<int>(all.size()); ++b) {
        if (b != chosen[c][0]) std::fill(source.begin() + all[b].first, source.begin() + all[b].last, -1);
      }
    }
    for (int c = 0; c < count(); ++c) {
      if (source[nodes_[c]] >= 0 && chosen[c][0] >= 0)
        source[nodes_[c]] = source[network.nodes()[nodes_[c]].inputs[chosen[c][0]]];
    }
    std::vector<bool> read(source.size(), false);  // what only alternatives read that are gone goes with them
    read[source[network.output()]] = true;
    for (int i = static_cast<int>(source.size()) - 1; i > 0; --i) {
      if (source[i] != i) continue;
      if (!read[i]) source[i] = -1;
      for (const int input : network.nodes()[i].inputs) read[source[input]] = read[source[input]] || read[i];
    }
    return source;
  }

 private:
  /// From a mixture's alphas to the weights of its inputs.
  class WeightGate final : public Gate {
   public:
    explicit WeightGate(Sampling sampling) : sampling_(sampling) {}

    Var apply(Forward& forward, const Var& alpha) const override {
      if (forward.mode() == Mode::inference) return ops::one_hot(forward.tape().constant(alpha.value()));
      std::vector<float> noise;
      if (sampling_ != Sampling::softmax && sampling_ != Sampling::argmax) {
        Random random = forward.random();
        noise.resize(static_cast<std::size_t>(alpha.value().columns()));
        for (float& g : noise) g = static_cast<float>(-std::log(-std::log(std::max(random.uniform(), 1e-300))));
      }
      if (sampling_ == Sampling::score) {
        Tensor noisy = alpha.value();
        for (std::size_t i = 0; i < noise.size(); ++i) noisy.data()[i] += noise[i];
        const Var hot = ops::one_hot(forward.tape().constant(std::move(noisy)));
        const auto row = hot.value().row(0);
        forward.buffer(Mixture::sample).fill(static_cast<float>(std::max_element(row.begin(), row.end()) - row.begin()));
        return hot;
      }
      const Var p = ops::softmax_at<float>(alpha, noise, static_cast<double>(*forward.buffer(Mixture::temperature).data()));
      return sampling_ == Sampling::hard_gumbel || sampling_ == Sampling::argmax ? ops::one_hot(p) : p;
    }

   private:
    Sampling sampling_;
  };

  double sharpness(const Network& network) const {
    const bool deterministic = options_.sampling == Sampling::softmax || options_.sampling == Sampling::argmax;
    return deterministic ? temperature(network) : 1.0;
  }
  ChoiceOptions options_;
  std::vector<int> nodes_, sizes_;
  std::vector<Alternatives> choices_;
};

}  // namespace siena
