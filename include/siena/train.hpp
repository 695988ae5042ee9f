// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room train: optimizers, schedules, the training loop, observers.

#include "siena/train/alternation.hpp"
#include "siena/train/checkpoint.hpp"
#include "siena/train/confusion_matrix.hpp"
#include "siena/train/distill.hpp"
#include "siena/train/epoch_text.hpp"
#include "siena/train/evaluate.hpp"
#include "siena/train/events.hpp"
#include "siena/train/fit_options.hpp"
#include "siena/train/gradient_clip.hpp"
#include "siena/train/history.hpp"
#include "siena/train/hit_counts.hpp"
#include "siena/train/loggers.hpp"
#include "siena/train/loop.hpp"
#include "siena/train/metrics.hpp"
#include "siena/train/multi_label_report.hpp"
#include "siena/train/objective.hpp"
#include "siena/train/observers.hpp"
#include "siena/train/optimizer_rule.hpp"
#include "siena/train/optimizers.hpp"
#include "siena/train/predictions.hpp"
#include "siena/train/progress_bar.hpp"
#include "siena/train/regression_report.hpp"
#include "siena/train/roc.hpp"
#include "siena/train/schedule.hpp"
#include "siena/train/schedules.hpp"
#include "siena/train/trainer.hpp"
#include "siena/train/weight_average.hpp"
