// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/peak_memory.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "siena/cost/arena.hpp"
#include "siena/cost/validate.hpp"
#include "siena/space/describe.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"
#include "support/random_network.hpp"

using namespace siena;

namespace {

double peak_bytes(const Architecture<double>& net) { return total(PeakMemory{}, net); }

/// Runs a network of whole presences with an arena of counted blocks, as an interpreter would.
class Arena {
 public:
  explicit Arena(const Architecture<double>& net, double input) : net_(net) {
    blocks_[-1] = {.bytes = input};
    value_[-1] = -1;
    for (int i = 0; i < size(); ++i) {
      if (layer(i).presence == 0) continue;
      const std::set<int> in = inputs(i);
      const bool alone = all(i).size() == 1;
      if (alone && (layer(i).kind == LayerKind::flatten || of_two(i))) {
        value_[i] = *in.begin();
      } else {
        value_[i] = i;
        blocks_[i] = {.bytes = layer(i).output_elements() * layer(i).output_bits / 8};
      }
      for (const int block : in) ++blocks_[block].users;
    }
    for (int i = 0; i < size(); ++i) {
      const bool read = std::any_of(net.layers.begin(), net.layers.end(), [&](const auto& l) {
        return std::find(l.producers.begin(), l.producers.end(), i) != l.producers.end();
      });
      if (!read && value_.count(i) > 0) ++blocks_[value_[i]].users;  // whoever takes the output
    }
  }

  double run() {
    double live = blocks_[-1].users > 0 ? blocks_[-1].bytes : 0, peak = 0;
    for (int i = 0; i < size(); ++i) {
      if (value_.count(i) == 0) continue;
      const std::set<int> in = inputs(i);
      double drop = 0;
      for (const int block : in) drop += blocks_[block].users == 1 ? blocks_[block].bytes : 0;
      if (value_[i] == i) {
        const double bytes = blocks_[i].bytes;
        const auto& kind = layer(i).kind;
        const bool elementwise = kind == LayerKind::activation || kind == LayerKind::batch_norm || of_two(i);
        const bool over = layer(i).in_place.value_or(elementwise);
        const int first = all(i).empty() ? -2 : all(i)[0];
        const bool in_place = over && first > -2 && blocks_[first].users == 1;
        peak = std::max(peak, in_place ? live - blocks_[first].bytes + std::max(bytes, blocks_[first].bytes) : live + bytes);
        live += blocks_[i].users > 0 ? bytes : 0;
      }
      for (const int block : in) --blocks_[block].users;
      live -= drop;
    }
    return peak;
  }

 private:
  struct Block {
    double bytes = 0;
    int users = 0;
  };
  int size() const { return static_cast<int>(net_.layers.size()); }
  const LayerDesc<double>& layer(int i) const { return net_.layers[static_cast<std::size_t>(i)]; }
  bool of_two(int i) const { return layer(i).kind == LayerKind::add || layer(i).kind == LayerKind::multiply; }
  /// Blocks that a layer reads, one per input that is there.
  std::vector<int> all(int i) {
    std::vector<int> blocks;
    for (const int producer : layer(i).producers) {
      if (value_.count(producer) > 0) blocks.push_back(value_[producer]);
    }
    return blocks;
  }
  std::set<int> inputs(int i) {
    const auto blocks = all(i);
    return {blocks.begin(), blocks.end()};
  }

