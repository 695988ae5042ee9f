// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/search_space.hpp"

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "siena/autograd/ops/activation.hpp"
#include "siena/autograd/ops/conv2d.hpp"
#include "siena/autograd/ops/loss.hpp"
#include "siena/autograd/ops/pool.hpp"
#include "siena/autograd/ops/structure.hpp"
#include "siena/space/discretize.hpp"
#include "siena/space/searchable.hpp"
#include "support/gradients.hpp"
#include "support/searchable.hpp"

using namespace siena;

namespace {

/// Two convolutions read the mask of `a`; `b` and `c` share one, which `out` reads.
Network branches() {
  return Network(
      {5, 4, 3},
      [](const Flow& in) {
        const Flow x = (in | conv(6)).named("a") | Relu{};
        const Flow b = (x | conv(5)).named("b"), c = (x | conv(5, 1)).named("c");
        return (add(b, c) | Relu{} | GlobalAvgPool{} | Linear{.out = 4}).named("out");
      },
      3);
}

const Network::Node& node(const Network& network, const std::string& name) {
  for (const auto& n : network.nodes()) {
    if (n.name == name) return n;
  }
  FAIL("no layer " << name);
  return network.nodes()[0];
}
Tensor& weights(Network& network, const std::string& name, int k = 0) {
  return network.parameter(node(network, name).parameters[static_cast<std::size_t>(k)]).value;
}
int group_of(const SearchSpace& space, const Network& network, const std::string& name) {
  return space.axis<ChannelMasks>().channels().runs(static_cast<int>(&node(network, name) - network.nodes().data()))[0].group;
}
Parameter& alpha(Network& network, const SearchSpace& space, const std::string& name) {
  return network.parameter(space.axis<ChannelMasks>().parameter(group_of(space, network, name)));
}
/// Everything in a network that can be saved.
std::map<std::string, std::vector<float>> contents(const Network& network) {
  State state;
  network.save(state);
  std::map<std::string, std::vector<float>> all;
  for (const auto& [name, value] : state.values()) std::get<Tensor>(value).copy_to(all[name]);
  return all;
}
std::vector<float> elements(const Tensor& tensor) {
  std::vector<float> copy;
  tensor.copy_to(copy);
  return copy;
}
const std::vector<std::int32_t> labels{1, 3, 0};
/// One backward pass of the cross entropy, after which gradients hold only its.
double learn(Network& network, const Tensor& batch) {
  Tape tape;
  network.zero_grad();
  const Var loss = ops::cross_entropy<float>(network.forward(tape.reference(batch), Mode::training), labels);
  const double value = *loss.value().data();
  tape.backward(loss);
  return value;
}
DTensor in_double(const Tensor& tensor) {
  std::vector<float> from;
  tensor.copy_to(from);
  return DTensor(tensor.shape(), std::span<const double>(std::vector<double>(from.begin(), from.end())));
}

}  // namespace

TEST_CASE("masks: a parameter for each group that may vary, gates where they are read") {
  Network network = branches();
  const int before = network.parameter_count();
  const SearchSpace space = SearchSpace::install(network);
  REQUIRE(network.parameter_count() == before + 2);
  CHECK(network.parameters(Role::architecture).size() == 2);
  CHECK(space.axis<ChannelMasks>().parameter(group_of(space, network, "input")) == -1);
  CHECK(space.axis<ChannelMasks>().parameter(group_of(space, network, "out")) == -1);
  const Parameter& a = alpha(network, space, "a");
  CHECK(a.name == "mask.a.alpha");
  CHECK(alpha(network, space, "c").name == "mask.b.alpha");
  CHECK(a.role == Role::architecture);
  CHECK_FALSE(a.decay);
  CHECK(elements(a.value) == std::vector<float>(6, 1.0f));
  CHECK(node(network, "a").gates.empty());  // reads the image
  for (const char* name : {"b", "c", "out"}) CHECK(node(network, name).gates.size() == 1);
}

TEST_CASE("masks: nothing to vary, nothing added") {
  Network network({4, 4, 2}, [](const Flow& x) { return x | Conv2d{.out = 3} | GlobalAvgPool{} | Linear{.out = 2}; });
  const int before = network.parameter_count();
  const SearchSpace space = SearchSpace::install(network);
  CHECK(network.parameter_count() == before);
  CHECK(space.selection(network) == space.full());
}

