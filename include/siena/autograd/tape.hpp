// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "siena/autograd/closure.hpp"
#include "siena/autograd/parameter.hpp"
#include "siena/autograd/scalar.hpp"
#include "siena/autograd/travelling_sums.hpp"
#include "siena/core/rank_sum.hpp"
#include "siena/core/shards.hpp"
#include "siena/core/tensor.hpp"
#include "siena/kernels/geometry.hpp"

namespace siena {

template <class T>
class BasicTape;

/// A handle to a value on a tape: an index, cheap to copy, valid until the tape is cleared. A default one means "none".
template <class T>
class BasicVar {
 public:
  BasicVar() = default;
  BasicVar(BasicTape<T>* tape, std::int32_t id) : tape_(tape), id_(id) {}

  explicit operator bool() const { return tape_ != nullptr; }
  BasicTape<T>& tape() const { return *tape_; }
  std::int32_t id() const { return id_; }
  const BasicTensor<T>& value() const { return tape_->value(id_); }
  const Shape& shape() const { return tape_->shape(id_); }
  bool needs_grad() const { return tape_ != nullptr && tape_->needs_grad(id_); }

 private:
  BasicTape<T>* tape_ = nullptr;
  std::int32_t id_ = -1;
};

/// Records what was computed, in order, and runs it backwards. Records are flat: the reverse pass is one loop over them, so
/// depth costs no stack and a value used twice is visited once. Cost formulas record on `scalars()`, and `backward` takes
/// both to the same parameters. During the reverse pass each value and gradient is freed as soon as nothing needs it. A tape is
/// used by one thread at a time; operations share their work out among threads themselves.
template <class T>
class BasicTape {
 public:
  using Var = BasicVar<T>;

  /// `recording = false`: values only, nothing to run backwards (inference).
  explicit BasicTape(bool recording = true) : recording_(recording) {}
  BasicTape(const BasicTape&) = delete;
  BasicTape& operator=(const BasicTape&) = delete;

  bool recording() const { return recording_; }
  ScalarTape& scalars() { return scalars_; }

  /// Says that what comes has the samples that this rank has of a batch of `samples`: operations that sum over them do so
  /// over the whole batch, by shards. `shards` outlives the recording. Without it the batch is all here and in one piece.
  void share(const Shards& shards, std::int64_t samples) {
    shards_ = shards.whole() ? nullptr : &shards;
    samples_ = samples;
  }
  /// How the batch is cut, if it is.
  const Shards* shards() const { return shards_; }
  /// How many samples the whole batch has, where `here` of them are here.
  std::int64_t samples(std::int64_t here) const { return shards_ ? samples_ : here; }
  /// The number of the first sample that is here in the batch.
  std::int64_t first_sample() const { return shards_ ? shards_->first_sample(samples_) : 0; }

  /// A value without gradient, kept by the tape.
  Var constant(BasicTensor<T> value) { return push({.own = std::move(value)}); }
  /// A value without gradient, kept by the caller until the tape is cleared.
  Var reference(const BasicTensor<T>& value) { return push({.external = &value}); }
  /// A value whose gradient can be read with `grad` after the reverse pass.
  Var variable(BasicTensor<T> value) { return push({.own = std::move(value), .needs_grad = recording_}); }
  /// A parameter: its gradient is added to `parameter.grad`. The parameter outlives the tape's use of it.
  Var parameter(BasicParameter<T>& parameter) {
    return push({.external = &parameter.value, .parameter = &parameter, .needs_grad = recording_, .of_parameters = recording_});
  }

  /// The result of an operation: needs a gradient when one of its inputs does.
  template <class... Inputs>
  Var result(BasicTensor<T> value, const Inputs&... inputs) {
    return result_of({inputs...}, std::move(value));
  }
  Var result_of(std::initializer_list<Var> inputs, BasicTensor<T> value) {
    return result_of(std::span(inputs.begin(), inputs.size()), std::move(value));
  }
  Var result_of(std::span<const Var> inputs, BasicTensor<T> value) {
    bool needs_grad = false, of_parameters = recording_;
    for (const Var& input : inputs) {
      if (!input) continue;
      needs_grad |= this->needs_grad(input.id());
      of_parameters &= nodes_[input.id()].of_parameters;
    }
    needs_grad &= recording_;
    return push({.own = std::move(value), .needs_grad = needs_grad, .of_parameters = needs_grad && of_parameters});
  }

