// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Layers of users that say what becomes of their channels.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "siena/autograd/ops/activation.hpp"
#include "siena/autograd/ops/conv2d.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/params.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/space/compact.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "siena/space/freedom.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"
#include "support/searchable.hpp"

using namespace siena;

namespace {

/// One learnt slope a channel, on both sides of `bend`.
struct Bent {
  double bend = 0.5;
  std::string_view kind() const { return "bent"; }
  Shape setup(LayerSetup& setup) const {
    setup.parameter("weight", {setup.input()[-1]}, Init::constant(bend), false);
    return setup.input();
  }
  Var forward(Forward& f) const { return ops::prelu(f.input(), f.parameter(0)); }

  static constexpr bool in_place = true;
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {.makes = true}; }
  Bent narrowed(const KeptChannels&) const { return *this; }
};

/// Features that are mixed and squashed, with channels of its own.
struct Mix {
  int out = 1;
  std::string_view kind() const { return "mix"; }
  Shape setup(LayerSetup& setup) const {
    setup.parameter("weight", {setup.input()[-1], out}, Init::uniform(setup.input()[-1]), true);
    setup.parameter("bias", {out}, Init::constant(0.1), false);
    setup.macs(1);  // which own_macs corrects
    return {out};
  }
  Var forward(Forward& f) const { return ops::tanh(ops::linear(f.input(), f.parameter(0), f.parameter(1))); }

  static constexpr bool makes_channels = true;
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::makes(); }
  static TensorAxes tensor_axes(const LayerSite&, int tensor) { return {.reads = tensor == 0, .makes = true}; }
  Mix narrowed(const KeptChannels& kept) const { return {.out = static_cast<int>(kept.out.size())}; }
  auto own_macs(const auto& sizes) const { return (sizes.in_channels + 1.0) * sizes.out_channels; }
};

/// Says nothing of its channels.
struct Silent {
  std::string_view kind() const { return "silent"; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::relu(f.input()); }
};
/// Counts its multiply-adds in its setup alone.
struct SaysAllMacs : Bent {
  Shape setup(LayerSetup& setup) const {
    setup.macs(7);
    return Bent::setup(setup);
  }
  SaysAllMacs narrowed(const KeptChannels&) const { return *this; }
};
/// Its weights are not what it says.
struct Wrong : Bent {
  static TensorAxes tensor_axes(const LayerSite&, int) { return {.reads = true}; }
  Wrong narrowed(const KeptChannels&) const { return *this; }
};
/// Its one number is not one for each channel.
struct WrongBuffer : Bent {
  Shape setup(LayerSetup& setup) const {
    setup.buffer("mean", {1}, 0);
    return Bent::setup(setup);
  }
  WrongBuffer narrowed(const KeptChannels&) const { return *this; }
};
/// Stays as wide as it was.
struct Stays : Mix {
  Stays narrowed(const KeptChannels&) const { return *this; }
};
/// Has `biases` numbers beside, and `later` where channels are gone.
struct Beside : Bent {
  std::int64_t biases = 4, later = 4;
  Shape setup(LayerSetup& setup) const {
    const Shape shape = Bent::setup(setup);
    if (biases > 0) setup.parameter("bias", {biases}, Init::constant(0), false);
    return shape;
  }
  static TensorAxes tensor_axes(const LayerSite&, int tensor) { return {.makes = tensor == 0}; }
  Beside narrowed(const KeptChannels&) const { return {Bent(), later, later}; }
};
/// Makes `out` channels of its inputs' and says so by any rule.
struct Ruled {
  ChannelRule rule;
  int out;
  std::string_view kind() const { return "ruled"; }
  Shape setup(LayerSetup& setup) const { return {setup.input()[0], setup.input()[1], out}; }
  Var forward(Forward& f) const { return f.input(); }
  ChannelRule channel_rule(const LayerSite&) const { return rule; }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  Ruled narrowed(const KeptChannels& kept) const { return {rule, static_cast<int>(kept.out.size())}; }
};

Network of_own_layers() {
  return Network({6, 5, 3}, [](const Flow& x) {
    const Flow y = (x | conv(7)).named("first") | Bent{};
    const Flow z = add(y, y | conv(7) | Bent{.bend = 0.3}) | conv(5) | GlobalAvgPool{};
    return (z | Searchable{Mix{.out = 6}, Channels{}}).named("mixed") | Bent{} | Linear{.out = 3};
  });
}
}  // namespace

TEST_CASE("space: layers of users that say how take part: outputs and prices are those of the plain network") {
  int fewer = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    INFO("selection " << seed);
    test::RandomNetwork generator(seed);
    Network network = of_own_layers();
    generator.randomise(network);
    const SearchSpace space = SearchSpace::install(network);
    const Selection selection = generator.selection(space);
    space.select(network, selection);
    const Tensor batch = generator.batch(network, 3);
    Network plain = discretize(network, space);
    CHECK(test::difference(network.predict(batch), plain.predict(batch)) <= 1e-4);
    CompactNetwork compact(space);
    CHECK(test::difference(network.predict(batch), compact.update(network).predict(batch)) <= 1e-4);
    const Architecture<double> said = describe(network, space), found = describe(plain);
    Tape tape(false);
    const auto charged = convert<double>(describe(tape, network, space));
    CHECK(total(Params{.bias = true}, said) == total(Params{.bias = true}, found));
    CHECK(total(Macs{}, said) == total(Macs{}, found));
    CHECK(total(Gap8{}, said) == total(Gap8{}, found));
    CHECK(total(PeakMemory{}, said) == total(PeakMemory{}, found));
    CHECK(total(Macs{}, charged) == Approx(total(Macs{}, found)));
    CHECK(total(Params{.bias = true}, found) == static_cast<double>(plain.weight_count()));
    fewer += plain.weight_count() < network.weight_count() ? 1 : 0;
  }
  CHECK(fewer > 15);
}

