// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/deploy/c_source.hpp"
#include "siena/deploy/integer/simulate.hpp"
#include "support/catch.hpp"
#include "support/compiled_c.hpp"
#include "support/random_integer_network.hpp"

using namespace siena;
using deploy::CTarget;
using deploy::IntegerNetwork;
using test::RandomIntegerNetwork;

namespace {

constexpr const char* cortex_compiler = "cc -std=c99 -O0 -fsanitize=address,undefined -fno-sanitize-recover=all";

bool cortex_compiles() {
  if (!test::CompiledC::possible()) WARN("skipped: no C compiler 'cc'");
  return test::CompiledC::possible();
}

/// Networks as C for Cortex-M, in the host's words, beside what the simulator makes of the same samples.
struct CortexCompared {
  test::CompiledC c;
  std::vector<std::int8_t> expected;

  void add(const IntegerNetwork& network, RandomIntegerNetwork& random, int samples = 3) {
    std::vector<std::int8_t> inputs;
    for (int i = 0; i < samples; ++i) {
      const std::vector<std::int8_t> input = random.input(network), output = deploy::simulate(network, input);
      inputs.insert(inputs.end(), input.begin(), input.end());
      expected.insert(expected.end(), output.begin(), output.end());
    }
    c.add(network, inputs, {.target = CTarget::cortex_m});
  }
};

/// Any window that fits, of any stride, dilation and padding, which some windows may see nothing but.
kernels::ConvGeometry cortex_window(Random& random, const Shape& image) {
  const auto one_of = [&](int n) { return 1 + static_cast<int>(random.below(static_cast<std::uint64_t>(n))); };
  const auto upto = [&](int n) { return static_cast<int>(random.below(static_cast<std::uint64_t>(n) + 1)); };
  while (true) {
    kernels::ConvGeometry g{.out_channels = one_of(13),
                            .kernel_height = image.rank() > 2 ? one_of(5) : 1,
                            .kernel_width = one_of(5),
                            .stride_height = image.rank() > 2 ? one_of(3) : 1,
                            .stride_width = one_of(3),
                            .dilation_height = image.rank() > 2 && one_of(4) == 1 ? 2 : 1,
                            .dilation_width = one_of(4) == 1 ? one_of(3) : 1};
    const int above = (g.kernel_height - 1) * g.dilation_height, left = (g.kernel_width - 1) * g.dilation_width;
    const bool wide = one_of(3) == 1;
    const int rows_more = wide && image.rank() > 2 ? 3 : 0, columns_more = wide ? 3 : 0;
    g.pad_top = upto(above + rows_more), g.pad_left = upto(left + columns_more);
    g.pad_bottom = upto(above + rows_more), g.pad_right = upto(left + columns_more);
    const auto rows = image.rank() > 2 ? image[0] : 1;
    if (kernels::output_size(rows, g.kernel_height, g.stride_height, g.dilation_height, {g.pad_top, g.pad_bottom}) > 0 &&
        kernels::output_size(image[-2], g.kernel_width, g.stride_width, g.dilation_width, {g.pad_left, g.pad_right}) > 0)
      return g;
  }
}

/// One convolution: `kind` 0: of all channels, 1: depthwise, 2: in groups, 3: pointwise, 4: a linear layer.
IntegerNetwork cortex_convolution(RandomIntegerNetwork& r, Random& random, int kind) {
  const auto one_of = [&](int n) { return 1 + static_cast<int>(random.below(static_cast<std::uint64_t>(n))); };
  const bool signal = one_of(5) == 1;
  const int channels = kind == 2 ? 3 * one_of(4) : one_of(4) == 1 ? 10 + one_of(50) : one_of(12);
  const Shape shape = signal ? Shape{one_of(30), channels} : Shape{one_of(9), one_of(11), channels};
  const int x = r.begin(kind == 4 ? Shape{channels * 7} : shape);
  kernels::ConvGeometry g = cortex_window(random, shape);
  if (kind == 1) g.groups = channels, g.out_channels = channels * (one_of(5) == 1 ? 2 : 1);
  if (kind == 2) g.groups = 3, g.out_channels = 3 * one_of(5);
  if (kind >= 3) g = {.out_channels = g.out_channels};
  kind == 4 ? r.linear(x, one_of(40)) : r.convolution(x, g);
  IntegerNetwork network = r.end();
  std::get<deploy::integer::Convolution>(network.operations.back().what).shift = one_of(3) - 1;
  if (one_of(2) == 1) network.operations.back().low = -128, network.operations.back().high = 127;
  return network;
}

/// Whether the text is that for Cortex-M.
bool is_specialised(const IntegerNetwork& network) {
  return deploy::c_text(network, {.target = CTarget::cortex_m}).code.find("siena_mac") != std::string::npos;
}

}  // namespace

TEST_CASE("C for Cortex-M computes convolutions of any make as the simulator does") {
  if (!cortex_compiles()) return;
  CortexCompared compared;
  RandomIntegerNetwork networks(1);
  Random random(2);
  for (int i = 0; i < 40; ++i) {
    const IntegerNetwork network = cortex_convolution(networks, random, i % 5);
    const auto layer = deploy::architecture_of(network).layers.back();
    INFO(i);
    REQUIRE(has_cortex_body(layer) == (layer.kind != LayerKind::batch_norm));
    REQUIRE(is_specialised(network) == has_cortex_body(layer));
    compared.add(network, networks);
  }
  REQUIRE(compared.c.run(cortex_compiler) == compared.expected);
}

TEST_CASE("C for Cortex-M reads no further than inputs go, of weights of 2 bits beside others") {
  if (!cortex_compiles()) return;
  CortexCompared compared;
  RandomIntegerNetwork networks(3);
  for (const int inputs : {9, 10, 17, 24}) {
    networks.convolution(networks.begin({4, 4, inputs}), {.out_channels = 4});
    IntegerNetwork network = networks.end();
    auto& what = std::get<deploy::integer::Convolution>(network.operations.back().what);
    what.bits = {2, 2, 8, 2};
    for (std::size_t i = 0; i < what.weights.size(); ++i)
      what.weights[i] = static_cast<std::int8_t>(static_cast<int>(i % 3) - 1);
    REQUIRE(deploy::c_text(network, {.target = CTarget::cortex_m}).code.find("filters_2") != std::string::npos);
    compared.add(network, networks);
  }
  REQUIRE(compared.c.run(cortex_compiler) == compared.expected);
}

TEST_CASE("C for Cortex-M lies in an arena that was planned by what it needs") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const IntegerNetwork network = RandomIntegerNetwork(seed).make(12);
    const Architecture<double> architecture = deploy::architecture_of(network);
    for (std::size_t i = 0; i < network.operations.size(); ++i) {
      const LayerDesc<double>& layer = architecture.layers[i];
      INFO(seed << " " << layer.name);
      const auto body = deploy::c::body_of({.network = network, .operation = network.operations[i]}, CTarget::cortex_m);
      const bool portable = body.preambles.empty();
      REQUIRE(has_cortex_body(layer) == !portable);
      REQUIRE(static_cast<double>(body.scratch) <= siena::detail::scratch_of(layer));
      if (portable) REQUIRE((body.scratch == 0 && !layer.is_convolution()));
    }
  }
}

TEST_CASE("C for Cortex-M computes random networks as the simulator does, in one arena") {
  if (!cortex_compiles()) return;
  CortexCompared compared;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    RandomIntegerNetwork networks(seed);
    compared.add(networks.make(10), networks);
  }
  REQUIRE(compared.c.run(cortex_compiler) == compared.expected);
}
