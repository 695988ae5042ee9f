// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// The program that all benchmarks are.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <siena/deploy/preparation_file.hpp>
#include <siena/search/report_json.hpp>
#include <siena/siena.hpp>
#include <string>
#include <utility>
#include <vector>

#include "benchmark.hpp"
#include "checkpoints.hpp"
#include "command_line.hpp"
#include "data_words.hpp"
#include "ending_signals.hpp"
#include "int8.hpp"
#include "job.hpp"
#include "linked.hpp"
#include "network_file.hpp"
#include "objective.hpp"
#include "onnx_file.hpp"
#include "outputs.hpp"
#include "recipe_words.hpp"
#include "run_page.hpp"
#include "say.hpp"
#include "uniform.hpp"

namespace siena::examples {

namespace {

class Run {
 public:
  Run(const Benchmark& benchmark, const Settings& settings, AnyCommunicator ranks)
      : benchmark_(benchmark), s_(on_rank(settings, ranks)), ranks_(std::move(ranks)) {
    check_outputs(s_);
    if (!s_.c.empty()) for_option("--c", [&] { check_c(s_.c); });
    if (ranks_.rank() == 0) lock_ = check_checkpoints(benchmark.program, s_);
    set_threads(s_.threads);
    data_ = benchmark.load(s_.data);
    say_load_report(benchmark.program, data_.report);
    if (!s_.network.empty()) prepare_as_the_network();
    if (!s_.init.empty()) check_weights();
    limit_training(benchmark.program, s_.train_limit, data_.splits);
    check_samples();
    require_same_data();
    if (s_.data.folder.empty() && !s_.quiet && !s_.dry_run && !s_.data.smoke)
      say(stderr, "{}: synthetic data, for want of --data", benchmark.program);
    if (!s_.dry_run) heed_signals();  // what is not training ends at once
    const Network baseline = whole(baseline_network());
    objective_ = make_objective(benchmark, s_.objective, baseline, data_.splits);
    bounds_ = make_bounds(s_.bounds, describe(baseline));
    before_ = report(baseline, bounds_);
    before_json_ = report_json(baseline, before_);
    if (!s_.quiet) observers_.add(ProgressBar());
    if (!s_.log.empty()) observers_.add(JsonLinesLog{s_.log});
  }

  /// Whether every bound is kept.
  bool operator()() {
    if (talks()) say_samples(s_.data.folder, data_.splits);
    if (talks() && s_.searches() && s_.bits.values.size() > 1 && s_.bounds.peak_memory == "none" &&
        (s_.bounds.cost_model != "mpic" || s_.bounds.latency == "none"))
      say(stderr, "{}: no bound sees --activation-bits, so all keep the most: --peak-memory does, and --cost-model mpic",
          benchmark_.program);
    if (s_.dry_run) return dry_run(), true;
    Network network = first_network();
    if (!s_.mlperf.empty()) (void)mlperf(network);  // a folder that does not fit ends here, before hours of training
    if (ranks_.rank() == 0) claim_checkpoints(benchmark_.program, s_, lock_);
    return s_.searches() ? search_and_tune(std::move(network)) : train_baseline(std::move(network));
  }

