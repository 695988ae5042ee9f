// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room deploy: networks for others to run. Files, C and integers, and charts for people to look at are included by their
// own headers; those that need more than siena's own dependencies (safetensors, ONNX) are components.

#include "siena/deploy/fold_batch_norm.hpp"
#include "siena/deploy/plain.hpp"
