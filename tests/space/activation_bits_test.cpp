// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/activation_bits.hpp"

#include <map>
#include <string>
#include <vector>

#include "siena/cost/as_deployed.hpp"
#include "siena/cost/layer_memory.hpp"
#include "siena/cost/mpic.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/cost/ram.hpp"
#include "siena/space/bits.hpp"
#include "siena/space/choice.hpp"
#include "siena/space/compact.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "siena/space/freedom.hpp"
#include "siena/space/resolution.hpp"
#include "siena/train/objective.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

namespace {
Network plain_network() {
  return Network({8, 8, 3}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .bias = false}, Channels{}} | BatchNorm{} | Relu{};
    const Flow skipped = x;
    x = x | MaxPool{.kernel = 3, .stride = 1, .padding = 1};
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .bias = false}, Channels{}, Bits{}} | BatchNorm{};
    x = add(skipped, x) | Relu{};
    x = x | Searchable{Conv2d{.out = 6, .kernel = 3, .stride = 2}, Channels{}} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 3};
  });
}
Network levelled_network() { return with_activation_bits(plain_network(), {}); }

Selection any_architecture(const SearchSpace& space, std::uint64_t seed) {
  Selection selection = space.full();
  Random random(seed);
  for (std::vector<int>& group : selection["channels"]) {
    if (group.size() < 6) continue;
    for (int& on : group) on = random.uniform() < 0.7 ? 1 : 0;
    group[random.below(group.size())] = 1;
  }
  for (const char* axis : {"bits", "activation_bits"})
    for (std::vector<int>& widths : selection[axis]) widths[0] = static_cast<int>(random.below(3));
  return selection;
}
const LayerDesc<double>& layer_called(const Architecture<double>& network, const std::string& name) {
  for (const auto& layer : network.layers)
    if (layer.name == name) return layer;
  FAIL("no layer " << name);
  return network.layers[0];
}
}  // namespace

TEST_CASE("activation bits: where values are handed on, from 0 on behind a ReLU, as many where they meet") {
  Network network = levelled_network();
  std::map<std::string, bool> from_zero;
  for (const Network::Node& node : network.nodes()) {
    if (const auto* levels = node.layer.get_if<FakeQuantize>()) from_zero[node.name] = levels->from_zero();
  }
  CHECK(from_zero == std::map<std::string, bool>{{"relu_1.levels", true},
                                                 {"batch_norm_2.levels", false},
                                                 {"relu_2.levels", true},
                                                 {"relu_3.levels", true},
                                                 {"global_avg_pool_1.levels", true}});
  const SearchSpace space = SearchSpace::install(network);
  CHECK(space.full()["activation_bits"].size() == 4);  // relu_1 and batch_norm_2 meet
  Selection selection = space.full();
  selection["activation_bits"][0] = {0};
  const Architecture<double> described = describe(network, space, selection);
  CHECK(layer_called(described, "conv2d_1").output_bits == 2);  // along with its batch norm and ReLU
  CHECK(layer_called(described, "max_pool_1").output_bits == 2);
  CHECK(layer_called(described, "conv2d_2").input_bits == 2);
  CHECK(layer_called(described, "conv2d_2").output_bits == 2);
  CHECK(layer_called(described, "add_1").input_bits == 2);
  CHECK(layer_called(described, "add_1").output_bits == 8);
  CHECK(layer_called(described, "conv2d_1").input_bits == 8);
  CHECK(layer_called(described, "linear_1").output_bits == 8);
  const std::string text = freedom(network, space).to_string();
  CHECK(text.find("values of 2, 4 or 8 bits, as batch_norm_2.levels") != std::string::npos);
}

TEST_CASE("activation bits: a network with gates computes and costs what it is discretised to") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Network network = levelled_network();
    const SearchSpace space = SearchSpace::install(network);
    CHECK(space.selection(network) == space.full());
    const Selection selection = any_architecture(space, seed);
    space.select(network, selection);
    CHECK(space.selection(network) == selection);
    Network found = discretize(network, space);
    CHECK(describe(network, space).layers == describe(found).layers);
    const Tensor x = random_tensor<float>({4, 8, 8, 3}, seed);
    const Tensor wide = network.predict(x), narrow = found.predict(x);
    int unequal = 0;  // a number just between two levels falls to either side, by the order of its sum
    for (std::int64_t r = 0; r < 4; ++r) {
      bool alike = true;
      for (std::size_t c = 0; c < 3; ++c)
        alike = alike && wide.row(r)[c] == Approx(narrow.row(r)[c]).epsilon(1e-4).margin(1e-5);
      unequal += alike ? 0 : 1;
    }
    CHECK(unequal <= 1);
    CHECK(found.parameters(Role::architecture).empty());
    for (const Network::Node& node : found.nodes()) CHECK(node.gates.empty());
  }
}

