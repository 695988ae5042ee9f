// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// All of siena but the components that need more than its own dependencies (reports as JSON, safetensors, ONNX).

#include "siena/autograd.hpp"
#include "siena/constraints.hpp"
#include "siena/core.hpp"
#include "siena/cost.hpp"
#include "siena/data.hpp"
#include "siena/deploy.hpp"
#include "siena/kernels.hpp"
#include "siena/models.hpp"
#include "siena/nn.hpp"
#include "siena/search.hpp"
#include "siena/space.hpp"
#include "siena/train.hpp"
