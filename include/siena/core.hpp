// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room core: tensors, memory, errors, random numbers, units, threads.

#include "siena/core/attributes.hpp"
#include "siena/core/buffer.hpp"
#include "siena/core/communicator.hpp"
#include "siena/core/config.hpp"
#include "siena/core/csv.hpp"
#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/core/fingerprint.hpp"
#include "siena/core/no_class.hpp"
#include "siena/core/parallel.hpp"
#include "siena/core/random.hpp"
#include "siena/core/rank_sum.hpp"
#include "siena/core/shape.hpp"
#include "siena/core/shards.hpp"
#include "siena/core/state.hpp"
#include "siena/core/tensor.hpp"
#include "siena/core/units.hpp"
#include "siena/core/utf8.hpp"
#include "siena/core/wait_briefly.hpp"