namespace {
using NumbersByName = std::map<std::string, std::vector<float>>;
Loss sum_of_squares(Tape& tape, Network& network, const Tensor& x) {
  const Var y = network.forward(tape.reference(x), Mode::training);
  return {.task = ops::sum(ops::multiply(y, y))};
}
/// Gradients and what was measured, but for what the masked network measures by other weights.
NumbersByName numbers_after(Network& network) {
  NumbersByName numbers;
  for (Parameter* parameter : network.parameters()) parameter->grad.copy_to(numbers[parameter->name]);
  for (int b = 0; b < network.buffer_count(); ++b) network.buffer(b).copy_to(numbers[network.buffer_name(b)]);
  std::erase_if(numbers, [](const auto& entry) { return entry.first.starts_with("mask."); });
  return numbers;
}
}  // namespace

TEST_CASE("activation bits: a compact step has the gradients of the whole network, and measures what widths are worth") {
  Network wide = levelled_network();
  const SearchSpace space = SearchSpace::install(wide);
  Selection selection = any_architecture(space, 3);
  selection["channels"] = space.full()["channels"];
  space.select(wide, selection);
  Network searched = wide;
  const Tensor x = random_tensor<float>({8, 8, 8, 3}, 1);
  Tape tape;
  tape.backward(sum_of_squares(tape, wide, x).task, 0);
  CompactNetwork compact(space);
  Network& narrow = compact.update(searched);
  Tape other;
  other.backward(sum_of_squares(other, narrow, x).task, 0);
  compact.return_gradients(searched, 8);
  const NumbersByName a = numbers_after(wide), b = numbers_after(searched);
  REQUIRE(a.size() == b.size());
  for (const auto& [name, values] : a) {
    INFO(name);
    for (std::size_t k = 0; k < values.size(); ++k) CHECK(values[k] == Approx(b.at(name)[k]).epsilon(2e-3).margin(2e-4));
  }
  const auto& masks = space.axis<ActivationBitMasks>();
  std::vector<double> worth(2, 0);
  for (std::size_t i = 0; i < 4; ++i)
    for (int step = 0; step < 2; ++step) worth[static_cast<std::size_t>(step)] += masks.importance(searched, i, step);
  CHECK(worth[1] > 0);
  CHECK(worth[1] < worth[0]);  // from 4 to 8 bits changes less than from 2 to 4
  // Where the widths change the same compact network goes on.
  const Network* before = &narrow;
  selection["activation_bits"][0] = {2};
  space.select(searched, selection);
  CHECK(&compact.update(searched) == before);
}

TEST_CASE("activation bits: what a search is charged is the exact cost, with the slope of every width") {
  Network network = levelled_network();
  const SearchSpace space = SearchSpace::install(network);
  const Selection selection = any_architecture(space, 5);
  space.select(network, selection);
  const Architecture<double> exact = describe(network, space);
  Tape tape;
  const Architecture<Scalar> charged = describe(tape, network, space);
  CHECK(total(Mpic{}, charged).value() == Approx(total(Mpic{}, exact)));
  CHECK(total(PeakMemory{}, charged).value() == Approx(total(PeakMemory{}, exact)));
  CHECK(total(LayerMemory{}, charged).value() == Approx(total(LayerMemory{}, exact)));
  network.zero_grad();
  Scalar bits = 0;  // those that reach and leave the layers
  for (const auto& layer : charged.layers) bits += layer.input_bits + layer.output_bits;
  tape.backward({}, bits);
  const Selection all = space.full();
  for (const Parameter* parameter : network.parameters(Role::architecture)) {
    if (!parameter->name.starts_with("relu_2.levels")) continue;
    // Of add, ReLU and FakeQuantize, one way and the other, and into the convolution: steps of 2 and 4 bits.
    CHECK(parameter->grad.row(0)[0] == Approx(2 * 6));
    CHECK(parameter->grad.row(0)[1] == Approx(4 * 6));
  }
  // C that is written for a device keeps a byte a value, and holds those of few bits in their range.
  for (const auto& layer : as_deployed(describe(network, space, space.smallest())).layers) {
    CHECK((layer.input_bits == 8 && layer.output_bits == 8));
    const bool few = layer.name == "conv2d_1" || layer.name == "conv2d_2" || layer.name == "add_1" ||
                     layer.name == "conv2d_3" || layer.name == "global_avg_pool_1";
    CHECK((layer.operation == "clip") == few);
  }
  CHECK(total(Ram{}, describe(network, space, selection)) <= total(Ram{}, describe(network, space, all)));
  Selection fewest = all;
  fewest["activation_bits"] = space.smallest()["activation_bits"];
  CHECK(total(Ram{}, describe(network, space, fewest)) == total(Ram{}, describe(network, space, all)));
  CHECK(total(PeakMemory{}, describe(network, space, fewest)) < 0.5 * total(PeakMemory{}, describe(network, space, all)));
}

