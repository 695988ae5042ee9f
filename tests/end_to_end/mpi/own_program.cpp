// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What docs/guides/cluster.md shows: a program of one's own on several ranks. Prints a hash of what they trained.

#include <bit>
#include <cstdint>
#include <cstdio>
#include <siena/mpi.hpp>
#include <siena/siena.hpp>

using namespace siena;

int main(int argc, char** argv) {
  const mpi::Environment environment(&argc, &argv);
  const mpi::Ranks ranks;
  const auto data = data::synthetic_images({.classes = 4, .train = 69, .validation = 16, .test = 0});
  Network network(data.shape(), [](Flow x) {
    return x | Conv2d{.out = 8, .stride = 2} | BatchNorm{} | Relu{} | GlobalAvgPool{} | Linear{.out = 4};
  });
  fit(network, data, {.epochs = 1, .batch = 32, .ranks = ranks, .shards = 8});
  Fingerprint bits;
  for (const Parameter* parameter : network.parameters()) {
    for (const float value : parameter->value.storage()) bits.add(std::uint64_t{std::bit_cast<std::uint32_t>(value)});
  }
  if (ranks.rank() == 0) std::printf("%016llx\n", static_cast<unsigned long long>(bits.value()));
}
