// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "siena/core/shape.hpp"
#include "siena/kernels/broadcast.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rearrange.hpp"

// The oracle of the kernels that are no convolutions: plain loops over the definitions, in double whatever T. Only logical
// elements are read and written, never the padding of a row.

namespace siena::kernels::reference {

namespace detail {
/// Calls body(element, column) for every logical element.
template <class Body>
void for_each_element(std::int64_t rows, std::int64_t columns, Body&& body) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) body(r * padded(columns) + c, c);
  }
}
template <class T>
void put(T& to, double value, Write mode) {
  to = static_cast<T>(mode == Write::accumulate ? static_cast<double>(to) + value : value);
}
}  // namespace detail

/// y = f(x), element by element.
template <class T, class F>
void map(std::int64_t rows, std::int64_t columns, std::span<const T> x, std::span<T> y, F&& f) {
  detail::for_each_element(rows, columns,
                           [&](std::int64_t i, std::int64_t) { y[i] = static_cast<T>(f(static_cast<double>(x[i]))); });
}

/// dx [+]= dy * slope(v), v being the input or the output of the function, whichever its slope is known by.
template <class T, class Slope>
void map_backward(std::int64_t rows, std::int64_t columns, std::span<const T> v, std::span<const T> dy, std::span<T> dx,
                  Write mode, Slope&& slope) {
  detail::for_each_element(rows, columns, [&](std::int64_t i, std::int64_t) {
    detail::put(dx[i], static_cast<double>(dy[i]) * slope(static_cast<double>(v[i])), mode);
  });
}

template <class T>
void channel_statistics(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<T> mean,
                        std::span<T> variance) {
  std::vector<double> means(static_cast<std::size_t>(channels)), squares(means.size());
  detail::for_each_element(rows, channels, [&](std::int64_t i, std::int64_t c) { means[c] += static_cast<double>(x[i]); });
  for (double& value : means) value /= static_cast<double>(rows);
  detail::for_each_element(rows, channels, [&](std::int64_t i, std::int64_t c) {
    const double difference = static_cast<double>(x[i]) - means[c];
    squares[c] += difference * difference;
  });
  for (std::int64_t c = 0; c < channels; ++c) {
    mean[c] = static_cast<T>(means[c]);
    variance[c] = static_cast<T>(squares[c] / static_cast<double>(rows));
  }
}

template <class T>
void affine(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<const T> scale, std::span<const T> shift,
            std::span<const T> residual, bool relu, std::span<T> y) {
  detail::for_each_element(rows, channels, [&](std::int64_t i, std::int64_t c) {
    double value = static_cast<double>(x[i]) * static_cast<double>(scale[c]) + static_cast<double>(shift[c]);
    if (!residual.empty()) value += static_cast<double>(residual[i]);
    y[i] = static_cast<T>(relu && value < 0 ? 0 : value);
  });
}

template <class T>
void batch_norm_backward_sums(std::int64_t rows, std::int64_t channels, std::span<const T> dz, std::span<const T> z,
                              std::span<const T> x, std::span<const T> mean, std::span<const T> inv_std, std::span<T> sum_dy,
                              std::span<T> sum_dy_xhat) {
  std::vector<double> sums(static_cast<std::size_t>(channels)), products(sums.size());
  detail::for_each_element(rows, channels, [&](std::int64_t i, std::int64_t c) {
    const double dy = z.empty() || z[i] > 0 ? static_cast<double>(dz[i]) : 0;
    sums[c] += dy;
    products[c] += dy * (static_cast<double>(x[i]) - static_cast<double>(mean[c])) * static_cast<double>(inv_std[c]);
  });
  for (std::int64_t c = 0; c < channels; ++c) {
    sum_dy[c] = static_cast<T>(sums[c]);
    sum_dy_xhat[c] = static_cast<T>(products[c]);
  }
}

