// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// The samples of docs/guides/extending.md, each at work.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/autograd/ops/activation.hpp"
#include "siena/autograd/ops/conv2d.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/params.hpp"
#include "siena/cost/validate.hpp"
#include "siena/deploy/lower.hpp"
#include "siena/search/search.hpp"
#include "support/catch.hpp"
#include "support/gradients.hpp"

using namespace siena;

namespace {

/// Features that are mixed and squashed: a layer with channels of its own, which may vary.
struct TanhUnits {
  int out = 1;

  std::string_view kind() const { return "tanh_units"; }
  static void attributes(auto& self, auto&& visit) { visit("out", self.out); }

  Shape setup(LayerSetup& setup) const {
    const std::int64_t in = setup.input()[0];
    setup.parameter("weight", {in, out}, Init::uniform(in), true);
    setup.parameter("bias", {out}, Init::constant(0), false);
    return {out};
  }
  Var forward(Forward& f) const { return ops::tanh(ops::linear(f.input(), f.parameter(0), f.parameter(1))); }

  // What becomes of it where channels go.
  static constexpr bool makes_channels = true;
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::makes(); }
  static TensorAxes tensor_axes(const LayerSite&, int tensor) { return {.reads = tensor == 0, .makes = true}; }
  TanhUnits narrowed(const KeptChannels& kept) const { return {.out = static_cast<int>(kept.out.size())}; }

  // What others run in its place.
  void lower(Lowering& to) const {
    const int sum =
        to.part({.name = "sum", .what = primitive::Linear{}, .inputs = {0}, .shape = to.output(), .constants = to.constants()});
    to.part({.what = primitive::Curve{primitive::Curve::Kind::tanh}, .inputs = {sum}, .shape = to.output()});
  }
};
static_assert(LayerType<TanhUnits>);

/// Cycles on a square of multipliers that hold weights: `side` inputs times `side` outputs at a time, a position a cycle.
struct WeightSquare {
  double side = 16;
  Hertz clock = {};

  std::string_view name() const { return "weight_square"; }
  std::string_view unit() const { return "cycles"; }
  std::string to_string() const { return format("weight square of {}, {} Hz", side, clock.value); }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    if (!layer.has_weights()) return 0;  // adds and activations cost nothing here
    const N positions = layer.out_height * layer.out_width;
    if (layer.kind == LayerKind::depthwise_conv2d) return ceil_div(layer.filters(), side) * layer.taps() * positions;
    const N inputs = layer.taps() * layer.in_channels / layer.groups;
    const N outputs = layer.filters() / layer.groups;
    return ceil_div(inputs, side) * ceil_div(outputs, side) * layer.groups * positions;
  }
};
static_assert(CostModel<WeightSquare>);

/// At least so many multiply-accumulates for every byte of parameters that has to be fetched.
struct Intensity {
  double least;

  std::string_view name() const { return "intensity"; }

  template <class N>
  N violation(const Architecture<N>& network) const {
    return N(1.0) - total(Macs{}, network) / (total(ModelSize{}, network) * least);
  }
};
static_assert(Constraint<Intensity>);

/// A hinge that presses harder the longer its constraint stays broken, and lets go while it holds.
struct Insistence {
  double growth = 1.02;
  double most = 100;  // times the loss after warm-up

  struct Memory {
    double strength = 0, loss = 1;
    static void attributes(auto& self, auto&& visit) {
      visit("strength", self.strength);
      visit("loss", self.loss);
    }
  };

  std::string_view name() const { return "insistence"; }
  std::string to_string() const { return format("insistence, growth {}, most {}", growth, most); }

  Memory start(double /*violation*/, double task_loss) const { return {.strength = 0.01 * task_loss, .loss = task_loss}; }
  void update(Memory& memory, double violation) const {
    memory.strength = std::min(memory.strength * (holds(violation) ? 1 / growth : growth), most * memory.loss);
  }
  double strength(const Memory& memory, double /*progress*/) const { return memory.strength; }
  template <class N>
  N term(const N& violation, const Memory& memory, double /*progress*/) const {
    return positive_part(violation) * memory.strength;
  }
};
static_assert(Formulation<Insistence> && UpdatesMemory<Insistence>);

/// RMSprop: every weight has a rate of its own, by how large its gradients have been.
struct RmsProp {
  double lr = 1e-3;
  double memory = 0.9;

