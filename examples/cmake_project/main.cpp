// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// A search in few lines; examples/quickstart.cpp has a network worth searching.

#include <siena/siena.hpp>
#ifdef APP_WRITES_JSON
#include <siena/search/report_json.hpp>
#endif

using namespace siena;

int main() try {
  const auto data = data::synthetic_images({.classes = 4, .height = 8, .width = 8, .train = 256, .validation = 64, .test = 64});
  Network net{data.shape(), [](Flow x) {
                x = x | Searchable{Conv2d{.out = 16, .kernel = 3}, Channels{}} | BatchNorm{} | Relu{};
                return x | GlobalAvgPool{} | Linear{.out = 4};
              }};
  const auto bounds = subject_to(MemoryBound{320_B});
  auto [found, history] =
      search(net, data, bounds, Duccio{}, {.warmup = 2, .epochs = 4, .batch = 32, .seed = 1}, ProgressBar{});
  const Report report = evaluate(found, data.test, bounds);
  fmt::print("{}\n", report);
#ifdef APP_WRITES_JSON
  save_json(to_json(report), "report.json");
#endif
  return report.feasible ? 0 : 1;
} catch (const Error& error) {
  fmt::print(stderr, "app: {}\n", error.what());
  return 2;
}
