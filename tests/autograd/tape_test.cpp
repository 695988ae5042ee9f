// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/tape.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/autograd/ops/activation.hpp"
#include "siena/autograd/ops/batch_norm.hpp"
#include "siena/autograd/ops/conv2d.hpp"
#include "siena/autograd/ops/loss.hpp"
#include "siena/autograd/ops/pool.hpp"
#include "siena/autograd/ops/structure.hpp"
#include "siena/core/parallel.hpp"
#include "support/gradients.hpp"

using namespace siena;

namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.storage().size_bytes()) == 0;
}

// A small network of every kind of record: values that are kept, whole numbers that are kept, parameters used twice.
struct Model {
  Parameter weight{"weight", random_tensor<float>({3, 3, 4, 4}, 1)};
  Parameter gamma{"gamma", positive_tensor<float>({4}, 2)}, beta{"beta", random_tensor<float>({4}, 3)};
  Parameter out{"out", random_tensor<float>({4, 3}, 4)};
  Tensor mean{Shape{4}}, variance{Shape{4}, 1.0f};
  Tensor x = random_tensor<float>({5, 6, 6, 4}, 5);
  std::vector<std::int32_t> labels{0, 2, 1, 1, 0};

  std::array<Parameter*, 4> parameters() { return {&weight, &gamma, &beta, &out}; }

  float step(Tape& tape) {
    tape.clear();
    const auto g = kernels::conv_geometry({.in_height = 6,
                                           .in_width = 6,
                                           .in_channels = 4,
                                           .out_channels = 4,
                                           .kernel_height = 3,
                                           .kernel_width = 3,
                                           .pad_top = 1,
                                           .pad_bottom = 1,
                                           .pad_left = 1,
                                           .pad_right = 1});
    const auto p = kernels::pool_geometry({.in_height = 6,
                                           .in_width = 6,
                                           .in_channels = 4,
                                           .kernel_height = 2,
                                           .kernel_width = 2,
                                           .stride_height = 2,
                                           .stride_width = 2});
    const Var input = tape.reference(x), w = tape.parameter(weight);
    Var y = ops::conv2d(input, w, Var{}, g, x.shape());
    y = ops::batch_norm<float>(y, tape.parameter(gamma), tape.parameter(beta), mean, variance,
                               {.relu = true, .residual = input});
    y = ops::max_pool(ops::conv2d(y, w, Var{}, g, x.shape()), p, Shape{5, 3, 3, 4});
    const Var logits = ops::linear(ops::global_avg_pool(ops::dropout(y, 0.1, Random(6))), tape.parameter(out), Var{});
    const Var loss = ops::cross_entropy(logits, labels);
    const float value = *loss.value().data();
    if (tape.recording()) tape.backward(loss);
    return value;
  }
};

}  // namespace

TEST_CASE("tape: handles") {
  static_assert(std::is_trivially_copyable_v<Var>);
  CHECK_FALSE(Var{});
  CHECK_FALSE(Var{}.needs_grad());
  Tape tape;
  const Var constant = tape.constant(Tensor({2}, 1.0f)), variable = tape.variable(Tensor({2}, 2.0f));
  CHECK(constant);
  CHECK(&constant.tape() == &tape);
  CHECK_FALSE(constant.needs_grad());
  CHECK(variable.needs_grad());
  CHECK_FALSE(ops::add(constant, constant).needs_grad());
  CHECK(ops::add(constant, variable).needs_grad());
}

TEST_CASE("tape: a value used many times is visited once") {
  // Thirty doublings: a walk along every path would take 2^30 visits.
  Tape tape;
  const Var x = tape.variable(Tensor({1}, 1.5f));
  Var y = x;
  for (int i = 0; i < 30; ++i) y = ops::add(y, y);
  CHECK(*y.value().data() == 1.5f * 0x1p30f);
  tape.backward(y);
  CHECK(*tape.grad(x).data() == 0x1p30f);
}

TEST_CASE("tape: a value used at different depths") {
  CHECK_GRADIENTS(gradcheck(
      [](DTape&, DVars in) {
        DVar y = in[0];
        for (int i = 0; i < 5; ++i) y = ops::add(ops::tanh(y), ops::add(ops::sigmoid(y), in[0]));
        return y;
      },
      {random_tensor<double>({2, 3}, 1)}));
}