  std::string to_string() const { return format("RMSprop, lr {}, memory {}", lr, memory); }
  void check() const {
    require<ArgumentError>(memory >= 0 && memory < 1, "RmsProp: expected a memory in [0, 1), got {}", memory);
  }
  int moments() const { return 1; }  // of each weight: the mean square of its gradients
  void update(const OptimizerStep& step) const {
    for (std::size_t i = 0; i < step.value.size(); ++i) {
      const double g = step.grad[i];
      const double square = memory * step.moments[0][i] + (1 - memory) * g * g;
      step.moments[0][i] = static_cast<float>(square);
      step.value[i] -= static_cast<float>(step.lr * g / (std::sqrt(square) + 1e-8));
    }
  }
};
static_assert(OptimizerRule<RmsProp>);

/// Writes down every bound that an epoch leaves broken, and the epoch after which a phase ends.
struct BrokenBounds {
  std::vector<std::string>& lines;

  void on_epoch(const EpochEvent& event) {
    for (const BoundReading& bound : event.bounds) {
      if (bound.kept()) continue;
      lines.push_back(format("{}, epoch {}: {} is {:.0f} {}, at most {:.0f}", event.phase, event.epoch, bound.name, bound.value,
                             bound.unit, bound.limit));
    }
  }
  void on_phase_end(const PhaseEvent& event) { lines.push_back(format("{} ends", event.phase)); }
};
static_assert(Observer<BrokenBounds>);

/// Mean over all elements of Huber's loss: half the square of a distance up to `delta`, and a straight line behind it.
template <class T>
BasicVar<T> huber(const BasicVar<T>& prediction, const BasicTensor<T>& target, T delta) {
  require<ShapeError>(prediction.shape() == target.shape(), "huber: expected targets of shape {}, got {}", prediction.shape(),
                      target.shape());
  BasicTape<T>& tape = prediction.tape();
  BasicTensor<T> slopes(prediction.shape());
  const T elements = static_cast<T>(tape.samples(target.rows()) * target.columns());  // of the whole batch
  const ops::BatchMean mean = ops::batch_mean(tape, target.rows(), [&](std::int64_t first, std::int64_t count) {
    T sum = 0;
    for (std::int64_t r = first; r < first + count; ++r) {
      for (std::int64_t c = 0; c < target.columns(); ++c) {
        const T distance = prediction.value()(r, c) - target(r, c), near = std::clamp(distance, -delta, delta);
        sum += near * (distance - near / 2);
        slopes(r, c) = near / elements;
      }
    }
    return static_cast<double>(sum) / static_cast<double>(count * target.columns());
  });
  const BasicVar<T> loss = tape.result(BasicTensor<T>(Shape{1}, static_cast<T>(mean.mean)), prediction);
  const BasicVar<T> saved = tape.constant(std::move(slopes));
  tape.record(loss, [=](BasicTape<T>& t) {
    const auto slot = t.accumulating_slot(prediction);
    for (std::size_t i = 0; i < slot.storage().size(); ++i)
      slot.storage()[i] += *t.grad(loss).data() * t.value(saved).storage()[i];
  });
  return loss;
}

/// Regression that far targets pull no harder than near ones.
Objective huber_regression(float delta) {
  return {.loss = [=](StepContext& step) { return Loss{.task = huber(step.forward(), step.batch.targets, delta)}; },
          .settings = format("huber regression, delta {}", delta)};
}

/// Points of the plane, of which 2 x - y and y + 1 are to be learnt.
data::Dataset plane_points(std::int64_t size, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values, targets;
  for (std::int64_t i = 0; i < size; ++i) {
    const auto x = static_cast<float>(random.normal()), y = static_cast<float>(random.normal());
    values.insert(values.end(), {x, y});
    targets.insert(targets.end(), {2 * x - y, y + 1});
  }
  return data::Dataset::from_floats(std::move(values), {.shape = {2}, .targets = std::move(targets)});
}

}  // namespace

