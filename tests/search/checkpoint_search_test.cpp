// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/constraints/nu_pi.hpp"
#include "siena/constraints/steer.hpp"
#include "siena/cost/macs.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
#include "siena/space/choice.hpp"
#include "siena/space/searchable.hpp"
#include "siena/train/distill.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

const data::Splits& checkpoint_images() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 4, .height = 16, .width = 16, .channels = 2, .train = 160, .validation = 64, .test = 32, .noise = 0.02});
  return splits;
}
// Channels vary, and the second layer is one of three alternatives.
Network varied() {
  const auto conv = [](int out, int kernel) { return Searchable{Conv2d{.out = out, .kernel = kernel}, Channels{}}; };
  return Network(
      {16, 16, 2},
      [&](Flow x) {
        x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .stride = 2}, Channels{}} | BatchNorm{} | Relu{};
        x = x | Choice{Alternative{"3", [&](const Flow& y) { return y | conv(8, 3) | BatchNorm{} | Relu{}; }},
                       Alternative{"1", [&](const Flow& y) { return y | conv(8, 1) | BatchNorm{} | Relu{}; }}, Identity{}};
        return x | GlobalAvgPool{} | Linear{.out = 4};
      },
      4);
}
// Channels alone, which go one by one.
Network narrowing() {
  const auto conv = [](int out) { return Searchable{Conv2d{.out = out, .kernel = 3, .stride = 2}, Channels{}}; };
  return Network(
      {16, 16, 2},
      [&](const Flow& x) {
        return x | conv(8) | BatchNorm{} | Relu{} | conv(16) | BatchNorm{} | Relu{} | GlobalAvgPool{} | Linear{.out = 4};
      },
      5);
}
ConstraintSet checkpoint_bounds(double memory = 300) { return subject_to(MemoryBound{Bytes{memory}}, AtMost{Macs{}, 25e3}); }
SearchOptions checkpoint_options() {
  return {.warmup = 2, .epochs = 4, .batch = 32, .optimizer = Adam{.lr = 1e-2}, .architecture = Adam{.lr = 5e-2}, .seed = 3};
}

/// Another model under the same name.
struct Twice {
  std::string_view name() const { return Macs{}.name(); }
  std::string_view unit() const { return Macs{}.unit(); }
  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    return layer.macs() * 2.0;
  }
};

// A search that is stopped after every epoch and begun again, until it ends.
template <class F>
SearchResult in_pieces(const Network& network, const F& formulation, SearchOptions options, const std::filesystem::path& folder,
                       int& pieces) {
  for (pieces = 1;; ++pieces) {
    int asked = 0;
    options.checkpoint = {.folder = folder, .resume = true, .stop = [&asked] { return asked++ == 1; }};
    try {
      return search(network, checkpoint_images(), checkpoint_bounds(), formulation, options);
    } catch (const Interrupted&) {
      REQUIRE(pieces < 30);
    }
  }
}
template <class F>
void check_pieces(const Network& network, const F& formulation, const SearchOptions& options) {
  const SearchResult whole = search(network, checkpoint_images(), checkpoint_bounds(), formulation, options);
  const test::TemporaryFolder folder("siena_search_checkpoint");
  int pieces = 0;
  const SearchResult parts = in_pieces(network, formulation, options, folder.path, pieces);
  CHECK(pieces == static_cast<int>(whole.history.warmup.epochs.size() + whole.history.search.epochs.size()));
  State expected, found;
  whole.network.save(expected);
  parts.network.save(found);
  REQUIRE(found.values().size() == expected.values().size());
  for (const auto& [name, value] : expected.values()) {
    const Tensor& a = std::get<Tensor>(value);
    const Tensor& b = found.tensor(name, a.shape());
    for (std::int64_t r = 0; r < a.rows(); ++r) {
      INFO(name);
      CHECK(std::equal(a.row(r).begin(), a.row(r).end(), b.row(r).begin()));
    }
  }
  const SearchHistory &x = whole.history, &y = parts.history;
  CHECK(x.best_epoch == y.best_epoch);
  CHECK(x.repaired == y.repaired);
  CHECK(x.baseline_validation.loss == y.baseline_validation.loss);
  CHECK(x.found_test->loss == y.found_test->loss);
  REQUIRE(y.search.epochs.size() == x.search.epochs.size());
  for (std::size_t e = 0; e < x.search.epochs.size(); ++e) {
    CHECK(x.search.epochs[e].train.loss == y.search.epochs[e].train.loss);
    CHECK(x.search.epochs[e].penalty == y.search.epochs[e].penalty);
    REQUIRE(x.search.epochs[e].bounds.size() == y.search.epochs[e].bounds.size());
    for (std::size_t b = 0; b < x.search.epochs[e].bounds.size(); ++b)
      CHECK(x.search.epochs[e].bounds[b].value == y.search.epochs[e].bounds[b].value);
  }
  REQUIRE(x.prices.size() == y.prices.size());
  for (std::size_t p = 0; p < x.prices.size(); ++p) CHECK(x.prices[p].price == y.prices[p].price);
}

}  // namespace

TEST_CASE("search: stopped after every epoch and resumed, it ends as without a break") {
  check_pieces(varied(), Duccio{}, checkpoint_options());
  check_pieces(narrowing(), Duccio{}, checkpoint_options());
}

