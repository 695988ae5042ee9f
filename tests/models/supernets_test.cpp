// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/models/supernets.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include "siena/cost/macs.hpp"
#include "siena/cost/params.hpp"
#include "siena/search/moves.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"

using namespace siena;

namespace {

/// What the tables of the paper's supernets say, fixed layers included.
struct SupernetFigures {
  std::int64_t architectures;
  double least_weights, least_macs, most_weights, most_macs, mean_weights, mean_macs;
  int choices;
};

void check_supernet(Network network, const SupernetFigures& expected) {
  const SearchSpace space = SearchSpace::install(network);
  CHECK(space.axis<Choices>().count() == expected.choices);
  std::int64_t architectures = 1;
  for (const int size : space.axis<Choices>().sizes()) architectures *= size;
  CHECK(architectures == expected.architectures);
  const auto extreme = [&](const auto& model, double sign) {
    const auto cost = [&](const Selection& trial) { return sign * total(model, describe(network, space, trial)); };
    return sign * cost(cheapest(network, space, cost));
  };
  CHECK(extreme(Params{}, 1) == expected.least_weights);
  CHECK(extreme(Macs{}, 1) == expected.least_macs);
  CHECK(extreme(Params{}, -1) == expected.most_weights);
  CHECK(extreme(Macs{}, -1) == expected.most_macs);
  Tape tape;
  const auto charged = describe(tape, network, space);
  CHECK(total(Params{}, charged).value() == Approx(expected.mean_weights).margin(0.7));
  CHECK(total(Macs{}, charged).value() == Approx(expected.mean_macs).margin(1.5));
}
/// Any architecture is a plain network with the function of what was chosen.
void check_plain_network(Network network, std::uint64_t seed) {
  const SearchSpace space = SearchSpace::install(network);
  Random random(seed);
  Selection selection = space.full();
  for (std::size_t c = 0; c < selection["choices"].size(); ++c) {
    selection["choices"][c][0] = static_cast<int>(random.below(static_cast<std::uint64_t>(space.axis<Choices>().sizes()[c])));
  }
  for (std::size_t g = 0; g < selection["channels"].size(); ++g) {
    for (std::size_t c = 1; c < selection["channels"][g].size(); ++c) {
      if (!space.axis<ChannelMasks>().groups()[g].frozen) selection["channels"][g][c] = random.chance(0.6);
    }
  }
  space.select(network, selection);
  Tensor batch(network.input_shape().batch(2));
  for (std::int64_t r = 0; r < batch.rows(); ++r) {
    for (float& x : batch.row(r)) x = static_cast<float>(random.normal());
  }
  Network plain = discretize(network, space);
  CHECK(test::difference(network.predict(batch), plain.predict(batch)) <= 1e-4);
  CHECK(total(Params{}, describe(plain)) == total(Params{}, describe(network, space)));
}

}  // namespace

TEST_CASE("supernets: weights, MACs and architectures of the paper") {
  check_supernet(resnet8_supernet(), {5'184, 6'667, 1'066'624, 209'200, 34'259'584, 84'106, 13'975'509, 7});
  check_supernet(ds_cnn_supernet(), {256, 3'328, 320'768, 412'928, 51'520'768, 147'264, 18'312'768, 4});
  check_supernet(mobilenet_v1_supernet(), {15'925'248, 46'608, 2'294'144, 4'906'328, 155'326'976, 1'847'971, 59'215'424, 13});
  check_supernet(autoencoder_supernet(), {64, 165'888, 165'888, 264'192, 264'192, 215'040, 215'040, 6});
}

TEST_CASE("supernets: the first layer of the autoencoder stays, whatever it reads") {
  Network network = autoencoder_supernet({.features = 128});
  const SearchSpace space = SearchSpace::install(network);
  CHECK(space.axis<Choices>().count() == 6);
}

TEST_CASE("supernets: any architecture is a plain network, with all channels and with fewer") {
  for (const bool channels : {false, true}) {
    INFO("channels " << channels);
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      check_plain_network(resnet8_supernet({.input = {16, 16, 3}, .width = 0.5}, channels), seed);
      check_plain_network(ds_cnn_supernet({.width = 0.25}, channels), seed);
      check_plain_network(mobilenet_v1_supernet({.input = {32, 32, 3}, .width = 0.125}, channels), seed);
      check_plain_network(autoencoder_supernet({.features = 40, .width = 0.25}, channels), seed);
    }
    CHECK((test::freedom(resnet8_supernet({}, channels)).groups > 0) == channels);
  }
}

TEST_CASE("supernets: layers are called after their block") {
  const Network network = resnet8_supernet();
  std::vector<std::string> names;
  for (const auto& node : network.nodes()) names.push_back(node.name);
  for (const std::string name :
       {"inputblock", "conv3y", "convblock2.conv5x5", "conv1y.depthwise", "conv1y.pointwise", "conv2x", "out"}) {
    INFO(name);
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
}
