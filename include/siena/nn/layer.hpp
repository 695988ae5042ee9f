// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "siena/autograd/tape.hpp"
#include "siena/core/random.hpp"
#include "siena/core/shape.hpp"
#include "siena/nn/init.hpp"
#include "siena/nn/lowering.hpp"

namespace siena {

/// Whether a network learns (batch statistics, dropout) or answers.
enum class Mode { training, inference };

/// What a layer is given, and what it asks for, when a network is built. Shapes are those of one sample: H x W x C, T x C or F.
class LayerSetup {
 public:
  struct ParameterSpec {
    std::string name;
    Shape shape;
    Init init;
    bool decay;
    Role role;
  };
  struct BufferSpec {
    std::string name;
    Shape shape;
    float value;
  };

  LayerSetup(std::string_view where, const std::vector<Shape>& inputs) : where_(where), inputs_(inputs) {}

  /// The layer's place in the network, for error messages.
  std::string_view where() const { return where_; }
  /// For layers of several inputs.
  const std::vector<Shape>& inputs() {
    reads_all_ = true;
    return inputs_;
  }
  /// Whether anybody has asked for more than the first input.
  bool reads_all() const { return reads_all_; }
  const Shape& input() const { return inputs_[0]; }
  /// The input's shape, which has to be H x W x C.
  const Shape& image() const {
    require<ShapeError>(input().rank() == 3, "{}: expected images of height x width x channels, got {}", where_, input());
    return input();
  }

  /// Asks for a trainable parameter; the k-th asked for is `Forward::parameter(k)`.
  void parameter(std::string name, const Shape& shape, Init init, bool decay, Role role = Role::weight) {
    parameters.push_back({std::move(name), shape, init, decay, role});
  }
  /// Asks for a tensor that is saved with the network but not trained (running statistics).
  void buffer(std::string name, const Shape& shape, float value) { buffers.push_back({std::move(name), shape, value}); }

  /// Says how many multiply-accumulates the layer takes per sample, for cost models. A layer that does not say is taken to use
  /// each of its parameters once at every position of its output, as a convolution does.
  void macs(double count) { own_macs = count; }

  std::vector<ParameterSpec> parameters;
  std::vector<BufferSpec> buffers;
  std::optional<double> own_macs;

 private:
  std::string_view where_;
  const std::vector<Shape>& inputs_;
  bool reads_all_ = false;
};

/// What a layer sees of one pass through the network. Values carry the batch as their first size.
class Forward {
 public:
  virtual ~Forward() = default;

  virtual Tape& tape() = 0;
  virtual Mode mode() const = 0;
  /// The k-th input of the layer.
  virtual Var input(int k = 0) = 0;
  virtual int inputs() const = 0;
  /// The k-th parameter that the layer asked for; the first one passed through the layer's gates, if it has any.
  virtual Var parameter(int k) = 0;
  /// Whether the layer has a k-th parameter (a bias that may be switched off).
  virtual bool has_parameter(int k) const = 0;
  virtual Tensor& buffer(int k) = 0;
  /// From one level to the next of the first input, where a FakeQuantize put it on levels; 0 where none did, or one whose
  /// number of levels is open.
  virtual float input_step() const = 0;
  /// Random numbers of this layer in this step.
  virtual Random random() const = 0;
  /// The shape of the layer's output for this batch.
  virtual Shape output_shape() const = 0;
  /// Parameter `index` of the whole network, and a value derived from it that layers share, made at most once a pass.
  virtual Var network_parameter(int index) = 0;
  virtual Tensor& network_buffer(int index) = 0;
  virtual Var& shared(int index) = 0;
};

/// A layer is a copyable description: a name of its kind, `setup` (checks its inputs, asks for
/// parameters, says the shape of its output), and `forward`.
template <class L>
concept LayerType = std::copyable<L> && requires(const L& layer, LayerSetup& setup, Forward& forward) {
  { layer.kind() } -> std::convertible_to<std::string_view>;
  { layer.setup(setup) } -> std::same_as<Shape>;
  { layer.forward(forward) } -> std::same_as<Var>;
};

}  // namespace siena
