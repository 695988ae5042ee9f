// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "siena/cost/peak_memory.hpp"
#include "siena/deploy/c/target.hpp"
#include "siena/deploy/c_source.hpp"
#include "siena/deploy/integer/quantize.hpp"
#include "siena/space/describe.hpp"
#include "support/catch.hpp"
#include "support/compiled_c.hpp"
#include "support/deployed_networks.hpp"
#include "support/random_integer_network.hpp"
#include "support/random_network.hpp"

using namespace siena;
using deploy::IntegerNetwork;
using test::ComparedC;
using test::RandomIntegerNetwork;
using test::RandomNetwork;

namespace {

/// How many inputs each network gets: more by hand than in a test that all run.
int c_samples(int unless) {
  const char* said = std::getenv("SIENA_C_SAMPLES");
  return said ? std::atoi(said) : unless;
}

IntegerNetwork c_integers(const Network& network) {
  const std::vector<Tensor> batch{RandomNetwork(5).batch(network, 4)};
  return deploy::quantize(network, batch);
}

/// What is left of a random network, of layers that integers can compute.
Network c_found(std::uint64_t seed) {
  Network network = seed % 3 == 0 ? RandomNetwork(seed).make_1d() : RandomNetwork(seed).make();
  return test::found_by_chance(network, seed + 1);
}

}  // namespace

TEST_CASE("C of the networks of the benchmarks computes what the simulator does, in the memory that was priced") {
  ComparedC compared;
  RandomIntegerNetwork random(1);
  for (const auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    const IntegerNetwork integers = c_integers(network);
    for (const deploy::CTarget target : {deploy::CTarget::portable, deploy::CTarget::cortex_m}) {
      const ArenaRules rules = deploy::c::arena_rules(target);
      REQUIRE(plan_arena(deploy::architecture_of(integers), rules).total == total(PeakMemory{rules}, describe(network)));
    }
    REQUIRE(deploy::c_text(integers).arena == total(PeakMemory{}, describe(network)));
    if (test::CompiledC::possible()) compared.add(integers, random, c_samples(2));
  }
  if (test::compiles_c()) REQUIRE(compared.c.run("cc -std=c99 -O2") == compared.expected);
}

TEST_CASE("C of networks that searches find computes what the simulator does") {
  ComparedC compared;
  int networks = 0, equal = 0, more = 0;
  for (std::uint64_t seed = 1; networks < 200; ++seed) {
    const Network network = c_found(seed);
    if (test::has<GroupNorm>(network)) continue;
    INFO(seed);
    const IntegerNetwork integers = c_integers(network);
    const double arena = static_cast<double>(deploy::c_text(integers).arena);
    const double priced = total(PeakMemory{}, describe(network));
    // Less where a depthwise convolution of 1 x 1 works in place; more where a ReLU that is fused would have moved its value.
    equal += arena == priced ? 1 : 0, more += arena > priced ? 1 : 0, ++networks;
    RandomIntegerNetwork random(seed);
    if (test::CompiledC::possible()) compared.add(integers, random, c_samples(3));
  }
  REQUIRE(equal > 190);
  REQUIRE(more <= 2);
  if (test::compiles_c()) REQUIRE(compared.c.run("cc -std=c99 -O0") == compared.expected);
}
