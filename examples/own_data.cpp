// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// From numbers in memory to a network that fits: classes, several labels, quantities, soft labels, and a teacher. The guide
// docs/guides/own_data.md explains each step.
//
//   own_data      the numbers are drawn, as if ten people had worn a sensor

#include <cmath>
#include <cstdint>
#include <numbers>
#include <siena/siena.hpp>
#include <string_view>
#include <vector>

using namespace siena;

namespace {

/// What you have: windows of 64 readings of three axes, and what is known of each.
struct Recorded {
  std::vector<float> readings;           // window after window, reading after reading: x y z x y z ...
  std::vector<std::int32_t> activities;  // 0 still, 1 walking, 2 running
  std::vector<float> speeds;             // steps a second
  std::vector<float> states;             // of each window two numbers, 1 or 0: moving? upright?
  std::vector<float> votes;              // of each window three: what part of those who watched said so
  std::vector<int> people;               // who wore the sensor
};

/// Stands for the code that reads your files.
Recorded record(int windows) {
  Recorded recorded;
  Random random(1);
  for (int w = 0; w < windows; ++w) {
    const auto activity = static_cast<std::int32_t>(random.below(3));
    const double speed = activity == 0 ? 0 : activity + 0.3 * random.normal(), start = random.uniform(), upright = w / 3 % 2;
    for (int t = 0; t < 64; ++t) {
      const double step = speed * std::sin(2 * std::numbers::pi * (start + speed * t / 32));
      for (const double gravity : {9.81 * upright, 0.0, 9.81 * (1 - upright)})
        recorded.readings.push_back(static_cast<float>(gravity + step + 0.5 * random.normal()));
    }
    recorded.activities.push_back(activity);
    recorded.speeds.push_back(static_cast<float>(speed));
    recorded.states.insert(recorded.states.end(), {activity > 0 ? 1.0f : 0.0f, static_cast<float>(upright)});
    for (std::int32_t c = 0; c < 3; ++c) recorded.votes.push_back(c == activity ? 0.8f : 0.1f);
    recorded.people.push_back(w % 10);
  }
  return recorded;
}

/// Two people are for the test, two to choose by, the others to learn from.
data::Splits by_person(const data::Dataset& all, const std::vector<int>& people) {
  std::vector<std::int64_t> train, validation, test;
  for (std::int64_t i = 0; i < all.size(); ++i) {
    const int person = people[static_cast<std::size_t>(i)];
    (person < 6 ? train : person < 8 ? validation : test).push_back(i);
  }
  data::Splits splits{.train = all.subset(train), .validation = all.subset(validation), .test = all.subset(test)};
  const auto scales = data::measure(splits.train);  // mean and deviation of each axis
  for (data::Dataset* part : {&splits.train, &splits.validation, &splits.test}) *part = part->normalized(scales);
  return splits;
}

/// A small network along time, whose channels may vary, with so many outputs.
Network network_for(const data::Splits& data, int outputs, int width = 16) {
  return Network(data.shape(), [&](Flow x) {
    for (int layer = 0; layer < 3; ++layer)
      x = x | Searchable{Conv1d{.out = width, .kernel = 5, .stride = 2}, Channels{}} | BatchNorm{} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = outputs};
  });
}

/// Classes: a search within bounds, where rare classes count as much as frequent ones.
void learn_activities(const Recorded& recorded, int epochs) {
  const auto windows =
      data::Dataset::from_floats(recorded.readings, {.shape = {64, 3}, .labels = recorded.activities, .name = "activities"})
          .described({.classes = {"still", "walking", "running"}});
  const data::Splits data = by_person(windows, recorded.people);
  const auto bounds = subject_to(MemoryBound{1_KiB}, AtMost{Macs{}, 2e4});
  for (const Reach& metric : reach(network_for(data, 3), bounds)) fmt::print("{}\n", metric);
  const SearchOptions options{
      .warmup = epochs,
      .epochs = epochs,
      .batch = 32,
      .objective = classification({.label_smoothing = 0.1, .class_weights = data::balanced_weights(data.train)}),
      .seed = 1};
  auto [found, history] = search(network_for(data, 3), data, bounds, Duccio{}, options, ProgressBar{});
  fit(found, data, {.epochs = epochs, .batch = 32, .keep_best = true}, ProgressBar{});
  fmt::print("{}\n", evaluate(found, data.test, bounds));
  fmt::print("{}", confusion(found, data.test).to_string());
}