TEST_CASE("space: channels of users' layers have a gradient in the cost, and masks of their weights in the loss") {
  Network network = of_own_layers();
  const SearchSpace space = SearchSpace::install(network);
  Tape tape;
  const Scalar price = total(Macs{}, describe(tape, network, space));
  tape.backward(Var{}, price);
  int varying = 0;
  for (std::size_t g = 0; g < space.axis<ChannelMasks>().groups().size(); ++g) {
    const int parameter = space.axis<ChannelMasks>().parameter(static_cast<int>(g));
    if (parameter < 0) continue;
    ++varying;
    CHECK(network.parameter(parameter).grad.data()[0] > 0);
  }
  CHECK(varying == 3);  // those of `first`, tied to the second by the add; of the third; of `mixed`
  const std::string text = freedom(network, space).to_string();
  CHECK_THAT(text, ContainsSubstring("mixed     1 to 6 of 6 channels\n"));
  CHECK_THAT(text, !ContainsSubstring("bent"));
}

TEST_CASE("space: layers of users that do not say, or not truly, keep what they touch, with the reason") {
  const auto said = [](auto layer) {
    Network network({4, 4, 2},
                    [&](const Flow& x) { return x | conv(3) | layer | conv(3) | GlobalAvgPool{} | Linear{.out = 2}; });
    return freedom(network).to_string();
  };
  CHECK_THAT(said(Silent{}), ContainsSubstring("3 channels stay, though searchable: 'silent_1', a custom layer, reads them"));
  CHECK_THAT(said(Silent{}), ContainsSubstring("3 channels stay: 'silent_1' is a custom layer"));
  CHECK_THAT(said(Bent{}), ContainsSubstring("conv2d_1  1 to 3 of 3 channels"));
  CHECK_THAT(said(SaysAllMacs{}),
             ContainsSubstring("'bent_1' says its multiply-adds for all channels alone, without own_macs"));
  CHECK_THROWS_WITH(said(Wrong{}), ContainsSubstring("'bent_1': expected tensor 0 to have the channels as its axes that "
                                                     "tensor_axes says, 3 by 3, got a shape of 3"));
  CHECK_THROWS_WITH(said(WrongBuffer{}), ContainsSubstring("'bent_1': expected tensor 1 to have the channels as its axes that "
                                                           "tensor_axes says, 1 by 3, got a shape of 1"));
}

TEST_CASE("space: rules of users' layers whose numbers are not those of their channels are refused") {
  const auto groups = [](const ChannelRule& rule, int out) {
    const Network network({4, 4, 2}, [&](const Flow& x) {
      return x | conv(6) | Ruled{rule, out} | conv(3) | GlobalAvgPool{} | Linear{.out = 2};
    });
    return freedom(network).to_string();
  };
  for (const auto& [rule, out] : {std::pair{ChannelRule::follows(), 6}, std::pair{ChannelRule::makes_in_blocks(2, 1), 3},
                                  std::pair{ChannelRule::slices(1, 5), 4}, std::pair{ChannelRule::interleaves(2), 6}}) {
    CHECK_NOTHROW(groups(rule, out));
    CHECK_THROWS_WITH(groups(rule, out + 1), ContainsSubstring(format("'ruled_1': expected a channel_rule that says where each "
                                                                      "of its {} channels comes from, got one of {}",
                                                                      out + 1, out)));
  }
  for (const ChannelRule& rule :
       {ChannelRule::follows(0), ChannelRule::interleaves(0), ChannelRule::repeats(0), ChannelRule::makes_in_blocks(0, 1),
        ChannelRule::makes_in_blocks(2, -1), ChannelRule::slices(-1, 5), ChannelRule::slices(3, 7), ChannelRule::slices(4, 4)})
    CHECK_THROWS_WITH(groups(rule, 6),
                      ContainsSubstring("'ruled_1': expected a channel_rule with numbers above 0, and slices"));
}

TEST_CASE("space: what users' layers make where channels go has to fit what they say of their channels") {
  const auto narrowed = [](auto layer, auto units) {
    Network network({4, 4, 2}, [&](const Flow& x) {
      return x | conv(6) | layer | GlobalAvgPool{} | Searchable{units, Channels{}} | Linear{.out = 2};
    });
    const SearchSpace space = SearchSpace::install(network);
    Selection selection = space.full();
    for (std::size_t a = 0; a < space.axes().size(); ++a) selection[a] = space.axes()[a]->smallest();
    return narrow(network, space, selection);
  };
  CHECK_NOTHROW(narrowed(Beside{}, Mix{.out = 5}));
  CHECK_THROWS_WITH(
      narrowed(Beside{}, Stays{{.out = 5}}),
      ContainsSubstring("'mix_1': expected `narrowed` to make a layer of the 1 channels that stay, got one of 5"));
  CHECK_THROWS_WITH(
      narrowed(Beside{.later = 0}, Mix{.out = 5}),
      ContainsSubstring("'bent_1': expected `narrowed` to make a layer with as many parameters and buffers, 2 and "
                        "0, got 1 and 0"));
  CHECK_THROWS_WITH(narrowed(Beside{.later = 5}, Mix{.out = 5}),
                    ContainsSubstring("'bent_1': expected `narrowed` to make a layer with a tensor of 1 rows of 4, which "
                                      "`tensor_axes` leaves of 4, got 5"));
}