 private:
  static Settings on_rank(Settings settings, const AnyCommunicator& ranks) {
    for_option("--shards", [&] { settings.shards = Shards(settings.shards, ranks).count(); });
    return ranks.rank() == 0 ? settings : settings.writing_nothing();
  }
  ModelSettings model(double width) const {
    const data::Splits& splits = data_.splits;
    return {.input = splits.shape(), .classes = static_cast<int>(splits.classes()), .width = width, .seed = s_.seed};
  }
  /// On all ranks: those of a folder on each machine may differ.
  void require_same_data() const {
    if (ranks_.alone()) return;
    Fingerprint all;
    for (const data::Dataset* part : {&data_.splits.train, &data_.splits.validation, &data_.splits.test})
      all.add(std::to_string(part->empty() ? 0 : data::fingerprint(*part)));
    for (const std::uint64_t other : gather(ranks_, std::vector{all.value()}))
      require<DataError>(other == all.value(), "--data: expected the same samples on all {} ranks, got others", ranks_.size());
  }
  bool talks() const { return s_.dry_run || !s_.quiet; }
  /// What training begins with. Bounds that nothing keeps end here, before hours of warm-up.
  Network first_network() const {
    if (s_.method == "uniform") return s_.bits.of(benchmark_.network(model(widest_width())));
    const bool plain = s_.method != "supernet" && s_.method != "both";
    Network network = plain ? baseline_network() : benchmark_.supernet(model(s_.width), s_.method == "both");
    if (!s_.init.empty()) load_weights(network, s_.init);
    network = s_.bits.of(std::move(network));
    if (s_.searches()) check_reachable(network);
    return s_.method == "random" ? random_network(std::move(network)) : network;
  }
  /// What --method random draws of a network.
  Network random_network(Network network) const {
    const SearchSpace space = SearchSpace::install(network, s_.recipe.space);
    check_varying(space);
    const Problem problem{network, space, bounds_};
    require_reachable(problem);
    Network drawn = discretize(network, space, random_selection(problem, s_.seed));
    if (talks() && !bounds_.empty())
      for (const ConstraintStatus& bound : bounds_.status(describe(drawn))) say(stdout, "random: {}", bound.to_string());
    return drawn;
  }
  /// That of the benchmark, or of --network.
  Network baseline_network() const {
    Network own = benchmark_.network(model(s_.width));
    return s_.network.empty() ? own : network_from(s_.network, own);
  }
  void check_varying(const SearchSpace& space) const {
    require<ArgumentError>(space.varies(),
                           "--method {}: expected a network in which something may vary, got one in which nothing may{}; begin "
                           "with one of --method baseline, masks or both",
                           s_.method, s_.network.empty() ? "" : ", of --network " + s_.network);
  }
  void check_reachable(const Network& network) const {
    Network copy = network;
    const SearchSpace space = SearchSpace::install(copy, s_.recipe.space);
    if (talks()) {
      say(stdout, "{}\n", freedom(copy, space).to_string());
      std::vector<Reach> ranges = reach(Problem{copy, space, bounds_});
      for (std::size_t i = 0; i < ranges.size(); ++i) {
        ranges[i].whole = before_.bounds[i].value.value_or(ranges[i].whole);  // of a supernet, too: what percents are of
        say(stdout, "{}", ranges[i].to_string());
      }
    }
    check_varying(space);
    require_reachable({copy, space, bounds_});
  }
  double widest_width() const {
    const double width = widest([&](double w) { return s_.bits.of(benchmark_.network(model(w))); }, bounds_, s_.width);
    if (talks() && !bounds_.empty())
      say(stdout, "uniform: {:.4g} is the greatest width that keeps the bounds, of {:.4g}{}", width, s_.width,
          width == s_.width ? ": the whole network keeps them" : "");
    return width;
  }

  /// The data as the network of --network was trained with, where its file says how that was.
  void prepare_as_the_network() {
    const std::optional<data::Preparation> trained = preparation_in("--network", s_.network);
    if (!trained) return;
    note_other_classes("--network", *trained);
    for (data::Dataset* part : {&data_.splits.train, &data_.splits.validation, &data_.splits.test}) {
      if (!part->empty()) *part = prepared_as(*trained, *part);
    }
  }
  /// Weights of --init are of what they were trained with.
  void check_weights() const {
    const std::optional<data::Preparation> trained = preparation_in("--init", s_.init);
    if (!trained) return;
    note_other_classes("--init", *trained);
    require_alike("--init", *trained, data_.splits.train.preparation());
  }
  void note_other_classes(const char* option, const data::Preparation& trained) const {
    const std::string note = other_classes(trained, preparation());
    if (!note.empty()) say(stderr, "{}: {}: {}", benchmark_.program, option, note);
  }
  /// Not only after the warm-up.
  void check_samples() const {
    const data::Splits& splits = data_.splits;
    require<DataError>(!splits.train.empty(), "{}: expected samples to train with, got none; Predictor scores without them",
                       s_.data.folder);
    require<DataError>(
        !s_.searches() || splits.validation.size() > 0,
        "{}: expected samples to choose checkpoints by, got {} to train, none to choose by and {} to test; put some "
        "aside for validation (docs/guides/data.md)",
        s_.data.folder, splits.train.size(), splits.test.size());
    require<DataError>(benchmark_.metric != "accuracy" || splits.classes() >= 2,
                       "{}: expected samples of two classes or more, to tell them apart, got {}", s_.data.folder,
                       splits.classes());
  }
  CheckpointOptions checkpoint() const {
    return {.folder = s_.checkpoint, .every = s_.checkpoint_every, .resume = s_.resume, .stop = [] {
              return signal_received != 0;
            }};
  }

