// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/mpic.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
#include "siena/space/activation_bits.hpp"
#include "siena/space/bits.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {
const data::Splits& bit_images() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 4, .height = 16, .width = 16, .channels = 2, .train = 160, .validation = 64, .test = 32, .noise = 0.02});
  return splits;
}
/// Of 2,436 weights; with 8 bits and biases, 2,436 + 4 * 36 = 2,580 bytes.
Network to_shrink(Bits::Per per, bool channels) {
  const auto conv = [&](int out) {
    Searchable layer{Conv2d{.out = out, .kernel = 3, .stride = 2}, Channels{}};
    if (!channels) layer.axes.drop("channels");
    return layer;
  };
  Network network(
      {16, 16, 2},
      [&](const Flow& x) {
        return x | conv(8) | BatchNorm{} | Relu{} | conv(16) | BatchNorm{} | Relu{} | conv(8) | BatchNorm{} | Relu{} |
               GlobalAvgPool{} | Linear{.out = 4};
      },
      5);
  return with_bits(network, {.per = per});
}
SearchOptions bit_options() {
  return {.warmup = 1, .epochs = 3, .batch = 32, .optimizer = Adam{.lr = 1e-2}, .architecture = Adam{.lr = 5e-2}, .seed = 3};
}
std::vector<WeightBits> bits_of(const Network& network) {
  std::vector<WeightBits> all;
  for (const Network::Node& node : network.nodes())
    if (!weight_bits_of(node.layer).none()) all.push_back(weight_bits_of(node.layer));
  return all;
}
std::vector<float> weights_of(Network& network) {
  std::vector<float> all;
  for (const Parameter* parameter : network.parameters()) {
    std::vector<float> values;
    parameter->value.copy_to(values);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}
}  // namespace

TEST_CASE("bits search: bytes go by bits where nothing else may go") {
  for (const auto per : {Bits::Per::layer, Bits::Per::channel}) {
    const Network network = to_shrink(per, false);
    const SearchResult result = search(network, bit_images(), subject_to(MemoryBound{Bytes{1600}}), Duccio{}, bit_options());
    const Architecture<double> found = describe(result.network);
    CHECK(total(ModelSize{}, found) <= 1600);
    CHECK(total(ModelSize{}, found) > 1600 - 8 * 16 * 9 / 2);  // no slack for another layer's bits
    const std::vector<WeightBits> bits = bits_of(result.network);
    REQUIRE(bits.size() == 4);
    CHECK((bits[0] == 8 && bits[3] == 8));
    CHECK_FALSE((bits[1] == 8 && bits[2] == 8));
    for (const int count : bits[1].list()) CHECK((count == 2 || count == 4 || count == 8));
    CHECK(result.network.nodes()[4].shape == network.nodes()[4].shape);
  }
}

TEST_CASE("bits search: channels and bits together keep what channels alone cannot") {
  const Network network = to_shrink(Bits::Per::channel, true);
  const SearchResult result = search(network, bit_images(), subject_to(MemoryBound{Bytes{500}}), Duccio{}, bit_options());
  CHECK(total(ModelSize{}, describe(result.network)) <= 500);
  bool fewer = false;
  for (const WeightBits& bits : bits_of(result.network)) fewer = fewer || !(bits == 8);
  CHECK(fewer);
}

TEST_CASE("bits search: the memory of values, and cycles, go by the bits of values where nothing else may go") {
  const Network plain({16, 16, 2}, [](const Flow& x) {
    const Flow y = x | Conv2d{.out = 8, .kernel = 3, .stride = 2} | BatchNorm{} | Relu{} | ActivationBits{};
    const Flow z = y | Conv2d{.out = 8, .kernel = 3} | BatchNorm{} | ActivationBits{};
    return add(y, z) | Relu{} | ActivationBits{} | Conv2d{.out = 8, .kernel = 3, .weight_bits = 2} | Relu{} | GlobalAvgPool{} |
           Linear{.out = 4};
  });
  const double peak = total(PeakMemory{}, describe(plain)), cycles = total(Mpic{}, describe(plain));
  const auto constraints = subject_to(AtMost{PeakMemory{}, 0.7 * peak}, AtMost{Mpic{}, 0.95 * cycles});
  const SearchResult result = search(plain, bit_images(), constraints, Duccio{}, bit_options());
  const Architecture<double> found = describe(result.network);
  CHECK(total(PeakMemory{}, found) <= 0.7 * peak);
  CHECK(total(Mpic{}, found) <= 0.95 * cycles);
  std::vector<int> bits;
  for (const Network::Node& node : result.network.nodes())
    if (const auto* levels = node.layer.get_if<FakeQuantize>()) bits.push_back(levels->bits);
  REQUIRE(bits.size() == 3);
  CHECK(bits[0] == bits[1]);  // they meet
  CHECK(bits[0] < 8);
  CHECK(bits[2] < 8);  // in front of weights of 2 bits
}

TEST_CASE("bits search: the same bits on any number of threads, and in pieces") {
  const Network network = with_activation_bits(to_shrink(Bits::Per::channel, true), {});
  const auto run = [&](const SearchOptions& options) {
    const auto bounds = subject_to(MemoryBound{Bytes{900}}, AtMost{PeakMemory{}, 700});
    return search(network, bit_images(), bounds, Duccio{}, options);
  };
  const int before = threads();
  set_threads(1);
  SearchResult whole = run(bit_options());
  set_threads(3);
  SearchResult threaded = run(bit_options());
  set_threads(before);
  CHECK(bits_of(whole.network) == bits_of(threaded.network));
  CHECK(weights_of(whole.network) == weights_of(threaded.network));

  const test::TemporaryFolder folder("siena_bits_search");
  SearchOptions options = bit_options();
  for (int pieces = 1;; ++pieces) {
    int asked = 0;
    options.checkpoint = {.folder = folder.path, .resume = true, .stop = [&asked] { return asked++ == 1; }};
    try {
      SearchResult parts = run(options);
      CHECK(pieces == 4);
      CHECK(bits_of(whole.network) == bits_of(parts.network));
      CHECK(weights_of(whole.network) == weights_of(parts.network));
      break;
    } catch (const Interrupted&) {
      REQUIRE(pieces < 10);
    }
  }
}
