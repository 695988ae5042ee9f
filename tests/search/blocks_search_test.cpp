// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Blocks of published networks, searched from end to end.

#include <string>
#include <string_view>

#include "siena/constraints/bound.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {
Searchable<Conv2d, Channels> searchable(Conv2d conv) { return {conv, Channels{}}; }

Flow squeeze_excite(const Flow& x, const std::string& name) {
  const auto channels = static_cast<int>(x.shape()[-1]);
  const Flow few = (x | GlobalAvgPool{} | Searchable{Linear{.out = channels / 2}, Channels{}}).named(name + ".few") | Relu{};
  const Flow gate = (few | Searchable{Linear{.out = channels}, Channels{}}).named(name + ".gate") | HardSigmoid{};
  return multiply(x, gate).named(name);
}
/// The blocks of MobileNetV3: widen, depthwise, weigh the channels, narrow, add.
Network inverted_residuals() {
  return Network({16, 16, 2}, [](Flow x) {
    x = x | searchable({.out = 8, .kernel = 3, .stride = 2, .bias = false}) | BatchNorm{} | HardSwish{};
    for (const std::string name : {"first", "second"}) {
      x = x | [&](Flow y) {
        Flow wide = (y | searchable({.out = 16, .bias = false})).named(name + ".wide") | BatchNorm{} | HardSwish{};
        wide =
            (wide | searchable({.out = 16, .kernel = 3, .groups = Conv2d::depthwise, .bias = false})) | BatchNorm{} | Relu6{};
        return add(y, squeeze_excite(wide, name) | searchable({.out = 8, .bias = false}) | BatchNorm{});
      };
    }
    return x | GlobalAvgPool{} | Linear{.out = 4};
  });
}
/// The units of ShuffleNet V2: half of the channels pass, half are convolved, and a shuffle mixes them. With group norms.
Network shuffled_units() {
  return Network({16, 16, 2}, [](Flow x) {
    x = (x | searchable({.out = 16, .kernel = 3, .stride = 2, .bias = false})).named("stem") | GroupNorm{.groups = 8} | Relu{};
    for (const std::string name : {"first", "second"}) {
      const Flow passed = (x | Slice{.channels = {0, 8}}).named(name + ".passed");
      const Flow y = (x | Slice{.channels = {8}} | searchable({.out = 8, .bias = false})) | GroupNorm{.groups = 4} | Relu{};
      const Flow z = y | searchable({.out = 8, .kernel = 3, .groups = Conv2d::depthwise, .bias = false});
      x = concat({passed, (z | searchable({.out = 8, .bias = false})).named(name) | GroupNorm{.groups = 4} | Relu{}}) |
          ChannelShuffle{.groups = 2};
    }
    return x | GlobalAvgPool{} | Linear{.out = 4};
  });
}
std::int64_t channels(const Network& network, std::string_view name) {
  for (const auto& node : network.nodes()) {
    if (node.name == name) return node.shape[-1];
  }
  FAIL("no layer " << name);
  return 0;
}
}  // namespace

TEST_CASE("search: blocks that squeeze and excite lose the same channels on both sides of the product") {
  const data::Splits images = data::synthetic_images(
      {.classes = 4, .height = 16, .width = 16, .channels = 2, .train = 192, .validation = 64, .test = 64, .noise = 0.02});
  const Network seed = inverted_residuals();
  const auto before = describe(seed);
  const auto bounds =
      subject_to(MemoryBound{Bytes{total(ModelSize{}, before) / 2}}, AtMost{PeakMemory{}, total(PeakMemory{}, before) / 2},
                 AtMost{Gap8{}, total(Gap8{}, before) / 2});
  auto [found, history] =
      search(seed, images, bounds, Duccio{}, {.warmup = 1, .epochs = 3, .batch = 32, .optimizer = Adam{.lr = 1e-2}, .seed = 1});
  CHECK(bounds.feasible(describe(found)));
  for (const std::string name : {"first", "second"}) {
    CHECK(channels(found, name + ".gate") == channels(found, name + ".wide"));
    CHECK(channels(found, name) == channels(found, name + ".wide"));
    CHECK(channels(found, name) < 16);
  }
  // No cliff: the plain network is what the masked one was.
  REQUIRE(history.found_test);
  CHECK(evaluate(found, images.test, 32).loss == Approx(history.found_test->loss).epsilon(1e-4));
}

TEST_CASE("search: units that shuffle channels lose the same ones in both halves, and groups of a norm whole") {
  const data::Splits images = data::synthetic_images(
      {.classes = 4, .height = 16, .width = 16, .channels = 2, .train = 192, .validation = 64, .test = 64, .noise = 0.02});
  const Network seed = shuffled_units();
  const auto before = describe(seed);
  const auto bounds =
      subject_to(MemoryBound{Bytes{total(ModelSize{}, before) * 2 / 3}}, AtMost{Gap8{}, total(Gap8{}, before) * 0.6});
  auto [found, history] =
      search(seed, images, bounds, Duccio{}, {.warmup = 1, .epochs = 3, .batch = 32, .optimizer = Adam{.lr = 1e-2}, .seed = 1});
  CHECK(bounds.feasible(describe(found)));
  CHECK(found.weight_count() < seed.weight_count());
  for (const std::string name : {"first", "second"}) {
    CHECK(channels(found, name) == channels(found, name + ".passed"));
    CHECK(channels(found, name) % 2 == 0);
  }
  REQUIRE(history.found_test);
  CHECK(evaluate(found, images.test, 32).loss == Approx(history.found_test->loss).epsilon(1e-4));
}
