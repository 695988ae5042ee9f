// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Tiny ImageNet: ResNet18 on 200 classes of images of 64 x 64.

#include <siena/data/tiny_imagenet.hpp>

#include "shared/benchmark.hpp"

using namespace siena;
using namespace siena::examples;

namespace {

BenchmarkData load(const DataSettings& s) {
  BenchmarkData result;
  if (s.folder.empty()) {
    result.splits = data::synthetic_tiny_imagenet(
        s.smoke ? data::SyntheticSizes{16, 8, 8} : data::SyntheticSizes{.train = 8000, .validation = 1000, .test = 1000});
  } else {
    const data::ImageFolder images = data::tiny_imagenet(s.folder, {.skip_bad_files = s.skip_bad_files});
    result = loaded(images, s, 32);
  }
  result.details = [](Network& network, const data::Dataset& test) {
    const double top_5 = top_k_accuracy(network, test, 5);
    const HitAverages mean = confusion(network, test).macro();
    return Details{format("top-5 accuracy: {:.2f} %\nmean of the classes: precision {:.2f} %, recall {:.2f} %, F1 {:.2f} %\n",
                          100 * top_5, 100 * mean.precision, 100 * mean.recall, 100 * mean.f1),
                   {{"top_5_accuracy", top_5}, {"macro", to_json(mean)}}};
  };
  return result;
}

ResNet18Options resnet18_options(const ModelSettings& s) {
  return {.input = s.input, .classes = s.classes, .width = s.width, .seed = s.seed};
}

Recipe own() {
  Recipe recipe{.epochs = {20, 20, 10}, .batch = 100};
  recipe.augment = {.crop_padding = 4, .flip = true};
  return recipe;
}
Recipe paper() {
  Recipe recipe = paper_recipe(50, 100);
  recipe.warmup = recipe.search = recipe.finetune = {.optimizer = Sgd{.lr = 1e-3, .momentum = 0.9, .weight_decay = 1e-4},
                                                     .schedule = StepLr{.every = 7, .gamma = 0.1}};
  recipe.patience = 10;
  recipe.patience_from = 0.5;
  recipe.augment = {.flip = true};
  recipe.note =
      "The paper trains at 224 x 224 first, from weights of ImageNet. Here all phases are at 64 x 64: give such weights with "
      "--init, or a higher --lr to begin from none.";
  return recipe;
}

}  // namespace

int main(int argc, char** argv) {
  return run_benchmark({.program = "tiny_imagenet",
                        .purpose = "Searches ResNet18 on Tiny ImageNet for a network that keeps bounds of memory and latency.",
                        .data_help = "folder of Tiny ImageNet as it is distributed, with wnids.txt, train and val",
                        .own = own(),
                        .paper = paper(),
                        .load = load,
                        .network = [](const ModelSettings& s) { return resnet18(resnet18_options(s)); }},
                       argc, argv);
}
