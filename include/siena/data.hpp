// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room data: datasets, augmentation, loaders.

#include "siena/data/augment.hpp"
#include "siena/data/cifar10.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/loader.hpp"
#include "siena/data/synthetic.hpp"
