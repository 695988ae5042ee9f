// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/no_class.hpp"
#include "siena/core/random.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/train/distill.hpp"
#include "siena/train/loop.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/noted_ranks.hpp"
#include "support/rank_threads.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

const data::Splits& rank_images() {
  static const data::Splits splits =
      data::synthetic_images({.classes = 4, .height = 8, .width = 8, .channels = 2, .train = 70, .validation = 24, .test = 8});
  return splits;
}
// Small batches through a norm make much of a rounding error: what is compared with other sums has none.
Network rank_net(bool norm, std::uint64_t seed = 0) {
  return Network(
      {8, 8, 2},
      [&](Flow x) {
        x = x | Conv2d{.out = 8, .kernel = 3, .stride = 2};
        if (norm) x = x | BatchNorm{};
        return x | Relu{} | GlobalAvgPool{} | Linear{.out = 4};
      },
      seed);
}
// One of every layer that sums over samples, in its way.
Network summing_net() {
  return Network(
      {8, 8, 2},
      [](Flow x) {
        x = x | Conv2d{.out = 8, .kernel = 3, .stride = 2, .bias = true} | BatchNorm{} | PRelu{};
        auto y =
            x | Conv2d{.out = 8, .kernel = 3, .groups = 8} | GroupNorm{.groups = 2} | Relu{} | Conv2d{.out = 8, .kernel = 1};
        x = add(y | BatchNorm{}, x) | Relu{} | FakeQuantize{.scale = 0.01, .learned = true};
        x = x | Conv2d{.out = 12, .kernel = 3, .weight_bits = {8}} | BatchNorm{} | Relu{} | Dropout{.probability = 0.2};
        return x | GlobalAvgPool{} | Linear{.out = 4};
      },
      3);
}
FitOptions rank_options() { return {.epochs = 2, .batch = 16, .optimizer = Sgd{.lr = 0.2}, .seed = 5}; }

struct Trained {
  Network network;
  History history;
  std::string error;
};
// What ranks make of a network, with the options that `change` gives each of them.
template <class Change>
std::vector<Trained> train_on(int count, const Network& network, Change&& change) {
  std::vector<Trained> all(static_cast<std::size_t>(count), {network, {}, {}});
  const auto errors = test::on_ranks(count, [&](int rank, const AnyCommunicator& ranks) {
    Trained& mine = all[static_cast<std::size_t>(rank)];
    FitOptions options = rank_options();
    options.ranks = ranks;
    change(rank, mine.network, options);
    mine.history = fit(mine.network, rank_images(), options);
  });
  for (std::size_t rank = 0; rank < all.size(); ++rank) all[rank].error = test::text_of(errors[rank]);
  return all;
}
bool same_bits(const Network& a, const Network& b) {
  State x, y;
  a.save(x);
  b.save(y);
  return detail::state_bytes(x) == detail::state_bytes(y);
}
double most_apart(const Network& a, const Network& b) {
  double most = 0;
  for (int p = 0; p < a.parameter_count(); ++p)
    most = std::max(most, test::difference(a.parameter(p).value, b.parameter(p).value));
  return most;
}
const auto as_it_is = [](int, Network&, FitOptions&) {};

}  // namespace

TEST_CASE("ranks that share batches train the network that one process trains") {
  Network alone = rank_net(false);
  const History expected = fit(alone, rank_images(), rank_options());
  CHECK(most_apart(alone, rank_net(false)) > 0.01);
  for (const int count : {1, 2, 3}) {  // the last batch has 6 samples
    const auto ranks = train_on(count, rank_net(false), [&](int, Network&, FitOptions& options) { options.shards = count; });
    for (const Trained& one : ranks) {
      INFO(count << " ranks: " << one.error);
      REQUIRE(one.error.empty());
      CHECK(same_bits(one.network, ranks[0].network));
      CHECK(most_apart(one.network, alone) < 1e-4);
      REQUIRE(one.history.epochs.size() == 2);
      CHECK(one.history.epochs[1].train.samples == 70);
      CHECK(one.history.epochs[1].train.loss == Approx(expected.epochs[1].train.loss).epsilon(1e-5));
      CHECK(one.history.epochs[1].train.accuracy == expected.epochs[1].train.accuracy);
      CHECK(one.history.epochs[1].validation.loss == ranks[0].history.epochs[1].validation.loss);
    }
  }
  CHECK(same_bits(train_on(1, rank_net(false), as_it_is)[0].network, alone));
}

