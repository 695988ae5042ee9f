// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Chooses how far back each layer of a temporal network looks, how far apart its taps lie, and how many channels it has.
//
//   temporal [Speech Commands directory]      without one, synthetic keywords

#include <siena/data/speech_commands.hpp>
#include <siena/siena.hpp>
#include <string_view>

using namespace siena;

namespace {

data::Splits load(std::string_view folder, bool smoke) {
  data::Splits data = folder.empty() ? data::synthetic_keywords({.train = smoke ? 240 : 2000})
                                     : data::speech_commands(folder, {.words = {}});  // every word
  const Shape signal{data.shape()[0], data.shape()[1]};                               // images become time x coefficients
  const auto scales = data::measure(data.train.reshaped(signal));
  for (data::Dataset* part : {&data.train, &data.validation, &data.test}) *part = part->reshaped(signal).normalized(scales);
  return data;
}

}  // namespace

int main(int argc, char** argv) try {
  wait_briefly(argv);
  const std::string_view folder = argc > 1 ? argv[1] : "";
  if (folder == "--help" || folder == "-h") {
    fmt::print("usage: temporal [Speech Commands directory]; without one, synthetic keywords\n");
    return 0;
  }
  const bool smoke = folder == "--smoke";  // as little as shows that it runs
  const auto data = load(smoke ? "" : folder, smoke);

  const Network net = tcn({.input = data.shape(), .classes = static_cast<int>(data.classes())});
  const auto bounds = subject_to(MemoryBound{6_KiB}, AtMost{Macs{}, 2.5e5});
  const int epochs = smoke ? 1 : 20;
  const SearchOptions options{.warmup = epochs, .epochs = epochs, .batch = 32, .seed = 1};
  auto [found, history] = search(net, data, bounds, Duccio{}, options, ProgressBar{});
  fit(found, data, {.epochs = epochs, .batch = 32}, ProgressBar{});
  const Report report = evaluate(found, data.test, bounds);
  fmt::print("{}\n", report);
  for (const auto& node : found.nodes()) {
    if (const auto* layer = node.layer.get_if<Conv1d>())
      fmt::print("{}: {} channels, {} taps, {} apart\n", node.name, layer->out, layer->kernel, layer->dilation);
  }
  return report.feasible ? 0 : 1;
} catch (const Error& error) {
  fmt::print(stderr, "temporal: {}\n", error.what());
  return 2;
}
