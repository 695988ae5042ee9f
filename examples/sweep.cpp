// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// A grid of bounds, bits and seeds: runs one of the other programs for each, and draws what they found.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <siena/siena.hpp>
#include <string>
#include <thread>
#include <vector>

#include "shared/folder_lock.hpp"
#include "shared/say.hpp"
#include "sweep/command_line.hpp"
#include "sweep/plan.hpp"
#include "sweep/process.hpp"
#include "sweep/progress.hpp"
#include "sweep/report.hpp"
#include "sweep/runs.hpp"

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
    for (const Run& run : waiting_) check_folder(run);
    std::erase_if(waiting_, [&](const Run& run) {
      if (!is_done(folder(run))) return false;
      count(load_result(folder(run)));  // one that cannot be read is to be known before hours of work
      return true;
    });
  }
  Sweep(const Sweep&) = delete;
  /// Whoever still runs when something went wrong is told to stop.
  ~Sweep() {
    for (const Started& started : running_) ::kill(started.child, SIGTERM);
  }

  /// The exit status.
  int run() {
    say(stdout, "{} of {} runs are there already; what each prints is in {}", done_, all_, (out_ / "runs/*/log.txt").string());
    while (!running_.empty() || (stopped_by_ == 0 && !waiting_.empty())) {
      if (stopped_by_ == 0) start_all();
      if (running_.empty()) continue;  // it could not be started
      signals_.wait(std::chrono::milliseconds(500));
      if (const int signal = signals_.take(); signal != 0) {
        stopped_by_ = signal;
        for (const Started& started : running_) ::kill(started.child, signal);
      }
      while (const auto child = ended()) finish(*child);
      show_progress();
    }
    write_report(out_);
    if (stopped_by_ != 0) {
      say(stdout, "interrupted: {} of {} runs are done; the same command goes on from here", done_, all_);
      return 128 + stopped_by_;
    }
    say(stdout, "{} of {} runs are done: {}", done_, all_, (out_ / "report.html").string());
    return failed_ > 0 ? 2 : broken_ > 0 ? 1 : 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Started {
    ::pid_t child = 0;
    Run run;
    Clock::time_point at;
    std::uintmax_t logged = 0;  ///< bytes of its log that earlier starts have written
  };

  /// "    memory 50%, latency none, seed 0: search 3/30", of all that run; where they say nothing (--quiet), nothing.
  void show_progress() {
    std::string text;
    for (const Started& started : running_) {
      const std::string epoch = last_epoch(folder(started.run) / "log.txt", started.logged);
      if (!epoch.empty()) text += format("{}{}: {}", text.empty() ? "    " : "; ", started.run, std::string_view(epoch));
    }
    if (!text.empty()) progress_.show(text);
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

  /// A folder of this name must come from the same run of the same command.
  void check_folder(const Run& run) const {
    const fs::path path = folder(run);
    if (!fs::exists(path / "command.json")) {
      // One that was killed before it had written that left no more than half of it.
      const auto is_ours = [](const fs::directory_entry& entry) { return is_temporary_file(entry.path()); };
      require<ArgumentError>(
          !fs::exists(path) || std::all_of(fs::directory_iterator(path), fs::directory_iterator(), is_ours),
          "sweep: expected '{}' to be ours, got one without command.json; take another --out, or remove that folder",
          path.string());
      return;
    }
    const RunRecord record = load_record(path);
    require<ArgumentError>(record == RunRecord{run, settings_.command},
                           "sweep: expected '{}' to be made by the same command, got one made by '{}'; take another --out, or "
                           "remove that folder",
                           path.string(), joined(record.command));
  }

  static std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
  }

  /// A search waits while another one is still at the warm-up that both begin with.
  bool may_start(const Run& run) const {
    return std::none_of(running_.begin(), running_.end(),
                        [&](const Started& other) { return same_warmup(other.run, run) && !is_warm(folder(other.run)); });
  }

  void start_all() {
    for (auto run = waiting_.begin(); run != waiting_.end() && running_.size() < static_cast<std::size_t>(settings_.jobs);) {
      if (!may_start(*run)) {
        ++run;
        continue;
      }
      const Run next = *run;
      run = waiting_.erase(run);
      try {
        start_one(next);
      } catch (const std::exception& error) {
        ++failed_;
        say(stdout, "{}: failed: {}", next, std::string_view(error.what()));
      }
    }
  }

  void start_one(const Run& run) {
    const fs::path path = folder(run);
    const RunRecord record{run, settings_.command};
    fs::create_directories(path);
    save(record, path);
    share_warmup(record, out_, path);
    std::vector<std::string> words = words_of(run, settings_.command, path);
    const auto says_threads = [](const std::string& word) { return is_option(word, "--threads"); };
    if (settings_.jobs > 1 && std::none_of(words.begin(), words.end(), says_threads)) {
      const auto cores = static_cast<int>(std::thread::hardware_concurrency());
      words.insert(words.end(), {"--threads", std::to_string(std::max(1, cores / settings_.jobs))});
    }
    const fs::path log = path / "log.txt";
    append(log, "$ " + joined(words) + "\n");
    const std::uintmax_t logged = fs::file_size(log);
    running_.push_back({start(words, log, signals_), run, Clock::now(), logged});
  }

  static void append(const fs::path& file, std::string_view text) {
    std::FILE* stream = std::fopen(file.c_str(), "a");
    require<DataError>(stream != nullptr, "sweep: expected to write '{}', got: {}", file.string(), system_error(errno));
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fclose(stream);
  }

  void finish(const Ended& child) {
    const auto started =
        std::find_if(running_.begin(), running_.end(), [&](const Started& s) { return s.child == child.child; });
    if (started == running_.end()) return;
    const Run run = started->run;
    const double seconds = std::chrono::duration<double>(Clock::now() - started->at).count();
    running_.erase(started);
    const fs::path path = folder(run);
    append(path / "log.txt", format("exit status {} after {:.1f} s\n", child.status, seconds));
    try {
      if ((child.status == 0 || child.status == 1) && is_done(path)) {
        const Result result = load_result(path);
        count(result);
        draw();
        seconds_ += seconds, ++timed_;
        say(stdout, "[{}/{}] {}: {} {}{}; {}", done_ + failed_, all_, run, metric_label(result),
            metric_text(result.metric, result.value()),
            run.role == Run::Role::baseline ? std::string()
                                            : costs(result) + (result.kept_bounds() ? ", bounds kept" : ", a bound is broken"),
            duration_text(seconds));
        left();
        return;
      }
    } catch (const std::exception& error) {
      append(path / "log.txt", std::string(error.what()) + "\n");
    }
    if (stopped_by_ != 0) return;  // it was told to
    ++failed_;
    say(stdout, "[{}/{}] {}: failed, exit status {} after {}; {} ends:\n{}", done_ + failed_, all_, run, child.status,
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

  static std::string costs(const Result& result) {
    std::string text;
    for (const CostColumn& cost : columns_of(std::span(&result, 1))) {
      const double value = result.cost(cost), share = result.share(cost);
      if (!std::isnan(share)) text += format(", {:.1f} % of the {}", 100 * share, cost.brief);
      if (std::isnan(share) && !std::isnan(value))
        text += format(", {}{}{} {}", cost.in.amount(value), cost.in.space(), cost.in.name, cost.brief);
    }
    return text;
  }

  void left() {
    const std::size_t count = waiting_.size() + running_.size();
    if (count == 0 || timed_ == 0 || stopped_by_ != 0) return;
    say(stdout, "    {} left, about {}", count, duration_text(seconds_ / timed_ * static_cast<double>(count) / settings_.jobs));
  }

  const SweepSettings& settings_;
  fs::path out_;
  std::vector<Run> waiting_;
  std::vector<Started> running_;
  Signals signals_;
  ProgressLine progress_;
  std::size_t all_ = 0, done_ = 0, failed_ = 0, broken_ = 0;
  double seconds_ = 0;
  int timed_ = 0, stopped_by_ = 0;
};

int sweep(const SweepSettings& settings) {
  require<ArgumentError>(!settings.smoke || settings.command.empty(),
                         "sweep: expected --smoke alone, got a command too; the program's own --smoke comes after --");
  require<ArgumentError>(!settings.out.empty(), "sweep: expected a folder, --out DIR, got none");
  if (settings.report_only) {
    require<DataError>(fs::is_directory(fs::path(settings.out) / "runs"), "sweep: expected the folder of a sweep, got '{}'",
                       settings.out);
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
  const FolderLock lock(settings.out, "sweep", "another sweep, or a program that one has left running");
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
