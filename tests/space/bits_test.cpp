// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/bits.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "siena/cost/model_size.hpp"
#include "siena/cost/mpic.hpp"
#include "siena/space/choice.hpp"
#include "siena/space/compact.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "siena/space/freedom.hpp"
#include "siena/train/objective.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

namespace {
Network bit_network(Bits::Per per, std::vector<int> widths = {2, 4, 8}) {
  const Bits bits{.weights = std::move(widths), .per = per};
  return Network({6, 6, 3}, [&](Flow x) {
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .bias = false}, Channels{}, bits} | BatchNorm{} | Relu{};
    const Flow skipped = x;
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .groups = Conv2d::depthwise}, Channels{}, bits} | Relu{};
    x = add(skipped, x | Searchable{Conv2d{.out = 8}, Channels{}, bits});
    return x | GlobalAvgPool{} | Linear{.out = 3, .weight_bits = 8};
  });
}
/// Any architecture of a space.
Selection any_selection(const SearchSpace& space, std::uint64_t seed) {
  Selection selection = space.full();
  Random random(seed);
  for (std::vector<int>& group : selection["channels"]) {
    if (group.size() < 8) continue;
    for (int& on : group) on = random.uniform() < 0.6 ? 1 : 0;
    group[random.below(group.size())] = 1;
  }
  for (std::vector<int>& units : selection["bits"])
    for (int& width : units) width = static_cast<int>(random.below(3));
  return selection;
}
}  // namespace

TEST_CASE("bits: a masked network computes and costs what it is discretised to") {
  for (const auto per : {Bits::Per::layer, Bits::Per::channel}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Network network = bit_network(per);
      const SearchSpace space = SearchSpace::install(network);
      CHECK(space.selection(network) == space.full());
      const Selection selection = any_selection(space, seed);
      space.select(network, selection);
      CHECK(space.selection(network) == selection);
      Network found = discretize(network, space);
      CHECK(describe(network, space).layers == describe(found).layers);
      const Tensor x = random_tensor<float>({4, 6, 6, 3}, seed);
      const Tensor wide = network.predict(x), narrow = found.predict(x);
      for (std::int64_t r = 0; r < 4; ++r)
        for (std::size_t c = 0; c < 3; ++c) CHECK(wide.row(r)[c] == Approx(narrow.row(r)[c]).epsilon(1e-4).margin(1e-6));
      for (const Network::Node& node : found.nodes()) {
        if (const auto* conv = node.layer.get_if<Conv2d>()) CHECK_FALSE(conv->weight_bits.none());
      }
    }
  }
}

namespace {
/// Gradients of all parameters, and what was measured, after a step; by name. Those of channel masks are left out: the masked
/// network measures them by the weights, the compact one by what those are in few bits.
using AfterStep = std::map<std::string, std::vector<float>>;
Loss squares(Tape& tape, Network& network, const Tensor& x) {
  const Var y = network.forward(tape.reference(x), Mode::training);
  return {.task = ops::sum(ops::multiply(y, y))};
}
AfterStep after_step(Network& network) {
  AfterStep step;
  for (Parameter* parameter : network.parameters()) parameter->grad.copy_to(step[parameter->name]);
  for (int b = 0; b < network.buffer_count(); ++b) network.buffer(b).copy_to(step[network.buffer_name(b)]);
  std::erase_if(step, [](const auto& entry) { return entry.first.starts_with("mask."); });
  return step;
}
void check_near(const AfterStep& a, const AfterStep& b) {
  REQUIRE(a.size() == b.size());
  for (const auto& [name, values] : a) {
    INFO(name);
    for (std::size_t k = 0; k < values.size(); ++k) CHECK(values[k] == Approx(b.at(name)[k]).epsilon(2e-3).margin(2e-4));
  }
}
AfterStep of_bits(AfterStep step) {
  std::erase_if(step, [](const auto& entry) { return !entry.first.starts_with("bits."); });
  return step;
}
}  // namespace

