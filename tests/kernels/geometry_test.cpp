// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/geometry.hpp"

#include "support/catch.hpp"

using namespace siena;
using namespace siena::kernels;
using Catch::Matchers::Contains;

TEST_CASE("conv_geometry works out the outputs", "[kernels][geometry]") {
  const ConvGeometry stem = conv_geometry({.in_height = 32,
                                           .in_width = 32,
                                           .in_channels = 3,
                                           .out_channels = 16,
                                           .kernel_height = 3,
                                           .kernel_width = 3,
                                           .pad_top = 1,
                                           .pad_bottom = 1,
                                           .pad_left = 1,
                                           .pad_right = 1});
  CHECK(stem.out_height == 32);
  CHECK(stem.out_width == 32);
  CHECK(stem.weight_rows() == 27);
  CHECK(stem.macs() == 442368);
  CHECK(stem.in_rows() == 1024);
  CHECK(stem.in_stride() == 8);
  CHECK(stem.weight_storage() == 27 * 16);
  CHECK_FALSE(stem.pointwise());
  CHECK_FALSE(stem.depthwise());

  // Keyword spotting's first layer: SAME padding of 10 x 4 at stride 2 over 49 x 10.
  const ConvGeometry audio = conv_geometry({.in_height = 49,
                                            .in_width = 10,
                                            .in_channels = 1,
                                            .out_channels = 64,
                                            .kernel_height = 10,
                                            .kernel_width = 4,
                                            .stride_height = 2,
                                            .stride_width = 2,
                                            .pad_top = 4,
                                            .pad_bottom = 5,
                                            .pad_left = 1,
                                            .pad_right = 1});
  CHECK(audio.out_height == 25);
  CHECK(audio.out_width == 5);

  const ConvGeometry dilated = conv_geometry({.in_height = 1,
                                              .in_width = 9,
                                              .in_channels = 2,
                                              .out_channels = 2,
                                              .kernel_width = 3,
                                              .stride_width = 2,
                                              .dilation_width = 3});
  CHECK(dilated.out_width == 2);
  CHECK(conv_geometry({.in_channels = 640, .out_channels = 128}).pointwise());
}

TEST_CASE("depthwise means a filter set for every input channel", "[kernels][geometry]") {
  CHECK(conv_geometry({.in_channels = 8, .out_channels = 8, .groups = 8}).depthwise());
  CHECK(conv_geometry({.in_channels = 8, .out_channels = 16, .groups = 8}).depthwise());
  CHECK_FALSE(conv_geometry({.in_channels = 8, .out_channels = 8, .groups = 2}).depthwise());
  CHECK_FALSE(conv_geometry({.in_channels = 1, .out_channels = 1, .groups = 1}).depthwise());
  CHECK(conv_geometry({.in_channels = 6, .out_channels = 12, .groups = 3}).group_out_channels() == 4);
}

TEST_CASE("conv_geometry says what is wrong and where", "[kernels][geometry]") {
  CHECK_THROWS_WITH(
      conv_geometry({.in_height = 2, .in_width = 9, .in_channels = 1, .out_channels = 1, .kernel_height = 3}, "conv 'stem'"),
      Contains("conv 'stem'") && Contains("3x1 window") && Contains("2x9 input"));
  CHECK_THROWS_WITH(
      conv_geometry({.in_height = 4, .in_channels = 1, .out_channels = 1, .kernel_height = 3, .dilation_height = 2}),
      Contains("dilation 2x1"));
  CHECK_THROWS_WITH(conv_geometry({.in_channels = 6, .out_channels = 8, .groups = 4}), Contains("groups that divide 6 input"));
  CHECK_THROWS_WITH(conv_geometry({.in_channels = 6, .out_channels = 8, .groups = 3}), Contains("got 3"));
  CHECK_THROWS_AS(conv_geometry({.in_channels = 0, .out_channels = 8}), ShapeError);
  CHECK_THROWS_AS(conv_geometry({.stride_height = 0}), ShapeError);
  CHECK_THROWS_AS(conv_geometry({.pad_left = -1}), ShapeError);
  CHECK_THROWS_AS(conv_geometry({.groups = 0}), ShapeError);
}

TEST_CASE("same_padding puts the extra zero behind", "[kernels][geometry]") {
  CHECK(same_padding(32, 3, 1) == Padding{1, 1});
  CHECK(same_padding(32, 3, 2) == Padding{0, 1});
  CHECK(same_padding(33, 3, 2) == Padding{1, 1});
  CHECK(same_padding(32, 1, 2) == Padding{0, 0});  // a window narrower than the stride
  CHECK(same_padding(49, 10, 2) == Padding{4, 5});
  CHECK(same_padding(10, 4, 2) == Padding{1, 1});
  CHECK(same_padding(8, 3, 1, 2) == Padding{2, 2});
  for (std::int64_t in = 1; in < 20; ++in) {
    for (int kernel = 1; kernel < 6; ++kernel) {
      for (int stride = 1; stride < 4; ++stride) {
        for (int dilation = 1; dilation < 3; ++dilation) {
          const Padding p = same_padding(in, kernel, stride, dilation);
          CHECK(output_size(in, kernel, stride, dilation, p) == (in + stride - 1) / stride);
          CHECK((p.after == p.before || p.after == p.before + 1));
        }
      }
    }
  }
}

TEST_CASE("pool_geometry", "[kernels][geometry]") {
  const ConvGeometry pool = pool_geometry({.in_height = 25,
                                           .in_width = 5,
                                           .in_channels = 64,
                                           .kernel_height = 2,
                                           .kernel_width = 2,
                                           .stride_height = 2,
                                           .stride_width = 2,
                                           .pad_bottom = 1});
  CHECK(pool.out_height == 13);
  CHECK(pool.out_width == 2);
  CHECK(pool.in_stride() == 64);
  CHECK_THROWS_WITH(
      pool_geometry({.in_height = 4, .in_width = 4, .in_channels = 1, .kernel_height = 2, .kernel_width = 2, .pad_top = 2},
                    "p"),
      Contains("p: expected less padding"));
  CHECK_THROWS_WITH(pool_geometry({.in_height = 1, .in_width = 1, .in_channels = 1, .kernel_height = 2}), Contains("pooling"));
}
