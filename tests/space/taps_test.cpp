// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/taps.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "siena/autograd/ops/loss.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/params.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

namespace {

/// One convolution that may vary, with biases that are not 0.
template <class Conv, class... Axes>
Network one_layer(const Shape& input, const Conv& conv, Axes... axes) {
  Network network(input, [&](const Flow& x) { return x | Searchable{conv, axes...}; });
  if (conv.bias) network.parameter(1).value = random_tensor<float>({conv.out}, 5);
  return network;
}
template <class L>
const L& layer_of(const Network& network) {
  return network.nodes()[1].layer.get<L>();
}

/// Every state of some chains: counters of any base.
bool advance_steps(AxisState& steps, const std::vector<TapChain>& chains) {
  for (std::size_t c = 0; c < steps.size(); ++c) {
    if (++steps[c][0] <= chains[c].steps) return true;
    steps[c] = {0};
  }
  return false;
}

/// Checks every state of a network's tap masks: what is left is a plain network with the same function and the cost that was
/// said. Returns how many taps there can be.
std::set<std::int64_t> check_states(Network& network) {
  const SearchSpace space = SearchSpace::install(network);
  const Tensor batch = random_tensor<float>(network.input_shape().batch(2), 3);
  std::set<std::int64_t> counts;
  Selection selection = space.smallest();
  do {
    space.select(network, selection);
    REQUIRE(space.selection(network) == selection);
    Network plain = discretize(network, space);
    const auto conv = *convolution_of(plain.nodes()[1].layer);
    INFO("left: " << conv.kernel.height << "x" << conv.kernel.width << " with dilation " << conv.dilation.height << "x"
                  << conv.dilation.width);
    REQUIRE(test::difference(network.predict(batch), plain.predict(batch), 1e-3) < 1e-5);

    const auto exact = describe(network, space).layers[0], of_plain = describe(plain).layers[0];
    REQUIRE(exact.kernel_height == of_plain.kernel_height);
    REQUIRE(exact.kernel_width == of_plain.kernel_width);
    REQUIRE(exact.weights() == of_plain.weights());
    REQUIRE(exact.macs() == of_plain.macs());
    REQUIRE_FALSE(exact.live_taps);
    Tape tape;
    const auto soft = describe(tape, network, space).layers[0];
    REQUIRE(soft.kernel_width == exact.kernel_width);
    REQUIRE(value_of(soft.taps()) == exact.taps());
    REQUIRE(value_of(soft.macs()) == exact.macs());
    counts.insert(static_cast<std::int64_t>(exact.taps()));
  } while (advance_steps(selection["taps"], space.axis<TapMasks>().chains()));
  return counts;
}

/// The taps of a 1-D kernel that stay, as distances before the newest.
std::vector<int> ages(const SearchSpace& space, int kernel, const std::vector<int>& steps) {
  std::vector<int> found;
  AxisState state;
  for (const int count : steps) state.push_back({count});
  const KernelCut cut = *space.axis<TapMasks>().cut(1, state);
  for (const int tap : cut.columns) found.push_back(kernel - 1 - tap);
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("taps: every state of every kernel up to 17 taps is an ordinary convolution") {
  for (int kernel = 1; kernel <= 17; ++kernel) {
    for (const int stride : {1, 2, 3}) {
      for (const int time : {19, 20}) {
        INFO("kernel " << kernel << ", stride " << stride << ", time " << time);
        for (const TimePadding padding : {TimePadding(same), TimePadding(causal)}) {
          INFO((padding.is_same ? "same" : "causal"));
          Conv1d conv{.out = 3, .kernel = kernel, .stride = stride, .padding = padding};
          Network whole = one_layer({time, 2}, conv, ReceptiveField{}, Dilation{});
          const auto counts = check_states(whole);
          CHECK(*counts.begin() == 1);
          CHECK(*counts.rbegin() == kernel);
          if (padding.is_causal) CHECK(static_cast<int>(counts.size()) == kernel);
        }
      }
    }
  }
}

TEST_CASE("taps: any dilation, padding and groups, one axis or both") {
  int searched = 0, refused = 0;
  for (const int kernel : {2, 3, 6, 9}) {
    for (const int dilation : {1, 2, 3}) {
      for (const int stride : {1, 2, 3, 4}) {
        INFO("kernel " << kernel << ", dilation " << dilation << ", stride " << stride);
        for (const int groups : {1, 2, Conv1d::depthwise}) {
          for (const TimePadding padding : {TimePadding(same), TimePadding(causal), TimePadding(kernel * dilation),
                                            TimePadding(7, 40), TimePadding(0, 3)}) {
            INFO("padding " << padding.before << ", " << padding.after << ", groups " << groups);
            const Conv1d conv{
                .out = 4, .kernel = kernel, .stride = stride, .padding = padding, .dilation = dilation, .groups = groups};
            const auto check = [&](std::int64_t time, int least, auto... axes) {
              try {
                Network network = one_layer({time, 4}, conv, axes...);
                const int fewest = static_cast<int>(*check_states(network).begin());
                CHECK(fewest >= least);
                ++searched;
              } catch (const ArgumentError&) {  // no smaller kernel has the same outputs
                CHECK(!padding.is_causal);
                CHECK((!padding.is_same || dilation > 1));
                ++refused;
              }
            };
            for (const std::int64_t time : {39, 40}) {
              check(time, 1, ReceptiveField{}, Dilation{});
              check(time, 2, ReceptiveField{.minimum = 2});
              check(time, 1, Dilation{});
            }
          }
        }
      }
    }
  }
  CHECK(searched > 10 * refused);
  CHECK(refused > 0);
}

TEST_CASE("taps: rows and columns of images") {
  for (const Size2 kernel : {Size2(3), Size2(5), Size2(4, 3), Size2(1, 7), Size2(6, 2), Size2(2, 8)}) {
    for (const Size2 stride : {Size2(1), Size2(2), Size2(1, 3)}) {
      for (const ImagePadding padding : {ImagePadding(same), ImagePadding(3, 3, 4, 5)}) {
        for (const int groups : {1, Conv2d::depthwise}) {
          INFO("kernel " << kernel.height << "x" << kernel.width << ", stride " << stride.height << "x" << stride.width);
          const Conv2d conv{.out = 3, .kernel = kernel, .stride = stride, .padding = padding, .groups = groups};
          Network network = one_layer({9, 10, 3}, conv, ReceptiveField{}, Dilation{});
          const auto counts = check_states(network);
          CHECK(*counts.rbegin() == kernel.height * kernel.width);
          CHECK(*counts.begin() == 1);
        }
      }
    }
  }
}

TEST_CASE("taps: the receptive field falls from the oldest tap, the grid is anchored at the newest") {
  Network network =
      one_layer({20, 2}, Conv1d{.out = 2, .kernel = 6, .padding = causal, .dilation = 3}, ReceptiveField{}, Dilation{});
  const SearchSpace space = SearchSpace::install(network);
  REQUIRE(space.axis<TapMasks>().chains().size() == 2);
  CHECK(space.axis<TapMasks>().chains()[0].steps == 5);
  CHECK(space.axis<TapMasks>().chains()[1].steps == 2);
  CHECK(ages(space, 6, {5, 2}) == std::vector<int>{0, 1, 2, 3, 4, 5});
  CHECK(ages(space, 6, {3, 2}) == std::vector<int>{0, 1, 2, 3});
  CHECK(ages(space, 6, {5, 1}) == std::vector<int>{0, 2, 4});
  CHECK(ages(space, 6, {5, 0}) == std::vector<int>{0, 4});
  CHECK(ages(space, 6, {3, 1}) == std::vector<int>{0, 2});
  CHECK(ages(space, 6, {0, 0}) == std::vector<int>{0});
  const auto left = [&](const std::vector<int>& steps) {
    Selection selection = space.full();
    selection["taps"] = {{steps[0]}, {steps[1]}};
    return layer_of<Conv1d>(discretize(network, space, selection));
  };
  CHECK(left({5, 1}).kernel == 3);
  CHECK(left({5, 1}).dilation == 6);
  CHECK(left({5, 1}).padding == TimePadding(causal));
  CHECK(left({4, 0}).dilation == 12);
  CHECK(left({3, 0}).kernel == 1);
  CHECK(left({3, 0}).dilation == 1);
}

TEST_CASE("taps: kernels with the same padding on both sides shrink around their middle") {
  Network network = one_layer({9, 9, 2}, Conv2d{.out = 2, .kernel = 5}, ReceptiveField{});
  const SearchSpace space = SearchSpace::install(network);
  REQUIRE(space.axis<TapMasks>().chains().size() == 2);
  CHECK(space.axis<TapMasks>().chains()[0].vertical);
  const auto left = [&](int rows, int columns) {
    Selection selection = space.full();
    selection["taps"] = {{rows}, {columns}};
    return layer_of<Conv2d>(discretize(network, space, selection));
  };
  CHECK(left(1, 1).kernel == Size2(3));
  CHECK(left(2, 1).kernel == Size2(5, 3));
  CHECK(left(2, 0).kernel == Size2(5, 1));
  CHECK(left(0, 0).kernel == Size2(1));
  for (const auto& conv : {left(1, 1), left(2, 1), left(0, 0)}) CHECK(conv.padding.is_same);

  Network wide = one_layer({9, 9, 2}, Conv2d{.out = 2, .kernel = {1, 5}}, Dilation{});
  const SearchSpace grid = SearchSpace::install(wide);
  REQUIRE(grid.axis<TapMasks>().chains().size() == 1);
  const auto spread = layer_of<Conv2d>(discretize(wide, grid, grid.smallest()));
  CHECK(spread.kernel == Size2(1, 3));
  CHECK(spread.dilation == Size2(1, 2));
  // At a stride of 2 an even image has its padding behind: the tap at the output's own place is not the middle one.
  Network strided = one_layer({8, 2}, Conv1d{.out = 2, .kernel = 3, .stride = 2}, ReceptiveField{});
  const SearchSpace behind = SearchSpace::install(strided);
  CHECK(behind.axis<TapMasks>().cut(1, {{1}})->columns == std::vector<int>{0, 1});
  CHECK(behind.axis<TapMasks>().cut(1, {{0}})->columns == std::vector<int>{0});
}

TEST_CASE("taps: a parameter a chain, one gate, and nothing where nothing may vary") {
  Network network(Shape{12, 12, 2}, [](const Flow& x) {
    const Flow a = (x | Searchable{Conv2d{.out = 4, .kernel = {5, 3}}, Channels{}, ReceptiveField{}, Dilation{}}).named("a");
    const Flow b = (a | Searchable{Conv2d{.out = 4}, ReceptiveField{}}).named("b");
    return (b | Searchable{Conv2d{.out = 3, .kernel = 3}, ReceptiveField{.minimum = 3}, Dilation{}}).named("c");
  });
  const int before = network.parameter_count();
  const SearchSpace space = SearchSpace::install(network);
  std::vector<std::string> names;
  for (int p = before; p < network.parameter_count(); ++p) names.push_back(network.parameter(p).name);
  CHECK(names == std::vector<std::string>{"mask.a.alpha", "mask.a.receptive_field_rows.alpha", "mask.a.dilation_rows.alpha",
                                          "mask.a.receptive_field_columns.alpha"});
  CHECK(network.parameter(before + 1).value.shape() == Shape{2});
  CHECK(network.parameter(before + 1).role == Role::architecture);
  CHECK(network.nodes()[1].gates.size() == 1);
  CHECK(network.nodes()[2].gates.size() == 1);  // reads the channels of `a`
  CHECK(network.nodes()[3].gates.empty());
  CHECK(space.full()["taps"] == AxisState{{2}, {1}, {1}});
  CHECK(space.selection(network) == space.full());
  CHECK(space.smallest()["taps"] == AxisState{{0}, {0}, {0}});
  CHECK_THROWS_WITH(SearchSpace::install(network), ContainsSubstring("expected a network without masks"));
}

TEST_CASE("taps: what is refused") {
  const auto space = [](auto conv, auto... axes) {
    Network network = one_layer({12, 2}, conv, axes...);
    return SearchSpace::install(network).full();
  };
  const Conv1d valid{.out = 2, .kernel = 3, .padding = 0};
  CHECK_THROWS_AS(space(valid, ReceptiveField{}), ArgumentError);
  CHECK_THROWS_WITH(
      space(valid, ReceptiveField{}),
      "conv1d_1: expected padding with which a smaller kernel has the same outputs, got 0 and 0 for 3 taps of dilation "
      "1; hint: `causal`, or `same` at dilation 1");
  CHECK(space(valid, Dilation{})["taps"] == AxisState{{1}});  // the taps at both ends stay
  CHECK_THROWS_AS(space(Conv1d{.out = 2, .kernel = 4, .padding = 0}, Dilation{}), ArgumentError);
  CHECK_THROWS_WITH(space(Conv1d{.out = 2, .kernel = 3}, ReceptiveField{.minimum = 0}),
                    "conv1d_1: expected ReceptiveField with a minimum of at least 1, got 0");
  CHECK(space(Conv1d{.out = 2, .kernel = 3}, ReceptiveField{.minimum = 7})["taps"].empty());
}

TEST_CASE("taps: steps are on up to the first that is off, and project makes alphas fall") {
  Network network = one_layer({12, 2}, Conv1d{.out = 2, .kernel = 6, .padding = causal}, ReceptiveField{});
  const SearchSpace space = SearchSpace::install(network);
  Parameter& alpha = network.parameter(space.axis<TapMasks>().parameter(0));
  const auto set = [&](const std::vector<float>& values) { alpha.value.assign(values); };
  const auto get = [&] {
    std::vector<float> values;
    alpha.value.copy_to(values);
    return values;
  };
  set({1, 0.6f, 0.5f, 1, 1});
  CHECK(space.selection(network)["taps"] == AxisState{{2}});
  const auto projected = [&](const std::vector<float>& values) {
    set(values);
    space.project(network);
    return get();
  };
  CHECK(projected({1, 0.75f, 0.5f, 0.5f, 0.25f}) == std::vector<float>{1, 0.75f, 0.5f, 0.5f, 0.25f});
  CHECK(projected({1.5f, 0.75f, 0.5f, 0, -2}) == std::vector<float>{1, 0.75f, 0.5f, 0, 0});
  CHECK(projected({0.5f, 1, 0.25f, 0.5f, 0.75f}) == std::vector<float>{0.75f, 0.75f, 0.5f, 0.5f, 0.5f});
  CHECK(projected({0, 0, 0, 0, 1}) == std::vector<float>(5, 0.2f));
  CHECK(projected({2, 0, 1, 1, 1}) == std::vector<float>{1, 0.75f, 0.75f, 0.75f, 0.75f});
}

TEST_CASE("taps: without the secant, the gradient is that of a continuous scale of the taps") {
  for (const bool image : {false, true}) {
    Network network = image
                          ? one_layer({6, 7, 2}, Conv2d{.out = 3, .kernel = 5}, ReceptiveField{}, Dilation{})
                          : one_layer({14, 2}, Conv1d{.out = 3, .kernel = 7, .padding = causal}, ReceptiveField{}, Dilation{});
    const Tensor batch = random_tensor<float>(network.input_shape().batch(3), 1);
    const Network plain = network;
    const SearchSpace space = SearchSpace::install(network, {.masks = {.secant = false}});
    Selection some = space.full();
    if (!image) some["taps"] = {{5}, {1}};
    space.select(network, some);
    const Shape out = network.output_shape().batch(3);
    const auto loss = [&](Network& net, bool gradient) {
      Tape tape;
      const Var y = net.forward(tape.reference(batch), Mode::training);
      const Tensor target = random_tensor<float>(out, 4);
      const Var l = ops::mean_squared_error(y, tape.reference(target));
      const float value = *l.value().data();
      if (gradient) tape.backward(l);
      return value;
    };
    network.zero_grad();
    (void)loss(network, true);
    const int columns = image ? 5 : 7;
    for (int c = 0; c < static_cast<int>(space.axis<TapMasks>().chains().size()); ++c) {
      for (int step = 0; step < space.axis<TapMasks>().chains()[c].steps; ++step) {
        // The loss when the taps of a step are scaled by hand, those that are off being 0 but for this step's.
        const auto scaled = [&](float by) {
          Network copy = plain;
          Tensor& w = copy.parameter(0).value;
          for (std::int64_t r = 0; r < w.rows(); ++r) {
            float scale = 1;
            for (int k = 0; k < static_cast<int>(space.axis<TapMasks>().chains().size()); ++k) {
              const int at = space.axis<TapMasks>().step_of(k, r / 2);
              if (k == c && at == step) {
                scale *= by;
              } else if (at >= some["taps"][static_cast<std::size_t>(k)][0]) {
                scale = 0;
              }
            }
            for (float& x : w.row(r)) x *= scale;
          }
          return loss(copy, false);
        };
        const float at = step < some["taps"][static_cast<std::size_t>(c)][0] ? 1 : 0, h = 0.05f;
        INFO("chain " << c << " of " << columns << " columns, step " << step);
        CHECK(network.parameter(space.axis<TapMasks>().parameter(c)).grad.data()[step] ==
              Approx((scaled(at + h) - scaled(at - h)) / (2 * h)).epsilon(2e-3).margin(1e-4));
      }
    }
  }
}

TEST_CASE("taps: importance is what the taps of a step are worth") {
  Network network = one_layer({14, 2}, Conv1d{.out = 3, .kernel = 4, .padding = causal}, ReceptiveField{});
  for (std::int64_t r = 0; r < 2; ++r) {  // the oldest tap matters little
    for (float& w : network.parameter(0).value.row(r)) w *= 0.01f;
  }
  const SearchSpace space = SearchSpace::install(network);
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Tape tape;
    const Tensor batch = random_tensor<float>({8, 14, 2}, seed), target = random_tensor<float>({8, 14, 3}, seed + 9);
    tape.backward(ops::mean_squared_error(network.forward(tape.reference(batch), Mode::training), tape.reference(target)));
  }
  for (int step = 0; step < 3; ++step) CHECK(space.axis<TapMasks>().importance(network, 0, step) > 0);
  CHECK(space.axis<TapMasks>().importance(network, 0, 2) < 1e-2 * space.axis<TapMasks>().importance(network, 0, 1));
}

TEST_CASE("taps: slopes of a cost are what the next step away or back really changes") {
  for (const bool image : {false, true}) {
    Network network = image ? one_layer({6, 7, 2}, Conv2d{.out = 3, .kernel = {5, 9}}, ReceptiveField{}, Dilation{})
                            : one_layer({14, 2}, Conv1d{.out = 3, .kernel = 11, .stride = 2, .padding = causal},
                                        ReceptiveField{}, Dilation{});
    const SearchSpace space = SearchSpace::install(network);
    Selection selection = space.smallest();
    int checked = 0;
    do {
      space.select(network, selection);
      network.zero_grad();
      Tape tape;
      tape.backward({}, total(Macs{}, describe(tape, network, space)));
      const double now = total(Macs{}, describe(network, space, selection));
      for (std::size_t c = 0; c < selection["taps"].size(); ++c) {
        const auto slope = network.parameter(space.axis<TapMasks>().parameter(static_cast<int>(c))).grad.row(0);
        const auto change = [&](int by) {
          Selection next = selection;
          next["taps"][c][0] += by;
          return total(Macs{}, describe(network, space, next)) - now;
        };
        const auto at = static_cast<std::size_t>(selection["taps"][c][0]);
        if (at > 0) CHECK(slope[at - 1] == Approx(-change(-1)));
        if (at < slope.size()) CHECK(slope[at] == Approx(change(1)));
        ++checked;
      }
    } while (advance_steps(selection["taps"], space.axis<TapMasks>().chains()));
    CHECK(checked > 40);
  }
}