TEST_CASE("bits: a compact step has the gradients of the masked network, and measures what widths are worth") {
  for (const auto per : {Bits::Per::layer, Bits::Per::channel}) {
    for (const bool whole : {true, false}) {
      Network wide = bit_network(per);
      const SearchSpace space = SearchSpace::install(wide);
      Selection selection = any_selection(space, 3);
      if (whole) selection["channels"] = space.full()["channels"];
      space.select(wide, selection);
      Network searched = wide;
      const Tensor x = random_tensor<float>({8, 6, 6, 3}, 1);
      Tape tape;
      tape.backward(squares(tape, wide, x).task, 0);
      CompactNetwork compact(space);
      Network& narrow = compact.update(searched);
      Tape other;
      other.backward(squares(other, narrow, x).task, 0);
      compact.return_gradients(searched, 8);
      const AfterStep a = after_step(wide), b = after_step(searched);
      if (whole) {
        check_near(a, b);
      } else {
        REQUIRE(!of_bits(a).empty());
        check_near(of_bits(a), of_bits(b));
      }
      const BitMasks& bits = space.axis<BitMasks>();
      std::vector<double> worth(2, 0);
      for (std::size_t unit = 0; unit < selection["bits"][2].size(); ++unit)
        for (int step = 0; step < 2; ++step) worth[static_cast<std::size_t>(step)] += bits.importance(searched, 2, unit, step);
      CHECK(worth[1] > 0);
      CHECK(worth[1] < worth[0]);  // from 4 to 8 bits changes less than from 2 to 4
    }
  }
}

TEST_CASE("bits: what a search is charged is the exact cost, with the slope of every width and channel") {
  for (const auto per : {Bits::Per::layer, Bits::Per::channel}) {
    Network network = bit_network(per);
    const SearchSpace space = SearchSpace::install(network);
    const Selection selection = any_selection(space, 5);
    space.select(network, selection);
    const Architecture<double> exact = describe(network, space);
    Tape tape;
    const Architecture<Scalar> charged = describe(tape, network, space);
    CHECK(total(Mpic{}, charged).value() == Approx(total(Mpic{}, exact)));
    const Scalar size = total(ModelSize{}, charged);
    CHECK(size.value() == Approx(total(ModelSize{}, exact)));
    network.zero_grad();
    tape.backward({}, size);
    // One channel more of the first layer is 27 weights of its bits, and 8 weights of the last layer's; a step from 2 to 4 bits
    // of a channel of the first layer is 27 weights' 2 bits.
    for (Parameter* parameter : network.parameters(Role::architecture)) {
      if (parameter->name != "bits.conv2d_1.alpha") continue;
      const int group = space.axis<ChannelMasks>().channels().runs(1)[0].group;
      const double channels = static_cast<double>(ChannelMasks::count(selection, group));
      if (per == Bits::Per::layer) {
        CHECK(parameter->grad.row(0)[0] == Approx(27 * channels * 2 / 8.0));
        CHECK(parameter->grad.row(0)[1] == Approx(27 * channels * 4 / 8.0));
      } else {
        for (std::size_t c = 0; c < 8; ++c) {
          const bool on = selection["channels"][static_cast<std::size_t>(group)][c] != 0;
          CHECK(parameter->grad.row(0)[2 * c] == Approx(on ? 27 * 2 / 8.0 : 0));
          CHECK(parameter->grad.row(0)[2 * c + 1] == Approx(on ? 27 * 4 / 8.0 : 0));
        }
      }
    }
  }
}

