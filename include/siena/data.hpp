// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room data: datasets, augmentation, loaders. Front-ends for sound (mfcc.hpp, log_mel.hpp), which need Eigen, come with
// those who use them; csv_series.hpp and mlperf_tiny.hpp, which take a while to compile, by their names.

#include "siena/data/augment.hpp"
#include "siena/data/balanced_weights.hpp"
#include "siena/data/cifar10.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/dataset_fingerprint.hpp"
#include "siena/data/front_end_options.hpp"
#include "siena/data/keywords.hpp"
#include "siena/data/load_report.hpp"
#include "siena/data/loader.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/preparation.hpp"
#include "siena/data/recordings.hpp"
#include "siena/data/resize_options.hpp"
#include "siena/data/split.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/data/synthetic_benchmarks.hpp"
