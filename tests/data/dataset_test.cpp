// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/dataset.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "siena/data/dataset_fingerprint.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/room.hpp"
#include "siena/data/split.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::data;

namespace {

// One value a sample: its number, so that samples can be told apart.
Dataset numbered(std::int64_t size, std::vector<std::int32_t> labels = {}, std::int64_t classes = 0) {
  std::vector<float> values(static_cast<std::size_t>(size));
  std::iota(values.begin(), values.end(), 0.0f);
  return Dataset::from_floats(std::move(values),
                              {.shape = {1}, .labels = std::move(labels), .classes = classes, .name = "numbered"});
}

std::vector<int> numbers(const Dataset& dataset) {
  std::vector<int> result;
  for (std::int64_t i = 0; i < dataset.size(); ++i) result.push_back(static_cast<int>(dataset.floats(i)[0]));
  return result;
}

std::vector<int> per_class(const Dataset& dataset) {
  std::vector<int> counts(static_cast<std::size_t>(dataset.classes()) + 1);
  for (std::int64_t i = 0; i < dataset.size(); ++i) ++counts[static_cast<std::size_t>(dataset.label(i) + 1)];
  return counts;
}

}  // namespace

TEST_CASE("a dataset of bytes gives samples in [0, 1]") {
  const auto dataset = Dataset::from_bytes({0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6},
                                           {.shape = {1, 2, 3}, .labels = {1, -1}, .name = "two"});
  REQUIRE(dataset.size() == 2);
  REQUIRE(dataset.shape() == Shape{1, 2, 3});
  REQUIRE(dataset.channels() == 3);
  REQUIRE(dataset.classes() == 2);
  REQUIRE(dataset.name() == "two");
  REQUIRE(dataset.holds_bytes());
  REQUIRE(dataset.label(0) == 1);
  REQUIRE(dataset.label(1) == -1);

  std::vector<float> sample(6);
  dataset.sample(0, sample);
  for (int k = 0; k < 6; ++k) REQUIRE(sample[static_cast<std::size_t>(k)] == Approx(k / 5.0));
  // Normalisation travels with the dataset but leaves samples as they are.
  const auto other = dataset.normalized({0.5f, 0.5f, 0.5f}, {2.0f, 2.0f, 2.0f}).named("other");
  std::vector<float> again(6);
  other.sample(0, again);
  REQUIRE(again == sample);
  REQUIRE(other.name() == "other");
  REQUIRE(other.subset({1}).normalization().deviation[2] == 2.0f);
  REQUIRE(dataset.normalization().mean == std::vector<float>(3, 0.0f));
  REQUIRE(dataset.normalization().deviation == std::vector<float>(3, 1.0f));
}

TEST_CASE("a dataset of floats gives samples as stored, with or without labels") {
  const auto dataset = numbered(3);
  REQUIRE_FALSE(dataset.holds_bytes());
  REQUIRE_FALSE(dataset.labelled());
  REQUIRE(dataset.label(2) == -1);
  REQUIRE(dataset.classes() == 0);
  std::vector<float> sample(1);
  dataset.sample(2, sample);
  REQUIRE(sample[0] == 2.0f);
  REQUIRE(Dataset().size() == 0);
  REQUIRE(Dataset().empty());
}

TEST_CASE("subsets and prefixes share the values and compose") {
  const auto dataset = numbered(6, {0, 1, 2, 0, 1, 2});
  const auto odd = dataset.subset({5, 3, 1, 1});
  REQUIRE(numbers(odd) == std::vector<int>{5, 3, 1, 1});
  REQUIRE(odd.label(0) == 2);
  REQUIRE(odd.floats(0).data() == dataset.floats(5).data());
  REQUIRE(numbers(odd.subset({2, 0})) == std::vector<int>{1, 5});
  REQUIRE(numbers(odd.take(2)) == std::vector<int>{5, 3});
  REQUIRE(odd.take(0).empty());
  REQUIRE(odd.take(0).shape() == dataset.shape());
}