  FitOptions fit_options(const std::string& phase, const PhaseRecipe& recipe, int epochs) const {
    return {.epochs = epochs,
            .batch = s_.recipe.batch,
            .optimizer = recipe.optimizer,
            .schedule = recipe.schedule,
            .augment = s_.recipe.augment,
            .seed = s_.seed + (phase == "warm-up" ? 0 : 2),  // 1: the search
            .clip = s_.recipe.clip,
            .ema = s_.recipe.ema,
            .phase = phase,
            .objective = objective_,
            .ranks = ranks_,
            .shards = s_.shards,
            .checkpoint = checkpoint()};
  }
  SearchOptions search_options() const {
    return {.warmup = 0,
            .epochs = s_.recipe.epochs[1],
            .batch = s_.recipe.batch,
            .optimizer = s_.recipe.search.optimizer,
            .schedule = s_.recipe.search.schedule,
            .architecture = s_.recipe.architecture,
            .settle = s_.recipe.settle,
            .lead = s_.recipe.lead,
            .exchange = s_.recipe.exchange,
            .patience = s_.recipe.patience,
            .patience_from = s_.recipe.patience_from,
            .space = s_.recipe.space,
            .augment = s_.recipe.augment,
            .objective = objective_,
            .clip = s_.recipe.clip,
            .ema = s_.recipe.ema,
            .seed = s_.seed,
            .ranks = ranks_,
            .shards = s_.shards,
            .checkpoint = checkpoint()};
  }
  SearchResult find(Network network) const {
    data::Splits splits = data_.splits;
    splits.test = {};  // measured here, by what the benchmark is judged by
    const auto with = [&](auto formulation) {
      return for_options(s_, [&] {
        return search(std::move(network), splits, bounds_, std::move(formulation), search_options(), observers_);
      });
    };
    if (s_.formulation == "steer") return with(Steer{});
    if (s_.formulation == "duccio-constant") return with(AnyFormulation(Duccio{.schedule = Duccio::Schedule::constant}));
    if (s_.formulation == "penalty") return with(AnyFormulation(Penalty{}));
    if (s_.formulation == "augmented-lagrangian") return with(AnyFormulation(AugmentedLagrangian{}));
    if (s_.formulation == "nu-pi") return with(AnyFormulation(NuPi{}));
    return with(AnyFormulation(Duccio{}));
  }

  double score(Network& network) const {
    if (data_.score) return data_.score(network, data_.splits.test);
    return evaluate(network, data_.splits.test, 256, benchmark_.objective, ranks_).accuracy;
  }
  data::Preparation preparation() const { return data_.splits.train.preparation(); }
  bool tested() const { return data_.splits.test.size() > 0; }

  MlperfScore mlperf(Network& network) const {
    MlperfScore found;
    for_option("--mlperf", [&] { found = benchmark_.mlperf(network, s_.mlperf, preparation()); });
    return found;
  }

