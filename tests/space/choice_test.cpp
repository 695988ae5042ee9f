// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/choice.hpp"

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/params.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"
#include "support/random_tensor.hpp"
#include "support/searchable.hpp"

using namespace siena;

namespace {

/// Counts how often it was computed.
struct Counted {
  std::shared_ptr<int> count = std::make_shared<int>(0);
  std::string_view kind() const { return "counted"; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const {
    ++*count;
    return ops::relu(f.input());
  }
};

/// A stem, a choice between 3x3, two 1x1 with channels of their own, and nothing, and a head.
Network three_ways() {
  return Network({6, 6, 2}, [](Flow x) {
    x = (x | Searchable{Conv2d{.out = 4, .kernel = 3}, Channels{}}).named("stem") | BatchNorm{} | Relu{};
    const auto deep = [](const Flow& y) {
      const Flow inner = (y | Searchable{Conv2d{.out = 6}, Channels{}}).named("inner") | Relu{};
      return (inner | Searchable{Conv2d{.out = 4}, Channels{}}).named("outer");
    };
    x = x | Choice{Searchable{Conv2d{.out = 4, .kernel = 3}, Channels{}}, Alternative{"deep", deep}, Identity{}};
    return (x.named("choice") | GlobalAvgPool{} | Linear{.out = 3}).named("out");
  });
}
double macs(const Architecture<double>& network) { return total(Macs{}, network); }

}  // namespace

TEST_CASE("Choice: alternatives are ordinary layers before a mixture") {
  const Network network = three_ways();
  const auto& nodes = network.nodes();
  const auto* mixture = nodes[nodes.size() - 3].layer.get_if<Mixture>();
  REQUIRE(mixture != nullptr);
  REQUIRE(mixture->branches.size() == 3);
  CHECK(mixture->branches[0].name == "conv2d");
  CHECK(mixture->branches[1].name == "deep");
  CHECK(mixture->branches[2].name == "identity");
  CHECK(mixture->branches[0].last - mixture->branches[0].first == 1);
  CHECK(mixture->branches[1].last - mixture->branches[1].first == 3);
  CHECK(mixture->branches[2].last == mixture->branches[2].first);

  const std::string wrong = "Choice: expected alternative";
  const auto build = [](const Choice& choice) {
    return Network({6, 6, 2}, [&](const Flow& x) { return x | Conv2d{.out = 4} | choice; });
  };
  CHECK_THROWS_WITH(build(Choice{Conv2d{.out = 4}, Conv2d{.out = 5}}),
                    ContainsSubstring("expected alternatives of equal shape, got 6x6x4 from 'conv2d' and 6x6x5"));
  CHECK_THROWS_WITH(build(Choice{}), ContainsSubstring("expected at least one alternative"));
  CHECK_THROWS_WITH(Network({6, 6, 2},
                            [&](const Flow& x) {
                              return x | Conv2d{.out = 2} | Choice{Identity{}, [&](const Flow&) { return x; }};
                            }),
                    ContainsSubstring(wrong));
}

TEST_CASE("Choice: any network computes what was chosen, and costs what was said") {
  constexpr int networks = 1000;
  int with_choices = 0, differ = 0, nested = 0;
  for (int seed = 0; seed < networks; ++seed) {
    INFO("network " << seed);
    test::RandomNetwork generator(static_cast<std::uint64_t>(seed), true);
    Network network = generator.make();
    const SearchSpace space = SearchSpace::install(network);
    const Tensor batch = generator.batch(network, 2);
    const Selection selection = generator.selection(space);
    space.select(network, selection);
    REQUIRE(space.selection(network) == selection);
    const Tensor hard = network.predict(batch);
    Network plain = discretize(network, space);
    CHECK(test::difference(hard, plain.predict(batch)) <= 1e-4);
    CHECK(plain.parameters(Role::architecture).empty());
    for (const auto& node : plain.nodes()) CHECK(!node.layer.is<Mixture>());

    const Architecture<double> exact = describe(network, space, selection), of_plain = describe(plain);
    REQUIRE(exact.layers.size() == of_plain.layers.size());
    for (std::size_t i = 0; i < exact.layers.size(); ++i) {
      const auto &a = exact.layers[i], &b = of_plain.layers[i];
      CHECK((a.name == b.name && a.kind == b.kind && a.producers == b.producers));
      CHECK((a.in_channels == b.in_channels && a.out_channels == b.out_channels && a.presence == 1));
      CHECK((a.batch_norm_folded == b.batch_norm_folded && a.weights() == b.weights() && a.macs() == b.macs()));
    }
    // A decided choice is certain: what the search is charged is the truth.
    Tape tape;
    CHECK(total(Macs{}, describe(tape, network, space)).value() == Approx(macs(exact)));

    with_choices += space.axis<Choices>().count() > 0 ? 1 : 0;
    nested += space.axis<Choices>().count() > 0 &&
              space.axis<Choices>().sources(network, selection["choices"])[space.axis<Choices>().node(0)] < 0;
    Selection other = selection;
    if (!other["choices"].empty())
      other["choices"].back()[0] = (other["choices"].back()[0] + 1) % space.axis<Choices>().sizes().back();
    space.select(network, other);
    differ += other == selection ? 0 : test::difference(hard, network.predict(batch)) > 1e-3;
  }
  CHECK(with_choices > networks / 2);
  CHECK(differ > networks / 4);
  CHECK(nested > 10);
}

TEST_CASE("Choice: charged the expected cost, with its gradient") {
  Network network = three_ways();
  const SearchSpace space = SearchSpace::install(network);
  Parameter& alpha = network.parameter(network.nodes()[space.axis<Choices>().node(0)].parameters[0]);
  CHECK(alpha.name == "choice.alpha");
  CHECK(alpha.role == Role::architecture);
  alpha.value.assign(std::vector<float>{0.5f, -0.3f, 0.1f});
  std::vector<double> cost;
  for (int b = 0; b < 3; ++b) {
    Selection selection = space.full();
    selection["choices"][0] = {b};
    cost.push_back(macs(describe(network, space, selection)));
  }
  CHECK(cost[0] - cost[2] == 36 * 9 * 16);
  CHECK(cost[1] - cost[2] == 36 * 2 * 24);
  const std::vector<double> p = space.axis<Choices>().probabilities(network, 0);
  const double expected = p[0] * cost[0] + p[1] * cost[1] + p[2] * cost[2];
  Tape tape;
  network.zero_grad();
  const Scalar soft = total(Macs{}, describe(tape, network, space));
  CHECK(soft.value() == Approx(expected).epsilon(1e-6));
  tape.backward({}, soft);
  for (std::size_t b = 0; b < 3; ++b) CHECK(alpha.grad.data()[b] == Approx(p[b] * (cost[b] - expected)).epsilon(1e-4));
  CHECK(macs(describe(network, space)) == cost[0]);  // the truth is the likeliest
}

TEST_CASE("Choice: only what was sampled is computed") {
  const Counted a, b, inner;
  Network network({4}, [&](const Flow& x) {
    const auto nested = [&](const Flow& y) { return y | Choice{Identity{}, inner}; };
    return x | Choice{a, b, nested} | Linear{.out = 2};
  });
  const auto counts = [&] { return std::vector<int>{*a.count, *b.count, *inner.count}; };
  const Tensor batch = random_tensor<float>({3, 4}, 1);
  const auto run = [&](Network& net, Mode mode, std::uint64_t seed) {
    *a.count = *b.count = *inner.count = 0;
    Tape tape;
    const Var y = net.forward(tape.reference(batch), mode, Random(seed));
    net.zero_grad();
    tape.backward(ops::sum(y));
  };
  const auto space_of = [](Network& net, Sampling sampling) {
    return SearchSpace::install(net, {.choices = {.sampling = sampling}});
  };
  for (const Sampling sampling : {Sampling::hard_gumbel, Sampling::score, Sampling::argmax}) {
    Network net = network;
    const SearchSpace space = space_of(net, sampling);
    std::vector<int> all(3, 0);
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      run(net, Mode::training, seed);
      CHECK(*a.count + *b.count + *inner.count <= 1);
      for (std::size_t i = 0; i < 3; ++i) all[i] += counts()[i];
      const float sampled = *net.buffer(net.nodes()[space.axis<Choices>().node(1)].buffers[1]).data();
      if (sampling == Sampling::score) CHECK(sampled == (*a.count ? 0 : *b.count ? 1 : 2));
    }
    if (sampling != Sampling::argmax) CHECK((all[0] > 9 && all[1] > 9 && all[2] > 3));
    run(net, Mode::inference, 0);
    CHECK(counts() == std::vector<int>{1, 0, 0});
    Selection selection = space.full();
    selection["choices"] = {{1}, {2}};
    space.select(net, selection);
    for (std::uint64_t seed = 0; seed < 20; ++seed) run(net, Mode::training, seed);
    CHECK(counts() == std::vector<int>{0, 0, 1});
    CHECK(space.axis<Choices>().decided(net, 1) == 2);
  }
  for (const Sampling sampling : {Sampling::softmax, Sampling::gumbel}) {
    Network net = network;
    const SearchSpace space = space_of(net, sampling);
    run(net, Mode::training, 7);
    CHECK(counts() == std::vector<int>{1, 1, 1});
    run(net, Mode::inference, 7);
    CHECK(counts() == std::vector<int>{1, 0, 0});
  }
}