TEST_CASE("bits: moves take steps of what is there, and come back") {
  for (const auto per : {Bits::Per::layer, Bits::Per::channel}) {
    Network network = bit_network(per);
    const SearchSpace space = SearchSpace::install(network);
    const BitMasks& bits = space.axis<BitMasks>();
    Selection all = space.full();
    const int group = space.axis<ChannelMasks>().channels().runs(1)[0].group;
    all["channels"][static_cast<std::size_t>(group)] = {1, 0, 0, 1, 0, 0, 0, 1};
    AxisState state = all["bits"];
    const AxisState before = state;
    int moves = 0;
    bits.for_each_move(network, all, state, Direction::away, [&](const AxisMove& move) {
      ++moves;
      CHECK(move.steps == move.size);
      for (std::size_t i = 0; i < state.size(); ++i)
        for (std::size_t u = 0; u < state[i].size(); ++u)
          if (state[i][u] != before[i][u] && state[i].size() > 1) CHECK((u == 0 || u == 3 || u == 7));
      return true;
    });
    CHECK(moves == 3 * (per == Bits::Per::layer ? 2 : 3));
    CHECK(state == before);
    bits.for_each_move(network, all, state, Direction::back, [&](const AxisMove&) { return ++moves < 0; });
    CHECK(moves == 3 * (per == Bits::Per::layer ? 2 : 3));  // there is no more
    CHECK(freedom(network, space)
              .to_string()
              .find(per == Bits::Per::layer ? "weights of 2, 4 or 8 bits" : "2, 4 or 8 bits, each channel its own") !=
          std::string::npos);
  }
}

TEST_CASE("bits: the first layers, one of which is chosen, and the last have 8") {
  const Network network({6, 6, 3}, [](Flow x) {
    x = x | Choice{Conv2d{.out = 4, .kernel = 3}, Conv2d{.out = 4}} | Relu{} | Conv2d{.out = 4} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 3};
  });
  std::vector<int> bits;
  const Network two = with_bits(network, {.weights = {2}});
  for (const Network::Node& node : two.nodes())
    if (!weight_bits_of(node.layer).none()) bits.push_back(weight_bits_of(node.layer)[0]);
  CHECK(bits == std::vector<int>{8, 8, 2, 8});
}

TEST_CASE("bits: a layer as a whole begins with the most that any of its outputs has") {
  Network network({4}, [](Flow x) {
    return x | Searchable{Linear{.out = 3, .weight_bits = {2, 8, 4}}, Bits{}} |
           Searchable{Linear{.out = 2, .weight_bits = 2}, Bits{.weights = {4, 8}}};
  });
  const SearchSpace space = SearchSpace::install(network);
  CHECK(space.selection(network)["bits"] == AxisState{{2}, {0}});
}

TEST_CASE("bits: what was found is searched further from the bits that it has") {
  Network network = bit_network(Bits::Per::channel);
  const SearchSpace space = SearchSpace::install(network);
  Selection selection = any_selection(space, 9);
  selection["channels"] = space.full()["channels"];
  space.select(network, selection);
  Network found = discretize(network, space);
  const Tensor x = random_tensor<float>({2, 6, 6, 3}, 2);
  const Tensor before = found.predict(x);
  const SearchSpace again = SearchSpace::install(found);
  AxisState in_order = selection["bits"];  // there is one group of channels, and the largest layer says how it goes
  std::vector<std::size_t> order(8);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    for (const std::size_t layer : {0, 1, 2})  // as large: 3 * 3 * 3, 3 * 3 and 8 weights a channel
      if (in_order[layer][a] != in_order[layer][b]) return in_order[layer][a] > in_order[layer][b];
    return false;
  });
  for (std::size_t layer = 0; layer < 3; ++layer)
    for (std::size_t c = 0; c < 8; ++c) in_order[layer][c] = selection["bits"][layer][order[c]];
  CHECK(in_order != selection["bits"]);
  CHECK(again.selection(found)["bits"] == in_order);
  const Tensor after = found.predict(x);
  for (std::int64_t r = 0; r < 2; ++r)
    for (std::size_t c = 0; c < 3; ++c) CHECK(before.row(r)[c] == after.row(r)[c]);
}