  bool search_and_tune(Network network) {
    const int warmup_epochs = s_.recipe.epochs[0], finetune_epochs = s_.recipe.epochs[2];
    History warmup;
    if (warmup_epochs > 0) warmup = train(network, fit_options("warm-up", s_.recipe.warmup, warmup_epochs));
    if (tested()) scores_.baseline = score(network);
    SearchResult result = find(std::move(network));
    searched_ = std::move(result.history);
    searched_->warmup = std::move(warmup);
    phases_.push_back({"search", static_cast<int>(searched_->search.epochs.size()), searched_->search.seconds});
    if (tested()) scores_.found = score(result.network);
    if (finetune_epochs > 0) {
      FitOptions options = fit_options("fine-tuning", s_.recipe.finetune, finetune_epochs);
      options.keep_best = true;
      options.patience = s_.recipe.finetune_patience;
      trained_ = train(result.network, options);
      if (tested()) scores_.finetuned = score(result.network);
    }
    return finish(result.network);
  }
  bool train_baseline(Network network) {
    const auto [w, s, f] = s_.recipe.epochs;
    FitOptions options = fit_options("training", s_.recipe.warmup, w + s + f);
    options.keep_best = true;
    options.patience = s_.recipe.training_patience;
    trained_ = train(network, options);
    if (tested()) scores_.finetuned = score(network);
    return finish(network);
  }
  History train(Network& network, const FitOptions& options) {
    History history = for_options(s_, [&] { return fit(network, data_.splits, options, observers_); });
    phases_.push_back({options.phase, static_cast<int>(history.epochs.size()), history.seconds});
    return history;
  }

  /// --int8: scores the integers that stand for a network, and trains it on with their levels where that is asked for.
  void to_integers(Network& network) {
    const data::Dataset samples = calibration_samples(data_.splits.train, s_.int8);
    const auto score_integers = [&](std::optional<double>& to) {
      integers_ = integers_of(network, samples);
      Network scored = scorable(*integers_);
      if (tested()) to = score(scored);
    };
    score_integers(scores_.calibrated);
    if (!s_.int8.aware()) return;
    network = int8_aware(network, samples, s_.int8);
    FitOptions options = fit_options("integers", s_.int8_recipe(), s_.int8.epochs);
    options.keep_best = true;
    with_levels_ = train(network, options);
    score_integers(scores_.aware);
  }
  bool finish(Network& network) {
    if (s_.int8.wanted()) to_integers(network);
    Report report = siena::report(network, bounds_);
    report.accuracy = scores_;
    report.phases = phases_;
    report.seed = s_.seed;
    report.preparation = preparation();
    Details details = tested() && data_.details ? data_.details(network, data_.splits.test) : Details{};
    if (!s_.mlperf.empty()) {
      const MlperfScore found = mlperf(network);
      details.text += found.to_string(benchmark_.metric) + "\n";
      details.json["mlperf"] = {{"inputs", found.inputs}, {benchmark_.metric, found.score}};
    }
    const std::exception_ptr lost = write_files(network, report, details);
    say(stdout, "{}", report);
    if (searched_)
      for (const ShadowPrice& price : searched_->prices) say(stdout, "{}", price.to_string());
    say_all(stdout, details.text);
    if (lost) std::rethrow_exception(lost);
    if (!s_.c.empty()) say(stdout, "{}", promised_and_linked(network, s_.c, s_.bounds.target));
    return report.feasible || s_.method == "baseline";
  }
  /// Files come before words, which may have lost their reader, and words follow though a disk is full: gives the first error.
  std::exception_ptr write_files(Network& network, const Report& report, const Details& details) const {
    std::exception_ptr lost;
    const auto attempt = [&](const char* option, const std::string& file, const std::function<void()>& write) {
      try {
        if (!file.empty()) for_option(option, write);
      } catch (...) {
        if (!lost) lost = std::current_exception();
      }
    };
    attempt("--save", s_.save,
            [&] { deploy::save_network(network, s_.save, {.metadata = deploy::preparation_metadata(preparation())}); });
    attempt("--onnx", s_.onnx.path, [&] { write_onnx(network, s_.onnx, data_.splits.train); });
    attempt("--onnx-int8", s_.onnx.int8, [&] { write_onnx_int8(*integers_, s_.onnx, data_.splits.train); });
    attempt("--c", s_.c, [&] {
      write_c(*integers_, s_.c, {.target = s_.bounds.target, .preparation = preparation(), .report = format("{}", report)});
    });
    const Json all = json(network, report, details.json);
    attempt("--html", s_.html, [&] { write_file_atomically(s_.html, run_page(all)); });
    if (!lost) attempt("--report", s_.report, [&] { save_json(all, s_.report); });  // last: it says that the run is done
    return lost;
  }
  Json json(const Network& network, const Report& report, const Json& details) const {
    Json json = {{"program", benchmark_.program}, {"method", s_.method}};
    json.update(report_json(network, report));
    json["details"] = details;
    for (const char* part : {"costs", "bounds", "layers"}) json["before"][part] = before_json_[part];
    if (searched_) json["history"] = to_json(*searched_);
    json["history"][searched_ ? "finetuning" : "training"] = to_json(trained_);
    if (s_.int8.aware()) json["history"]["integers"] = to_json(with_levels_);
    if (trained_.best >= 0)
      json["history"]["kept_epoch"] = trained_.best + 1;  // of that training, as "best_epoch" of the search
    return json;
  }

