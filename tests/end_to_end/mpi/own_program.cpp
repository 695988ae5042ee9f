// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What docs/guides/cluster.md shows: a program of one's own on several ranks. Prints a hash of what they trained, and of what
// each of many searches found. With an argument rank 1 fails.

#include <cstdio>
#include <exception>
#include <siena/mpi.hpp>
#include <siena/siena.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/shared_searches.hpp"

using namespace siena;

namespace {

std::string bytes_of(const Network& network) {
  State state;
  network.save(state);
  return siena::detail::state_bytes(state);
}
// "masks 5f3a9c01d2e4b677", or that ranks differ.
void say_hash(const std::string& name, const std::string& found, const AnyCommunicator& ranks) {
  const auto mine = Fingerprint().add(found).value();
  bool same = true;
  for (const auto other : gather(ranks, std::vector{mine})) same = same && other == mine;
  if (ranks.rank() == 0) std::printf("%s", format("{} {:016x}{}\n", name, mine, same ? "" : ", not on all ranks").c_str());
}

/// The exit status. What all ranks say is said once; what one says ends the others.
int failed(const mpi::Environment& environment, const mpi::Ranks& ranks, const std::exception& error) {
  const bool all = environment.all_end();
  if (!all || ranks.rank() == 0) std::fprintf(stderr, "%s\n", error.what());
  if (!all) environment.abort(1);
  return 1;
}

}  // namespace

int main(int argc, char** argv) try {
  const mpi::Environment environment(&argc, &argv);
  const mpi::Ranks ranks;
  if (argc > 1 && std::string(argv[1]) == "together")
    return failed(environment, ranks, std::runtime_error("all ranks have other plans"));
  const auto data = data::synthetic_images({.classes = 4, .train = 69, .validation = 16, .test = 0});
  Network network(data.shape(), [](Flow x) {
    return x | Conv2d{.out = 8, .stride = 2} | BatchNorm{} | Relu{} | GlobalAvgPool{} | Linear{.out = 4};
  });
  if (argc > 1 && ranks.rank() == 1) throw std::runtime_error("one rank has other plans");
  fit(network, data, {.epochs = 1, .batch = 32, .ranks = ranks, .shards = 12});
  say_hash("training", bytes_of(network), ranks);
  for (const test::SharedSearch& searched : test::shared_searches())
    say_hash(searched.name, test::found_with(searched, ranks, 12), ranks);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
