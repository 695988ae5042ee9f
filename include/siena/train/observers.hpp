// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The observers that come with siena. An observer of yours is any struct with one of the hooks that events.hpp names.

#include "siena/train/events.hpp"
#include "siena/train/loggers.hpp"
#include "siena/train/progress_bar.hpp"

namespace siena {

static_assert(Observer<ProgressBar> && Observer<CsvLog> && Observer<JsonLinesLog> && Observer<EpochLines>);

}  // namespace siena
