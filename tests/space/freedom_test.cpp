// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/freedom.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "siena/space/choice.hpp"
#include "support/catch.hpp"
#include "support/searchable.hpp"

using namespace siena;

namespace {

const LayerFreedom& layer(const Freedom& freedom, const std::string& name) {
  for (const LayerFreedom& layer : freedom.layers) {
    if (layer.layer == name) return layer;
  }
  FAIL("no layer " << name);
  return freedom.layers[0];
}

}  // namespace

TEST_CASE("freedom: what varies, in what steps and with whom, and what stays because of what") {
  const Network network({8, 8, 3}, [](const Flow& x) {
    const Flow a = (x | conv(16)).named("a");
    const Flow sum = add(a, concat({(x | conv(8)).named("b"), (x | Conv2d{.out = 8, .kernel = 3}).named("plain")}));
    Flow y = (sum | Searchable{Conv2d{.out = 32}, Channels{.minimum = 4, .multiple = 8}}).named("eights");
    y = (y | Searchable{Conv2d{.out = 16, .kernel = 3, .groups = 8}, Channels{}}).named("groups") | Relu{};
    y = (y | Searchable{Conv2d{.out = 6, .kernel = 5}, ReceptiveField{}}).named("taps");
    y = concat({(y | conv(6)).named("c"), (y | conv(6)).named("d")});
    y = (y | Searchable{Conv2d{.out = 6, .groups = 3}, Channels{}}).named("across");
    y = y | Choice{Alternative{"wide", [](const Flow& z) { return (z | Conv2d{.out = 6, .kernel = 3}).named("wide"); }},
                   Identity{}};
    return (y | GlobalAvgPool{} | Searchable{Linear{.out = 4}, Channels{}}).named("out");
  });
  const Freedom all = freedom(network);
  CHECK(layer(all, "a").text == "9 to 16 of 16 channels, with b; some stay: 'plain' has no Channels axis");
  CHECK(layer(all, "b").text == "1 to 8 of 8 channels, with a");
  CHECK(layer(all, "plain").text == "8 channels stay: 'plain' has no Channels axis");
  CHECK(layer(all, "eights").text == "8 to 32 of 32 channels in steps of 8, with groups");
  CHECK(layer(all, "groups").text == "4 to 16 of 16 channels in steps of 4, with eights");
  CHECK(layer(all, "taps").text == "6 channels stay: 'taps' has no Channels axis; kernel 1x1 to 5x5");
  CHECK(layer(all, "across").text ==
        "6 channels stay, though searchable: 'across' reads them in groups of 4, which end within theirs");
  CHECK(layer(all, "c").text ==
        "6 channels stay, though searchable: 'across' reads them in groups of 4, which end within theirs");
  CHECK(layer(all, "out").text == "4 channels stay, though searchable: they are the output of the network");
  CHECK(layer(all, "mixture_1").to_string() == "mixture_1: wide or identity");
  const std::string table = all.to_string();
  CHECK_THAT(table, ContainsSubstring("what may vary:\n  a          9 to 16 of 16 channels, with b; some stay"));
  CHECK_THAT(table, ContainsSubstring("\n  mixture_1  wide or identity\n"));
}

TEST_CASE("freedom: of signals, and of a network in which nothing was wrapped") {
  const Network signals({16, 3}, [](const Flow& x) {
    return x | Searchable{Conv1d{.out = 8, .kernel = 9, .padding = causal}, Channels{}, ReceptiveField{.minimum = 2}} |
           GlobalAvgPool{} | Linear{.out = 2};
  });
  CHECK(freedom(signals).layers[0].text == "1 to 8 of 8 channels; kernel 2 to 9");
  const Network plain({8, 8, 3}, [](const Flow& x) { return x | Conv2d{.out = 4} | GlobalAvgPool{} | Linear{.out = 2}; });
  for (const LayerFreedom& stays : freedom(plain).layers) CHECK_THAT(stays.text, ContainsSubstring(" channels stay: "));
}
