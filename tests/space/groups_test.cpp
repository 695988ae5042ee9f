// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/groups.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "siena/autograd/ops/activation.hpp"
#include "siena/space/searchable.hpp"
#include "support/catch.hpp"
#include "support/searchable.hpp"

using namespace siena;

namespace {

Searchable<Conv2d, Channels> depthwise(int channels, int minimum = 1) {
  return Searchable{Conv2d{.out = channels, .kernel = 3, .groups = Conv2d::depthwise}, Channels{.minimum = minimum}};
}
Searchable<Conv2d, Channels> multiples_of(int multiple, int channels, int minimum = 1) {
  return Searchable{Conv2d{.out = channels, .kernel = 3}, Channels{.minimum = minimum, .multiple = multiple}};
}
Flow classify(const Flow& x) { return (x | GlobalAvgPool{} | Linear{.out = 4}).named("out"); }

struct Foreign {
  std::string_view kind() const { return "foreign"; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::relu(f.input()); }
};

/// The groups of a network of 8 x 8 images with 3 channels, asked for by the names of layers.
struct Grouped {
  template <class Build>
  explicit Grouped(Build&& build) : network({8, 8, 3}, build), channels(network) {}

  int node(const std::string& name) const {
    for (int i = 0; i < static_cast<int>(network.nodes().size()); ++i) {
      if (network.nodes()[i].name == name) return i;
    }
    FAIL("no layer " << name);
    return -1;
  }
  const std::vector<ChannelRun>& runs(const std::string& name) const { return channels.runs(node(name)); }
  /// The only group of a layer's output.
  int group(const std::string& name) const {
    REQUIRE(runs(name).size() == 1);
    return runs(name)[0].group;
  }
  const ChannelGroup& operator[](const std::string& name) const { return channels.groups()[group(name)]; }
  /// How many channels of each of its groups a layer has.
  std::vector<std::int64_t> parts(const std::string& name) const {
    std::vector<std::int64_t> parts;
    for (const ChannelRun& run : runs(name)) parts.push_back(run.channels);
    return parts;
  }
  /// All channels of a layer.
  bool frozen(const std::string& name) const {
    const auto stay = [&](const ChannelRun& run) { return channels.groups()[run.group].frozen; };
    return std::all_of(runs(name).begin(), runs(name).end(), stay);
  }

  Network network;
  ChannelGroups channels;
};

}  // namespace

TEST_CASE("groups: each layer of a chain has its own, and what follows it goes along") {
  const Grouped g([](Flow x) {
    x = (x | conv(8)).named("a");
    x = (x | BatchNorm{}).named("norm") | Relu{};
    x = (x | MaxPool{}).named("pool") | Dropout{} | Sigmoid{};
    x = (x | PRelu{}).named("prelu");
    return classify((x | conv(6)).named("b"));
  });
  CHECK(g.channels.groups().size() == 4);  // input, a, b, out
  CHECK(g["a"].channels == 8);
  CHECK_FALSE(g.frozen("a"));
  CHECK(g["a"].layers == std::vector<int>{g.node("a")});
  for (const char* name : {"norm", "pool", "prelu"}) CHECK(g.group(name) == g.group("a"));
  CHECK(g.group("b") != g.group("a"));
  CHECK(g.group("global_avg_pool_1") == g.group("b"));
}

TEST_CASE("groups: the input and the output of the network stay as they are") {
  const Grouped linear([](Flow x) { return classify(x | conv(8)); });
  CHECK(linear.frozen("input"));
  CHECK(linear.frozen("out"));
  CHECK(linear["out"].minimum == 4);
  const Grouped searchable([](Flow x) { return ((x | conv(8)).named("a") | Relu{} | conv(5)).named("b") | Relu{}; });
  CHECK_FALSE(searchable.frozen("a"));
  CHECK(searchable.frozen("b"));
  CHECK(searchable["b"].minimum == 5);
  // An output that is a sum freezes all summands.
  const Grouped sum([](Flow x) { return add((x | conv(5)).named("a"), (x | conv(5)).named("b")); });
  CHECK(sum.frozen("a"));
  CHECK(sum.frozen("b"));
  // A value that is added to the network's input has its channels.
  const Grouped skip([](Flow x) { return classify(add(x, (x | conv(3)).named("a"))); });
  CHECK(skip.group("a") == skip.group("input"));
  CHECK(skip.frozen("a"));
}