TEST_CASE("activation bits: moves take steps of one value after the other, and come back") {
  Network network = levelled_network();
  const SearchSpace space = SearchSpace::install(network);
  const auto& masks = space.axis<ActivationBitMasks>();
  const Selection all = space.full();
  AxisState state = all["activation_bits"];
  std::vector<AxisState> seen;
  const auto look = [&](const AxisMove&) {
    seen.push_back(state);
    return true;
  };
  masks.for_each_move(network, all, state, Direction::away, look);
  CHECK(seen.size() == 2 * state.size());
  CHECK(seen[1] == AxisState{{0}, {2}, {2}, {2}});
  CHECK(state == all["activation_bits"]);
  masks.for_each_move(network, all, state, Direction::back, look);
  CHECK(seen.size() == 2 * state.size());  // there is no more
  // Alphas of values that meet are brought together.
  std::vector<Parameter*> alphas = network.parameters(Role::architecture);
  std::erase_if(alphas, [](const Parameter* p) {
    return !p->name.starts_with("relu_1.levels") && !p->name.starts_with("batch_norm_2.levels");
  });
  REQUIRE(alphas.size() == 2);
  alphas[0]->value.row(0)[0] = 0.75f, alphas[0]->value.row(0)[1] = 0.25f;
  space.project(network);
  CHECK(alphas[0]->value.row(0)[0] == 0.875f);
  CHECK(alphas[1]->value.row(0)[0] == 0.875f);
  CHECK(alphas[1]->value.row(0)[1] == 0.625f);
}

TEST_CASE("activation bits: of what is rounded by itself, however it is followed") {
  const auto bits_in = [](auto&& layers) {
    const Network plain({8, 8, 2}, [&](Flow x) { return layers(x) | GlobalAvgPool{} | Linear{.out = 3}; });
    std::map<std::string, double> bits;
    const Network few = with_activation_bits(plain, {.widths = {4}});
    for (const auto& layer : describe(few).layers)
      if (!layer.name.ends_with(".levels")) bits[layer.name] = layer.output_bits;
    for (const Network::Node& node : few.nodes())
      if (const auto* levels = node.layer.get_if<FakeQuantize>()) bits[node.name] = levels->range();
    return bits;
  };
  auto bits = bits_in([](Flow x) { return x | Conv2d{.out = 4, .kernel = 3} | Relu{} | BatchNorm{}; });
  CHECK((bits.contains("relu_1.levels") && bits.contains("batch_norm_1.levels")));  // that does not fold
  bits = bits_in([](Flow x) { return x | Conv2d{.out = 4, .kernel = 3} | MaxPool{} | Relu{}; });
  CHECK((bits.contains("conv2d_1.levels") && bits.contains("relu_1.levels")));
  CHECK((bits["conv2d_1"] == 4 && bits["max_pool_1"] == 4 && bits["relu_1"] == 4));
  bits = bits_in([](Flow x) { return x | Conv2d{.out = 4, .kernel = 3} | Sigmoid{}; });
  CHECK(bits["sigmoid_1.levels"] == Approx(1));
  CHECK(bits["conv2d_1.levels"] == Approx(12));
  bits = bits_in([](Flow x) { return concat({x | Conv2d{.out = 4} | Relu{}, x | Conv2d{.out = 2}}) | Conv2d{.out = 2}; });
  CHECK((bits["conv2d_1"] == 8 && bits["relu_1"] == 8 && bits["conv2d_2"] == 8 && bits["conv2d_3"] == 4));
}

