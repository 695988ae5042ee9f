// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/describe.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "siena/autograd/ops/activation.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/params.hpp"
#include "siena/space/searchable.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

Searchable<Conv2d, Channels> searchable_conv(int out, int kernel = 3, int stride = 1) {
  return Searchable{Conv2d{.out = out, .kernel = kernel, .stride = stride}, Channels{}};
}
Searchable<Conv2d, Channels> searchable_depthwise(int channels) {
  return Searchable{Conv2d{.out = channels, .kernel = 3, .groups = Conv2d::depthwise, .bias = false}, Channels{}};
}

struct Scaled {     // a layer of a user, with a weight per channel
  double macs = 0;  // where it says so

  std::string_view kind() const { return "scaled"; }
  Shape setup(LayerSetup& setup) const {
    setup.parameter("weight", {setup.input()[-1]}, Init::constant(2), false);
    if (macs > 0) setup.macs(macs);
    return setup.input();
  }
  Var forward(Forward& f) const { return ops::prelu(f.input(), f.parameter(0)); }
};

struct DepthwiseOnly {
  std::string_view name() const { return "depthwise only"; }
  template <class N>
  N layer_cost(const LayerDesc<N>& l) const {
    return l.kind == LayerKind::depthwise_conv2d ? Gap8{}.layer_cost(l) : N(0);
  }
};

/// Every kind of reader: convolutions, a depthwise layer, a sum, a concat, a flatten.
Network zoo() {
  return Network({8, 6, 3}, [](const Flow& in) {
    const Flow a = (((in | searchable_conv(9)).named("a") | BatchNorm{}).named("norm") | Relu{}).named("relu");
    const Flow d = ((a | searchable_depthwise(9)).named("d") | Sigmoid{}).named("sigmoid");
    const Flow b = (d | searchable_conv(7, 1, 2)).named("b"), c = (a | searchable_conv(7, 3, 2)).named("c");
    const Flow both = concat({add(b, c).named("sum"), (d | searchable_conv(5, 5, 2)).named("e")}).named("both");
    return (((both | AvgPool{.kernel = {2, 3}}).named("pool") | Flatten{}).named("flat") | Linear{.out = 4}).named("out");
  });
}

const LayerDesc<double>& layer(const Architecture<double>& network, const std::string& name) {
  for (const auto& l : network.layers) {
    if (l.name == name) return l;
  }
  FAIL("no layer " << name);
  return network.layers[0];
}
int index(const Network& network, const std::string& name) {
  for (int i = 0; i < static_cast<int>(network.nodes().size()); ++i) {
    if (network.nodes()[i].name == name) return i;
  }
  FAIL("no layer " << name);
  return -1;
}
int first_group(const SearchSpace& space, const Network& network, const std::string& name) {
  return space.axis<ChannelMasks>().channels().runs(index(network, name))[0].group;
}

/// The slope of a cost for each group, by the readers' and the makers' own slopes: every channel count of every layer is a
/// number of its own, whose slope goes to the groups that it counts.
template <class Model>
std::vector<double> slopes(const Model& model, const Network& network, const SearchSpace& space) {
  const Architecture<double> exact = describe(network, space);
  std::vector<double> slope(space.axis<ChannelMasks>().groups().size(), 0.0);
  const auto spread = [&](int node, double s) {
    for (const ChannelRun& run : space.axis<ChannelMasks>().channels().runs(node)) {
      slope[static_cast<std::size_t>(run.group)] += s * static_cast<double>(run.width * run.repeat);
    }
  };
  for (const auto& l : exact.layers) {
    ScalarTape tape;
    auto scalars = convert<Scalar>(l);
    const Scalar in = tape.leaf(l.in_channels), out = tape.leaf(l.out_channels);
    scalars.in_channels = in, scalars.out_channels = out;
    tape.backward(model.layer_cost(scalars));
    const auto& node = network.nodes()[l.node];
    for (std::size_t k = 0; k < (l.kind == LayerKind::concat ? node.inputs.size() : 1); ++k) {
      spread(node.inputs[k], tape.gradient(in));
    }
    spread(l.node, tape.gradient(out));
  }
  return slope;
}

}  // namespace