TEST_CASE("groups: an add ties both summands, in either order") {
  const bool skip_first = GENERATE(false, true);
  const Grouped g([&](const Flow& in) {
    const Flow x = (in | conv(8)).named("stem") | Relu{};
    const Flow y = ((x | conv(5)).named("inner") | Relu{} | conv(8, 3, 2)).named("y") | BatchNorm{};
    return classify((skip_first ? add(x, y) : add(y, x)) | Relu{});
  });
  CHECK(g.group("stem") == g.group("y"));
  CHECK(g.group("add_1") == g.group("stem"));
  CHECK(g.group("inner") != g.group("stem"));
  CHECK_FALSE(g.frozen("stem"));
  CHECK(g["stem"].minimum == 2);  // the stricter one
  CHECK(g["stem"].layers == std::vector<int>{g.node("stem"), g.node("y")});
}

TEST_CASE("groups: a product ties both factors, also where one is a value a channel") {
  const auto squeeze = [](const Flow& x) {
    return (x | GlobalAvgPool{} | Searchable{Linear{.out = 3}, Channels{}}).named("few");
  };
  const Grouped g([&](const Flow& in) {
    const Flow x = (in | conv(8)).named("x") | HardSwish{};
    const Flow gate = (squeeze(x) | Relu{} | Searchable{Linear{.out = 8}, Channels{.minimum = 2}}).named("gate");
    return classify((multiply(x, gate | HardSigmoid{}) | conv(6)).named("next"));
  });
  CHECK(g.group("gate") == g.group("x"));
  CHECK(g.group("multiply_1") == g.group("x"));
  CHECK(g.group("few") != g.group("x"));
  CHECK_FALSE(g.frozen("x"));
  CHECK_FALSE(g.frozen("few"));
  CHECK(g["x"].minimum == 2);
  const Grouped plain([&](const Flow& in) {
    const Flow x = (in | conv(8)).named("x");
    return classify(multiply(x, (squeeze(x) | Linear{.out = 8}).named("gate") | Sigmoid{}));
  });
  CHECK(plain.frozen("x"));  // a layer that is not searchable
  CHECK_FALSE(plain.frozen("few"));
}

TEST_CASE("groups: pixels that are moved or left out keep their channels, and slices of channels have theirs") {
  const Grouped g([](const Flow& in) {
    const Flow x = (in | conv(8)).named("a") | Upsample{} | Pad{.padding = 1} | Slice{.height = {2, 6}};
    const Flow both = concat({x.named("cropped"), (x | conv(5)).named("b")});
    const Flow left = (both | Slice{.channels = {0, 8}}).named("left"), right = (both | Slice{.channels = {8}}).named("right");
    return classify(concat({left | conv(3), right}));
  });
  for (const char* name : {"cropped", "left"}) CHECK(g.group(name) == g.group("a"));
  CHECK(g.group("right") == g.group("b"));
  CHECK_FALSE(g.frozen("a"));
  CHECK_FALSE(g.frozen("b"));
}

TEST_CASE("groups: a slice cuts the channels of a layer in two, and each part varies") {
  const Grouped g([](const Flow& in) {
    const Flow x = (in | conv(8, 3, 4)).named("x") | BatchNorm{} | Relu{};
    const Flow left = (x | Slice{.channels = {0, 6}}).named("left"), right = (x | Slice{.channels = {6}}).named("right");
    return classify(concat({(left | conv(5)).named("y"), right}));
  });
  REQUIRE(g.runs("x").size() == 2);
  CHECK(g.runs("x")[0].group == g.group("left"));
  CHECK(g.runs("x")[1].group == g.group("right"));
  CHECK(g["left"].channels == 6);
  CHECK(g["right"].channels == 2);
  CHECK(g["left"].minimum == 3);  // of the four that must stay
  CHECK(g["right"].minimum == 1);
  for (const char* part : {"left", "right"}) CHECK_FALSE(g.frozen(part));

  const Grouped halves([](const Flow& in) {  // the parts of a layer, added to each other
    const Flow x = (in | conv(8)).named("x");
    return classify(add((x | Slice{.channels = {0, 4}}).named("left"), (x | Slice{.channels = {4}}).named("right")));
  });
  CHECK(halves.group("left") == halves.group("right"));
  CHECK_FALSE(halves.frozen("left"));

  const Grouped multiples([](const Flow& in) {
    const Flow x = (in | Searchable{Conv2d{.out = 16, .kernel = 3}, Channels{.multiple = 8}}).named("x");
    return classify((x | Slice{.channels = {0, 12}}).named("left"));
  });
  CHECK(multiples.frozen("left"));
  CHECK(multiples.frozen("x"));
  CHECK(multiples["x"].frozen_by == "'left' cuts channels that go in other steps");
}

