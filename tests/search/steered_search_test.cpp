// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "siena/constraints/bound.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
#include "siena/space/searchable.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

Network steered_net() {
  const auto conv = [](int out) { return Searchable{Conv2d{.out = out, .kernel = 3, .stride = 2}, Channels{}}; };
  return Network(
      {16, 16, 2},
      [&](const Flow& x) {
        return x | conv(8) | BatchNorm{} | Relu{} | conv(16) | BatchNorm{} | Relu{} | GlobalAvgPool{} | Linear{.out = 4};
      },
      5);
}
std::string steered_state(const Network& network) {
  State state;
  network.save(state);
  return siena::detail::state_bytes(state);
}

}  // namespace

TEST_CASE("a search keeps the best averaged network, in a file too, and goes on after breaks to the same bits") {
  const data::Splits images = data::synthetic_images(
      {.classes = 4, .height = 16, .width = 16, .channels = 2, .train = 160, .validation = 64, .test = 32, .noise = 0.02});
  const ConstraintSet bounds = subject_to(MemoryBound{Bytes{500}});
  SearchOptions options{.warmup = 2,
                        .epochs = 4,
                        .batch = 32,
                        .optimizer = Adam{.lr = 1e-2},
                        .schedule = PlateauLr{.patience = 1, .gamma = 0.5},
                        .architecture = Adam{.lr = 5e-2},
                        .clip = 0.5,
                        .ema = 0.8,
                        .seed = 3};
  SearchResult straight = search(steered_net(), images, bounds, Duccio{}, options);
  REQUIRE(straight.history.best_epoch > 0);
  const EpochEvent& best = straight.history.search.epochs[static_cast<std::size_t>(straight.history.best_epoch) - 1];
  CHECK(best.best);
  CHECK(best.feasible());
  CHECK(evaluate(straight.network, images.validation).loss == Approx(best.validation.loss).epsilon(1e-4));

  const test::TemporaryFolder folder("siena_steered_search");
  options.checkpoint = {.folder = folder.path, .resume = true};
  for (bool done = false; !done;) {
    int asked = 0;
    options.checkpoint.stop = [&] { return ++asked == 2; };
    try {
      const SearchResult resumed = search(steered_net(), images, bounds, Duccio{}, options);
      CHECK(steered_state(resumed.network) == steered_state(straight.network));
      done = true;
    } catch (const Interrupted&) {
    }
  }

  // As docs/guides/training.md tells it.
  Network network = steered_net();
  const SearchSpace space = SearchSpace::install(network, options.space);
  network.load(load_checkpoint(folder.path / "search.best.checkpoint"), "network.");
  CHECK(steered_state(discretize(network, space)) == steered_state(straight.network));
}
