// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/fold_batch_norm.hpp"

#include <any>
#include <cstdint>
#include <string>

#include "siena/cost/model_size.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "support/catch.hpp"
#include "support/deployed_networks.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"

using namespace siena;

namespace {
int batch_norms(const Network& network) {
  int count = 0;
  for (const auto& node : network.nodes()) count += node.layer.is<BatchNorm>() ? 1 : 0;
  return count;
}
/// Folds, and returns the largest difference of the outputs, in multiples of the largest one.
double folding_error(Network network, std::uint64_t seed, std::int64_t batch = 3) {
  const Tensor x = test::RandomNetwork(seed).batch(network, batch);
  return test::difference(network.predict(x), deploy::fold_batch_norm(network).predict(x));
}
template <class Build>
Network randomised(const Shape& input, Build&& build) {
  Network network(input, build);
  test::RandomNetwork(3).randomise(network);
  return network;
}
}  // namespace

TEST_CASE("fold_batch_norm: the networks of the benchmarks, whole and found") {
  for (const auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    CHECK(batch_norms(network) > 0);
    const Network folded = deploy::fold_batch_norm(network);
    CHECK(batch_norms(folded) == 0);
    CHECK(total(ModelSize{}, describe(folded)) == total(ModelSize{}, describe(network)));  // as was charged
    CHECK(folding_error(network, 1) < 1e-4);
  }
}

TEST_CASE("fold_batch_norm: networks of any make") {
  int folded = 0, left = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    test::RandomNetwork random(seed);
    const Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    CHECK(folding_error(network, seed) < 1e-4);
    const Network plain = deploy::fold_batch_norm(network);
    int charged = 0;  // batch norms that do not fold, in the eyes of cost models
    for (const auto& layer : describe(network).layers) {
      charged += layer.kind == LayerKind::batch_norm && !layer.batch_norm_folded ? 1 : 0;
    }
    CHECK(batch_norms(plain) == charged);
    CHECK(total(ModelSize{}, describe(plain)) == total(ModelSize{}, describe(network)));
    CHECK(deploy::fold_batch_norm(plain).nodes().size() == plain.nodes().size());  // there is nothing left to fold
    folded += batch_norms(network) - charged, left += charged;
  }
  CHECK(folded > 60);
  CHECK(left > 4);
}

TEST_CASE("fold_batch_norm: values, names and biases") {
  Network network(Shape{1, 2, 1}, [](Flow x) {
    x = (x | Conv2d{.out = 2, .bias = false}).named("stem");
    return (x | BatchNorm{.epsilon = 1}).named("norm") | Flatten{};
  });
  network.parameter(0).value = Tensor(Shape{1, 1, 1, 2}, {2, -4});
  network.parameter(1).value = Tensor(Shape{2}, {3, 5});    // gamma
  network.parameter(2).value = Tensor(Shape{2}, {0.5, 1});  // beta
  network.buffer(0) = Tensor(Shape{2}, {1, -2});            // mean
  network.buffer(1) = Tensor(Shape{2}, {3, 0});             // variance
  const Network folded = deploy::fold_batch_norm(network);
  REQUIRE(folded.nodes().size() == 3);
  CHECK(folded.nodes()[1].name == "stem");
  CHECK(folded.nodes()[2].name == "flatten_1");
  REQUIRE(folded.parameter_count() == 2);
  CHECK(folded.parameter(0).name == "stem.weight");
  CHECK(folded.parameter(0).value(0, 0) == 3);  // 2 * 3 / sqrt(3 + 1)
  CHECK(folded.parameter(0).value(0, 1) == -20);
  CHECK(folded.parameter(1).name == "stem.bias");
  CHECK(folded.parameter(1).value(0) == -1);  // (0 - 1) * 3 / 2 + 0.5
  CHECK(folded.parameter(1).value(1) == 11);
  CHECK(folded.nodes()[1].layer.get<Conv2d>().bias);
}