TEST_CASE("activation bits: values that meet move by the gradients of all") {
  Network network = levelled_network();
  const SearchSpace space = SearchSpace::install(network);
  Tape tape;
  Scalar bits = 0;
  for (const auto& layer : describe(tape, network, space).layers) bits += layer.output_bits;
  network.zero_grad();
  tape.backward({}, bits);
  std::vector<const Parameter*> meet;
  for (const Parameter* parameter : network.parameters(Role::architecture))
    if (parameter->name.starts_with("relu_1.levels") || parameter->name.starts_with("batch_norm_2.levels"))
      meet.push_back(parameter);
  REQUIRE(meet.size() == 2);
  const_cast<Parameter*>(meet[1])->grad.row(0)[0] += 3;  // of its own
  const float all = meet[0]->grad.row(0)[0] + meet[1]->grad.row(0)[0];
  for (const AnyAxis& axis : space.axes()) axis->join_gradients(network);
  CHECK((all > 3 && meet[0]->grad.row(0)[0] == all && meet[1]->grad.row(0)[0] == all));
}

TEST_CASE("activation bits: what cannot be is refused by name") {
  const auto build = [](const ActivationBits& bits) { return Network({4}, [&](Flow x) { return x | Relu{} | bits; }); };
  CHECK_THROWS_WITH(build({.widths = {}}), "ActivationBits: expected at least one width, got none");
  CHECK_THROWS_WITH(build({.widths = {4, 2}}), "ActivationBits: expected widths from 2 to 8 that rise, such as 2, 4, got 4, 2");
  CHECK_THROWS_WITH(build({.widths = {4, 9}}), "ActivationBits: expected widths from 2 to 8 that rise, such as 2, 4, got 4, 9");
  CHECK_THROWS_WITH(build({.range = 0}), "ActivationBits: expected a finite range above 0, got 0");
  Network others({4}, [](Flow x) {
    const Flow y = x | Linear{.out = 4} | Relu{} | ActivationBits{.widths = {2, 4}};
    return add(y, x | Linear{.out = 4} | ActivationBits{.widths = {4, 8}}) | Linear{.out = 2};
  });
  CHECK_THROWS_WITH(SearchSpace::install(others),
                    "ActivationBits: expected the same widths where values meet, got others of 'fake_quantize_2' than of "
                    "'fake_quantize_1'");
  const auto searched = [](auto&& last) {
    Network network({8, 8, 2}, [&](Flow x) { return last(x | Conv2d{.out = 4, .kernel = 3} | Relu{}) | Conv2d{.out = 2}; });
    (void)SearchSpace::install(network);
  };
  CHECK_THROWS_WITH(
      searched([](const Flow& x) { return x | MaxPool{} | ActivationBits{}; }),
      "ActivationBits: 'fake_quantize_1': expected a value that a layer computes, got one that 'max_pool_1' hands "
      "on, or may; put them in front of that");
  CHECK_THROWS_WITH(searched([](const Flow& x) { return add(x, x | ActivationBits{}); }),
                    "ActivationBits: 'fake_quantize_1': expected a value that nothing else reads, got 'relu_1' with 2 readers; "
                    "put them in front of all of these");
  Network of_input({4}, [](const Flow& x) { return x | ActivationBits{} | Linear{.out = 2}; });
  CHECK_THROWS_WITH(SearchSpace::install(of_input),
                    "ActivationBits: 'fake_quantize_1': expected a value that a layer computes, got the input of the network, "
                    "which has 8 bits; leave them away");
  CHECK_THROWS_AS(searched([](const Flow& x) { return x | Resolution{} | ActivationBits{}; }), ArgumentError);
  CHECK_THROWS_AS(searched([](const Flow& x) {
                    return x | Choice{Conv2d{.out = 4}, Identity{}} | ActivationBits{};
                  }),
                  ArgumentError);
  CHECK_NOTHROW(searched([](const Flow& x) {
    return x | Choice{Conv2d{.out = 4}, Conv2d{.out = 4, .kernel = 3}} | ActivationBits{};
  }));
  CHECK_THROWS_WITH(with_activation_bits(levelled_network(), {}),
                    "with_activation_bits: expected a network whose values have no levels yet, got one with "
                    "'global_avg_pool_1.levels'; values that were given bits keep them");
  Network twice = build({});
  const SearchSpace space = SearchSpace::install(twice);
  CHECK_THROWS_WITH(SearchSpace::install(twice),
                    "ActivationBits: expected a network without a search space, got one that has it; it serves all copies");
  const Network one = build({.widths = {4}});
  CHECK(one.nodes().back().layer.get<FakeQuantize>().bits == 4);
  CHECK(one.nodes().back().layer.get<FakeQuantize>().widths.empty());
}