TEST_CASE("masks: what they do to the function") {
  Network network = branches();
  const Network plain = network;
  const auto batch = random_tensor<float>({3, 5, 4, 3}, 1);
  const auto seed = elements(network.predict(batch));
  const SearchSpace space = SearchSpace::install(network);
  CHECK(elements(network.predict(batch)) == seed);  // all on: the same bits

  Selection some = space.full();
  some["channels"][static_cast<std::size_t>(group_of(space, network, "a"))][4] = false;
  some["channels"][static_cast<std::size_t>(group_of(space, network, "b"))][1] = false;
  space.select(network, some);
  const auto masked = elements(network.predict(batch));
  CHECK(masked != seed);
  // The same as nobody giving weight to those channels.
  Network zeroed = plain;
  for (int tap = 0; tap < 9; ++tap) std::fill_n(weights(zeroed, "b").row(tap * 6 + 4).begin(), 5, 0.0f);
  std::fill_n(weights(zeroed, "c").row(4).begin(), 5, 0.0f);
  std::fill_n(weights(zeroed, "out").row(1).begin(), 4, 0.0f);
  CHECK(masked == elements(zeroed.predict(batch)));
}

TEST_CASE("masks: select and selection are inverse, and copies are independent") {
  Network network = branches();
  const SearchSpace space = SearchSpace::install(network);
  CHECK(space.selection(network) == space.full());
  Selection some = space.full();
  const auto a = static_cast<std::size_t>(group_of(space, network, "a"));
  some["channels"][a] = {false, true, false, false, true, true};
  CHECK(ChannelMasks::count(some, static_cast<int>(a)) == 3);

  const auto batch = random_tensor<float>({2, 5, 4, 3}, 1);
  const auto seed = elements(network.predict(batch));
  Network copy = network;
  space.select(copy, some);
  CHECK(space.selection(copy) == some);
  CHECK(space.selection(network) == space.full());
  CHECK(elements(network.predict(batch)) == seed);
  CHECK(elements(copy.predict(batch)) != seed);
  space.select(copy, space.full());
  CHECK(elements(copy.predict(batch)) == seed);

  Network third;
  third = network;
  learn(third, random_tensor<float>({3, 5, 4, 3}, 2));  // its moments are its own, too
  CHECK(space.axis<ChannelMasks>().importance(third, static_cast<int>(a), 0) > 0);
  CHECK(space.axis<ChannelMasks>().importance(network, static_cast<int>(a), 0) == 0);
  CHECK(elements(alpha(network, space, "a").grad) == std::vector<float>(6, 0.0f));
}

TEST_CASE("masks: project keeps alphas in [0, 1], and enough of them on") {
  Network network({4, 4, 2}, [](const Flow& x) {
    return (((x | conv(6, 3, 3)).named("a") | conv(4)).named("b") | GlobalAvgPool{} | Linear{.out = 2}).named("out");
  });
  const SearchSpace space = SearchSpace::install(network);
  Tensor& a = alpha(network, space, "a").value;
  Tensor& b = alpha(network, space, "b").value;
  const auto on = [&](const std::string& name) {
    const int group = group_of(space, network, name);
    const std::vector<int> kept = space.selection(network)["channels"][static_cast<std::size_t>(group)];
    return std::vector<bool>(kept.begin(), kept.end());
  };
  a.assign(std::vector<float>{-3, 7, 0.6f, 0.4f, 0.8f, 0.5f});
  space.project(network);
  CHECK(elements(a) == std::vector<float>{0, 1, 0.6f, 0.4f, 0.8f, 0.5f});  // three are on: that will do
  CHECK(on("a") == std::vector<bool>{false, true, true, false, true, false});

  a.assign(std::vector<float>{0.1f, 0.7f, 0.2f, 0.3f, -1, 0.25f});
  space.project(network);
  CHECK(on("a") == std::vector<bool>{false, true, false, true, false, true});
  CHECK(elements(a)[0] == 0.1f);
  CHECK(elements(a)[1] == 0.7f);
  CHECK(elements(a)[4] == 0);

  a.fill(-1);  // none stands out: the first ones stay
  b.fill(0.2f);
  space.project(network);
  CHECK(on("a") == std::vector<bool>{true, true, true, false, false, false});
  CHECK(on("b") == std::vector<bool>{true, false, false, false});
  a.assign(std::vector<float>{0, 0.9f, 0, 0, 0, 0});  // one ahead of five equals
  space.project(network);
  CHECK(on("a") == std::vector<bool>{true, true, true, false, false, false});

  const auto once = elements(a);
  space.project(network);
  CHECK(elements(a) == once);
}

