// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Image classification on a microcontroller: searches ResNet8 on CIFAR-10 under a memory and a latency bound.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <siena/deploy/safetensors.hpp>
#include <siena/search/report_json.hpp>
#include <siena/siena.hpp>
#include <string>
#include <vector>

#include "limits.hpp"
#include "onnx_file.hpp"

using namespace siena;

namespace {

struct Settings {
  std::string data, memory = "50%", latency = "50%", method = "search", init, report, save, onnx, log;
  std::vector<int> epochs{20, 20, 10};
  std::int64_t batch = 128;
  double lr = 0.1, width = 1.0, clock_mhz = 100;
  std::uint64_t seed = 0;
  int threads = 0;
  bool quiet = false, smoke = false;
};

Settings parse(CLI::App& app, int argc, char** argv) {
  Settings s;
  app.description(
      "Searches ResNet8 for a network that keeps a memory bound (8-bit weights, 32-bit biases, batch norm folded) and a "
      "latency bound "
      "(GAP8), fine-tunes it and reports. Percent are of the seed network.\n"
      "  image_classification --data cifar-10-batches-bin --memory 40000B --latency 400000cycles --report found.json\n"
      "  image_classification --memory 25% --latency 3ms          (no data: synthetic images)\n"
      "  image_classification --method uniform --memory 50%       (the baseline: every layer as much narrower)");
  app.add_option("--data", s.data, "folder with the binary version of CIFAR-10; without it, synthetic images");
  app.add_option("--memory", s.memory, "most that the parameters may take: 40000B, 48KiB, 50%, or none")->capture_default_str();
  app.add_option("--latency", s.latency, "longest inference on GAP8: 3ms, 800000cycles, 50%, or none")->capture_default_str();
  app.add_option("--clock", s.clock_mhz, "clock of the device, for bounds in seconds")
      ->capture_default_str()
      ->type_name("MHz")
      ->check(CLI::Range(1e-3, 1e6));
  app.add_option("--method", s.method,
                 "search: masks under the bounds; uniform: the widest ResNet8 that keeps them, trained from scratch; "
                 "seed: ResNet8 as it is, for as many epochs")
      ->capture_default_str()
      ->check(CLI::IsMember({"search", "uniform", "seed"}));
  app.add_option("--epochs", s.epochs, "epochs of warm-up, search and fine-tuning: W,S,F")
      ->capture_default_str()
      ->delimiter(',')
      ->expected(3)
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--batch", s.batch, "images a step")->capture_default_str()->check(CLI::Range(1, 1 << 20));
  app.add_option("--lr", s.lr, "learning rate of SGD at its highest, in every phase")
      ->capture_default_str()
      ->check(CLI::Range(1e-9, 1e3));
  app.add_option("--width", s.width, "width of the seed network")->capture_default_str()->check(CLI::Range(0.05, 4.0));
  app.add_option("--seed", s.seed, "of weights, batches, augmentation: the same seed gives the same result")
      ->capture_default_str();
  app.add_option("--threads", s.threads, "0: all cores; the result does not depend on it")
      ->capture_default_str()
      ->check(CLI::Range(0, 1 << 16));
  app.add_option("--init", s.init,
                 "start from the weights in this file, of ResNet8 at --width, without a warm-up unless --epochs says so:\n"
                 "several searches share the one that --method seed --epochs 20,0,0 --save FILE has done")
      ->check(CLI::ExistingFile);
  app.add_option("--report", s.report, "write the report here, as JSON");
  app.add_option("--save", s.save, "write the weights of the network here, as safetensors");
  app.add_option("--onnx", s.onnx, "write the network here, for other programs to run (ONNX, batch norm folded)");
  app.add_option("--log", s.log, "write a line of JSON per epoch here");
  app.add_flag("--quiet", s.quiet, "no progress, only the report");
  app.add_flag("--smoke", s.smoke, "as few epochs and images as show that everything runs");
  app.footer(
      "Exit status: 0 where every bound is kept (always with --method seed), 1 where not, 2 for an error; from 100 on: "
      "the command line.");
  app.parse(argc, argv);
  if (!s.init.empty() && app.count("--epochs") == 0) s.epochs[0] = 0;
  for (int& epochs : s.epochs) epochs = s.smoke ? std::min(epochs, 1) : epochs;
  if (!s.init.empty() && s.method == "uniform") {
    throw CLI::ValidationError("--init", "expected it with --method search or seed, got uniform, which has other layers");
  }
  return s;
}

data::Splits load(const Settings& s) {
  if (!s.data.empty()) {
    data::Splits splits = data::cifar10(s.data, {.validation = 0.1, .seed = 0});
    for (data::Dataset* part : {&splits.train, &splits.validation, &splits.test}) {
      if (s.smoke) *part = part->take(std::min<std::int64_t>(part->size(), 256));
    }
    return splits;
  }
  return data::synthetic_images(s.smoke ? data::SyntheticOptions{.train = 384, .validation = 128, .test = 128}
                                        : data::SyntheticOptions{});
}

/// A run of hours should not end with a file that cannot be written.
void check_writable(const char* option, const std::string& file) {
  if (file.empty()) return;
  const bool missing = !std::filesystem::exists(std::filesystem::symlink_status(file));
  require<ArgumentError>(std::ofstream(file, std::ios::app).good(),
                         "{}: expected the name of a file that may be written, in a folder that exists, got '{}'", option,
                         file);
  if (missing) std::filesystem::remove(file);
}

ConstraintSet make_bounds(const Settings& s, const Architecture<double>& seed) {
  const Gap8 gap8{.clock = Hertz{s.clock_mhz * 1e6}};
  ConstraintSet bounds;
  if (s.memory != "none") bounds.add(MemoryBound{examples::memory_limit(s.memory, total(ModelSize{}, seed))});
  if (s.latency != "none") bounds.add(examples::latency_bound(s.latency, gap8, total(gap8, seed)));
  return bounds;
}

/// The widest ResNet8 that keeps every bound, every layer scaled alike.
Network widest(const ResNet8Options& options, const ConstraintSet& bounds) {
  double low = 0, high = options.width;
  std::optional<Network> best;
  for (int i = 0; i < 20; ++i) {
    const double width = i == 0 ? high : (low + high) / 2;
    Network network = resnet8({.input = options.input, .classes = options.classes, .width = width, .seed = options.seed});
    const bool keeps = bounds.feasible(describe(network));
    (keeps ? low : high) = width;
    if (keeps) best = std::move(network);
    if (i == 0 && keeps) break;
  }
  require<ConstraintError>(best.has_value(),
                           "uniform: expected bounds that some width keeps, got bounds that width {:.2g} breaks", high);
  return *best;
}

Report run(const Settings& s) {
  check_writable("--report", s.report);
  check_writable("--save", s.save);
  examples::check_onnx(s.onnx);
  check_writable("--onnx", s.onnx);
  check_writable("--log", s.log);
  set_threads(s.threads);
  const data::Splits data = load(s);
  const ResNet8Options options{
      .input = data.train.shape(), .classes = static_cast<int>(data.train.classes()), .width = s.width, .seed = s.seed};
  Network network = resnet8(options);
  if (!s.init.empty()) deploy::load_weights(network, s.init);
  const ConstraintSet bounds = make_bounds(s, describe(network));

  const data::Augment augment{.crop_padding = s.data.empty() ? 0 : 4, .flip = !s.data.empty()};
  Observers observers;
  if (!s.quiet) observers.add(ProgressBar{});
  if (!s.log.empty()) observers.add(JsonLinesLog{s.log});
  const int warmup = s.epochs[0], search_epochs = s.epochs[1], finetune = s.epochs[2];
  const Sgd sgd{.lr = s.lr, .momentum = 0.9, .weight_decay = 5e-4, .nesterov = true};

  Report::Accuracy accuracy;
  std::vector<Report::Phase> phases;
  const auto train = [&](Network& net, const std::string& phase, int epochs) {
    const History history = fit(net, data,
                                {.epochs = epochs,
                                 .batch = s.batch,
                                 .optimizer = sgd,
                                 .schedule = CosineLr{.warmup = 0.5},
                                 .augment = augment,
                                 .seed = s.seed + 2,
                                 .keep_best = true,
                                 .phase = phase},
                                observers);
    phases.push_back({phase, epochs, history.seconds});
  };
  std::optional<SearchHistory> searched;
  if (s.method == "search") {
    if (!s.quiet)
      for (const Reach& range : reach(network, bounds)) fmt::print("{}\n", range.to_string());
    auto [found, history] = search(
        std::move(network), data, bounds, Duccio{},
        {.warmup = warmup, .epochs = search_epochs, .batch = s.batch, .optimizer = sgd, .augment = augment, .seed = s.seed},
        observers);
    phases = {{"warm-up", warmup, history.warmup.seconds}, {"search", search_epochs, history.search.seconds}};
    if (history.seed_test) accuracy.seed = history.seed_test->accuracy;
    if (history.found_test) accuracy.found = history.found_test->accuracy;
    network = std::move(found);
    searched = std::move(history);
    if (finetune > 0) train(network, "fine-tuning", finetune);
  } else {
    if (s.method == "uniform") network = widest(options, bounds);
    train(network, "training", warmup + search_epochs + finetune);
  }
  Report report = evaluate(network, data.test, bounds);
  report.accuracy.seed = accuracy.seed;
  report.accuracy.found = accuracy.found;
  if (s.method == "search" && finetune == 0) report.accuracy.finetuned.reset();
  report.phases = std::move(phases);
  report.seed = s.seed;
  fmt::print("{}\n", report);  // before any file: a full disk takes nothing from the screen
  if (searched)
    for (const ShadowPrice& price : searched->prices) fmt::print("{}\n", price.to_string());
  if (!s.report.empty()) {
    auto json = to_json(report);
    if (searched) json["history"] = to_json(*searched);
    save_json(json, s.report);
  }
  if (!s.save.empty()) deploy::save_weights(network, s.save);
  examples::write_onnx(network, s.onnx);
  return report;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app;
  try {
    const Settings settings = parse(app, argc, argv);
    const Report report = run(settings);
    return report.feasible || settings.method == "seed" ? 0 : 1;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "image_classification: {}\n", error.what());
    return 2;
  }
}
