// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#if __has_include(<nlohmann/json.hpp>)
#include "siena/search/report_json.hpp"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "support/catch.hpp"
#include "support/searchable.hpp"

using namespace siena;
using Json = nlohmann::ordered_json;

namespace {

using Keys = std::vector<std::string>;
Keys keys(const Json& json) {
  Keys keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  return keys;
}
Network network() {
  return Network({4, 4, 2}, [](const Flow& x) {
    return ((x | Conv2d{.out = 3, .kernel = 3}).named("a") | GlobalAvgPool{} | Linear{.out = 2}).named("out");
  });
}
/// A folder of its own that is gone afterwards.
struct Folder {
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path = std::filesystem::temp_directory_path() / format("siena_report_{}", ::getpid());
};

}  // namespace

TEST_CASE("report as JSON: these keys, and no others") {
  Report report = siena::report(network(), subject_to(AtMost{Params{}, 100}, AtLeast{20}, MemoryBound{100_B}));
  report.accuracy.found = 0.75;
  report.phases.push_back({.name = "search", .epochs = 3, .seconds = 1.5});
  CHECK(to_json(report)["seed"].is_null());
  report.seed = 7;
  const Json json = to_json(report);
  CHECK(keys(json) == Keys{"feasible", "bounds", "metric", "accuracy", "costs", "layers", "phases", "seed", "threads"});
  CHECK(json["feasible"] == true);
  Network plain = network();
  const auto samples = data::Dataset::from_floats(std::vector<float>(static_cast<std::size_t>(plain.input_shape().elements())),
                                                  {.shape = plain.input_shape(), .labels = {1}, .classes = 2});
  const Json prepared = to_json(evaluate(plain, samples, ConstraintSet()))["preparation"];
  CHECK(data::preparation_from_json(Json::parse(prepared.dump())) == samples.preparation());
  REQUIRE(json["bounds"].size() == 3);
  for (int i : {0, 2}) CHECK(keys(json["bounds"][i]) == Keys{"name", "limit", "value", "slack", "unit", "violation", "model"});
  CHECK(keys(json["bounds"][1]) == Keys{"name", "limit", "value", "slack", "unit", "violation"});
  CHECK(json["bounds"][2]["model"] == "model size");
  CHECK(json["bounds"][0]["model"] == "params");
  CHECK(json["bounds"][0]["name"] == "params");
  CHECK(json["bounds"][0]["limit"] == 100);
  CHECK(json["bounds"][0]["value"] == 9 * 2 * 3 + 3 * 2);
  CHECK(json["bounds"][0]["slack"] == 40);
  CHECK(json["bounds"][0]["unit"] == "weights");
  CHECK(json["bounds"][0]["violation"] == Approx(-0.4));
  CHECK(json["bounds"][1]["limit"].is_null());
  CHECK(json["bounds"][1]["slack"].is_null());
  CHECK(json["bounds"][1]["violation"] == Approx(-2));
  CHECK(keys(json["accuracy"]) == Keys{"baseline", "found", "finetuned", "calibrated", "aware", "measured"});
  CHECK(json["accuracy"]["baseline"].is_null());
  CHECK(json["accuracy"]["found"] == 0.75);
  CHECK(json["metric"] == "accuracy");
  report.accuracy.metric = "auc";
  CHECK(to_json(report)["auc"]["found"] == 0.75);
  CHECK(report.to_string().find("auc as found: 0.7500") != std::string::npos);
  CHECK(keys(json["costs"]) == Keys{"weights", "macs", "bytes"});
  CHECK(json["costs"]["macs"] == 16 * 54 + 6);
  CHECK(json["costs"]["bytes"] == 60 + 4 * 5);
  REQUIRE(json["layers"].size() == 2);
  CHECK(keys(json["layers"][0]) ==
        Keys{"name", "kind", "in_channels", "out_channels", "weights", "macs", "bits", "output_bits", "bounds"});
  CHECK(json["layers"][0]["bits"] == Json::parse(R"([{"bits": 8.0, "filters": 3.0}])"));
  CHECK(json["layers"][0]["bounds"] == Json{{"params", 9 * 2 * 3}});  // the others are no sums over layers
  CHECK(json["layers"][0]["name"] == "a");
  CHECK(json["layers"][1]["in_channels"] == 3);
  REQUIRE(json["phases"].size() == 1);
  CHECK(keys(json["phases"][0]) == Keys{"name", "epochs", "seconds"});
  CHECK(json["seed"] == 7);
  CHECK(json["threads"] == threads());
  CHECK(Json::parse(json.dump()) == json);
  report.bounds.clear();  // of a report that somebody changed
  CHECK_FALSE(to_json(report)["layers"][0].contains("bounds"));
}

