// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room autograd: the tape, operations with their gradients, scalars for cost formulas.

#include "siena/autograd/ops/activation.hpp"
#include "siena/autograd/ops/batch_norm.hpp"
#include "siena/autograd/ops/conv2d.hpp"
#include "siena/autograd/ops/fake_quantize.hpp"
#include "siena/autograd/ops/loss.hpp"
#include "siena/autograd/ops/mask.hpp"
#include "siena/autograd/ops/mixture.hpp"
#include "siena/autograd/ops/pool.hpp"
#include "siena/autograd/ops/rearrange.hpp"
#include "siena/autograd/ops/structure.hpp"
#include "siena/autograd/parameter.hpp"
#include "siena/autograd/scalar.hpp"
#include "siena/autograd/tape.hpp"