TEST_CASE("the cost model of the guide counts whole squares and has a true gradient") {
  LayerDesc<double> conv{.kind = LayerKind::conv2d};
  conv.in_channels = 8, conv.out_channels = 17, conv.kernel_height = conv.kernel_width = 3;
  conv.out_height = 4, conv.out_width = 5;
  CHECK(WeightSquare{}.layer_cost(conv) == 5 * 2 * 20);  // 72 inputs are 5 squares of 16, 17 outputs are 2
  conv.groups = 8, conv.out_channels = 16;
  CHECK(WeightSquare{}.layer_cost(conv) == 8 * 20);
  CHECK(AtMost{WeightSquare{.side = 8}, 100}.to_string() == "at most 100 cycles, by weight square of 8, 0 Hz");
  const Validation validation = validate(WeightSquare{});
  INFO(validation.to_string());
  CHECK(validation.passed());
}

TEST_CASE("the loss of the guide is Huber's, and has its gradient") {
  const DTensor target = random_tensor<double>({3, 5}, 2);
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return huber(in[0], target, 0.5); }, {random_tensor<double>({3, 5}, 1)}));
  Tape tape;
  CHECK(*huber(tape.constant(Tensor({1, 2}, 3.0f)), Tensor({1, 2}), 1.0f).value().data() == 2.5f);  // 3 - 1/2
}

TEST_CASE("the formulation of the guide presses harder until its constraint holds") {
  const Insistence formulation{.growth = 2};
  Insistence::Memory memory = formulation.start(1, 4);
  CHECK(formulation.term(0.5, memory, 0) == Approx(0.02));
  formulation.update(memory, 0.5);
  formulation.update(memory, 0.5);
  CHECK(formulation.strength(memory, 0) == Approx(0.16));
  formulation.update(memory, 0);
  CHECK(formulation.strength(memory, 0) == Approx(0.08));
  CHECK(formulation.term(-0.5, memory, 0) == 0);
}

TEST_CASE("one search holds the guide's constraints by its formulation, with its optimizer, observer and loss") {
  const Network network({2}, [](const Flow& x) {
    return x | Searchable{Linear{.out = 32}, Channels{}} | Relu{} | Linear{.out = 2};
  });
  const data::Splits data{.train = plane_points(128, 1), .validation = plane_points(32, 2), .test = plane_points(32, 3)};
  const Cycles two{2};  // a square for each layer: at most 16 channels
  const auto bounds = subject_to(LatencyBound{WeightSquare{.clock = 100_MHz}, two}, Intensity{0.45});  // at least 9
  std::vector<std::string> lines;
  const SearchOptions options{.warmup = 10,
                              .epochs = 4,
                              .batch = 32,
                              .optimizer = RmsProp{.lr = 0.02},
                              .architecture = Adam{.lr = 1e-6},  // nothing goes before it has to
                              .lead = 1,
                              .objective = huber_regression(1)};
  const auto [found, history] = search(network, data, bounds, Insistence{}, options, BrokenBounds{lines});
  CHECK(found.parameter(0).value.columns() >= 9);
  CHECK(found.parameter(0).value.columns() <= 16);
  CHECK(history.warmup.epochs.back().validation.loss < 0.5 * history.warmup.epochs.front().validation.loss);
  REQUIRE(lines.size() >= 3);
  CHECK(lines.front() == "warm-up ends");
  CHECK(lines[1] == "search, epoch 1: latency is 4 cycles, at most 2");
  CHECK(lines.back() == "search ends");
  Network other = network;
  CHECK_THROWS_AS(fit(other, data, {.optimizer = RmsProp{.memory = 1}, .objective = huber_regression(1)}), ArgumentError);
}

TEST_CASE("the layer of the guide is searched, priced and lowered") {
  const Network network({2}, [](const Flow& x) {
    return x | Searchable{TanhUnits{.out = 8}, Channels{}} | Linear{.out = 2, .bias = false};
  });
  CHECK(total(Params{}, describe(network)) == 8 * (2 + 1 + 2));  // a bias of a layer of one's own is a weight, too
  const data::Splits data{.train = plane_points(64, 1), .validation = plane_points(32, 2), .test = plane_points(32, 3)};
  const SearchOptions options{.warmup = 1, .epochs = 2, .batch = 32, .objective = huber_regression(1)};
  const Network found = search(network, data, subject_to(AtMost{Params{}, 20}), Insistence{}, options).network;
  CHECK(total(Params{}, describe(found)) == 20);
  CHECK(found.parameter(0).value.columns() == 4);
  CHECK(deploy::lower(found).operations.size() == 3);
}
