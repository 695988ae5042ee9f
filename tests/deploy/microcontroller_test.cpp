// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// The way of the guide: from a trained network to C.

#include <cmath>
#include <filesystem>
#include <string>

#include "siena/core/file.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/deploy/c_source.hpp"
#include "siena/deploy/integer/as_network.hpp"
#include "siena/deploy/integer/quantization_aware.hpp"
#include "siena/deploy/integer/quantize.hpp"
#include "siena/train.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

TEST_CASE("guide: a trained network becomes integers, and C") {
  const auto data = data::synthetic_images({.height = 16, .width = 16, .train = 256, .validation = 32, .test = 64});
  const auto build = [](const Flow& x) {
    return x | Conv2d{.out = 8, .kernel = 3, .stride = 2} | BatchNorm{} | Relu{} | GlobalAvgPool{} | Linear{.out = 10};
  };
  Network network(data.train.shape(), build, 1);
  fit(network, data, {.epochs = 2});
  const test::TemporaryFolder temporary("siena_microcontroller");
  const std::filesystem::path& folder = temporary.path;

  const deploy::IntegerNetwork integers = deploy::quantize(network, data.train.take(200));

  Network on_device = deploy::as_network(integers);
  const Metrics metrics = evaluate(on_device, data.test);
  CHECK(std::abs(metrics.loss - evaluate(network, data.test).loss) < 0.05);

  Network aware = deploy::quantization_aware(network, data.train.take(200));
  fit(aware, data, {.epochs = 1, .optimizer = Adam{.lr = 1e-4}});
  const deploy::IntegerNetwork trained = deploy::quantize(aware);
  CHECK(trained.operations.size() == integers.operations.size());

  deploy::c_source(trained, folder, {.name = "model", .preparation = data.train.preparation()});
  CHECK(read_file(folder / "model.h").find("int8_t *model_input(model_context *context);") != std::string::npos);
  CHECK(read_file(folder / "model.c").find("void model_run(model_context *context)") != std::string::npos);
}
