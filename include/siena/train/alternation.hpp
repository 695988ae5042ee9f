// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "siena/data/dataset.hpp"
#include "siena/data/loader.hpp"
#include "siena/nn/network.hpp"

namespace siena {

/// Trains weights and architecture alternately, the architecture on data of its own, so that it is judged by samples that the
/// weights did not see. Running statistics follow the steps of the weights alone.
struct Alternation {
  enum class Every {
    step,  ///< a step of the architecture after each one of the weights
    epoch  ///< one pass over the architecture's data after each epoch of the weights
  };
  data::Dataset data = {};    ///< the samples of the architecture
  Every every = Every::step;  ///< how often they alternate
  double until = 1;           ///< part of the phase after which only the weights move
};

/// What a step moves.
enum class Moves { both, weights, architecture };

/// The architecture's batches: pass after pass over its data. Each epoch of the weights begins a pass of its own, so that a
/// training that goes on from a checkpoint sees the same batches.
class ArchitectureBatches {
 public:
  ArchitectureBatches(data::Dataset data, const data::LoaderOptions& options) : loader_(std::move(data), options) {}

  std::int64_t batches() const { return loader_.batches(); }
  void begin_epoch(int epoch) {
    pass_ = static_cast<std::int64_t>(epoch) << 20;
    open_.reset();
  }
  void end_epoch() { open_.reset(); }
  const data::Batch& next() {
    if (!open_) open_.reset(new data::Epoch(loader_.epoch(pass_++)));  // stays where it is: its thread fills it
    if (const data::Batch* batch = open_->next()) return *batch;
    open_.reset();
    return next();
  }

 private:
  data::Loader loader_;
  std::unique_ptr<data::Epoch> open_;
  std::int64_t pass_ = 0;
};

/// Puts the running statistics of all layers back when it goes out of scope; what searches have measured stays.
class KeptStatistics {
 public:
  explicit KeptStatistics(Network& network) : network_(network) {
    for (const Network::Node& node : network.nodes()) {
      if (node.layer.is<Mixture>() || node.layer.is<FakeQuantize>()) continue;
      for (const int buffer : node.buffers) kept_.emplace_back(buffer, network.buffer(buffer));
    }
  }
  ~KeptStatistics() {
    for (auto& [buffer, value] : kept_) network_.buffer(buffer) = std::move(value);
  }
  KeptStatistics(const KeptStatistics&) = delete;
  KeptStatistics& operator=(const KeptStatistics&) = delete;

 private:
  Network& network_;
  std::vector<std::pair<int, Tensor>> kept_;
};

}  // namespace siena