TEST_CASE("describe: a plain network, layer by layer") {
  const Network network = zoo();
  const Architecture<double> d = describe(network);
  REQUIRE(d.layers.size() == network.nodes().size() - 1);
  const auto& a = layer(d, "a");
  CHECK(a.kind == LayerKind::conv2d);
  CHECK(a.producers == std::vector<int>{-1});
  CHECK(a.in_channels == 3);
  CHECK(a.out_channels == 9);
  CHECK(a.in_height == 8);
  CHECK(a.in_width == 6);
  CHECK(a.out_height == 8);
  CHECK(a.out_width == 6);
  CHECK(a.kernel_height == 3);
  CHECK(a.bias);
  CHECK(a.batch_norm_folded);
  CHECK(layer(d, "norm").kind == LayerKind::batch_norm);
  CHECK(layer(d, "norm").batch_norm_folded);
  CHECK(layer(d, "relu").kind == LayerKind::activation);
  CHECK(layer(d, "relu").operation == "relu");
  CHECK(layer(d, "sigmoid").operation == "sigmoid");
  const auto& dw = layer(d, "d");
  CHECK(dw.kind == LayerKind::depthwise_conv2d);
  CHECK(dw.multiplier == 1);
  CHECK_FALSE(dw.bias);
  CHECK_FALSE(dw.batch_norm_folded);
  const auto& e = layer(d, "e");
  CHECK(e.kernel_width == 5);
  CHECK(e.stride_height == 2);
  CHECK(e.out_height == 4);
  CHECK(e.out_width == 3);
  const auto& sum = layer(d, "sum");
  CHECK(sum.kind == LayerKind::add);
  CHECK(sum.producers == std::vector<int>{index(network, "b") - 1, index(network, "c") - 1});
  CHECK(sum.in_channels == 7);
  CHECK(layer(d, "both").kind == LayerKind::concat);
  CHECK(layer(d, "both").in_channels == 12);
  CHECK(layer(d, "both").out_channels == 12);
  CHECK(layer(d, "pool").kind == LayerKind::pool);
  CHECK(layer(d, "pool").operation == "avg_pool");
  CHECK(layer(d, "pool").kernel_height == 2);
  CHECK(layer(d, "pool").kernel_width == 3);
  CHECK(layer(d, "pool").stride_width == 3);
  CHECK(layer(d, "flat").kind == LayerKind::flatten);
  CHECK(layer(d, "flat").out_channels == 24);
  const auto& out = layer(d, "out");
  CHECK(out.kind == LayerKind::linear);
  CHECK(out.in_channels == 24);
  CHECK(out.out_channels == 4);
  CHECK(out.out_height == 1);

  const double weights = 9 * 3 * 9 + 9 * 9 + 9 * 7 + 9 * 9 * 7 + 25 * 9 * 5 + 24 * 4;
  CHECK(total(Params{}, d) == weights);
  CHECK(total(Macs{}, d) == 48 * (9 * 3 * 9 + 9 * 9) + 12 * (9 * 7 + 9 * 9 * 7 + 25 * 9 * 5) + 24 * 4);
  CHECK(total(ModelSize{}, d) == weights + 4 * (9 + 7 + 7 + 5 + 4));
}

TEST_CASE("describe: the slopes of a PRelu are weights") {
  const Network network({4, 4, 2},
                        [](const Flow& x) { return x | Conv2d{.out = 3} | PRelu{} | GlobalAvgPool{} | Linear{.out = 2}; });
  CHECK(total(Params{}, describe(network)) == 2 * 3 + 3 + 3 * 2);
}

