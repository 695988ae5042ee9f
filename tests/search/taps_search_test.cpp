// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "siena/core/random.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/params.hpp"
#include "siena/search/search.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

namespace {

/// Signals of two channels, of noise: in those of class 1 the second channel
/// has an echo of what the first one had `lag` steps before.
data::Dataset echoes(std::int64_t count, int lag, std::uint64_t seed) {
  constexpr std::int64_t time = 32;
  Random random(seed);
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < count; ++i) {
    labels.push_back(static_cast<std::int32_t>(i % 2));
    std::vector<double> first;
    for (std::int64_t t = 0; t < time; ++t) {
      first.push_back(random.normal());
      const bool echo = labels.back() == 1 && t >= lag;
      const double second = echo ? 0.6 * first[static_cast<std::size_t>(t - lag)] + 0.8 * random.normal() : random.normal();
      values.push_back(static_cast<float>(first.back()));
      values.push_back(static_cast<float>(second));
    }
  }
  return data::Dataset::from_floats(std::move(values), {.shape = {time, 2}, .labels = std::move(labels)});
}
data::Splits echo_splits(int lag) {
  data::Splits splits;
  splits.train = echoes(1024, lag, 1), splits.validation = echoes(256, lag, 2), splits.test = echoes(256, lag, 3);
  return splits;
}

Network signal_network(bool channels = true) {
  return Network(
      {32, 2},
      [&](Flow x) {
        Searchable first{Conv1d{.out = 12, .kernel = 13, .padding = causal}, Channels{}, ReceptiveField{}, Dilation{}};
        Searchable second{Conv1d{.out = 8, .kernel = 5}, Channels{}, ReceptiveField{}};
        if (!channels) first.axes.drop("channels"), second.axes.drop("channels");
        x = (x | first).named("first") | BatchNorm{} | Relu{};
        x = (x | second).named("second") | BatchNorm{} | Relu{};
        return (x | GlobalAvgPool{} | Linear{.out = 2}).named("out");
      },
      3);
}
const Conv1d& kernel_of(const Network& network, int node) { return network.nodes()[node].layer.get<Conv1d>(); }

/// As if training had found out what a step is worth.
void set_importance(Network& network, const std::string& mask, const std::vector<float>& importance) {
  State before, after;
  network.save(before);
  for (const auto& [name, value] : before.values()) {
    auto tensor = std::get<Tensor>(value);
    if (name == mask + ".gradient_variance") {
      for (std::size_t i = 0; i < importance.size(); ++i) tensor.data()[i] = 2 * importance[i];
    }
    after.put(name, std::move(tensor));
  }
  network.load(after);
}

}  // namespace

TEST_CASE("taps in a search: repair drops the steps that matter least for what they cost, slack brings the best back") {
  Network network = signal_network();
  const SearchSpace space = SearchSpace::install(network);
  REQUIRE(space.axis<TapMasks>().chains().size() == 3);  // 12 and 3 steps of the first kernel, 2 of the second
  const std::string first = "mask.first.receptive_field", grid = "mask.first.dilation", second = "mask.second.receptive_field";
  set_importance(network, "mask.first", std::vector<float>(12, 1e6f));
  set_importance(network, "mask.second", std::vector<float>(8, 1e6f));
  set_importance(network, first, {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 0.1f, 0.2f});
  set_importance(network, grid, {1e3f, 1e3f, 1e3f});
  set_importance(network, second, {1e3f, 1e3f});
  const auto cost = [&](const Selection& selection) { return total(Params{}, describe(network, space, selection)); };
  const double whole = cost(space.full());
  CHECK(whole == 13 * 2 * 12 + 5 * 12 * 8 + 16);
  const auto repaired = [&](double limit) {
    return repair({network, space, subject_to(AtMost{Params{}, limit})}, space.full());
  };
  Selection expected = space.full();
  CHECK(repaired(whole) == expected);
  expected["taps"][0][0] = 11;  // a tap of the first kernel is 24 weights
  CHECK(repaired(whole - 1) == expected);
  expected["taps"][0][0] = 10;
  CHECK(repaired(whole - 25) == expected);
  set_importance(network, second, {0, 0});
  expected["taps"][0][0] = 12, expected["taps"][2][0] = 1;  // two taps of 96 weights for nothing
  CHECK(repaired(whole - 25) == expected);
  CHECK(use_slack({network, space, subject_to(AtMost{Params{}, whole})}, expected) == space.full());
  expected["taps"][0][0] = 3;
  const auto more = use_slack({network, space, subject_to(AtMost{Params{}, cost(expected) + 50})}, expected);
  CHECK(more["taps"] == AxisState{{5}, {3}, {1}});

  const double least = cost(space.smallest());
  CHECK(least == 2 + 1 + 2);
  CHECK_NOTHROW(require_reachable({network, space, subject_to(AtMost{Params{}, least})}));
  CHECK(cost(repaired(least)) == least);
  CHECK_THROWS_WITH(require_reachable({network, space, subject_to(AtMost{Params{}, 4})}),
                    ContainsSubstring("reaches is 5 weights"));
}