template <class T>
void batch_norm_backward_data(std::int64_t rows, std::int64_t channels, std::span<const T> dz, std::span<const T> z,
                              std::span<const T> x, std::span<const T> mean, std::span<const T> inv_std,
                              std::span<const T> gamma, std::span<const T> sum_dy, std::span<const T> sum_dy_xhat,
                              std::span<T> dx, Write mode, std::span<T> dresidual, Write residual_mode) {
  const double n = static_cast<double>(rows);
  detail::for_each_element(rows, channels, [&](std::int64_t i, std::int64_t c) {
    const double dy = z.empty() || z[i] > 0 ? static_cast<double>(dz[i]) : 0;
    const double xhat = (static_cast<double>(x[i]) - static_cast<double>(mean[c])) * static_cast<double>(inv_std[c]);
    const double centred = dy - static_cast<double>(sum_dy[c]) / n - xhat * static_cast<double>(sum_dy_xhat[c]) / n;
    detail::put(dx[i], static_cast<double>(gamma[c]) * static_cast<double>(inv_std[c]) * centred, mode);
    if (!dresidual.empty()) detail::put(dresidual[i], dy, residual_mode);
  });
}

/// out += the sums of x over its rows.
template <class T>
void column_sums(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<T> out) {
  std::vector<double> sums(static_cast<std::size_t>(channels));
  detail::for_each_element(rows, channels, [&](std::int64_t i, std::int64_t c) { sums[c] += static_cast<double>(x[i]); });
  for (std::int64_t c = 0; c < channels; ++c) detail::put(out[c], sums[c], Write::accumulate);
}

template <class T>
void prelu_forward(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<const T> slope, std::span<T> y) {
  detail::for_each_element(rows, channels, [&](std::int64_t i, std::int64_t c) { y[i] = x[i] > 0 ? x[i] : slope[c] * x[i]; });
}

template <class T>
void prelu_backward(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<const T> slope,
                    std::span<const T> dy, std::span<T> dx, Write mode, std::span<T> dslope) {
  std::vector<double> sums(static_cast<std::size_t>(channels));
  detail::for_each_element(rows, channels, [&](std::int64_t i, std::int64_t c) {
    const double gradient = static_cast<double>(dy[i]);
    if (!(x[i] > 0)) sums[c] += gradient * static_cast<double>(x[i]);
    detail::put(dx[i], x[i] > 0 ? gradient : gradient * static_cast<double>(slope[c]), mode);
  });
  for (std::int64_t c = 0; c < channels; ++c) detail::put(dslope[c], sums[c], Write::accumulate);
}

namespace detail {
/// Calls window(output row) and then pixel(input row, output row, number
/// of the pixel in its image) for every pixel of the window.
template <class Start, class Pixel>
void for_each_window(const ConvGeometry& g, std::int64_t batch, Start&& start, Pixel&& pixel) {
  for (std::int64_t o = 0; o < batch * g.out_rows(); ++o) {
    const std::int64_t n = o / g.out_rows(), oh = o % g.out_rows() / g.out_width, ow = o % g.out_width;
    start(o);
    for (int kh = 0; kh < g.kernel_height; ++kh) {
      for (int kw = 0; kw < g.kernel_width; ++kw) {
        const std::int64_t h = oh * g.stride_height - g.pad_top + kh, w = ow * g.stride_width - g.pad_left + kw;
        if (h < 0 || h >= g.in_height || w < 0 || w >= g.in_width) continue;
        pixel(n * g.in_rows() + h * g.in_width + w, o, h * g.in_width + w);
      }
    }
  }
}
template <class T>
void clear_pixels(const ConvGeometry& g, std::int64_t batch, std::span<T> dx, Write mode) {
  if (mode == Write::accumulate) return;
  for_each_element(batch * g.in_rows(), g.in_channels, [&](std::int64_t i, std::int64_t) { dx[i] = 0; });
}
/// The number that every output's sum is divided by.
inline std::vector<double> window_sizes(const ConvGeometry& g, std::int64_t batch, bool count_padding) {
  std::vector<double> sizes(static_cast<std::size_t>(batch * g.out_rows()));
  for_each_window(
      g, batch, [](std::int64_t) {}, [&](std::int64_t, std::int64_t o, std::int64_t) { sizes[o] += 1; });
  for (double& size : sizes) size = count_padding ? double{1} * g.kernel_height * g.kernel_width : size;
  return sizes;
}
}  // namespace detail

