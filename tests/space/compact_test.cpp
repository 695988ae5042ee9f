// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/compact.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "siena/autograd/ops/loss.hpp"
#include "siena/models/resnet8.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

namespace {
static_assert(std::is_constructible_v<CompactNetwork, const SearchSpace&>);
static_assert(!std::is_constructible_v<CompactNetwork, SearchSpace>);  // which it would outlive

bool has_dropout(const Network& network) {
  for (const auto& node : network.nodes()) {
    if (node.layer.is<Dropout>()) return true;
  }
  return false;
}

/// Outputs of a step; the gradients stay in the network.
Tensor run_step(Network& network, const Tensor& batch, Mode mode) {
  Tape tape;
  const Var output = network.forward(tape.reference(batch), mode);
  Tensor value = output.value();
  const Tensor target = random_tensor<float>(output.shape(), 9);
  tape.backward(ops::mean_squared_error(output, tape.reference(target)));
  return value;
}

/// All parameters and buffers, what masks have measured among them.
void check_alike(const Network& gated, const Network& network) {
  State full, part;
  gated.save(full);
  network.save(part);
  for (const auto& [name, value] : full.values()) {
    INFO(name);
    CHECK(test::difference(std::get<Tensor>(value), part.get<Tensor>(name)) < 1e-3);
  }
}
}  // namespace

TEST_CASE("compact: any network computes what its masks computed, forwards and backwards") {
  int narrower = 0, training = 0;
  int open = 0, taps = 0;
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    INFO("network " << seed);
    test::RandomNetwork generator(seed, seed >= 60);
    Network network = seed % 4 == 3 ? generator.make_1d() : generator.make();
    const SearchSpace space =
        SearchSpace::install(network, {.choices = {.sampling = Sampling::softmax}});  // samples would be other samples
    const Selection selection = generator.selection(space);
    space.axis<ChannelMasks>().select(network, selection["channels"]);
    space.axis<TapMasks>().select(network, selection["taps"]);
    if (seed % 3 == 0) space.axis<Choices>().select(network, selection["choices"]);
    const Tensor batch = generator.batch(network, 5);
    const Mode mode = has_dropout(network) ? Mode::inference : Mode::training;  // other channels, other random numbers
    training += mode == Mode::training ? 1 : 0;
    network.zero_grad();

    Network gated = network;
    const Tensor outputs = run_step(gated, batch, mode);
    CompactNetwork compact(space);
    Network& small = compact.update(network);
    narrower += small.weight_count() < network.weight_count() ? 1 : 0;
    CHECK(test::difference(outputs, run_step(small, batch, mode)) < 1e-4);
    compact.return_gradients(network, 5);

    const Selection on = space.selection(network);
    double largest = 1e-6;  // some gradients are zero but for rounding, as those of a bias or a single tap before a batch norm
    for (int p = 0; p < network.parameter_count(); ++p) {
      if (network.parameter(p).role == Role::architecture) continue;
      const Tensor& grad = network.parameter(p).grad;
      largest = std::max(largest, test::difference(Tensor(grad.shape()), grad, 1));
    }
    for (int p = 0; p < network.parameter_count(); ++p) {
      if (network.parameter(p).role == Role::architecture) continue;
      INFO(network.parameter(p).name);
      CHECK(test::difference(gated.parameter(p).grad, network.parameter(p).grad, 1e-2 * largest) < 2e-2);
    }
    for (int c = 0; c < space.axis<Choices>().count(); ++c) {
      const int alpha = network.nodes()[space.axis<Choices>().node(c)].parameters[0];
      if (space.axis<Choices>().decided(network, c) >= 0) continue;
      ++open;
      CHECK(test::difference(gated.parameter(alpha).grad, network.parameter(alpha).grad, 1e-2 * largest) < 1e-2);
    }
    const auto check_slopes = [&](int alpha, const auto& is_on) {
      if (alpha < 0) return;
      INFO(network.parameter(alpha).name);
      const auto full = gated.parameter(alpha).grad.row(0), part = network.parameter(alpha).grad.row(0);
      for (std::size_t i = 0; i < full.size(); ++i) {
        if (is_on(i)) {
          CHECK(part[i] == Approx(full[i]).epsilon(1e-2).margin(1e-4));
        } else {
          CHECK(part[i] == 0);  // never on, never measured
        }
      }
    };
    for (std::size_t g = 0; g < on["channels"].size(); ++g) {
      check_slopes(space.axis<ChannelMasks>().parameter(static_cast<int>(g)),
                   [&](std::size_t c) { return on["channels"][g][c] != 0; });
    }
    for (std::size_t c = 0; c < on["taps"].size(); ++c) {
      check_slopes(space.axis<TapMasks>().parameter(static_cast<int>(c)), [&](std::size_t step) {
        ++taps;
        return static_cast<int>(step) < on["taps"][c][0];
      });
    }
  }
  CHECK(taps > 200);
  CHECK(narrower > 30);
  CHECK(open > 20);
  CHECK(training > 20);
}

TEST_CASE("compact: running statistics come back, those of absent channels stay") {
  Network network = resnet8({.input = {8, 8, 3}, .width = 0.5});
  const SearchSpace space = SearchSpace::install(network);
  Selection some = space.selection(network);
  some["channels"][static_cast<std::size_t>(space.axis<ChannelMasks>().channels().runs(1)[0].group)][2] = false;  // the stem's
  space.select(network, some);
  CompactNetwork compact(space);
  run_step(compact.update(network), random_tensor<float>({4, 8, 8, 3}, 1), Mode::training);
  compact.return_gradients(network, 4);
  State state;
  network.save(state);
  const Tensor mean = state.get<Tensor>("bninput.running_mean");
  for (int c = 0; c < 8; ++c) CHECK((mean(c) == 0) == (c == 2));
}

