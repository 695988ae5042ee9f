// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/nn/summary.hpp"

#include "support/catch.hpp"

using namespace siena;

namespace {

Network example() {
  return Network{Shape{8, 8, 3}, [](Flow x) {
                   x = (x | Conv2d{.out = 16, .kernel = 3, .stride = 2}).named("stem \"one\"") | BatchNorm{};
                   return add(x, x | Relu{}) | Flatten{} | Linear{.out = 10};
                 }};
}

}  // namespace

TEST_CASE("summary: a table with a line a node") {
  CHECK(summary(example()) ==
        "node          kind        output  parameters  inputs\n"
        "input         input       8x8x3            0\n"
        "stem \"one\"    conv2d      4x4x16         448  input\n"
        "batch_norm_1  batch_norm  4x4x16          32  stem \"one\"\n"
        "relu_1        relu        4x4x16           0  batch_norm_1\n"
        "add_1         add         4x4x16           0  batch_norm_1, relu_1\n"
        "flatten_1     flatten     256              0  add_1\n"
        "linear_1      linear      10            2570  flatten_1\n"
        "3050 parameters\n");
}

TEST_CASE("summary: parameters of the architecture are counted apart") {
  Network net = example();
  net.add_parameter(Parameter("mask", Tensor({16}, 1.0f), Role::architecture));
  CHECK_THAT(summary(net), ContainsSubstring("3050 parameters and 16 of the architecture\n"));
}

TEST_CASE("to_dot: nodes, edges, and names with quotes") {
  const std::string dot = to_dot(example());
  CHECK(dot.find("digraph network {\n") == 0);
  CHECK_THAT(dot, ContainsSubstring("n1 [label=\"stem \\\"one\\\"\\nconv2d 4x4x16\"];\n"));
  CHECK_THAT(dot, ContainsSubstring("n0 -> n1;\n") && ContainsSubstring("n2 -> n4;\n") && ContainsSubstring("n3 -> n4;\n"));
  CHECK(dot.back() == '\n');
}