  const Architecture<double>& net_;
  std::map<int, Block> blocks_;
  std::map<int, int> value_;  // of layers that are there: their block
};

LayerDesc<double> plain(LayerKind kind, std::string name, double channels, std::vector<int> producers) {
  LayerDesc<double> layer{.kind = kind, .name = std::move(name), .producers = std::move(producers)};
  layer.in_channels = layer.out_channels = channels;
  layer.in_height = layer.out_height = 2, layer.in_width = layer.out_width = 5;
  return layer;
}

/// Layers of any kind that read any values before them; some are not there.
Architecture<double> random_graph(Random& random) {
  Architecture<double> net;
  const auto below = [&](int n) { return static_cast<int>(random.below(static_cast<std::uint64_t>(n))); };
  constexpr LayerKind kinds[] = {LayerKind::conv2d,    LayerKind::linear,  LayerKind::activation, LayerKind::add,
                                 LayerKind::flatten,   LayerKind::pool,    LayerKind::batch_norm, LayerKind::concat,
                                 LayerKind::rearrange, LayerKind::multiply};
  const int layers = 1 + below(14);
  for (int i = 0; i < layers; ++i) {
    auto layer = plain(kinds[below(10)], "layer", 1 + below(9), {});
    const bool many = layer.kind == LayerKind::add || layer.kind == LayerKind::concat;
    for (int k = layer.kind == LayerKind::multiply ? 2 : many ? 2 + below(2) : 1; k > 0; --k)
      layer.producers.push_back(std::max(-1, i - 1 - below(4)));
    layer.output_bits = 2 << below(3);
    layer.presence = random.chance(0.25) ? 0 : 1;
    net.layers.push_back(layer);
  }
  net.layers.push_back(plain(LayerKind::conv2d, "first", 3, {-1}));  // says what the input is
  std::rotate(net.layers.begin(), net.layers.end() - 1, net.layers.end());
  for (auto it = net.layers.begin() + 1; it != net.layers.end(); ++it) {
    for (int& producer : it->producers) ++producer;
  }
  return net;
}

}  // namespace

TEST_CASE("peak memory: a residual connection is kept while its block runs", "[cost]") {
  CHECK(peak_bytes(test::resnet8()) == 3 * 16384);
  CHECK(peak_bytes(test::ds_cnn()) == 16000);  // a chain whose layers name no producers
  CHECK(peak_bytes({}) == 0);
  CHECK(peak_bytes({{test::conv("", {.in = 3, .out = 16})}}) == 3072 + 16384);
}

TEST_CASE("peak memory: what writes over its input, and what does not", "[cost]") {
  const auto conv = [](std::vector<int> producers) { return plain(LayerKind::conv2d, "conv", 10, std::move(producers)); };
  const auto relu = [](int producer) { return plain(LayerKind::activation, "relu", 10, {producer}); };
  const auto add = [](int a, int b) { return plain(LayerKind::add, "add", 10, {a, b}); };
  CHECK(peak_bytes({{relu(-1), relu(0)}}) == 100);
  CHECK(peak_bytes({{conv({-1}), relu(0), conv({1})}}) == 200);
  CHECK(peak_bytes({{conv({-1}), relu(0), add(0, 1)}}) == 200);               // the sum needs both
  CHECK(peak_bytes({{conv({-1}), conv({0}), conv({1}), add(0, 2)}}) == 300);  // over the first
  CHECK(peak_bytes({{conv({-1}), add(0, -1), add(0, 1)}}) == 300);            // the first is read again
  CHECK(peak_bytes({{conv({-1}), add(-1, 0), add(0, 1)}}) == 200);
  CHECK(peak_bytes({{conv({-1}), plain(LayerKind::pool, "pool", 10, {0})}}) == 200);
  auto flatten = plain(LayerKind::flatten, "flatten", 100, {0});
  flatten.out_height = flatten.out_width = 1;
  CHECK(peak_bytes({{conv({-1}), flatten, conv({0}), add(1, 2)}}) == 200);  // a view that is read last
  CHECK(peak_bytes({{conv({-1}), plain(LayerKind::concat, "both", 20, {-1, 0})}}) == 400);
  auto both = plain(LayerKind::concat, "both", 30, {-1, 0, -1});
  CHECK(peak_bytes({{relu(-1), both}}) == 500);  // the input by what is left: 100 and a copy, then 300 more
  auto narrow = conv({-1});
  narrow.output_bits = 4;
  CHECK(peak_bytes({{narrow}}) == 150);
  narrow.input_bits = 4;
  CHECK(peak_bytes({{narrow}}) == 100);
  CHECK(peak_bytes({{conv({-1}), conv({-1}), conv({-1})}}) == 400);  // three outputs
}

