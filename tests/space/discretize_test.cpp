// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/discretize.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/ne16.hpp"
#include "siena/cost/params.hpp"
#include "siena/space/describe.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"

using namespace siena;

namespace {

/// Everything that a description says in numbers, and every price of it.
template <class N>
std::vector<double> numbers(const LayerDesc<N>& l) {
  std::vector<double> all{static_cast<double>(l.kind),
                          static_cast<double>(l.node),
                          value_of(l.in_height),
                          value_of(l.in_width),
                          value_of(l.out_height),
                          value_of(l.out_width),
                          double(l.kernel_height),
                          double(l.kernel_width),
                          double(l.stride_height),
                          double(l.stride_width),
                          double(l.dilation_height),
                          double(l.dilation_width),
                          double(l.pad_top),
                          double(l.pad_left),
                          value_of(l.groups),
                          double(l.multiplier),
                          double(l.bias),
                          double(l.batch_norm_folded),
                          double(l.repeated)};
  for (const int producer : l.producers) all.push_back(producer);
  for (const N& x : {l.in_channels, l.out_channels, l.presence, l.own_weights, l.own_macs, N(Params{}.layer_cost(l)),
                     N(Params{.bias = true}.layer_cost(l)), N(Macs{}.layer_cost(l)), N(ModelSize{}.layer_cost(l)),
                     N(Gap8{}.layer_cost(l)), N(Ne16{}.layer_cost(l))}) {
    all.push_back(value_of(x));
  }
  return all;
}
template <class A, class B>
void check_equal(const Architecture<A>& a, const Architecture<B>& b) {
  REQUIRE(a.layers.size() == b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    INFO("layer " << a.layers[i].name);
    CHECK(a.layers[i].name == b.layers[i].name);
    CHECK(numbers(a.layers[i]) == numbers(b.layers[i]));
  }
  CHECK(value_of(total(ModelSize{}, a)) == value_of(total(ModelSize{}, b)));
  CHECK(value_of(total(Gap8{}, a)) == value_of(total(Gap8{}, b)));
}

/// Names of parameters and buffers, but for those of masks.
std::vector<std::string> names(const Network& network) {
  State state;
  network.save(state);
  std::vector<std::string> names;
  for (const auto& [name, value] : state.values()) {
    if (!name.starts_with("mask.")) names.push_back(name);
  }
  return names;
}
void check_plain(Network& plain, const Network& network) {
  CHECK(names(plain) == names(network));
  State state;
  plain.save(state);
  CHECK(state.values().size() == names(plain).size());  // nothing of the masks is left
  CHECK(plain.parameters(Role::architecture).empty());
  REQUIRE(plain.nodes().size() == network.nodes().size());
  std::size_t p = 0;
  bool same = true;
  for (std::size_t i = 0; i < plain.nodes().size(); ++i) {
    const auto &node = plain.nodes()[i], &original = network.nodes()[i];
    same &= node.gates.empty() && node.name == original.name && node.inputs == original.inputs;
    same &= node.parameters.size() == original.parameters.size();
    for (const int index : node.parameters) {
      same &= index == static_cast<int>(p++) && plain.parameter(index).decay == network.parameter(index).decay;
    }
  }
  CHECK(same);
  CHECK(plain.parameter_count() == static_cast<int>(p));
}

}  // namespace

