// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Searches over alternatives, alone and with channels.

#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/constraints/penalty.hpp"
#include "siena/core/parallel.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/reach.hpp"
#include "siena/search/search.hpp"
#include "siena/space/choice.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"

using namespace siena;

namespace {

const data::Splits& pictures() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 4, .height = 12, .width = 12, .channels = 2, .train = 256, .validation = 64, .test = 64, .noise = 0.02});
  return splits;
}
/// Tells the network nothing.
struct Blank {
  std::string_view kind() const { return "blank"; }
  Shape setup(LayerSetup& setup) const {
    setup.macs(0);
    return setup.input();
  }
  Var forward(Forward& f) const { return f.tape().constant(Tensor(f.input().shape())); }
};
Flow piece(const Flow& x, int out, int kernel) {
  return x | Searchable{Conv2d{.out = out, .kernel = kernel}, Channels{}} | BatchNorm{} | Relu{};
}
Network supernet() {
  return Network(
      {12, 12, 2},
      [](Flow x) {
        x = (x | Searchable{Conv2d{.out = 8, .kernel = 3, .stride = 2}, Channels{}}).named("stem") | BatchNorm{} | Relu{};
        for (int block = 0; block < 2; ++block) {
          const auto conv = [](int kernel) {
            return Alternative{"conv" + std::to_string(kernel), [=](const Flow& y) { return piece(y, 8, kernel); }};
          };
          x = x | Choice{conv(5), conv(3), conv(1), Identity{}};
        }
        return x | GlobalAvgPool{} | Linear{.out = 4};
      },
      3);
}
SearchOptions brief(Sampling sampling) {
  SearchOptions options{.warmup = 1, .epochs = 4, .batch = 32, .optimizer = Adam{.lr = 1e-2}, .seed = 2};
  options.space.choices.sampling = sampling;
  return options;
}
int mixtures(const Network& network) {
  int count = 0;
  for (const auto& node : network.nodes()) count += node.layer.is<Mixture>() ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("search: alternatives and channels together keep every bound, however they are sampled") {
  Network network = supernet();
  const SearchSpace space = SearchSpace::install(network);
  const Architecture<double> largest = describe(network, space, space.full());
  const auto bounds = subject_to(AtMost{Macs{}, 0.35 * total(Macs{}, largest)}, AtMost{Gap8{}, 0.4 * total(Gap8{}, largest)});
  for (const Sampling sampling :
       {Sampling::softmax, Sampling::gumbel, Sampling::hard_gumbel, Sampling::argmax, Sampling::score}) {
    INFO("sampling " << static_cast<int>(sampling));
    SearchOptions options = brief(sampling);
    options.space.choices.one_hot_penalty = sampling == Sampling::softmax ? 0.1 : 0;
    auto [found, history] = search(supernet(), pictures(), bounds, Duccio{}, options);
    CHECK(bounds.feasible(describe(found)));
    CHECK(mixtures(found) == 0);
    CHECK(found.parameters(Role::architecture).empty());
    CHECK(evaluate(found, pictures().test, 32).loss == Approx(history.found_test->loss));
  }
}

TEST_CASE("search: limits come near alternatives by and by") {
  // The limit is that of the cheapest path; the formulation would have it at once.
  Network network = supernet();
  const SearchSpace space = SearchSpace::install(network);
  const double limit = 1.02 * reach(Problem{network, space, subject_to(AtMost{Macs{}, 1e9})})[0].smallest;
  REQUIRE(total(Macs{}, describe_expected(network, space)) > 1.5 * limit);
  const auto penalties = [&](double lead) {
    SearchOptions options = brief(Sampling::score);
    options.epochs = 10;
    options.lead = lead;
    auto [found, history] = search(supernet(), pictures(), subject_to(AtMost{Macs{}, limit}), Penalty{.weight = 10}, options);
    CHECK(total(Macs{}, describe(found)) <= limit);
    std::vector<double> all;
    for (const EpochEvent& epoch : history.search.epochs) all.push_back(epoch.penalty);
    return all;
  };
  const std::vector<double> at_once = penalties(1), nearing = penalties(0.4);
  INFO("at once " << at_once[0] << ", " << at_once[1] << "; nearing " << nearing[0] << ", " << nearing[1] << ", "
                  << nearing[2]);
  CHECK(nearing[0] < 0.05 * at_once[0]);
  CHECK(nearing[1] < 0.3 * at_once[0]);
}

TEST_CASE("search: finds the alternative that the task needs") {
  const auto build = [](Flow x) {
    x = x | Conv2d{.out = 8, .kernel = 3, .stride = 2} | BatchNorm{} | Relu{};
    const auto useful = [](const Flow& y) { return y | Conv2d{.out = 8, .kernel = 3} | BatchNorm{} | Relu{}; };
    x = x | Choice{Blank{}, Alternative{"useful", useful}, Blank{}};
    return x | GlobalAvgPool{} | Linear{.out = 4};
  };
  for (const Sampling sampling : {Sampling::softmax, Sampling::gumbel, Sampling::score}) {
    INFO("sampling " << static_cast<int>(sampling));
    SearchOptions options = brief(sampling);
    options.architecture = Adam{.lr = 5e-2};
    options.epochs = 8;
    const Network network({12, 12, 2}, build);
    const auto loose = subject_to(AtMost{Macs{}, 1e9});
    auto [found, history] = search(network, pictures(), loose, Duccio{}, options);
    CHECK(total(Macs{}, describe(found)) > 36 * 9 * 64);
    CHECK(history.search.epochs.back().train.loss < 1.3);  // log 4 = 1.39 tells nothing
  }
}

TEST_CASE("search: alternately, on data of its own") {
  for (const auto every : {Alternation::Every::step, Alternation::Every::epoch}) {
    SearchOptions options = brief(Sampling::score);
    options.architecture_share = 0.25;
    options.architecture_every = every;
    std::vector<Moves> steps;
    std::vector<std::int64_t> sizes;
    options.objective.before_update = [&](StepContext& step) {
      steps.push_back(step.moves);
      sizes.push_back(step.batch.size());
    };
    Network network = supernet();
    const SearchSpace space = SearchSpace::install(network);
    const auto bounds = subject_to(AtMost{Macs{}, 0.4 * total(Macs{}, describe(network, space, space.full()))});
    options.batch = 16;
    auto [found, history] = search(supernet(), pictures(), bounds, AugmentedLagrangian{}, options);
    CHECK(bounds.feasible(describe(found)));
    steps.erase(steps.begin(), steps.begin() + 16);  // warm-up: 256 images
    const auto of_architecture = std::count(steps.begin(), steps.end(), Moves::architecture);
    // 192 images train the weights in 12 steps an epoch, 64 the architecture, in the first half of 4 epochs.
    CHECK(std::count(steps.begin(), steps.end(), Moves::weights) == 48);
    CHECK(of_architecture == (every == Alternation::Every::step ? 24 : 8));
    CHECK(steps[1] == (every == Alternation::Every::step ? Moves::architecture : Moves::weights));
  }
  SearchOptions wrong = brief(Sampling::score);
  wrong.architecture_share = 1;
  CHECK_THROWS_WITH(search(supernet(), pictures(), subject_to(AtMost{Macs{}, 1e9}), Duccio{}, wrong),
                    ContainsSubstring("expected an architecture_share in [0, 1)"));
}

TEST_CASE("search: the architecture's steps keep what choices learn, and no running statistics") {
  Network network = supernet();
  const SearchSpace space = SearchSpace::install(network);
  State before, after;
  network.save(before);
  {
    const KeptStatistics kept(network);
    for (const Network::Node& node : network.nodes())
      for (const int buffer : node.buffers) network.buffer(buffer).fill(7);
  }
  network.save(after);
  int learnt = 0;
  for (const auto& [name, value] : before.values()) {
    const bool of_choice = name.ends_with(".advantage") || name.ends_with(".samples");
    if (of_choice) CHECK(after.get<Tensor>(name).data()[0] == 7);
    if (name.ends_with("running_mean")) CHECK(test::difference(std::get<Tensor>(value), after.get<Tensor>(name)) == 0);
    learnt += of_choice ? 1 : 0;
  }
  CHECK(learnt > 0);
}

TEST_CASE("search: choices give the same bits at any number of threads") {
  const auto bounds = subject_to(AtMost{Macs{}, 2e5});
  const auto run = [&](int count) {
    set_threads(count);
    auto found = search(supernet(), pictures(), bounds, Duccio{}, brief(Sampling::score)).network;
    return found.predict(Tensor(Shape{2, 12, 12, 2}, 0.3f));
  };
  const int before = threads();
  const Tensor one = run(1), two = run(2);
  set_threads(before);
  CHECK(test::difference(one, two) == 0);
}

TEST_CASE("repair: alternatives change where channels do not suffice") {
  Network network = supernet();
  const SearchSpace space = SearchSpace::install(network);
  for (int c = 0; c < 2; ++c) {
    network.parameter(network.nodes()[space.axis<Choices>().node(c)].parameters[0])
        .value.assign(std::vector<float>{3, 2, 0, 1});
  }
  const auto cost = [&](const Selection& selection) { return total(Macs{}, describe(network, space, selection)); };
  const Selection now = space.selection(network);
  CHECK(now["choices"] == AxisState{{0}, {0}});
  // The least there is: one channel and nothing in between.
  const double least = cost(cheapest(network, space, cost));
  Selection smallest = space.smallest();
  smallest["choices"] = {{3}, {3}};
  CHECK(least == cost(smallest));
  for (const double limit : {0.9, 0.5, 0.2, 0.05, 1e-9}) {
    const double most = std::max(least, limit * cost(now));
    const auto bounds = subject_to(AtMost{Macs{}, most});
    CHECK_NOTHROW(require_reachable({network, space, bounds}));
    const Selection kept = repair({network, space, bounds}, now);
    CHECK(cost(kept) <= most);
    const Selection used = use_slack({network, space, bounds}, kept);
    CHECK(cost(used) <= most);
    CHECK(cost(used) >= cost(kept));
  }
  // An alternative that is likelier comes back where it fits.
  Selection small = now;
  small["choices"] = {{3}, {3}};
  CHECK(use_slack({network, space, subject_to(AtMost{Macs{}, 2 * cost(now)})}, small)["choices"] == AxisState{{0}, {0}});
  CHECK_THROWS_WITH(require_reachable({network, space, subject_to(AtMost{Macs{}, least - 1})}),
                    ContainsSubstring("the smallest value that this search space reaches is"));
}