TEST_CASE("groups: chains of blocks share one mask") {
  const Grouped g([](const Flow& in) {
    Flow x = (in | conv(8)).named("stem");
    for (int i = 0; i < 3; ++i) {
      const Flow y = ((x | conv(4)).named("inner" + std::to_string(i)) | conv(8)).named("y" + std::to_string(i));
      x = i % 2 == 0 ? add(x, y) : add(y, x);
    }
    return classify(x);
  });
  CHECK(g["stem"].layers == std::vector<int>{g.node("stem"), g.node("y0"), g.node("y1"), g.node("y2")});
  CHECK(g.group("add_3") == g.group("stem"));
  CHECK(g.channels.groups().size() == 6);  // input, stem, three inner ones, out
}

TEST_CASE("groups: ties go through sums of sums") {
  const Grouped g([](const Flow& x) {
    const Flow left = add((x | conv(8)).named("a"), (x | conv(8)).named("b"));
    const Flow right = add((x | conv(8)).named("c"), (x | conv(8)).named("d"));
    return classify(add(left | Relu{}, right | Sigmoid{}));
  });
  for (const char* name : {"b", "c", "d"}) CHECK(g.group(name) == g.group("a"));
  CHECK(g["a"].layers.size() == 4);
}

TEST_CASE("groups: a layer that is not searchable freezes what it shares") {
  const Grouped g([](const Flow& in) {
    const Flow x = (in | conv(8)).named("stem");
    const Flow y = ((x | conv(8)).named("inner") | Conv2d{.out = 8, .kernel = 3}).named("plain");
    return classify(add(x, y));
  });
  CHECK(g.group("plain") == g.group("stem"));
  CHECK(g.frozen("stem"));
  CHECK(g["stem"].minimum == 8);
  CHECK_FALSE(g.frozen("inner"));
}

TEST_CASE("groups: a concat lays runs side by side") {
  const Grouped g([](const Flow& in) {
    const Flow a = (in | conv(8)).named("a"), b = (in | conv(5)).named("b");
    return classify(concat({a | Relu{}, b, a}));
  });
  const auto& runs = g.runs("concat_1");
  REQUIRE(runs.size() == 3);
  CHECK(runs[0].group == g.group("a"));
  CHECK(runs[0].channels == 8);
  CHECK(runs[1].group == g.group("b"));
  CHECK(runs[1].channels == 5);
  CHECK(runs[2].group == g.group("a"));
  CHECK(g.runs("global_avg_pool_1").size() == 3);
  CHECK_FALSE(g.frozen("a"));
  CHECK_FALSE(g.frozen("b"));
}