/// Quantities: as many outputs as there are numbers to each window.
void learn_speeds(const Recorded& recorded, int epochs) {
  const auto windows = data::Dataset::from_floats(recorded.readings, {.shape = {64, 3}, .targets = recorded.speeds});
  const data::Splits data = by_person(windows, recorded.people);
  const auto bounds = subject_to(MemoryBound{1_KiB});
  const SearchOptions options{.warmup = epochs, .epochs = epochs, .batch = 32, .objective = regression()};
  auto [found, history] = search(network_for(data, 1), data, bounds, Duccio{}, options, ProgressBar{});
  fit(found, data, {.epochs = epochs, .batch = 32, .keep_best = true, .objective = regression()}, ProgressBar{});
  fmt::print("{}\n", evaluate(found, data.test, bounds, regression()));
  fmt::print("{}", regression_report(found, data.test).to_string());
}

/// Several labels: a window may have none, one or both.
void learn_states(const Recorded& recorded, int epochs) {
  const auto windows = data::Dataset::from_floats(recorded.readings, {.shape = {64, 3}, .targets = recorded.states})
                           .described({.classes = {"moving", "upright"}});
  const data::Splits data = by_person(windows, recorded.people);
  Network network = network_for(data, 2);
  fit(network, data, {.epochs = epochs, .batch = 32, .keep_best = true, .objective = multi_label()}, ProgressBar{});
  fmt::print("{}", multi_label_report(network, data.test).to_string());
}

/// Soft labels: how sure the people were who watched; judged by what they thought most likely.
void learn_opinions(const Recorded& recorded, int epochs) {
  const auto windows = data::Dataset::from_floats(recorded.readings, {.shape = {64, 3}, .targets = recorded.votes});
  const data::Splits data = by_person(windows, recorded.people);
  Network network = network_for(data, 3);
  fit(network, data, {.epochs = epochs, .batch = 32, .keep_best = true, .objective = classification()}, ProgressBar{});
  fmt::print("accuracy by opinions: {:.1f} %\n", 100 * evaluate(network, data.test).accuracy);
}

/// A wide network teaches a narrow one.
void teach(const Recorded& recorded, int epochs) {
  const auto windows = data::Dataset::from_floats(recorded.readings, {.shape = {64, 3}, .labels = recorded.activities});
  const data::Splits data = by_person(windows, recorded.people);
  Network teacher = network_for(data, 3, 64), pupil = network_for(data, 3, 8);
  fit(teacher, data, {.epochs = epochs, .batch = 32, .keep_best = true}, ProgressBar{});
  const Objective taught = distill(classification(), teacher, {.weight = 0.5, .temperature = 2});
  fit(pupil, data, {.epochs = epochs, .batch = 32, .optimizer = Adam{.lr = 1e-2}, .keep_best = true, .objective = taught},
      ProgressBar{});
  fmt::print("accuracy of the teacher: {:.1f} %, of the pupil: {:.1f} %\n", 100 * evaluate(teacher, data.test).accuracy,
             100 * evaluate(pupil, data.test).accuracy);
}

}  // namespace

int main(int argc, char** argv) try {
  wait_briefly(argv);
  const std::string_view option = argc > 1 ? argv[1] : "";
  if (option == "--help" || option == "-h") {
    fmt::print("usage: own_data (there is no directory to give, the numbers are synthetic)\n");
    return 0;
  }
  const bool smoke = option == "--smoke";  // as little as shows that it runs
  const int epochs = smoke ? 1 : 10;
  const Recorded recorded = record(smoke ? 200 : 1000);
  learn_activities(recorded, epochs);
  learn_speeds(recorded, epochs);
  learn_states(recorded, epochs);
  learn_opinions(recorded, epochs);
  teach(recorded, epochs);
  return 0;
} catch (const Error& error) {
  fmt::print(stderr, "own_data: {}\n", error.what());
  return 2;
}
