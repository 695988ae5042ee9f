// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

#include "workload.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "siena/deploy/integer/batch_simulator.hpp"
#include "siena/deploy/integer/quantize.hpp"
#include "siena/siena.hpp"
#include "support.hpp"

namespace siena::bench {

namespace {

struct Model {
  const char* name;
  Network (*make)();
  Network (*supernet)() = nullptr;
  bool reconstructs = false;  // learns its inputs rather than a class
  bool long_running = false;
};

constexpr Model models[] = {
    {.name = "resnet8", .make = [] { return resnet8(); }, .supernet = [] { return resnet8_supernet(); }},
    {.name = "ds_cnn", .make = [] { return ds_cnn(); }, .supernet = [] { return ds_cnn_supernet(); }},
    {.name = "mobilenet_v1", .make = [] { return mobilenet_v1(); }, .supernet = [] { return mobilenet_v1_supernet(); }},
    {.name = "autoencoder",
     .make = [] { return autoencoder(); },
     .supernet = [] { return autoencoder_supernet(); },
     .reconstructs = true},
    {.name = "resnet18", .make = [] { return resnet18(); }, .long_running = true},
};

const Model& model(const std::string& name) {
  for (const Model& m : models) {
    if (name == m.name) return m;
  }
  fail<ArgumentError>("benchmarks: expected the name of a network, got '{}'", name);
}

// As many samples as one batch takes; classes take turns.
data::Dataset noise(const Network& network, std::int64_t batch, bool labelled) {
  Random random(1);
  std::vector<float> values(static_cast<std::size_t>(batch * network.input_shape().elements()));
  for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
  std::vector<std::int32_t> labels(labelled ? static_cast<std::size_t>(batch) : 0);
  const auto classes = static_cast<std::size_t>(network.output_shape()[0]);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % classes);
  return data::Dataset::from_floats(std::move(values),
                                    {.shape = network.input_shape(), .labels = std::move(labels), .name = "noise"});
}

double macs(const Network& network) { return total(Macs{}, describe(network)); }

double macs_of_first_layers(const Network& network) {
  double sum = 0;
  for (const LayerDesc<double>& layer : describe(network).layers) {
    if (std::count(layer.producers.begin(), layer.producers.end(), -1) > 0) sum += layer.macs();
  }
  return sum;
}

// Runs from where a step asks for its loss to where the loop says that the step is over.
class StepClock {
 public:
  using Clock = std::chrono::steady_clock;

  explicit StepClock(const Together& together) : begin_(together.begin), end_(together.end) {}

  Objective watch(Objective objective) {
    objective.loss = [this, loss = std::move(objective.loss)](StepContext& step) {
      begin_();
      start_ = Clock::now();
      return loss(step);
    };
    return objective;
  }
  void on_step(const StepEvent&) {
    seconds_ = std::chrono::duration<double>(Clock::now() - start_).count();
    end_();
  }
  double seconds() const { return seconds_; }

 private:
  std::function<void()> begin_, end_;
  Clock::time_point start_;
  double seconds_ = 0;
};

// The first `percent` of the channels of each group that may vary.
Selection part_of(const SearchSpace& space, std::int64_t percent) {
  Selection selection = space.full();
  for (std::size_t g = 0; g < selection["channels"].size(); ++g) {
    const ChannelGroup& group = space.axis<ChannelMasks>().groups()[g];
    if (group.frozen) continue;
    const std::int64_t on = std::max(group.minimum, group.channels * percent / 100);
    std::fill(selection["channels"][g].begin() + on, selection["channels"][g].end(), false);
  }
  return selection;
}

ConstraintSet half_of(const Architecture<double>& whole) {
  return subject_to(MemoryBound{Bytes{total(ModelSize{}, whole) / 2}},
                    LatencyBound<Gap8>{Gap8{}, Cycles{total(Gap8{}, whole) / 2}});
}

}  // namespace

std::vector<std::string> network_names() {
  std::vector<std::string> names;
  for (const Model& m : models) {
    if (!m.long_running || asked_for(m.name)) names.emplace_back(m.name);
  }
  return names;
}

Network make_network(const std::string& name) { return model(name).make(); }
bool has_supernet(const std::string& name) { return model(name).supernet != nullptr; }