TEST_CASE("describe: batch norms that do not fold") {
  const Network network({4, 4, 3}, [](const Flow& x) {
    const Flow read_twice = (x | Conv2d{.out = 4, .bias = false}).named("twice");
    const Flow after_relu = ((read_twice | BatchNorm{}).named("first") | Relu{} | BatchNorm{}).named("second");
    return (add(read_twice, after_relu) | GlobalAvgPool{} | Linear{.out = 2, .bias = false} | BatchNorm{}).named("third");
  });
  const Architecture<double> d = describe(network);
  CHECK_FALSE(layer(d, "twice").batch_norm_folded);
  CHECK_FALSE(layer(d, "first").batch_norm_folded);
  CHECK_FALSE(layer(d, "second").batch_norm_folded);
  CHECK(layer(d, "linear_1").batch_norm_folded);
  CHECK(layer(d, "third").batch_norm_folded);
}

TEST_CASE("describe: windows of pools, and which pool it is") {
  const Network network({9, 7, 2}, [](const Flow& x) {
    return x | MaxPool{.kernel = 3, .stride = {2, 1}, .padding = 1} | AvgPool{} | GlobalAvgPool{} | Dropout{};
  });
  const Architecture<double> d = describe(network);
  CHECK(d.layers[0].operation == "max_pool");
  CHECK(d.layers[0].kernel_width == 3);
  CHECK(d.layers[0].stride_height == 2);
  CHECK(d.layers[0].stride_width == 1);
  CHECK(d.layers[1].stride_height == 2);
  CHECK(d.layers[2].operation == "global_avg_pool");
  CHECK(d.layers[2].kernel_height == d.layers[2].in_height);
  CHECK(d.layers[2].kernel_width == d.layers[2].in_width);
  CHECK(d.layers[3].operation == "dropout");
  CHECK(convert<double>(convert<Scalar>(d)).layers[3].operation == "dropout");
}

TEST_CASE("describe: kinds of convolutions, and layers of users") {
  const Network network({4, 4, 1}, [](const Flow& x) {
    const Flow a =
        ((x | Conv2d{.out = 8, .groups = Conv2d::depthwise}).named("one") | Conv2d{.out = 8, .groups = 2}).named("two");
    const Flow b = (a | Conv2d{.out = 16, .kernel = 3, .groups = 8}).named("multiplied");
    return ((b | Scaled{}).named("scaled") | Scaled{.macs = 100} | GlobalAvgPool{} | Linear{.out = 2}).named("out");
  });
  const Architecture<double> d = describe(network);
  CHECK(layer(d, "one").kind == LayerKind::conv2d);  // of one channel: each filter reads all there is
  CHECK(layer(d, "one").weights() == 8);
  CHECK(layer(d, "two").groups == 2);
  CHECK(layer(d, "two").weights() == 32);
  CHECK(layer(d, "multiplied").kind == LayerKind::depthwise_conv2d);
  CHECK(layer(d, "multiplied").multiplier == 2);
  CHECK(layer(d, "multiplied").weights() == 9 * 16);
  CHECK(layer(d, "scaled").kind == LayerKind::other);
  CHECK(layer(d, "scaled").own_weights == 16);
  CHECK(layer(d, "scaled").own_macs == 16 * 4 * 4);  // nothing said: as a convolution
  CHECK(layer(d, "scaled_2").own_weights == 16);
  CHECK(layer(d, "scaled_2").own_macs == 100);
}