TEST_CASE("peak memory: equals that of an arena, on 1000 random networks", "[cost]") {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    test::RandomNetwork random(seed);
    Network network = random.make();
    const SearchSpace space = SearchSpace::install(network);
    Architecture<double> net = seed % 2 == 0 ? describe(network) : describe(network, space, random.selection(space));
    Random bits(seed);
    for (auto& layer : net.layers) layer.output_bits = bits.chance(0.2) ? 4 : 8;
    INFO("seed " << seed);
    REQUIRE(peak_bytes(net) == Arena(net, static_cast<double>(network.input_shape().elements())).run());
  }
}

TEST_CASE("peak memory: equals that of an arena where layers are not there", "[cost]") {
  // Values of graphs as wild as these cannot always be laid out in the bytes that live at once: then it is what the plan takes.
  Random random(7);
  int beyond = 0;
  for (int i = 0; i < 5000; ++i) {
    const Architecture<double> net = random_graph(random);
    INFO("graph " << i);
    const double priced = peak_bytes(net), live = Arena(net, 30).run();
    REQUIRE(priced >= live);
    if (priced == live) continue;
    ++beyond;
    REQUIRE(priced == plan_arena(net).total);
    REQUIRE(priced < 1.2 * live);
  }
  CHECK(beyond <= 10);
}

TEST_CASE("peak memory: a supernet of one branch is the network of that branch", "[cost]") {
  // A block of a wide branch, a narrow one and none; a sum takes what there is.
  const auto supernet = [](double wide, double narrow) {
    Architecture<double> net{{plain(LayerKind::conv2d, "stem", 10, {-1}), plain(LayerKind::conv2d, "wide", 40, {0}),
                              plain(LayerKind::conv2d, "wide2", 10, {1}), plain(LayerKind::conv2d, "narrow", 10, {0}),
                              plain(LayerKind::add, "choice", 10, {2, 3, 0}), plain(LayerKind::conv2d, "head", 10, {4})}};
    for (const int i : {1, 2}) net.layers[i].presence = wide;
    net.layers[3].presence = narrow;
    return net;
  };
  auto wide = supernet(1, 0);
  wide.layers[4].producers = {2, 3};  // not the identity
  CHECK(peak_bytes(wide) == 500);
  auto narrow = supernet(0, 1);
  narrow.layers[4].producers = {2, 3};
  CHECK(peak_bytes(narrow) == 200);
  CHECK(peak_bytes(supernet(0, 0)) == 200);
  // Half of each: while wide2 runs, the stem, half of the wide value and of its own.
  auto half = supernet(0.5, 0.5);
  CHECK(peak_bytes(half) == 100 + 200 + 50);
  ScalarTape tape;
  auto soft = convert<Scalar>(half);
  const Scalar p = tape.leaf(0.5);
  soft.layers[1].presence = soft.layers[2].presence = p;
  const Scalar peak = total(PeakMemory{}, soft);
  CHECK(peak.value() == 350);
  tape.backward(peak);
  CHECK(tape.gradient(p) == 500);
}

TEST_CASE("peak memory: choices that are decided by presence are those that are taken out", "[cost]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    test::RandomNetwork random(seed, true);
    Network network = random.make();
    const SearchSpace space = SearchSpace::install(network);
    Selection selection = space.full();
    selection["choices"] = random.selection(space)["choices"];
    Architecture<double> all = describe(network);
    const Choices& choices = space.axis<Choices>();
    for (int c = choices.count() - 1; c >= 0; --c) {
      const double whole = all.layers[choices.node(c) - 1].presence;
      int b = 0;
      for (const auto& branch : choices.branches(network, c)) {
        const double presence = selection["choices"][c][0] == b++ ? whole : 0;
        for (int node = branch.first; node < branch.last; ++node) all.layers[node - 1].presence = presence;
      }
    }
    const Architecture<double> taken = describe(network, space, selection);
    INFO("seed " << seed);
    REQUIRE(peak_bytes(all) == peak_bytes(taken));
    REQUIRE(peak_bytes(taken) == Arena(taken, static_cast<double>(network.input_shape().elements())).run());

    space.select(network, selection);
    Tape tape;
    const Scalar soft = total(PeakMemory{}, describe(tape, network, space));
    REQUIRE(soft.value() == Approx(peak_bytes(taken)));
    tape.backward({}, soft);
  }
}

