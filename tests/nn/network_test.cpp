// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/nn/network.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "siena/autograd/ops/loss.hpp"
#include "siena/autograd/ops/mask.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

namespace {

Network small(std::uint64_t seed = 0, int width = 4) {
  return Network{Shape{6, 6, 3},
                 [&](Flow x) {
                   x = x | Conv2d{.out = width, .kernel = 3} | BatchNorm{} | Relu{};
                   x = add(x, x | Conv2d{.out = width, .kernel = 3} | BatchNorm{}) | Relu{};
                   return x | GlobalAvgPool{} | Linear{.out = 5};
                 },
                 seed};
}

std::vector<float> values(const Tensor& tensor) {
  std::vector<float> copy;
  tensor.copy_to(copy);
  return copy;
}

const Tensor& batch() {
  static const Tensor x = random_tensor<float>({3, 6, 6, 3}, 1);
  return x;
}

// One step of gradient descent.
float train(Network& net) {
  static const std::vector<std::int32_t> labels{4, 0, 2};
  Tape tape;
  const Var loss = ops::cross_entropy(net.forward(tape.reference(batch()), Mode::training), labels);
  const float value = *loss.value().data();
  net.zero_grad();
  tape.backward(loss);
  for (Parameter* p : net.parameters(Role::weight)) {
    for (std::int64_t r = 0; r < p->value.rows(); ++r) {
      for (std::int64_t c = 0; c < p->value.columns(); ++c) p->value.row(r)[c] -= 0.1f * p->grad.row(r)[c];
    }
  }
  return value;
}

}  // namespace

static_assert(Stateful<Network>);

TEST_CASE("network: learns") {
  Network net = small();
  const float first = train(net);
  for (int i = 0; i < 100; ++i) train(net);
  CHECK(train(net) < 0.5f * first);
}

TEST_CASE("network: a copy shares nothing that changes") {
  Network net = small();
  train(net);
  const std::vector<float> before = values(net.predict(batch()));
  Network copy = net;
  CHECK(values(copy.predict(batch())) == before);
  CHECK(values(copy.parameter(0).grad) == values(net.parameter(0).grad));
  for (int i = 0; i < 3; ++i) train(copy);
  CHECK(values(net.predict(batch())) == before);
  CHECK(values(copy.predict(batch())) != before);

  Network assigned = small(7, 8);
  assigned = net;
  CHECK(values(assigned.predict(batch())) == before);
  train(assigned);
  CHECK(values(net.predict(batch())) == before);
  const Network& self = net;
  net = self;
  CHECK(values(net.predict(batch())) == before);

  const Parameter* place = &net.parameter(0);
  Network moved = std::move(net);
  CHECK(&moved.parameter(0) == place);
  CHECK(values(moved.predict(batch())) == before);
}

TEST_CASE("network: saved and loaded") {
  Network net = small(1);
  train(net);
  State state;
  net.save(state, "model.");
  CHECK(state.contains("model.conv2d_1.weight"));
  CHECK(state.contains("model.batch_norm_2.running_variance"));
  CHECK(state.values().size() == 14);

  Network other = small(2);
  CHECK(values(other.predict(batch())) != values(net.predict(batch())));
  other.load(state, "model.");
  CHECK(values(other.predict(batch())) == values(net.predict(batch())));
  CHECK(train(other) == train(net));  // it goes on from there to the bit
  CHECK(values(other.predict(batch())) == values(net.predict(batch())));
}

TEST_CASE("network: a state that does not fit changes nothing") {
  Network net = small(1);
  const std::vector<float> before = values(net.predict(batch()));
  State wide, missing;
  small(2, 6).save(wide);
  CHECK_THROWS_WITH(net.load(wide), "State: expected 'conv2d_1.weight' of shape 3x3x3x4, got 3x3x3x6");
  CHECK_THROWS_AS(net.load(missing), FormatError);

  // All but the last value fit.
  State almost;
  const Network other = small(2);
  State full;
  other.save(full);
  for (const auto& [name, value] : full.values()) {
    if (name != "batch_norm_2.running_variance") almost.put(name, value);
  }
  CHECK_THROWS_WITH(net.load(almost), ContainsSubstring("'batch_norm_2.running_variance'"));
  almost.put("batch_norm_2.running_variance", Tensor({9}, 1.0f));
  CHECK_THROWS_AS(net.load(almost), FormatError);
  CHECK(values(net.predict(batch())) == before);
}

TEST_CASE("network: parameters by role") {
  Network net = small();
  const std::int64_t weights = net.weight_count();
  const std::size_t count = net.parameters(Role::weight).size();
  const int index = net.add_parameter(Parameter("mask", Tensor({4}, 1.0f), Role::architecture));
  CHECK(net.weight_count() == weights);
  CHECK(net.parameters(Role::weight).size() == count);
  REQUIRE(net.parameters(Role::architecture).size() == 1);
  CHECK(net.parameters(Role::architecture)[0] == &net.parameter(index));
}

TEST_CASE("network: a gate alters the weights of a layer, and its parameter gets a gradient") {
  struct Halve final : Gate {
    int index;
    explicit Halve(int its_index) : index(its_index) {}
    Var apply(Forward& forward, const Var& weight) const override {
      return ops::mask_input_channels(weight, forward.network_parameter(index));
    }
  };
  Network net{Shape{3}, [](Flow x) { return x | Linear{.out = 2, .bias = false}; }};
  Network plain = net;
  const int mask = net.add_parameter(Parameter("mask", Tensor({3}, {1.0f, 0.0f, 0.5f}), Role::architecture));
  net.add_gate(1, std::make_shared<Halve>(mask));
  const Tensor masked = net.predict(Tensor({1, 3}, {1, 2, 4})), equal = plain.predict(Tensor({1, 3}, {1, 0, 2}));
  CHECK(values(masked) == values(equal));

  Tape tape;
  tape.backward(ops::sum(net.forward(tape.constant(Tensor({1, 3}, {1, 2, 4})), Mode::training)));
  const Tensor& w = net.parameter(0).value;
  CHECK(net.parameter(mask).grad(1) == Approx(2 * (w(1, 0) + w(1, 1))));
  CHECK(net.parameter(0).grad(1, 0) == 0);
  CHECK(net.parameter(0).grad(2, 0) == 2);

  // A second gate takes what the first one leaves.
  net.add_gate(1, std::make_shared<Halve>(mask));
  const Tensor twice = net.predict(Tensor({1, 3}, {1, 2, 4})), quarter = plain.predict(Tensor({1, 3}, {1, 0, 1}));
  CHECK(values(twice) == values(quarter));
}
