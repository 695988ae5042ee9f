// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifdef SOMETIMES
#include "siena/low.hpp"
#endif
