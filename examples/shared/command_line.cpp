// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "training_options.hpp"
#include "validators.hpp"

namespace siena::examples {

namespace {

const CLI::Validator batch_of_onnx(
    [](const std::string& text) {
      int count = 0;
      return text == "any" || (is_number(text, count) && count >= 1)
                 ? ""
                 : format("expected a whole number from 1 on, or any, got '{}'", text);
    },
    "");

/// What changes a recipe, where it was given.
struct Changes {
  std::vector<int> epochs;
  std::int64_t batch = 0;
  double lr = 0, clip = -1, ema = -1;
  int patience = -1;
  std::string optimizer, schedule;
  bool one_descent = false;
  std::vector<std::string> augment;
};

void add_data(const Benchmark& benchmark, CLI::App& app, Settings& s) {
  app.add_option("--data", s.data.folder, benchmark.data_help)
      ->check(expecting("a folder", CLI::ExistingDirectory))
      ->group("Data");
  app.add_option("--cache", s.data.cache, "keep computed features in this folder, for the next run")
      ->needs("--data")
      ->group("Data");
  app.add_flag("--skip-bad-files", s.data.skip_bad_files, "leave out files that cannot be read, and count them")
      ->needs("--data")
      ->group("Data");
  app.add_option("--train-limit", s.train_limit, "train on the first so many samples only; 0: on all")
      ->capture_default_str()
      ->check(whole_between(0, std::numeric_limits<int>::max()))
      ->group("Data");
}

void add_search(const Benchmark& benchmark, CLI::App& app, Settings& s) {
  std::vector<std::string> methods = {"masks", "uniform", "random", "baseline"};
  if (benchmark.supernet) methods.insert(methods.begin() + 1, {"supernet", "both"});
  app.add_option("--method", s.method,
                 "masks: which channels stay; supernet: which layers; both at once;\n"
                 "baselines: uniform, the widest network that keeps the bounds, every layer scaled alike, from scratch;\n"
                 "random, one whose widths --seed draws, as wide as the bounds allow; baseline, the network as it is.\n"
                 "They train for the epochs of all phases together")
      ->capture_default_str()
      ->check(one_of(methods))
      ->group("Search");
  CLI::Option* bits =
      app.add_option("--bits", s.bits.widths,
                     "bits of weights, 2 to 8, of which the search chooses, in all layers but the first and the last, which "
                     "have 8; one number: those, without a choice; none: floats, which the costs count as 8 bits")
          ->delimiter(',')
          ->expected(1, 7)
          ->check(whole_between(2, 8))
          ->type_name("N,N,...")
          ->group("Search");
  app.add_option("--bits-per", s.bits.per, "whether all weights of a layer have as many bits, or each output channel its own")
      ->needs(bits)
      ->capture_default_str()
      ->check(one_of({"layer", "channel"}))
      ->group("Search");
  app.add_option("--activation-bits", s.bits.values,
                 "bits of what layers hand on, 2 to 8, of which the search chooses, but for the output of the network; one "
                 "number: those, without a choice; none: floats, which the costs count as 8 bits")
      ->delimiter(',')
      ->expected(1, 7)
      ->check(whole_between(2, 8))
      ->type_name("N,N,...")
      ->group("Search");
  app.add_option("--memory", s.bounds.memory, "most that the parameters may take: 40000B, 48KiB, 50%, or none")
      ->capture_default_str()
      ->group("Search");
  app.add_option("--latency", s.bounds.latency, "longest inference: 3ms (s, us), 800000cycles, 50%, or none")
      ->capture_default_str()
      ->group("Search");
  app.add_option("--peak-memory", s.bounds.peak_memory, "most that activations may take at once: 20KiB, 50%, or none")
      ->capture_default_str()
      ->group("Search");
  app.add_option("--flash", s.bounds.flash, "most that its C may take in flash, code and tables: 64KiB, 50%, or none")
      ->capture_default_str()
      ->group("Search");
  app.add_option("--ram", s.bounds.ram, "most that its C may take in RAM, arena and stack: 32KiB, 50%, or none")
      ->capture_default_str()
      ->group("Search");
  app.add_option("--cost-model", s.bounds.cost_model, "what prices latency: " + std::string(cost_models))
      ->capture_default_str()
      ->group("Search");
  app.add_option("--clock", s.bounds.clock_mhz, "clock of the device, for times; 0: what is usual for the cost model")
      ->capture_default_str()
      ->type_name("MHz")
      ->check(between(0, 1e6))
      ->group("Search");
  app.add_option("--formulation", s.formulation, "how the bounds are held")
      ->capture_default_str()
      ->check(one_of({"duccio", "duccio-constant", "penalty", "augmented-lagrangian", "nu-pi", "steer"}))
      ->group("Search");
}

double lr_of(const Recipe& recipe) { return recipe.warmup.optimizer.lr(); }
std::string text_of(const std::array<int, 3>& epochs) { return format("{},{},{}", epochs[0], epochs[1], epochs[2]); }

void add_training(const Benchmark& benchmark, CLI::App& app, Settings& s, Changes& changes) {
  app.add_option("--preset", s.preset, "what the other options start from: own, or paper, the settings of arXiv 2310.07217")
      ->capture_default_str()
      ->check(one_of({"own", "paper"}))
      ->group("Training");
  app.add_option("--epochs", changes.epochs,
                 format("epochs of warm-up, search and fine-tuning; {}, with the preset paper {}",
                        text_of(benchmark.own.epochs), text_of(benchmark.paper.epochs)))
      ->delimiter(',')
      ->expected(1, 1000)  // how many there must be we say ourselves
      ->check(whole_between(0, 1'000'000))
      ->type_name("W,S,F")
      ->group("Training");
  app.add_option("--batch", changes.batch,
                 format("samples a step; {}, with the preset paper {}", benchmark.own.batch, benchmark.paper.batch))
      ->check(whole_between(1, 1 << 20))
      ->group("Training");
  app.add_option("--lr", changes.lr,
                 format("highest learning rate of the warm-up; {}, with the preset paper {}; those of the other phases change "
                        "with it",
                        lr_of(benchmark.own), lr_of(benchmark.paper)))
      ->check(between(1e-9, 1e3))
      ->group("Training");
  app.add_option("--width", s.width, "width of the network that it starts from")
      ->capture_default_str()
      ->check(between(0.05, 4))
      ->group("Training");
  app.add_option("--seed", s.seed, "of weights, batches, augmentation: the same seed gives the same result")
      ->capture_default_str()
      ->check(whole_number)
      ->group("Training");
  app.add_option("--threads", s.threads, "0: all cores; the result does not depend on it")
      ->capture_default_str()
      ->check(whole_between(0, max_threads))
      ->group("Training");
  app.add_option("--shards", s.shards,
                 "in how many parts batches are summed, a multiple of the ranks that mpirun started: the result depends on it, "
                 "and not on the ranks; 0: 1 for one process, 8 for more")
      ->capture_default_str()
      ->check(whole_between(0, Shards::most))
      ->group("Training");
  app.add_option("--init", s.init, "start from the weights in this file (--save), without a warm-up unless --epochs says so")
      ->check(expecting("a file", CLI::ExistingFile))
      ->group("Training");
  app.add_option(
         "--network", s.network,
         "start from the network in this file (--save), layers and weights, in place of that of this program: to search "
         "on, or to train what was found; without a warm-up unless --epochs says so")
      ->check(expecting("a file", CLI::ExistingFile))
      ->excludes("--init")
      ->excludes("--width")
      ->group("Training");
}

void add_steering(CLI::App& app, Changes& changes) {
  app.add_option("--optimizer", changes.optimizer,
                 format("{}, of all phases, with its usual settings; otherwise as the preset has it", optimizer_names))
      ->group("Training");
  app.add_option("--schedule", changes.schedule,
                 format("of the learning rate, in all phases: {}; otherwise as the preset has it", schedule_forms))
      ->group("Training");
  app.add_flag("--one-descent", changes.one_descent,
               "one schedule over warm-up, search and fine-tuning together, that of the warm-up, in place of one for each")
      ->group("Training");
  app.add_option("--augment", changes.augment,
                 format("how training samples vary, with commas between: {}; otherwise as the preset has it", augment_forms))
      ->delimiter(',')
      ->type_name("TEXT")
      ->group("Training");
  app.add_option("--clip", changes.clip, "longest gradient of all weights together; 0: any")
      ->check(between(0, 1e9))
      ->group("Training");
  app.add_option("--ema", changes.ema, "decay of an average of the weights, e.g. 0.999, which is judged and kept; 0: none")
      ->check(between(0, 0.999999))
      ->group("Training");
  app.add_option("--patience", changes.patience,
                 "end search and fine-tuning, or the training of a baseline, after so many epochs without a better validation "
                 "result; 0: never")
      ->check(whole_between(0, 1'000'000))
      ->group("Training");
}

void add_run(const Benchmark& benchmark, CLI::App& app, Settings& s) {
  app.add_option("--checkpoint", s.checkpoint, "keep what is done in this folder, after each epoch, and the best network")
      ->group("Run");
  app.add_option("--checkpoint-every", s.checkpoint_every, "keep the networks of every so many epochs there, too; 0: no others")
      ->needs("--checkpoint")
      ->capture_default_str()
      ->check(whole_between(0, 1'000'000))
      ->group("Run");
  app.add_flag("--resume", s.resume, "go on from what --checkpoint holds, to the same bits; begin where it holds nothing")
      ->needs("--checkpoint")
      ->group("Run");
  app.add_option("--report", s.report, "write the report here, as JSON")->group("Run");
  app.add_option("--html", s.html, "write a page of the run here: epochs, bounds, channels, layers; it needs no other file")
      ->group("Run");
  if (benchmark.mlperf) {
    app.add_option("--mlperf", s.mlperf,
                   "score the network on this accuracy set of MLPerf Tiny, too: a folder with y_labels.csv and its files")
        ->check(expecting("a folder", CLI::ExistingDirectory))
        ->group("Run");
  }
  app.add_option("--save", s.save, "write the network here, layers and weights, as safetensors (for --network and --init)")
      ->group("Run");
  app.add_option("--onnx", s.onnx.path, "write the network here, for other programs to run (ONNX, batch norm folded)")
      ->group("Run");
  app.add_option("--onnx-int8", s.onnx.int8, "write the network of --int8 here, in integers of 8 bits (ONNX)")
      ->needs("--int8")
      ->group("Run");
  app.add_option("--c", s.c, "write the network of --int8 into this folder, as C for microcontrollers")
      ->needs("--int8")
      ->group("Run");
  app.add_option_function<std::string>(
         "--c-target",
         [&s](const std::string& name) { s.bounds.target = name == "portable" ? CTarget::portable : CTarget::cortex_m; },
         "for whom the C of --c, --flash and --ram is: portable, or cortex-m")
      ->check(one_of({"portable", "cortex-m"}))
      ->group("Run");
  app.add_option("--onnx-batch", s.onnx.batch, "samples that these take at a time, or any")
      ->capture_default_str()
      ->check(batch_of_onnx)
      ->group("Run");
  app.add_flag("--onnx-normalized", s.onnx.normalized,
               "normalise inputs in these: they take pixels from 0 to 255, or features, as they are")
      ->group("Run");
  app.add_option("--log", s.log, "write a line of JSON per epoch here")->group("Run");
  app.add_flag(
         "--dry-run", s.dry_run,
         "load the data, print the settings, the network, what each bound can be and an estimate of the time; train nothing")
      ->group("Run");
  app.add_flag("--quiet", s.quiet, "no progress, only the report")->group("Run");
  app.add_flag("--smoke", s.data.smoke, "as few samples and (unless --epochs says it) epochs as show that everything runs")
      ->group("Run");
  app.set_config("--config", "", "read options from this file, name = value, as they are called here")
      ->type_name("FILE")
      ->group("Run");
  app.allow_config_extras(CLI::config_extras_mode::error);
}

/// What changes optimizers, schedules and the rest of a recipe.
void steer(const Changes& changes, Recipe& recipe) {
  std::array<PhaseRecipe*, 3> phases{&recipe.warmup, &recipe.search, &recipe.finetune};
  const double begin = lr_of(recipe);
  if (!changes.optimizer.empty()) {
    const AnyOptimizer rule = parse_optimizer(changes.optimizer);
    for (PhaseRecipe* phase : phases) phase->optimizer = rule.scaled(phase->optimizer.lr() / begin);
  }
  const double before = lr_of(recipe);
  if (changes.lr > 0) {
    for (PhaseRecipe* phase : phases) phase->optimizer = phase->optimizer.scaled(changes.lr / before);
  }
  if (!changes.schedule.empty()) {
    for (PhaseRecipe* phase : phases) phase->schedule = parse_schedule(changes.schedule, phase == &recipe.warmup ? 0.5 : 0);
  }
  if (changes.one_descent) {
    const AnySchedule whole = recipe.warmup.schedule;
    if (whole.needs_validation())
      throw CLI::ValidationError("--one-descent", "expected a --schedule that goes by epochs, got " + whole.to_string());
    const double all = std::accumulate(recipe.epochs.begin(), recipe.epochs.end(), 0.0);
    double passed = 0;
    for (std::size_t i = 0; i < phases.size(); ++i) {
      phases[i]->optimizer = recipe.warmup.optimizer;
      phases[i]->schedule = PartOf{.whole = whole, .begin = passed, .epochs = all};
      passed += recipe.epochs[i];
    }
  }
  if (!changes.augment.empty()) recipe.augment = parse_augment(changes.augment);
  if (changes.clip >= 0) recipe.clip = changes.clip;
  if (changes.ema >= 0) recipe.ema = changes.ema;
  if (changes.patience >= 0) recipe.patience = recipe.finetune_patience = recipe.training_patience = changes.patience;
}

void fill_in(const Benchmark& benchmark, const Changes& changes, Settings& s) {
  s.recipe = s.preset == "paper" ? benchmark.paper : benchmark.own;
  std::array<int, 3>& epochs = s.recipe.epochs;
  if (!s.init.empty() || !s.network.empty()) epochs[0] = 0;
  if (s.data.smoke && !s.dry_run) {
    for (int& count : epochs) count = std::min(count, 1);
  }
  if (!changes.epochs.empty() && changes.epochs.size() != epochs.size())
    throw CLI::ValidationError("--epochs", format("expected three numbers W,S,F of epochs, got {}", changes.epochs.size()));
  if (!changes.epochs.empty()) std::copy_n(changes.epochs.begin(), 3, epochs.begin());
  if (s.searches() && epochs[1] == 0)
    throw CLI::ValidationError("--epochs", "expected 1 or more epochs of search with --method " + s.method + ", got 0");
  if (changes.batch > 0) s.recipe.batch = changes.batch;
  steer(changes, s.recipe);
  if (!s.init.empty() && s.method == "uniform")
    throw CLI::ValidationError("--init", "expected another --method than uniform, which has other layers than the file");
  for (const auto& [option, widths] : {std::pair("--bits", &s.bits.widths), {"--activation-bits", &s.bits.values}}) {
    if (std::adjacent_find(widths->begin(), widths->end(), std::greater_equal<>()) != widths->end()) {
      std::string all;
      for (const int width : *widths) all += (all.empty() ? "" : ",") + std::to_string(width);
      throw CLI::ValidationError(option, "expected numbers that rise, such as 2,4,8, got " + all);
    }
    if (widths->size() > 1 && !s.chooses())
      throw CLI::ValidationError(option, "expected one number with --method " + s.method + ", which chooses nothing, got " +
                                             std::to_string(widths->size()));
  }
  if (!s.network.empty() && s.method != "masks" && s.method != "random" && s.method != "baseline")
    throw CLI::ValidationError("--network",
                               "expected --method masks, random or baseline, as the file says what may vary, got " + s.method);
}

}  // namespace

Settings parse(const Benchmark& benchmark, CLI::App& app, int argc, char** argv) {
  Settings s;
  Changes changes;
  const std::string& name = benchmark.program;
  app.description(benchmark.purpose +
                  "\nPercent in bounds are of this network at --width, or of that of --network. Without --data it runs on "
                  "synthetic data of the same shape.\n"
                  "  " +
                  name +
                  " --data FOLDER --memory 40000B --latency 3ms --report found.json\n"
                  "  " +
                  name +
                  " --data FOLDER --memory 25% --latency none --checkpoint run --resume\n"
                  "  " +
                  name +
                  " --data FOLDER --method uniform --memory 25% --latency none        (the baseline)\n"
                  "  " +
                  name + " --preset paper --dry-run");
  app.failure_message(failure_text);
  add_data(benchmark, app, s);
  add_search(benchmark, app, s);
  add_training(benchmark, app, s, changes);
  const std::size_t of_all = app.get_options().size();
  if (benchmark.options) benchmark.options(app);  // these may exclude some of the others
  const std::size_t of_benchmark = app.get_options().size();
  add_objective(benchmark, app, s.objective);
  add_steering(app, changes);
  add_int8(app, s.int8);
  add_run(benchmark, app, s);
  app.footer(
      "Exit status: 0 where every bound is kept (always with --method baseline), 1 where not, 2 for an error; 130, 143, 129 or "
      "138 after SIGINT, SIGTERM, SIGHUP or SIGUSR1, which end the epoch and keep it (--checkpoint); otherwise from 100 on: "
      "the command line.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ConfigError& error) {
    constexpr std::string_view prefix = "INI was not able to parse ";
    const std::string_view what = error.what();
    throw CLI::ConfigError(format("--config: expected options in '{}', as --help calls them, without the dashes, got '{}'",
                                  app.get_config_ptr()->as<std::string>(),
                                  what.substr(what.starts_with(prefix) ? prefix.size() : 0)));
  }
  for (std::size_t i = of_all; i < of_benchmark; ++i) {
    const CLI::Option& option = *app.get_options()[i];
    const std::string value = format("{}", fmt::join(option.results(), ","));
    if (option.count() > 0 && value != option.get_default_str()) s.of_benchmark += format(" {} {}", option.get_name(), value);
  }
  for (const char* option : {"--onnx-batch", "--onnx-normalized"})
    if (app.count(option) > 0 && s.onnx.path.empty() && s.onnx.int8.empty()) throw CLI::RequiresError(option, "--onnx");
  if (s.data.smoke && !s.dry_run && app.count("--int8-epochs") == 0) s.int8.epochs = 1;
  fill_in(benchmark, changes, s);
  return s;
}

}  // namespace siena::examples