TEST_CASE("a dataset says what is wrong with what it is given") {
  const auto bytes = [](std::size_t count, Description description) {
    return Dataset::from_bytes(std::vector<std::uint8_t>(count), std::move(description));
  };
  REQUIRE_THROWS_AS(bytes(10, {.shape = {2, 2}}), ShapeError);
  REQUIRE_THROWS_WITH(
      bytes(10, {.shape = {2, 2}, .name = "pets"}),
      ContainsSubstring("pets: expected a whole number of samples of 2x2 (4 values each), got 10 values: 2 are left over"));
  REQUIRE_THROWS_WITH(bytes(10, {}), ContainsSubstring("got shape (empty)"));
  REQUIRE_THROWS_AS(bytes(32, {.shape = {2, 2, 2, 2, 2}}), ShapeError);
  REQUIRE_THROWS_WITH(bytes(4, {.shape = {2}, .labels = {0, 0, 0}}),
                      ContainsSubstring("a label for each of 2 samples or none at all, got 3"));
  REQUIRE_THROWS_AS(bytes(4, {.shape = {2}, .labels = {0, 3}, .classes = 3}), DataError);
  REQUIRE_THROWS_WITH(bytes(4, {.shape = {2}, .labels = {0, 3}, .classes = 3}),
                      ContainsSubstring("labels from -1 (no class) to 2, got 3 for sample 1"));
  REQUIRE_THROWS_WITH(bytes(4, {.shape = {2}, .labels = {-2, 0}}), ContainsSubstring("got -2 for sample 0"));
  REQUIRE_THROWS_AS(bytes(4, {.shape = {2}, .classes = -1}), ArgumentError);

  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  REQUIRE_THROWS_AS(Dataset::from_floats({0, 1, nan, 3}, {.shape = {2}}), DataError);
  REQUIRE_THROWS_WITH(Dataset::from_floats({0, 1, 2, nan}, {.shape = {2}, .name = "mfcc"}),
                      ContainsSubstring("mfcc: expected finite values, got nan in sample 1, value 1"));
  REQUIRE_THROWS_WITH(Dataset::from_floats({-infinity, 1}, {.shape = {2}}), ContainsSubstring("got -inf in sample 0, value 0"));

  const auto dataset = numbered(3);
  std::vector<float> two(2);
  REQUIRE_THROWS_WITH(dataset.sample(0, two), ContainsSubstring("room for the 1 values"));
  REQUIRE_THROWS_AS(dataset.label(3), ArgumentError);
  REQUIRE_THROWS_WITH(dataset.floats(-1), ContainsSubstring("a sample from 0 to 2, got -1"));
  REQUIRE_THROWS_AS(dataset.subset({0, 3}), ArgumentError);
  REQUIRE_THROWS_WITH(dataset.take(4), ContainsSubstring("to take 0 to 3 samples, got 4"));
  REQUIRE_THROWS_WITH(dataset.normalized({0, 0}, {1, 1}), ContainsSubstring("each of 1 channels, got 2 and 2"));
  REQUIRE_THROWS_WITH(dataset.normalized({0}, {0}), ContainsSubstring("a deviation above 0, got 0 and 0 for channel 0"));
  REQUIRE_THROWS_AS(dataset.normalized({nan}, {1}), DataError);
}

