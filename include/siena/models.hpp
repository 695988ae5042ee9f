// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room models: networks of the benchmarks, and their supernets.

#include "siena/models/autoencoder.hpp"
#include "siena/models/ds_cnn.hpp"
#include "siena/models/mobilenet_v1.hpp"
#include "siena/models/resnet18.hpp"
#include "siena/models/resnet8.hpp"
#include "siena/models/supernets.hpp"
#include "siena/models/tcn.hpp"
#include "siena/models/width.hpp"
