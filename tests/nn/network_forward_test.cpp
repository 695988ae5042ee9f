// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/nn/network.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "siena/autograd/ops/loss.hpp"
#include "siena/core/parallel.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

namespace {

void check_close(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  for (std::int64_t r = 0; r < a.rows(); ++r) {
    for (std::int64_t c = 0; c < a.columns(); ++c) {
      REQUIRE(std::abs(a.row(r)[c] - b.row(r)[c]) <= 2e-5f * (1 + std::abs(b.row(r)[c])));
    }
  }
}

bool same_elements(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return false;
  for (std::int64_t r = 0; r < a.rows(); ++r) {
    if (std::memcmp(a.row(r).data(), b.row(r).data(), a.row(r).size_bytes()) != 0) return false;
  }
  return true;
}

// A loss whose gradient differs from element to element.
Var loss_of(const Var& y) { return ops::mean_squared_error(y, y.tape().constant(random_tensor<float>(y.shape(), 99))); }

// The batch norm of the network's parameters 2 k and 2 k + 1 and buffers 2 k and 2 k + 1, by itself.
Var plain_batch_norm(Network& net, const Var& x, int k, Mode mode) {
  return ops::batch_norm<float>(x, x.tape().parameter(net.parameter(2 * k)), x.tape().parameter(net.parameter(2 * k + 1)),
                                net.buffer(2 * k), net.buffer(2 * k + 1), {.training = mode == Mode::training});
}

using Unfused = std::function<Var(Network&, const Var&, Mode)>;

// The network, with its nodes fused, against the same function written with single operations: values, gradients, statistics.
void check_fusion(Network net, std::size_t steps, const Unfused& unfused) {
  CHECK(net.steps().size() == steps);
  for (int p = 0; p < net.parameter_count(); ++p) {
    net.parameter(p).value = positive_tensor<float>(net.parameter(p).value.shape(), static_cast<std::uint64_t>(p));
  }
  Network twin = net;
  for (const Mode mode : {Mode::training, Mode::inference}) {
    net.zero_grad();
    twin.zero_grad();
    Tape tape, plain;
    const Tensor batch = random_tensor<float>(net.input_shape().batch(5), 1);
    const Var x = tape.variable(batch), plain_x = plain.variable(batch);
    const Var y = net.forward(x, mode), plain_y = unfused(twin, plain_x, mode);
    check_close(y.value(), plain_y.value());
    tape.backward(loss_of(y));
    plain.backward(loss_of(plain_y));
    check_close(tape.grad(x), plain.grad(plain_x));
    for (int p = 0; p < net.parameter_count(); ++p) check_close(net.parameter(p).grad, twin.parameter(p).grad);
    for (int b = 0; b < net.parameter_count(); ++b) check_close(net.buffer(b), twin.buffer(b));
  }
}

Network residual_network() {
  const auto block = [](Flow x, int width, int stride) {
    const Flow y = x | Conv2d{.out = width, .kernel = 3, .stride = stride, .bias = false} | BatchNorm{} | Relu{} |
                   Conv2d{.out = width, .kernel = 3, .bias = false} | BatchNorm{};
    const Flow skip = stride == 1 ? x : x | Conv2d{.out = width, .stride = stride};
    return add(y, skip) | Relu{};
  };
  return Network{
      Shape{12, 12, 3}, [&](Flow x) {
        x = x | Conv2d{.out = 8, .kernel = 3} | BatchNorm{} | Relu{};
        x = block(block(x, 8, 1), 20, 2);
        x = concat({x | MaxPool{.kernel = 3, .stride = 1, .padding = 1}, x | AvgPool{.kernel = 3, .stride = 1, .padding = 1}});
        x = x | Conv2d{.out = 40, .kernel = 3, .groups = Conv2d::depthwise} | PRelu{} | Dropout{0.2};
        return x | GlobalAvgPool{} | Linear{.out = 10};
      }};
}

// Hands its input on.
struct PassOn {
  std::string_view kind() const { return "pass_on"; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return f.input(); }
};

}  // namespace

