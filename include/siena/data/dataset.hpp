// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/no_class.hpp"
#include "siena/core/shape.hpp"
#include "siena/core/tensor.hpp"
#include "siena/data/preparation.hpp"

namespace siena::data {

/// What a network gets in one step: N samples, with their classes and targets where the dataset has them; else those are empty.
struct Batch {
  Tensor inputs;  ///< N x shape of a sample
  std::vector<std::int32_t> labels;
  Tensor targets = {};  ///< N x targets of a sample
  /// Samples of the whole batch of which this is a part, where it is one of several (LoaderOptions::parts). A part that has
  /// none of them has its first one all the same, which nobody counts.
  std::int64_t whole = 0;

  std::int64_t size() const { return inputs.shape().rank() == 0 ? 0 : inputs.shape()[0]; }
  /// How many of its samples are of a class.
  std::int64_t labelled() const {
    return std::count_if(labels.begin(), labels.end(), [](std::int32_t label) { return label != no_class; });
  }
};

/// Per-channel mean and standard deviation, in the units of `Dataset::sample`: networks see (value - mean) / deviation.
struct Normalization {
  std::vector<float> mean = {};
  std::vector<float> deviation = {};
};

/// What the values of a dataset are. `labels`: one a sample, or none at all. `classes` 0: as many as the labels name.
struct Description {
  Shape shape = {};                       ///< of a sample, innermost size = channels
  std::vector<std::int32_t> labels = {};  ///< -1: no_class
  std::vector<float> targets = {};  ///< what else is to be learnt: as many numbers for each sample, one sample after another
  std::int64_t classes = 0;
  std::string name = "dataset";
  std::int64_t step = 0;  ///< values from sample to sample; fewer than one has: they overlap, as windows do. 0: side by side
  std::int64_t versions = 1;  ///< of each sample, side by side; the first is the true one, Augment::versions draws among them
  Preparation preparation = {};  ///< what `described` takes
};

/// Samples of one shape, held in memory as bytes (images) or floats, with their classes and targets. Copies, subsets and splits
/// share the values: they cost an index list. Immutable, hence safe to read from any number of threads.
class Dataset {
 public:
  Dataset() = default;

  /// Images: `values` are the samples one after the other, H x W x C each, byte b meaning b / 255.
  static Dataset from_bytes(std::vector<std::uint8_t> values, Description description) {
    Storage storage{.description = std::move(description), .bytes = std::move(values)};
    return Dataset(std::move(storage), false);
  }
  /// Features: `values` are the samples one after the other, innermost dimension last. Refuses what is not finite.
  static Dataset from_floats(std::vector<float> values, Description description) {
    Storage storage{.description = std::move(description), .floats = std::move(values)};
    return Dataset(std::move(storage), true);
  }

  std::int64_t size() const { return indices_ ? static_cast<std::int64_t>(indices_->size()) : whole_; }
  bool empty() const { return size() == 0; }
  /// Of a sample: H x W x C for images.
  const Shape& shape() const { return shape_; }
  std::int64_t channels() const { return shape().columns(); }
  /// How many versions of each sample there are.
  std::int64_t versions() const { return storage().description.versions; }
  std::int64_t classes() const { return storage().description.classes; }
  const std::string& name() const { return name_; }
  /// The same samples under another name (for messages).
  Dataset named(std::string name) const {
    Dataset copy = *this;
    copy.name_ = std::move(name);
    return copy;
  }

  /// The same values, in the same order, as samples of another shape. What channels were normalised with stays with the values;
  /// ShapeError where that no longer goes by channels.
  Dataset reshaped(const Shape& shape) const {
    const std::int64_t period = channels();
    require<ShapeError>(shape.elements() == shape_.elements() && shape.rank() < Shape::max_rank,
                        "{}: expected a shape of the {} values of a {} sample, got {}", name_, shape_.elements(), shape_,
                        shape);
    Dataset copy = *this;
    copy.shape_ = shape;
    if (!normalization_) return copy;
    require<ShapeError>(shape.columns() % period == 0,
                        "{}: expected a multiple of {} channels, got {}; normalise after reshaping", name_, period,
                        shape.columns());
    Normalization wider;
    for (std::int64_t c = 0; c < shape.columns(); ++c) {
      wider.mean.push_back(normalization_->mean[static_cast<std::size_t>(c % period)]);
      wider.deviation.push_back(normalization_->deviation[static_cast<std::size_t>(c % period)]);
    }
    return copy.normalized(std::move(wider));
  }