TEST_CASE("history of a search as JSON") {
  SearchHistory history;
  history.warmup.epochs.push_back({.phase = "warm-up", .epoch = 1, .epochs = 1, .train = {.loss = 2, .samples = 8}});
  EpochEvent epoch{
      .phase = "search", .epoch = 1, .epochs = 1, .train = {.loss = 1, .accuracy = 0.5, .samples = 8}, .has_validation = true};
  epoch.validation = {.loss = 1.5, .accuracy = 0.25, .samples = 4};
  epoch.bounds.push_back({.name = "memory", .unit = "B", .value = 12, .limit = 20});
  history.search.epochs.push_back(epoch);
  history.best_epoch = 1;
  history.reach.push_back({.name = "memory", .unit = "B", .smallest = 1, .largest = 9, .whole = 8, .limit = 4});
  history.prices.push_back({.name = "memory", .unit = "B", .binds = true, .price = 0.5});
  const Json json = to_json(history);
  CHECK(keys(json) == Keys{"warmup", "search", "best_epoch", "repaired", "reach", "shadow_prices"});
  CHECK(json["reach"][0] ==
        Json{{"name", "memory"}, {"unit", "B"}, {"smallest", 1.0}, {"largest", 9.0}, {"whole", 8.0}, {"limit", 4.0}});
  CHECK(json["shadow_prices"][0] == Json{{"name", "memory"}, {"unit", "B"}, {"binds", true}, {"price", 0.5}});
  CHECK(json["best_epoch"] == 1);
  CHECK(json["repaired"] == false);
  CHECK(keys(json["warmup"][0]) == Keys{"epoch", "train_loss", "train_accuracy", "penalty", "lr", "seconds"});
  const Json& searched = json["search"][0];
  CHECK(searched["validation_loss"] == 1.5);
  CHECK(searched["validation_accuracy"] == 0.25);
  CHECK(searched["bounds"]["memory"] == 12);
  CHECK_NOTHROW(Json::parse(json.dump()));  // an accuracy that is not a number becomes null
  CHECK(Json::parse(json.dump())["warmup"][0]["train_accuracy"].is_null());
}

TEST_CASE("a confusion matrix as JSON: a row a class") {
  ConfusionMatrix matrix(3, {"yes", "no", "noise"});
  Tensor outputs(Shape{3, 3});
  outputs.row(0)[1] = outputs.row(1)[1] = outputs.row(2)[0] = 1;
  matrix.add(outputs, std::vector<std::int32_t>{0, 1, 0});
  const Json json = Json::parse(to_json(matrix).dump());
  CHECK(keys(json) == Keys{"classes", "counts", "precision", "recall", "f1", "macro"});
  CHECK(json["classes"] == Json{"yes", "no", "noise"});
  CHECK(json["counts"] == Json{{1, 1, 0}, {0, 1, 0}, {0, 0, 0}});
  CHECK(json["precision"] == Json{1.0, 0.5, nullptr});
  CHECK(json["recall"] == Json{0.5, 1.0, nullptr});
  CHECK(json["macro"]["recall"] == 0.75);  // of the classes that were seen
}

TEST_CASE("several labels and numbers as JSON") {
  const MultiLabelReport labels{.names = {"a", "b"},
                                .labels = {{.hits = 1, .misses = 1}, {.hits = 3, .false_alarms = 1}},
                                .all_right = 0.5,
                                .samples = 4};
  const Json json = Json::parse(to_json(labels).dump());
  CHECK(keys(json) == Keys{"labels", "precision", "recall", "f1", "macro", "micro", "all_right", "samples"});
  CHECK(json["precision"] == Json{1.0, 0.75});
  CHECK(json["micro"] == Json{{"precision", 0.8}, {"recall", 0.8}, {"f1", 0.8}});
  const RegressionReport numbers{
      .names = {"speed"}, .outputs = {{.mae = 1, .rmse = 2, .r2 = 0.5}}, .mean = {.mae = 1, .rmse = 2}, .samples = 3};
  const Json errors = Json::parse(to_json(numbers).dump());
  CHECK(keys(errors) == Keys{"mae", "rmse", "r2", "outputs", "samples"});
  CHECK(errors["r2"].is_null());
  CHECK(errors["outputs"][0] == Json{{"mae", 1.0}, {"rmse", 2.0}, {"r2", 0.5}, {"name", "speed"}});
}

TEST_CASE("scores of machines as JSON") {
  const AnomalyReport report{.machines = {{.machine = "01", .normal = 5, .anomalies = 3, .auc = 0.75, .pauc = 0.5}},
                             .auc = 0.75,
                             .pauc = 0.5,
                             .max_fpr = 0.1};
  const Json machine{{"machine", "01"}, {"normal", 5}, {"anomalies", 3}, {"auc", 0.75}, {"pauc", 0.5}};
  CHECK(to_json(report) == Json{{"auc", 0.75}, {"pauc", 0.5}, {"max_fpr", 0.1}, {"machines", Json::array({machine})}});
}

TEST_CASE("reports are written whole or not at all") {
  const Folder folder;
  const auto path = folder.path / "report.json";
  const Json json = to_json(report(network(), {}));
  save_json(json, path);
  const std::string text = read_file(path);
  CHECK(Json::parse(text) == json);
  CHECK(text.back() == '\n');
  save_json({{"new", 1}}, path);
  CHECK(Json::parse(read_file(path))["new"] == 1);
  CHECK_THROWS_AS(save_json(json, folder.path / "missing" / "report.json"), DataError);
  CHECK_THROWS_AS(save_json(json, folder.path), DataError);
  CHECK(Json::parse(read_file(path))["new"] == 1);
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path)) ++files;
  CHECK(files == 1);  // nothing temporary is left behind
}
#endif