TEST_CASE("masks: project keeps channels in multiples, by the least change of alphas") {
  Network network({4, 4, 2}, [](const Flow& x) {
    const Searchable layer{Conv2d{.out = 7, .kernel = 3}, Channels{.minimum = 2, .multiple = 3}};
    return (x | layer).named("a") | GlobalAvgPool{} | Linear{.out = 2};
  });
  const SearchSpace space = SearchSpace::install(network);
  const auto group = static_cast<std::size_t>(group_of(space, network, "a"));
  Tensor& a = alpha(network, space, "a").value;
  const auto projected = [&](const std::vector<float>& values) {
    a.assign(values);
    space.project(network);
    return elements(a);
  };
  const std::vector<float> whole{1, 0.8f, 0.9f, 1, 0.7f, 0.6f, 0.51f};
  CHECK(projected(whole) == whole);  // all 7 are no multiple of 3, and may stay
  const std::vector<float> six{1, 0.8f, 0.9f, 1, 0.7f, 0.6f, 0.4f};
  CHECK(projected(six) == six);
  CHECK(projected({1, 0.8f, 0.49f, 1, 0.7f, 0.9f, 0}) == std::vector<float>{1, 0.8f, 0.501f, 1, 0.7f, 0.9f, 0});
  CHECK(projected({1, 0.8f, 0.1f, 1, 0.52f, 0, 0}) == std::vector<float>{1, 0.8f, 0.1f, 1, 0.5f, 0, 0});
  // As few as may stay, though one were nearer; of equals the first.
  CHECK(projected({0, 0.8f, 0.2f, 0.2f, 0.2f, 0, 0}) == std::vector<float>{0, 0.8f, 0.501f, 0.501f, 0.2f, 0, 0});
  CHECK(projected({1, 1, 1, 1, 0, 0, 0}) == std::vector<float>{1, 1, 1, 0.5f, 0, 0, 0});
  CHECK(ChannelMasks::count(space.selection(network), static_cast<int>(group)) == 3);
  CHECK(ChannelMasks::count(space.smallest(), static_cast<int>(group)) == 3);
}

TEST_CASE("masks: without the secant, the gradient is that of a continuous scale of the channels") {
  Network network = branches();
  for (const char* name : {"a", "b", "c", "out"}) {
    Tensor& bias = weights(network, name, 1);
    bias = random_tensor<float>(bias.shape(), 17);
  }
  const SearchSpace space = SearchSpace::install(network, {.masks = {.secant = false}});
  Selection some = space.full();
  some["channels"][static_cast<std::size_t>(group_of(space, network, "a"))] = {true, false, true, true, false, true};
  some["channels"][static_cast<std::size_t>(group_of(space, network, "b"))] = {true, true, false, true, true};
  space.select(network, some);
  const auto batch = random_tensor<float>({3, 5, 4, 3}, 1);
  const double value = learn(network, batch);

  // The same function in double, of masks that may take any value.
  DTensor a = in_double(alpha(network, space, "a").value), b = in_double(alpha(network, space, "b").value);
  const auto loss = [&] {
    DTape tape(false);
    const auto layer = [&](const std::string& name, const DVar& x, const DTensor* mask) {
      DVar weight = tape.constant(in_double(weights(network, name)));
      if (mask) weight = ops::mask_input_channels(weight, tape.reference(*mask));
      const DVar bias = tape.constant(in_double(weights(network, name, 1)));
      const auto* convolution = node(network, name).layer.get_if<Conv2d>();
      if (!convolution) return ops::linear<double>(x, weight, bias);
      return ops::conv2d<double>(x, weight, bias, convolution->geometry(x.shape().sample()),
                                 node(network, name).shape.batch(3));
    };
    const DVar x = ops::relu<double>(layer("a", tape.constant(in_double(batch)), nullptr));
    const DVar sum = ops::relu<double>(ops::add<double>(layer("b", x, &a), layer("c", x, &a)));
    const DVar logits = layer("out", ops::global_avg_pool<double>(sum), &b);
    return *ops::cross_entropy<double>(logits, labels).value().data();
  };
  CHECK(loss() == Approx(value).epsilon(1e-5));
  const auto compare = [&](DTensor& mask, const std::string& name) {
    const auto gradient = elements(alpha(network, space, name).grad);
    for (std::size_t c = 0; c < gradient.size(); ++c) {
      double& m = mask.data()[c];
      const double at = m, h = 1e-6;
      m = at + h;
      const double up = loss();
      m = at - h;
      const double down = loss();
      m = at;
      INFO(name << ", channel " << c);
      CHECK_THAT(gradient[c], WithinAbs((up - down) / (2 * h), 2e-5));
      if (at == 0) CHECK(std::abs(gradient[c]) > 1e-6f);  // channels that are off hear about it as well
    }
  };
  compare(a, "a");
  compare(b, "b");
}