TEST_CASE("Choice: samples come as often as their probability says") {
  Network network({4}, [](const Flow& x) { return x | Choice{Relu{}, Tanh{}, Identity{}} | Linear{.out = 2}; });
  const SearchSpace space = SearchSpace::install(network);
  const Network::Node& node = network.nodes()[space.axis<Choices>().node(0)];
  network.parameter(node.parameters[0]).value.assign(std::vector<float>{0, 1, -0.5f});
  const std::vector<double> p = space.axis<Choices>().probabilities(network, 0);
  std::vector<double> share(3, 0);
  const Tensor batch = random_tensor<float>({1, 4}, 1);
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Tape tape;
    (void)network.forward(tape.reference(batch), Mode::training, Random(seed));
    share[static_cast<std::size_t>(*network.buffer(node.buffers[1]).data())] += 1.0 / 4000;
  }
  for (std::size_t i = 0; i < 3; ++i) CHECK(share[i] == Approx(p[i]).margin(0.03));
}

TEST_CASE("Choice: the score's gradient is that of the expected loss") {
  Network network({4}, [](const Flow& x) { return x | Choice{Relu{}, Tanh{}, Identity{}} | Linear{.out = 2}; });
  const SearchSpace space = SearchSpace::install(network);
  const Network::Node& node = network.nodes()[space.axis<Choices>().node(0)];
  Parameter& alpha = network.parameter(node.parameters[0]);
  alpha.value.assign(std::vector<float>{0.2f, -0.4f, 0.1f});
  const std::vector<double> p = space.axis<Choices>().probabilities(network, 0), loss{1, 3, 2};
  double mean = 0;
  for (std::size_t i = 0; i < 3; ++i) mean += p[i] * loss[i];
  std::vector<double> gradient(3, 0);
  for (std::size_t sample = 0; sample < 3; ++sample) {  // its expectation, sample by sample
    network.zero_grad();
    network.buffer(node.buffers[1]).fill(static_cast<float>(sample));
    space.axis<Choices>().learn(network, loss[sample] - 1.7);
    for (std::size_t i = 0; i < 3; ++i) gradient[i] += p[sample] * alpha.grad.data()[i];
  }
  for (std::size_t i = 0; i < 3; ++i) CHECK(gradient[i] == Approx(p[i] * (loss[i] - mean)).margin(1e-6));
  space.axis<Choices>().begin_step(network, {.random = Random()});
  network.zero_grad();
  space.axis<Choices>().learn(network, 5);
  for (std::size_t i = 0; i < 3; ++i) CHECK(alpha.grad.data()[i] == 0);
}