TEST_CASE("network: steps computed at one go compute what single layers do") {
  const Shape shape{3, 4, 5};
  SECTION("batch norm, ReLU") {
    check_fusion(Network{shape, [](Flow x) { return x | BatchNorm{} | Relu{}; }}, 2,
                 [](Network& n, const Var& x, Mode m) { return ops::relu(plain_batch_norm(n, x, 0, m)); });
  }
  SECTION("batch norm + x, ReLU") {
    check_fusion(Network{shape, [](Flow x) { return add(x | BatchNorm{}, x) | Relu{}; }}, 2,
                 [](Network& n, const Var& x, Mode m) { return ops::relu(ops::add(plain_batch_norm(n, x, 0, m), x)); });
  }
  SECTION("x + batch norm, ReLU") {
    check_fusion(
        Network{shape, [](Flow x) { return add(x | Tanh{}, x | BatchNorm{}) | Relu{}; }}, 3,
        [](Network& n, const Var& x, Mode m) { return ops::relu(ops::add(ops::tanh(x), plain_batch_norm(n, x, 0, m))); });
  }
  SECTION("a summand that is computed after the batch norm") {
    check_fusion(Network{shape,
                         [](Flow x) {
                           const Flow y = x | BatchNorm{};
                           return add(y, x | Tanh{} | Sigmoid{}) | Relu{};
                         }},
                 4, [](Network& n, const Var& x, Mode m) {
                   return ops::relu(ops::add(plain_batch_norm(n, x, 0, m), ops::sigmoid(ops::tanh(x))));
                 });
  }
  SECTION("two batch norms in one add") {
    check_fusion(Network{shape,
                         [](Flow x) {
                           const Flow y = x | BatchNorm{};
                           return add(y, x | Sigmoid{} | BatchNorm{}) | Relu{};
                         }},
                 4, [](Network& n, const Var& x, Mode m) {
                   return ops::relu(ops::add(plain_batch_norm(n, x, 0, m), plain_batch_norm(n, ops::sigmoid(x), 1, m)));
                 });
  }
  SECTION("one batch norm after the other") {
    check_fusion(Network{shape, [](Flow x) { return add(x | BatchNorm{} | BatchNorm{}, x) | Relu{}; }}, 3,
                 [](Network& n, const Var& x, Mode m) {
                   return ops::relu(ops::add(plain_batch_norm(n, plain_batch_norm(n, x, 0, m), 1, m), x));
                 });
  }
  SECTION("a batch norm whose values two layers read") {
    check_fusion(Network{shape,
                         [](Flow x) {
                           const Flow y = x | BatchNorm{};
                           return add(y | Relu{}, y);
                         }},
                 4, [](Network& n, const Var& x, Mode m) {
                   const Var y = plain_batch_norm(n, x, 0, m);
                   return ops::add(ops::relu(y), y);
                 });
  }
  SECTION("a batch norm added to itself") {
    check_fusion(Network{shape,
                         [](Flow x) {
                           const Flow y = x | BatchNorm{};
                           return add(y, y) | Relu{};
                         }},
                 4, [](Network& n, const Var& x, Mode m) {
                   const Var y = plain_batch_norm(n, x, 0, m);
                   return ops::relu(ops::add(y, y));
                 });
  }
  SECTION("a sum that two layers read") {
    check_fusion(Network{shape,
                         [](Flow x) {
                           const Flow y = add(x | BatchNorm{}, x);
                           return add(y | Relu{}, y);
                         }},
                 5, [](Network& n, const Var& x, Mode m) {
                   const Var y = ops::add(plain_batch_norm(n, x, 0, m), x);
                   return ops::add(ops::relu(y), y);
                 });
  }
}

