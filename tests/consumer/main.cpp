// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "shared.hpp"

#include <cstdio>
#include <siena/cost/validate.hpp>

// Says what is wrong; the exit status counts.
static int check(bool holds, const char* what) {
  if (!holds) std::fprintf(stderr, "consumer: wrong: %s\n", what);
  return holds ? 0 : 1;
}

int main() {
  using namespace siena;
  Network network = small_network();
  const SearchSpace space = SearchSpace::install(network);
  const auto bounds =
      subject_to(AtMost{Energy{.joules_per_mac = 1, .joules_per_byte = 2}, 5000}, AtLeast{50}, MemoryBound{1_KiB});
  int wrong = check(!bounds.feasible(describe(network)), "the whole network is too large");

  // 8 of 16 channels: 27 * 8 weights on 16 pixels each, and 8 * 4 weights of the linear layer.
  Selection half = space.selection(network);
  for (std::size_t c = 0; c < 16; c += 2)
    half["channels"][static_cast<std::size_t>(space.axis<ChannelMasks>().channels().runs(1)[0].group)][c] = false;
  space.select(network, half);
  Network found = discretize(network, space);
  const Architecture<double> exact = describe(found);
  wrong += check(total(Params{}, exact) == 248, "weights");
  wrong += check(total(Energy{.joules_per_mac = 1, .joules_per_byte = 2}, exact) == 16 * 216 + 32 + 2 * 248, "energy");
  wrong += check(bounds.feasible(exact), "half of the network keeps every constraint");
  wrong += check(!subject_to(AtLeast{249}).feasible(exact), "a floor is a floor");
  wrong += check(report(found, bounds).bounds.size() == 3, "the report shows every constraint");

  // The search would go down the slope of the same formula, which had better be true.
  const Validation validation = validate(Energy{.joules_per_mac = 1, .joules_per_byte = 2});
  if (!validation.passed()) std::fprintf(stderr, "%s\n", validation.to_string().c_str());
  wrong += check(validation.passed(), "the gradient of the energy");
  Tape tape;
  tape.backward({}, total(Energy{.joules_per_mac = 1, .joules_per_byte = 2}, describe(tape, network, space)));
  const int alpha = space.axis<ChannelMasks>().parameter(space.axis<ChannelMasks>().channels().runs(1)[0].group);
  wrong += check(network.parameter(alpha).grad.row(0)[0] == 16 * 27 + 4 + 2 * 31, "slope of the energy");

  // What the masks computed is what is left.
  Tensor image(Shape{1, 4, 4, 3}, 0.5f);
  const Tensor masked = network.predict(image), plain = found.predict(image);
  for (std::size_t i = 0; i < 4; ++i) wrong += check(std::abs(masked.row(0)[i] - plain.row(0)[i]) < 1e-5f, "the function");
  wrong += check(other(found) == total(Energy{.joules_per_mac = 3, .joules_per_byte = 0}, exact),
                 "the other translation unit agrees");

  wrong += check(other_files_refused(), "folders that are not there are refused");
#ifdef HAS_ONNX
  wrong += check(deploy::onnx_model(found).graph().node_size() == 5, "the network as ONNX");
#endif

  bool refused = false;
  try {
    require_reachable({network, space, subject_to(AtMost{Params{}, 1})});
  } catch (const ConstraintError&) {
    refused = true;
  }
  wrong += check(refused, "what cannot be reached is refused");
  refused = false;
  try {
    (void)board_bounds("no such table.csv");
  } catch (const DataError&) {
    refused = true;
  }
  wrong += check(refused, "a table that is not there is refused");
  return wrong;
}
