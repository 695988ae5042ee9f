// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/nn/flow.hpp"

#include <any>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/nn/network.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

// A reference would dangle after the next layer.
static_assert(std::is_same_v<decltype(std::declval<const Flow&>().shape()), Shape>);

namespace {

// y = prelu(x) + x: a layer of a user, with a parameter, a buffer and a gradient.
struct Bent {
  double slope = 0.5;
  std::string_view kind() const { return "bent"; }
  Shape setup(LayerSetup& setup) const {
    setup.parameter("slope", {setup.input()[-1]}, Init::constant(slope), false);
    setup.buffer("seen", {1}, 0.0f);
    return setup.input();
  }
  Var forward(Forward& f) const {
    f.buffer(0)(0) += 1;
    return ops::add(ops::prelu(f.input(), f.parameter(0)), f.input());
  }
};

struct NoSetup {
  std::string_view kind() const { return "no_setup"; }
  Var forward(Forward& f) const { return f.input(); }
};

template <class L>
struct Decorated {
  L layer;
  int what;
  Decoration decoration() const { return what; }
};

static_assert(LayerType<Conv2d> && LayerType<Bent> && LayerType<Custom> && !LayerType<NoSetup>);
static_assert(BuiltInLayer<Relu> && BuiltInLayer<Custom> && !BuiltInLayer<Bent>);
static_assert(DecoratedLayer<Decorated<Conv2d>> && !DecoratedLayer<Conv2d>);

}  // namespace

TEST_CASE("flow: a layer says what it holds, and stays what it was when a copy becomes another") {
  const Layer conv = Conv2d{.out = 3};
  Layer copy = conv;
  set_convolution(copy, Conv2d{.out = 5});
  CHECK(conv.get<Conv2d>().out == 3);
  CHECK(copy.get<Conv2d>().out == 5);
  CHECK(conv.get_if<Relu>() == nullptr);
  CHECK(Layer(Custom(Bent{})).get<Custom>().get_if<Bent>()->slope == 0.5);
  REQUIRE_THROWS_WITH(conv.get<Relu>(), "Layer: expected relu, got conv2d; get_if asks first");
  REQUIRE_THROWS_WITH(conv.get<Custom>(), "Layer: expected a custom layer, got conv2d; get_if asks first");
}

TEST_CASE("flow: shapes while writing") {
  Network net{Shape{8, 8, 3}, [](Flow x) {
                CHECK(x.shape() == Shape{8, 8, 3});
                x = x | Conv2d{.out = 4, .stride = 2};
                CHECK(x.shape() == Shape{4, 4, 4});
                return x;
              }};
  CHECK(net.input_shape() == Shape{8, 8, 3});
  CHECK(net.nodes()[1].inputs == std::vector<int>{0});
}

TEST_CASE("flow: a function stands in the place of a layer") {
  const auto block = [](Flow x, int out) { return add(x, x | Conv2d{.out = out} | Relu{}); };
  const auto twice = [](const Flow& x) { return concat({x, x}); };
  Network net{Shape{8, 8, 3}, [&](Flow x) { return x | [&](Flow y) { return block(y, 3); } | twice | Relu{}; }};
  std::vector<std::string_view> kinds;
  for (const auto& node : net.nodes()) kinds.push_back(kind_of(node.layer));
  CHECK(kinds == std::vector<std::string_view>{"input", "conv2d", "relu", "add", "concat", "relu"});
  CHECK(net.output_shape() == Shape{8, 8, 6});
}

