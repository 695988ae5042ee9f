// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What including and compiling the library costs, with the compiler that has built this program: the front end alone for
// headers, and an optimised build of the quickstart. processor_s leaves out the time in which the compiler waited for a
// processor.

#include <benchmark/benchmark.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "siena/core.hpp"
#include "support.hpp"

extern char** environ;

namespace {

using namespace siena::bench;

/// A file that is there as long as this object.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text) {
    std::string pattern = (std::filesystem::temp_directory_path() / "siena_compile_time_XXXXXX").string();
    const int file = mkstemp(pattern.data());
    siena::require<siena::DataError>(file >= 0, "compile_time: expected to write {}, got: {}", pattern, std::strerror(errno));
    close(file);
    path_ = pattern;
    std::ofstream(path_) << text;
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Runs a program to its end; its standard streams are ours.
rusage run_program(std::vector<std::string> arguments) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, pointers[0], nullptr, nullptr, pointers.data(), environ);
  siena::require<siena::DataError>(error == 0, "compile_time: expected to start {}, got: {}", arguments[0],
                                   std::strerror(error));
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0) {
    siena::require<siena::DataError>(errno == EINTR, "compile_time: expected {} to end, got: {}", arguments[0],
                                     std::strerror(errno));
  }
  siena::require<siena::DataError>(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                                   "compile_time: expected {} to succeed, it did not; its output stands above", arguments[0]);
  return usage;
}

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); }

void compile(benchmark::State& state, const std::string& source, const std::vector<std::string>& options) {
  std::vector<std::string> arguments{SIENA_BENCH_COMPILER, "@" SIENA_BENCH_OPTIONS, "-x", "c++", source};
  arguments.insert(arguments.end(), options.begin(), options.end());
  std::vector<double> processor;
  long most = 0;
  for (auto _ : state) {
    const rusage usage = run_program(arguments);
    processor.push_back(seconds(usage.ru_utime) + seconds(usage.ru_stime));
    most = std::max(most, usage.ru_maxrss);
  }
  state.counters["processor_s"] = median(processor);
  state.counters["peak_MB"] = static_cast<double>(most) * 1024 / 1e6;
}

void add() {
  const auto entry = [](const std::string& name, auto run) {
    benchmark::RegisterBenchmark(("compile_time/" + name).c_str(), run)
        ->Unit(benchmark::kMillisecond)
        ->Iterations(1)
        ->UseRealTime();
  };
  for (const std::string header : {"siena/cost.hpp", "siena/siena.hpp"}) {
    entry("front_end/" + header, [header](benchmark::State& state) {
      const ScratchFile source("#include <" + header + ">\n");
      compile(state, source.path(), {"-fsyntax-only"});
    });
  }
  entry("O2/examples/quickstart.cpp", [](benchmark::State& state) {
    const ScratchFile object("");
    compile(state, SIENA_BENCH_QUICKSTART, {"-O2", "-c", "-o", object.path()});
  });
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv, add); }
