// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/autograd/tape.hpp"
#include "siena/core/error.hpp"
#include "siena/core/fingerprint.hpp"
#include "siena/core/random.hpp"
#include "siena/core/shards.hpp"
#include "siena/core/state.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/dataset_fingerprint.hpp"
#include "siena/data/loader.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/across_ranks.hpp"
#include "siena/train/alternation.hpp"
#include "siena/train/best_epoch.hpp"
#include "siena/train/checkpoint.hpp"
#include "siena/train/evaluate.hpp"
#include "siena/train/events.hpp"
#include "siena/train/fit_options.hpp"
#include "siena/train/gradient_clip.hpp"
#include "siena/train/history.hpp"
#include "siena/train/metrics.hpp"
#include "siena/train/objective.hpp"
#include "siena/train/optimizers.hpp"
#include "siena/train/weight_average.hpp"

namespace siena {

/// A training that is run epoch by epoch: what `fit` loops over, for those who need more say. Refers to the network, which must
/// outlive it and must not be assigned to meanwhile. Saved together with its network and loaded into a trainer made with the
/// same data and options, it goes on to the same bits. Used by one thread at a time; trainers of other networks may run beside
/// it.
class Trainer {
 public:
  Trainer(Network& network, data::Dataset train, data::Dataset validation, FitOptions options)
      : network_(network),
        validation_(std::move(validation)),
        options_(checked(std::move(options), network, train, validation_)),
        shards_(options_.shards, options_.ranks),
        loader_(std::move(train), loader_options()),
        weights_(options_.optimizer, network.parameters(Role::weight)),
        architecture_(options_.architecture.value_or(Adam{}),
                      options_.architecture ? network.parameters(Role::architecture) : std::vector<Parameter*>{}) {
    if (options_.alternate) {
      data::LoaderOptions serve = loader_options();
      serve.drop_last = options_.alternate->data.size() >= options_.batch;
      serve.seed = Random(options_.seed).split(1).at(0);
      alternate_.emplace(options_.alternate->data, serve);
    }
    if (!options_.checkpoint.folder.empty()) {
      State start;
      network_.save(start);
      start_ = format("{:016x}", Fingerprint().add(detail::state_bytes(start)).value());
      settings_ = read_settings();
    }
    if (options_.ema > 0) average_.emplace(network_, options_.ema);
    if (!options_.ranks.alone()) {
      State start;
      network_.save(start, "network.");
      save(start, "training.");
      detail::require_alike(options_.ranks, start, options_.phase);
    }
    network_.zero_grad();
  }

  const FitOptions& options() const { return options_; }
  const History& history() const { return history_; }
  int epochs_done() const { return epoch_; }
  bool done() const { return stopped_ || epoch_ >= options_.epochs; }

  /// Trains for one epoch, then validates.
  const EpochEvent& run_epoch(const Observers& observers = {}) {
    const auto start = Clock::now();
    if (epoch_ == first_epoch_) started_ = start;
    EpochEvent event{.phase = options_.phase, .epoch = epoch_ + 1, .epochs = options_.epochs};
    train_epoch(event, observers);
    ++epoch_;
    {
      const Averaged averaged(average_);
      validate(event);
      event.seconds = seconds_since(start);
      event.stop = options_.patience > 0 && !validation_.empty() && epoch_ - best_epoch_.highest() >= options_.patience;
      if (options_.at_epoch_end) options_.at_epoch_end(event);
      if (!options_.ranks.alone()) event.stop = on_any(options_.ranks, event.stop);
    }
    stopped_ = event.stop;
    bounds_ = event.bounds;
    history_.seconds += seconds_since(start);
    history_.epochs.push_back(std::move(event));
    observers.on_epoch(history_.epochs.back());
    return history_.epochs.back();
  }

  /// Leaves the network as it is meant to be used: with averaged weights, and, with `keep_best`, as after the best epoch.
  void finish() {
    if (average_) average_->put();
    if (options_.keep_best && !best_.values().empty()) network_.load(best_);
  }
  /// The network as it is validated, averaged weights and all, under names that begin with "network.".
  State validated() {
    const Averaged averaged(average_);
    State state;
    network_.save(state, "network.");
    return state;
  }

