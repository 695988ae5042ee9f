// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room deploy: networks for others to run, and charts for people to look at. Files that need more than siena's own
// dependencies (safetensors, ONNX) are components, each with a header of its own.

#include "siena/deploy/bar_chart.hpp"
#include "siena/deploy/chart.hpp"
#include "siena/deploy/chart_axis.hpp"
#include "siena/deploy/fold_batch_norm.hpp"
#include "siena/deploy/lower.hpp"
#include "siena/deploy/plain.hpp"
#include "siena/deploy/svg.hpp"