TEST_CASE("tape: depth costs no stack") {
  Tape tape;
  const Var x = tape.variable(Tensor({1}, 1.0f)), one = tape.variable(Tensor({1}, 1.0f));
  Var y = x;
  for (int i = 0; i < 100'000; ++i) y = ops::add(y, one);
  CHECK(*y.value().data() == 100'001);
  tape.backward(y);
  CHECK(*tape.grad(x).data() == 1);
  CHECK(*tape.grad(one).data() == 100'000);
}

TEST_CASE("tape: gradients of parameters add up over uses and steps") {
  Parameter p("p", Tensor({3}, {1, 2, 3}));
  Tape tape;
  for (int step = 1; step <= 2; ++step) {
    tape.clear();
    const Var first = tape.parameter(p), second = tape.parameter(p);
    tape.backward(ops::sum(ops::add(first, ops::add(second, first))));
    CHECK(p.grad(1) == 3 * step);
    CHECK(tape.grad(first)(2) == 3 * step);
  }
  p.zero_grad();
  CHECK(p.grad(1) == 0);
}

TEST_CASE("tape: a parameter that is the loss itself") {
  Parameter p("p", Tensor({1}, {2}));
  Tape tape;
  tape.backward(tape.parameter(p), Scalar(0.0));
  CHECK(p.grad(0) == 1);
}

TEST_CASE("tape: nothing is recorded when it is not recording") {
  Model model;
  Tape recording, not_recording(false);
  CHECK(model.step(recording) == model.step(not_recording));

  Parameter p("p", Tensor({2}, {1, -2}));
  Tape tape(false);
  const Var y = ops::relu(tape.parameter(p));
  CHECK_FALSE(y.needs_grad());
  CHECK(y.value()(0) == 1);
  bool ran = false;
  tape.record(y, [flag = &ran](Tape&) { *flag = true; });
  tape.backward(ops::sum(y));
  CHECK_FALSE(ran);
  CHECK(p.grad(0) == 0);

  tape.release(y);
  CHECK(y.value().storage().empty());
}

TEST_CASE("tape: a result on demand is made when it is asked for, and again once it was released") {
  Tape tape;
  int made = 0;
  const Var x = tape.result_on_demand(
      {2, 3},
      [count = &made](const Tape&, Tensor& out) {
        ++*count;
        out.fill(2);
      },
      tape.variable(Tensor({1})));
  CHECK(x.shape() == Shape{2, 3});
  tape.release(x);
  CHECK(x.shape() == Shape{2, 3});
  CHECK(made == 0);
  CHECK(x.value()(1, 2) == 2);
  CHECK(x.value()(0, 0) == 2);
  CHECK(made == 1);
  tape.release(x);
  CHECK(x.value()(1, 2) == 2);
  CHECK(made == 2);

  const Var same = tape.alias(x, false);  // refers to the elements, which stay
  tape.release(x);
  CHECK(same.value()(1, 2) == 2);
  CHECK(made == 2);
}

TEST_CASE("tape: a result on demand is made at once where nothing is recorded, and stays where it is the loss") {
  const auto twice = [](const Var& x) {
    return x.tape().result_on_demand(
        x.shape(), [x](Tape& t, Tensor& out) { *out.data() = 2 * *t.value(x).data(); }, x);
  };
  Tape inference(false);
  const Var x = inference.variable(Tensor({1}, {3})), y = twice(x);
  inference.release(x);  // what it was made of may go
  CHECK(y.value()(0) == 6);

  Tape tape;
  const Var loss = twice(tape.variable(Tensor({1}, {3})));
  tape.record(loss, [](Tape&) {});
  tape.backward(loss);
  CHECK(loss.value()(0) == 6);
}

TEST_CASE("tape: a result on demand that could not be made is asked for again") {
  Tape tape;
  int left = 1;
  const Var x = tape.result_on_demand({1}, [left = &left](const Tape&, Tensor& out) {
    if ((*left)-- > 0) throw ArgumentError("not yet");
    out.fill(1);
  });
  CHECK_THROWS_AS(x.value(), ArgumentError);
  CHECK(x.value()(0) == 1);
}

TEST_CASE("tape: gradients are the same bits where what can be made again was released before") {
  const auto gradients = [](bool release) {
    Tape tape;
    Tensor mean({3}), variance({3}, 1.0F);
    const Var x = tape.variable(random_tensor<float>({4, 3}, 1)), gamma = tape.variable(random_tensor<float>({3}, 2));
    const Var beta = tape.variable(random_tensor<float>({3}, 3)), weight = tape.variable(random_tensor<float>({3, 2}, 4));
    const Var z = ops::batch_norm<float>(x, gamma, beta, mean, variance, {.relu = true});
    const Var y = ops::linear<float>(z, weight, Var{});
    if (release) tape.release(z);
    tape.backward(ops::mean_squared_error<float>(y, tape.constant(Tensor({4, 2}, 1.0F))));
    return std::array{tape.grad(x), tape.grad(gamma), tape.grad(beta), tape.grad(weight)};
  };
  const auto kept = gradients(false), made_again = gradients(true);
  for (std::size_t i = 0; i < kept.size(); ++i) CHECK(same_bits(kept[i], made_again[i]));
}

TEST_CASE("tape: cleared and used again, the same bits") {
  Model model;
  Tape tape;
  const float loss = model.step(tape);
  std::vector<Tensor> grads;
  for (Parameter* p : model.parameters()) {
    grads.push_back(p->grad);
    CHECK(std::any_of(p->grad.row(0).begin(), p->grad.row(0).end(), [](float g) { return g != 0; }));
    p->zero_grad();
  }
  CHECK(model.step(tape) == loss);
  for (std::size_t i = 0; i < grads.size(); ++i) CHECK(same_bits(model.parameters()[i]->grad, grads[i]));
}

TEST_CASE("tape: steps ask the system for no memory once warm, and give back what they took") {
  set_threads(1);  // with more, how many scratch blocks are in use at one moment depends on the timing of the threads
  Model model;
  const std::size_t before = MemoryPool::global().bytes_in_use();
  {
    Tape tape;
    model.step(tape);
    tape.clear();
    CHECK(MemoryPool::global().bytes_in_use() == before);
    const std::size_t allocations = MemoryPool::global().system_allocations();
    for (int i = 0; i < 5; ++i) model.step(tape);
    CHECK(MemoryPool::global().system_allocations() == allocations);
  }
  CHECK(MemoryPool::global().bytes_in_use() == before);
  set_threads(0);
}

TEST_CASE("tape: the reverse pass frees values as it goes") {
  Tape tape;
  const Var x = tape.variable(Tensor({1000, 8}, 1.0f));
  Var y = x;
  for (int i = 0; i < 10; ++i) y = ops::tanh(y);
  const Var loss = ops::sum(y);
  const std::size_t full = MemoryPool::global().bytes_in_use();
  tape.backward(loss);
  CHECK(loss.value().elements() == 1);  // may still be read
  CHECK(tape.grad(x).elements() == 8000);
  CHECK(full - MemoryPool::global().bytes_in_use() > 8 * 8000 * sizeof(float));
}

TEST_CASE("tape: elementwise operations hand on the storage of their gradients") {
  struct Places {
    const float *output = nullptr, *input = nullptr;
  };
  Tape tape;
  const auto identity = [&](const Var& input, Places& places) {
    const Var output = tape.result(input.value(), input);
    tape.record(output, [=, &places](Tape& t) {
      places.output = t.grad(output).data();
      const auto slot = t.slot(input);
      slot.grad->fill(1.0f);
      places.input = slot.grad->data();
    });
    return output;
  };
  Tensor mean({8}), variance({8}, 1.0f);
  Places below, above;
  const Var x = tape.variable(Tensor({4, 8}, 1.0f));
  const Var y = ops::dropout(ops::tanh(ops::relu(identity(x, below))), 0.5, Random(1));
  const Var scale = tape.variable(Tensor({8}, 1.0f)), shift = tape.variable(Tensor({8}));
  tape.backward(ops::sum(identity(ops::batch_norm<float>(y, scale, shift, mean, variance, {}), above)));
  CHECK(above.input == below.output);
  CHECK(below.output != below.input);
}

TEST_CASE("tape: a gradient that is there already is added to, not taken over") {
  Tape tape;
  const Var x = tape.variable(Tensor({1, 2}, {0.5f, -0.5f}));
  tape.backward(ops::sum(ops::add(ops::relu(x), ops::relu(x))));
  CHECK(tape.grad(x)(0, 0) == 2);
  CHECK(tape.grad(x)(0, 1) == 0);
}

TEST_CASE("tape: what stands in the place of a value hands its gradient on as it is") {
  Parameter parameter("p", Tensor({1, 2}, {0.3f, -0.8f}), Role::weight, false);
  parameter.grad.fill(5);
  Tape tape;
  const Var leaf = tape.parameter(parameter), x = tape.variable(Tensor({1, 2}, {0.3f, -0.8f}));
  const Var of_leaf = tape.straight_through(leaf, Tensor({1, 2}, {0, -1})), of_x = tape.straight_through(x, of_leaf.value());
  CHECK(of_leaf.value()(0, 1) == -1);
  tape.backward(ops::sum(ops::add(ops::multiply(of_leaf, of_x), ops::scale(x, 2))));
  CHECK(parameter.grad(0, 0) == 5);
  CHECK(parameter.grad(0, 1) == 5 - 1);
  CHECK(tape.grad(x)(0, 0) == 2);
  CHECK(tape.grad(x)(0, 1) == 2 - 1);
  Tape silent(false);
  CHECK_FALSE(silent.straight_through(silent.parameter(parameter), Tensor({1, 2})).needs_grad());
}

TEST_CASE("tape: what is made of parameters alone gets sums over the batch, wherever it is used") {
  constexpr std::int64_t samples = 6;
  const Shards halves(2, {});
  for (const Shards& shards : {Shards(), halves}) {
    Parameter p("p", Tensor(Shape{1}, 2.0f)), w("w", Tensor(Shape{1, 1}, 3.0f));
    Tape tape;
    tape.share(shards, samples);
    const Var one = ops::relu(tape.parameter(p)), weight = ops::relu(tape.parameter(w));
    const Var each = tape.result(Tensor(Shape{samples, 1}, 2.0f), one);  // the same for all samples
    tape.record(each, [=](Tape& t) {
      t.add_batch_sum(one, samples, [&](std::int64_t first, std::int64_t count, std::span<float> sum) {
        for (std::int64_t n = first; n < first + count; ++n) sum[0] += t.grad(each).row(n)[0];
      });
    });
    const Var x = tape.constant(Tensor(Shape{samples, 1}, 5.0f));
    tape.backward(ops::sum(ops::linear(ops::add(ops::linear(each, weight, {}), x), weight, {})));
    // The loss is the sum over samples of ((p w) + 5) w.
    CHECK(*p.grad.data() == samples * 9);
    CHECK(*w.grad.data() == samples * (2 * 2 * 3 + 5));
  }
}

TEST_CASE("tape: scalars and values in one reverse pass") {
  // loss = sum(a) + s^2 + 3 s with s = sum(b), a and b parameters; b is in both.
  Parameter a("a", Tensor({2}, {1, 2})), b("b", Tensor({3}, {1, -2, 4}), Role::architecture);
  Tape tape;
  for (int step = 0; step < 2; ++step) {
    a.zero_grad();
    b.zero_grad();
    tape.clear();
    const Var vb = tape.parameter(b), total = ops::sum(vb);
    const Scalar s = tape.scalar(total);
    CHECK(s.value() == 3);
    const Var loss = ops::add(ops::sum(tape.parameter(a)), ops::sum(vb));
    tape.backward(loss, s * s + s * 3.0);
    CHECK(a.grad(1) == 1);
    CHECK(b.grad(0) == 1 + 2 * 3 + 3);
    CHECK(b.grad(2) == 1 + 2 * 3 + 3);
  }
}

TEST_CASE("tape: a penalty alone, one value under two scalars, and constants") {
  Parameter p("p", Tensor({1}, {3}));
  Tape tape;
  const Var v = tape.parameter(p);
  tape.backward(Var{}, tape.scalar(v) * tape.scalar(v));
  CHECK(p.grad(0) == 6);
  const Scalar constant = tape.scalar(tape.constant(Tensor({1}, {5})));
  CHECK(constant.is_constant());
  CHECK(constant.value() == 5);
}

TEST_CASE("tape: records that nothing reaches are skipped") {
  Tape tape;
  const Var x = tape.variable(Tensor({2}, 1.0f)), unused = ops::relu(x);
  (void)unused;
  tape.backward(ops::sum(x));
  CHECK(tape.grad(x)(0) == 1);
}

TEST_CASE("tape: closures of all sizes stay where they are") {
  // More than one chunk of them, large and small in turn.
  Tape tape;
  const Var x = tape.variable(Tensor({1}, 1.0f));
  Var y = x;
  for (int i = 0; i < 3000; ++i) {
    const Var next = tape.result(Tensor(y.value()), y);
    const std::array<double, 12> payload{1.0 * i};
    if (i % 2 == 0) {
      tape.record(next,
                  [=](Tape& t) { *t.accumulating_slot(y).grad->data() += *t.grad(next).data() + (payload[0] == i ? 0 : 1); });
    } else {
      tape.record(next, [=](Tape& t) { *t.accumulating_slot(y).grad->data() += *t.grad(next).data(); });
    }
    y = next;
  }
  tape.backward(y);
  CHECK(*tape.grad(x).data() == 1);
}
