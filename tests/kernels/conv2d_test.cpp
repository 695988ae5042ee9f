// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/conv2d.hpp"

#include "kernels/conv2d_check.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::kernels;
using siena::test::check_convolution;
using siena::test::random_geometry;

namespace {

ConvGeometry square(std::int64_t size, std::int64_t in, std::int64_t out, int kernel, int stride, int pad) {
  return {.in_height = size,
          .in_width = size,
          .in_channels = in,
          .out_channels = out,
          .kernel_height = kernel,
          .kernel_width = kernel,
          .stride_height = stride,
          .stride_width = stride,
          .pad_top = pad,
          .pad_bottom = pad,
          .pad_left = pad,
          .pad_right = pad};
}

}  // namespace

TEMPLATE_TEST_CASE("convolutions agree with the reference on every number of channels", "[kernels][conv2d]", float, double) {
  for (const std::int64_t in : {1, 2, 3, 5, 8, 11, 16, 17, 24, 33}) {
    for (const std::int64_t out : {1, 8, 17, 24, 33}) {
      check_convolution<TestType>(conv_geometry(square(3, in, out, 3, 1, 1)), out == 24 ? 9 : 1);
      check_convolution<TestType>(conv_geometry(square(3, in, out, 1, 1, 0)), 2);
    }
  }
}

TEMPLATE_TEST_CASE("convolutions agree with the reference on every batch size", "[kernels][conv2d]", float, double) {
  for (const std::int64_t batch : {1, 2, 7, 8, 9, 17, 24}) {
    check_convolution<TestType>(conv_geometry(square(5, 3, 17, 3, 1, 1)), batch);
    check_convolution<TestType>(conv_geometry(square(5, 16, 24, 3, 2, 1)), batch);
    check_convolution<TestType>(conv_geometry(square(7, 8, 16, 1, 2, 0)), batch);
    check_convolution<TestType>(conv_geometry({.in_channels = 37, .out_channels = 70}), batch);  // a linear layer
  }
}

TEMPLATE_TEST_CASE("convolutions agree with the reference on every window", "[kernels][conv2d]", float, double) {
  for (const std::int64_t size : {1, 2, 3, 4, 5, 6, 7, 8, 9}) {
    for (const int kernel : {1, 2, 3, 5}) {
      for (const int stride : {1, 2, 3}) {
        const Padding p = same_padding(size, kernel, stride);
        check_convolution<TestType>(conv_geometry({.in_height = size,
                                                   .in_width = size,
                                                   .in_channels = 5,
                                                   .out_channels = 8,
                                                   .kernel_height = kernel,
                                                   .kernel_width = kernel,
                                                   .stride_height = stride,
                                                   .stride_width = stride,
                                                   .pad_top = p.before,
                                                   .pad_bottom = p.after,
                                                   .pad_left = p.before,
                                                   .pad_right = p.after}),
                                    size % 3 == 0 ? 9 : 2);
      }
    }
  }
  const ConvGeometry audio = conv_geometry({.in_height = 23,
                                            .in_width = 10,
                                            .in_channels = 1,
                                            .out_channels = 16,
                                            .kernel_height = 10,
                                            .kernel_width = 4,
                                            .stride_height = 2,
                                            .stride_width = 2,
                                            .pad_top = 4,
                                            .pad_bottom = 5,
                                            .pad_left = 1,
                                            .pad_right = 1});
  check_convolution<TestType>(audio, 1);
  check_convolution<TestType>(audio, 11);
}

// Rows of eight outputs and more have tiles of their own, with and without borders, and outputs left over.
TEMPLATE_TEST_CASE("convolutions agree with the reference on wide rows", "[kernels][conv2d]", float, double) {
  Random random(9);
  const auto pick = [&](std::initializer_list<int> values) { return values.begin()[random.below(values.size())]; };
  for (int i = 0; i < 60; ++i) {
    CAPTURE(i);
    check_convolution<TestType>(conv_geometry({.in_height = pick({1, 2, 3, 4}),
                                               .in_width = pick({8, 9, 10, 15, 16, 17, 18, 19, 31, 32, 33}),
                                               .in_channels = pick({1, 3, 8, 17, 33}),
                                               .out_channels = pick({5, 8, 16, 24, 33, 40}),
                                               .kernel_height = pick({1, 2, 3, 3}),
                                               .kernel_width = pick({2, 3, 3}),
                                               .stride_height = pick({1, 1, 2}),
                                               .stride_width = pick({1, 2}),
                                               .pad_top = pick({1, 2}),
                                               .pad_bottom = pick({1, 2}),
                                               .pad_left = pick({0, 1, 2, 3}),
                                               .pad_right = pick({0, 1, 2, 3, 9})}),
                                pick({1, 2, 3, 4, 5, 7}));
  }
}