TEST_CASE("discretize: any network computes what its masks computed, and costs what was said") {
  constexpr int networks = 150;
  int dropped = 0, frozen_only = 0, depthwise = 0, single = 0, repeated = 0, fewer = 0;
  for (int seed = 0; seed < networks; ++seed) {
    INFO("network " << seed);
    test::RandomNetwork generator(static_cast<std::uint64_t>(seed));
    Network network = seed % 3 == 2 ? generator.make_1d() : generator.make();
    const Tensor batch = generator.batch(network, 3);
    const Tensor whole = network.predict(batch);
    const SearchSpace space = SearchSpace::install(network);
    CHECK(test::difference(whole, network.predict(batch)) == 0);

    const Selection selection = generator.selection(space);
    space.select(network, selection);
    REQUIRE(space.selection(network) == selection);
    const Tensor masked = network.predict(batch);
    Network plain = discretize(network, space, selection);
    CHECK(test::difference(masked, plain.predict(batch)) <= 1e-4);

    check_plain(plain, network);
    const Architecture<double> exact = describe(network, space, selection);
    check_equal(exact, describe(plain));
    check_equal(exact, describe(network, space));
    Tape tape;
    check_equal(describe(tape, network, space), exact);
    for (const auto& layer : exact.layers) CHECK(layer.out_channels == plain.nodes()[layer.node].shape[-1]);

    // Whether the test sees what it is for.
    std::int64_t off = 0;
    bool any = false;
    for (std::size_t c = 0; c < selection["taps"].size(); ++c)
      fewer += selection["taps"][c][0] < space.axis<TapMasks>().chains()[c].steps ? 1 : 0;
    for (std::size_t g = 0; g < selection["channels"].size(); ++g) {
      any |= !space.axis<ChannelMasks>().groups()[g].frozen;
      off += space.axis<ChannelMasks>().groups()[g].channels - ChannelMasks::count(selection, static_cast<int>(g));
    }
    dropped += off > 0 && test::difference(whole, masked) > 1e-2 ? 1 : 0;
    frozen_only += any ? 0 : 1;
    for (const auto& layer : exact.layers) {
      const auto& runs = space.axis<ChannelMasks>().channels().runs(layer.node);
      const bool varies = !space.axis<ChannelMasks>().groups()[runs[0].group].frozen;
      depthwise += layer.kind == LayerKind::depthwise_conv2d && varies ? 1 : 0;
      single += layer.kind == LayerKind::depthwise_conv2d && layer.out_channels == 1 ? 1 : 0;
      repeated += layer.kind == LayerKind::flatten && runs[0].repeat > 1 && varies ? 1 : 0;
    }
  }
  CHECK(dropped > networks / 2);
  CHECK(frozen_only < networks / 4);
  CHECK(fewer > networks);
  CHECK(depthwise > 10);
  CHECK(single > 0);
  CHECK(repeated > 10);
}

TEST_CASE("discretize: the weights of what stays") {
  Network network({4, 4, 2}, [](const Flow& x) {
    return ((x | Searchable{Conv2d{.out = 3}, Channels{}}).named("a") | GlobalAvgPool{} | Linear{.out = 2}).named("out");
  });
  network.parameter(0).value.assign(std::vector<float>{1, 2, 3, 4, 5, 6});
  network.parameter(1).value.assign(std::vector<float>{7, 8, 9});
  network.parameter(2).value.assign(std::vector<float>{10, 11, 12, 13, 14, 15});
  network.parameter(3).value.assign(std::vector<float>{16, 17});
  const SearchSpace space = SearchSpace::install(network);
  Selection selection = space.selection(network);
  selection["channels"][static_cast<std::size_t>(space.axis<ChannelMasks>().channels().runs(1)[0].group)] = {true, false, true};
  space.select(network, selection);
  const Network plain = discretize(network, space);
  const auto values = [&](int p) {
    std::vector<float> copy;
    plain.parameter(p).value.copy_to(copy);
    return copy;
  };
  CHECK(plain.parameter(0).value.shape() == Shape{1, 1, 2, 2});
  CHECK(values(0) == std::vector<float>{1, 3, 4, 6});
  CHECK(values(1) == std::vector<float>{7, 9});
  CHECK(plain.parameter(2).value.shape() == Shape{2, 2});
  CHECK(values(2) == std::vector<float>{10, 11, 14, 15});
  CHECK(values(3) == std::vector<float>{16, 17});
  CHECK(plain.weight_count() == 12);
}

TEST_CASE("discretize: the result is a network like any other") {
  test::RandomNetwork generator(7);
  Network network = generator.make();
  const SearchSpace space = SearchSpace::install(network);
  const Selection selection = generator.selection(space);
  Network plain = discretize(network, space, selection);
  CHECK(plain.parameters(Role::architecture).empty());
  // It can be discretised again, and shares nothing with the network that it came from.
  const SearchSpace again = SearchSpace::install(plain);
  const Tensor batch = generator.batch(plain, 2);
  const Tensor before = plain.predict(batch);
  for (int p = 0; p < network.parameter_count(); ++p) network.parameter(p).value.fill(0.5f);
  CHECK(test::difference(before, plain.predict(batch)) == 0);
  CHECK(test::difference(before, discretize(plain, again).predict(batch)) == 0);
}

TEST_CASE("discretize: layers keep their names, whatever those are") {
  Network network({4, 4, 2}, [](const Flow& x) {
    (void)x.named("image");
    const Flow a = x | Searchable{Conv2d{.out = 3}, Channels{}};
    const Flow b = (x | Searchable{Conv2d{.out = 3}, Channels{}}).named("input");
    (void)a.named("conv2d_2");
    return ((add(a, b).named("relu_1") | Relu{}).named("conv2d_1") | GlobalAvgPool{} | Linear{.out = 2}).named("add_1");
  });
  const SearchSpace space = SearchSpace::install(network);
  Network plain = discretize(network, space);
  check_plain(plain, network);
}
