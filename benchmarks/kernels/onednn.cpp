// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Compiled only where oneDNN is installed; written for its version 2.

#include "onednn.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <oneapi/dnnl/dnnl.hpp>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "siena/core.hpp"

namespace siena::bench {

namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

// The tensors of a layer: their sizes, and the layout of our own without the padding of rows.
struct Sizes {
  memory::dims x, y, w, bias;
  Tag image, weight;
};

Sizes sizes_of(const ConvLayer& layer, std::int64_t batch) {
  const kernels::ConvGeometry& g = layer.geometry;
  if (layer.linear) {
    return {.x = {batch, g.in_channels},
            .y = {batch, g.out_channels},
            .w = {g.out_channels, g.in_channels},
            .bias = {g.out_channels},
            .image = Tag::nc,
            .weight = Tag::io};
  }
  Sizes sizes{.x = {batch, g.in_channels, g.in_height, g.in_width},
              .y = {batch, g.out_channels, g.out_height, g.out_width},
              .w = {g.out_channels, g.in_channels, g.kernel_height, g.kernel_width},
              .bias = {g.out_channels},
              .image = Tag::nhwc,
              .weight = Tag::hwio};
  if (g.groups > 1) {
    sizes.w = {g.groups, g.group_out_channels(), g.group_in_channels(), g.kernel_height, g.kernel_width};
    sizes.weight = Tag::hwigo;
  }
  return sizes;
}

// A primitive, and the layouts that it has chosen.
struct Chosen {
  dnnl::primitive primitive;
  memory::desc x, y, w;
};

// Makes the primitive of a pass. A convolution has a window: strides, dilations, padding before and after; an inner product
// none.
template <class Forward, class BackwardData, class BackwardWeights, class... Window>
Chosen choose(Pass pass, const memory::desc& x, const memory::desc& w, const memory::desc& bias, const memory::desc& y,
              const Window&... window) {
  const auto forward = [&] {
    if constexpr (sizeof...(Window) > 0) {
      constexpr auto direct = dnnl::algorithm::convolution_direct;
      return typename Forward::desc(dnnl::prop_kind::forward_training, direct, x, w, bias, y, window...);
    } else {
      return typename Forward::desc(dnnl::prop_kind::forward_training, x, w, bias, y);
    }
  }();
  const typename Forward::primitive_desc hint(forward, engine());
  if (pass == Pass::forward) return {Forward(hint), hint.src_desc(), hint.dst_desc(), hint.weights_desc()};
  const auto backward = [&]<class Backward>(std::type_identity<Backward>, const memory::desc& a, const memory::desc& b) {
    if constexpr (sizeof...(Window) > 0) {
      return typename Backward::desc(dnnl::algorithm::convolution_direct, a, b, y, window...);
    } else {
      return typename Backward::desc(a, b, y);
    }
  };
  if (pass == Pass::backward_data) {
    const typename BackwardData::primitive_desc d(backward(std::type_identity<BackwardData>{}, x, w), engine(), hint);
    return {BackwardData(d), d.diff_src_desc(), d.diff_dst_desc(), d.weights_desc()};
  }
  const typename BackwardWeights::primitive_desc d(backward(std::type_identity<BackwardWeights>{}, x, w), engine(), hint);
  return {BackwardWeights(d), d.src_desc(), d.diff_dst_desc(), d.diff_weights_desc()};
}

Chosen choose(const ConvLayer& layer, Pass pass, const Sizes& sizes, OneDnnLayout layout) {
  const auto type = memory::data_type::f32;
  const Tag images = layout == OneDnnLayout::any ? Tag::any : sizes.image;
  const memory::desc x(sizes.x, type, images), y(sizes.y, type, images), w(sizes.w, type, Tag::any);
  const memory::desc bias = layer.bias ? memory::desc(sizes.bias, type, Tag::a) : memory::desc();
  if (layer.linear) {
    return choose<dnnl::inner_product_forward, dnnl::inner_product_backward_data, dnnl::inner_product_backward_weights>(
        pass, x, w, bias, y);
  }
  const kernels::ConvGeometry& g = layer.geometry;
  const memory::dims strides{g.stride_height, g.stride_width}, dilations{g.dilation_height - 1, g.dilation_width - 1};
  const memory::dims before{g.pad_top, g.pad_left}, after{g.pad_bottom, g.pad_right};
  return choose<dnnl::convolution_forward, dnnl::convolution_backward_data, dnnl::convolution_backward_weights>(
      pass, x, w, bias, y, strides, dilations, before, after);
}

// The values of a tensor of ours in a layout of theirs, and back.
memory to_onednn(const Tensor& tensor, const memory::dims& dims, Tag tag, const memory::desc& wanted, dnnl::stream& stream) {
  std::vector<float> values;
  tensor.copy_to(values);
  memory plain({dims, memory::data_type::f32, tag}, engine(), values.data()), theirs(wanted, engine());
  dnnl::reorder(plain, theirs).execute(stream, plain, theirs);
  stream.wait();
  return theirs;
}
std::vector<float> from_onednn(const memory& theirs, const memory::dims& dims, Tag tag, std::size_t size,
                               dnnl::stream& stream) {
  std::vector<float> values(size);
  memory source = theirs, plain({dims, memory::data_type::f32, tag}, engine(), values.data());
  dnnl::reorder(source, plain).execute(stream, source, plain);
  stream.wait();
  return values;
}

void require_same(const ConvLayer& layer, Pass pass, const Tensor& ours, const std::vector<float>& theirs) {
  std::vector<float> values;
  ours.copy_to(values);
  float largest = 0, difference = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, std::abs(values[i]));
    difference = std::max(difference, std::abs(values[i] - theirs[i]));
  }
  require<Error>(difference <= 1e-4f * largest,
                 "{}, {}: expected oneDNN to compute what siena computes, got a difference of {} between values up to {}",
                 layer.name, name_of(pass), difference, largest);
}

}  // namespace

