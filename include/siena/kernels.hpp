// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room kernels: vectorised loops over NHWC images.

#include "siena/kernels/batch_norm.hpp"
#include "siena/kernels/binary_cross_entropy.hpp"
#include "siena/kernels/conv2d.hpp"
#include "siena/kernels/conv2d_backward_data.hpp"
#include "siena/kernels/conv2d_backward_weights.hpp"
#include "siena/kernels/conv2d_forward.hpp"
#include "siena/kernels/conv2d_groups.hpp"
#include "siena/kernels/conv2d_stem_weights.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/correlation.hpp"
#include "siena/kernels/depthwise.hpp"
#include "siena/kernels/depthwise_any.hpp"
#include "siena/kernels/depthwise_band.hpp"
#include "siena/kernels/depthwise_slide.hpp"
#include "siena/kernels/dropout.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/outer_tile.hpp"
#include "siena/kernels/pool.hpp"
#include "siena/kernels/reductions.hpp"
#include "siena/kernels/reference.hpp"
#include "siena/kernels/reference_layers.hpp"
#include "siena/kernels/row_tile.hpp"
#include "siena/kernels/rows.hpp"
#include "siena/kernels/simd.hpp"
#include "siena/kernels/softmax.hpp"
#include "siena/kernels/tile.hpp"
#include "siena/kernels/update.hpp"
