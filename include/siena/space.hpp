// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room space: what may vary: axes, groups, descriptions, discretisation.

#include "siena/space/activation_bits.hpp"
#include "siena/space/axis.hpp"
#include "siena/space/bits.hpp"
#include "siena/space/channel_ties.hpp"
#include "siena/space/choice.hpp"
#include "siena/space/choices.hpp"
#include "siena/space/compact.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "siena/space/freedom.hpp"
#include "siena/space/groups.hpp"
#include "siena/space/kernel_taps.hpp"
#include "siena/space/mask.hpp"
#include "siena/space/measured_mask.hpp"
#include "siena/space/narrow.hpp"
#include "siena/space/resolution.hpp"
#include "siena/space/search_space.hpp"
#include "siena/space/searchable.hpp"
#include "siena/space/selection.hpp"
#include "siena/space/taps.hpp"