TEST_CASE("shards and not ranks decide the bits") {
  const Network start = summing_net();
  std::vector<FitOptions> trainings(4, rank_options());
  trainings[1].objective = classification({.label_smoothing = 0.1, .class_weights = {1, 2, 3, 4}});
  trainings[2].objective = distill(classification(), start);
  for (FitOptions& options : trainings) options.epochs = 1, options.batch = 32, options.optimizer = Sgd{.lr = 0.05};
  trainings[3].objective = {.loss = [](StepContext& step) {
    const Var outputs = step.forward(), wanted = step.tape.constant(Tensor(outputs.shape(), 0.25f));
    return Loss{
        .task = ops::add(ops::mean_squared_error<float>(outputs, wanted), ops::binary_cross_entropy<float>(outputs, wanted))};
  }};
  for (const FitOptions& given : trainings) {
    const auto on = [&](int count, int shards) {
      return train_on(count, start, [&](int, Network&, FitOptions& options) {
        const AnyCommunicator ranks = options.ranks;
        options = given;
        options.ranks = ranks, options.shards = shards;
      });
    };
    const Trained whole = on(1, 1)[0];
    for (const int shards : {6, 8}) {  // the last batch has 6 samples
      const Trained alone = on(1, shards)[0];
      REQUIRE(alone.error.empty());
      CHECK_FALSE(same_bits(alone.network, whole.network));
      CHECK(most_apart(alone.network, whole.network) < 0.02);
      for (const int count : {2, 3, 4, 8}) {
        if (shards % count != 0) continue;
        INFO(shards << " shards, " << count << " ranks");
        for (const Trained& one : on(count, shards)) {
          REQUIRE(one.error.empty());
          CHECK(same_bits(one.network, alone.network));
          CHECK(one.history.epochs[0].train.loss == alone.history.epochs[0].train.loss);
          CHECK(one.history.epochs[0].validation.loss == alone.history.epochs[0].validation.loss);
        }
      }
    }
  }
}

TEST_CASE("gradients travel while the reverse pass goes on, and are made while ranks wait for each other") {
  const Network wide({8, 8, 2}, [](Flow x) {
    for (int i = 0; i < 3; ++i) x = x | Conv2d{.out = 128, .kernel = 1} | BatchNorm{} | Relu{};  // 64 KiB of weights
    return x | GlobalAvgPool{} | Linear{.out = 4};
  });
  const auto notes = std::make_shared<std::vector<test::Note>>();
  std::size_t forward = 0, step = 0;
  const auto ranks = train_on(2, wide, [&](int rank, Network&, FitOptions& options) {
    options.epochs = 1;
    if (rank != 0) return;
    options.ranks = test::NotedRanks(options.ranks, notes);
    options.objective.loss = [&, loss = options.objective.loss](StepContext& context) {
      notes->clear();
      Loss all = loss(context);
      forward = notes->size();
      return all;
    };
    options.objective.before_update = [&](StepContext&) { step = notes->size(); };
  });
  for (const Trained& one : ranks) CHECK(one.error.empty());
  CHECK(forward == 2 * (3 + 1));  // a message for each norm and one for the loss; none is under way
  REQUIRE(step <= notes->size());
  // n and N: a short message begins, its result is there; w and W: one of weights.
  std::string all, letters;
  for (std::size_t i = forward; i < step; ++i) {
    const test::Note& note = (*notes)[i];
    if (!note.what.empty()) letters += note.bytes <= 2048 ? 'n' : 'w';
    const char letter = letters[note.message - notes->front().message - forward / 2];
    all += note.what.empty() ? static_cast<char>(letter - 'a' + 'A') : letter;
  }
  // What the batch came to; the last norm, with nothing to do meanwhile; the second norm, while which waits the weights behind
  // it are made and leave; the first norm, while which waits those arrive, are handed on, and others leave; what is left.
  CHECK(all ==
        "nN"
        "nN"
        "nwN"
        "nWwwN"
        "WwnNWW");
}

TEST_CASE("ranks that come apart are found at the end of the epoch") {
  const auto ranks = train_on(2, rank_net(true), [](int rank, Network&, FitOptions& options) {
    options.objective.before_update = [rank](StepContext& step) {
      *step.network.parameter(0).grad.data() += static_cast<float>(rank);
    };
  });
  for (const Trained& one : ranks)
    CHECK_THAT(one.error, ContainsSubstring("expected all 2 ranks to have the same network after epoch 1, got others"));
}

TEST_CASE("a number that is none, among one rank's samples, ends all ranks with a sentence") {
  const auto ranks = train_on(3, rank_net(true), [](int rank, Network&, FitOptions& options) {
    options.shards = 3;
    options.objective.loss = [rank](StepContext& step) {
      const Var outputs = step.forward();
      Tensor wanted(outputs.shape(), 0.5f);
      if (rank == 1 && step.epoch >= 1) *wanted.data() = std::numeric_limits<float>::quiet_NaN();
      return Loss{.task = ops::mean_squared_error<float>(outputs, step.tape.constant(std::move(wanted)))};
    };
  });
  for (const Trained& one : ranks) CHECK_THAT(one.error, ContainsSubstring("expected a finite loss"));
}