// One vector of output channels: backward-weights takes the three taps of a kernel row at once, channels in tiles of 3 to 8.
TEMPLATE_TEST_CASE("weights of kernel rows agree with the reference", "[kernels][conv2d]", float, double) {
  Random random(12);
  const auto pick = [&](std::initializer_list<int> values) { return values.begin()[random.below(values.size())]; };
  for (int in = 8; in < 35; ++in) {
    for (const int out : {4, 8, 16, 24, 56}) {
      CAPTURE(in, out);
      check_convolution<TestType>(conv_geometry({.in_height = pick({1, 2, 5}),
                                                 .in_width = pick({1, 2, 3, 4, 9}),
                                                 .in_channels = in,
                                                 .out_channels = out,
                                                 .kernel_height = pick({1, 2, 3, 3}),
                                                 .kernel_width = 3,
                                                 .stride_height = pick({1, 1, 2}),
                                                 .dilation_height = pick({1, 1, 2}),
                                                 .pad_top = 2,
                                                 .pad_bottom = 2,
                                                 .pad_left = 1,
                                                 .pad_right = 1}),
                                  pick({1, 2, 9}));
    }
  }
  check_convolution<float>(conv_geometry(square(32, 16, 16, 3, 1, 1)), 5);
}

// One vector of input channels at stride 2: backward-data spreads whole rows.
TEMPLATE_TEST_CASE("gradients of rows at stride 2 agree with the reference", "[kernels][conv2d]", float, double) {
  for (const int in : {3, 4, 8, 16}) {
    for (const int width : {8, 16, 24, 32}) {
      for (const int kernel_height : {1, 2, 3}) {
        for (const bool left : {false, true}) {
          CAPTURE(in, width, kernel_height, left);
          check_convolution<TestType>(conv_geometry({.in_height = kernel_height == 2 ? 1 : 7,
                                                     .in_width = width,
                                                     .in_channels = in,
                                                     .out_channels = 13,
                                                     .kernel_height = kernel_height,
                                                     .kernel_width = 3,
                                                     .stride_height = 2,
                                                     .stride_width = 2,
                                                     .dilation_height = width == 16 ? 2 : 1,
                                                     .pad_top = 2,
                                                     .pad_bottom = 1,
                                                     .pad_left = left,
                                                     .pad_right = !left}),
                                      width == 8 ? 5 : 2);
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("convolutions of colour images and spectrograms agree with the reference", "[kernels][conv2d]", float,
                   double) {
  for (const bool colour : {true, false}) {
    for (const std::int64_t out : {8, 16, 24, 41, 64}) {
      for (const int height : {1, 2, 3, 5, 10}) {
        for (const int stride : {1, 2}) {
          ConvGeometry o{.in_height = 19,
                         .in_width = out == 24 ? 5 : 23,
                         .in_channels = colour ? 3 : 1,
                         .out_channels = out,
                         .kernel_height = height,
                         .kernel_width = colour ? 3 : 4,
                         .stride_height = stride,
                         .stride_width = 3 - stride,
                         .dilation_height = height == 3 ? 2 : 1,
                         .pad_top = out == 8 ? 0 : 2,
                         .pad_bottom = out == 16 ? 0 : 3,
                         .pad_left = out == 16 ? 0 : 2,
                         .pad_right = out == 8 ? 0 : 5};
          check_convolution<TestType>(conv_geometry(o), out == 41 ? 19 : 2);
        }
      }
    }
  }
}

// Stems of a few channels under windows that no tile knows are products over a packed plane: lines longer than a tile, what is
// left of them across, taller or wider images.
TEMPLATE_TEST_CASE("stems under odd windows agree with the reference", "[kernels][conv2d]", float, double) {
  Random random(31);
  const auto pick = [&](std::initializer_list<int> values) { return values.begin()[random.below(values.size())]; };
  for (int i = 0; i < 60; ++i) {
    CAPTURE(i);
    const bool tall = i % 2 == 0;
    const int longer = pick({15, 21, 26, 27, 33, 40, 58}), shorter = pick({5, 7, 10, 13});
    check_convolution<TestType>(conv_geometry({.in_height = tall ? longer : shorter,
                                               .in_width = tall ? shorter : longer,
                                               .in_channels = pick({1, 2, 3, 7}),
                                               .out_channels = pick({16, 20, 24, 40, 64}),
                                               .kernel_height = pick({1, 2, 5, 7}),
                                               .kernel_width = pick({4, 5, 7}),
                                               .stride_height = pick({1, 2, 3}),
                                               .stride_width = pick({1, 2}),
                                               .dilation_height = pick({1, 1, 2}),
                                               .pad_top = pick({0, 2, 6}),
                                               .pad_bottom = pick({8, 9}),
                                               .pad_left = pick({0, 1, 3}),
                                               .pad_right = pick({2, 8})}),
                                pick({1, 2, 3, 8}));
  }
}

TEMPLATE_TEST_CASE("random convolutions agree with the reference", "[kernels][conv2d]", float, double) {
  Random random(7);
  for (int i = 0; i < 100; ++i) {
    CAPTURE(i);
    check_convolution<TestType>(random_geometry(random, test::Groups::one), 1 + random.below(9));
  }
}

TEMPLATE_TEST_CASE("random convolutions in groups agree with the reference", "[kernels][conv2d]", float, double) {
  Random random(8);
  for (int i = 0; i < 40; ++i) {
    CAPTURE(i);
    check_convolution<TestType>(random_geometry(random, test::Groups::some), 1 + random.below(9));
  }
}

TEST_CASE("large images and batches split over parts and chunks", "[kernels][conv2d]") {
  check_convolution<float>(conv_geometry(square(33, 3, 8, 3, 1, 1)), 3);
  check_convolution<float>(conv_geometry(square(20, 8, 16, 3, 2, 1)), 18);
  check_convolution<float>(conv_geometry(square(12, 16, 40, 1, 1, 0)), 17);
  check_convolution<float>(conv_geometry({.in_channels = 66, .out_channels = 70}), 300);
  check_convolution<double>(conv_geometry(square(17, 29, 33, 1, 1, 0)), 3);
}

// Less work than half a million multiply-adds is one task: these are enough for each way to cut it.
TEST_CASE("work is cut along images, rows, columns, taps and channels", "[kernels][conv2d]") {
  check_convolution<float>(conv_geometry({.in_height = 16,
                                          .in_width = 32,
                                          .in_channels = 48,
                                          .out_channels = 24,
                                          .kernel_height = 1,
                                          .kernel_width = 3,
                                          .pad_left = 1,
                                          .pad_right = 1}),
                           1);
  check_convolution<float>(conv_geometry(square(12, 90, 16, 3, 1, 1)), 3);
  check_convolution<float>(conv_geometry(square(16, 120, 16, 2, 1, 0)), 1);
  check_convolution<float>(conv_geometry({.in_channels = 1024, .out_channels = 32}), 64);
  check_convolution<float>(conv_geometry({.in_channels = 512, .out_channels = 250}), 8);
  check_convolution<float>(conv_geometry({.in_channels = 512, .out_channels = 256}), 24);
  check_convolution<float>(conv_geometry(square(6, 70, 64, 1, 1, 0)), 32);
  ConvGeometry depthwise = square(30, 72, 72, 3, 1, 1);
  depthwise.groups = 72;
  check_convolution<float>(conv_geometry(depthwise), 1);
  check_convolution<float>(conv_geometry(depthwise), 3);
  depthwise.kernel_height = 5;
  check_convolution<float>(conv_geometry(depthwise), 3);
}

TEST_CASE("convolutions of no images do nothing", "[kernels][conv2d]") {
  for (const int kernel : {1, 2, 3}) {
    for (const int groups : {1, 2, 16}) {
      for (const int stride : {1, 2}) {
        CAPTURE(kernel, groups, stride);
        ConvGeometry options = square(16, 16, 16, kernel, stride, kernel / 2);
        options.groups = groups;
        const ConvGeometry g = conv_geometry(options);
        const test::Operands<float> o(g, 0, 1);
        std::vector<float> none, dw = o.dw;
        conv2d_forward(g, 0, o.x, o.w, o.bias, std::span(none));
        conv2d_backward_data(g, 0, o.dy, o.w, std::span(none), Write::overwrite);
        conv2d_backward_weights(g, 0, o.x, o.dy, std::span(dw));
        CHECK(dw == o.dw);
      }
    }
  }
}

TEST_CASE("weights of many columns are copied block by block", "[kernels][conv2d]") {
  check_convolution<float>(conv_geometry(square(5, 130, 150, 3, 1, 1)), 9);
  check_convolution<float>(conv_geometry(square(5, 150, 136, 3, 2, 1)), 18);
  check_convolution<float>(conv_geometry(square(4, 136, 171, 1, 1, 0)), 6);
  check_convolution<float>(conv_geometry({.in_channels = 130, .out_channels = 200}), 70);
  check_convolution<double>(conv_geometry(square(4, 70, 75, 3, 1, 1)), 5);
}

TEMPLATE_TEST_CASE("matrix products agree with the reference on every number of rows", "[kernels][conv2d]", float, double) {
  for (std::int64_t rows = 1; rows < 52; ++rows) {
    check_convolution<TestType>(conv_geometry({.in_channels = 13, .out_channels = 40}), rows);
    check_convolution<TestType>(conv_geometry({.in_channels = 24, .out_channels = 9}), rows);
    check_convolution<TestType>(conv_geometry({.in_channels = 40, .out_channels = 23}), rows);
  }
  check_convolution<TestType>(conv_geometry({.in_channels = 143, .out_channels = 261}), 101);
  check_convolution<TestType>(conv_geometry({.in_channels = 7, .out_channels = 1030}), 65);
  check_convolution<TestType>(conv_geometry({.in_channels = 1030, .out_channels = 7}), 65);
  check_convolution<TestType>(conv_geometry({.in_channels = 16, .out_channels = 8}), 1700);
}

// Shards of a batch rest on it: the bits of a sample are those that it has in any part of the batch.
TEST_CASE("a row of a matrix product does not depend on the others", "[kernels][conv2d]") {
  struct Sizes {
    int in, out;
    std::int64_t batch;
  };
  const auto sizes = GENERATE(Sizes{43, 56, 61}, Sizes{64, 10, 40}, Sizes{1, 1, 9}, Sizes{7, 3, 33}, Sizes{640, 128, 24},
                              Sizes{8, 640, 17}, Sizes{256, 2, 50}, Sizes{130, 200, 19});
  const ConvGeometry g = conv_geometry({.in_channels = sizes.in, .out_channels = sizes.out});
  const test::Operands<float> all(g, sizes.batch, 4);
  std::vector<float> y(all.dy.size()), dx(all.x.size()), part_y(y.size()), part_dx(dx.size());
  conv2d_forward(g, sizes.batch, all.x, all.w, all.bias, std::span(y));
  conv2d_backward_data(g, sizes.batch, all.dy, all.w, std::span(dx), Write::overwrite);
  for (const int parts : {2, 3, 5, 8, static_cast<int>(sizes.batch)}) {
    CAPTURE(sizes.in, sizes.out, parts);
    for (std::int64_t part = 0; part < parts; ++part) {
      const std::int64_t first = sizes.batch * part / parts, count = sizes.batch * (part + 1) / parts - first;
      const auto of_part = [&](auto&& numbers, std::int64_t each) {
        return std::span(numbers).subspan(first * each, count * each);
      };
      conv2d_forward(g, count, of_part(all.x, g.in_storage()), all.w, all.bias, of_part(part_y, g.out_storage()));
      conv2d_backward_data(g, count, of_part(all.dy, g.out_storage()), all.w, of_part(part_dx, g.in_storage()),
                           Write::overwrite);
    }
    CHECK(std::memcmp(part_y.data(), y.data(), y.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(part_dx.data(), dx.data(), dx.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("an image's result does not depend on its batch", "[kernels][conv2d]") {
  const int size = GENERATE(7, 11, 23), stride = GENERATE(1, 2), channels = GENERATE(8, 24, 40);
  const ConvGeometry g = conv_geometry(square(size, channels, 24, 3, stride, 1));
  const test::Operands<float> all(g, 19, 3);
  std::vector<float> y(all.dy.size()), dx(all.x.size()), one(g.out_storage()), back(g.in_storage());
  conv2d_forward(g, 19, all.x, all.w, all.bias, std::span(y));
  conv2d_backward_data(g, 19, all.dy, all.w, std::span(dx), Write::overwrite);
  for (std::int64_t n = 0; n < 19; ++n) {
    const auto x = std::span(all.x).subspan(n * g.in_storage(), g.in_storage());
    const auto dy = std::span(all.dy).subspan(n * g.out_storage(), g.out_storage());
    conv2d_forward(g, 1, x, all.w, all.bias, std::span(one));
    conv2d_backward_data(g, 1, dy, all.w, std::span(back), Write::overwrite);
    CHECK(std::memcmp(one.data(), y.data() + n * g.out_storage(), one.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(back.data(), dx.data() + n * g.in_storage(), back.size() * sizeof(float)) == 0);
  }
}
