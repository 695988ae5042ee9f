// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the programs time: steps of training and search, and inference, of the five networks, through the public face of the
// library.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "siena/core.hpp"
#include "siena/nn.hpp"
#include "siena/space.hpp"

namespace siena::bench {

/// The networks by name. resnet18, of which one step takes seconds, only where the filter asks for it.
std::vector<std::string> network_names();

/// One of them, with its masks not yet put on. Throws ArgumentError for a name that is none.
Network make_network(const std::string& name);

/// Whether the paper has a supernet of it.
bool has_supernet(const std::string& name);

/// Whom a training shares its batches with, and what is called at the beginning and at the end of each step.
struct Together {
  AnyCommunicator ranks = {};
  int shards = 1;
  std::function<void()> begin = [] {}, end = [] {};
};

/// A training that is run step by step, always on the same batch of noise: an epoch of one step of the library's training loop
/// each time.
class Training {
 public:
  /// Cross entropy (for the autoencoder mean squared error) and Adam.
  static Training plain(const std::string& network, std::int64_t batch, const Together& together = {});
  /// The same as a step of a search: masks on all searchable layers, `percent` of the channels of each on, and Duccio under a
  /// bound on memory and one on latency, which ask for half of what the whole network takes. The masks' rate is so small that
  /// none ever falls.
  static Training search(const std::string& network, std::int64_t batch, std::int64_t percent, const Together& together = {});
  /// The same with the bits of weights searched, too, 2, 4 or 8, all 8 now.
  static Training bits(const std::string& network, std::int64_t batch, std::int64_t percent, Bits::Per per);
  /// And with those of the values that layers hand on.
  static Training activation_bits(const std::string& network, std::int64_t batch, std::int64_t percent);
  /// A step of a search among the alternatives of the network's supernet, under the same bounds.
  static Training supernet(const std::string& network, std::int64_t batch, Sampling sampling);

  Training(Training&&) noexcept;
  Training& operator=(Training&&) noexcept;
  ~Training();

  /// Runs one step. Returns its seconds, from the forward pass to the zeroing of gradients; what the loader took for the batch
  /// is left out.
  double step();
  /// FLOPs of a plain step: 2 (3 MAC - MAC of the first layer) batch, as no gradient goes back to the inputs.
  double flops() const;
  /// Weights, biases and norms.
  std::int64_t parameters() const;

 private:
  struct Run;
  explicit Training(std::unique_ptr<Run> run);

  std::unique_ptr<Run> run_;
};

/// A network that answers one batch of noise again and again.
class Inference {
 public:
  Inference(const std::string& network, std::int64_t batch);
  void run();
  double flops() const;

 private:
  Network network_;
  Tensor inputs_;
};

/// The same of a network of integers, as `evaluate` scores it.
class IntegerInference {
 public:
  IntegerInference(const std::string& network, std::int64_t batch);
  ~IntegerInference();
  void run();

 private:
  struct Run;
  std::unique_ptr<Run> run_;
};

}  // namespace siena::bench
