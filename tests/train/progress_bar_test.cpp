// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/progress_bar.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "siena/train/events.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

using Terminal = ProgressBarOptions::Terminal;

// A file that knows what was written to it.
struct Paper {
  std::FILE* file = std::tmpfile();
  Paper() = default;
  Paper(const Paper&) = delete;
  Paper& operator=(const Paper&) = delete;
  ~Paper() { std::fclose(file); }
  std::string text() const {
    std::rewind(file);
    std::string all;
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) all += static_cast<char>(c);
    return all;
  }
};

void train(const Observers& observers) {
  observers.on_phase({.phase = "training", .epochs = 1});
  for (int step = 1; step <= 3; ++step) {
    observers.on_step(
        {.phase = "training", .epoch = 1, .epochs = 1, .step = step, .steps = 3, .loss = 0.5, .seconds_left = 3.0 - step});
  }
  observers.on_epoch(
      {.phase = "training", .epoch = 1, .epochs = 1, .train = {.loss = 0.5, .samples = 3}, .lr = 0.1, .seconds = 3});
  observers.on_phase_end({.phase = "training", .epochs = 1});
}

}  // namespace

TEST_CASE("a progress bar writes plain lines where there is no terminal") {
  const Paper paper;
  train(ProgressBar({.file = paper.file}));
  CHECK(paper.text() == "training 1/1  loss 0.5000  lr 0.1  3 s\n");
}

TEST_CASE("a progress bar is quiet where there is no terminal and asked to be") {
  const Paper paper;
  train(ProgressBar({.file = paper.file, .plain_epochs = false}));
  CHECK(paper.text().empty());
}

TEST_CASE("a progress bar writes over its line and leaves one an epoch") {
  const Paper paper;
  train(ProgressBar({.file = paper.file, .terminal = Terminal::yes, .columns = 70, .seconds_between = 0}));
  CHECK(paper.text() ==
        "\rtraining 1/1 [########................]  loss 0.5000  2 s left\x1b[K"
        "\rtraining 1/1 [################........]  loss 0.5000  1 s left\x1b[K"
        "\rtraining 1/1 [########################]  loss 0.5000  0 s left\x1b[K"
        "\rtraining 1/1  loss 0.5000  lr 0.1  3 s\x1b[K\n");
}

TEST_CASE("a progress bar does not flood the terminal") {
  const Paper paper;
  train(ProgressBar({.file = paper.file, .terminal = Terminal::yes, .columns = 30, .seconds_between = 1000}));
  const std::string text = paper.text();
  // The first step of all, the last of the epoch, and the epoch; none of them wraps.
  CHECK(std::count(text.begin(), text.end(), '\r') == 3);
  CHECK(text ==
        "\rtraining 1/1  2 s left\x1b[K"
        "\rtraining 1/1  0 s left\x1b[K"
        "\rtraining 1/1  3 s\x1b[K\n");
}

TEST_CASE("an open line is closed when the bar goes") {
  const Paper paper;
  {
    const Observers observers(ProgressBar({.file = paper.file, .terminal = Terminal::yes}));
    const Observers copy = observers;
    observers.on_step({.phase = "training", .epoch = 1, .epochs = 1, .step = 1, .steps = 3, .loss = 0.5});
  }
  const std::string text = paper.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.back() == '\n');
}