TEST_CASE("measure gives mean and deviation of every channel") {
  SECTION("bytes, against the definition in double") {
    Random random(3);
    std::vector<std::uint8_t> values(7 * 5 * 3 * 2);
    for (auto& value : values) value = static_cast<std::uint8_t>(random.below(256));
    const auto dataset = Dataset::from_bytes(values, {.shape = {5, 3, 2}});
    const auto measured = measure(dataset);
    for (std::size_t c = 0; c < 2; ++c) {
      double mean = 0, variance = 0;
      for (std::size_t at = c; at < values.size(); at += 2) mean += values[at] / 255.0 / (7 * 15);
      for (std::size_t at = c; at < values.size(); at += 2) variance += std::pow(values[at] / 255.0 - mean, 2) / (7 * 15);
      REQUIRE(measured.mean[c] == Approx(mean).epsilon(1e-6));
      REQUIRE(measured.deviation[c] == Approx(std::sqrt(variance)).epsilon(1e-6));
    }
  }
  SECTION("more rows of bytes than 32 bits hold the squares of") {
    const auto dataset = Dataset::from_bytes(std::vector<std::uint8_t>(70'001, 255), {.shape = {1}});
    REQUIRE(measure(dataset).mean[0] == Approx(1.0));
    REQUIRE(measure(dataset).deviation[0] == 1.0f);
  }
  SECTION("floats far from zero, and a channel that never changes") {
    const auto measured = measure(Dataset::from_floats({10'001, 7, 10'003, 7}, {.shape = {2}}));
    REQUIRE(measured.mean == std::vector<float>{10'002, 7});
    REQUIRE(measured.deviation == std::vector<float>{1, 1});
  }
  SECTION("only the samples of a subset") { REQUIRE(measure(numbered(10).subset({2, 4})).mean[0] == 3.0f); }
  SECTION("nothing to measure") { REQUIRE_THROWS_WITH(measure(numbered(4).take(0)), ContainsSubstring("none in 'numbered'")); }
}

TEST_CASE("a reshaped dataset has the same values under other channels") {
  const auto images =
      Dataset::from_floats({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {.shape = {3, 2, 1}, .labels = {1, 0}, .name = "frames"});
  const auto signals = images.normalized({5.0f}, {2.0f}).subset({1}).reshaped({3, 2});
  REQUIRE(signals.shape() == Shape{3, 2});
  REQUIRE(signals.channels() == 2);
  REQUIRE(signals.size() == 1);
  REQUIRE(signals.label(0) == 0);
  REQUIRE(images.shape() == Shape{3, 2, 1});
  std::vector<float> values(6);
  signals.sample(0, values);
  REQUIRE(values == std::vector<float>{7, 8, 9, 10, 11, 12});
  // What each value was normalised with, it still is.
  REQUIRE(signals.normalization().mean == std::vector<float>{5, 5});
  REQUIRE(signals.normalization().deviation == std::vector<float>{2, 2});
  const auto coloured = signals.normalized({1, 2}, {3, 4}).reshaped({6});
  REQUIRE(coloured.normalization().mean == std::vector<float>{1, 2, 1, 2, 1, 2});
  REQUIRE(coloured.normalization().deviation == std::vector<float>{3, 4, 3, 4, 3, 4});
  // Measured anew, each of the new channels has a mean of its own.
  const Normalization measured = measure(images.reshaped({3, 2}));
  REQUIRE(measured.mean == std::vector<float>{6, 7});
  REQUIRE_THROWS_WITH(images.reshaped({3, 3}),
                      ContainsSubstring("frames: expected a shape of the 6 values of a 3x2x1 sample, got 3x3"));
  REQUIRE_THROWS_AS(images.reshaped({6, 1, 1, 1, 1}), ShapeError);
  REQUIRE_THROWS_WITH(coloured.reshaped({2, 3}),
                      ContainsSubstring("expected a multiple of 6 channels, got 3; normalise after reshaping"));
}

TEST_CASE("a split covers everything and never overlaps") {
  const std::int64_t size = GENERATE(20, 101, 1000);
  const double fraction = GENERATE(0.05, 0.1, 0.5, 0.9);
  const bool stratified = GENERATE(true, false);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i * i % 7) - 1;
  const auto dataset = numbered(size, labels, 6).normalized({1}, {2});
  const auto parts = split(dataset, {.fraction = fraction, .seed = 5, .stratified = stratified});

  const auto kept = numbers(parts.kept), held_out = numbers(parts.held_out);
  std::multiset<int> all(kept.begin(), kept.end());
  all.insert(held_out.begin(), held_out.end());
  const auto everything = numbers(dataset);
  REQUIRE(all == std::multiset<int>(everything.begin(), everything.end()));
  REQUIRE(parts.held_out.size() == std::llround(fraction * static_cast<double>(size)));
  REQUIRE(std::is_sorted(kept.begin(), kept.end()));
  REQUIRE(parts.held_out.normalization().deviation[0] == 2.0f);

  const auto again = split(dataset, {.fraction = fraction, .seed = 5, .stratified = stratified});
  REQUIRE(numbers(again.held_out) == held_out);
  const auto other = split(dataset, {.fraction = fraction, .seed = 6, .stratified = stratified});
  if (size > 20) REQUIRE(numbers(other.held_out) != held_out);
  if (stratified) {
    const auto whole = per_class(dataset), part = per_class(parts.held_out);
    for (std::size_t c = 0; c < whole.size(); ++c) REQUIRE(std::abs(part[c] - fraction * whole[c]) < 1.0);
  }
}

TEST_CASE("a split holds an equal number of every class out where it can") {
  std::vector<std::int32_t> labels(500);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i / 50);
  const auto parts = split(numbered(500, labels, 10), {.fraction = 0.1, .seed = 1});
  REQUIRE(per_class(parts.held_out) == std::vector<int>{0, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5});
}

TEST_CASE("a split leaves a part empty only when asked to") {
  const auto none = split(numbered(5), {.fraction = 0});
  REQUIRE(none.kept.size() == 5);
  REQUIRE(none.held_out.empty());
  REQUIRE_THROWS_WITH(split(numbered(4), {.fraction = 0.1}), ContainsSubstring("got 0 held out of 4 ('numbered')"));
  REQUIRE_THROWS_AS(split(numbered(4), {.fraction = 0.9}), ArgumentError);
  REQUIRE_THROWS_WITH(split(numbered(4), {.fraction = 1.0}), ContainsSubstring("from 0 to below 1, got 1"));
  REQUIRE_THROWS_AS(split(numbered(4), {.fraction = -0.1}), ArgumentError);
}

TEST_CASE("samples may overlap: windows of one row of values") {
  std::vector<float> values(10);
  std::iota(values.begin(), values.end(), 0.0f);
  const auto windows = Dataset::from_floats(values, {.shape = {4}, .labels = {0, 1, 0, 1}, .step = 2});
  REQUIRE(windows.size() == 4);
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::size_t k = 0; k < 4; ++k) REQUIRE(windows.floats(i)[k] == static_cast<float>(2 * i) + static_cast<float>(k));
  }
  REQUIRE(windows.subset({3}).floats(0)[0] == 6.0f);
  REQUIRE(windows.label(3) == 1);
  REQUIRE(measure(windows.subset({0})).mean == std::vector<float>{0, 1, 2, 3});
  REQUIRE(Dataset::from_floats({}, {.shape = {4}, .step = 2}).empty());
  REQUIRE_THROWS_WITH(Dataset::from_floats(values, {.shape = {5}, .step = 2}), ContainsSubstring("1 are left over"));
  REQUIRE_THROWS_WITH(Dataset::from_floats({1, 2}, {.shape = {4}, .step = 2}), ContainsSubstring("2 are left over"));
  REQUIRE_THROWS_AS(Dataset::from_floats(values, {.shape = {2}, .step = 3}), ArgumentError);
  REQUIRE_THROWS_AS(Dataset::from_floats(values, {.shape = {2}, .step = 1, .versions = 2}), ArgumentError);
}

TEST_CASE("a sample may come in several versions, of which the first is the true one") {
  const auto dataset = Dataset::from_bytes({10, 11, 20, 21, 30, 31}, {.shape = {1}, .labels = {0, 1, 0}, .versions = 2});
  REQUIRE(dataset.size() == 3);
  REQUIRE(dataset.versions() == 2);
  REQUIRE(dataset.bytes(1)[0] == 20);
  REQUIRE(dataset.subset({2}).bytes(0, 1)[0] == 31);
  REQUIRE(measure(dataset).mean[0] == Approx(20 / 255.0));
  REQUIRE_THROWS_WITH(Dataset::from_bytes({1, 2, 3}, {.shape = {1}, .versions = 2}), ContainsSubstring("1 are left over"));
  REQUIRE_THROWS_AS(Dataset::from_bytes({1, 2}, {.shape = {1}, .versions = 0}), ArgumentError);
}

TEST_CASE("targets go wherever their samples go") {
  const auto dataset =
      Dataset::from_floats({0, 1, 2, 3}, {.shape = {1}, .targets = {0, 0.5f, 10, 10.5f, 20, 20.5f, 30, 30.5f}});
  REQUIRE(dataset.target_size() == 2);
  REQUIRE_FALSE(dataset.labelled());
  const auto fits = [](const Dataset& part) {
    for (std::int64_t i = 0; i < part.size(); ++i) {
      REQUIRE(part.target(i)[0] == 10 * part.floats(i)[0]);
      REQUIRE(part.target(i)[1] == 10 * part.floats(i)[0] + 0.5f);
    }
  };
  const auto parts = split(dataset, {.fraction = 0.5, .seed = 3});
  for (const Dataset& part : {dataset, dataset.subset({3, 1, 1}), dataset.take(2), parts.kept, parts.held_out}) fits(part);
  fits(dataset.normalized({2}, {3}).reshaped({1, 1}).named("other"));
  REQUIRE(dataset.described({.classes = {"a", "b"}}).preparation().classes[1] == "b");
  REQUIRE_THROWS_WITH(dataset.described({.classes = {"a"}}), ContainsSubstring("a name for each of 2 targets or none, got 1"));
  const auto both = [](std::vector<std::int32_t> labels, Preparation known) {
    return Dataset::from_floats({0, 1}, {.shape = {1}, .labels = labels, .targets = {0, 1, 2, 3}, .preparation = known});
  };
  REQUIRE(both({0, 4}, {.classes = {"speed", "height"}}).classes() == 5);  // those are the targets' names
  REQUIRE(both({0, 1}, {.classes = {"cat", "dog"}}).classes() == 2);
  REQUIRE_THROWS_WITH(both({0, 4}, {.classes = {"a", "b", "c"}}),
                      ContainsSubstring("expected labels from -1 (no class) to 2, got 4 for sample 1"));
  REQUIRE(numbered(3).target_size() == 0);
  REQUIRE(numbered(3).target(2).empty());
}

TEST_CASE("two splits make the three parts of a search") {
  namespace data = siena::data;
  const Dataset all = numbered(100);
  // The sample of docs/guides/own_data.md.
  // clang-format off
  const auto [rest, test] = data::split(all, {.fraction = 0.2});           // a fifth of all
  const auto [train, validation] = data::split(rest, {.fraction = 0.25});  // a quarter of the rest: another fifth of all
  const data::Splits splits{.train = train, .validation = validation, .test = test};
  // clang-format on
  CHECK(splits.train.size() == 60);
  CHECK(splits.validation.size() == 20);
  CHECK(splits.test.size() == 20);
}

TEST_CASE("targets that do not fit are refused") {
  const auto with = [](std::vector<float> targets) {
    return Dataset::from_floats({1, 2, 3}, {.shape = {1}, .targets = std::move(targets), .name = "weights"});
  };
  REQUIRE_THROWS_WITH(with({1, 2, 3, 4}), ContainsSubstring("weights: expected as many targets for each of 3 samples or none "
                                                            "at all, got 4 targets"));
  REQUIRE_THROWS_WITH(with({1, 2, 3, 4, std::numeric_limits<float>::infinity(), 6}),
                      ContainsSubstring("weights: expected finite targets, got inf in sample 2, target 0"));
  REQUIRE_THROWS_AS(Dataset::from_floats({}, {.shape = {1}, .targets = {1}}), ShapeError);
}

TEST_CASE("datasets that differ in targets alone have other fingerprints") {
  const auto of = [](std::vector<float> targets) {
    return fingerprint(Dataset::from_floats({1, 2}, {.shape = {1}, .targets = std::move(targets)}));
  };
  REQUIRE(of({1, 2}) == of({1, 2}));
  REQUIRE(of({1, 2}) != of({2, 1}));
  REQUIRE(of({1, 2}) != of({}));
}

TEST_CASE("how samples were prepared stays with them") {
  const std::vector<std::uint8_t> bytes{0, 51, 102, 255, 0, 0, 10, 20, 30, 40, 50, 60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const Preparation known{.classes = {"cat", "dog"}, .colours = Colours::bgr, .resize = ResizeOptions{.height = 1, .width = 2}};
  const Dataset all =
      Dataset::from_bytes(bytes, {.shape = {1, 2, 3}, .labels = {0, 1, 0, -1}, .name = "pets", .preparation = known});
  CHECK(all.classes() == 2);
  Preparation expected = known;
  expected.shape = {1, 2, 3};
  expected.bytes = true;
  expected.mean = {0, 0, 0};
  expected.deviation = {1, 1, 1};
  CHECK(all.preparation() == expected);
  CHECK(expected.scale() == 1.0 / 255);
  CHECK(expected.layout().front() == "height");

  const Dataset normalized = all.normalized({0.5f, 0.25f, 0.125f}, {2, 3, 4});
  expected.mean = {0.5f, 0.25f, 0.125f};
  expected.deviation = {2, 3, 4};
  const auto parts = split(normalized, {.fraction = 0.5, .stratified = false});
  for (const Dataset& part : {normalized, normalized.subset({2, 0}), normalized.take(1), normalized.named("others"), parts.kept,
                              parts.held_out, normalized.subset({})}) {
    CHECK(part.preparation() == expected);
  }
  const Preparation signal = normalized.reshaped({2, 3}).preparation();
  CHECK(signal.shape == Shape{2, 3});
  CHECK(signal.layout().front() == "time");
  CHECK(signal.classes == known.classes);
  CHECK(normalized.reshaped({6}).preparation().mean == std::vector<float>{0.5f, 0.25f, 0.125f, 0.5f, 0.25f, 0.125f});

  const Preparation renamed = normalized.described({.classes = {"katze", "hund"}}).preparation();
  CHECK(renamed.classes == std::vector<std::string>{"katze", "hund"});
  CHECK(renamed.colours == Colours::none);
  CHECK(renamed.mean == expected.mean);  // the dataset's own
  CHECK_THROWS_WITH(normalized.described({.classes = {"cat"}}),
                    ContainsSubstring("pets: expected a name for each of 2 classes"));
  CHECK_THROWS_AS(Dataset::from_floats({1, 2}, {.shape = {1}, .labels = {0, 1}, .classes = 3, .preparation = known}),
                  ArgumentError);
  CHECK(Dataset().preparation().shape == Shape{});
  CHECK(numbered(3).preparation().scale() == 1);
}

TEST_CASE("dataset: counts that cannot be are refused", "[data]") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  CHECK_THROWS_AS(Dataset::from_floats({1, 2}, {.shape = {2}, .versions = most}), ArgumentError);
  CHECK_THROWS_AS(Dataset::from_floats({1, 2}, {.shape = {2}, .step = most}), ArgumentError);
  CHECK_THROWS_WITH(numbered(3, {0, 1'000'000'000, 1}),
                    ContainsSubstring("expected labels from -1 (no class) to 16777215, got 1000000000 for sample 1"));
  CHECK_THROWS_WITH(numbered(3, {0, 3, 1}).described({.classes = {"cat", "dog"}}),
                    ContainsSubstring("expected a name for each of 4 classes or none, got 2; sample 1 has label 3"));
  CHECK_THROWS_WITH(Dataset::from_floats({1, 2}, {.shape = {2}, .labels = {0}, .classes = most}),
                    ContainsSubstring("expected 0 to 16777216 classes"));
  CHECK_THROWS_AS(Dataset::from_floats({1, 2}, {.shape = {most, 2}}), ShapeError);
}

TEST_CASE("room for samples is there, or refused by name", "[data]") {
  CHECK(room_for<float>(3, {2, 2}, "reader") == std::vector<float>(12));
  CHECK(room_for<float>(0, {2, 2}, "reader").empty());
  CHECK_THROWS_WITH(room_for<float>(std::int64_t{1} << 40, {1 << 20}, "reader"),
                    ContainsSubstring("reader: expected memory for 1099511627776 samples of 1048576 (4 bytes a value)"));
  CHECK_THROWS_AS(room_for<float>(std::numeric_limits<std::int64_t>::max(), {1 << 20}, "reader"), DataError);
  CHECK_THROWS_AS(room_for<float>(-1, {1}, "reader"), ArgumentError);
}