  /// The result of an operation that is cheaper to run again than to keep: make(tape, out) writes it to a tensor of the shape
  /// when `value` is asked for, and again after it was released. Captures are handles and numbers. A tape that does not record
  /// may release what `make` reads, and makes it at once.
  template <class Make, class... Inputs>
  Var result_on_demand(const Shape& shape, Make make, const Inputs&... inputs) {
    const Var output = result(BasicTensor<T>::outline(shape), inputs...);
    Node& node = nodes_[output.id()];
    node.make = arena_.keep<BasicTape&, BasicTensor<T>&>(std::move(make));
    if (!recording_) {
      value(output);
      node.make = {};
    }
    return output;
  }

  /// Another value with the elements of `input`, which it refers to and which are kept from now on.
  Var alias(const Var& input, bool needs_grad) {
    const BasicTensor<T>& elements = value(input);
    nodes_[input.id()].make = {};
    return push({.external = &elements, .needs_grad = recording_ && needs_grad});
  }

  /// A value of the shape of `input` that stands in its place, and whose gradient goes to it as it is.
  Var straight_through(const Var& input, BasicTensor<T> value) {
    if (BasicParameter<T>* parameter = nodes_[input.id()].parameter)
      return push({.own = std::move(value), .parameter = parameter, .needs_grad = recording_, .of_parameters = recording_});
    const Var output = result(std::move(value), input);
    record(output, [=](BasicTape& t) {
      const auto [dy, slot] = t.slot_over(input, output);
      for (std::size_t i = 0; slot.mode == kernels::Write::accumulate && i < dy.size(); ++i) slot.storage()[i] += dy[i];
    });
    return output;
  }

  /// Says how the gradient of `output` goes to its inputs: `backward(tape)` reads `grad(output)`
  /// and writes through `slot(input)`. The closure is kept by value and never destroyed: captures
  /// are handles and numbers; tensors are kept as `constant`.
  template <class Backward>
  void record(const Var& output, Backward backward) {
    if (needs_grad(output.id())) records_.push_back({output.id(), arena_.keep<BasicTape&>(std::move(backward))});
  }
  /// The same with what goes to parameters apart: `sums(tape)` calls add_batch_sum for each of `summed`, and runs before
  /// `backward`; or, where ranks share the batch, while later operations wait for messages (work_meanwhile).
  template <class Backward, class Sums, class... Summed>
  void record(const Var& output, Backward backward, Sums sums, const Summed&... summed) {
    record(output, std::move(backward));
    if (!needs_grad(output.id())) return;
    records_.back().sums = arena_.keep<BasicTape&>(std::move(sums));
    records_.back().may_wait = !of_parameters(output) && ((!summed.needs_grad() || of_parameters(summed)) && ...);
  }

  /// Makes a result on demand that is not there: not from several threads at once, so ask before a parallel loop. A
  /// reference is good until the value is released, which a network does after its last reader; closures ask again.
  const BasicTensor<T>& value(std::int32_t id) {
    Node& node = nodes_[id];
    if (node.make && node.own.storage().empty()) {
      auto made = BasicTensor<T>::uninitialized(node.own.shape());
      node.make(*this, made);
      node.own = std::move(made);
    }
    return node.external ? *node.external : node.own;
  }
  /// Makes nothing.
  const Shape& shape(std::int32_t id) const {
    const Node& node = nodes_[id];
    return node.external ? node.external->shape() : node.own.shape();
  }
  const BasicTensor<T>& value(const Var& var) { return value(var.id()); }
  bool needs_grad(std::int32_t id) const { return nodes_[id].needs_grad; }

  /// The gradient that arrived at a value: inside a closure that of its output, after the reverse pass that of a variable.
  const BasicTensor<T>& grad(const Var& var) const {
    const Node& node = nodes_[var.id()];
    return node.parameter ? node.parameter->grad : node.grad;
  }

