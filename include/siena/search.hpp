// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room search: the search itself, repair, and reports. The front of many results, search/pareto.hpp, is included by its
// name.

#include "siena/search/approach.hpp"
#include "siena/search/exchange.hpp"
#include "siena/search/moves.hpp"
#include "siena/search/options.hpp"
#include "siena/search/random_selection.hpp"
#include "siena/search/reach.hpp"
#include "siena/search/repair.hpp"
#include "siena/search/report.hpp"
#include "siena/search/search.hpp"
#include "siena/search/search_phase.hpp"
#include "siena/search/slack.hpp"
#include "siena/search/step_steering.hpp"