TEST_CASE("peak memory: a choice between a layer and none", "[cost]") {
  // What the choice hands on lies where its producers do; the stem is kept for as far as it is the choice, or read later.
  const auto choice = [](double p, bool residual) {
    Architecture<double> net{{plain(LayerKind::conv2d, "stem", 10, {-1}), plain(LayerKind::conv2d, "branch", 10, {0}),
                              plain(LayerKind::mixture, "choice", 10, {1, 0}), plain(LayerKind::conv2d, "wide", 30, {2})}};
    if (residual) net.layers.push_back(plain(LayerKind::pool, "later", 1, {0}));
    net.layers[1].presence = p;
    return net;
  };
  for (const double p : {0.0, 0.25, 0.5, 1.0}) {
    CHECK(peak_bytes(choice(p, false)) == 400);                            // 100 from the branch or the stem, and 300
    CHECK(peak_bytes(choice(p, true)) == std::max(400 + 100 * p, 410.0));  // the stem as well, where it is not the choice
  }
  ScalarTape tape;
  auto soft = convert<Scalar>(choice(0.5, true));
  soft.layers[1].presence = tape.leaf(0.5);
  tape.backward(total(PeakMemory{}, soft));
  CHECK(tape.gradient(soft.layers[1].presence) == 100);
}

TEST_CASE("peak memory: the slope is shared by what is near the peak", "[cost]") {
  ScalarTape tape;
  auto soft = convert<Scalar>(test::resnet8());
  std::vector<Scalar> outs;
  for (auto& layer : soft.layers) outs.push_back(layer.out_channels = tape.leaf(layer.out_channels.value()));
  const Scalar cost = total(PeakMemory{}, soft);
  CHECK(cost.value() == 49152);
  tape.backward(cost);
  for (std::size_t i = 0; i < outs.size(); ++i) CHECK(tape.gradient(outs[i]) == (i <= 2 ? 1024 : 0));

  // Two moments, of 200 and of 198 bytes: 10 and 8 above 95 %.
  Architecture<double> two{
      {plain(LayerKind::conv2d, "a", 10, {-1}), plain(LayerKind::pool, "b", 1, {0}), plain(LayerKind::conv2d, "c", 9.9, {1})}};
  two.layers[0].in_channels = 10, two.layers[1].out_channels = 9.9;
  tape.clear();
  soft = convert<Scalar>(two);
  soft.layers[0].out_channels = tape.leaf(10), soft.layers[2].out_channels = tape.leaf(9.9);
  const Scalar near = total(PeakMemory{}, soft);
  CHECK(near.value() == Approx(200));
  tape.backward(near);
  const double a = 200 - 190, b = 199 - 190, c = 198 - 190;
  CHECK(tape.gradient(soft.layers[0].out_channels) == Approx(10 * (a + b) / (a + b + c)));
  CHECK(tape.gradient(soft.layers[2].out_channels) == Approx(10 * c / (a + b + c)));
}

TEST_CASE("peak memory: the gradient is true, near ties too", "[cost]") {
  const auto passes = [](const Validation& validation) {
    INFO(validation.to_string());
    CHECK(validation.passed());
  };
  passes(validate(PeakMemory{}, test::ds_cnn()));
  for (std::uint64_t seed = 0; seed < 20; ++seed) passes(validate(PeakMemory{}, describe(test::RandomNetwork(seed).make())));
}
