// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
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

TEST_CASE("bits search: the same bits on any number of threads, and in pieces") {
  const Network network = to_shrink(Bits::Per::channel, true);
  const auto run = [&](const SearchOptions& options) {
    return search(network, bit_images(), subject_to(MemoryBound{Bytes{900}}), Duccio{}, options);
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