TEST_CASE("flow: layers of users") {
  Network net{Shape{3}, [](Flow x) { return x | Bent{} | Bent{.slope = 2} | Linear{.out = 2}; }};
  CHECK(net.nodes()[1].name == "bent_1");
  CHECK(kind_of(net.nodes()[2].layer) == "bent");
  CHECK(net.parameter(0).name == "bent_1.slope");
  CHECK(net.parameter(1).value(2) == 2.0f);

  Network bent{Shape{3}, [](Flow x) { return x | Bent{}; }};
  const Tensor y = bent.predict(Tensor({1, 3}, {1, -2, 0}));
  CHECK(y(0, 0) == 2);
  CHECK(y(0, 1) == -3);
  CHECK(bent.buffer(0)(0) == 1);

  Tape tape;
  const Var x = tape.variable(Tensor({1, 3}, {1, -2, 0}));
  tape.backward(ops::sum(bent.forward(x, Mode::training)));
  CHECK(tape.grad(x)(0, 0) == 2);
  CHECK(tape.grad(x)(0, 1) == 1.5f);
  CHECK(bent.parameter(0).grad(1) == -2);
}

TEST_CASE("flow: a layer of a user is shared by copies, its buffers are not") {
  Network net{Shape{3}, [](Flow x) { return x | Bent{}; }};
  Network copy = net;
  (void)copy.predict(Tensor({1, 3}, 1.0f));
  CHECK(copy.buffer(0)(0) == 1);
  CHECK(net.buffer(0)(0) == 0);
}

TEST_CASE("flow: decorations travel with their layer") {
  Network net{Shape{4, 4, 3}, [](Flow x) {
                return x | Decorated<Conv2d>{{.out = 5, .kernel = 3}, 42} | Relu{} | Decorated<Bent>{{}, 7};
              }};
  REQUIRE(net.nodes().size() == 4);
  CHECK(std::any_cast<int>(net.nodes()[1].decoration) == 42);
  CHECK(net.nodes()[1].layer.get<Conv2d>().out == 5);
  CHECK_FALSE(net.nodes()[2].decoration.has_value());
  CHECK(std::any_cast<int>(net.nodes()[3].decoration) == 7);
  CHECK(kind_of(net.nodes()[3].layer) == "bent");
  const Network copy = net;
  CHECK(std::any_cast<int>(copy.nodes()[1].decoration) == 42);
}

TEST_CASE("flow: a value of a network that is finished is refused, wherever the next one is built") {
  std::optional<Flow> kept;
  const auto build = [&](auto write) { return Network(Shape{4, 4, 3}, write); };
  (void)build([&](const Flow& x) { return *(kept = x | Conv2d{.out = 2}) | Relu{}; });
  const auto expected = ContainsSubstring("expected a value of the network that is being built, got one of a network that is");
  // The builders of these stand where that of the first one stood.
  CHECK_THROWS_WITH(build([&](const Flow& x) {
                      (void)(x | Relu{});
                      return *kept;
                    }),
                    expected);
  CHECK_THROWS_WITH(build([&](const Flow&) { return *kept | Relu{}; }), expected);
  CHECK_THROWS_WITH(build([&](const Flow& x) { return add(x, *kept); }), expected);
  CHECK_THROWS_WITH(build([&](const Flow& x) { return concat({x, *kept}); }), expected);
  CHECK_THROWS_WITH(kept->shape(), expected);
  CHECK_THROWS_WITH(Flow(*kept).named("old"), expected);
}

TEST_CASE("flow: layers read as many values as they know what to do with") {
  const auto build = [](std::vector<int> inputs) {
    return Network(Shape{4}, [&](const Flow& x) { return Flow(x.builder(), x.builder()->append(Relu{}, inputs, {})); });
  };
  CHECK_NOTHROW(build({0}));
  CHECK_THROWS_WITH(build({0, 0}), ContainsSubstring("relu_1: expected one input, got 2"));
  CHECK_THROWS_WITH(build({}), ContainsSubstring("relu_1: expected a layer that reads something"));
}

TEST_CASE("flow: a layer known at run time") {
  Network net{Shape{4}, [](Flow x) {
                for (const Layer& layer : {Layer(Linear{.out = 6}), Layer(Relu{})}) x = x | layer;
                return x;
              }};
  CHECK(net.output_shape() == Shape{6});
}
