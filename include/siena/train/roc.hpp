// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/no_class.hpp"
#include "siena/data/recordings.hpp"

namespace siena {

/// The area under the receiver operating characteristic of scores, label 1 meaning positive and 0 negative: the fraction of
/// pairs of a positive and a negative of which the positive has the higher score, a tie being half a pair; exact, O(n log n).
/// With `max_fpr` below 1 only the part up to that false positive rate, scaled so that chance is 1/2 and perfection 1 (McClish
/// 1989): (1 + (area - max_fpr^2 / 2) / (max_fpr - max_fpr^2 / 2)) / 2, as scikit-learn's roc_auc_score. What is of no class is
/// left out. Throws DataError where one of the classes is not there, or a score is not a number.
inline double roc_auc(const std::vector<double>& scores, const std::vector<std::int32_t>& labels, double max_fpr = 1) {
  require<ShapeError>(scores.size() == labels.size(), "roc_auc: expected a label for each of {} scores, got {}", scores.size(),
                      labels.size());
  require<ArgumentError>(max_fpr > 0 && max_fpr <= 1, "roc_auc: expected a max_fpr above 0 up to 1, got {}", max_fpr);
  double positives = 0, negatives = 0;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    require<DataError>(scores[i] == scores[i] && (labels[i] == no_class || labels[i] == 0 || labels[i] == 1),
                       "roc_auc: expected numbers with labels 0 or 1, or -1 (no class), got {} with label {} at place {}",
                       scores[i], labels[i], i);
    if (labels[i] == no_class) continue;
    ++(labels[i] == 1 ? positives : negatives);
    order.push_back(i);
  }
  require<DataError>(positives > 0 && negatives > 0, "roc_auc: expected positives and negatives, got {} and {}", positives,
                     negatives);

  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  // Down the scores: equal ones make one straight piece of the curve. Counts are exact, and divided at the end.
  const double limit = max_fpr * negatives;
  double area = 0, x = 0, y = 0;
  for (std::size_t at = 0; at < order.size() && x < limit;) {
    double across = 0, up = 0;
    for (const double score = scores[order[at]]; at < order.size() && scores[order[at]] == score; ++at) {
      ++(labels[order[at]] == 1 ? up : across);
    }
    const double part = across > limit - x ? (limit - x) / across : 1;
    area += part * across * (y + part * up / 2);
    x += across;
    y += up;
  }
  area /= positives * negatives;
  if (max_fpr == 1) return area;
  const double chance = max_fpr * max_fpr / 2;
  return (1 + (area - chance) / (max_fpr - chance)) / 2;
}

/// How well the scores of a machine's recordings tell anomalies from normal ones.
struct MachineScore {
  std::string machine = {};
  std::int64_t normal = 0, anomalies = 0;  ///< recordings
  double auc = 0, pauc = 0;
};

struct AnomalyReport {
  std::vector<MachineScore> machines = {};  ///< by id
  double auc = 0, pauc = 0;                 ///< means over the machines, each counting the same
  double max_fpr = 0;

  std::string to_string() const {
    std::string text = format("machine  normal  anomalies     AUC  pAUC(fpr <= {})\n", max_fpr);
    for (const auto& one : machines) {
      text += format("{:<7}  {:6}  {:9}  {:.4f}  {:.4f}\n", one.machine, one.normal, one.anomalies, one.auc, one.pauc);
    }
    return text + format("mean                        {:.4f}  {:.4f}\n", auc, pauc);
  }
};

/// AUC and partial AUC of each machine, from a score for every recording, high for anomalies; as in DCASE and MLPerf Tiny.
inline AnomalyReport score_machines(const std::vector<double>& scores, const std::vector<data::Recording>& recordings,
                                    double max_fpr = 0.1) {
  require<ShapeError>(scores.size() == recordings.size(), "score_machines: expected a score for each of {} recordings, got {}",
                      recordings.size(), scores.size());
  struct Machine {
    std::vector<double> scores;
    std::vector<std::int32_t> labels;
  };
  std::map<std::string, Machine> machines;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    Machine& machine = machines[recordings[i].machine];
    machine.scores.push_back(scores[i]);
    machine.labels.push_back(recordings[i].anomaly ? 1 : 0);
  }
  require<DataError>(!machines.empty(), "score_machines: expected recordings, got {}", 0);
  AnomalyReport report{.max_fpr = max_fpr};
  for (const auto& [name, machine] : machines) {
    const auto anomalies = std::count(machine.labels.begin(), machine.labels.end(), 1);
    const auto normal = static_cast<std::int64_t>(machine.labels.size()) - anomalies;
    require<DataError>(anomalies > 0 && normal > 0,
                       "score_machines: expected normal recordings and anomalies of machine '{}', got {} and {}", name, normal,
                       anomalies);
    report.machines.push_back({.machine = name,
                               .normal = normal,
                               .anomalies = anomalies,
                               .auc = roc_auc(machine.scores, machine.labels),
                               .pauc = roc_auc(machine.scores, machine.labels, max_fpr)});
    report.auc += report.machines.back().auc / static_cast<double>(machines.size());
    report.pauc += report.machines.back().pauc / static_cast<double>(machines.size());
  }
  return report;
}

}  // namespace siena
