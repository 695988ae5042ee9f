// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "siena/core/fingerprint.hpp"
#include "siena/core/parallel.hpp"
#include "siena/data/dataset.hpp"

namespace siena::data {

/// Of the samples as they are stored, their order, labels and targets: tells whether two datasets are the same.
inline std::uint64_t fingerprint(const Dataset& dataset) {
  std::vector<std::uint64_t> each(static_cast<std::size_t>(dataset.size()));
  const auto raw = [](auto values) {
    return std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  };
  parallel_for(dataset.size(), [&](std::int64_t i) {
    Fingerprint of_sample;
    of_sample.add(static_cast<std::uint64_t>(dataset.label(i)));
    for (std::int64_t v = 0; v < dataset.versions(); ++v)
      of_sample.add(dataset.holds_bytes() ? raw(dataset.bytes(i, v)) : raw(dataset.floats(i, v)));
    if (dataset.target_size() > 0) of_sample.add(raw(dataset.target(i)));
    each[static_cast<std::size_t>(i)] = of_sample.value();
  });
  Fingerprint all;
  for (const std::uint64_t value : each) all.add(value);
  const Normalization normalization = dataset.normalization();
  return all.add(raw(std::span(normalization.mean))).add(raw(std::span(normalization.deviation))).value();
}

}  // namespace siena::data