template <class T>
void max_pool_forward(const ConvGeometry& g, std::int64_t batch, std::span<const T> x, std::span<T> y,
                      std::span<std::int32_t> indices) {
  const std::int64_t stride = g.in_stride();
  for (std::int64_t c = 0; c < g.in_channels; ++c) {
    detail::for_each_window(
        g, batch, [&](std::int64_t o) { indices[o * stride + c] = -1; },
        [&](std::int64_t in, std::int64_t o, std::int64_t pixel) {
          if (indices[o * stride + c] >= 0 && x[in * stride + c] <= y[o * stride + c]) return;
          y[o * stride + c] = x[in * stride + c];
          indices[o * stride + c] = static_cast<std::int32_t>(pixel);
        });
  }
}

template <class T>
void max_pool_backward(const ConvGeometry& g, std::int64_t batch, std::span<const T> dy, std::span<const std::int32_t> indices,
                       std::span<T> dx, Write mode) {
  detail::clear_pixels(g, batch, dx, mode);
  const std::int64_t stride = g.in_stride();
  for (std::int64_t o = 0; o < batch * g.out_rows(); ++o) {
    for (std::int64_t c = 0; c < g.in_channels; ++c) {
      dx[(o / g.out_rows() * g.in_rows() + indices[o * stride + c]) * stride + c] += dy[o * stride + c];
    }
  }
}

template <class T>
void avg_pool_forward(const ConvGeometry& g, std::int64_t batch, std::span<const T> x, std::span<T> y, bool count_padding) {
  const std::vector<double> sizes = detail::window_sizes(g, batch, count_padding);
  const std::int64_t stride = g.in_stride();
  for (std::int64_t c = 0; c < g.in_channels; ++c) {
    std::vector<double> sums(sizes.size());
    detail::for_each_window(
        g, batch, [](std::int64_t) {},
        [&](std::int64_t in, std::int64_t o, std::int64_t) { sums[o] += static_cast<double>(x[in * stride + c]); });
    for (std::size_t o = 0; o < sums.size(); ++o) y[o * stride + c] = static_cast<T>(sums[o] / sizes[o]);
  }
}

template <class T>
void avg_pool_backward(const ConvGeometry& g, std::int64_t batch, std::span<const T> dy, std::span<T> dx, Write mode,
                       bool count_padding) {
  detail::clear_pixels(g, batch, dx, mode);
  const std::vector<double> sizes = detail::window_sizes(g, batch, count_padding);
  const std::int64_t stride = g.in_stride();
  for (std::int64_t c = 0; c < g.in_channels; ++c) {
    detail::for_each_window(
        g, batch, [](std::int64_t) {},
        [&](std::int64_t in, std::int64_t o, std::int64_t) {
          dx[in * stride + c] += static_cast<T>(static_cast<double>(dy[o * stride + c]) / sizes[o]);
        });
  }
}

/// y [+]= x * factor of the image and the channel.
template <class T>
void scale_channels(const ImageRows& images, std::span<const T> x, std::span<const T> factors, std::span<T> y, Write mode) {
  const std::int64_t stride = padded(images.channels), elements = images.positions * stride;
  detail::for_each_element(images.batch * images.positions, images.channels, [&](std::int64_t i, std::int64_t c) {
    detail::put(y[i], static_cast<double>(x[i]) * static_cast<double>(factors[i / elements * stride + c]), mode);
  });
}

