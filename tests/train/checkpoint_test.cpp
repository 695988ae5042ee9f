// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/checkpoint.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/nn/flow.hpp"
#include "siena/train/loop.hpp"
#include "siena/train/observers.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

State some_state() {
  State state;
  Tensor odd(Shape{2, 3, 5});
  for (std::int64_t r = 0; r < odd.rows(); ++r) {
    for (float& value : odd.row(r)) value = static_cast<float>(r) / 3;
  }
  state.put("odd tensor", odd);
  state.put("a number", 0.1);
  state.put("no number", std::numeric_limits<double>::quiet_NaN());
  state.put("a count", std::int64_t{-7});
  state.put("text", std::string("with\0a zero", 11));
  return state;
}

const data::Splits& few_images() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 3, .height = 8, .width = 8, .channels = 2, .train = 96, .validation = 48, .test = 8, .noise = 0.02});
  return splits;
}
Network small_network(int channels = 6) {
  return Network({8, 8, 2}, [=](const Flow& x) {
    return x | Conv2d{.out = channels, .kernel = 3} | BatchNorm{} | Relu{} | Dropout{0.2} | GlobalAvgPool{} | Linear{.out = 3};
  });
}
std::string all_bytes(const Network& network) {
  State state;
  network.save(state);
  return siena::detail::state_bytes(state);
}
FitOptions four_epochs() {
  return {.epochs = 4, .batch = 32, .optimizer = Sgd{.lr = 0.05}, .augment = {.flip = true}, .keep_best = true, .patience = 3};
}

}  // namespace

TEST_CASE("a state comes back from a file bit for bit") {
  const test::TemporaryFolder folder("siena_checkpoint");
  const auto file = folder.path / "a.checkpoint";
  save_checkpoint(some_state(), file);
  const State state = load_checkpoint(file);
  REQUIRE(state.values().size() == 5);
  CHECK(state.tensor("odd tensor", Shape{2, 3, 5})(1, 2, 4) == 5.0f / 3);
  CHECK(state.get<double>("a number") == 0.1);
  CHECK(std::isnan(state.get<double>("no number")));
  CHECK(state.get<std::int64_t>("a count") == -7);
  CHECK(state.get<std::string>("text") == std::string("with\0a zero", 11));
}

TEST_CASE("a checkpoint that is no longer what was written is refused") {
  const test::TemporaryFolder folder("siena_checkpoint");
  const auto file = folder.path / "a.checkpoint";
  CHECK_THROWS_AS(load_checkpoint(file), DataError);
  save_checkpoint(some_state(), file);
  const std::string whole = read_file(file);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file_atomically(file, std::string_view(whole).substr(0, size));
    CHECK_THROWS_AS(load_checkpoint(file), FormatError);
    CHECK_THROWS_WITH(load_checkpoint(file), Catch::Contains("delete it to begin this phase anew"));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    write_file_atomically(file, damaged);
    CHECK_THROWS_AS(load_checkpoint(file), FormatError);
  }
  write_file_atomically(file, whole + "x");
  CHECK_THROWS_WITH(load_checkpoint(file), Catch::Contains("a.checkpoint") && Catch::Contains("damaged"));
}

TEST_CASE("bytes that only look like a state are refused, whatever they say") {
  // The checksum would keep them out; the reader must hold on its own.
  const Random random(3);
  const std::string whole = siena::detail::state_bytes(some_state());
  CHECK(siena::detail::StateReader(whole, "test").read().values().size() == 5);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    std::string bytes = whole;
    for (std::uint64_t k = 0; k < 1 + i % 3; ++k) {
      const auto at = static_cast<std::size_t>(random.uniform_at(8 * i + 2 * k) * static_cast<double>(bytes.size()));
      bytes[at] = static_cast<char>(static_cast<int>(256 * random.uniform_at(8 * i + 2 * k + 1)));
    }
    if (i % 4 == 0) bytes.resize(static_cast<std::size_t>(random.uniform_at(8 * i + 7) * static_cast<double>(bytes.size())));
    try {
      (void)siena::detail::StateReader(bytes, "test").read();
    } catch (const Error&) {  // or another state: that is what the checksum is for
    }
  }
}

