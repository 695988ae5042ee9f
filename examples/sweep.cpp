// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// A grid of bounds, bits and seeds: runs one of the other programs for each, and draws what they found.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <siena/siena.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "shared/folder_lock.hpp"
#include "shared/say.hpp"
#include "sweep/command_line.hpp"
#include "sweep/failures.hpp"
#include "sweep/log.hpp"
#include "sweep/plan.hpp"
#include "sweep/process.hpp"
#include "sweep/progress_line.hpp"
#include "sweep/report.hpp"
#include "sweep/runs.hpp"
#include "sweep/sharing.hpp"
#include "sweep/status.hpp"

using namespace siena;
using namespace siena::examples;

namespace {

/// Throws ArgumentError unless a program can be started by this name, as the system finds it.
void check_program(const std::string& program) {
  const auto is_program = [](const fs::path& file) { return fs::is_regular_file(file) && ::access(file.c_str(), X_OK) == 0; };
  bool found = program.find('/') != std::string::npos && is_program(program);
  if (const char* path = std::getenv("PATH"); path != nullptr && program.find('/') == std::string::npos) {
    std::string_view rest = path;
    while (!found && !rest.empty()) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      found = is_program(fs::path(rest.substr(0, colon)) / program);
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  require<ArgumentError>(found,
                         "sweep: expected a program that can be run, got '{}'; a path or a name in PATH is "
                         "looked for from this folder",
                         program);
}

/// Runs what is not done yet, several at a time, and keeps the report up to date.
class Sweep {
 public:
  explicit Sweep(const SweepSettings& settings) : settings_(settings), out_(settings.out), waiting_(plan(settings)) {
    all_ = waiting_.size();
    for (const Run& run : waiting_) check_folder(record(run), folder(run));
    save_plan(waiting_, out_);
    std::erase_if(waiting_, [&](const Run& run) {
      if (!is_done(folder(run))) return false;
      count(load_result(folder(run)));  // one that cannot be read is to be known before hours of work
      return true;
    });
    if (settings.share) sharing_.emplace(out_, settings.command, std::chrono::seconds(settings.patience));
  }
  Sweep(const Sweep&) = delete;
  /// Whoever still runs when something went wrong is told to stop.
  ~Sweep() {
    for (const Started& started : running_) ::kill(started.child, SIGTERM);
  }

  /// The exit status.
  int run() {
    say(stdout, "{} of {} runs are there already; what each prints is in {}", done_, all_, (out_ / "runs/*/log.txt").string());
    while (true) {
      if (stopped_by_ == 0) start_all();
      if (running_.empty() && (stopped_by_ != 0 || nothing_left())) break;
      if (running_.empty() && !sharing_) continue;  // it could not be started
      say_what_is_waited_for();
      signals_.wait(std::min(std::chrono::milliseconds(500), sharing_ ? sharing_->pause() : std::chrono::milliseconds::max()));
      if (const int signal = signals_.take(); signal != 0) {
        stopped_by_ = signal;
        for (const Started& started : running_) ::kill(started.child, signal);
      }
      while (const auto child = ended()) finish(*child);
      if (sharing_) keep_claims();
      show_progress();
    }
    std::erase_if(failed_, [&](const Run& run) { return sharing_ && count_if_done(run); });  // others had better luck
    write_report(out_);
    if (stopped_by_ != 0 && done_ < all_) {
      say(stdout, "interrupted: {} of {} runs are done; the same command goes on from here", done_, all_);
      return 128 + stopped_by_;
    }
    say(stdout, "{} of {} runs are done{}: {}", done_, all_,
        waiting_.empty() ? std::string() : format(", others are at {}", waiting_.size()), (out_ / "report.html").string());
    return !failed_.empty() ? 2 : broken_ > 0 ? 1 : 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Started {
    ::pid_t child = 0;
    Run run;
    Clock::time_point at;
    std::optional<Hold> hold = {};  ///< where others share the folder; until the end of the run is written down
    bool lost = false;              ///< another sweep has taken it over
  };

  /// "    memory 50%, latency none, seed 0: search 3/30", of all that run; where they say nothing (--quiet), nothing.
  void show_progress() {
    std::string text;
    for (const Started& started : running_) {
      const std::string epoch = last_epoch(folder(started.run) / "log.txt");
      if (!epoch.empty()) text += format("{}{}: {}", text.empty() ? "    " : "; ", started.run, std::string_view(epoch));
    }
    if (!text.empty()) progress_.show(text);
  }

  /// Once, where there is nothing to do but to see whether others still do what they have claimed.
  void say_what_is_waited_for() {
    const bool waits = running_.empty() && stopped_by_ == 0;
    if (waits && !waits_)
      say(stdout,
          "others have claimed what is left, {} and {} more: taken over if they give no sign for as long as they asked for",
          waiting_.front(), waiting_.size() - 1);
    waits_ = waits;
  }

  template <class... Args>
  void say(std::FILE* to, FormatText<Args...> text, const Args&... args) {
    progress_.clear();
    examples::say(to, text, args...);
  }

  void count(const Result& result) {
    ++done_;
    broken_ += !result.kept_bounds();
  }

  fs::path folder(const Run& run) const { return out_ / "runs" / run.name(); }
  RunRecord record(const Run& run) const { return {run, settings_.command}; }

  /// A search waits while another one is still at the warm-up that both begin with.
  bool may_start(const Run& run) const {
    return std::none_of(running_.begin(), running_.end(),
                        [&](const Started& other) { return same_warmup(other.run, run) && !is_warm(folder(other.run)); });
  }

  void start_all() {
    if (sharing_) {
      if (sharing_->look())
        leave_to_others();
      else if (!std::exchange(slot_free_, false))
        return;
    }
    for (auto run = waiting_.begin(); run != waiting_.end() && running_.size() < static_cast<std::size_t>(settings_.jobs);) {
      std::optional<Hold> hold;
      try {
        if (!may_start(*run) || (sharing_ && !(hold = sharing_->take(*run)))) {
          ++run;
          continue;
        }
        start_one(*run, std::move(hold));
      } catch (const std::exception& error) {
        failed_.push_back(*run);
        say(stdout, "{}: failed: {}", *run, std::string_view(error.what()));
      }
      run = waiting_.erase(run);
    }
  }

  void start_one(const Run& run, std::optional<Hold> hold) {
    const fs::path path = folder(run);
    check_folder(record(run), path);
    fs::create_directories(path);
    save(record(run), path);
    share_warmup(record(run), out_, path);
    std::vector<std::string> words = words_of(run, settings_.command, path);
    const auto says_threads = [](const std::string& word) { return is_option(word, "--threads"); };
    if (settings_.jobs > 1 && std::none_of(words.begin(), words.end(), says_threads)) {
      const auto cores = static_cast<int>(std::thread::hardware_concurrency());
      words.insert(words.end(), {"--threads", std::to_string(std::max(1, cores / settings_.jobs))});
    }
    const fs::path log = path / "log.txt";
    note_start(log, joined(words));
    running_.push_back({start(words, log, signals_), run, Clock::now(), std::move(hold)});
  }

  /// True, and counted, where another sweep has done it.
  bool count_if_done(const Run& run) {
    if (!is_done(folder(run))) return false;
    try {
      const Result result = load_result(folder(run));
      count(result);
      say(stdout, "[{}/{}] {}; by another sweep", done_ + failed_.size(), all_, found_text(result));
      return true;
    } catch (const FormatError& error) {
      say(stdout, "{}: failed: {}", run, std::string_view(error.what()));
      return false;
    }
  }
  /// Takes what others have done, or tried often enough, off our list.
  void leave_to_others() {
    std::erase_if(waiting_, [&](const Run& run) {
      if (is_done(folder(run))) {
        if (!count_if_done(run)) failed_.push_back(run);
        return true;
      }
      const Failures failures = Failures::load(folder(run));
      if (!failures.too_many()) return false;
      failed_.push_back(run);
      say(stdout, "{}: left alone, it has failed {}; without '{}' it is tried again", run, failures,
          Failures::file(folder(run)).string());
      return true;
    });
  }
  /// Whether nothing is left to do, but what others are seen to be at.
  bool nothing_left() const {
    return std::all_of(waiting_.begin(), waiting_.end(), [&](const Run& run) { return sharing_ && sharing_->is_kept(run); });
  }
  void keep_claims() {
    const bool due = sharing_->renewal_due();
    for (Started& started : running_) {
      sharing_->give_warmup(*started.hold, started.run);
      if (!due || started.lost || started.hold->renew()) continue;
      started.lost = true;
      say(stdout, "{}: another sweep has taken it over, for want of signs from here", started.run);
      ::kill(started.child, SIGTERM);
    }
  }

  void finish(const Ended& child) {
    const auto at = std::find_if(running_.begin(), running_.end(), [&](const Started& s) { return s.child == child.child; });
    if (at == running_.end()) return;
    const Started started = std::move(*at);  // with its claim, up to the end of this
    running_.erase(at);
    slot_free_ = true;
    const Run& run = started.run;
    const double seconds = std::chrono::duration<double>(Clock::now() - started.at).count();
    const fs::path path = folder(run);
    note_end(path / "log.txt", child.status, seconds);
    try {
      if ((child.status == 0 || child.status == 1) && is_done(path)) {
        const Result result = load_result(path);
        count(result);
        Failures::forget(path);
        draw();
        seconds_ += seconds, ++timed_;
        say(stdout, "[{}/{}] {}; {}", done_ + failed_.size(), all_, found_text(result), duration_text(seconds));
        left();
        return;
      }
    } catch (const std::exception& error) {
      append(path / "log.txt", std::string(error.what()) + "\n");
    }
    if (stopped_by_ != 0) return;                                                                 // it was told to
    if (sharing_ && (started.lost || FolderLock::is_held(path))) return waiting_.push_back(run);  // another one is at it
    Failures::add(path);
    failed_.push_back(run);
    say(stdout, "[{}/{}] {}: failed, exit status {} after {}; {} ends:\n{}", done_ + failed_.size(), all_, run, child.status,
        duration_text(seconds), (path / "log.txt").string(), last_lines(path / "log.txt", 6));
    left();
  }

  /// The report so far. That it cannot be written is no fault of a run's, and is an error at the end.
  void draw() {
    try {
      write_report(out_);
    } catch (const std::exception& error) {
      say(stderr, "{}", std::string_view(error.what()));
    }
  }

  /// "memory 50%, latency none, seed 0: accuracy 80.00 %, 49.9 % of the bytes, bounds kept"
  static std::string found_text(const Result& result) {
    const Run& run = result.record.run;
    std::string text = format("{}: {} {}", run, metric_label(result), metric_text(result.metric, result.value()));
    if (run.role == Run::Role::baseline) return text;
    for (const CostColumn& cost : columns_of(std::span(&result, 1))) {
      const double value = result.cost(cost), share = result.share(cost);
      if (!std::isnan(share)) text += format(", {:.1f} % of the {}", 100 * share, cost.brief);
      if (std::isnan(share) && !std::isnan(value))
        text += format(", {}{}{} {}", cost.in.amount(value), cost.in.space(), cost.in.name, cost.brief);
    }
    return text + (result.kept_bounds() ? ", bounds kept" : ", a bound is broken");
  }

  void left() {
    const std::size_t count = waiting_.size() + running_.size();
    if (count == 0 || timed_ == 0 || stopped_by_ != 0) return;
    const auto jobs = static_cast<std::size_t>(settings_.jobs);
    const std::size_t at_a_time = sharing_ ? std::max(jobs, sharing_->at_work()) : jobs;
    say(stdout, "    {} left, about {}", count,
        duration_text(seconds_ / timed_ * static_cast<double>(count) / static_cast<double>(at_a_time)));
  }

  const SweepSettings& settings_;
  fs::path out_;
  bool waits_ = false;  // for others
  std::vector<Run> waiting_, failed_;
  std::optional<Sharing> sharing_;
  std::vector<Started> running_;
  Signals signals_;
  ProgressLine progress_;
  std::size_t all_ = 0, done_ = 0, broken_ = 0;
  bool slot_free_ = true;
  double seconds_ = 0;
  int timed_ = 0, stopped_by_ = 0;
};

int sweep(const SweepSettings& settings) {
  require<ArgumentError>(!settings.smoke || settings.command.empty(),
                         "sweep: expected --smoke alone, got a command too; the program's own --smoke comes after --");
  require<ArgumentError>(!settings.out.empty(), "sweep: expected a folder, --out DIR, got none");
  if (settings.report_only || settings.status) {
    require<DataError>(fs::is_directory(fs::path(settings.out) / "runs"), "sweep: expected the folder of a sweep, got '{}'",
                       settings.out);
    if (settings.status) return say_status(settings.out);
    const Written written = write_report(settings.out);
    for (const std::string& problem : written.problems) say(stderr, "{}", problem);
    say(stdout, "{} runs: {}", written.results, (fs::path(settings.out) / "report.html").string());
    return written.problems.empty() ? 0 : 2;
  }
  check_command(settings);
  plan(settings);
  check_program(settings.command[0]);
  std::error_code error;
  fs::create_directories(fs::path(settings.out) / "runs", error);
  require<DataError>(!error, "sweep: expected a folder that may be written, got '{}': {}", settings.out, error.message());
  // Those that share rest on no lock: it keeps them and one that does not apart, where there are locks.
  const FolderLock lock =
      settings.share ? FolderLock::shared(settings.out, "sweep", "one without --share, or a program that it has left running")
                     : FolderLock(settings.out, "sweep", "another sweep, or a program that one has left running");
  return Sweep(settings).run();
}

/// Two bounds on the program of this folder; what comes out is gone afterwards.
int smoke(SweepSettings settings, const fs::path& folder) {
  const fs::path program = (folder.empty() ? fs::path(".") : folder) / "image_classification";
  if (!fs::exists(program)) {
    say(stdout, "sweep: nothing to run, no '{}'", program.string());
    return 0;
  }
  const fs::path out = fs::temp_directory_path() / format("siena_sweep_{}", ::getpid());
  settings.smoke = false, settings.command = {program.string(), "--smoke"};
  settings.memory = {"75%", "50%"}, settings.latency = {"50%"};
  settings.out = out.string();
  const int status = sweep(settings);
  if (status <= 1) fs::remove_all(out);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  outlive_writes();
  CLI::App app;
  try {
    const SweepSettings settings = parse_sweep(app, argc, argv);
    const bool smoke_alone = settings.smoke && settings.command.empty();
    const int status = smoke_alone ? smoke(settings, fs::path(argv[0]).parent_path()) : sweep(settings);
    check_said();
    return status;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    say(stderr, "{}", std::string_view(error.what()));
    return 2;
  }
}
