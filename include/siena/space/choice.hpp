// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/nn/flow.hpp"

namespace siena {

/// The alternative that leaves a layer out: the input is handed on as it is.
struct Identity {};

/// One of the things that a Choice may become, with a name for reports: a piece of a network, written from its input on.
struct Alternative {
  std::string name;
  std::function<Flow(const Flow&)> build;
};

/// A place in a network where the search keeps one of several alternatives, all with outputs of one shape: layers (also
/// Searchable ones), functions from Flow to Flow for pieces of several layers, Alternatives, which have names, and Identity.
///   x = x | Choice{Conv2d{.out = 16, .kernel = 3}, [](Flow y) { return y | Conv2d{.out = 16} | Relu{}; }, Identity{}};
/// Becomes a Mixture node; the alternatives' layers are ordinary nodes before it.
/// Channels that are searched are tied over all alternatives.
class Choice {
 public:
  template <class... A>
  requires(!(sizeof...(A) == 1 && (std::same_as<A, Choice> && ...))) explicit Choice(A... alternatives) {
    (add(std::move(alternatives)), ...);
  }

  /// One more alternative.
  template <class A>
  Choice& add(A alternative) {
    if constexpr (std::is_same_v<A, Alternative>) {
      alternatives_.push_back(std::move(alternative));
    } else if constexpr (std::is_same_v<A, Identity>) {
      alternatives_.push_back({"identity", [](const Flow& x) { return x; }});
    } else if constexpr (std::is_invocable_r_v<Flow, A, const Flow&>) {
      alternatives_.push_back({"alternative " + std::to_string(alternatives_.size() + 1), std::move(alternative)});
    } else {
      alternatives_.push_back({kind(alternative), [alternative](const Flow& x) { return x | alternative; }});
    }
    return *this;
  }

  friend Flow operator|(const Flow& x, const Choice& choice) {
    require<ArgumentError>(!choice.alternatives_.empty(), "Choice: expected at least one alternative, got none");
    NetworkBuilder* const builder = x.builder();
    Mixture mixture;
    std::vector<int> outputs;
    for (const Alternative& alternative : choice.alternatives_) {
      const int first = builder->size();
      const Flow output = alternative.build(x);
      require<ArgumentError>(output.builder() == builder && (output.node() >= first || output.node() == x.node()),
                             "Choice: expected alternative '{}' to return the output of its own layers, or its input; got "
                             "another value",
                             alternative.name);
      mixture.branches.push_back({alternative.name, first, builder->size()});
      outputs.push_back(output.node());
    }
    return {builder, builder->append(std::move(mixture), std::move(outputs), {})};
  }

 private:
  template <class A>
  static std::string kind(const A& alternative) {
    if constexpr (std::is_same_v<A, Choice>) {
      return "choice";
    } else if constexpr (DecoratedLayer<A>) {
      return std::string(alternative.layer.kind());
    } else {
      return std::string(alternative.kind());
    }
  }

  std::vector<Alternative> alternatives_;
};

}  // namespace siena
