// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/autograd/tape.hpp"
#include "siena/core/random.hpp"

namespace siena {

struct GradcheckOptions {
  /// How far elements are moved to either side, times max(1, |element|).
  double step = 1e-5;
  /// Largest |tape - differences| / max(1, |tape|, |differences|) that passes.
  double tolerance = 1e-7;
};

/// What gradcheck found; `message` names the worst element.
struct GradcheckReport {
  bool passed = false;
  double error = 0;  ///< of the worst element
  std::string message;
  explicit operator bool() const { return passed; }
};

namespace detail {

// A function of several inputs made a single number: its outputs weighted at random, so that no error hides in a sum, and
// its penalty.
template <class Function>
class CheckedFunction {
 public:
  using DVar = BasicVar<double>;

  explicit CheckedFunction(Function& function) : function_(function) {}

  double value(const std::vector<BasicTensor<double>>& inputs) {
    BasicTape<double> tape(false);
    std::vector<DVar> vars;
    for (const auto& input : inputs) vars.push_back(tape.reference(input));
    const auto [output, penalty] = call(tape, vars);
    return (output ? *output.value().data() : 0.0) + penalty.value();
  }
  std::vector<BasicTensor<double>> gradients(const std::vector<BasicTensor<double>>& inputs) {
    BasicTape<double> tape;
    std::vector<DVar> vars;
    for (const auto& input : inputs) vars.push_back(tape.variable(input));
    const auto [output, penalty] = call(tape, vars);
    tape.backward(output, penalty);
    std::vector<BasicTensor<double>> found;
    for (std::size_t i = 0; i < vars.size(); ++i) {
      const auto& grad = tape.grad(vars[i]);  // empty: the function does not depend on this input
      found.push_back(grad.shape() == inputs[i].shape() ? grad : BasicTensor<double>(inputs[i].shape()));
    }
    return found;
  }

 private:
  std::pair<DVar, Scalar> call(BasicTape<double>& tape, const std::vector<DVar>& vars) {
    auto result = function_(tape, std::span<const DVar>(vars));
    if constexpr (std::is_same_v<decltype(result), DVar>) {
      return {weighted(result), Scalar(0.0)};
    } else {
      return {weighted(result.first), result.second};
    }
  }
  static DVar weighted(const DVar& y) {
    if (!y) return y;
    BasicTape<double>& tape = y.tape();
    const std::int64_t rows = y.value().rows(), columns = y.value().columns(), stride = y.value().stride();
    BasicTensor<double> weights(y.shape());
    Random random(0x9e37);
    double sum = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        weights.row(r)[c] = random.uniform(0.5, 1.5) * (random.chance(0.5) ? 1 : -1);
        sum += weights.row(r)[c] * y.value().row(r)[c];
      }
    }
    const DVar output = tape.result(BasicTensor<double>(Shape{1}, sum), y);
    const DVar kept = tape.constant(std::move(weights));
    tape.record(output, [=](BasicTape<double>& t) {
      const auto slot = t.accumulating_slot(y);
      const double seed = *t.grad(output).data();
      for (std::int64_t i = 0; i < rows * stride; ++i) slot.grad->data()[i] += seed * t.value(kept).data()[i];
    });
    return output;
  }

  Function& function_;
};

inline std::string element_name(const Shape& shape, std::int64_t row, std::int64_t column) {
  std::string name = format("{}]", column);
  for (int i = shape.rank() - 2; i >= 0; --i) {
    name = format("{}, {}", row % shape[i], name);
    row /= shape[i];
  }
  return "[" + name;
}

}  // namespace detail

/// Compares the gradients of `function(tape, inputs)` with central differences, element by element, in double. The function
/// takes a `BasicTape<double>&` and a `std::span<const BasicVar<double>>` and returns a value of any shape, or a pair of a
/// value (or none) and a Scalar penalty. It has to give the same result each time (fix random numbers by their seed) and be
/// smooth within a step of the inputs. The padding of the inputs is filled with numbers that must not matter. Two
/// evaluations an element: keep inputs small.
template <class Function>
GradcheckReport gradcheck(Function&& function, std::vector<BasicTensor<double>> inputs, const GradcheckOptions& options = {}) {
  require<ArgumentError>(options.step > 0 && options.tolerance > 0,
                         "gradcheck: expected a step and a tolerance above 0, got {} and {}", options.step, options.tolerance);
  Random random(1);
  for (auto& input : inputs) {
    for (std::int64_t r = 0; r < input.rows(); ++r) {
      for (std::int64_t c = input.columns(); c < input.stride(); ++c)
        input.data()[r * input.stride() + c] = random.uniform(-9, 9);
    }
  }
  detail::CheckedFunction<std::remove_reference_t<Function>> checked(function);
  if (checked.value(inputs) != checked.value(inputs)) {
    return {false, 0,
            "gradcheck: expected the same result for the same inputs, got two; does the function draw random numbers, or is "
            "the result not a number?"};
  }
  const auto gradients = checked.gradients(inputs);

  GradcheckReport report{.passed = true, .error = 0, .message = ""};
  std::int64_t elements = 0, wrong = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::int64_t r = 0; r < inputs[i].rows(); ++r) {
      for (std::int64_t c = 0; c < inputs[i].columns(); ++c, ++elements) {
        double& element = inputs[i].row(r)[c];
        const double before = element, step = options.step * std::max(1.0, std::abs(before));
        element = before + step;
        const double above = checked.value(inputs), x_above = element;
        element = before - step;
        const double below = checked.value(inputs), x_below = element;
        element = before;
        const double differences = (above - below) / (x_above - x_below), tape = gradients[i].row(r)[c];
        const double error = std::abs(tape - differences) / std::max({1.0, std::abs(tape), std::abs(differences)});
        const bool fits = error <= options.tolerance;  // not so for NaN
        wrong += !fits;
        const bool worst = !(error <= report.error) && !std::isnan(report.error);
        if (!fits && worst) {
          report.message = format(
              "gradcheck: input {}, element {} of shape {}: expected a gradient of {:.10g} (central differences), "
              "got {:.10g} from the tape; error {:.3g}, tolerance {:.3g}",
              i, detail::element_name(inputs[i].shape(), r, c), inputs[i].shape(), differences, tape, error, options.tolerance);
        }
        if (worst) report.error = error;
      }
    }
  }
  report.passed = wrong == 0;
  report.message = report.passed ? format("gradcheck: {} elements agree, worst error {:.3g}", elements, report.error)
                                 : format("{}; {} of {} elements are off", report.message, wrong, elements);
  return report;
}

}  // namespace siena