TEST_CASE("network: predict computes what forward does, for any batch") {
  Network net = residual_network();
  {
    Tape tape;  // so that running statistics are not the initial ones
    (void)net.forward(tape.constant(random_tensor<float>({8, 12, 12, 3}, 3)), Mode::training, Random(1));
  }
  const Tensor five = random_tensor<float>({5, 12, 12, 3}, 1);
  const Tensor all = net.predict(five);
  REQUIRE(all.shape() == Shape{5, 10});
  Tape tape;
  CHECK(same_elements(net.forward(tape.reference(five), Mode::inference).value(), all));
  CHECK(same_elements(net.predict(five), all));

  // One image by itself: no other image of its batch has a say.
  for (std::int64_t n = 0; n < 5; ++n) {
    Tensor one({1, 12, 12, 3});
    for (std::int64_t r = 0; r < 144; ++r) std::copy_n(five.row(n * 144 + r).begin(), 3, one.row(r).begin());
    const Tensor y = net.predict(one);
    REQUIRE(y.shape() == Shape{1, 10});
    for (std::int64_t c = 0; c < 10; ++c) CHECK(y(0, c) == Approx(all(n, c)).margin(1e-6));
  }
}

TEST_CASE("network: values are freed once nobody reads them, and not before") {
  // As deep as it is, inference holds a few values at a time.
  Network deep{Shape{32, 32, 16}, [](Flow x) {
                 for (int i = 0; i < 20; ++i) x = add(x | Sigmoid{}, x);
                 return x;
               }};
  const Tensor batch = random_tensor<float>({4, 32, 32, 16}, 1);
  const std::size_t before = MemoryPool::global().bytes_in_use();
  Tape tape(false);
  const Var y = deep.forward(tape.reference(batch), Mode::inference);
  CHECK(MemoryPool::global().bytes_in_use() - before < 2 * batch.storage().size_bytes());
  Tape recording;
  CHECK(same_elements(y.value(), deep.forward(recording.reference(batch), Mode::inference).value()));
}

TEST_CASE("network: training keeps what is normalised, not what comes of it") {
  constexpr int layers = 10;
  Network deep{Shape{16, 16, 16}, [](Flow x) {
                 for (int i = 0; i < layers; ++i) x = x | Conv2d{.out = 16, .kernel = 1} | BatchNorm{} | Relu{};
                 return x;
               }};
  const Tensor batch = random_tensor<float>({4, 16, 16, 16}, 1);
  const std::size_t before = MemoryPool::global().bytes_in_use(), tensor = batch.storage().size_bytes();
  Tape tape;
  deep.forward(tape.reference(batch), Mode::training);
  const std::size_t kept = MemoryPool::global().bytes_in_use() - before;
  CHECK(kept > layers * tensor);
  CHECK(kept < (layers + 4) * tensor);
}

TEST_CASE("network: layers that hand their input on") {
  const auto check = [](Network net) {
    const Tensor batch = random_tensor<float>(net.input_shape().batch(3), 1);
    Tape tape;
    const Tensor expected = net.forward(tape.reference(batch), Mode::inference).value();
    REQUIRE(expected.elements() > 0);
    CHECK(same_elements(net.predict(batch), expected));
    // The caller's own value is not freed either.
    Tape inference(false);
    const Var x = inference.constant(batch);
    CHECK(same_elements(net.forward(x, Mode::inference).value(), expected));
    CHECK(same_elements(x.value(), batch));
  };
  check(Network{Shape{6}, [](Flow x) { return x | Dropout{0.5} | Tanh{}; }});
  check(Network{Shape{6}, [](Flow x) { return x | Tanh{} | Dropout{0.5} | Sigmoid{}; }});
  check(Network{Shape{6}, [](Flow x) { return x | Tanh{} | Dropout{0.5}; }});
  check(Network{Shape{6}, [](Flow x) { return x | Dropout{0.5}; }});
  check(Network{Shape{6}, [](Flow x) {
                  const Flow y = x | Tanh{}, dropped = y | Dropout{0.5} | Dropout{0.1} | PassOn{};
                  return add(add(y | Sigmoid{}, y | Relu{}), dropped);
                }});
  check(Network{Shape{6}, [](Flow x) {
                  const Flow y = x | Tanh{}, dropped = y | Dropout{0.5};
                  return add(dropped | Linear{.out = 6}, add(y, dropped));
                }});
  check(Network{Shape{2, 2, 6}, [](Flow x) {
                  const Flow y = x | Tanh{}, dropped = y | Dropout{0.5};
                  return add(dropped | BatchNorm{}, y) | Relu{} | Dropout{0.5} | BatchNorm{} | Relu{};
                }});
}