TEST_CASE("Choice: straight-through slopes reach alpha also where the largest is taken") {
  for (const Sampling sampling : {Sampling::argmax, Sampling::hard_gumbel, Sampling::softmax, Sampling::gumbel}) {
    Network network({4}, [](const Flow& x) { return x | Choice{Relu{}, Tanh{}, Identity{}} | Linear{.out = 2}; });
    const SearchSpace space = SearchSpace::install(network, {.choices = {.sampling = sampling}});
    Tape tape;
    const Tensor batch = random_tensor<float>({2, 4}, 1);
    tape.backward(ops::sum(network.forward(tape.reference(batch), Mode::training, Random(3))));
    const Parameter& alpha = network.parameter(network.nodes()[space.axis<Choices>().node(0)].parameters[0]);
    double sum = 0, most = 0;
    for (std::size_t i = 0; i < 3; ++i)
      sum += alpha.grad.data()[i], most = std::max<double>(most, std::abs(alpha.grad.data()[i]));
    CHECK(most > 1e-4);
    CHECK(sum == Approx(0).margin(1e-5));  // through a softmax
  }
}

TEST_CASE("Choice: temperatures cool, act, and are saved with the network") {
  Network network = three_ways();
  const SearchSpace space =
      SearchSpace::install(network, {.choices = {.sampling = Sampling::softmax, .temperature = 2, .cooling = 0.5}});
  const ChoiceOptions& options = space.axis<Choices>().options();
  CHECK(space.axis<Choices>().temperature(network) == 2);
  CHECK(options.temperature_at(2) == Approx(2 * std::exp(-1.0)));
  CHECK(options.temperature_at(100) == 0.1);
  network.parameter(network.nodes()[space.axis<Choices>().node(0)].parameters[0]).value.assign(std::vector<float>{1, 0, 0});
  const auto ratio = [&] {
    const auto p = space.axis<Choices>().probabilities(network, 0);
    return p[0] / p[1];
  };
  CHECK(ratio() == Approx(std::exp(0.5)));
  space.axis<Choices>().set_temperature(network, 0.25);
  CHECK(ratio() == Approx(std::exp(4)));
  State state;
  network.save(state);
  Network again = three_ways();
  const SearchSpace its = SearchSpace::install(again, {.choices = {.sampling = Sampling::softmax}});
  again.load(state);
  CHECK(its.axis<Choices>().temperature(again) == 0.25);
  CHECK_THROWS_AS(SearchSpace::install(network = three_ways(), {.choices = {.temperature = 0}}), ArgumentError);
  CHECK_THROWS_AS(SearchSpace::install(network = three_ways(), {.choices = {.one_hot_penalty = -1}}), ArgumentError);
}