  /// Everything but the network's own parameters.
  void save(State& state, const std::string& prefix = "") const {
    for (const auto& [name, value] : settings()) state.put(prefix + "setting." + name, value);
    state.put(prefix + "epoch", std::int64_t{epoch_});
    state.put(prefix + "stopped", std::int64_t{stopped_});
    best_epoch_.save(state, prefix + "best_epoch.");
    history_.save(state, prefix + "history.");
    weights_.save(state, prefix + "optimizer.");
    architecture_.save(state, prefix + "architecture.");
    if (average_) average_->save(state, prefix + "average.");
    state.put_all(prefix + "best.", best_);
    if (options_.objective.save) options_.objective.save(state, prefix + "objective.");
  }
  /// Throws FormatError where the state is of a training with other settings or data, and checks all but the objective's part
  /// before it changes anything. The network is to be loaded before.
  void load(const State& state, const std::string& prefix = "") {
    for (const auto& [name, value] : settings()) {
      const auto& saved = state.get<std::string>(prefix + "setting." + name);
      require<FormatError>(
          saved == value,
          "{}: expected a checkpoint of a training with {} '{}', got one with '{}'; a training goes on with what "
          "it began with: the settings, the data, and the weights of the phase before",
          options_.phase, name, value, saved);
    }
    Optimizer weights = weights_, architecture = architecture_;
    weights.load(state, prefix + "optimizer.");
    architecture.load(state, prefix + "architecture.");
    const auto number = [&](const char* name) { return state.get<std::int64_t>(prefix + name); };
    const auto epoch = number("epoch"), stopped = number("stopped");
    BestEpoch best_epoch;
    best_epoch.load(state, prefix + "best_epoch.");
    History history;
    history.load(state, prefix + "history.");
    if (average_) average_->load(state, prefix + "average.");
    best_epoch_ = best_epoch;
    history_ = std::move(history);
    weights_ = std::move(weights);
    architecture_ = std::move(architecture);
    epoch_ = first_epoch_ = static_cast<int>(epoch);
    stopped_ = stopped != 0;
    best_ = state.under(prefix + "best.");
    bounds_ = history_.epochs.empty() ? std::vector<BoundReading>{} : history_.epochs.back().bounds;
    if (options_.objective.load) options_.objective.load(state, prefix + "objective.");
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

  // What decides what a training does: a state serves only a training with the same.
  struct Setting {
    std::string name, value;
  };
  using Settings = std::vector<Setting>;
  // Reads all of the data: where checkpoints are kept, that was done once.
  Settings settings() const { return settings_.empty() ? read_settings() : settings_; }
  Settings read_settings() const {
    const auto data = [](const data::Dataset& d) {
      return d.empty() ? "none" : format("{} of {}, {:016x}", d.size(), d.shape(), data::fingerprint(d));
    };
    const auto& o = options_;
    return {{"phase", o.phase},
            {"epochs", std::to_string(o.epochs)},
            {"batch", std::to_string(o.batch)},
            {"shards", std::to_string(shards_.count())},
            {"seed", std::to_string(o.seed)},
            {"optimizer", o.optimizer.to_string()},
            {"schedule", o.schedule.to_string()},
            {"architecture optimizer", o.architecture ? o.architecture->to_string() : "none"},
            {"alternation", o.alternate
                                ? format("{}, until {}, {}", o.alternate->every == Alternation::Every::step ? "step" : "epoch",
                                         o.alternate->until, data(o.alternate->data))
                                : "none"},
            {"objective", o.objective.settings},
            {"augmentation", to_string(o.augment)},
            {"keep_best", o.keep_best ? "yes" : "no"},
            {"patience", std::to_string(o.patience)},
            {"clip", format("{}", o.clip)},
            {"average of weights", format("{}", o.ema)},
            {"starting weights", start_},
            {"training samples", data(loader_.dataset())},
            {"validation samples", data(validation_)}};
  }

  data::LoaderOptions loader_options() const {
    return {.batch = options_.batch,
            .seed = options_.seed,
            .augment = options_.augment,
            .prefetch = options_.prefetch,
            .part = options_.ranks.rank(),
            .parts = options_.ranks.size()};
  }

  static FitOptions checked(FitOptions options, Network& network, const data::Dataset& train, const data::Dataset& validation) {
    const std::string& phase = options.phase;
    require<ArgumentError>(options.epochs >= 0 && options.batch > 0 && options.patience >= 0,
                           "{}: expected epochs and patience of 0 or more and a batch of at least 1, got {}, {} and {}", phase,
                           options.epochs, options.patience, options.batch);
    require<ArgumentError>(std::isfinite(options.clip) && options.clip >= 0 && options.ema >= 0 && options.ema < 1,
                           "{}: expected a clip of 0 or more and an ema in [0, 1), got {} and {}", phase, options.clip,
                           options.ema);
    require<ArgumentError>(static_cast<bool>(options.objective.loss), "{}: expected an objective with a loss, got none", phase);
    require<ArgumentError>(!network.nodes().empty(), "{}: expected a network with layers, got an empty one", phase);
    require<DataError>(!train.empty(), "{}: expected samples to train on, got none in '{}'", phase, train.name());
    std::string asks;
    if (options.keep_best) asks = "keep_best";
    if (options.patience > 0) asks += asks.empty() ? "patience" : " and patience";
    if (options.schedule.needs_validation())
      asks += format("{}the schedule ({})", asks.empty() ? "" : " and ", options.schedule.to_string());
    require<ArgumentError>(!validation.empty() || asks.empty(),
                           "{}: expected validation samples for {} to go by, got none; hold some out with data::split", phase,
                           asks);
    for (const data::Dataset* dataset : {&train, &validation}) {
      require<ShapeError>(dataset->empty() || dataset->shape() == network.input_shape(),
                          "{}: expected samples of {} for this network, got {} in '{}'", phase, network.input_shape(),
                          dataset->shape(), dataset->name());
      if (options.objective.check && !dataset->empty()) options.objective.check(network, *dataset);
    }
    if (options.alternate) {
      const data::Dataset& samples = options.alternate->data;
      require<ArgumentError>(
          options.architecture && options.alternate->until >= 0,
          "{}: expected an optimizer of the architecture and an `until` of 0 or more to alternate, got {} and {}", phase,
          options.architecture ? "one" : "none", options.alternate->until);
      require<DataError>(!samples.empty() && samples.shape() == network.input_shape(),
                         "{}: expected samples of {} to train the architecture on, got {} in '{}'", phase,
                         network.input_shape(), samples.empty() ? "none" : samples.shape().to_string(), samples.name());
      if (options.objective.check) options.objective.check(network, samples);
    }
    options.schedule.check();
    return options;
  }

  // While it lives, the network has its averaged weights, if there are any.
  class Averaged {
   public:
    explicit Averaged(std::optional<WeightAverage>& average) : average_(average) { exchange(); }
    ~Averaged() { exchange(); }
    Averaged(const Averaged&) = delete;

   private:
    void exchange() const {
      if (average_) average_->exchange();
    }
    std::optional<WeightAverage>& average_;
  };

  // A last batch of one sample has no variance for batch norm to divide by.
  bool leaves_one_over() const {
    const std::int64_t size = loader_.dataset().size();
    return options_.batch > 1 && size > options_.batch && size % options_.batch == 1;
  }

  void train_epoch(EpochEvent& event, const Observers& observers) {
    const std::int64_t steps = loader_.batches() - (leaves_one_over() ? 1 : 0);
    RunningMetrics metrics;
    double penalty = 0;
    data::Epoch batches = loader_.epoch(epoch_);
    const bool alternates = alternate_ && epoch_ < options_.alternate->until * options_.epochs;
    const bool every_step = alternates && options_.alternate->every == Alternation::Every::step;
    if (alternates) alternate_->begin_epoch(epoch_);
    for (std::int64_t s = 0; s < steps; ++s) {
      penalty += step(*batches.next(), s, steps, metrics, alternate_ ? Moves::weights : Moves::both);
      if (every_step) architecture_step(s, steps);
      if (observers.empty()) continue;
      const Metrics mean = metrics.mean();
      const double done = static_cast<double>((epoch_ - first_epoch_) * steps + s + 1);
      const double left = static_cast<double>((options_.epochs - epoch_) * steps - s - 1);
      observers.on_step({.phase = options_.phase,
                         .epoch = epoch_ + 1,
                         .epochs = options_.epochs,
                         .step = s + 1,
                         .steps = steps,
                         .loss = mean.loss,
                         .accuracy = mean.accuracy,
                         .seconds_left = seconds_since(started_) / done * left,
                         .bounds = bounds_});
    }
    if (alternates && !every_step) {
      for (std::int64_t s = 0; s < alternate_->batches(); ++s) architecture_step(steps - 1, steps);
    }
    if (alternates) alternate_->end_epoch();
    event.train = metrics.mean();
    event.penalty = penalty / static_cast<double>(steps);
    event.lr = weights_.lr();
    detail::require_together(options_.ranks, network_, options_.phase, event.epoch);
  }

  // A step of the architecture, at the place of step `s` of the weights.
  void architecture_step(std::int64_t s, std::int64_t steps) {
    const KeptStatistics kept(network_);
    RunningMetrics unseen;
    step(alternate_->next(), s, steps, unseen, Moves::architecture);
  }

  // One batch: forward, backward, update. Returns the penalty.
  double step(const data::Batch& batch, std::int64_t s, std::int64_t steps, RunningMetrics& metrics, Moves moves) {
    const std::int64_t global = epoch_ * steps + s;
    const double begin = epoch_ + static_cast<double>(s) / static_cast<double>(steps);
    tape_.clear();
    tape_.share(shards_, batch.whole);
    StepContext context{.network = network_,
                        .tape = tape_,
                        .batch = batch,
                        .mode = Mode::training,
                        .epoch = begin,
                        .epochs = options_.epochs,
                        .step = global,
                        .steps = options_.epochs * steps,
                        .random = Random(options_.seed).split(static_cast<std::uint64_t>(global)),
                        .moves = moves,
                        .samples = batch.whole};
    if (moves == Moves::architecture) context.random = context.random.split(static_cast<std::uint64_t>(architecture_.steps()));
    if (options_.objective.before_step) options_.objective.before_step(context);
    const Loss loss = options_.objective.loss(context);
    const auto totals = detail::totals(options_.ranks, loss, batch, shards_.samples_here(batch.whole), options_.phase);
    const double task = context.task = totals.task, penalty = loss.penalty.value();
    // The rate of a step is that of its middle: a step belongs to one epoch, and a warm-up does not begin at 0.
    const double rate = options_.schedule.factor({.epoch = epoch_ + (static_cast<double>(s) + 0.5) / static_cast<double>(steps),
                                                  .epochs = static_cast<double>(options_.epochs),
                                                  .before = history_.epochs});
    require<DataError>(
        std::isfinite(task) && std::isfinite(penalty),
        "{}: expected a finite loss, got {} (penalty {}) in epoch {}, step {} of {}; lower the learning rate (now "
        "{}) or check that the inputs are normalised",
        options_.phase, task, penalty, epoch_ + 1, s + 1, steps, weights_.base_lr() * rate);
    metrics.add(task, totals.correct, totals.counted);

    tape_.backward(loss.task, loss.penalty);
    if (options_.objective.before_update) options_.objective.before_update(context);
    if (moves != Moves::architecture) {
      if (options_.clip > 0) clip_gradients(weights_.parameters(), options_.clip);
      weights_.step(rate);
    }
    if (moves != Moves::weights) architecture_.step(1);
    if (options_.objective.after_step) options_.objective.after_step(context);
    if (average_ && moves != Moves::architecture) average_->update();
    network_.zero_grad();
    return penalty;
  }

  void validate(EpochEvent& event) {
    if (validation_.empty()) return;
    event.validation =
        evaluate(network_, validation_, std::max<std::int64_t>(options_.batch, 256), options_.objective, options_.ranks);
    event.has_validation = true;
    require<DataError>(std::isfinite(event.validation.loss),
                       "{}: expected a finite validation loss, got {} after epoch {}; lower the learning rate (now {})",
                       options_.phase, event.validation.loss, event.epoch, event.lr);
    event.best = best_epoch_.offer(event.epoch, event.validation);
    if (!event.best) return;
    history_.best = static_cast<int>(history_.epochs.size());
    if (!options_.keep_best) return;
    best_ = {};
    network_.save(best_);
  }

  Network& network_;
  data::Dataset validation_;
  FitOptions options_;
  Shards shards_;
  data::Loader loader_;
  Optimizer weights_, architecture_;
  std::optional<ArchitectureBatches> alternate_;
  std::optional<WeightAverage> average_;
  Tape tape_;
  int epoch_ = 0, first_epoch_ = 0;
  bool stopped_ = false;
  BestEpoch best_epoch_;
  std::string start_;  // what the network was like, where checkpoints are kept
  State best_;
  std::vector<BoundReading> bounds_;
  Clock::time_point started_;
  History history_;
  Settings settings_;
};

}  // namespace siena
