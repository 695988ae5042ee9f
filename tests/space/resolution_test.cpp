// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/space/resolution.hpp"

#include <utility>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
#include "siena/space/choice.hpp"
#include "siena/space/discretize.hpp"
#include "siena/space/freedom.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"
#include "support/searchable.hpp"

using namespace siena;

namespace {

/// With a resolution in front, and one after the first layer, in each of which means are taken, or not.
Network varying(const Shape& input, int first = 0, int second = 0) {
  const auto halve = [](const Flow& x, int how) {
    return how == 0 ? x | Resolution{} : how == 2 ? x | AvgPool{.kernel = 2} : x;
  };
  return Network(
      input,
      [&](const Flow& x) {
        Flow y = (halve(x, first) | conv(6)).named("a") | BatchNorm{} | Relu{};
        y = (halve(y, second) | conv(4)).named("b") | BatchNorm{} | Relu{};
        y = y | Choice{Identity{}, Conv2d{.out = 4, .kernel = 3}};
        return (y | GlobalAvgPool{} | Linear{.out = 3}).named("out");
      },
      7);
}

}  // namespace

TEST_CASE("resolution: what is left is the network that halves there, and costs what was said") {
  for (const Shape& input : {Shape{12, 8, 3}, Shape{9, 7, 2}}) {
    Network network = varying(input);
    const SearchSpace space = SearchSpace::install(network);
    CHECK(space.full()["resolution"] == AxisState{{0}, {0}});
    CHECK(space.smallest()["resolution"] == AxisState{{1}, {1}});
    for (const int first : {0, 1}) {
      for (const int second : {0, 1}) {
        INFO(first << second);
        Selection selection = space.full();
        selection["resolution"] = {{first}, {second}};
        selection["channels"][1] = {1, 0, 1, 1, 0, 1};  // of "a"
        space.select(network, selection);
        CHECK(space.selection(network) == selection);
        Network plain = discretize(network, space);
        const auto said = describe(network, space), found = describe(plain);
        REQUIRE(said.layers.size() == found.layers.size());
        for (std::size_t i = 0; i < said.layers.size(); ++i) {
          INFO(said.layers[i].name);
          CHECK(said.layers[i].in_height == found.layers[i].in_height);
          CHECK(said.layers[i].out_width == found.layers[i].out_width);
          CHECK(said.layers[i].macs() == found.layers[i].macs());
        }
        CHECK(total(PeakMemory{}, said) == total(PeakMemory{}, found));

        Network by_hand = varying(input, 1 + first, 1 + second);
        const SearchSpace its = SearchSpace::install(by_hand);
        Selection same_channels = its.full();
        same_channels["channels"][1] = {1, 0, 1, 1, 0, 1};
        Network expected = discretize(by_hand, its, same_channels);
        State values;
        plain.save(values);
        expected.load(values);
        const Tensor batch = random_tensor<float>(input.batch(3), 5);
        CHECK(test::difference(plain.predict(batch), expected.predict(batch)) == 0);
      }
    }
  }
}

TEST_CASE("resolution: the search is charged what the likelier one costs, with a slope towards the other") {
  Network network({8, 8, 2}, [](const Flow& x) {
    const Flow y = x | Resolution{} | Conv2d{.out = 8, .kernel = 3} | Relu{} | GroupNorm{.groups = 2};
    return y | Conv2d{.out = 4, .kernel = 3, .stride = 2} | GlobalAvgPool{} | Linear{.out = 3};
  });
  const SearchSpace space = SearchSpace::install(network);
  Parameter& alpha = *network.parameters(Role::architecture)[0];
  REQUIRE(alpha.name == "resolution.avg_pool_1.alpha");
  for (const bool halved : {false, true}) {
    for (const bool decided : {false, true}) {
      INFO(halved << decided);
      Selection selection = space.full();
      selection["resolution"] = {{halved ? 1 : 0}};
      if (decided) {
        space.select(network, selection);
      } else {
        alpha.value.assign(std::vector<float>{halved ? -1.0f : 0.0f, 0});
      }
      const auto exact = describe(network, space, selection);
      const auto check = [&](const auto& model) {
        INFO(model.name());
        network.zero_grad();
        Tape tape;
        const Scalar charged = total(model, describe(tape, network, space));
        CHECK(charged.value() == Approx(total(model, exact)));
        tape.backward({}, charged);
        if (!decided) CHECK(alpha.grad.data()[1] < 0);  // likelier to be halved is cheaper
      };
      check(Macs{});
      check(PeakMemory{});
      check(Gap8{});
    }
  }
  // p (1 - p) of how likely it is, times the multiply-adds of what is halved, which fall by both sides.
  alpha.value.assign(std::vector<float>{0, 0});
  network.zero_grad();
  Tape tape;
  tape.backward({}, total(Macs{}, describe(tape, network, space)));
  const double linear = 4 * 3;
  CHECK(alpha.grad.data()[1] == Approx(-0.25 * (total(Macs{}, describe(network, space)) - linear)));
}