TEST_CASE("masks: importance is what a channel is worth to its readers") {
  // Channels of `a` are equals; only how much their reader makes of them differs.
  Network network(
      {4, 4, 2},
      [](const Flow& x) { return ((x | conv(4)).named("a") | Relu{} | GlobalAvgPool{} | Linear{.out = 4}).named("out"); }, 5);
  Tensor& a = weights(network, "a");
  for (std::int64_t r = 0; r < a.rows(); ++r) std::fill_n(a.row(r).begin(), 4, a.row(r)[0]);
  weights(network, "a", 1).fill(0.5f);
  Tensor& out = weights(network, "out");
  for (std::int64_t c = 0; c < 4; ++c) {
    const float strength[] = {1, 0, 0.1f, 2};
    for (std::int64_t k = 0; k < 4; ++k) out.row(c)[static_cast<std::size_t>(k)] = strength[c] * (k % 2 == 0 ? 0.3f : -0.2f);
  }
  const SearchSpace space = SearchSpace::install(network);
  const int group = group_of(space, network, "a");
  const auto importance = [&](int c) { return space.axis<ChannelMasks>().importance(network, group, c); };
  CHECK(importance(0) == 0);  // nothing is known yet
  for (int step = 0; step < 5; ++step) learn(network, random_tensor<float>({3, 4, 4, 2}, static_cast<std::uint64_t>(step)));
  CHECK(importance(1) == 0);
  CHECK(importance(0) > 0);
  CHECK(importance(2) == Approx(importance(0) * 0.01));
  CHECK(importance(3) == Approx(importance(0) * 4));
  CHECK(space.axis<ChannelMasks>().importance(network, group_of(space, network, "out"), 0) == 0);  // frozen
}

TEST_CASE("masks: moments of the gradient") {
  Network network = branches(), tangent = branches();
  const SearchSpace space = SearchSpace::install(network, {.masks = {.decay = 0.5}});
  const SearchSpace straight = SearchSpace::install(tangent, {.masks = {.secant = false, .decay = 0.5}});
  const auto batch = random_tensor<float>({3, 5, 4, 3}, 1), other = random_tensor<float>({3, 5, 4, 3}, 2);
  learn(tangent, batch);
  const auto first = elements(alpha(tangent, straight, "a").grad);
  learn(tangent, other);
  const auto second = elements(alpha(tangent, straight, "a").grad);
  const int group = group_of(space, network, "a");

  learn(network, batch);
  for (std::size_t c = 0; c < first.size(); ++c) {
    const double square = first[c] * first[c];  // a single gradient has no variance
    CHECK(space.axis<ChannelMasks>().importance(network, group, static_cast<std::int64_t>(c)) == Approx(0.5 * square));
    CHECK(alpha(network, space, "a").grad.data()[c] == Approx(first[c] - 0.5 * square));
  }
  learn(network, other);
  for (std::size_t c = 0; c < first.size(); ++c) {
    const double square = (first[c] * first[c] + 2 * second[c] * second[c]) / 3;  // weights 1/4 and 1/2, made to add up to 1
    const double mean = (first[c] + 2 * second[c]) / 3;
    const double fisher = 3 * (square - mean * mean) + mean * mean;
    CHECK(space.axis<ChannelMasks>().importance(network, group, static_cast<std::int64_t>(c)) ==
          Approx(0.5 * fisher).epsilon(1e-4));
    CHECK(straight.axis<ChannelMasks>().importance(tangent, group, static_cast<std::int64_t>(c)) ==
          Approx(0.5 * fisher).epsilon(1e-4));
  }
}

TEST_CASE("masks: a network has them once") {
  Network network = branches();
  const SearchSpace space = SearchSpace::install(network);
  CHECK_THROWS_WITH(SearchSpace::install(network), ContainsSubstring("expected a network without masks"));
  CHECK_NOTHROW(SearchSpace::install(network = discretize(network, space)));
}

TEST_CASE("masks: inference changes nothing") {
  Network network = branches();
  const SearchSpace space = SearchSpace::install(network);
  learn(network, random_tensor<float>({3, 5, 4, 3}, 1));
  const auto before = contents(network);
  (void)network.predict(random_tensor<float>({7, 5, 4, 3}, 2));
  CHECK(contents(network) == before);
}