  /// Where an operation writes the gradient of an input, and whether it is the first to do so.
  struct Slot {
    BasicTensor<T>* grad = nullptr;  ///< null: no gradient is wanted
    kernels::Write mode = kernels::Write::overwrite;
    explicit operator bool() const { return grad != nullptr; }
    std::span<T> storage() const { return grad->storage(); }
  };
  Slot slot(const Var& input) {
    if (!input || !needs_grad(input.id())) return {};
    Node& node = nodes_[input.id()];
    if (node.parameter) return {&node.parameter->grad, kernels::Write::accumulate};
    if (!node.grad.storage().empty()) return {&node.grad, kernels::Write::accumulate};
    node.grad = BasicTensor<T>::uninitialized(input.shape());
    return {&node.grad, kernels::Write::overwrite};
  }
  /// The gradient of an operation's output, and the slot of an input of the same shape.
  struct GradientAndSlot {
    std::span<const T> gradient;
    Slot slot;
  };
  /// The same for the last thing that a closure does with the gradient of its output, element by element: a first slot takes
  /// over its storage, so that a large tensor is written where it has just been read. `grad(output)` is empty then.
  GradientAndSlot slot_over(const Var& input, const Var& output) {
    BasicTensor<T>& gradient = nodes_[output.id()].grad;
    const std::span<const T> values = std::as_const(gradient).storage();
    if (!input || !needs_grad(input.id())) return {values, {}};
    Node& node = nodes_[input.id()];
    if (node.parameter || !node.grad.storage().empty()) return {values, slot(input)};
    SIENA_ASSERT(input.shape() == output.shape());
    node.grad = std::move(gradient);
    return {values, {&node.grad, kernels::Write::overwrite}};
  }
  /// The same for kernels that only add: a first slot is zeroed.
  Slot accumulating_slot(const Var& input) {
    Slot slot = this->slot(input);
    if (slot && slot.mode == kernels::Write::overwrite) slot.grad->fill(T(0));
    if (slot) slot.mode = kernels::Write::accumulate;
    return slot;
  }

  /// Adds a sum over the batch to the gradient of what does not belong to samples: add(first, count, out) adds those of `count`
  /// samples, from sample `first` of the `here` that are here on. Sums for parameters, and for what is made of nothing else
  /// (masked, rounded), are there when all that belongs to samples has been run backwards; those for other values at once.
  template <class Add>
  void add_batch_sum(const Var& input, std::int64_t here, const Add& add) {
    const Slot slot = accumulating_slot(input);
    if (!slot) return;
    if (!shards_) return add(std::int64_t{0}, here, slot.storage());
    const std::size_t size = slot.storage().size();
    Buffer<T> rows = shards_->template partial<T>(samples_, size, add, Shards::Add{});
    if (of_parameters(input)) return sums_.add(*shards_, *slot.grad, std::move(rows));
    RankSum sum(*shards_, std::move(rows), size);
    Shards::Add()(slot.storage(), sum.take());
  }
  /// For an operation that waits for a message in the reverse pass, between sending and waiting: makes sums that nobody else
  /// waits for.
  void work_meanwhile() {
    const Record* record = std::exchange(put_off_, nullptr);
    if (record == nullptr) return;
    record->sums(*this);
    forget(*record);
  }

  /// Keeps whole numbers for a closure (indices of a max-pool, handles of a list of inputs): read them with `kept`.
  std::int32_t keep(Buffer<std::int32_t> numbers) {
    kept_.push_back(std::move(numbers));
    return static_cast<std::int32_t>(kept_.size()) - 1;
  }
  std::span<const std::int32_t> kept(std::int32_t index) const { return kept_[index].span(); }

  /// The number in a one-element value as a scalar of cost formulas: gradients cross over.
  Scalar scalar(const Var& var) {
    SIENA_ASSERT(var.shape().elements() == 1);
    const double number = static_cast<double>(*value(var).data());
    if (!needs_grad(var.id())) return Scalar(number);
    const Scalar leaf = scalars_.leaf(number);
    bridges_.push_back({leaf, var});
    return leaf;
  }