TEST_CASE("a training that is stopped after each epoch ends as one that is not") {
  const data::Splits& data = few_images();
  Network whole = small_network();
  const History expected = fit(whole, data, four_epochs());

  const test::TemporaryFolder folder("siena_checkpoint");
  FitOptions options = four_epochs();
  options.checkpoint = {.folder = folder.path / "made" / "here", .resume = true};
  int heard = 0;
  for (int part = 1; part <= 5; ++part) {
    Network network = small_network();
    int epochs = 0;
    options.checkpoint.stop = [&] { return epochs == 1; };
    options.at_epoch_end = [&](EpochEvent&) { ++epochs; };
    struct Count {
      int& heard;
      void on_epoch(const EpochEvent&) { ++heard; }
    };
    heard = 0;
    if (part < 4) {
      CHECK_THROWS_WITH(fit(network, data, options, Count{heard}), Catch::Contains("resume"));
      CHECK(heard == part);  // those before the break, too
      continue;
    }
    const History history = fit(network, data, options, Count{heard});
    CHECK(epochs == (part == 4 ? 1 : 0));  // the fifth had nothing left to do
    CHECK(heard == 4);
    CHECK(all_bytes(network) == all_bytes(whole));
    REQUIRE(history.epochs.size() == 4);
    CHECK(history.best == expected.best);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(history.epochs[i].train.loss == expected.epochs[i].train.loss);
      CHECK(history.epochs[i].validation.accuracy == expected.epochs[i].validation.accuracy);
    }
  }
}

TEST_CASE("a training that is stopped says what is kept") {
  FitOptions options = four_epochs();
  int epochs = 0, most = 0;
  options.checkpoint.stop = [&] { return epochs == most; };
  options.at_epoch_end = [&](EpochEvent&) { ++epochs; };
  Network network = small_network();
  CHECK_THROWS_WITH(fit(network, few_images(), options), "training: stopped after 0 of 4 epochs, nothing was kept");
  const test::TemporaryFolder folder("siena_checkpoint");
  options.checkpoint.folder = folder.path;
  CHECK_THROWS_WITH(fit(network, few_images(), options),
                    Catch::Contains("0 of 4 epochs, nothing of this phase is kept yet; re"));
  most = 1;
  CHECK_THROWS_WITH(fit(network, few_images(), options),
                    Catch::Contains("1 of 4 epochs; what was done is kept, resume to go on"));
}

TEST_CASE("a phase names its checkpoint, and nothing in another folder") {
  const test::TemporaryFolder folder("siena_checkpoint");
  FitOptions options = four_epochs();
  options.phase = "fold 1/5";
  int epochs = 0;
  options.at_epoch_end = [&](EpochEvent&) { ++epochs; };
  options.checkpoint.folder = folder.path;
  Network network = small_network();
  CHECK_THROWS_WITH(fit(network, few_images(), options), Catch::Contains("without '/', got 'fold 1/5'"));
  CHECK(epochs == 0);
  options.checkpoint = {};
  fit(network, few_images(), options);
  CHECK(epochs == 4);
}

TEST_CASE("a training does not go on from the checkpoint of another") {
  const data::Splits& data = few_images();
  const test::TemporaryFolder folder("siena_checkpoint");
  FitOptions options = four_epochs();
  options.checkpoint.folder = folder.path;
  Network network = small_network();
  fit(network, data, options);
  const auto attempt = [&](FitOptions other, const std::string& message, int channels = 6) {
    Network fresh = small_network(channels);
    const std::string before = all_bytes(fresh);
    CHECK_THROWS_WITH(fit(fresh, data, other), Catch::Contains(message));
    CHECK(all_bytes(fresh) == before);
  };
  attempt(options, "without a checkpoint");  // nobody said resume
  options.checkpoint.resume = true;
  attempt(options, "shape", 7);
  FitOptions other = options;
  other.seed = 1;
  attempt(other, "seed '1', got one with '0'");
  other = options;
  other.optimizer = Sgd{.lr = 0.1};
  attempt(other, "lr 0.1");
  other = options;
  other.schedule = CosineLr{.warmup = 1};
  attempt(other, "warm-up 1 epochs");
  other = options;
  other.augment = {};
  attempt(other, "augmentation 'none', got one with 'flips'");
  Network fresh = small_network();
  CHECK_THROWS_WITH(fit(fresh, data.train.take(95), data.validation, options), Catch::Contains("training samples '95 of"));
  const auto swapped = data.train.subset(std::vector<std::int64_t>(96, 3));
  CHECK_THROWS_WITH(fit(fresh, swapped, data.validation, options), Catch::Contains("training samples"));

  write_file_atomically(folder.path / "training.checkpoint", "nonsense");
  CHECK_THROWS_AS(fit(fresh, data, options), FormatError);
  options.checkpoint.folder = folder.path / "training.checkpoint" / "below a file";
  CHECK_THROWS_WITH(fit(fresh, data, options), Catch::Contains("a folder for checkpoints"));
}

TEST_CASE("a training that is asked to stop says what it kept") {
  Network network = small_network();
  FitOptions options = four_epochs();
  options.checkpoint.stop = [] { return true; };
  CHECK_THROWS_AS(fit(network, few_images(), options), Interrupted);
  CHECK_THROWS_WITH(fit(network, few_images(), options),
                    Catch::Contains("0 of 4 epochs") && Catch::Contains("nothing was kept"));
}