std::function<void()> prepare_onednn(const ConvLayer& layer, Pass pass, std::int64_t batch, std::int64_t thread_count,
                                     OneDnnLayout layout) {
  omp_set_num_threads(static_cast<int>(thread_count));
  ConvTensors tensors(layer, batch);
  const Sizes sizes = sizes_of(layer, batch);
  const Chosen chosen = choose(layer, pass, sizes, layout);
  dnnl::stream stream(engine());
  const memory x = to_onednn(tensors.x, sizes.x, sizes.image, chosen.x, stream);
  const memory y = to_onednn(tensors.y, sizes.y, sizes.image, chosen.y, stream);
  const memory w = to_onednn(tensors.w, sizes.w, sizes.weight, chosen.w, stream);
  Arguments arguments;
  if (pass == Pass::forward) {
    arguments = {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, y}};
    const memory::desc bias(sizes.bias, memory::data_type::f32, Tag::a);
    if (layer.bias) arguments[DNNL_ARG_BIAS] = to_onednn(tensors.bias, sizes.bias, Tag::a, bias, stream);
  } else if (pass == Pass::backward_data) {
    arguments = {{DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DIFF_SRC, x}};
  } else {
    arguments = {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_DIFF_WEIGHTS, w}};
  }
  const auto execute = [primitive = chosen.primitive, arguments, stream]() mutable {
    primitive.execute(stream, arguments);
    stream.wait();
  };

  auto once = execute;
  once();
  if (pass == Pass::backward_weights) tensors.w.fill(0);  // ours adds
  run_siena(layer, pass, batch, tensors);
  const Tensor& ours = pass == Pass::forward ? tensors.y : pass == Pass::backward_data ? tensors.x : tensors.w;
  const memory& theirs = pass == Pass::forward ? y : pass == Pass::backward_data ? x : w;
  const memory::dims& dims = pass == Pass::forward ? sizes.y : pass == Pass::backward_data ? sizes.x : sizes.w;
  require_same(layer, pass, ours,
               from_onednn(theirs, dims, pass == Pass::backward_weights ? sizes.weight : sizes.image,
                           static_cast<std::size_t>(ours.elements()), stream));
  return execute;
}

}  // namespace siena::bench
