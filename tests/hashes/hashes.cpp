// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
//
// A hash of the bits of a fixed set of seeded trainings and searches, a line each: what a change that is to change no result
// leaves as it is. Compare what it prints before and after: ./dev hashes
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/constraints/minimize.hpp"
#include "siena/core/fingerprint.hpp"
#include "siena/siena.hpp"

using namespace siena;

namespace {

std::uint64_t hash_of(const Network& network) {
  State state;
  network.save(state);
  Fingerprint hash;
  for (const auto& [name, value] : state.values()) {
    const auto& tensor = std::get<Tensor>(value);
    hash.add(name).add(std::string_view(reinterpret_cast<const char*>(tensor.data()),
                                        static_cast<std::size_t>(tensor.elements()) * sizeof(float)));
  }
  return hash.value();
}
void print(std::string_view name, const Network& network, const std::vector<double>& numbers) {
  Fingerprint hash;
  for (const double number : numbers) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    hash.add(bits);
  }
  std::string widths;
  for (const auto& node : network.nodes()) {
    if (!node.parameters.empty() && node.layer.index() != Layer(BatchNorm{}).index())
      widths += (widths.empty() ? "" : " ") + std::to_string(node.shape[-1]);
  }
  fmt::print("{:<28} {:016x} {:016x} {}\n", name, hash_of(network), hash.value(), widths);
  std::fflush(stdout);
}

const data::Splits& images() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 4, .height = 16, .width = 16, .channels = 3, .train = 192, .validation = 64, .test = 64, .noise = 0.1});
  return splits;
}
Searchable<Conv2d, Channels> conv(int out, int stride = 1, int multiple = 1) {
  return {Conv2d{.out = out, .kernel = 3, .stride = stride, .bias = false}, Channels{.multiple = multiple}};
}
Network residual(int multiple = 1) {
  return Network(
      {16, 16, 3},
      [&](Flow x) {
        x = x | conv(12, 2, multiple) | BatchNorm{} | Relu{};
        x = add(x, x | conv(12, 1, multiple) | BatchNorm{} | Relu{} | conv(12, 1, multiple) | BatchNorm{}) | Relu{};
        x = x | Conv2d{.out = 12, .kernel = 3, .groups = Conv2d::depthwise, .bias = false} | BatchNorm{} | Relu6{};
        return x | conv(16, 2) | BatchNorm{} | PRelu{} | GlobalAvgPool{} | Dropout{.probability = 0.2} | Linear{.out = 4};
      },
      4);
}
Network taps() {
  return Network(
      {16, 16, 3},
      [](Flow x) {
        x = x | Searchable{Conv2d{.out = 8, .kernel = 5, .stride = 2}, Channels{}, ReceptiveField{}} | BatchNorm{} | Relu{};
        x = x | Searchable{Conv2d{.out = 8, .kernel = 5}, ReceptiveField{}, Dilation{}} | BatchNorm{} | Relu{};
        return x | GlobalAvgPool{} | Linear{.out = 4};
      },
      5);
}
Network alternatives() {
  return Network(
      {16, 16, 3},
      [](Flow x) {
        x = x | conv(8, 2) | BatchNorm{} | Relu{};
        x = x | Choice{conv(8), Conv2d{.out = 8, .kernel = 1}, [](Flow y) { return y | conv(8) | Relu{} | conv(8); }};
        x = x | BatchNorm{} | Relu{};
        x = x | Choice{Searchable{Conv2d{.out = 8, .kernel = 5}, Channels{}, ReceptiveField{}}, Identity{}};
        return x | Relu{} | GlobalAvgPool{} | Linear{.out = 4};
      },
      6);
}