TEST_CASE("describe: what a selection leaves") {
  Network network = zoo();
  const SearchSpace space = SearchSpace::install(network);
  Selection some = space.selection(network);
  const auto keep = [&](const std::string& name, std::vector<int> channels) {
    some["channels"][static_cast<std::size_t>(first_group(space, network, name))] = std::move(channels);
  };
  keep("a", {1, 0, 0, 1, 1, 0, 1, 0, 0});
  keep("b", {1, 1, 0, 0, 0, 0, 0});
  keep("e", {0, 1, 1, 1, 0});
  const Architecture<double> d = describe(network, space, some);
  CHECK(layer(d, "a").out_channels == 4);
  CHECK(layer(d, "d").in_channels == 4);
  CHECK(layer(d, "b").in_channels == 4);
  CHECK(layer(d, "c").out_channels == 2);
  CHECK(layer(d, "e").out_channels == 3);
  CHECK(layer(d, "sum").in_channels == 2);
  CHECK(layer(d, "both").out_channels == 5);
  CHECK(layer(d, "flat").out_channels == 10);
  CHECK(layer(d, "out").in_channels == 10);
  CHECK(total(Params{}, d) == 9 * 3 * 4 + 9 * 4 + 4 * 2 + 9 * 4 * 2 + 25 * 4 * 3 + 10 * 4);
  CHECK(total(Params{}, describe(network, space)) == total(Params{}, describe(network)));
  space.select(network, some);
  CHECK(total(Params{}, describe(network, space)) == total(Params{}, d));

  keep("a", {0, 0, 0, 0, 0, 1, 0, 0, 0});  // a depthwise layer of one channel is one still
  CHECK(layer(describe(network, space, some), "d").kind == LayerKind::depthwise_conv2d);
}

TEST_CASE("describe: cost gradients reach all makers and readers of a group") {
  Network network = zoo();
  const SearchSpace space = SearchSpace::install(network);
  Selection some = space.selection(network);
  some["channels"][static_cast<std::size_t>(first_group(space, network, "a"))] = {1, 0, 0, 1, 1, 0, 1, 0, 1};
  some["channels"][static_cast<std::size_t>(first_group(space, network, "b"))] = {1, 1, 0, 0, 0, 1, 0};
  space.select(network, some);
  const auto gradients = [&](const auto& model) {
    Tape tape;
    network.zero_grad();
    const Scalar cost = total(model, describe(tape, network, space));
    CHECK(cost.value() == total(model, describe(network, space)));
    tape.backward({}, cost);
    const auto expected = slopes(model, network, space);
    std::vector<double> by_group;
    for (int g = 0; g < static_cast<int>(space.axis<ChannelMasks>().groups().size()); ++g) {
      by_group.push_back(0);
      if (space.axis<ChannelMasks>().parameter(g) < 0) continue;
      const auto row = network.parameter(space.axis<ChannelMasks>().parameter(g)).grad.row(0);
      by_group.back() = row[0];
      for (const float slope : row) {  // whether on or off
        INFO(model.name() << ", group of " << network.nodes()[space.axis<ChannelMasks>().groups()[g].layers[0]].name);
        CHECK(slope == Approx(expected[static_cast<std::size_t>(g)]).epsilon(1e-5));
      }
    }
    return by_group;
  };
  const int a = first_group(space, network, "a"), b = first_group(space, network, "b"), e = first_group(space, network, "e");
  const auto params = gradients(Params{});
  // A channel of `a`: its own filter, one of d's, and its part of the filters of b, c and e.
  CHECK(params[a] == 9 * 3 + 9 + 3 + 9 * 3 + 25 * 5);
  CHECK(params[b] == 5 + 9 * 5 + 2 * 4);  // out reads every channel twice: at two positions
  CHECK(params[e] == 25 * 5 + 2 * 4);
  const auto gap8 = gradients(Gap8{});
  for (const int g : {a, b, e}) CHECK(gap8[g] > 0);
  gradients(Macs{});
  gradients(ModelSize{});
}

TEST_CASE("describe: depthwise layers alone give their group a gradient") {
  Network network = zoo();
  const SearchSpace space = SearchSpace::install(network);
  Tape tape;
  tape.backward({}, total(DepthwiseOnly{}, describe(tape, network, space)));
  const auto row = network.parameter(space.axis<ChannelMasks>().parameter(first_group(space, network, "d"))).grad.row(0);
  for (const float slope : row) CHECK(slope == 48 * 9);  // 4 ceil(C / 4) Ho Wo k, along its tiles
}