TEST_CASE("fold_batch_norm: one after the other, and what may vary stays") {
  const Network network = randomised({4, 4, 3}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 4, .kernel = 3}, Channels{.minimum = 2}} | BatchNorm{} | BatchNorm{};
    return x | GlobalAvgPool{} | Linear{.out = 2} | BatchNorm{} | BatchNorm{} | BatchNorm{};
  });
  CHECK(folding_error(network, 5) < 1e-4);
  const Network folded = deploy::fold_batch_norm(network);
  CHECK(folded.nodes().size() == 4);
  CHECK(total(ModelSize{}, describe(network)) == 27 * 4 + 4 * 4 + 4 * 2 + 2 * 4);
  CHECK(total(ModelSize{}, describe(folded)) == total(ModelSize{}, describe(network)));
  CHECK(spec_of<Channels>(folded.nodes()[1].decoration)->minimum == 2);
}

TEST_CASE("fold_batch_norm: a batch norm stays where folding would be wrong") {
  const auto left = [](const Network& network) {
    CHECK(folding_error(network, 5) < 1e-4);
    return batch_norms(deploy::fold_batch_norm(network));
  };
  CHECK(left(randomised({4, 4, 3}, [](Flow x) {  // the convolution has another reader
          const Flow y = x | Conv2d{.out = 4, .kernel = 3};
          return add(y, y | BatchNorm{}) | Relu{};
        })) == 1);
  CHECK(left(randomised({4, 4, 3}, [](Flow x) {  // and a second batch norm
          const Flow y = x | Conv2d{.out = 4, .kernel = 3};
          const Flow a = y | BatchNorm{};
          return concat({a, y | BatchNorm{}});
        })) == 2);
  CHECK(left(randomised({4, 4, 3}, [](Flow x) {  // read twice by one layer
          const Flow y = x | Conv2d{.out = 4, .kernel = 3};
          return concat({y, y}) | BatchNorm{};
        })) == 1);
  CHECK(left(randomised({4, 4, 3}, [](Flow x) {  // no weights before it
          x = x | BatchNorm{} | Conv2d{.out = 4} | Relu{} | BatchNorm{};
          return add(x, x) | BatchNorm{} | MaxPool{} | BatchNorm{};
        })) == 4);
  CHECK(left(randomised({6}, [](Flow x) { return x | Linear{.out = 5, .bias = false} | BatchNorm{} | Linear{.out = 4}; })) ==
        0);
  CHECK(left(randomised({9, 4}, [](Flow x) {  // grouped, depthwise, of signals; as the output
          x = x | Conv1d{.out = 6, .kernel = 3, .stride = 2, .groups = 2} | BatchNorm{};
          return x | Conv1d{.out = 12, .kernel = 2, .padding = causal, .groups = Conv1d::depthwise} | BatchNorm{};
        })) == 0);
}

TEST_CASE("fold_batch_norm: a layer of a user keeps its values") {
  CHECK(folding_error(
            randomised({4, 4, 3}, [](Flow x) { return x | Conv2d{.out = 4} | BatchNorm{} | test::Scaled{} | PRelu{}; }), 2) <
        1e-5);
}

TEST_CASE("fold_batch_norm: networks that are still open are refused") {
  Network masked = resnet8({.width = 0.25});
  const SearchSpace space = SearchSpace::install(masked);
  CHECK_THROWS_WITH(deploy::fold_batch_norm(masked),
                    "fold_batch_norm: expected a plain network, got 'convblock1', which masks still gate; discretize it first");
  CHECK_THROWS_WITH(deploy::fold_batch_norm(ds_cnn_supernet()),
                    ContainsSubstring("'depthpoint1', which is open between alternatives; discretize it first"));
  CHECK_THROWS_WITH(deploy::fold_batch_norm(Network()), "fold_batch_norm: expected a network with layers, got an empty one");
}