  void dry_run() const {
    say_recipe(s_, objective_);
    say_all(stdout, "\n" + before_.table());
    const Network network = first_network();  // says what the bounds can be, or that nothing keeps them
    say(stdout, "about {} to train, on this machine as busy as it is now", duration_text(estimated_seconds(network)));
  }
  /// From a few steps of what training begins with: as many as take half a second, four at most.
  double estimated_seconds(const Network& first) const {
    const data::Dataset& all = data_.splits.train;
    FitOptions options = fit_options("estimate", s_.recipe.warmup, 2);  // the first epoch finds its memory
    options.checkpoint = {};
    options.ranks = {};  // each by its own clock
    const auto [w, s, f] = s_.recipe.epochs;
    const int more = s_.int8.aware() ? s_.int8.epochs : 0;
    for (std::int64_t samples = std::min<std::int64_t>(8, all.size());; samples = std::min(4 * samples, all.size())) {
      Network network = first;
      const double seconds = fit(network, all.take(samples), data::Dataset(), options).epochs.back().seconds;
      if (seconds < 0.5 && samples < std::min(4 * s_.recipe.batch, all.size())) continue;
      return (w + s + f + more) * seconds * static_cast<double>(all.size()) / static_cast<double>(samples);
    }
  }

  const Benchmark& benchmark_;
  const Settings s_;
  const AnyCommunicator ranks_;
  BenchmarkData data_;
  Objective objective_;
  std::optional<FolderLock> lock_;  ///< of the checkpoints
  Report before_;
  Json before_json_;
  ConstraintSet bounds_;
  Observers observers_;
  Report::Accuracy scores_{.metric = benchmark_.metric};
  std::vector<Report::Phase> phases_;
  std::optional<SearchHistory> searched_;
  History trained_;  ///< of the fine-tuning, or of a baseline
  std::optional<deploy::IntegerNetwork> integers_;
  History with_levels_;  ///< of the training with their levels
};

}  // namespace

int run_benchmark(const Benchmark& benchmark, int argc, char** argv) {
  wait_briefly(argv);
  outlive_writes();
  Job job(benchmark.program);
  CLI::App app;
  try {
    job.require_alike(argc, argv);
    const bool kept = Run(benchmark, parse(benchmark, app, argc, argv), job.ranks())();
    check_said();
    return job.of_first(kept ? 0 : 1);
  } catch (const CLI::ParseError& error) {
    return job.failed(error.get_exit_code(), error.what(), [&] { app.exit(error); });
  } catch (const Interrupted& stopped) {
    return job.failed(128 + (signal_received != 0 ? static_cast<int>(signal_received) : SIGTERM), stopped.what());
  } catch (const std::exception& error) {
    return job.failed(2, error.what());
  }
}

}  // namespace siena::examples
