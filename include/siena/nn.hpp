// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room nn: layers and networks.

#include "siena/nn/batch_norm_folding.hpp"
#include "siena/nn/custom.hpp"
#include "siena/nn/flow.hpp"
#include "siena/nn/gate.hpp"
#include "siena/nn/graph.hpp"
#include "siena/nn/init.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layers.hpp"
#include "siena/nn/layers/activation.hpp"
#include "siena/nn/layers/batch_norm.hpp"
#include "siena/nn/layers/conv1d.hpp"
#include "siena/nn/layers/conv2d.hpp"
#include "siena/nn/layers/linear.hpp"
#include "siena/nn/layers/mixture.hpp"
#include "siena/nn/layers/pool.hpp"
#include "siena/nn/layers/structure.hpp"
#include "siena/nn/network.hpp"
#include "siena/nn/network_builder.hpp"
#include "siena/nn/pass.hpp"
#include "siena/nn/plan.hpp"
#include "siena/nn/rewire.hpp"
#include "siena/nn/summary.hpp"