TEST_CASE("network: dropout while training follows the random numbers given") {
  Network net{Shape{64}, [](Flow x) { return x | Dropout{0.5} | Dropout{0.5}; }};
  const Tensor batch({4, 64}, 1.0f);
  const auto run = [&](std::uint64_t seed) {
    Tape tape;
    return Tensor(net.forward(tape.reference(batch), Mode::training, Random(seed)).value());
  };
  CHECK(same_elements(run(1), run(1)));
  CHECK_FALSE(same_elements(run(1), run(2)));
  CHECK(same_elements(net.predict(batch), batch));
  // Each layer draws its own: of two layers, a quarter is left, not a half.
  int kept = 0;
  const Tensor y = run(3);
  for (std::int64_t r = 0; r < 4; ++r) {
    for (float element : y.row(r)) kept += element != 0;
  }
  CHECK(kept > 35);
  CHECK(kept < 95);
}

TEST_CASE("network: the same bits with any number of threads") {
  const std::vector<std::int32_t> labels{0, 3, 9, 1, 2, 5, 7};
  const Tensor batch = random_tensor<float>({7, 12, 12, 3}, 1);
  const auto run = [&](int count) {
    set_threads(count);
    Network net = residual_network();
    for (int step = 0; step < 2; ++step) {
      Tape tape;
      const Var y = net.forward(tape.reference(batch), Mode::training, Random(5));
      tape.backward(ops::cross_entropy(y, labels, 0.1));
    }
    set_threads(0);
    return net;
  };
  const Network one = run(1);
  for (const int count : {2, 3}) {
    const Network other = run(count);
    CAPTURE(count);
    for (int p = 0; p < one.parameter_count(); ++p) {
      CAPTURE(one.parameter(p).name);
      CHECK(same_elements(one.parameter(p).grad, other.parameter(p).grad));
    }
    for (int b = 0; b < 8; ++b) CHECK(same_elements(one.buffer(b), other.buffer(b)));
  }
  CHECK(one.parameter(0).grad.finite());
  CHECK(one.parameter(0).grad(0, 0, 0, 0) != 0);
}

TEST_CASE("network: training steps ask the system for no memory once warm") {
  Network net = residual_network();
  const Tensor batch = random_tensor<float>({7, 12, 12, 3}, 1);
  const std::vector<std::int32_t> labels{0, 3, 9, 1, 2, 5, 7};
  Tape tape;
  const auto step = [&] {
    tape.clear();
    tape.backward(ops::cross_entropy(net.forward(tape.reference(batch), Mode::training, Random(5)), labels));
  };
  set_threads(1);  // with more, how many scratch blocks are in use at one moment depends on the timing of the threads
  step();
  step();
  const std::size_t allocations = MemoryPool::global().system_allocations();
  for (int i = 0; i < 3; ++i) step();
  CHECK(MemoryPool::global().system_allocations() == allocations);
  set_threads(0);
}

TEST_CASE("network: the batch that came has to be one") {
  Network net = residual_network();
  CHECK_THROWS_WITH(net.predict(Tensor({2, 12, 11, 3})),
                    "Network::forward: expected a batch of shape N x 12x12x3, got 2x12x11x3");
  CHECK_THROWS_AS(net.predict(Tensor({12, 12, 3})), ShapeError);
  CHECK_THROWS_AS(net.predict(Tensor()), ShapeError);
  Network empty;
  CHECK_THROWS_WITH(empty.predict(Tensor({1, 2})), ContainsSubstring("got an empty one"));
}
