// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

namespace siena {

/// Counter-based random numbers: value i of stream s is a pure function of (seed, s, i), the same on every platform and for
/// any number of threads; only `normal` also depends on the platform's log and cos. The mixing function is SplitMix64's
/// finaliser (Steele, Lea, Flood 2014) applied twice.
class Random {
 public:
  explicit Random(std::uint64_t seed = 0, std::uint64_t stream = 0)
      : key_(mix(mix(seed) + 0x9e3779b97f4a7c15u * (stream + 1))) {}

  /// The 64 random bits at a place of this stream, whatever was drawn before.
  std::uint64_t at(std::uint64_t index) const { return mix(mix(key_ + 0x9e3779b97f4a7c15u * (index + 1)) ^ key_); }
  /// Uniform in [0, 1) at a place of this stream.
  double uniform_at(std::uint64_t index) const { return static_cast<double>(at(index) >> 11) * 0x1.0p-53; }

  std::uint64_t next() { return at(counter_++); }
  /// Uniform in [0, 1).
  double uniform() { return uniform_at(counter_++); }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform whole number in [0, n), n > 0.
  std::uint64_t below(std::uint64_t n) {
    // Lemire's method without the rejection step: the bias is below n / 2^64.
    __extension__ using uint128 = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<uint128>(next()) * n) >> 64);
  }
  bool chance(double probability) { return uniform() < probability; }
  /// Standard normal (Box-Muller; two draws a value, so that streams stay aligned).
  double normal() {
    const double u = 1.0 - uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * uniform());
  }

  /// An independent generator: `Random(seed).split(epoch).split(image)`.
  Random split(std::uint64_t stream) const {
    Random child;
    child.key_ = mix(mix(key_ ^ 0xd1b54a32d192ed03u) + 0x9e3779b97f4a7c15u * (stream + 1));
    return child;
  }

  std::uint64_t counter() const { return counter_; }
  void seek(std::uint64_t counter) { counter_ = counter; }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

/// Fisher-Yates.
template <class T>
void shuffle(std::vector<T>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

}  // namespace siena
