// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "siena/core/communicator.hpp"
#include "siena/core/error.hpp"
#include "siena/core/state.hpp"
#include "siena/data/dataset.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/checkpoint.hpp"
#include "siena/train/evaluate.hpp"
#include "siena/train/events.hpp"
#include "siena/train/trainer.hpp"

namespace siena {

namespace detail {
/// The file of a training that is kept; where it is there already, loads it.
inline std::filesystem::path open_checkpoint(Network& network, Trainer& trainer) {
  const CheckpointOptions& options = trainer.options().checkpoint;
  if (options.folder.empty()) return {};
  const std::string& phase = trainer.options().phase;
  require<ArgumentError>(phase.find('/') == std::string::npos,
                         "fit: expected a phase that can name its checkpoint, without '/', got '{}'", phase);
  const std::filesystem::path file = options.folder / (phase + ".checkpoint");
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  require<DataError>(std::filesystem::is_directory(options.folder, error),
                     "{}: expected a folder for checkpoints that can be made, got '{}'", phase, options.folder.string());
  if (!on_first(trainer.options().ranks, std::filesystem::exists(file, error))) return file;
  require<ArgumentError>(options.resume,
                         "{}: expected a folder without a checkpoint of this phase, got '{}'; resume it, or delete the file",
                         phase, file.string());
  const State state = load_checkpoint(file);
  State before;
  network.save(before);
  try {
    network.load(state, "network.");
    trainer.load(state, "trainer.");
  } catch (const Error& bad) {
    network.load(before);
    fail<FormatError>("'{}': {}", file.string(), bad.what());
  }
  return file;
}
inline void keep_checkpoint(const Network& network, Trainer& trainer, const std::filesystem::path& file) {
  if (file.empty() || trainer.options().ranks.rank() != 0) return;
  const EpochEvent& last = trainer.history().epochs.back();
  const auto keep_network = [&](const std::string& which) {
    std::filesystem::path beside = file;
    save_checkpoint(trainer.validated(), beside.replace_filename(format("{}.{}.checkpoint", last.phase, which)));
  };
  const int every = trainer.options().checkpoint.every;
  if (last.best) keep_network("best");
  if (every > 0 && last.epoch % every == 0) keep_network(format("epoch-{}", last.epoch));
  State state;
  network.save(state, "network.");
  trainer.save(state, "trainer.");
  save_checkpoint(state, file);  // last: what goes on from it makes the others again
}
inline void heed_stop(const Trainer& trainer, const std::filesystem::path& file) {
  const FitOptions& options = trainer.options();
  if (!on_any(options.ranks, options.checkpoint.stop && options.checkpoint.stop())) return;
  const int done = trainer.epochs_done();
  const std::string_view kept = file.empty() ? ", nothing was kept"
                                : done == 0  ? ", nothing of this phase is kept yet; resume to begin it"
                                             : "; what was done is kept, resume to go on";
  fail<Interrupted>("{}: stopped after {} of {} epochs{}{}", options.phase, done, options.epochs, kept,
                    file.empty() ? std::string() : format(" ('{}')", file.parent_path().string()));
}
}  // namespace detail

/// Trains a network on one dataset, measures it on another after every epoch (unless that is empty), and tells observers, of
/// epochs before a break, too. Deterministic: the same seed gives the same bits at any number of threads, and with any number
/// of breaks (FitOptions::checkpoint).
template <class... O>
History fit(Network& network, const data::Dataset& train, const data::Dataset& validation, const FitOptions& options = {},
            O&&... observers) {
  Observers list;
  if (options.ranks.rank() == 0) (list.add(std::forward<O>(observers)), ...);
  Trainer trainer(network, train, validation, options);
  const std::filesystem::path file = detail::open_checkpoint(network, trainer);
  const PhaseEvent phase{.phase = options.phase, .epochs = options.epochs};
  list.on_phase(phase);
  for (const EpochEvent& before : trainer.history().epochs) list.on_epoch(before);
  while (!trainer.done()) {
    detail::heed_stop(trainer, file);
    trainer.run_epoch(list);
    detail::keep_checkpoint(network, trainer, file);
  }
  trainer.finish();
  list.on_phase_end(phase);
  return trainer.history();
}

/// The same on the parts of a problem; the test part is not looked at.
template <class... O>
History fit(Network& network, const data::Splits& data, const FitOptions& options = {}, O&&... observers) {
  return fit(network, data.train, data.validation, options, std::forward<O>(observers)...);
}

}  // namespace siena