TEST_CASE("search: multipliers, steps of the architecture and masks that never settle are resumed, too") {
  SearchOptions options = checkpoint_options();
  options.settle = 1;
  options.architecture_share = 0.25;
  check_pieces(varied(), AugmentedLagrangian{}, options);
}

TEST_CASE("search: steered steps, patience and samples by temperature are resumed, too") {
  SearchOptions options = checkpoint_options();
  options.space.choices.sampling = Sampling::hard_gumbel;
  options.space.masks.secant = false;
  options.architecture_share = 0.25;
  options.architecture_every = Alternation::Every::epoch;
  options.epochs = 12;
  options.patience = 3;
  check_pieces(varied(), Steer{}, options);
  check_pieces(narrowing(), NuPi{}, options);
}

TEST_CASE("search: goes on only as what it began as") {
  const test::TemporaryFolder folder("siena_search_checkpoint");
  SearchOptions options = checkpoint_options();
  options.checkpoint.folder = folder.path;
  (void)search(varied(), checkpoint_images(), checkpoint_bounds(), Duccio{}, options);
  const auto run = [&](const ConstraintSet& bounds, const auto& formulation, const SearchOptions& with) {
    return search(varied(), checkpoint_images(), bounds, formulation, with);
  };
  CHECK_THROWS_WITH(run(checkpoint_bounds(), Duccio{}, options), Catch::Contains("warm-up: expected a folder without"));
  options.checkpoint.resume = true;
  CHECK_NOTHROW(run(checkpoint_bounds(), Duccio{}, options));
  CHECK_THROWS_WITH(run(checkpoint_bounds(299), Duccio{}, options),
                    Catch::Contains("at most 299 B") && Catch::Contains("at most 300 B"));
  CHECK_THROWS_WITH(run(checkpoint_bounds(), AugmentedLagrangian{}, options), Catch::Contains("duccio"));
  CHECK_THROWS_WITH(run(checkpoint_bounds(), Duccio{.kappa = 2}, options),
                    Catch::Contains("kappa 2") && Catch::Contains("kappa 1"));
  CHECK_THROWS_WITH(run(subject_to(MemoryBound{Bytes{300}}, AtMost{Twice{}, 25e3}), Duccio{}, options),
                    Catch::Contains("'macs' to begin at") && Catch::Contains("another network, cost model or clock"));
  SearchOptions colder = options;
  colder.warmup = 0;
  CHECK_THROWS_WITH(run(checkpoint_bounds(), Duccio{}, colder), Catch::Contains("starting weights"));
  options.settle = 0.75;
  CHECK_THROWS_WITH(run(checkpoint_bounds(), Duccio{}, options), Catch::Contains("settle 0.75"));
}

TEST_CASE("search: a teacher, and what an objective remembers, are resumed, too") {
  int steps = 0;
  Objective counting = classification({.label_smoothing = 0.1, .class_weights = {1, 2, 1, 1}});
  counting.after_step = [&](StepContext&) { ++steps; };
  counting.save = [&](State& state, const std::string& prefix) { state.put(prefix + "steps", std::int64_t{steps}); };
  counting.load = [&](const State& state, const std::string& prefix) {
    steps = static_cast<int>(state.get<std::int64_t>(prefix + "steps"));
  };
  SearchOptions options = checkpoint_options();
  options.objective = distill(counting, narrowing());
  check_pieces(varied(), Duccio{}, options);
  CHECK(steps == 2 * 6 * 5);  // twice the same search, of which the second lost count only to find it again
}

TEST_CASE("search: numbers are searched for by their loss, and refused where they are missing") {
  const data::Splits images = checkpoint_images();
  const auto measured = [](const data::Dataset& part) {  // the mean brightness of each channel
    std::vector<float> values, targets;
    for (std::int64_t i = 0; i < part.size(); ++i) {
      std::vector<float> sample(static_cast<std::size_t>(part.shape().elements()));
      part.sample(i, sample);
      values.insert(values.end(), sample.begin(), sample.end());
      for (std::size_t c = 0; c < 4; ++c) targets.push_back(sample[c]);
    }
    return data::Dataset::from_floats(values, {.shape = part.shape(), .targets = targets});
  };
  data::Splits numbers{
      .train = measured(images.train), .validation = measured(images.validation), .test = measured(images.test)};
  SearchOptions options = checkpoint_options();
  options.objective = regression();
  SearchResult result = search(narrowing(), numbers, checkpoint_bounds(), Duccio{}, options);
  const Report report = evaluate(result.network, numbers.test, checkpoint_bounds(), regression());
  CHECK(report.feasible);
  CHECK(report.accuracy.metric == "loss");
  CHECK(report.accuracy.measured == Approx(result.history.found_test->loss));
  CHECK_FALSE(result.history.found_test->has_accuracy());
  CHECK(result.history.found_test->loss < result.history.baseline_test->loss * 10);
  const auto& epochs = result.history.search.epochs;
  REQUIRE(result.history.best_epoch > 0);
  for (const EpochEvent& epoch : epochs)
    if (epoch.feasible())
      CHECK(epochs[static_cast<std::size_t>(result.history.best_epoch - 1)].validation.loss <= epoch.validation.loss);

  numbers.test = images.test;
  int asked = 0;
  options.checkpoint.stop = [&] { return ++asked > 0; };
  CHECK_THROWS_WITH(search(narrowing(), numbers, checkpoint_bounds(), Duccio{}, options),
                    Catch::Contains("regression: expected samples with targets"));
  CHECK(asked == 0);  // before the first epoch
}