TEST_CASE("resolution: a search halves where a bound asks for it, and the same way each time") {
  const data::Splits images = data::synthetic_images(
      {.classes = 3, .height = 12, .width = 12, .channels = 2, .train = 96, .validation = 48, .test = 0, .noise = 0.1});
  const auto network = [] {
    return Network({12, 12, 2}, [](const Flow& x) {
      return x | Resolution{} | Conv2d{.out = 8, .kernel = 3} | BatchNorm{} | Relu{} | GlobalAvgPool{} | Linear{.out = 3};
    });
  };
  const double whole = total(Macs{}, describe(network()));
  const SearchOptions options{.warmup = 1, .epochs = 2, .batch = 16, .optimizer = Adam{.lr = 1e-2}, .seed = 3};
  const auto found = [&](double part) {
    return search(network(), images, subject_to(AtMost{Macs{}, part * whole}), Duccio{}, options).network;
  };
  Network half = found(0.5);  // no channel may go
  CHECK(half.nodes()[2].shape == Shape{6, 6, 8});
  const Network again = found(0.5);
  for (int p = 0; p < half.parameter_count(); ++p)
    CHECK(test::difference(half.parameter(p).value, again.parameter(p).value) == 0);
  // And from there on.
  const auto reached = reach(half, subject_to(AtMost{Macs{}, whole}));
  CHECK(reached[0].smallest < 0.1 * whole);
  Network quarter = search(half, images, subject_to(AtMost{Macs{}, 0.1 * whole}), Duccio{}, options).network;
  CHECK(quarter.nodes()[2].shape == Shape{3, 3, 8});
  CHECK_THROWS_AS(found(0.2), ConstraintError);
}

TEST_CASE("resolution: what is refused, and what is said of it") {
  const auto built = [](auto write) {
    Network network({8, 8, 2}, write);
    return freedom(std::move(network)).to_string();
  };
  CHECK_THAT(built([](const Flow& x) { return x | Resolution{} | Conv2d{.out = 3} | GlobalAvgPool{}; }),
             ContainsSubstring("avg_pool_1  8x8 or 4x4"));
  CHECK_THROWS_WITH(built([](const Flow& x) { return x | Resolution{} | Flatten{} | Linear{.out = 3}; }),
                    ContainsSubstring("linear_1: expected weights that know nothing of height and width") &&
                        ContainsSubstring("end the network in a global pool"));
  CHECK_THROWS_WITH(built([](const Flow& x) { return x | GlobalAvgPool{} | Resolution{}; }),
                    ContainsSubstring("Resolution: expected images of at least 2 x 2"));
  CHECK_THROWS_WITH(built([](const Flow& x) {
                      return x | Searchable{Relu{}, Resolution{}} | GlobalAvgPool{};
                    }),
                    ContainsSubstring("expected Resolution of an AvgPool"));
  CHECK_THROWS_WITH(built([](const Flow& x) { return x | Resolution{} | Conv2d{.out = 2, .kernel = 3}; }),
                    ContainsSubstring("whose output knows nothing of height and width"));
  const auto with_taps = [&](int side) {
    Network network({side, side, 2}, [](const Flow& x) {
      const Conv2d conv{.out = 2, .kernel = 5, .stride = 2};
      return x | Resolution{} | Searchable{conv, ReceptiveField{}} | GlobalAvgPool{};
    });
    return freedom(std::move(network)).to_string();
  };
  CHECK_THROWS_WITH(with_taps(10), ContainsSubstring("to have the same padding at every height and width"));  // 10 and 5
  CHECK_NOTHROW(with_taps(16));
  Network twice({8, 8, 2}, [](const Flow& x) { return x | Resolution{} | Conv2d{.out = 3} | GlobalAvgPool{}; });
  (void)SearchSpace::install(twice);
  CHECK_THROWS_WITH(SearchSpace::install(twice), ContainsSubstring("Resolution: expected a network without a search space"));
}