TEST_CASE("groups: sums of concats") {
  SECTION("the same cuts: run by run") {
    const Grouped g([](const Flow& x) {
      const Flow a = (x | conv(8)).named("a"), b = (x | conv(5)).named("b");
      const Flow c = (x | conv(8)).named("c"), d = (x | conv(5)).named("d");
      return classify(add(concat({a, b}), concat({c, d})));
    });
    CHECK(g.group("a") == g.group("c"));
    CHECK(g.group("b") == g.group("d"));
    CHECK(g.group("a") != g.group("b"));
    CHECK_FALSE(g.frozen("a"));
    CHECK_FALSE(g.frozen("b"));
  }
  SECTION("other cuts: groups are cut where either side is") {
    const Grouped g([](const Flow& x) {
      const Flow a = (x | conv(8)).named("a"), b = (x | conv(5)).named("b");
      const Flow c = (x | conv(5)).named("c"), d = (x | conv(8)).named("d");
      return classify(add(concat({a, b}), concat({c, d})));
    });
    CHECK(g.parts("a") == std::vector<std::int64_t>{5, 3});
    CHECK(g.parts("d") == std::vector<std::int64_t>{3, 5});
    CHECK(g.runs("a")[0].group == g.group("c"));
    CHECK(g.runs("a")[1].group == g.runs("d")[0].group);
    CHECK(g.runs("d")[1].group == g.group("b"));
    CHECK(g.runs("add_1").size() == 3);
    for (const ChannelRun& run : g.runs("add_1")) CHECK_FALSE(g.channels.groups()[run.group].frozen);
  }
  SECTION("a concat and a layer of as many channels, in either order") {
    const bool whole_first = GENERATE(true, false);
    const Grouped g([&](const Flow& x) {
      const Flow both = concat({(x | conv(8)).named("a"), (x | conv(5)).named("b")});
      const Flow whole = (x | conv(13, 3, 4)).named("whole") | Relu{};
      return classify(whole_first ? add(whole, both) : add(both, whole));
    });
    CHECK(g.parts("whole") == std::vector<std::int64_t>{8, 5});
    CHECK(g.runs("whole")[0].group == g.group("a"));
    CHECK(g.runs("whole")[1].group == g.group("b"));
    CHECK(g["a"].layers.size() == 2);
    CHECK_FALSE(g.frozen("a"));
    CHECK_FALSE(g.frozen("b"));
    CHECK(g["a"].minimum == 3);  // the minimum of 4 is shared out
    CHECK(g["b"].minimum == 2);
  }
  SECTION("one value twice beside a layer: both halves go together") {
    const Grouped g([](const Flow& x) {
      const Flow a = (x | conv(8)).named("a");
      return classify(add((x | conv(16)).named("whole"), concat({a, a})));
    });
    CHECK(g.parts("whole") == std::vector<std::int64_t>{8, 8});
    CHECK(g.runs("whole")[0].group == g.group("a"));
    CHECK(g.runs("whole")[1].group == g.group("a"));
    CHECK_FALSE(g.frozen("a"));
  }
  SECTION("a part that stays freezes its own part alone") {
    const Grouped g([](const Flow& x) {
      const Flow both = concat({(x | conv(8)).named("a"), (x | Conv2d{.out = 5, .kernel = 3}).named("plain")});
      return classify(add((x | conv(13)).named("whole"), both));
    });
    CHECK_FALSE(g.frozen("a"));
    CHECK(g.frozen("plain"));
    CHECK(g["plain"].frozen_by == "'plain' has no Channels axis");
    CHECK(g.channels.groups()[g.runs("whole")[1].group].frozen);
  }
  SECTION("turned halves are one") {
    const Grouped g([](const Flow& x) {
      const Flow a = (x | conv(4)).named("a"), b = (x | conv(8)).named("b");
      return classify(add(concat({a, b}), concat({b, a})));
    });
    CHECK(g.parts("b") == std::vector<std::int64_t>{4, 4});
    for (const ChannelRun& run : g.runs("b")) CHECK(run.group == g.group("a"));
    CHECK_FALSE(g.frozen("a"));
  }
  SECTION("multiples that the cut goes through: no count fits both, all stay") {
    const Grouped g([](const Flow& x) {
      const Flow both = concat({(x | conv(6)).named("a"), (x | conv(10)).named("b")});
      return classify(add((x | multiples_of(8, 16)).named("whole"), both));
    });
    for (const char* name : {"a", "b", "whole"}) CHECK(g.frozen(name));
    CHECK(g["a"].frozen_by == "'add_1' ties channels that go in other steps");
  }
}

TEST_CASE("groups: channels that stay in multiples") {
  const Grouped g([](const Flow& x) {
    Flow y = (x | multiples_of(8, 32)).named("a") | Relu{};
    y = (y | multiples_of(4, 20, 5)).named("b");
    y = (add(y | multiples_of(6, 24), y | multiples_of(4, 24))).named("tied");
    return classify((y | multiples_of(8, 20)).named("uneven"));
  });
  CHECK(g["a"].multiple == 8);
  CHECK(g["a"].minimum == 8);
  CHECK(g["b"].multiple == 4);
  CHECK(g["b"].minimum == 8);  // the next multiple of 4 above 5
  CHECK(g["tied"].multiple == 12);
  CHECK(g["uneven"].multiple == 8);
  const ChannelGroup& uneven = g["uneven"];
  CHECK(uneven.fewer(20) == 16);
  CHECK(uneven.fewer(16) == 8);
  CHECK(uneven.fewer(8) == 0);
  CHECK(uneven.more(8) == 16);
  CHECK(uneven.more(16) == 20);  // all of them, though they are no multiple
  CHECK(uneven.more(20) == 0);
  CHECK_THROWS_WITH(Grouped([](const Flow& x) { return classify((x | multiples_of(0, 8)).named("a")); }),
                    ContainsSubstring("a: expected Channels with a minimum and a multiple of at least 1, got 1 and 0"));
}

