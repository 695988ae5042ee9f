// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Channels, taps, alternatives, ties, frozen parts and layers of users, all in one network: whatever is selected, the plain
// network computes it, every model prices it as was said, and its memory is what a count by hand finds.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/cost/cortex_m.hpp"
#include "siena/cost/diana.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/layer_memory.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/mpic.hpp"
#include "siena/cost/ne16.hpp"
#include "siena/cost/params.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"

using namespace siena;

namespace {

std::vector<std::pair<std::string, double>> every_price(const Architecture<double>& network) {
  std::vector<std::pair<std::string, double>> all;
  const auto add = [&](const std::string& name, const auto& model) { all.emplace_back(name, total(model, network)); };
  add("params", Params{.bias = true});
  add("macs", Macs{});
  add("model size", ModelSize{});
  add("gap8", Gap8{});
  add("ne16", Ne16{});
  add("digital", Diana{});
  add("analog", Diana{.core = DianaCore::analog});
  add("mpic", Mpic{});
  add("cortex-m", CortexM{});
  add("peak memory", PeakMemory{});
  add("layer memory", LayerMemory{});
  return all;
}

bool may_write_over_its_input(const LayerDesc<double>& layer) {
  using enum LayerKind;
  return layer.kind == activation || layer.kind == batch_norm || layer.kind == add || layer.kind == multiply || layer.in_place;
}

template <class... L>
std::vector<std::string> kinds_of(siena::detail::LayerList<L...>) {
  std::vector<std::string> kinds;
  const auto add = [&]<class Own>(const Own* /*type*/) {
    if constexpr (std::is_same_v<Own, Custom>) {
      kinds.emplace_back(test::Scaled{}.kind());
    } else {
      kinds.emplace_back(Own{}.kind());
    }
  };
  (add(static_cast<const L*>(nullptr)), ...);
  return kinds;
}

/// The peak of a plain network's activations in bytes, node by node.
double peak_by_hand(const Network& network) {
  const auto& nodes = network.nodes();
  const Architecture<double> layers = describe(network);
  std::vector<std::size_t> place(nodes.size()), last(nodes.size(), 0);  // in whose memory a value lies; who reads that last
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool view = nodes[i].layer.is<Flatten>();
    place[i] = view ? place[static_cast<std::size_t>(nodes[i].inputs[0])] : i;
    for (const int input : nodes[i].inputs) last[place[static_cast<std::size_t>(input)]] = i;
  }
  last[place[static_cast<std::size_t>(network.output())]] = nodes.size();
  const auto bytes_of = [&](std::size_t i) {
    const double bits = i > 0 ? layers.layers[i - 1].output_bits : 8;
    return static_cast<double>(nodes[i].shape.elements()) * bits / 8;
  };
  double peak = 0;
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (place[i] != i) continue;
    const std::size_t first = place[static_cast<std::size_t>(nodes[i].inputs[0])];
    const bool over = may_write_over_its_input(layers.layers[i - 1]) && last[first] == i;
    double bytes = over ? std::max(0.0, bytes_of(i) - bytes_of(first)) : bytes_of(i);
    for (std::size_t k = 0; k < i; ++k) {
      if (place[k] == k && last[k] >= i) bytes += bytes_of(k);
    }
    peak = std::max(peak, bytes);
  }
  return peak;
}

}  // namespace

