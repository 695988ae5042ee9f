// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/depthwise.hpp"

#include <algorithm>
#include <utility>

#include "kernels/conv2d_check.hpp"
#include "siena/core/tensor.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

using namespace siena;
using namespace siena::kernels;
using siena::test::check_convolution;
using siena::test::random_geometry;

namespace {

ConvGeometry depthwise(std::int64_t size, int channels, int multiplier, int kernel, int stride, Padding pad) {
  return {.in_height = size,
          .in_width = size,
          .in_channels = channels,
          .out_channels = channels * multiplier,
          .kernel_height = kernel,
          .kernel_width = kernel,
          .stride_height = stride,
          .stride_width = stride,
          .pad_top = pad.before,
          .pad_bottom = pad.after,
          .pad_left = pad.before,
          .pad_right = pad.after,
          .groups = channels};
}

}  // namespace

TEMPLATE_TEST_CASE("depthwise convolutions agree with the reference", "[kernels][depthwise]", float, double) {
  for (const int channels : {2, 3, 5, 8, 11, 16, 17, 24, 33}) {
    for (const int multiplier : {1, 2, 3}) {
      for (const int stride : {1, 2}) {
        check_convolution<TestType>(conv_geometry(depthwise(6, channels, multiplier, 3, stride, same_padding(6, 3, stride))),
                                    2);
        check_convolution<TestType>(conv_geometry(depthwise(5, channels, multiplier, 3, stride, {1, 1})), 9);
      }
    }
  }
}

TEMPLATE_TEST_CASE("depthwise windows of every size agree with the reference", "[kernels][depthwise]", float, double) {
  for (const std::int64_t size : {1, 2, 3, 4, 9, 20, 37}) {
    for (const int kernel : {1, 2, 3, 4, 5, 7}) {
      for (const int stride : {1, 2, 3}) {
        check_convolution<TestType>(conv_geometry(depthwise(size, 3, 1, kernel, stride, same_padding(size, kernel, stride))),
                                    2);
      }
    }
  }
}

TEMPLATE_TEST_CASE("sliding windows meet every border", "[kernels][depthwise]", float, double) {
  for (const int stride : {1, 2}) {
    for (const std::int64_t height : {1, 2, 4, 5, 7, 8, 9, 14}) {
      for (const std::int64_t width : {1, 2, 3, 6, 7, 10, 17}) {
        for (const Padding pad : {Padding{0, 0}, {0, 1}, {1, 1}, {1, 0}, {2, 2}, {3, 1}, {4, 3}}) {
          ConvGeometry o = depthwise(height, 24, 1, 3, stride, pad);
          o.in_width = width;
          if (height + pad.before + pad.after < 3 || width + pad.before + pad.after < 3) continue;
          check_convolution<TestType>(conv_geometry(o), 1 + height % 3);
          std::swap(o.pad_left, o.pad_right);
          check_convolution<TestType>(conv_geometry(o), 1);
        }
      }
    }
  }
}

TEST_CASE("sliding windows go over bands of many rows", "[kernels][depthwise]") {
  for (const int stride : {1, 2}) {
    for (const std::int64_t height : {31, 33, 70, 131}) {
      ConvGeometry o = depthwise(height, 3, 1, 3, stride, {1, 1});
      o.in_width = 2 + height % 3;
      check_convolution<float>(conv_geometry(o), 2);
    }
  }
}

TEST_CASE("what the windows of a row miss at its ends", "[kernels][depthwise]") {
  using kernels::detail::RowEnds;
  const auto ends = [](std::int64_t size, int stride, Padding pad) {
    const auto c = kernels::detail::forward_correlation(conv_geometry(depthwise(size, 8, 1, 3, stride, pad)), 1);
    CHECK(kernels::detail::slides(c));
    return kernels::detail::row_ends(c.width);
  };
  CHECK(ends(8, 1, {0, 0}) == RowEnds::any);
  CHECK(ends(8, 1, {1, 1}) == RowEnds::both);
  CHECK(ends(2, 1, {1, 1}) == RowEnds::both);
  CHECK(ends(1, 1, {1, 1}) == RowEnds::any);  // one window misses both
  CHECK(ends(8, 1, {2, 2}) == RowEnds::any);
  CHECK(ends(8, 2, {0, 1}) == RowEnds::right);
  CHECK(ends(8, 2, {1, 1}) == RowEnds::left);
  CHECK(ends(9, 2, {1, 1}) == RowEnds::both);
  CHECK(ends(8, 2, {0, 0}) == RowEnds::any);
  const auto slides = [](int kernel, int stride) {
    return kernels::detail::slides(kernels::detail::forward_correlation(
        conv_geometry(depthwise(12, 8, 1, kernel, stride, same_padding(12, kernel, stride))), 1));
  };
  CHECK_FALSE(slides(3, 3));
  CHECK_FALSE(slides(5, 1));
}

TEST_CASE("a depthwise image alone has the bits that it has in a batch", "[kernels][depthwise]") {
  for (const int stride : {1, 2}) {
    const ConvGeometry g = conv_geometry(depthwise(13, 24, 1, 3, stride, {1, 1}));
    constexpr std::int64_t batch = 5;
    const auto x = random_tensor<float>({batch, 13, 13, 24}, 1), w = random_tensor<float>({3, 3, 1, 24}, 2);
    const auto dy = random_tensor<float>({batch, g.out_height, g.out_width, 24}, 3);
    Tensor y(dy.shape()), dx(x.shape()), y1({1, g.out_height, g.out_width, 24}), dx1({1, 13, 13, 24});
    conv2d_forward<simd::native, float>(g, batch, x.storage(), w.storage(), {}, y.storage());
    conv2d_backward_data<simd::native, float>(g, batch, dy.storage(), w.storage(), dx.storage(), Write::overwrite);
    for (std::int64_t n = 0; n < batch; ++n) {
      conv2d_forward<simd::native, float>(g, 1, x.storage().subspan(n * g.in_storage(), g.in_storage()), w.storage(), {},
                                          y1.storage());
      conv2d_backward_data<simd::native, float>(g, 1, dy.storage().subspan(n * g.out_storage(), g.out_storage()), w.storage(),
                                                dx1.storage(), Write::overwrite);
      CHECK(std::ranges::equal(y1.storage(), y.storage().subspan(n * g.out_storage(), g.out_storage())));
      CHECK(std::ranges::equal(dx1.storage(), dx.storage().subspan(n * g.in_storage(), g.in_storage())));
    }
  }
}

TEST_CASE("many depthwise channels agree with the reference", "[kernels][depthwise]") {
  for (const int channels : {256, 257, 272, 523}) {
    for (const int stride : {1, 2}) check_convolution<float>(conv_geometry(depthwise(7, channels, 1, 3, stride, {1, 1})), 3);
  }
}

TEMPLATE_TEST_CASE("random depthwise convolutions agree with the reference", "[kernels][depthwise]", float, double) {
  Random random(9);
  for (int i = 0; i < 100; ++i) {
    CAPTURE(i);
    check_convolution<TestType>(random_geometry(random, test::Groups::depthwise), 1 + random.below(10));
  }
}

TEST_CASE("depthwise batches split over parts", "[kernels][depthwise]") {
  check_convolution<float>(conv_geometry(depthwise(24, 16, 1, 3, 1, {1, 1})), 18);
  check_convolution<float>(conv_geometry(depthwise(25, 24, 1, 3, 2, {1, 1})), 7);
}