TEST_CASE("groups: depthwise layers follow their input") {
  SECTION("searchable") {
    const Grouped g(
        [](const Flow& x) { return classify((((x | conv(8)).named("a") | depthwise(8, 3)).named("d") | conv(6)).named("b")); });
    CHECK(g.group("d") == g.group("a"));
    CHECK_FALSE(g.frozen("a"));
    CHECK(g["a"].minimum == 3);
    CHECK(g["a"].layers == std::vector<int>{g.node("a"), g.node("d")});
    CHECK_FALSE(g.frozen("b"));
  }
  SECTION("not searchable: the channels stay") {
    const Grouped g([](const Flow& x) {
      return classify(((x | conv(8)).named("a") | Conv2d{.out = 8, .kernel = 3, .groups = Conv2d::depthwise}).named("d"));
    });
    CHECK(g.group("d") == g.group("a"));
    CHECK(g.frozen("a"));
  }
  SECTION("written with its number of groups") {
    const Grouped g([](const Flow& x) {
      return classify(
          ((x | conv(8)).named("a") | Searchable{Conv2d{.out = 8, .kernel = 3, .groups = 8}, Channels{}}).named("d"));
    });
    CHECK(g.group("d") == g.group("a"));
    CHECK_FALSE(g.frozen("a"));
  }
  SECTION("of a concat") {
    const Grouped g([](const Flow& x) {
      const Flow both = concat({(x | conv(8)).named("a"), (x | conv(5)).named("b")});
      return classify((both | depthwise(13)).named("d"));
    });
    REQUIRE(g.runs("d").size() == 2);
    CHECK(g.runs("d")[1].group == g.group("b"));
    CHECK(g["b"].layers == std::vector<int>{g.node("b"), g.node("d")});
    CHECK_FALSE(g.frozen("a"));
  }
  SECTION("of the network's input: frozen with it") {
    const Grouped g([](const Flow& x) { return classify(((x | depthwise(3)).named("d") | conv(8)).named("a")); });
    CHECK(g.frozen("d"));
    CHECK_FALSE(g.frozen("a"));
  }
  SECTION("with a multiplier: an input channel goes with its outputs") {
    const Grouped g([](const Flow& x) {
      const Flow a = (x | conv(4)).named("a");
      return classify(
          (a | Searchable{Conv2d{.out = 12, .kernel = 3, .groups = Conv2d::depthwise}, Channels{.minimum = 5}}).named("d"));
    });
    CHECK_FALSE(g.frozen("a"));
    CHECK(g.group("d") == g.group("a"));
    CHECK(g["d"].channels == 4);
    CHECK(g["d"].minimum == 2);  // 6 outputs
    CHECK(g.runs("a")[0].width == 1);
    CHECK(g.runs("d")[0].width == 3);
    CHECK(g.runs("d")[0].size() == 12);
  }
  SECTION("in multiples of another layer's channels") {
    const Grouped g([](const Flow& x) {
      const Flow a = (x | conv(16)).named("a");
      const Conv2d twice{.out = 32, .kernel = 3, .groups = Conv2d::depthwise};
      return classify((a | Searchable{twice, Channels{.multiple = 8}}).named("d"));
    });
    CHECK(g["a"].multiple == 4);  // 8 outputs
    CHECK(g["a"].minimum == 4);
  }
}

