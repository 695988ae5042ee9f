// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room nn: layers and networks.

#include "siena/nn/batch_norm_folding.hpp"
#include "siena/nn/channel_rule.hpp"
#include "siena/nn/custom.hpp"
#include "siena/nn/flow.hpp"
#include "siena/nn/gate.hpp"
#include "siena/nn/graph.hpp"
#include "siena/nn/init.hpp"
#include "siena/nn/insert.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"
#include "siena/nn/layers.hpp"
#include "siena/nn/network.hpp"
#include "siena/nn/network_builder.hpp"
#include "siena/nn/pass.hpp"
#include "siena/nn/plan.hpp"
#include "siena/nn/rewire.hpp"
#include "siena/nn/summary.hpp"
