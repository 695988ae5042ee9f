// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/nn/weight_bits.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "siena/cost/model_size.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

TEST_CASE("weight bits: one number for all is the same as equal ones for each") {
  CHECK(WeightBits(0).none());
  CHECK(WeightBits({4, 4, 4}) == WeightBits(4));
  CHECK(WeightBits({4, 8}).differ());
  CHECK(WeightBits({4, 8, 2}).kept(std::vector<std::int64_t>{2, 0}) == WeightBits({2, 4}));
  CHECK(WeightBits({4, 8, 4}).kept(std::vector<std::int64_t>{0, 2}) == WeightBits(4));
  CHECK(WeightBits(3).of(2) == std::vector{3, 3});
  CHECK_THROWS_WITH(WeightBits({4, 8}).check(3, "a"),
                    "a: expected weight_bits for all or for each of 3 outputs, got 2 numbers");
  CHECK_THROWS_WITH(WeightBits({4, 4}).check(3, "a"),
                    "a: expected weight_bits for all or for each of 3 outputs, got 2 numbers");
  CHECK_NOTHROW(WeightBits({4, 4, 4}).check(3, "a"));
  CHECK_NOTHROW(WeightBits(std::vector<int>{4}).check(3, "a"));
  CHECK_NOTHROW(WeightBits({4, 4, 4}).kept(std::vector<std::int64_t>{0, 2}).check(2, "a"));
  CHECK_THROWS_WITH(WeightBits({4, 0}).check(2, "a"), "a: expected weights of 2 to 8 bits, or 0 for floats, got 0");
  CHECK_THROWS_WITH(WeightBits(9).check(2, "a"), "a: expected weights of 2 to 8 bits, or 0 for floats, got 9");
  CHECK_THROWS_WITH(Network({4},
                            [](Flow x) {
                              return x | Linear{.out = 2, .weight_bits = {8, 4, 2}};
                            }),
                    "linear_1: expected weight_bits for all or for each of 2 outputs, got 3 numbers");
}

TEST_CASE("weight bits: each output channel is computed with its own, and costs what they are") {
  Network network({64}, [](Flow x) { return x | Linear{.out = 4, .bias = false, .weight_bits = {2, 8, 3, 2}}; });
  Tensor each({64, 64});
  for (std::int64_t i = 0; i < 64; ++i) each.row(i)[static_cast<std::size_t>(i)] = 1;
  const Tensor used = network.predict(each);  // the weights
  const std::vector<std::size_t> most{2, 128, 4, 2};
  for (std::size_t o = 0; o < 4; ++o) {
    std::set<float> sizes;
    for (std::int64_t i = 0; i < 64; ++i) sizes.insert(std::abs(used.row(i)[o]));
    CHECK(sizes.size() <= most[o]);
    CHECK((o == 1) == (sizes.size() > 4));
  }
  const Architecture<double> priced = describe(network);
  const std::vector<BitSlice<double>> slices{{8, 1}, {3, 1}, {2, 2}};
  CHECK(priced.layers[0].slices == slices);
  CHECK(total(ModelSize{}, priced) == 64 * (8 + 3 + 2 + 2) / 8.0);
}

TEST_CASE("weight bits: channels that stay keep theirs") {
  Network network({3, 3, 2}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 4, .kernel = 3, .weight_bits = {8, 2, 4, 2}}, Channels{}} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 2, .weight_bits = 8};
  });
  const SearchSpace space = SearchSpace::install(network);
  Selection selection = space.full();
  for (std::vector<int>& group : selection["channels"])
    if (group.size() == 4) group = {1, 0, 1, 1};
  space.select(network, selection);
  Network found = discretize(network, space);
  CHECK(found.nodes()[1].layer.get<Conv2d>().weight_bits == WeightBits({8, 4, 2}));
  CHECK(describe(network, space).layers == describe(found).layers);
  const Tensor x = random_tensor<float>({5, 3, 3, 2}, 3);
  const Tensor wide = network.predict(x), narrow = found.predict(x);
  for (std::int64_t r = 0; r < 5; ++r)
    for (std::size_t c = 0; c < 2; ++c) CHECK(wide.row(r)[c] == Approx(narrow.row(r)[c]).epsilon(1e-5));
}