  bool labelled() const { return !storage().description.labels.empty(); }
  /// Class of sample `i`; no_class where it has none.
  std::int32_t label(std::int64_t i) const {
    const std::int64_t at = place(i);
    return labelled() ? storage().description.labels[static_cast<std::size_t>(at)] : no_class;
  }

  /// How many numbers are to be learnt of each sample; 0: none.
  std::int64_t target_size() const { return storage().target_size; }
  /// Those of sample `i`: quantities, a 1 or 0 for each label that it may have, or a probability for each class.
  std::span<const float> target(std::int64_t i) const {
    const auto size = static_cast<std::size_t>(target_size()), at = static_cast<std::size_t>(place(i));
    return {storage().description.targets.data() + at * size, size};
  }

  /// Sample `i` before normalisation, without padding: images in [0, 1], floats as stored.
  void sample(std::int64_t i, std::span<float> out) const {
    require<ShapeError>(static_cast<std::int64_t>(out.size()) == shape().elements(),
                        "{}: expected room for the {} values of a {} sample, got {}", name_, shape().elements(), shape(),
                        out.size());
    if (holds_bytes()) {
      const auto values = bytes(i);
      std::transform(values.begin(), values.end(), out.begin(), [](std::uint8_t b) { return static_cast<float>(b) / 255.0f; });
    } else {
      const auto values = floats(i);
      std::copy(values.begin(), values.end(), out.begin());
    }
  }

  /// Whether samples are stored as bytes (then `bytes(i)` is valid, else `floats(i)`).
  bool holds_bytes() const { return !storage().is_float; }
  /// The stored values of a version of sample `i`, without padding.
  std::span<const std::uint8_t> bytes(std::int64_t i, std::int64_t version = 0) const {
    return stored(storage().bytes, i, version);
  }
  std::span<const float> floats(std::int64_t i, std::int64_t version = 0) const { return stored(storage().floats, i, version); }

  /// The same samples, normalised with these values when they are batched. Measure them on the training split only:
  /// `test.normalized(measure(train))`.
  Dataset normalized(Normalization normalization) const {
    const auto expected = static_cast<std::size_t>(channels());
    require<ShapeError>(normalization.mean.size() == expected && normalization.deviation.size() == expected,
                        "{}: expected a mean and a deviation for each of {} channels, got {} and {}", name_, expected,
                        normalization.mean.size(), normalization.deviation.size());
    for (std::size_t c = 0; c < expected; ++c) {
      const float mean = normalization.mean[c], deviation = normalization.deviation[c];
      require<DataError>(std::isfinite(mean) && std::isfinite(deviation) && deviation > 0,
                         "{}: expected a finite mean and a deviation above 0, got {} and {} for channel {}", name_, mean,
                         deviation, c);
    }
    Dataset copy = *this;
    copy.normalization_ = std::make_shared<const Normalization>(std::move(normalization));
    return copy;
  }
  Dataset normalized(std::vector<float> mean, std::vector<float> deviation) const {
    return normalized(Normalization{.mean = std::move(mean), .deviation = std::move(deviation)});
  }
  /// Mean 0 and deviation 1 unless `normalized` said otherwise.
  Normalization normalization() const {
    if (normalization_) return *normalization_;
    const auto count = static_cast<std::size_t>(channels());
    return {.mean = std::vector<float>(count, 0.0f), .deviation = std::vector<float>(count, 1.0f)};
  }

