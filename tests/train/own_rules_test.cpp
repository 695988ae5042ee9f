// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "siena/data/synthetic.hpp"
#include "siena/train/loop.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

// The samples of docs/guides/training.md.

/// Lion (Chen et al. 2023): every weight moves by the rate, one way or the other.
struct Lion {
  double lr = 1e-4;
  double beta1 = 0.9, beta2 = 0.99;
  double weight_decay = 0;

  std::string to_string() const {
    return format("Lion, lr {}, beta {} and {}, weight decay {}", lr, beta1, beta2, weight_decay);
  }
  int moments() const { return 1; }
  void update(const OptimizerStep& step) const {
    const double decay = step.decay ? weight_decay : 0;
    for (std::size_t i = 0; i < step.value.size(); ++i) {
      const double w = step.value[i], g = step.grad[i], m = step.moments[0][i];
      const double turned = beta1 * m + (1 - beta1) * g;
      const double way = turned > 0 ? 1 : turned < 0 ? -1 : 0;
      step.value[i] = static_cast<float>(w - step.lr * (way + decay * w));
      step.moments[0][i] = static_cast<float>(beta2 * m + (1 - beta2) * g);
    }
  }
};
static_assert(OptimizerRule<Lion>);

/// Half a cosine after the other (Loshchilov and Hutter 2017), the first of them so many epochs long, each twice the one
/// before.
struct WarmRestarts {
  double first = 10;

  double factor(const TrainingProgress& progress) const {
    double begin = 0, length = first;
    for (; begin + length <= progress.epoch; length *= 2) begin += length;
    return 0.5 * (1 + std::cos(std::numbers::pi * (progress.epoch - begin) / length));
  }
  std::string to_string() const { return format("warm restarts, the first after {} epochs", first); }
};
static_assert(Schedule<WarmRestarts>);

data::Splits own_images() {
  return data::synthetic_images(
      {.classes = 3, .height = 8, .width = 8, .channels = 1, .train = 96, .validation = 32, .test = 8, .noise = 0.02});
}
Network own_net() {
  return Network(Shape{8, 8, 1}, [](Flow x) { return x | Conv2d{.out = 5} | Relu{} | GlobalAvgPool{} | Linear{.out = 3}; });
}
std::string own_weights(const Network& network) {
  State state;
  network.save(state);
  return detail::state_bytes(state);
}

}  // namespace

TEST_CASE("an optimizer of one's own moves weights by its formula") {
  Parameter decays("w", Tensor({3}, {1.0f, 1.0f, 0.0f})), stays("b", Tensor({1}, {1.0f}), Role::weight, false);
  decays.grad = Tensor({3}, {0.5f, -2.0f, 0.0f});
  stays.grad = Tensor({1}, {3.0f});
  Optimizer optimizer(Lion{.lr = 0.25, .weight_decay = 0.5}, {&decays, &stays});
  CHECK(optimizer.rule().to_string() == "Lion, lr 0.25, beta 0.9 and 0.99, weight decay 0.5");
  optimizer.step(0.5);
  CHECK(decays.value(0) == 1 - 0.125f * 1.5f);
  CHECK(decays.value(1) == 1 + 0.125f * 0.5f);
  CHECK(decays.value(2) == 0);
  CHECK(stays.value(0) == 1 - 0.125f);
  CHECK(AnyOptimizer(Lion{.lr = 0.5}).scaled(0.5).lr() == 0.25);
}

TEST_CASE("moments are those of the elements, and as many as the rule asks for") {
  struct Counting {
    double lr = 1;
    int count = 3;
    std::string to_string() const { return "counting"; }
    int moments() const { return count; }
    void update(const OptimizerStep& step) const {
      for (std::size_t m = 0; m < 3; ++m) {
        REQUIRE(step.moments[m].size() == step.value.size());
        for (std::size_t i = 0; i < step.value.size(); ++i) step.moments[m][i] += static_cast<float>(m + 1);
      }
      CHECK(step.moments[3].empty());
      for (std::size_t i = 0; i < step.value.size(); ++i) step.value[i] = step.moments[2][i] - step.moments[0][i];
    }
  };
  Parameter parameter("w", Tensor({2, 3}));
  Optimizer optimizer(Counting{}, {&parameter});
  optimizer.step();
  optimizer.step();
  CHECK(parameter.value(1, 2) == 4);
  State state;
  optimizer.save(state);
  CHECK(state.get<Tensor>("w.third_moment")(0, 0) == 6);
  REQUIRE_THROWS_WITH(Optimizer(Counting{.count = 5}, {}),
                      Catch::Equals("'counting': expected an optimizer with 0 to 4 moments, got 5"));
}

TEST_CASE("rules of one's own train, and go on from a checkpoint to the same bits") {
  const data::Splits data = own_images();
  FitOptions options{.epochs = 3, .batch = 32, .optimizer = Lion{.lr = 0.01}, .schedule = WarmRestarts{.first = 1}, .seed = 3};
  Network straight = own_net();
  const double before = evaluate(straight, data.train).loss;
  fit(straight, data, options);
  CHECK(evaluate(straight, data.train).loss < before);

  const test::TemporaryFolder folder("siena_own_rules");
  options.checkpoint.folder = folder.path;
  int asked = 0;
  options.checkpoint.stop = [&] { return ++asked == 2; };
  Network resumed = own_net();
  REQUIRE_THROWS_AS(fit(resumed, data, options), Interrupted);
  options.checkpoint.stop = {};
  options.checkpoint.resume = true;
  Network other = own_net();
  FitOptions changed = options;
  changed.optimizer = Lion{.lr = 0.01, .weight_decay = 0.1};
  REQUIRE_THROWS_WITH(fit(other, data, changed),
                      ContainsSubstring("optimizer 'Lion, lr 0.01, beta 0.9 and 0.99, weight decay 0.1', got one with 'Lion, "
                                        "lr 0.01, beta 0.9 and 0.99, weight decay 0'"));
  changed = options;
  changed.schedule = WarmRestarts{.first = 2};
  REQUIRE_THROWS_WITH(fit(other, data, changed), ContainsSubstring("schedule 'warm restarts, the first after 2 epochs', got"));
  resumed = own_net();
  fit(resumed, data, options);
  CHECK(own_weights(resumed) == own_weights(straight));
}