TEST_CASE("groups: a grouped convolution goes in whole groups, with what they read") {
  const auto grouped = [](int out, int groups) {
    return Searchable{Conv2d{.out = out, .kernel = 3, .groups = groups}, Channels{}};
  };
  SECTION("of one layer") {
    const Grouped g([&](const Flow& x) {
      const Flow a = (x | conv(8, 3, 3)).named("a") | Relu{};
      return classify((a | grouped(12, 4)).named("g") | conv(6));
    });
    CHECK_FALSE(g.frozen("a"));
    CHECK(g.group("g") == g.group("a"));
    CHECK(g["a"].channels == 4);
    CHECK(g["a"].minimum == 2);
    CHECK(g.runs("a")[0].width == 2);
    CHECK(g.runs("g")[0].width == 3);
  }
  SECTION("of a concat whose parts are whole groups") {
    const Grouped g([&](const Flow& x) {
      const Flow both = concat({(x | conv(8)).named("a"), (x | conv(4)).named("b")});
      return classify((both | grouped(6, 3)).named("g"));
    });
    CHECK_FALSE(g.frozen("b"));
    CHECK(g["a"].channels == 2);
    CHECK(g["b"].channels == 1);
    CHECK(g.runs("g")[1].group == g.group("b"));
    CHECK(g.runs("g")[1].width == 2);
  }
  SECTION("of a concat whose parts end within a group: all stay") {
    const Grouped g([&](const Flow& x) {
      const Flow both = concat({(x | conv(6)).named("a"), (x | conv(6)).named("b")});
      return classify((both | grouped(6, 3)).named("g"));
    });
    for (const char* name : {"a", "b", "g"}) CHECK(g.frozen(name));
    CHECK(g["a"].frozen_by == "'g' reads them in groups of 4, which end within theirs");
  }
  SECTION("that are tied to others, in larger and smaller steps") {
    const Grouped g([&](const Flow& x) {
      const Flow a = (x | conv(12)).named("a");
      const Flow b = (a | grouped(12, 6)).named("b"), c = ((x | conv(12)) | grouped(12, 4)).named("c");
      return classify(add(b, c));
    });
    CHECK(g.group("a") == g.group("c"));
    CHECK(g["a"].channels == 2);  // in steps of 2 and of 3: of 6
    CHECK(g.runs("a")[0].width == 6);
    CHECK_FALSE(g.frozen("a"));
  }
  SECTION("in multiples of channels") {
    const Grouped g(
        [&](const Flow& x) { return classify(((x | multiples_of(8, 32)).named("a") | grouped(32, 8)).named("g") | conv(6)); });
    CHECK(g["a"].channels == 8);
    CHECK(g["a"].multiple == 2);  // of groups of 4
  }
  SECTION("that may not vary") {
    const Grouped g([](const Flow& x) {
      return classify(((x | conv(8)).named("a") | Conv2d{.out = 8, .kernel = 3, .groups = 2}).named("g"));
    });
    CHECK(g.frozen("a"));
    CHECK(g.frozen("g"));
    CHECK(g["a"].frozen_by == "'g' hands them on and has no Channels axis");
  }
}

TEST_CASE("groups: foreign layers freeze both sides") {
  const Grouped foreign([](const Flow& x) {
    const Flow a = (x | conv(8)).named("a") | Relu{};
    return classify(((a | Foreign{}).named("f") | conv(6)).named("b"));
  });
  CHECK(foreign.frozen("a"));
  CHECK(foreign.frozen("f"));
  CHECK(foreign.group("a") != foreign.group("f"));
  CHECK_FALSE(foreign.frozen("b"));
}

TEST_CASE("groups: a flatten repeats the channels position by position") {
  const Grouped one([](const Flow& x) {
    const Flow a = (x | conv(8)).named("a") | AvgPool{.kernel = 4};
    return (((a | Flatten{}).named("flat") | Searchable{Linear{.out = 7}, Channels{}}).named("hidden") | Linear{.out = 4});
  });
  REQUIRE(one.runs("flat").size() == 1);
  CHECK(one.runs("flat")[0].group == one.group("a"));
  CHECK(one.runs("flat")[0].channels == 8);
  CHECK(one.runs("flat")[0].repeat == 4);
  CHECK_FALSE(one.frozen("a"));
  CHECK_FALSE(one.frozen("hidden"));

  const Grouped two([](const Flow& x) {
    const Flow both = concat({(x | conv(8)).named("a"), (x | conv(5)).named("b")});
    return ((both | AvgPool{.kernel = {4, 8}} | Flatten{}).named("flat") | Linear{.out = 4}).named("out");
  });
  REQUIRE(two.runs("flat").size() == 4);  // a b a b
  CHECK(two.runs("flat")[2].group == two.group("a"));
  CHECK(two.runs("flat")[3].group == two.group("b"));
  CHECK(two.runs("flat")[3].repeat == 1);

  // Vectors that were flattened alike can be added; beside a pooled one of as many features all positions go together.
  const Grouped sums([](const Flow& x) {
    const Flow a = (x | conv(2)).named("a") | AvgPool{.kernel = 4} | Flatten{};
    const Flow b = (x | conv(2)).named("b") | AvgPool{.kernel = 4} | Flatten{};
    const Flow c = (x | conv(8)).named("c") | GlobalAvgPool{};
    const Flow d = (x | conv(2)).named("d") | AvgPool{.kernel = 4} | Flatten{};
    return concat({add(a, b), add(c, d)}) | Linear{.out = 4};
  });
  CHECK(sums.group("a") == sums.group("b"));
  CHECK_FALSE(sums.frozen("a"));
  CHECK_FALSE(sums.frozen("d"));
  CHECK(sums["d"].channels == 2);
  CHECK(sums.parts("c") == std::vector<std::int64_t>{2, 2, 2, 2});
  for (const ChannelRun& run : sums.runs("c")) CHECK(run.group == sums.group("d"));
}

