// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room cost: what a network costs on a device. Tables of measured times, and the check of models of your own, are included
// by their names.

#include "siena/cost/arena.hpp"
#include "siena/cost/as_deployed.hpp"
#include "siena/cost/clock.hpp"
#include "siena/cost/code_size.hpp"
#include "siena/cost/code_sizes.hpp"
#include "siena/cost/cortex_m.hpp"
#include "siena/cost/cost_model.hpp"
#include "siena/cost/description.hpp"
#include "siena/cost/diana.hpp"
#include "siena/cost/flash.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/layer_memory.hpp"
#include "siena/cost/liveness.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/mpic.hpp"
#include "siena/cost/ne16.hpp"
#include "siena/cost/params.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/cost/ram.hpp"
