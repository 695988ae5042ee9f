// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room deploy: networks for others to run. Files that need more than siena's own dependencies (safetensors, ONNX) are
// components, each with a header of its own.

#include "siena/deploy/fold_batch_norm.hpp"
#include "siena/deploy/plain.hpp"