TEST_CASE("groups: the minimum of channels") {
  const Grouped g([](const Flow& x) { return classify(((x | conv(8, 3, 5)).named("a") | conv(4, 1, 9)).named("b")); });
  CHECK(g["a"].minimum == 5);
  CHECK(g["b"].minimum == 4);  // no more than there are
  CHECK_FALSE(g.frozen("b"));
  CHECK_THROWS_WITH(Grouped([](const Flow& x) { return classify((x | conv(8, 3, 0)).named("a")); }),
                    ContainsSubstring("a: expected Channels with a minimum and a multiple of at least 1, got 0 and 1"));
}

TEST_CASE("groups: a norm of groups keeps or loses whole ones") {
  const Grouped g([](const Flow& x) {
    const Flow y = (x | conv(12, 3, 5)).named("a") | GroupNorm{.groups = 3};
    return classify((y | conv(4)).named("b") | GroupNorm{.groups = 4});
  });
  CHECK(g["a"].channels == 3);
  CHECK(g["a"].minimum == 2);
  CHECK(g.runs("a")[0].width == 4);
  CHECK(g.group("group_norm_1") == g.group("a"));
  CHECK(g["b"].channels == 4);
  const Grouped uneven([](const Flow& x) {  // 3 + 3 channels in groups of 2
    return classify(concat({(x | conv(3)).named("a"), x | conv(3)}) | GroupNorm{.groups = 3});
  });
  CHECK(uneven.frozen("a"));
  CHECK(uneven["a"].frozen_by == "'group_norm_1' reads them in groups of 2, which end within theirs");
  const Grouped whole([](const Flow& x) { return classify((x | conv(6)).named("a") | GroupNorm{}); });
  CHECK(whole.frozen("a"));
  CHECK(whole["a"].frozen_by == "'group_norm_1' reads all of them together");
}

TEST_CASE("groups: a shuffle ties the channels of its groups, and what reads it finds them in its order") {
  const Grouped halves([](const Flow& x) {
    const Flow y = concat({(x | conv(5)).named("a"), (x | conv(5)).named("b")}) | ChannelShuffle{.groups = 2};
    return classify(y);
  });
  CHECK(halves.group("a") == halves.group("b"));
  REQUIRE(halves.runs("channel_shuffle_1").size() == 1);
  CHECK(halves.runs("channel_shuffle_1")[0].width == 2);
  CHECK(halves.runs("channel_shuffle_1")[0].channels == 5);
  // Cut where the middle is: channels 0 and 1 of the second go with the last of the first.
  const Grouped uneven([](const Flow& x) {
    return classify(concat({(x | conv(4)).named("a"), (x | conv(8)).named("b")}) | ChannelShuffle{.groups = 2});
  });
  CHECK(uneven.parts("a") == std::vector<std::int64_t>{4});
  CHECK(uneven.parts("b") == std::vector<std::int64_t>{2, 4, 2});
  CHECK(uneven.runs("b")[1].group == uneven.group("a"));
  CHECK(uneven.runs("b")[2].group == uneven.runs("b")[0].group);
  // One layer's own halves; of a grouped convolution its groups.
  const Grouped own([](const Flow& x) { return classify((x | conv(6)).named("a") | ChannelShuffle{.groups = 3}); });
  CHECK(own.parts("a") == std::vector<std::int64_t>{2, 2, 2});
  CHECK(own.runs("a")[0].group == own.runs("a")[2].group);
  const Grouped stiff([](const Flow& x) {
    return classify(concat({(x | multiples_of(4, 4)).named("a"), x | conv(2)}) | ChannelShuffle{.groups = 2});
  });
  CHECK(stiff.frozen("a"));
  CHECK(stiff.runs("a")[0].group != stiff.runs("channel_shuffle_1")[0].group);
}
