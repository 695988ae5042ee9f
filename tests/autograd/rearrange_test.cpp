// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/rearrange.hpp"

#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "support/gradients.hpp"

using namespace siena;

TEST_CASE("boxes: values and gradients") {
  const kernels::BoxGeometry box{.height = 3,
                                 .width = 4,
                                 .channels = 5,
                                 .top = 1,
                                 .left = 2,
                                 .first = 1,
                                 .box_height = 2,
                                 .box_width = 1,
                                 .box_channels = 3};
  const DTensor whole = random_tensor<double>({2, 3, 4, 5}, 1), part = random_tensor<double>({2, 2, 1, 3}, 2);
  const auto take = [&](const DVar& x) { return ops::take_box(x, box, part.shape()); };
  const auto put = [&](const DVar& x) { return ops::put_box(x, box, whole.shape()); };
  DTape tape(false);
  const DTensor taken = take(tape.reference(whole)).value(), held = put(tape.reference(part)).value();
  CHECK(taken(1, 1, 0, 2) == whole(1, 2, 2, 3));
  CHECK(held(1, 2, 2, 3) == part(1, 1, 0, 2));
  CHECK(held(1, 2, 2, 4) == 0);
  CHECK(held(0, 0, 2, 2) == 0);
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return take(in[0]); }, {whole}));
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return put(in[0]); }, {part}));
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::add(take(in[0]), take(in[0])); }, {whole}));
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::add(put(in[0]), put(in[0])); }, {part}));
}

TEST_CASE("upsample: values and gradients") {
  DTape tape(false);
  const DVar x = tape.constant(DTensor({1, 1, 2, 1}, {1, 2}));
  std::vector<double> elements;
  ops::upsample(x, {.width = 2, .vertical = 2, .horizontal = 3}, {1, 2, 6, 1}).value().copy_to(elements);
  CHECK(elements == std::vector<double>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2});
  const auto up = [](const DVar& in) {
    return ops::upsample(in, {.height = 3, .width = 2, .channels = 9, .vertical = 2, .horizontal = 3}, {2, 6, 6, 9});
  };
  const DTensor image = random_tensor<double>({2, 3, 2, 9}, 1);
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return up(in[0]); }, {image}));
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::add(up(in[0]), up(in[0])); }, {image}));
}

TEST_CASE("interleaved channels: values and gradients") {
  const DTensor x = random_tensor<double>({2, 3, 6}, 1);
  DTape tape(false);
  const DTensor y = ops::interleave_channels(tape.reference(x), 2).value();
  for (int c = 0; c < 6; ++c) CHECK(y(1, 2, c) == x(1, 2, c % 2 * 3 + c / 2));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::interleave_channels(in[0], 2); }, {x}));
  CHECK_GRADIENTS(gradcheck(
      [](DTape&, DVars in) { return ops::add(ops::interleave_channels(in[0], 3), ops::interleave_channels(in[0], 6)); }, {x}));
}