  /// d(loss + penalty)/d everything; `loss` is a one-element value. Runs once per recording.
  void backward(const Var& loss, const Scalar& penalty = Scalar(0.0)) {
    if (loss) {
      value(loss);  // made now if on demand: it stays when all else is freed
      SIENA_ASSERT(loss.shape().elements() == 1);
      if (Slot seed = accumulating_slot(loss)) *seed.grad->data() += T(1);
    }
    scalars_.backward(penalty);
    for (const Bridge& bridge : bridges_) {
      if (Slot slot = accumulating_slot(bridge.var)) *slot.grad->data() += static_cast<T>(scalars_.gradient(bridge.leaf));
    }
    kept_loss_ = loss.id();
    // What is made of parameters alone waits for sums over the batch, which travel until all else has been run.
    for (const bool waits : {false, true}) {
      for (std::size_t i = records_.size(); i-- > 0;) {
        const Record& record = records_[i];
        if ((shards_ && nodes_[record.output].of_parameters) != waits) continue;
        run(record);
        if (waits) sums_.arrive(*shards_);
      }
      work_meanwhile();
      if (shards_) sums_.arrive(*shards_);
    }
    records_.clear();
  }

  /// Frees a value that nobody will read again before the reverse pass: where there is none, and where it can be made again.
  void release(const Var& var) {
    Node& node = nodes_[var.id()];
    if (!recording_) node.own = {};
    if (node.make) node.own = BasicTensor<T>::outline(node.own.shape());
  }

  /// Forgets everything; capacity stays.
  void clear() {
    for (std::size_t i = 0; i < size_; ++i) nodes_[i] = {};
    size_ = 0;
    records_.clear();
    bridges_.clear();
    sums_.clear();
    put_off_ = nullptr;
    kept_.clear();
    scalars_.clear();
    arena_.reset();
  }

 private:
  struct Node {
    BasicTensor<T> own{};  // an outline while it waits to be made
    BasicTensor<T> grad{};
    Closure<BasicTape&, BasicTensor<T>&> make{};
    const BasicTensor<T>* external = nullptr;
    BasicParameter<T>* parameter = nullptr;
    bool needs_grad = false;
    bool of_parameters = false;  // made of them alone, or one: belongs to no sample
  };
  struct Record {
    std::int32_t output;
    Closure<BasicTape&> backward;
    Closure<BasicTape&> sums{};
    bool may_wait = false;
  };
  struct Bridge {
    Scalar leaf;
    Var var;
  };
  bool of_parameters(const Var& var) const { return nodes_[var.id()].of_parameters; }
  // Sums that may wait do so until the next record is done: it may be the one whose value they read.
  void run(const Record& record) {
    const bool reached = !nodes_[record.output].grad.storage().empty();
    const bool puts_off = reached && record.may_wait && shards_ && !shards_->ranks().alone();
    if (reached && record.sums && !puts_off) record.sums(*this);
    if (reached) record.backward(*this);
    work_meanwhile();
    if (puts_off) {
      put_off_ = &record;
    } else {
      forget(record);
    }
  }
  void forget(const Record& record) {
    Node& node = nodes_[record.output];
    node.grad = {};
    node.make = {};
    if (record.output != kept_loss_) node.own = {};
  }

  Var push(Node node) {
    if (size_ == nodes_.size()) nodes_.emplace_back();
    nodes_[size_] = std::move(node);
    return {this, static_cast<std::int32_t>(size_++)};
  }

  bool recording_;
  std::deque<Node> nodes_;  // never moves a node: references to values stay good while others are pushed
  std::size_t size_ = 0;
  std::vector<Record> records_;
  std::vector<Bridge> bridges_;
  const Shards* shards_ = nullptr;  // none: the batch is whole
  std::int64_t samples_ = 0;        // of the whole batch
  TravellingSums<T> sums_;
  const Record* put_off_ = nullptr;  // its sums are to be made
  std::int32_t kept_loss_ = -1;
  std::vector<Buffer<std::int32_t>> kept_;
  ScalarTape scalars_;
  ClosureArena arena_;
};

using Tape = BasicTape<float>;
using Var = BasicVar<float>;

}  // namespace siena
