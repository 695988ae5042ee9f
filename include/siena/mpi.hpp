// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room mpi: ranks that train one network together, on one machine or many. Not a part of siena/siena.hpp: it needs MPI.

#include "siena/mpi/environment.hpp"
#include "siena/mpi/ranks.hpp"