/// out [+]= the sums of a * b over the pixels of each image.
template <class T>
void channel_dots(const ImageRows& images, std::span<const T> a, std::span<const T> b, std::span<T> out, Write mode) {
  const std::int64_t stride = padded(images.channels);
  detail::for_each_element(images.batch, images.channels, [&](std::int64_t o, std::int64_t c) {
    double sum = 0;
    for (std::int64_t p = 0; p < images.positions; ++p) {
      const std::int64_t i = (o / stride * images.positions + p) * stride + c;
      sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    detail::put(out[o], sum, mode);
  });
}

namespace detail {
/// Calls body(element of the box, element of the whole) for every logical element of the box.
template <class Body>
void for_each_in_box(const BoxGeometry& g, std::int64_t batch, Body&& body) {
  for_each_element(batch * g.box_height * g.box_width, g.box_channels, [&](std::int64_t i, std::int64_t c) {
    const std::int64_t pixel = i / g.box_stride(), n = pixel / (g.box_height * g.box_width);
    const std::int64_t h = pixel / g.box_width % g.box_height + g.top, w = pixel % g.box_width + g.left;
    body(i, ((n * g.height + h) * g.width + w) * g.stride() + g.first + c);
  });
}
}  // namespace detail

template <class T>
void take_box(const BoxGeometry& g, std::int64_t batch, std::span<const T> whole, std::span<T> box, Write mode) {
  detail::for_each_in_box(
      g, batch, [&](std::int64_t in, std::int64_t out) { detail::put(box[in], static_cast<double>(whole[out]), mode); });
}

template <class T>
void put_box(const BoxGeometry& g, std::int64_t batch, std::span<const T> box, std::span<T> whole, Write mode) {
  if (mode == Write::overwrite)
    detail::for_each_element(batch * g.height * g.width, g.channels, [&](std::int64_t i, std::int64_t) { whole[i] = 0; });
  detail::for_each_in_box(
      g, batch, [&](std::int64_t in, std::int64_t out) { detail::put(whole[out], static_cast<double>(box[in]), mode); });
}

namespace detail {
/// Calls body(element of the output, element of the input that it is) for every logical element of the output.
template <class Body>
void for_each_copy(const UpsampleGeometry& g, std::int64_t batch, Body&& body) {
  const std::int64_t height = g.height * g.vertical, width = g.width * g.horizontal;
  for_each_element(batch * height * width, g.channels, [&](std::int64_t i, std::int64_t c) {
    const std::int64_t pixel = i / g.stride(), n = pixel / (height * width);
    const std::int64_t h = pixel / width % height / g.vertical, w = pixel % width / g.horizontal;
    body(i, ((n * g.height + h) * g.width + w) * g.stride() + c);
  });
}
}  // namespace detail

template <class T>
void upsample_forward(const UpsampleGeometry& g, std::int64_t batch, std::span<const T> x, std::span<T> y) {
  detail::for_each_copy(g, batch, [&](std::int64_t out, std::int64_t in) { y[out] = x[in]; });
}

template <class T>
void upsample_backward(const UpsampleGeometry& g, std::int64_t batch, std::span<const T> dy, std::span<T> dx, Write mode) {
  std::vector<double> sums(dx.size());
  detail::for_each_copy(g, batch, [&](std::int64_t out, std::int64_t in) { sums[in] += static_cast<double>(dy[out]); });
  detail::for_each_element(batch * g.height * g.width, g.channels,
                           [&](std::int64_t i, std::int64_t) { detail::put(dx[i], sums[i], mode); });
}

/// Softmax of every row.
template <class T>
void softmax_forward(std::int64_t rows, std::int64_t classes, std::span<const T> x, std::span<T> y) {
  const std::int64_t stride = padded(classes);
  for (std::int64_t r = 0; r < rows; ++r) {
    double largest = static_cast<double>(x[r * stride]), sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) largest = std::fmax(largest, static_cast<double>(x[r * stride + c]));
    for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(x[r * stride + c]) - largest);
    for (std::int64_t c = 0; c < classes; ++c) {
      y[r * stride + c] = static_cast<T>(std::exp(static_cast<double>(x[r * stride + c]) - largest) / sum);
    }
  }
}

