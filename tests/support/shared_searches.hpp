// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Searches that ranks share: of each method, axis, sampling and formulation, over several kinds of networks. tests/search runs
// them on threads, tests/end_to_end/mpi under mpirun.

#include <cstdint>
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
#include "siena/constraints/steer.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
#include "siena/space/activation_bits.hpp"
#include "siena/space/bits.hpp"
#include "siena/space/choice.hpp"
#include "siena/space/resolution.hpp"
#include "siena/space/searchable.hpp"
#include "siena/train/distill.hpp"

namespace siena::test {

/// Batches of 16, 16 and 5 samples: the last one has fewer than there are shards.
inline const data::Splits& shared_images() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 4, .height = 12, .width = 12, .channels = 2, .train = 37, .validation = 21, .test = 0});
  return splits;
}

/// With what sums over samples in its own way: slopes, and masks of taps and dilations.
inline Network plain_shared() {
  return Network({12, 12, 2}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .stride = 2}, Channels{}} | BatchNorm{} | PRelu{};
    x = x | Searchable{Conv2d{.out = 8, .kernel = 5}, Channels{}, ReceptiveField{}, Dilation{}} | BatchNorm{} | Relu{};
    return x | Dropout{.probability = 0.2} | GlobalAvgPool{} | Linear{.out = 4};
  });
}
/// A sum ties masks; height and width may be halved.
inline Network residual_shared() {
  return Network({12, 12, 2}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .stride = 2}, Channels{}} | BatchNorm{} | Relu{} | Resolution{};
    const auto y = x | Searchable{Conv2d{.out = 8, .kernel = 3}, Channels{}} | BatchNorm{};
    return add(x, y) | Relu{} | GlobalAvgPool{} | Linear{.out = 4};
  });
}
inline Network separable_shared() {
  return Network({12, 12, 2}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .stride = 2}, Channels{}} | BatchNorm{} | Relu{};
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .groups = Conv2d::depthwise}, Channels{}} | BatchNorm{} | Relu{};
    x = x | Searchable{Conv2d{.out = 12, .kernel = 1}, Channels{}} | BatchNorm{} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 4};
  });
}
inline Network choosing_shared() {
  return Network({12, 12, 2}, [](Flow x) {
    const auto conv = [](int kernel) {
      return [kernel](const Flow& y) { return y | Conv2d{.out = 8, .kernel = kernel} | BatchNorm{} | Relu{}; };
    };
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3, .stride = 2}, Channels{}} | BatchNorm{} | Relu{};
    x = x | Choice{Alternative{"3", conv(3)}, Alternative{"1", conv(1)}};
    return x | GlobalAvgPool{} | Linear{.out = 4};
  });
}

struct SharedSearch {
  std::string name;
  Network network;
  AnyFormulation formulation = Duccio{};
  std::function<void(SearchOptions&)> change = [](SearchOptions&) {};
  double part = 0.6;     ///< of its bytes and multiplications that may be left
  bool steered = false;  ///< by Steer instead of the formulation
};

inline std::vector<SharedSearch> shared_searches() {
  std::vector<SharedSearch> all{
      {.name = "masks", .network = plain_shared()},
      {.name = "resolution", .network = residual_shared(), .part = 0.4, .steered = true},
      {.name = "turns",
       .network = separable_shared(),
       .formulation = NuPi{},
       .change = [](SearchOptions& options) { options.architecture_share = 0.3; }},
      {.name = "bits", .network = with_bits(plain_shared(), {.per = Bits::Per::channel}), .formulation = AugmentedLagrangian{}},
      {.name = "bits of values", .network = with_activation_bits(separable_shared(), {.widths = {4, 8}})},
      {.name = "bits of both", .network = with_activation_bits(with_bits(residual_shared(), {}), {}), .steered = true},
      {.name = "distilled", .network = plain_shared(), .formulation = Penalty{}, .change = [](SearchOptions& options) {
         options.objective = distill(classification(), plain_shared());
       }}};
  for (const auto& [name, sampling] : {std::pair{"softmax", Sampling::softmax}, std::pair{"gumbel", Sampling::gumbel},
                                       std::pair{"hard gumbel", Sampling::hard_gumbel}, std::pair{"argmax", Sampling::argmax},
                                       std::pair{"score", Sampling::score}}) {
    all.push_back({.name = name, .network = choosing_shared(), .change = [how = sampling](SearchOptions& options) {
                     options.space.choices.sampling = how;
                     options.seed = 2 + static_cast<std::uint64_t>(how);  // some take the same samples otherwise
                   }});
  }
  return all;
}

/// All bytes of the network that a search finds with the ranks that it is given.
inline std::string found_with(const SharedSearch& searched, const AnyCommunicator& ranks, int shards) {
  SearchOptions options{.warmup = 1,
                        .epochs = 2,
                        .batch = 16,
                        .optimizer = Adam{.lr = 1e-2},
                        .architecture = Adam{.lr = 5e-2},
                        .seed = 1,
                        .ranks = ranks,
                        .shards = shards};
  searched.change(options);
  const Architecture<double> whole = describe(searched.network);
  const auto bounds = subject_to(AtMost{ModelSize{}, searched.part * total(ModelSize{}, whole)},
                                 AtMost{Macs{}, searched.part * total(Macs{}, whole)});
  State state;
  const auto save = [&](const auto& formulation) {
    search(searched.network, shared_images(), bounds, formulation, options).network.save(state);
  };
  searched.steered ? save(Steer{}) : save(searched.formulation);
  return detail::state_bytes(state);
}

}  // namespace siena::test
