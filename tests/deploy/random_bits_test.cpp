// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Random networks x random bits, masks and choices: all forms of one network agree. 500 of them: SIENA_BITS_NETWORKS=500

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "siena/cost/flash.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/mpic.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/cost/ram.hpp"
#include "siena/deploy/c_source.hpp"
#include "siena/deploy/integer/batch_simulator.hpp"
#include "siena/deploy/integer/quantization_aware.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "support/catch.hpp"
#include "support/compiled_c.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"
#include "support/settled_network.hpp"

using namespace siena;
using test::RandomNetwork;

namespace {

int bits_networks(int unless) {
  const char* said = std::getenv("SIENA_BITS_NETWORKS");
  return said ? std::atoi(said) : unless;
}

std::vector<double> prices_of(const Architecture<double>& network) {
  std::vector<double> prices{total(ModelSize{}, network), total(PeakMemory{}, network), total(Mpic{}, network)};
  for (const CodeSize& code : {code_portable, code_cortex_m})
    prices.insert(prices.end(), {total(Flash{code}, network), total(Ram{code}, network)});
  return prices;
}

/// What a selection leaves, which computes and costs what the masked network does. Its batch norms are settled.
Network left_of(RandomNetwork& generator, Network network) {
  const SearchSpace space = SearchSpace::install(network);
  space.select(network, generator.selection(space));
  Network plain = discretize(network, space);
  const Tensor batch = generator.batch(network, 2);
  REQUIRE(test::difference(network.predict(batch), plain.predict(batch)) <= 1e-4);
  REQUIRE(prices_of(describe(network, space)) == prices_of(describe(plain)));
  test::settle(plain);
  return plain;
}

/// The tables and the arena that are written are those that were priced.
void costs_what_it_says(const Network& network, const deploy::IntegerNetwork& integers) {
  const Architecture<double> architecture = describe(network);
  for (const CodeSize& code : {code_portable, code_cortex_m}) {
    const deploy::CSource source = deploy::c_text(integers, {.target = code.target});
    double tables = 0;
    for (const auto& layer : as_deployed(architecture).layers) tables += Flash{code}.tables(layer);
    REQUIRE(static_cast<double>(source.table_bytes()) == tables);
    if (!test::has_custom_layers(network)) REQUIRE(static_cast<double>(source.arena) == Ram{code}.arena(architecture));
  }
}

/// The whole numbers that a network makes of samples, one after the other: the same by either simulator.
std::vector<std::int8_t> simulated_both_ways(const deploy::IntegerNetwork& integers, const Tensor& batch,
                                             const std::vector<std::int8_t>& inputs) {
  const std::size_t each = inputs.size() / static_cast<std::size_t>(batch.shape()[0]);
  std::vector<std::int8_t> outputs;
  for (std::size_t at = 0; at < inputs.size(); at += each) {
    const auto output = deploy::simulate(integers, std::span(inputs).subspan(at, each));
    outputs.insert(outputs.end(), output.begin(), output.end());
  }
  std::vector<float> at_once;
  deploy::BatchSimulator(integers).run(batch).copy_to(at_once);
  REQUIRE(at_once == deploy::dequantize_output(integers, outputs));
  return outputs;
}

/// Of how many samples a greatest output of the floats is one of the integers, too.
int same_classes(const Tensor& floats, std::span<const std::int8_t> integers) {
  int alike = 0;
  const auto classes = static_cast<std::size_t>(floats.columns());
  for (std::int64_t n = 0; n < floats.rows(); ++n) {
    const auto row = floats.row(n);
    const auto numbers = integers.subspan(static_cast<std::size_t>(n) * classes, classes);
    const float most = *std::max_element(row.begin(), row.end());
    const std::int8_t greatest = *std::max_element(numbers.begin(), numbers.end());
    bool agrees = false;
    for (std::size_t c = 0; c < classes; ++c) agrees |= row[c] == most && numbers[c] == greatest;
    alike += agrees ? 1 : 0;
  }
  return alike;
}

}  // namespace

TEST_CASE("networks of any bits, masks and choices: floats, integers and C agree, at the price that was said") {
  constexpr int samples = 20;
  const int wanted = bits_networks(24);
  int networks = 0, alike = 0, mixed = 0;
  test::ComparedC compared;
  for (std::uint64_t seed = 0; networks < wanted; ++seed) {
    INFO("network " << seed);
    RandomNetwork generator(seed, true, true);
    const Network network = left_of(generator, seed % 3 == 0 ? generator.make_1d() : generator.make());
    if (test::has<GroupNorm>(network)) continue;  // integers have none
    const Tensor batch = test::varied_batch(network, samples, seed);
    Network aware = deploy::quantization_aware(network, std::vector{batch});
    const deploy::IntegerNetwork integers = deploy::quantize(aware);
    costs_what_it_says(network, integers);
    std::vector<float> numbers;
    batch.copy_to(numbers);
    const std::vector<std::int8_t> inputs = deploy::quantize_input(integers, numbers);
    const std::vector<std::int8_t> outputs = simulated_both_ways(integers, batch, inputs);
    alike += same_classes(aware.predict(batch), outputs);
    ++networks;
    mixed += std::any_of(network.nodes().begin(), network.nodes().end(),
                         [](const auto& node) { return weight_bits_of(node.layer).differ(); });
    if (networks % 6 != 0 || networks > 60 || !test::CompiledC::possible()) continue;
    const auto target = networks % 12 == 0 ? deploy::CTarget::cortex_m : deploy::CTarget::portable;
    compared.c.add(integers, inputs, {.target = target});
    compared.expected.insert(compared.expected.end(), outputs.begin(), outputs.end());
  }
  UNSCOPED_INFO("of " << networks * samples << " classes " << alike);
  CHECK(alike >= networks * samples - networks * samples / 1000);
  CHECK(mixed > networks / 4);
  if (test::compiles_c()) REQUIRE(compared.c.run("cc -std=c99 -O0") == compared.expected);
}