  /// How the samples were prepared, as files state it beside a network that was trained with them.
  Preparation preparation() const {
    Preparation result = preparation_ ? *preparation_ : Preparation{};
    Normalization scales = normalization();
    result.shape = shape_;
    result.bytes = holds_bytes();
    result.mean = std::move(scales.mean);
    result.deviation = std::move(scales.deviation);
    return result;
  }
  /// The same samples, of which this is known: names of classes or targets, colours, what was done to images or sound. Shape,
  /// mean and deviation are the dataset's own.
  Dataset described(Preparation preparation) const {
    const auto names = static_cast<std::int64_t>(preparation.classes.size());
    if (names != 0 && names != classes() && names != target_size()) {
      const auto& labels = storage().description.labels;
      const auto beyond = std::find_if(labels.begin(), labels.end(), [&](std::int32_t label) { return label >= names; });
      throw ArgumentError(
          format("{}: expected a name for each of {} {} or none, got {}{}", name_, classes() > 0 ? classes() : target_size(),
                 classes() > 0 ? "classes" : "targets", names,
                 beyond == labels.end() ? "" : format("; sample {} has label {}", beyond - labels.begin(), *beyond)));
    }
    Dataset copy = *this;
    copy.preparation_ = std::make_shared<const Preparation>(std::move(preparation));
    return copy;
  }

  /// The samples at these places, in this order; a place may come up more than once.
  Dataset subset(std::span<const std::int64_t> places) const {
    std::vector<std::int64_t> chosen(places.size());
    std::transform(places.begin(), places.end(), chosen.begin(), [this](std::int64_t i) { return place(i); });
    Dataset copy = *this;
    copy.indices_ = std::make_shared<const std::vector<std::int64_t>>(std::move(chosen));
    return copy;
  }
  Dataset subset(std::initializer_list<std::int64_t> places) const {
    return subset(std::span<const std::int64_t>(places.begin(), places.size()));
  }
  /// The first `n` samples.
  Dataset take(std::int64_t n) const {
    require<ArgumentError>(n >= 0 && n <= size(), "{}: expected to take 0 to {} samples, got {}", name_, size(), n);
    std::vector<std::int64_t> places(static_cast<std::size_t>(n));
    std::iota(places.begin(), places.end(), std::int64_t{0});
    return subset(places);
  }

 private:
  struct Storage {
    Description description = {};
    std::vector<std::uint8_t> bytes = {};
    std::vector<float> floats = {};
    bool is_float = false;
    std::int64_t target_size = 0;
  };

  Dataset(Storage storage, bool is_float) : shape_(storage.description.shape), name_(storage.description.name) {
    storage.is_float = is_float;
    const Description& description = storage.description;
    const std::int64_t elements = description.shape.elements();
    const auto values = static_cast<std::int64_t>(is_float ? storage.floats.size() : storage.bytes.size());
    require<ShapeError>(elements > 0 && description.shape.rank() < Shape::max_rank,
                        "{}: expected samples of 1 to {} dimensions and at least one value, got shape {}", name_,
                        Shape::max_rank - 1, description.shape);
    count_samples(storage.description, values);
    storage.target_size = count_targets(description.targets);
    check_labels(storage.description, storage.target_size);
    check_finite(storage.floats, elements, "value");
    check_finite(description.targets, storage.target_size, "target");
    Preparation preparation = std::move(storage.description.preparation);
    storage_ = std::make_shared<const Storage>(std::move(storage));
    *this = described(std::move(preparation));
  }

  // Sample i has its version v at (i * versions + v) * step.
  void count_samples(Description& description, std::int64_t values) {
    const std::int64_t elements = description.shape.elements();
    require<ArgumentError>(description.versions >= 1 && description.versions <= Shape::most_elements / elements &&
                               description.step >= 0 && description.step <= elements &&
                               (description.versions == 1 || description.step == 0),
                           "{}: expected at least 1 version and a step of at most the {} values of a sample, or else 0 where "
                           "there are versions, got {} and {}",
                           name_, elements, description.versions, description.step);
    if (description.step == 0) description.step = elements;
    const std::int64_t period = description.step * description.versions, first = elements * description.versions;
    require<ShapeError>(values == 0 || (values >= first && (values - first) % period == 0),
                        "{}: expected a whole number of samples of {} ({} values each), got {} values: {} are left over", name_,
                        description.shape, first, values, values < first ? values : (values - first) % period);
    whole_ = values == 0 ? 0 : (values - first) / period + 1;
  }