TEST_CASE("a loss of one rank's samples alone is refused") {
  const auto ranks = train_on(2, rank_net(true), [](int, Network&, FitOptions& options) {
    options.objective.loss = [](StepContext& step) {
      const Var outputs = step.forward();
      return Loss{.task = ops::sum(ops::multiply(outputs, outputs))};
    };
  });
  for (const Trained& one : ranks)
    CHECK_THAT(one.error, ContainsSubstring("expected a loss of the whole batch, the same on all 2 ranks"));
}

TEST_CASE("a training goes on, on another number of ranks, to the same bits") {
  const test::TemporaryFolder folder("siena_ranks_resume");
  const auto on = [&](int count, bool keep, int epochs) {
    return train_on(count, rank_net(true), [&](int, Network&, FitOptions& options) {
      options.epochs = 3, options.shards = 8;
      if (!keep) return;
      options.checkpoint = {
          .folder = folder.path, .resume = true, .stop = [asked = 0, epochs]() mutable { return asked++ == epochs; }};
    });
  };
  for (const Trained& one : on(4, true, 1)) CHECK_THAT(one.error, ContainsSubstring("stopped after 1 of 3 epochs"));
  for (const Trained& one : on(2, true, 1)) CHECK_THAT(one.error, ContainsSubstring("stopped after 2 of 3 epochs"));
  const Trained last = on(1, true, -1)[0];
  REQUIRE(last.error.empty());
  CHECK(same_bits(last.network, on(1, false, 0)[0].network));
}

TEST_CASE("ranks train over batches without a label as one process does") {
  std::vector<float> values(std::size_t{8} * 8 * 8 * 2);
  Random random(3);
  for (float& value : values) value = static_cast<float>(random.normal());
  std::vector<std::int32_t> labels(8, no_class);
  labels[5] = 1;
  const auto data = data::Dataset::from_floats(std::move(values), {.shape = {8, 8, 2}, .labels = labels, .classes = 4});
  const FitOptions options{.epochs = 2, .batch = 2, .seed = 5};
  Network alone = rank_net(false);
  fit(alone, {.train = data}, options);
  std::vector<Network> networks(2, rank_net(false));
  const auto errors = test::on_ranks(2, [&](int rank, const AnyCommunicator& ranks) {
    FitOptions mine = options;
    mine.ranks = ranks;
    fit(networks[static_cast<std::size_t>(rank)], {.train = data}, mine);
  });
  for (std::size_t rank = 0; rank < 2; ++rank) {
    CHECK(test::text_of(errors[rank]).empty());
    CHECK(most_apart(networks[rank], alone) < 1e-4);
  }
  CHECK(most_apart(alone, rank_net(false)) > 1e-4);
}

TEST_CASE("ranks end with the same running statistics and averages") {
  const auto ranks =
      train_on(3, rank_net(true), [](int, Network&, FitOptions& options) { options.ema = 0.9, options.shards = 3; });
  for (const Trained& one : ranks) {
    REQUIRE(one.error.empty());
    CHECK(same_bits(one.network, ranks[0].network));
  }
}

TEST_CASE("gradients are those of the whole batch before the objective sees them, wherever they are") {
  std::vector<float> slopes(2);
  std::vector<std::int64_t> samples(2);
  const auto ranks = train_on(2, rank_net(false), [&](int rank, Network& whole, FitOptions& options) {
    const auto other = std::make_shared<Network>(whole);  // what is computed, as a search does it
    const auto bring = [&whole, other](auto&& each) {
      for (int p = 0; p < whole.parameter_count(); ++p) each(whole.parameter(p), other->parameter(p));
    };
    options.objective.loss = [other, bring, base = classification().loss](StepContext& step) {
      if (step.mode == Mode::inference) return base(step);
      bring([](Parameter& from, Parameter& to) { to.value = from.value; });
      StepContext there{.network = *other, .tape = step.tape, .batch = step.batch, .mode = step.mode, .random = step.random};
      return base(there);
    };
    options.objective.before_update = [&, other, bring, rank](StepContext& step) {
      const auto at = static_cast<std::size_t>(rank);
      if (step.step == 0) slopes[at] = *other->parameter(0).grad.data(), samples[at] = step.samples;
      bring([](Parameter& to, Parameter& from) { std::swap(to.grad, from.grad); });
    };
  });
  for (const Trained& one : ranks) REQUIRE(one.error.empty());
  CHECK(samples == std::vector<std::int64_t>{16, 16});
  CHECK(slopes[0] == slopes[1]);
  CHECK(slopes[0] != 0);
  Network alone = rank_net(false);
  fit(alone, rank_images(), rank_options());
  CHECK(same_bits(ranks[0].network, ranks[1].network));
  CHECK(most_apart(ranks[0].network, alone) < 1e-4);
}

