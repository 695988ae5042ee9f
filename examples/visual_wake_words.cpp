// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Visual wake words: MobileNetV1 at a quarter of its width, on images with and without a person, or any in class folders.

#include <siena/data/image_folder.hpp>

#include "shared/benchmark.hpp"

using namespace siena;
using namespace siena::examples;

namespace {

BenchmarkData load(const DataSettings& s) {
  BenchmarkData result;
  if (s.folder.empty()) {
    result.splits = data::synthetic_wake_words(s.smoke ? data::SyntheticSizes{96, 32, 32} : data::SyntheticSizes{});
  } else {
    const data::ImageFolder images =
        data::image_folder(s.folder, {.size = {.height = 96, .width = 96}, .skip_bad_files = s.skip_bad_files});
    result = loaded(images, s);
  }
  result.details = confusion_details;
  return result;
}

MobileNetV1Options mobilenet_options(const ModelSettings& s) {
  return {.input = s.input, .classes = s.classes, .width = 0.25 * s.width, .seed = s.seed};
}

Recipe own() {
  Recipe recipe{.epochs = {20, 20, 10}, .batch = 64};
  for (PhaseRecipe* phase : {&recipe.warmup, &recipe.search, &recipe.finetune})
    phase->optimizer = Sgd{.lr = 0.05, .momentum = 0.9, .weight_decay = 1e-4, .nesterov = true};
  recipe.augment = {.crop_padding = 8, .flip = true};
  return recipe;
}
Recipe paper() {
  Recipe recipe = paper_recipe(70, 32);
  recipe.warmup = recipe.search = recipe.finetune = {.optimizer = Adam{.lr = 1e-3, .weight_decay = 1e-4},
                                                     .schedule = MilestoneLr{.at = {20, 30}, .gamma = 0.5}};
  recipe.augment = {.flip = true, .rotation_degrees = 10, .shift = 0.05};
  recipe.note = "Of the paper's augmentation, random crops of 90 % and more that are resized are left out.";
  return recipe;
}

}  // namespace

int main(int argc, char** argv) {
  return run_benchmark(
      {.program = "visual_wake_words",
       .purpose = "Searches MobileNetV1 (width 0.25) on images with and without a person, or any in a folder for each class, "
                  "under bounds of memory and latency.",
       .data_help = "folder with a folder of JPEG or PNG files for each class, or train, val and test folders that have them",
       .own = own(),
       .paper = paper(),
       .load = load,
       .network = [](const ModelSettings& s) { return mobilenet_v1(mobilenet_options(s)); },
       .supernet = [](const ModelSettings& s, bool c) { return mobilenet_v1_supernet(mobilenet_options(s), c); },
       .mlperf = mlperf_images<data::MlperfFormat::vww01>},
      argc, argv);
}