TEST_CASE("taps in a search: whatever they are worth, bounds are kept and none is left unused") {
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    INFO("seed " << seed);
    Network network = signal_network();
    const SearchSpace space = SearchSpace::install(network);
    Random random(seed);
    for (const char* mask :
         {"mask.first", "mask.second", "mask.first.receptive_field", "mask.first.dilation", "mask.second.receptive_field"}) {
      std::vector<float> importance;
      const std::size_t count = std::string(mask) == "mask.first" || std::string(mask) == "mask.first.receptive_field" ? 12 : 2;
      for (std::size_t i = 0; i < count; ++i) {
        importance.push_back(random.chance(0.2) ? 0.0f : static_cast<float>(std::exp(4 * random.normal())));
      }
      set_importance(network, mask, importance);
    }
    const auto least = describe(network, space, space.smallest()), most = describe(network, space, space.full());
    const auto limit = [&](const auto& model) {
      return total(model, least) + random.uniform() * random.uniform() * (total(model, most) - total(model, least));
    };
    const auto bounds = subject_to(AtMost{Params{}, limit(Params{})}, AtMost{Gap8{}, limit(Gap8{})});
    const auto kept = repair({network, space, bounds}, space.full());
    REQUIRE(bounds.feasible(describe(network, space, kept)));
    const auto full = use_slack({network, space, bounds}, kept);
    REQUIRE(bounds.feasible(describe(network, space, full)));
    for (std::size_t c = 0; c < full["taps"].size(); ++c) {
      CHECK(full["taps"][c][0] >= kept["taps"][c][0]);
      if (full["taps"][c][0] == space.axis<TapMasks>().chains()[c].steps) continue;
      Selection one_more = full;
      ++one_more["taps"][c][0];
      CHECK_FALSE(bounds.feasible(describe(network, space, one_more)));
    }
  }
}

TEST_CASE("taps in a search: finds the few that a task needs") {
  const auto data = echo_splits(3);
  const double macs = total(Macs{}, describe(signal_network()));
  for (const bool channels : {false, true}) {
    const auto bounds = subject_to(AtMost{Macs{}, macs / 4});
    const SearchOptions options{.warmup = 6, .epochs = 8, .batch = 32, .optimizer = Adam{.lr = 5e-3}, .seed = 1};
    const auto [found, history] = search(signal_network(channels), data, bounds, Duccio{}, options);
    REQUIRE(history.found_test);
    const Conv1d &first = kernel_of(found, 1), &second = kernel_of(found, 4);
    INFO("accuracy " << history.baseline_test->accuracy << " before, " << history.found_test->accuracy << " after; "
                     << first.kernel << " taps of dilation " << first.dilation << " and " << second.kernel << " taps");
    CHECK(bounds.feasible(describe(found)));
    CHECK(first.kernel + second.kernel < 18);
    CHECK(history.baseline_test->accuracy > 0.9);
    CHECK(history.found_test->accuracy > history.baseline_test->accuracy - 0.05);
    // The tap of now and that of three steps before are all that the class shows in: no wider grid holds them.
    CHECK(first.kernel >= 4);
    CHECK(first.dilation == 1);
    CHECK(first.padding == TimePadding(causal));
  }
}

TEST_CASE("taps in a search: the discretized network is the masked one") {
  const auto data = echo_splits(2);
  for (const bool channels : {false, true}) {
    Network network = signal_network(channels);
    const SearchSpace space = SearchSpace::install(network);
    const auto bounds = subject_to(AtMost{Macs{}, total(Macs{}, describe(network)) / 3});
    MultiConstraint<Duccio> constraints(bounds, Duccio{});
    constraints.start(0.7, describe(network, space), 2);
    SearchPhase<Duccio> phase(network, space, constraints, {.epochs = 2, .settle = 1});
    (void)fit(network, data.train, data.validation,
              {.epochs = 2, .batch = 64, .architecture = Adam{.lr = 5e-2}, .objective = phase.objective()}, Observers{});
    phase.settle();
    CHECK(bounds.feasible(describe(network, space)));
    Network plain = discretize(network, space);
    if (!channels) CHECK(kernel_of(plain, 1).kernel + kernel_of(plain, 4).kernel < 18);
    CHECK(total(Macs{}, describe(plain)) == total(Macs{}, describe(network, space)));
    CHECK(evaluate(plain, data.test).loss == Approx(evaluate(network, data.test).loss).epsilon(1e-5));
    const Tensor batch = random_tensor<float>({4, 32, 2}, 1);
    CHECK(test::difference(network.predict(batch), plain.predict(batch)) < 1e-4);
  }
}