TEST_CASE("Choice: the one-hot penalty is that of the formula, and pushes apart") {
  Network network = three_ways();
  const SearchSpace space = SearchSpace::install(network, {.choices = {.sampling = Sampling::softmax, .one_hot_penalty = 0.5}});
  Parameter& alpha = network.parameter(network.nodes()[space.axis<Choices>().node(0)].parameters[0]);
  alpha.value.assign(std::vector<float>{1, 0, -1});
  const auto p = space.axis<Choices>().probabilities(network, 0);
  double variance = 0;
  for (const double x : p) variance += (x - 1.0 / 3) * (x - 1.0 / 3) / 2;
  Tape tape;
  network.zero_grad();
  const Scalar penalty = space.axis<Choices>().penalty(tape, network);
  CHECK(penalty.value() == Approx(0.5 / 9 / (variance + 1e-3)).epsilon(1e-5));
  tape.backward({}, penalty);
  CHECK(alpha.grad.data()[0] < 0);
  CHECK(alpha.grad.data()[2] > 0);
}

TEST_CASE("Choice: a batch norm behind it folds into the alternatives that it can fold into") {
  const auto build = [](const auto& last) {
    return Network({6, 6, 4}, [&](const Flow& x) {
      const Flow y = x | Relu{} | Choice{Conv2d{.out = 4, .kernel = 3}, Conv2d{.out = 4}, last};
      return (y.named("choice") | BatchNorm{}).named("norm") | Relu{};
    });
  };
  const auto expected = [](Network network) {
    const SearchSpace space = SearchSpace::install(network);
    double bytes = 0;
    const auto weigh = [&](const auto& self, Selection selection, int choice, double probability) -> void {
      if (choice == space.axis<Choices>().count()) {
        bytes += probability * total(ModelSize{}, describe(network, space, selection));
        return;
      }
      for (const double p : space.axis<Choices>().probabilities(network, choice)) {
        self(self, selection, choice + 1, probability * p);
        ++selection["choices"][static_cast<std::size_t>(choice)][0];
      }
    };
    weigh(weigh, space.full(), 0, 1);
    Tape tape;
    const Architecture<Scalar> charged = describe(tape, network, space);
    CHECK(total(ModelSize{}, charged).value() == Approx(bytes).epsilon(1e-6));
    return charged.layers.back().kind == LayerKind::activation && charged.layers[charged.layers.size() - 2].batch_norm_folded;
  };
  CHECK(expected(build(Conv2d{.out = 4})));
  CHECK_FALSE(expected(build(Identity{})));
  CHECK(expected(build(Choice{Conv2d{.out = 4}, Conv2d{.out = 4, .kernel = 5}})));
  CHECK_FALSE(expected(build(Choice{Conv2d{.out = 4}, Identity{}})));
  // Behind batch norms that fold, and two in a row.
  const auto normed = [](const Flow& x) { return x | Conv2d{.out = 4} | BatchNorm{}; };
  const auto normed_twice = [](const Flow& x) { return x | Conv2d{.out = 4} | BatchNorm{} | BatchNorm{}; };
  const auto summed = [](const Flow& x) { return add(x, x | Conv2d{.out = 4}) | BatchNorm{}; };
  CHECK(expected(build(normed)));
  CHECK(expected(build(normed_twice)));
  CHECK_FALSE(expected(build(summed)));
  const auto twice = [](const auto& last) {
    return Network({6, 6, 4}, [&](const Flow& x) {
      return x | Relu{} | Choice{Conv2d{.out = 4, .kernel = 3}, last} | BatchNorm{} | BatchNorm{} | Relu{};
    });
  };
  CHECK(expected(twice(normed)));
  CHECK_FALSE(expected(twice(summed)));
  CHECK_FALSE(expected(Network({6, 6, 4}, [&](const Flow& x) {  // the choice has another reader
    const Flow y = x | Relu{} | Choice{Conv2d{.out = 4}, normed};
    const Flow z = y | BatchNorm{};
    return add(y, z) | BatchNorm{} | Relu{};
  })));
}

TEST_CASE("Choice: what cannot be is refused") {
  CHECK_THROWS_WITH(Network({4},
                            [](const Flow& x) {
                              Flow inner = x;
                              const auto keep = [&](const Flow& y) { return inner = (y | Linear{.out = 4}).named("inside"); };
                              const Flow y = (x | Choice{keep, Identity{}}).named("choice");
                              return add(y, (inner | Relu{}).named("thief"));
                            }),
                    ContainsSubstring("choice: expected nothing but it to read 'inside'") && ContainsSubstring("'thief' does"));
  Network network = three_ways();
  const SearchSpace once = SearchSpace::install(network);
  Network bare({4}, [](const Flow& x) { return x | Choice{Relu{}, Tanh{}}; });
  const SearchSpace first = SearchSpace::install(bare);
  CHECK_THROWS_WITH(SearchSpace::install(bare), ContainsSubstring("already samples"));
}