struct Training::Run {
  // The search itself as `search` runs it, with its space, but driven step by step.
  struct Search {
    Search(Network& network, std::int64_t percent, Sampling sampling, const Objective& objective)
        : options{.settle = 1, .space = {.choices = {.sampling = sampling}}, .objective = objective},
          space(SearchSpace::install(network, options.space)),
          constraints(half_of(describe(network))) {
      constraints.start(1, describe(network, space), epochs);
      space.axis<ChannelMasks>().select(network, part_of(space, percent)["channels"]);
      phase.emplace(network, space, constraints, options);
    }
    SearchOptions options;
    SearchSpace space;
    MultiConstraint<Duccio> constraints;
    std::optional<SearchPhase<Duccio>> phase;
  };
  static constexpr int epochs = std::numeric_limits<int>::max();

  Run(Network its, const std::string& name, std::int64_t batch, std::optional<std::int64_t> percent,
      std::optional<Sampling> sampling = {}, const Together& together = {})
      : network(std::move(its)), clock(together) {
    const bool reconstructs = model(name).reconstructs;
    flops = 2 * (3 * macs(network) - macs_of_first_layers(network)) * static_cast<double>(batch);
    Objective objective = reconstructs ? reconstruction() : classification();
    if (percent) search.emplace(network, *percent, sampling.value_or(Sampling::score), objective);
    if (search) objective = search->phase->objective();
    FitOptions options{.epochs = epochs,
                       .batch = batch,
                       .optimizer = Adam{},
                       .schedule = ConstantLr{},
                       .objective = clock.watch(std::move(objective)),
                       .ranks = together.ranks,
                       .shards = together.shards,
                       .prefetch = 0};
    if (search) options.architecture = Adam{.lr = 1e-9};
    trainer.emplace(network, noise(network, batch, !reconstructs), data::Dataset{}, std::move(options));
    observers.add(std::ref(clock));
  }

  Network network;
  double flops = 0;
  StepClock clock;
  Observers observers;
  std::optional<Search> search;
  std::optional<Trainer> trainer;
};

Training::Training(std::unique_ptr<Run> run) : run_(std::move(run)) {}
Training::Training(Training&&) noexcept = default;
Training& Training::operator=(Training&&) noexcept = default;
Training::~Training() = default;

Training Training::plain(const std::string& network, std::int64_t batch, const Together& together) {
  return Training(std::make_unique<Run>(make_network(network), network, batch, std::nullopt, std::nullopt, together));
}
Training Training::search(const std::string& network, std::int64_t batch, std::int64_t percent, const Together& together) {
  return Training(std::make_unique<Run>(make_network(network), network, batch, percent, std::nullopt, together));
}
Training Training::bits(const std::string& network, std::int64_t batch, std::int64_t percent, Bits::Per per) {
  return Training(std::make_unique<Run>(with_bits(make_network(network), {.per = per}), network, batch, percent));
}
Training Training::activation_bits(const std::string& network, std::int64_t batch, std::int64_t percent) {
  return Training(std::make_unique<Run>(with_activation_bits(make_network(network), {}), network, batch, percent));
}

Training Training::supernet(const std::string& network, std::int64_t batch, Sampling sampling) {
  return Training(std::make_unique<Run>(model(network).supernet(), network, batch, 100, sampling));
}

double Training::step() {
  run_->trainer->run_epoch(run_->observers);
  return run_->clock.seconds();
}
double Training::flops() const { return run_->flops; }
std::int64_t Training::parameters() const { return run_->network.weight_count(); }

namespace {
Tensor noise(const Shape& shape, std::int64_t batch) {
  Tensor inputs(shape.batch(batch));
  Random random(1);
  for (std::int64_t r = 0; r < inputs.rows(); ++r) {
    for (float& value : inputs.row(r)) value = static_cast<float>(random.uniform(-1, 1));
  }
  return inputs;
}
}  // namespace

Inference::Inference(const std::string& network, std::int64_t batch)
    : network_(make_network(network)), inputs_(noise(network_.input_shape(), batch)) {}
void Inference::run() { benchmark::DoNotOptimize(network_.predict(inputs_)); }
double Inference::flops() const { return 2 * macs(network_) * static_cast<double>(inputs_.shape()[0]); }

struct IntegerInference::Run {
  Run(const std::string& name, std::int64_t batch) {
    const Network network = make_network(name);
    inputs = noise(network.input_shape(), batch);
    integers = deploy::quantize(network, std::vector<Tensor>{noise(network.input_shape(), 8)});
    simulator.emplace(integers);
  }
  Tensor inputs;
  deploy::IntegerNetwork integers;
  std::optional<deploy::BatchSimulator> simulator;
};
IntegerInference::IntegerInference(const std::string& network, std::int64_t batch)
    : run_(std::make_unique<Run>(network, batch)) {}
IntegerInference::~IntegerInference() = default;
void IntegerInference::run() { benchmark::DoNotOptimize(run_->simulator->run(run_->inputs)); }

}  // namespace siena::bench
