// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// A step on several ranks, in turns with the same step on one process that has all of their threads:
// mpirun --bind-to none -n 2 bench_ranks. A process alone takes turns between 8 shards and none.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support.hpp"
#include "workload.hpp"
#ifdef SIENA_BENCHMARKS_MPI
#include <thread>

#include "siena/mpi.hpp"
#endif

namespace {

using namespace siena;
using namespace siena::bench;

// What this rank has to do with messages.
struct Traffic {
  double messages = 0, bytes = 0;  // that it takes part in, and gives to others
  double waited = 0;               // seconds

  Traffic operator-(const Traffic& before) const {
    return {messages - before.messages, bytes - before.bytes, waited - before.waited};
  }
};
Traffic traffic;

// A network that this machine does not have: each message is as late as it would make it.
struct Link {
  using Clock = std::chrono::steady_clock;
  double latency = 0, bytes_per_second = 0;  // 0: no limit
  Clock::time_point free = {};

  Clock::time_point arrival(double bytes) {
    const auto after = [](double seconds) {
      return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    };
    free = std::max(free, Clock::now()) + after(bytes_per_second > 0 ? bytes / bytes_per_second : 0);
    return free + after(latency);
  }
};
Link wire;

// Counts what another communicator is asked for, and waits for the link.
struct Counted {
  struct UnderWay {
    Message message;
    Link::Clock::time_point arrival;
    void wait() {
      const Stopwatch watch;
      message.wait();
      while (Link::Clock::now() < arrival) {
      }
      traffic.waited += watch.seconds();
    }
  };

  AnyCommunicator ranks;
  int rank() const { return ranks.rank(); }
  int size() const { return ranks.size(); }
  UnderWay all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    return count(mine.size() * others(), ranks.all_gather(mine, all));
  }
  UnderWay all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) {
    return count(mine.size() / static_cast<std::size_t>(size()) * others(), ranks.all_to_all(mine, all));
  }
  UnderWay broadcast(std::span<std::byte> all, int root) {
    return count(rank() == root ? all.size() * others() : 0, ranks.broadcast(all, root));
  }
  std::size_t others() const { return static_cast<std::size_t>(size() - 1); }
  static UnderWay count(std::size_t bytes, Message message) {
    const auto all = static_cast<double>(bytes);
    traffic.messages += 1, traffic.bytes += all;
    return {std::move(message), wire.arrival(all)};
  }
};

AnyCommunicator all_ranks() {
#ifdef SIENA_BENCHMARKS_MPI
  if (mpi::launched()) return Counted{AnyCommunicator(mpi::Ranks())};
#endif
  return {};
}
// Waits for all ranks, and leaves the cores to those that work.
void meet([[maybe_unused]] const AnyCommunicator& ranks) {
#ifdef SIENA_BENCHMARKS_MPI
  if (ranks.alone()) return;
  MPI_Request request;
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  for (int done = 0; done == 0;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
#endif
}

void step_on_ranks(benchmark::State& state, const AnyCommunicator& ranks, const std::string& network, bool searches) {
  const std::int64_t batch = state.range(0), each = state.range(1);
  Traffic begin, step;
  const auto make = [&](const Together& together) {
    return searches ? Training::search(network, batch, 100, together) : Training::plain(network, batch, together);
  };
  Training shared =
      make({.ranks = ranks, .shards = 8, .begin = [&] { begin = traffic; }, .end = [&] { step = traffic - begin; }});
  std::optional<Training> alone;
  if (ranks.rank() == 0) alone.emplace(make({}));
  const auto both = [&] {
    meet(ranks);
    double one = 0;
    if (alone) {
      const ThreadScope threads(each * ranks.size());
      one = alone->step();
    }
    meet(ranks);
    const ThreadScope threads(each);
    return std::pair(shared.step(), one);
  };
  both();  // the first ones fill the memory pools
  std::vector<double> seconds, seconds_alone, ratios, waited;
  for (auto _ : state) {
    const auto [all, one] = both();
    state.SetIterationTime(all);
    seconds.push_back(all), seconds_alone.push_back(one), ratios.push_back(one / all), waited.push_back(step.waited);
  }
  state.counters["median_ms"] = 1e3 * median(seconds);
  state.counters["alone_ms"] = 1e3 * median(seconds_alone);
  state.counters["speed/alone"] = median(ratios);
  state.counters["waited_ms"] = 1e3 * median(waited);
  state.counters["messages"] = step.messages;
  state.counters["kB"] = 1e-3 * step.bytes;
}

void add(const AnyCommunicator& ranks) {
  for (const bool searches : {false, true}) {
    for (const std::string& network : network_names()) {
      auto* entry =
          benchmark::RegisterBenchmark(((searches ? "ranks/search/" : "ranks/") + network).c_str(),
                                       [=](benchmark::State& state) { step_on_ranks(state, ranks, network, searches); })
              ->ArgNames({"batch", "threads"})
              ->Args({128, 1})
              ->Unit(benchmark::kMillisecond)
              ->UseManualTime();
      if (!ranks.alone()) entry->Iterations(25);  // as many on all of them
    }
  }
}

void read(std::string_view argument) {
  const auto number = [&](std::string_view name, double& value, double unit) {
    if (!argument.starts_with(name)) return false;
    value = unit * std::stod(std::string(argument.substr(name.size())));
    return true;
  };
  require<ArgumentError>(number("--latency=", wire.latency, 1e-6) || number("--bandwidth=", wire.bytes_per_second, 1e9),
                         "bench_ranks: expected --latency=MICROSECONDS or --bandwidth=GB/S, got '{}'", argument);
}

}  // namespace

int main(int argc, char** argv) {
#ifdef SIENA_BENCHMARKS_MPI
  std::optional<mpi::Environment> environment;
  if (mpi::launched()) environment.emplace(&argc, &argv);
#endif
  static const AnyCommunicator ranks = all_ranks();
  if (ranks.rank() != 0 && std::freopen("/dev/null", "w", stdout) == nullptr) return 1;
  return run(
      argc, argv, [] { add(ranks); }, read);
}
