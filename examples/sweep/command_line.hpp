// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command line of sweep.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "shared/validators.hpp"

namespace siena::examples {

/// What the command line says.
struct SweepSettings {
  std::string out;
  std::vector<std::string> memory, latency, pairs, bits, activation_bits;
  std::vector<std::uint64_t> seeds{0};
  int jobs = 1;
  int patience = 120;  ///< seconds
  bool baselines = false, share = false, status = false, report_only = false, smoke = false;
  std::vector<std::string> command;
};

/// What stands after -- is not known to CLI11.
struct SweepHelp : CLI::Formatter {
  std::string make_usage(const CLI::App*, std::string name) const override {
    return format("Usage: {} --out DIR [OPTIONS] -- PROGRAM [ITS OPTIONS]\n", name);
  }
};

/// Adds the options and the help to a command line, and reads it. Throws CLI::ParseError.
inline SweepSettings parse_sweep(CLI::App& app, int argc, char** argv) {
  SweepSettings s;
  app.formatter(std::make_shared<SweepHelp>());
  app.failure_message(failure_text);
  app.description(
      "Runs a program once for each pair of bounds, bits and seed, and draws what was found: accuracy against costs, beside "
      "the\n"
      "program's baselines. Searches of one seed share one warm-up. Interrupted, it goes on when it is called again.\n"
      "  sweep --out found --memory 75%,50%,25% --latency 75%,50% --seeds 0,1 --baselines -- ./image_classification --data "
      "DIR\n"
      "  sweep --out found --report-only\n"
      "  sweep --out found --status");
  app.add_option("--out", s.out, "folder for runs/, results.jsonl, report.html and the pictures");
  app.add_option("--memory", s.memory, "memory bounds: 40000B, 48KiB, 50% or none, with commas between")->delimiter(',');
  app.add_option("--latency", s.latency, "latency bounds: 3ms, 800000cycles, 50% or none; each with each memory bound")
      ->delimiter(',');
  app.add_option("--pairs", s.pairs, "more pairs, MEMORY:LATENCY, e.g. 75%:75%,50%:50%")->delimiter(',');
  app.add_option("--bits", s.bits,
                 "bits of weights: 4, or 2,4,8 to choose from, of layers, or 2,4,8:channel, of output channels, or none: "
                 "floats; several with blanks between, or --bits again, each with each pair of bounds")
      ->type_name("N,N,...[:channel] ...");
  app.add_option("--activation-bits", s.activation_bits, "of the values between layers, the same; each with each of --bits")
      ->type_name("N,N,... ...");
  app.add_option("--seeds", s.seeds, "seeds of the program")->capture_default_str()->delimiter(',')->check(whole_number);
  app.add_flag("--baselines", s.baselines,
               "also --method uniform for each pair and seed, and --method baseline for each seed; with each width of --bits "
               "and --activation-bits alone");
  app.add_option("--jobs", s.jobs, "runs at a time; they share the cores, unless the command says --threads")
      ->capture_default_str()
      ->check(whole_between(1, 1024));
  CLI::Option* share =
      app.add_flag("--share", s.share, "with others that are given the same command and folder, here or on other machines");
  app.add_option("--patience", s.patience,
                 "seconds without a sign of this sweep and its program, after which others take over what it was at")
      ->needs(share)
      ->capture_default_str()
      ->check(whole_between(1, 86400));
  CLI::Option* status = app.add_flag("--status", s.status,
                                     "run nothing, only say who is at what, what is done, what has failed, and what is left")
                            ->excludes(share);
  CLI::Option* report_only = app.add_flag("--report-only", s.report_only, "run nothing, only draw again");
  app.add_flag("--smoke", s.smoke,
               "without a command: two bounds on ./image_classification --smoke, in a folder that is removed")
      ->excludes(report_only)
      ->excludes(status);
  report_only->excludes(status);
  app.footer(
      "After --: the program and its other options; in them {run} stands for the folder of the run.\n"
      "Exit status: 0, 1 where a run did not keep its bounds, 2 for an error or where a run failed, 130, 143, 129 "
      "or 138 when interrupted; of --status 1 where something is left, 2 where only what has failed too often is; otherwise "
      "from 100 on: the command line.");
  // What comes after -- is for the program, whatever it looks like.
  const auto end = std::find(argv, argv + argc, std::string_view("--"));
  if (end != argv + argc) s.command.assign(end + 1, argv + argc);
  app.parse(static_cast<int>(end - argv), argv);
  return s;
}

}  // namespace siena::examples
