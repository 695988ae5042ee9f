// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/events.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

namespace {

struct Everything {
  std::vector<std::string>* heard;
  void on_phase(const PhaseEvent& event) { heard->push_back("phase " + event.phase); }
  void on_step(const StepEvent& event) { heard->push_back("step " + std::to_string(event.step)); }
  void on_epoch(const EpochEvent& event) { heard->push_back("epoch " + std::to_string(event.epoch)); }
  void on_phase_end(const PhaseEvent& event) { heard->push_back("end " + event.phase); }
};
struct OnlySteps {
  int steps = 0;
  void on_step(const StepEvent&) { ++steps; }
};
struct ConstHook {
  std::vector<std::string>* heard;
  void on_epoch(const EpochEvent& event) const { heard->push_back("const " + std::to_string(event.epoch)); }
};
struct MoveOnly {
  std::unique_ptr<int> epochs;
  void on_epoch(const EpochEvent&) { ++*epochs; }
};
struct GenericHook {
  int calls = 0;
  void on_step(const auto& event) { calls += event.step > 0 ? 1 : 0; }
};
struct Nothing {
  void on_batch(int) {}
};
struct WrongArgument {
  void on_step(const StepEvent&) {}
  void on_epoch(int) {}
};
struct WantsToChange {
  void on_epoch(EpochEvent&) {}
};

static_assert(Observer<Everything> && Observer<OnlySteps> && Observer<ConstHook> && Observer<MoveOnly> &&
              Observer<GenericHook>);
static_assert(Observer<Observers> && Observer<const ConstHook>);
static_assert(!Observer<Nothing> && !Observer<int> && !Observer<WrongArgument> && !Observer<WrongArgument&> &&
              !Observer<WantsToChange>);

void tell(const Observers& observers) {
  observers.on_phase({.phase = "search", .epochs = 1});
  observers.on_step({.step = 1});
  observers.on_epoch({.epoch = 1});
  observers.on_phase_end({.phase = "search", .epochs = 1});
}

}  // namespace

TEST_CASE("observers are told in order") {
  std::vector<std::string> heard;
  OnlySteps steps;
  const Observers observers(Everything{&heard}, std::ref(steps), ConstHook{&heard});
  tell(observers);
  CHECK(heard == std::vector<std::string>{"phase search", "step 1", "epoch 1", "const 1", "end search"});
  CHECK(steps.steps == 1);
}

TEST_CASE("observers are held by value, and copies of the list share them") {
  OnlySteps mine;
  MoveOnly moved{std::make_unique<int>(0)};
  const int* const epochs = moved.epochs.get();
  Observers first(mine, std::move(moved));
  Observers second = first;  // not a list in a list
  Observers third(std::as_const(first));
  tell(first);
  tell(second);
  tell(third);
  CHECK(*epochs == 3);
  CHECK(mine.steps == 0);
}

TEST_CASE("a list is an observer itself") {
  OnlySteps steps;
  const Observers inner(std::ref(steps));
  const Observers outer(inner, std::ref(steps));
  tell(outer);
  CHECK(steps.steps == 2);
  CHECK(Observers().empty());
  CHECK_FALSE(outer.empty());
}

TEST_CASE("a hook may be a template") {
  GenericHook hook;
  const Observers observers(std::ref(hook));
  tell(observers);
  CHECK(hook.calls == 1);
}

TEST_CASE("a bound is kept up to its limit") {
  CHECK(BoundReading{.name = "memory", .unit = "B", .value = 5, .limit = 5}.kept());
  CHECK_FALSE(BoundReading{.name = "memory", .unit = "B", .value = 5.01, .limit = 5}.kept());
  CHECK_FALSE(BoundReading{.name = "memory", .unit = "B", .value = Metrics::none, .limit = 5}.kept());
  CHECK(EpochEvent{}.feasible());
  CHECK_FALSE(EpochEvent{.bounds = {{.value = 1, .limit = 2}, {.value = 3, .limit = 2}}}.feasible());
}