SearchOptions quick() { return {.warmup = 1, .epochs = 3, .batch = 32, .optimizer = Adam{.lr = 5e-3}, .seed = 7}; }
/// Limits at a part of the way from the smallest network to the whole one.
ConstraintSet bounds(const Network& network, double part = 0.4) {
  const std::vector<Reach> ranges = reach(network, subject_to(AtMost{ModelSize{}, 1e9}, AtMost{Gap8{}, 1e12}));
  const auto limit = [&](const Reach& range) { return range.smallest + part * (range.largest - range.smallest); };
  return subject_to(MemoryBound{Bytes{limit(ranges[0])}}, AtMost{Gap8{}, limit(ranges[1])});
}
template <class Formulation>
void searched(std::string_view name, Network network, const ConstraintSet& set, Formulation formulation,
              const SearchOptions& options) {
  const SearchResult result = search(std::move(network), images(), set, std::move(formulation), options);
  std::vector<double> numbers;
  for (const ShadowPrice& price : result.history.prices) numbers.push_back(price.price);
  for (const History* history : {&result.history.warmup, &result.history.search}) {
    for (const EpochEvent& epoch : history->epochs) {
      numbers.insert(numbers.end(), {epoch.train.loss, epoch.validation.loss});
      for (const BoundReading& bound : epoch.bounds) numbers.push_back(bound.value);
    }
  }
  for (const Reach& reach : result.history.reach) numbers.insert(numbers.end(), {reach.smallest, reach.largest});
  print(name, result.network, numbers);
}
void trained(std::string_view name, Network network, const FitOptions& options) {
  fit(network, images().train, images().validation, options);
  print(name, network, {});
}

}  // namespace

int main() {
  trained("fit sgd", residual(), {.epochs = 2, .batch = 32, .seed = 3, .clip = 1, .ema = 0.9});
  trained("fit adam", taps(), {.epochs = 2, .batch = 48, .optimizer = Adam{}, .seed = 3});
  searched("channels duccio", residual(), bounds(residual()), Duccio{}, quick());
  searched("channels penalty", residual(), bounds(residual(), 0.3), Penalty{}, quick());
  searched("channels lagrangian", residual(4), bounds(residual(4)), AugmentedLagrangian{}, quick());
  searched("channels nu_pi", residual(), bounds(residual()), NuPi{}, quick());
  searched("channels steer", residual(), bounds(residual()), Steer{}, quick());
  searched("channels per constraint", residual(), bounds(residual()), PerConstraint{Duccio{}, Penalty{}}, quick());
  ConstraintSet small = bounds(residual(), 0.6);
  small.add(Minimize{PeakMemory{}, 0.5});
  searched("channels minimize", residual(), small, Duccio{}, quick());
  SearchOptions options = quick();
  options.architecture_share = 0.3, options.space.masks.secant = false, options.lead = 1, options.exchange = false;
  searched("channels in turns", residual(), bounds(residual()), Duccio{}, options);
  searched("taps", taps(), bounds(taps(), 0.3), Duccio{}, quick());
  for (const Sampling sampling :
       {Sampling::softmax, Sampling::gumbel, Sampling::hard_gumbel, Sampling::argmax, Sampling::score}) {
    options = quick();
    options.space.choices.sampling = sampling;
    options.space.choices.one_hot_penalty = sampling == Sampling::softmax ? 0.1 : 0;
    searched(format("choices {}", static_cast<int>(sampling)), alternatives(), bounds(alternatives(), 0.35), Duccio{}, options);
  }
  options = quick();
  options.settle = 1;
  searched("choices unsettled", alternatives(), bounds(alternatives()), Duccio{}, options);
  for (const Bits::Per per : {Bits::Per::layer, Bits::Per::channel}) {
    const Network few = with_bits(residual(), {.per = per}),
                  chosen = with_bits(alternatives(), {.weights = {2, 3, 6, 8}, .per = per});
    const char* of = per == Bits::Per::layer ? "layer" : "channel";
    searched(format("bits of a {}", of), few, bounds(few, 0.25), Duccio{}, quick());
    searched(format("bits of a {}, choices", of), chosen, bounds(chosen, 0.25), Duccio{}, quick());
  }
}
