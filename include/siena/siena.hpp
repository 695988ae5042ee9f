// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// All of siena but the components that need more than its own dependencies (reports as JSON, safetensors).

#include "siena/core.hpp"
#include "siena/kernels.hpp"
#include "siena/autograd.hpp"
#include "siena/nn.hpp"
#include "siena/cost.hpp"
#include "siena/data.hpp"
#include "siena/space.hpp"
#include "siena/constraints.hpp"
#include "siena/train.hpp"
#include "siena/search.hpp"
#include "siena/models.hpp"