TEST_CASE("compact: a channel that is off is worth what it was, and comes back") {
  Network network = resnet8({.input = {8, 8, 3}, .width = 0.5});
  const SearchSpace space = SearchSpace::install(network);
  CompactNetwork compact(space);
  const int group = space.axis<ChannelMasks>().channels().runs(1)[0].group, alpha = space.axis<ChannelMasks>().parameter(group);
  const auto step = [&](std::uint64_t seed) {
    network.zero_grad();
    run_step(compact.update(network), random_tensor<float>({4, 8, 8, 3}, seed), Mode::training);
    compact.return_gradients(network, 4);
    return network.parameter(alpha).grad.data()[2];
  };
  step(1);
  const float slope = step(2);
  const double worth = space.axis<ChannelMasks>().importance(network, group, 2);
  CHECK(worth > 0);
  const std::int64_t weights = compact.update(network).weight_count();
  network.parameter(alpha).value.data()[2] = 0;
  for (std::uint64_t seed = 3; seed < 6; ++seed) {
    CHECK(step(seed) == slope);
    CHECK(space.axis<ChannelMasks>().importance(network, group, 2) == worth);
    CHECK(space.axis<ChannelMasks>().importance(network, group, 3) > 0);
  }
  CHECK(compact.update(network).weight_count() < weights);
  network.parameter(alpha).value.data()[2] = 1;
  CHECK(step(6) != slope);
  CHECK(compact.update(network).weight_count() == weights);
}

TEST_CASE("compact: several steps measure the masks as the gates do") {
  Network network = resnet8({.input = {8, 8, 3}, .width = 0.5});
  const SearchSpace space = SearchSpace::install(network);
  Network gated = network;
  CompactNetwork compact(space);
  for (std::uint64_t seed = 1; seed < 4; ++seed) {
    const auto batch = random_tensor<float>({4, 8, 8, 3}, seed);
    gated.zero_grad();
    network.zero_grad();
    run_step(gated, batch, Mode::training);
    run_step(compact.update(network), batch, Mode::training);
    compact.return_gradients(network, 4);
  }
  check_alike(gated, network);
}

TEST_CASE("compact: the tangent of the paper knows nothing of a channel that is off") {
  Network network = resnet8({.input = {8, 8, 3}, .width = 0.5});
  const SearchSpace space = SearchSpace::install(network, {.masks = {.secant = false}});
  const int group = space.axis<ChannelMasks>().channels().runs(1)[0].group, alpha = space.axis<ChannelMasks>().parameter(group);
  network.parameter(alpha).value.data()[2] = 0;
  network.zero_grad();
  CompactNetwork compact(space);
  run_step(compact.update(network), random_tensor<float>({4, 8, 8, 3}, 1), Mode::training);
  compact.return_gradients(network, 4);
  const auto slopes = network.parameter(alpha).grad.row(0);
  for (std::size_t c = 0; c < slopes.size(); ++c) CHECK((slopes[c] == 0) == (c == 2));
}

TEST_CASE("compact: built anew only where the masks have changed") {
  Network network = resnet8({.input = {8, 8, 3}, .width = 0.5});
  const SearchSpace space = SearchSpace::install(network);
  CompactNetwork compact(space);
  const Tensor* weight = &compact.update(network).parameter(0).value;
  network.parameter(0).value.fill(0.25f);
  CHECK(&compact.update(network).parameter(0).value == weight);
  CHECK(*weight->data() == 0.25f);
}

TEST_CASE("compact: a step may leave what masks have measured as it is") {
  Network network = resnet8({.input = {8, 8, 3}, .width = 0.5});
  const SearchSpace space = SearchSpace::install(network);
  const Network before = network;
  CompactNetwork compact(space);
  run_step(compact.update(network), random_tensor<float>({4, 8, 8, 3}, 1), Mode::inference);
  compact.return_gradients(network, 4, CompactNetwork::Worth::kept);
  check_alike(before, network);
  CHECK(test::difference(network.parameter(0).grad, Tensor(network.parameter(0).grad.shape())) > 0);
  run_step(compact.update(network), random_tensor<float>({4, 8, 8, 3}, 1), Mode::inference);
  compact.return_gradients(network, 4);
  State measured;
  network.save(measured);
  CHECK(*measured.get<Tensor>("mask.inputblock.gradient_steps").data() == 1);
}

TEST_CASE("compact: what a step did not compute was not measured") {
  Network network({6, 6, 2}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 4, .kernel = 3}, Channels{}} | BatchNorm{} | Relu{};
    const auto two = [](const Flow& y) {
      return y | Searchable{Conv2d{.out = 6}, Channels{}} | Relu{} | Searchable{Conv2d{.out = 4}, Channels{}};
    };
    return x | Choice{two, Searchable{Conv2d{.out = 4, .kernel = 3}, Channels{}}} | GlobalAvgPool{} | Linear{.out = 2};
  });
  const SearchSpace space = SearchSpace::install(network, {.masks = {}, .choices = {.sampling = Sampling::argmax}});
  Network gated = network;
  CompactNetwork compact(space);
  for (std::uint64_t seed = 1; seed < 5; ++seed) {
    const auto batch = random_tensor<float>({4, 6, 6, 2}, seed);
    for (Network* each : {&network, &gated}) {  // the second alternative in the last step alone
      auto& node = each->nodes()[space.axis<Choices>().node(0)];
      each->parameter(node.parameters[0]).value.assign(std::vector<float>{seed < 4 ? 1.0f : -1.0f, 0});
      each->zero_grad();
    }
    run_step(gated, batch, Mode::training);
    run_step(compact.update(network), batch, Mode::training);
    compact.return_gradients(network, 4);
  }
  check_alike(gated, network);
}
