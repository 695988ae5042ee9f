// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Image classification: ResNet8 on CIFAR-10.

#include "shared/benchmark.hpp"
#include "shared/blocks.hpp"

using namespace siena;
using namespace siena::examples;

namespace {

BenchmarkData load(const DataSettings& s) {
  BenchmarkData result;
  if (s.folder.empty()) {
    result.splits = data::synthetic_images(s.smoke ? data::SyntheticOptions{.train = 384, .validation = 128, .test = 128}
                                                   : data::SyntheticOptions{});
  } else {
    result = loaded(data::cifar10(s.folder, {.validation = 0.1, .seed = 0}), s);
  }
  result.details = confusion_details;
  return result;
}

ResNet8Options resnet8_options(const ModelSettings& s, int blocks) {
  return {.input = s.input, .classes = s.classes, .width = s.width, .blocks = blocks, .seed = s.seed};
}

Recipe paper() {
  Recipe recipe = paper_recipe(500, 32);
  const PhaseRecipe adam{.optimizer = Adam{.lr = 1e-3, .weight_decay = 1e-4}, .schedule = ExponentialLr{.gamma = 0.99}};
  recipe.warmup = {.optimizer = Sgd{.lr = 0.1, .momentum = 0, .weight_decay = 1e-4}, .schedule = CosineLr{}};
  recipe.search = recipe.finetune = adam;
  recipe.augment = {.flip = true, .rotation_degrees = 15, .shift = 0.1};
  return recipe;
}

}  // namespace

int main(int argc, char** argv) {
  int blocks = 1;
  return run_benchmark(
      {.program = "image_classification",
       .purpose = "Searches ResNet8 on CIFAR-10 for a network that keeps bounds of memory and latency.",
       .data_help = "folder with the binary version of CIFAR-10",
       .own = {.augment = {.crop_padding = 4, .flip = true}},
       .paper = paper(),
       .load = load,
       .network = [&](const ModelSettings& s) { return resnet8(resnet8_options(s, blocks)); },
       .supernet = [&](const ModelSettings& s, bool c) { return resnet8_supernet(resnet8_options(s, blocks), c); },
       .options =
           [&](CLI::App& app) {
             add_blocks(
                 app, blocks,
                 "residual blocks of each stage of the network that it starts from: ResNet8 has 1, ResNet14 2, ResNet20 3");
           },
       .mlperf = mlperf_images<data::MlperfFormat::ic01>},
      argc, argv);
}