TEST_CASE("bits: channels that are read elsewhere, too, or in their order, are ordered for all or not at all") {
  const Network network({4, 4, 2}, [](Flow x) {
    const Flow small = x | Conv2d{.out = 4, .weight_bits = {2, 8, 2, 8}};
    const Flow large = x | Conv2d{.out = 4, .kernel = 3, .weight_bits = {2, 4, 8, 4}};
    const Flow both = concat({x | Conv2d{.out = 3, .weight_bits = {2, 3, 4}}, add(small, large)});
    return both | Conv2d{.out = 6, .groups = 1, .weight_bits = {3, 2, 8, 2, 3, 8}} |
           Conv2d{.out = 6, .groups = 2, .weight_bits = {4, 4, 2, 2, 3, 8}} | GlobalAvgPool{} |
           Linear{.out = 3, .weight_bits = {2, 8, 4}};
  });
  Network whole = network;
  const SearchSpace space = SearchSpace::install(whole);
  Network found = discretize(whole, space);
  std::vector<std::vector<int>> bits;
  for (const auto& node : found.nodes())
    if (const WeightBits its = weight_bits_of(node.layer); !its.none()) bits.push_back(its.list());
  CHECK(bits == std::vector<std::vector<int>>{{2, 8, 8, 2},  // goes with the larger one
                                              {8, 4, 4, 2},
                                              {4, 3, 2},
                                              {2, 3, 8, 3, 2, 8},  // groups go as wholes
                                              {2, 3, 8, 4, 4, 2},
                                              {2, 8, 4}});  // outputs
  const Tensor x = random_tensor<float>({2, 4, 4, 2}, 5);
  Network before = network;
  const Tensor a = before.predict(x), b = found.predict(x);
  for (std::int64_t r = 0; r < 2; ++r)
    for (std::size_t c = 0; c < 3; ++c) CHECK(a.row(r)[c] == Approx(b.row(r)[c]).epsilon(1e-4).margin(1e-6));
}

TEST_CASE("bits: given to all layers but the first and the last, which have 8") {
  const Network plain({6, 6, 3}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3}, Channels{.minimum = 2}} | Relu{};
    x = x | Searchable{Conv2d{.out = 8}, Channels{.minimum = 3}} | Relu{} | Conv2d{.out = 8, .weight_bits = 5} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 3};
  });
  Network network = with_bits(plain, {.weights = {3, 4}});
  CHECK(weight_bits_of(network.nodes()[1].layer) == 8);
  CHECK(weight_bits_of(network.nodes()[3].layer).none());
  CHECK(spec_of<Bits>(network.nodes()[3].decoration)->weights == std::vector{3, 4});
  CHECK(spec_of<Channels>(network.nodes()[3].decoration)->minimum == 3);
  CHECK(weight_bits_of(network.nodes()[5].layer) == 5);
  CHECK(spec_of<Bits>(network.nodes()[5].decoration) == nullptr);
  CHECK(weight_bits_of(network.nodes()[8].layer) == 8);
  const SearchSpace space = SearchSpace::install(network);
  CHECK(total(ModelSize{}, describe(network, space)) == (27 * 8 + 64 * 4 / 8. + 64 * 5 / 8. + 24) + 27 * 4);
  const Network own({6, 6, 3}, [](Flow x) {  // each says what bits it may have
    const Bits few{.weights = {2, 8}};
    for (int layer = 0; layer < 3; ++layer) x = x | Searchable{Conv2d{.out = 4}, few} | Relu{};
    return x;
  });
  for (const std::vector<int>& others : {std::vector{4}, {3, 4}}) {
    const Network left = with_bits(own, {.weights = others});
    for (const int node : {1, 3, 5}) {
      CHECK(weight_bits_of(left.nodes()[node].layer).none());
      CHECK(spec_of<Bits>(left.nodes()[node].decoration)->weights == std::vector{2, 8});
    }
  }
  CHECK_THROWS_WITH(with_bits(plain, {.weights = {4, 2}}),
                    "conv2d_2: Bits: expected widths from 2 to 8 that rise, such as 2, 4, got 4, 2");
  CHECK_THROWS_WITH(with_bits(plain, {.weights = {}}), "conv2d_2: Bits: expected at least one width, got none");
}
