// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/core/fingerprint.hpp"
#include "siena/core/shape.hpp"
#include "siena/core/state.hpp"
#include "siena/core/tensor.hpp"

namespace siena {

/// A training ended before it was done because it was asked to.
class Interrupted : public Error {
 public:
  using Error::Error;
};

/// How a training survives being stopped, at any moment and by anything.
struct CheckpointOptions {
  /// Where files are kept; made where it is missing. None: nothing is kept. `<phase>.checkpoint` is all of the training after
  /// the last epoch, `<phase>.best.checkpoint` the network of the best one: `network.load(load_checkpoint(file), "network.")`.
  std::filesystem::path folder = {};
  /// Keeps the network of every so many epochs as well, as `<phase>.epoch-<number>.checkpoint`; 0: of none.
  int every = 0;
  /// Goes on from what the folder has, to the same bits as without a break; begins at the beginning where it has nothing.
  /// Without it, a checkpoint that is there is an error.
  bool resume = false;
  /// Asked before each epoch: true ends the training with Interrupted.
  std::function<bool()> stop = {};
};

namespace detail {

/// Version and byte order; as long as two words.
inline constexpr std::string_view checkpoint_magic(std::endian::native == std::endian::little ? "siena state 1\n<"
                                                                                              : "siena state 1\n>",
                                                   16);

template <class T>
void append(std::string& bytes, T number) requires std::is_arithmetic_v<T> {
  const std::size_t at = bytes.size();
  bytes.resize(at + sizeof number);
  std::memcpy(bytes.data() + at, &number, sizeof number);
}
inline void append(std::string& bytes, const std::string& text) {
  append(bytes, static_cast<std::uint64_t>(text.size()));
  bytes += text;
}
inline void append(std::string& bytes, const Tensor& tensor) {
  append(bytes, static_cast<std::uint64_t>(tensor.shape().rank()));
  for (int d = 0; d < tensor.shape().rank(); ++d) append(bytes, tensor.shape()[d]);
  for (std::int64_t r = 0; r < tensor.rows(); ++r) {
    const auto row = tensor.row(r);
    bytes.append(reinterpret_cast<const char*>(row.data()), row.size_bytes());
  }
}

/// Every value with its name, in order.
inline std::string state_bytes(const State& state) {
  std::string bytes;
  append(bytes, static_cast<std::uint64_t>(state.values().size()));
  for (const auto& [name, value] : state.values()) {
    append(bytes, name);
    append(bytes, static_cast<std::uint64_t>(value.index()));
    std::visit([&](const auto& v) { append(bytes, v); }, value);
  }
  return bytes;
}

/// Takes values out of bytes that may hold anything.
class StateReader {
 public:
  StateReader(std::string_view bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  State read() {
    State state;
    for (auto count = number<std::uint64_t>(); count > 0; --count) {
      const std::string name = text();
      expect(!state.contains(name), "every name once");
      state.put(name, value(number<std::uint64_t>()));
    }
    expect(bytes_.empty(), "nothing behind the last value");
    return state;
  }

 private:
  void expect(bool holds, std::string_view what) const {
    require<FormatError>(holds, "{}: expected {}, got a damaged file", where_, what);
  }
  std::string_view take(std::uint64_t size) {
    expect(size <= bytes_.size(), "a file of the size that it states");
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(number<std::uint64_t>())); }
  Tensor tensor() {
    const auto rank = number<std::uint64_t>();
    expect(rank <= static_cast<std::uint64_t>(Shape::max_rank), "tensors of a rank that there is");
    std::vector<std::int64_t> sizes;
    std::uint64_t elements = 1;
    for (std::uint64_t d = 0; d < rank; ++d) {
      sizes.push_back(number<std::int64_t>());
      const auto size = static_cast<std::uint64_t>(sizes.back());
      expect(sizes.back() > 0 && elements <= bytes_.size() / size, "tensors that fit into the file");
      elements *= size;
    }
    Tensor result{Shape(std::span<const std::int64_t>(sizes))};
    for (std::int64_t r = 0; r < result.rows(); ++r) {
      const auto row = result.row(r);
      std::memcpy(row.data(), take(row.size_bytes()).data(), row.size_bytes());
    }
    return result;
  }
  State::Value value(std::uint64_t kind) {
    expect(kind < std::variant_size_v<State::Value>, "a known kind of value");
    if (kind == 0) return tensor();
    if (kind == 1) return number<double>();
    if (kind == 2) return number<std::int64_t>();
    return text();
  }

  std::string_view bytes_;
  std::string where_;
};

}  // namespace detail

/// Writes a state to a file, whole or not at all, with a version and a checksum.
inline void save_checkpoint(const State& state, const std::filesystem::path& file) {
  const std::string bytes = detail::state_bytes(state);
  const std::uint64_t sum = Fingerprint().add(bytes).value();
  const std::string_view last(reinterpret_cast<const char*>(&sum), sizeof sum);
  write_file_atomically(file, {detail::checkpoint_magic, bytes, last});
}

/// The state that `save_checkpoint` wrote. Throws DataError where the file cannot be read, FormatError where it is no
/// checkpoint or was damaged.
inline State load_checkpoint(const std::filesystem::path& file) {
  const std::string where = format("load_checkpoint: '{}'", file.string());
  const std::string bytes = read_file(file);
  const std::string_view magic = detail::checkpoint_magic;
  std::uint64_t sum = 0;
  require<FormatError>(bytes.size() >= magic.size() + sizeof sum,
                       "{}: expected a whole checkpoint, got {} bytes; delete it to begin this phase anew", where,
                       bytes.size());
  require<FormatError>(std::string_view(bytes).starts_with(magic),
                       "{}: expected a checkpoint of this version, got another file; delete it to begin this phase anew",
                       where);
  const std::string_view values(bytes.data() + magic.size(), bytes.size() - magic.size() - sizeof sum);
  std::memcpy(&sum, bytes.data() + bytes.size() - sizeof sum, sizeof sum);
  require<FormatError>(sum == Fingerprint().add(values).value(),
                       "{}: expected a matching checksum, got a damaged file; delete it to begin this phase anew", where);
  return detail::StateReader(values, where).read();
}

}  // namespace siena