/// Mean cross entropy of logits with rows of targets.
template <class T>
double soft_cross_entropy_forward(std::int64_t rows, std::int64_t classes, std::span<const T> logits,
                                  std::span<const T> targets) {
  const std::int64_t stride = padded(classes);
  double loss = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    double largest = static_cast<double>(logits[r * stride]), sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) largest = std::fmax(largest, static_cast<double>(logits[r * stride + c]));
    for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(logits[r * stride + c]) - largest);
    for (std::int64_t c = 0; c < classes; ++c) {
      loss -= static_cast<double>(targets[r * stride + c]) *
              (static_cast<double>(logits[r * stride + c]) - largest - std::log(sum));
    }
  }
  return loss / static_cast<double>(rows);
}

template <class T>
void soft_cross_entropy_backward(std::int64_t rows, std::int64_t classes, std::span<const T> probabilities,
                                 std::span<const T> targets, double seed, std::span<T> dlogits, Write mode) {
  const std::int64_t stride = padded(classes);
  for (std::int64_t r = 0; r < rows; ++r) {
    double weight = 0;
    for (std::int64_t c = 0; c < classes; ++c) weight += static_cast<double>(targets[r * stride + c]);
    for (std::int64_t c = 0; c < classes; ++c) {
      const std::int64_t i = r * stride + c;
      const double difference = weight * static_cast<double>(probabilities[i]) - static_cast<double>(targets[i]);
      detail::put(dlogits[i], seed / static_cast<double>(rows) * difference, mode);
    }
  }
}

/// The targets of labels: smoothed, and so much larger as rows of no class are zeros that the mean over all rows is that over
/// those of a class.
template <class T>
std::vector<T> targets_of(std::int64_t classes, std::span<const std::int32_t> labels, double label_smoothing) {
  std::vector<T> targets(labels.size() * static_cast<std::size_t>(padded(classes)));
  double labelled = 0;
  for (const std::int32_t label : labels) labelled += label >= 0 ? 1 : 0;
  for (std::size_t r = 0; r < labels.size(); ++r) {
    for (std::int64_t c = 0; c < classes && labels[r] >= 0; ++c) {
      const double target = (c == labels[r] ? 1 - label_smoothing : 0) + label_smoothing / static_cast<double>(classes);
      targets[r * static_cast<std::size_t>(padded(classes)) + static_cast<std::size_t>(c)] =
          static_cast<T>(target * static_cast<double>(labels.size()) / labelled);
    }
  }
  return targets;
}

/// Mean cross entropy of logits with labels.
template <class T>
double cross_entropy_forward(std::int64_t rows, std::int64_t classes, std::span<const T> logits,
                             std::span<const std::int32_t> labels, double label_smoothing) {
  return soft_cross_entropy_forward<T>(rows, classes, logits, targets_of<T>(classes, labels, label_smoothing));
}

template <class T>
void cross_entropy_backward(std::int64_t rows, std::int64_t classes, std::span<const T> probabilities,
                            std::span<const std::int32_t> labels, double seed, double label_smoothing, std::span<T> dlogits,
                            Write mode) {
  const std::vector<T> targets = targets_of<T>(classes, labels, label_smoothing);
  soft_cross_entropy_backward<T>(rows, classes, probabilities, targets, seed, dlogits, mode);
}

/// Mean binary cross entropy of logits.
template <class T>
double binary_cross_entropy_forward(std::int64_t rows, std::int64_t columns, std::span<const T> logits,
                                    std::span<const T> targets) {
  double loss = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const double x = static_cast<double>(logits[r * padded(columns) + c]),
                   t = static_cast<double>(targets[r * padded(columns) + c]);
      loss += t * std::log(1 + std::exp(-x)) + (1 - t) * std::log(1 + std::exp(x));
    }
  }
  return loss / static_cast<double>(rows * columns);
}

template <class T>
void binary_cross_entropy_backward(std::int64_t rows, std::int64_t columns, std::span<const T> logits,
                                   std::span<const T> targets, double seed, std::span<T> dlogits, Write mode) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t i = r * padded(columns) + c;
      const double difference = 1 / (1 + std::exp(-static_cast<double>(logits[i]))) - static_cast<double>(targets[i]);
      detail::put(dlogits[i], seed / static_cast<double>(rows * columns) * difference, mode);
    }
  }
}

}  // namespace siena::kernels::reference
