// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a program begins with where that is in a file: a network (--network), or weights for its own (--init).

#include <algorithm>
#include <cstddef>
#include <optional>
#include <siena/core.hpp>
#include <siena/data.hpp>
#include <siena/deploy/network_file.hpp>
#include <siena/deploy/preparation_file.hpp>
#include <siena/nn.hpp>
#include <siena/space.hpp>
#include <string>
#include <vector>

#include "outputs.hpp"

namespace siena::examples {

/// The network of --network, in place of `own`. Throws ArgumentError where it does not fit the data that `own` is for.
inline Network network_from(const std::string& file, const Network& own) {
  Network network;
  for_option("--network", [&] { network = deploy::load_network(file); });
  require<ArgumentError>(network.input_shape() == own.input_shape() && network.output_shape() == own.output_shape(),
                         "--network: expected a network from {} to {}, as the data are, got one from {} to {} in '{}'",
                         own.input_shape(), own.output_shape(), network.input_shape(), network.output_shape(), file);
  return network;
}

/// How the inputs of the network that an option names were prepared, where its file says so.
inline std::optional<data::Preparation> preparation_in(const char* option, const std::string& file) {
  std::optional<data::Preparation> found;
  for_option(option, [&] {
    if (deploy::load_safetensors(file).contains(std::string(data::preparation_key))) found = deploy::load_preparation(file);
  });
  return found;
}

namespace detail {
inline std::string inputs_text(const data::Preparation& p) {
  std::string text = format("{} of {}", p.bytes ? "bytes" : "numbers", p.shape);
  if (p.colours != data::Colours::none) text += format(", {}", data::names_of(p.colours)[static_cast<std::size_t>(p.colours)]);
  if (p.sound) text += format(", {} seconds={} window={}", to_string(p.sound->front_end), p.sound->seconds, p.sound->window);
  return text;
}
}  // namespace detail

/// Throws ArgumentError where the data are other things than the network that an option names was trained with: features of
/// another front-end, numbers in place of bytes, the same classes in another order.
inline void require_alike(const char* option, const data::Preparation& trained, const data::Preparation& own) {
  const bool known = own.colours != data::Colours::none && trained.colours != data::Colours::none;
  require<ArgumentError>(own.shape == trained.shape && own.bytes == trained.bytes && own.sound == trained.sound &&
                             (!known || own.colours == trained.colours),
                         "{}: expected data prepared as the network was trained with, {}, got {}", option,
                         detail::inputs_text(trained), detail::inputs_text(own));
  const std::vector<std::string>&theirs = trained.classes, &ours = own.classes;
  if (!std::is_permutation(theirs.begin(), theirs.end(), ours.begin(), ours.end())) return;  // to learn other ones is allowed
  const auto [was, is] = std::mismatch(theirs.begin(), theirs.end(), ours.begin());
  if (was == theirs.end()) return;
  fail<ArgumentError>(
      "{}: expected the classes in the order in which the network was trained with them, got '{}' in the place of "
      "'{}'; name them in that order",
      option, *is, *was);
}

/// A note where the data name other classes than the network was trained with, "" where they are the same or unknown: its
/// outputs then begin with what they meant before.
inline std::string other_classes(const data::Preparation& trained, const data::Preparation& own) {
  const std::vector<std::string>&theirs = trained.classes, &ours = own.classes;
  if (theirs.empty() || ours.empty() || std::is_permutation(theirs.begin(), theirs.end(), ours.begin(), ours.end())) return "";
  const auto [was, is] = std::mismatch(theirs.begin(), theirs.end(), ours.begin(), ours.end());
  return format("the data have other classes than the network was trained with: {} in the place of {}",
                is == ours.end() ? "none" : "'" + *is + "'", was == theirs.end() ? "none" : "'" + *was + "'");
}

/// Samples normalised as those of the network of --network were.
inline data::Dataset prepared_as(const data::Preparation& trained, const data::Dataset& samples) {
  require_alike("--network", trained, samples.preparation());
  return samples.normalized(trained.mean, trained.deviation);
}

/// What percents are of: the network, of choices the first alternative.
inline Network whole(const Network& network) {
  Network copy = network;
  const SearchSpace space = SearchSpace::install(copy);
  return !space.mixes() ? network : discretize(copy, space, space.full());
}

/// The weights of --init, where they fit.
inline void load_weights(Network& network, const std::string& file) {
  try {
    deploy::load_weights(network, file);
  } catch (const FormatError& error) {
    if (!deploy::holds_network(file)) throw;
    fail<FormatError>("{}, which --network {} begins with", error.what(), file);
  }
}

}  // namespace siena::examples