TEST_CASE("space: whatever is selected of anything that may vary, outputs, prices and memory are those of the plain network") {
  int fewer_channels = 0, fewer_taps = 0, with_choices = 0, of_users = 0, in_blocks = 0, in_multiples = 0, few_bits = 0;
  int few_levels = 0, other_levels = 0;
  std::map<std::string, int> kinds;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    INFO("network " << seed);
    test::RandomNetwork generator(seed, true, seed % 4 >= 2);
    Network network = seed % 2 == 1 ? generator.make_1d() : generator.make();
    const bool levels = seed % 3 == 0;
    if (levels) network = with_activation_bits(network, {});
    const SearchSpace space = SearchSpace::install(network);
    const Selection selection = generator.selection(space);
    space.select(network, selection);
    REQUIRE(space.selection(network) == selection);
    const Tensor batch = generator.batch(network, 2);
    Network plain = discretize(network, space);
    const bool equal = test::difference(network.predict(batch), plain.predict(batch)) <= 1e-4;
    CHECK((equal || levels));
    other_levels += equal ? 0 : 1;  // a number just between two levels, and sums in another order

    Tape tape(false);
    const auto said = every_price(describe(network, space)), found = every_price(describe(plain)),
               charged = every_price(convert<double>(describe(tape, network, space)));
    for (std::size_t i = 0; i < said.size(); ++i) {
      INFO(said[i].first);
      CHECK(said[i].second == found[i].second);
      CHECK(charged[i].second == Approx(found[i].second).epsilon(1e-6));
    }
    CHECK(total(PeakMemory{}, describe(plain)) == peak_by_hand(plain));

    for (std::size_t g = 0; g < selection["channels"].size(); ++g)
      fewer_channels +=
          ChannelMasks::count(selection, static_cast<int>(g)) < space.axis<ChannelMasks>().groups()[g].channels ? 1 : 0;
    for (std::size_t c = 0; c < selection["taps"].size(); ++c)
      fewer_taps += selection["taps"][c][0] < space.axis<TapMasks>().chains()[c].steps ? 1 : 0;
    for (const ChannelGroup& group : space.axis<ChannelMasks>().groups())
      in_multiples += !group.frozen && group.multiple > 1 ? 1 : 0;
    for (std::size_t node = 0; node < network.nodes().size(); ++node) {
      const auto wide = [&](const ChannelRun& run) {
        return run.width > 1 && !space.axis<ChannelMasks>().groups()[run.group].frozen;
      };
      const auto& runs = space.axis<ChannelMasks>().channels().runs(static_cast<int>(node));
      in_blocks += std::any_of(runs.begin(), runs.end(), wide) ? 1 : 0;
    }
    with_choices += space.axis<Choices>().count() > 0 ? 1 : 0;
    for (const auto& node : plain.nodes()) {
      of_users += node.layer.is<Custom>() ? 1 : 0;
      ++kinds[std::string(kind_of(node.layer))];
      few_bits += weight_bits_of(node.layer).differ() ? 1 : 0;
      few_levels += node.layer.is<FakeQuantize>() && node.layer.get<FakeQuantize>().bits < 8 ? 1 : 0;
    }
  }
  CHECK(few_bits > 100);
  CHECK(few_levels > 200);
  CHECK(other_levels < 4);
  CHECK(fewer_channels > 400);
  CHECK(fewer_taps > 200);
  CHECK(with_choices > 200);
  CHECK(of_users > 5);
  CHECK(in_blocks > 100);
  CHECK(in_multiples > 100);
  for (const char* kind : {"multiply", "hard_sigmoid", "hard_swish", "clip", "leaky_relu", "upsample", "pad", "slice",
                           "group_norm", "channel_shuffle"}) {
    INFO(kind);
    CHECK(kinds[kind] > 15);
  }
}

TEST_CASE("space: every layer that there is is in some of the networks of any make") {
  std::map<std::string, int> found;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    test::RandomNetwork generator(seed, true);
    const Network network = seed % 2 == 1 ? generator.make_1d() : generator.make();
    for (const auto& node : network.nodes()) ++found[std::string(kind_of(node.layer))];
  }
  for (const std::string& kind : kinds_of(BuiltInLayers{})) {
    if (kind == FakeQuantize{}.kind()) continue;  // its steps make whole levels of what differs by rounding alone
    INFO(kind << ": a new layer belongs into RandomNetwork, so that what holds for every network is tried with it");
    CHECK(found[kind] > 3);
  }
}

TEST_CASE("space: what was found may vary on, and is found again") {
  int fewer_channels = 0, fewer_taps = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    INFO("network " << seed);
    test::RandomNetwork generator(seed, true, seed % 4 >= 2);
    Network network = seed % 2 == 1 ? generator.make_1d() : generator.make();
    for (int round = 0; round < 3; ++round) {
      const SearchSpace space = SearchSpace::install(network);
      const Selection selection = generator.selection(space);
      space.select(network, selection);
      const Tensor batch = generator.batch(network, 2);
      Network plain = discretize(network, space);
      CHECK(test::difference(network.predict(batch), plain.predict(batch)) <= 1e-4);
      CHECK(every_price(describe(network, space)) == every_price(describe(plain)));
      if (round > 0) {
        for (std::size_t g = 0; g < selection["channels"].size(); ++g)
          fewer_channels +=
              ChannelMasks::count(selection, static_cast<int>(g)) < space.axis<ChannelMasks>().groups()[g].channels ? 1 : 0;
        for (std::size_t c = 0; c < selection["taps"].size(); ++c)
          fewer_taps += selection["taps"][c][0] < space.axis<TapMasks>().chains()[c].steps ? 1 : 0;
      }
      network = std::move(plain);
    }
  }
  CHECK(fewer_channels > 100);
  CHECK(fewer_taps > 50);
}
