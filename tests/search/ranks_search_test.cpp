// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "siena/constraints/any_formulation.hpp"
#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/constraints/nu_pi.hpp"
#include "siena/constraints/penalty.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
#include "siena/space/activation_bits.hpp"
#include "siena/space/bits.hpp"
#include "siena/space/choice.hpp"
#include "siena/space/searchable.hpp"
#include "siena/train/distill.hpp"
#include "support/catch.hpp"
#include "support/rank_threads.hpp"

using namespace siena;

namespace {

const data::Splits& shared_images() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 4, .height = 12, .width = 12, .channels = 2, .train = 69, .validation = 40, .test = 0});
  return splits;  // batches of 32, 32 and 5 samples
}
Network masked_network() {
  return Network({12, 12, 2}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .stride = 2}, Channels{}} | BatchNorm{} | PRelu{};
    x = x | Searchable{Conv2d{.out = 8, .kernel = 5}, Channels{}, ReceptiveField{}, Dilation{}} | BatchNorm{} | Relu{};
    return x | Dropout{.probability = 0.2} | GlobalAvgPool{} | Linear{.out = 4};
  });
}
Network choosing_network() {
  return Network({12, 12, 2}, [](Flow x) {
    const auto conv = [](int kernel) { return Conv2d{.out = 8, .kernel = kernel}; };
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .stride = 2}, Channels{}} | BatchNorm{} | Relu{};
    x = x | Choice{Alternative{"3", [&](const Flow& y) { return y | conv(3) | BatchNorm{} | Relu{}; }},
                   Alternative{"1", [&](const Flow& y) { return y | conv(1) | BatchNorm{} | Relu{}; }}};
    return x | GlobalAvgPool{} | Linear{.out = 4};
  });
}
struct SharedSearch {
  std::string name;
  Network network;
  Bytes bytes{700};
  AnyFormulation formulation = Duccio{};
  std::function<void(SearchOptions&)> change = [](SearchOptions&) {};
};
std::vector<SharedSearch> shared_searches() {
  std::vector<SharedSearch> all{
      {.name = "masks", .network = masked_network()},
      {.name = "turns",
       .network = masked_network(),
       .formulation = NuPi{},
       .change = [](SearchOptions& options) { options.architecture_share = 0.3; }},
      {.name = "bits",
       .network = with_bits(masked_network(), {.per = Bits::Per::channel}),
       .formulation = AugmentedLagrangian{}},
      {.name = "distilled", .network = masked_network(), .formulation = Penalty{}, .change = [](SearchOptions& options) {
         options.objective = distill(classification(), masked_network());
       }}};
  for (const auto& [name, sampling] :
       {std::pair{"softmax", Sampling::softmax}, std::pair{"gumbel", Sampling::gumbel},
        std::pair{"hard", Sampling::hard_gumbel}, std::pair{"argmax", Sampling::argmax}, std::pair{"score", Sampling::score}}) {
    all.push_back({.name = name, .network = choosing_network(), .change = [how = sampling](SearchOptions& options) {
                     options.space.choices.sampling = how;
                   }});
  }
  return all;
}
// The bytes of what a search finds on each of so many ranks.
std::vector<std::string> found_on(const SharedSearch& searched, int count, int shards) {
  std::vector<std::string> all(static_cast<std::size_t>(count));
  const auto errors = test::on_ranks(count, [&](int rank, const AnyCommunicator& ranks) {
    SearchOptions options{.warmup = 1,
                          .epochs = 2,
                          .batch = 32,
                          .optimizer = Adam{.lr = 1e-2},
                          .architecture = Adam{.lr = 5e-2},
                          .ranks = ranks,
                          .shards = shards,
                          .seed = 1};
    searched.change(options);
    const auto result =
        search(searched.network, shared_images(), subject_to(MemoryBound{searched.bytes}), searched.formulation, options);
    State state;
    result.network.save(state);
    all[static_cast<std::size_t>(rank)] = detail::state_bytes(state);
  });
  for (const auto& error : errors) CHECK(test::text_of(error).empty());
  return all;
}

}  // namespace

TEST_CASE("search: ranks find what one process with as many shards does, by every method") {
  for (const SharedSearch& searched : shared_searches()) {
    const std::string alone = found_on(searched, 1, 8)[0];
    CHECK_FALSE(alone.empty());
    INFO(searched.name);
    for (const std::string& one : found_on(searched, 4, 8)) CHECK(one == alone);
  }
}