TEST_CASE("the first rank alone keeps checkpoints, from which all go on to the same bits") {
  const auto whole = train_on(2, rank_net(true), as_it_is);
  const test::TemporaryFolder folder("siena_ranks_checkpoint");
  const auto keep = [&](int rank, Network&, FitOptions& options) {
    options.checkpoint = {.folder = folder.path, .resume = true};
    if (rank == 1) options.checkpoint.stop = [asked = 0]() mutable { return asked++ == 1; };  // one rank says it for all
  };
  for (const Trained& one : train_on(2, rank_net(true), keep))
    CHECK_THAT(one.error, ContainsSubstring("stopped after 1 of 2 epochs"));
  CHECK(std::filesystem::exists(folder.path / "training.checkpoint"));
  const auto resumed = train_on(2, rank_net(true), [&](int, Network&, FitOptions& options) {
    options.checkpoint = {.folder = folder.path, .resume = true};
  });
  for (const Trained& one : resumed) {
    REQUIRE(one.error.empty());
    CHECK(same_bits(one.network, whole[0].network));
  }
  const auto other = train_on(1, rank_net(true), [&](int, Network&, FitOptions& options) {
    options.checkpoint = {.folder = folder.path, .resume = true};
  });
  CHECK_THAT(other[0].error, ContainsSubstring("shards '1', got one with '8'"));
}

TEST_CASE("the other ranks write nothing") {
  const test::TemporaryFolder folder("siena_ranks_folders");
  const auto ranks = train_on(2, rank_net(true), [&](int rank, Network&, FitOptions& options) {
    options.checkpoint.folder = folder.path / std::to_string(rank);
  });
  CHECK(ranks[1].error.empty());
  CHECK_FALSE(std::filesystem::is_empty(folder.path / "0"));
  CHECK(std::filesystem::is_empty(folder.path / "1"));
}

TEST_CASE("only the first rank tells observers") {
  struct Counter {
    std::atomic<int>& epochs;
    void on_epoch(const EpochEvent&) { ++epochs; }
  };
  std::atomic<int> epochs = 0;
  const auto errors = test::on_ranks(2, [&](int, const AnyCommunicator& ranks) {
    Network network = rank_net(true);
    FitOptions options = rank_options();
    options.ranks = ranks;
    fit(network, rank_images(), options, Counter{epochs});
  });
  for (const auto& error : errors) CHECK(test::text_of(error).empty());
  CHECK(epochs == 2);
}

TEST_CASE("ranks with other networks or options, or shards that they cannot share, are refused on all ranks") {
  const auto others = train_on(2, rank_net(true), [](int rank, Network& network, FitOptions&) {
    if (rank == 1) network = rank_net(true, 1);
  });
  for (const Trained& one : others)
    CHECK_THAT(one.error, ContainsSubstring("expected all 2 ranks to begin with the same network"));
  const std::vector<void (*)(FitOptions&)> changes{
      [](FitOptions& options) { options.seed = 6; }, [](FitOptions& options) { options.batch = 18; },
      [](FitOptions& options) { options.optimizer = Sgd{.lr = 0.1}; },
      [](FitOptions& options) {
        options.objective.save = [](State& state, const std::string& prefix) { state.put(prefix + "bound", std::int64_t{1}); };
      }};
  for (const auto change : changes) {
    for (const Trained& one : train_on(2, rank_net(true), [&](int rank, Network&, FitOptions&options) {
           if (rank == 1) change(options);
         }))
      CHECK_THAT(one.error, ContainsSubstring("expected all 2 ranks to begin with the same network, data, options and bounds"));
  }
  for (const Trained& one : train_on(3, rank_net(true), as_it_is))
    CHECK_THAT(one.error, ContainsSubstring("as many on each of 3 ranks, got 8; 3 or 6 would do"));
}

TEST_CASE("what one rank wants to stop ends on all ranks") {
  const auto ranks = train_on(4, rank_net(true), [](int rank, Network&, FitOptions& options) {
    options.epochs = 5;
    options.at_epoch_end = [rank](EpochEvent& event) { event.stop = rank == 2 && event.epoch == 2; };
  });
  for (const Trained& one : ranks) {
    CHECK(one.error.empty());
    CHECK(one.history.epochs.size() == 2);
  }
}

TEST_CASE("samples that are others on other ranks are refused") {
  const auto errors = test::on_ranks(2, [&](int rank, const AnyCommunicator& ranks) {
    Network network = rank_net(true);
    (void)evaluate(network, rank_images().validation.take(rank == 0 ? 8 : 9), 4, classification(), ranks);
  });
  for (const auto& error : errors)
    CHECK_THAT(test::text_of(error), ContainsSubstring("expected the same samples on all ranks, got"));
}
