// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/epoch_text.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

TEST_CASE("durations") {
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(59.6) == "1:00");
  CHECK(duration_text(185) == "3:05");
  CHECK(duration_text(7205) == "2:00:05");
  CHECK(duration_text(Metrics::none) == "?");
  CHECK(duration_text(-1) == "?");
}

TEST_CASE("an epoch in a line") {
  EpochEvent event{.phase = "search",
                   .epoch = 2,
                   .epochs = 30,
                   .train = {.loss = 0.5, .accuracy = 0.75, .samples = 8},
                   .lr = 0.001,
                   .seconds = 61};
  CHECK(epoch_text(event) == "search 2/30  loss 0.5000  accuracy 75.0 %  lr 0.001  1:01");
  event.has_validation = true;
  event.validation = {.loss = 1.25, .samples = 4};  // without classes
  event.bounds = {{.name = "memory", .unit = "KiB", .value = 14.2, .limit = 16}, {.name = "depth", .value = 9, .limit = 8}};
  CHECK(epoch_text(event) ==
        "search 2/30  loss 0.5000  accuracy 75.0 %  validation loss 1.2500  memory 14.2/16 KiB ok  depth 9/8 over  lr 0.001  "
        "1:01");
  event.validation.accuracy = 0.5;
  CHECK(epoch_text(event, 105) ==
        "search 2/30  accuracy 75.0 %  validation accuracy 50.0 %  memory 14.2/16 KiB ok  depth 9/8 over  1:01");
  CHECK(epoch_text(event, 80) == "search 2/30  validation accuracy 50.0 %  memory 14.2/16 KiB ok  depth 9/8 over");
  CHECK(epoch_text(event, 50) == "search 2/30  memory 14.2/16 KiB ok  depth 9/8 over");
  CHECK(epoch_text(event, 40) == "search 2/30  memory 14.2/16 KiB ok");
  for (std::size_t columns = 0; columns < 150; ++columns) CHECK(epoch_text(event, columns).size() <= columns);
}

TEST_CASE("bounds in units that read well") {
  CHECK(bound_text({.name = "memory", .unit = "B", .value = 38000, .limit = 40960}) == "memory 37.11/40 KiB ok");
  CHECK(bound_text({.name = "latency", .unit = "s", .value = 0.0045, .limit = 0.004}) == "latency 4.5/4 ms over");
  CHECK(bound_text({.name = "gap8", .unit = "cycles", .value = 383304, .limit = 1234567}) == "gap8 383304/1234567 cycles ok");
}

TEST_CASE("a quantity without a limit is only reported") {
  CHECK(bound_text({.name = "gap8", .unit = "cycles", .value = 383304, .limit = HUGE_VAL}) == "gap8 383304 cycles");
  CHECK(bound_text({.name = "memory", .unit = "B", .value = 38000, .limit = HUGE_VAL}) == "memory 37.11 KiB");
  CHECK(bound_text({.name = "depth", .value = 9, .limit = HUGE_VAL}) == "depth 9");
  CHECK(EpochEvent{.bounds = {{.value = 9, .limit = HUGE_VAL}}}.feasible());
}

TEST_CASE("a step in a line of any width") {
  const std::vector<BoundReading> bounds{{.name = "memory", .unit = "KiB", .value = 14, .limit = 16}};
  const StepEvent event{.phase = "search",
                        .epoch = 2,
                        .epochs = 30,
                        .step = 50,
                        .steps = 100,
                        .loss = 0.5,
                        .accuracy = 0.75,
                        .seconds_left = 125,
                        .bounds = bounds};
  CHECK(step_text(event, 120) ==
        "search 2/30 [############............]  loss 0.5000  accuracy 75.0 %  memory 14/16 KiB ok  2:05 left");
  CHECK(step_text(event, 84) == "search 2/30 [####....]  loss 0.5000  accuracy 75.0 %  memory 14/16 KiB ok  2:05 left");
  CHECK(step_text(event, 78) == "search 2/30  loss 0.5000  accuracy 75.0 %  memory 14/16 KiB ok  2:05 left");
  CHECK(step_text(event, 70) == "search 2/30  accuracy 75.0 %  memory 14/16 KiB ok  2:05 left");
  CHECK(step_text(event, 50) == "search 2/30  memory 14/16 KiB ok  2:05 left");
  CHECK(step_text(event, 30) == "search 2/30  2:05 left");
  CHECK(step_text(event, 20) == "search 2/30  2:05 le");
  for (std::size_t columns = 0; columns < 130; ++columns) CHECK(step_text(event, columns).size() <= columns);
}

TEST_CASE("text is cut between characters") {
  CHECK(clipped("abc", 2) == "ab");
  CHECK(clipped("abc", 5) == "abc");
  CHECK(clipped("abc", 0).empty());
  CHECK(clipped("\xC3\xA4\xC3\xB6\xC3\xBC", 2) == "\xC3\xA4\xC3\xB6");
}