  std::int64_t count_targets(const std::vector<float>& targets) const {
    const auto count = static_cast<std::int64_t>(targets.size());
    require<ShapeError>(count == 0 || (whole_ > 0 && count % whole_ == 0),
                        "{}: expected as many targets for each of {} samples or none at all, got {} targets", name_, whole_,
                        count);
    return count == 0 ? 0 : count / whole_;
  }

  void check_finite(const std::vector<float>& numbers, std::int64_t each, const char* what) const {
    for (std::size_t at = 0; at < numbers.size(); ++at) {
      require<DataError>(std::isfinite(numbers[at]), "{}: expected finite {}s, got {} in sample {}, {} {}", name_, what,
                         numbers[at], static_cast<std::int64_t>(at) / each, what, static_cast<std::int64_t>(at) % each);
    }
  }

  void check_labels(Description& description, std::int64_t targets) const {
    const auto& labels = description.labels;
    require<DataError>(labels.empty() || static_cast<std::int64_t>(labels.size()) == whole_,
                       "{}: expected a label for each of {} samples or none at all, got {}", name_, whole_, labels.size());
    constexpr std::int64_t most = 1 << 24;  // lists have an entry a class
    const auto largest = std::max_element(labels.begin(), labels.end());
    const std::int64_t named = largest == labels.end() ? 0 : std::int64_t{*largest} + 1;
    if (description.classes == 0) {
      const auto names = static_cast<std::int64_t>(description.preparation.classes.size());
      description.classes = names == targets && named > names ? 0 : names;  // names of targets say nothing of classes
    }
    if (description.classes == 0) {
      require<DataError>(named <= most, "{}: expected labels from -1 (no class) to {}, got {} for sample {}", name_, most - 1,
                         named - 1, largest - labels.begin());
      description.classes = named;
    }
    require<ArgumentError>(description.classes >= 0 && description.classes <= most, "{}: expected 0 to {} classes, got {}",
                           name_, most, description.classes);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      require<DataError>(labels[i] >= no_class && labels[i] < description.classes,
                         "{}: expected labels from -1 (no class) to {}, got {} for sample {}", name_, description.classes - 1,
                         labels[i], i);
    }
  }

  const Storage& storage() const {
    static const Storage none;
    return storage_ ? *storage_ : none;
  }
  std::int64_t place(std::int64_t i) const {
    require<ArgumentError>(i >= 0 && i < size(), "{}: expected a sample from 0 to {}, got {}", name_, size() - 1, i);
    return indices_ ? (*indices_)[static_cast<std::size_t>(i)] : i;
  }
  template <class T>
  std::span<const T> stored(const std::vector<T>& values, std::int64_t i, std::int64_t version) const {
    const Description& description = storage().description;
    SIENA_ASSERT(version >= 0 && version < description.versions);
    const std::int64_t elements = shape().elements(), start = (place(i) * description.versions + version) * description.step;
    SIENA_ASSERT(start + elements <= static_cast<std::int64_t>(values.size()));  // bytes(i) of floats, or the other way round
    return {values.data() + start, static_cast<std::size_t>(elements)};
  }

  std::shared_ptr<const Storage> storage_;
  std::shared_ptr<const std::vector<std::int64_t>> indices_;  // none: all of the storage
  std::shared_ptr<const Normalization> normalization_;
  std::shared_ptr<const Preparation> preparation_;
  Shape shape_ = {};
  std::string name_ = "dataset";
  std::int64_t whole_ = 0;
};

/// A problem: what is learnt from, what choices are made by, and what is looked at once, at the end.
struct Splits {
  Dataset train;       ///< to learn from
  Dataset validation;  ///< to choose by
  Dataset test;        ///< to judge by: nothing is chosen by it

  /// Shape of a sample, the same in all parts.
  const Shape& shape() const { return train.shape(); }
  std::int64_t classes() const { return train.classes(); }
};

}  // namespace siena::data
