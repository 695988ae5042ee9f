// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/search/search.hpp"

#include <algorithm>
#include <any>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/constraints/minimize.hpp"
#include "siena/constraints/penalty.hpp"
#include "siena/constraints/steer.hpp"
#include "siena/cost/cortex_m.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/latency_table.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/data/synthetic.hpp"
#include "support/catch.hpp"
#include "support/searchable.hpp"

using namespace siena;

namespace {

const data::Splits& images() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 4, .height = 16, .width = 16, .channels = 2, .train = 256, .validation = 96, .test = 64, .noise = 0.02});
  return splits;
}
Searchable<Conv2d, Channels> conv(int out, int stride = 1) {
  return Searchable{Conv2d{.out = out, .kernel = 3, .stride = stride}, Channels{}};
}
Network tiny() {
  return Network(
      {16, 16, 2},
      [](Flow x) {
        x = (x | conv(10, 2)).named("stem") | BatchNorm{} | Relu{};
        const Flow y = (x | conv(10)).named("inner") | BatchNorm{} | Relu{};
        x = add(x, (y | conv(10)).named("sum") | BatchNorm{}) | Relu{};
        return (x | conv(12, 2) | BatchNorm{} | Relu{} | GlobalAvgPool{} | Linear{.out = 4}).named("out");
      },
      4);
}
SearchOptions quick(std::uint64_t seed = 1) {
  return {.warmup = 1, .epochs = 2, .batch = 32, .optimizer = Adam{.lr = 1e-2}, .seed = seed};
}
/// Half of what the baseline costs.
ConstraintSet halves() {
  const auto baseline = describe(tiny());
  return subject_to(MemoryBound{Bytes{total(ModelSize{}, baseline) / 2}}, AtMost{Gap8{}, total(Gap8{}, baseline) / 2});
}

using Values = std::map<std::string, std::vector<float>>;
Values values(const Network& network) {
  State state;
  network.save(state);
  Values all;
  for (const auto& [name, value] : state.values()) std::get<Tensor>(value).copy_to(all[name]);
  return all;
}
bool plain(Network& network) {
  if (!network.parameters(Role::architecture).empty()) return false;
  for (const auto& node : network.nodes()) {
    if (!node.gates.empty()) return false;
  }
  return true;
}

struct Log {
  std::vector<std::string> phases;
  int epochs = 0;
  void on_phase(const PhaseEvent& event) { phases.push_back(event.phase); }
  void on_epoch(const EpochEvent&) { ++epochs; }
};

}  // namespace

TEST_CASE("search: finds a plain network that keeps every bound") {
  const auto bounds = halves();
  Log log;
  const Network baseline = tiny();
  auto [found, history] = search(baseline, images(), bounds, Duccio{}, quick(), std::ref(log));
  CHECK(bounds.feasible(describe(found)));
  CHECK(plain(found));
  CHECK(found.output_shape() == Shape{4});
  CHECK(found.weight_count() < baseline.weight_count());
  CHECK(found.weight_count() > baseline.weight_count() / 8);  // bounds are there to be used
  CHECK(values(baseline) == values(tiny()));                  // the caller's network is the caller's

  CHECK(log.phases == std::vector<std::string>{"warm-up", "search"});
  CHECK(log.epochs == 3);
  CHECK(history.warmup.epochs.size() == 1);
  CHECK(history.search.epochs.size() == 2);
  CHECK(history.baseline_validation.samples == 96);
  REQUIRE(history.baseline_test);
  REQUIRE(history.found_test);
  CHECK(history.baseline_test->samples == 64);
  REQUIRE(history.start.size() == 2);
  CHECK(history.start[0].name == "memory");
  CHECK(history.start[0].violation == Approx(1));
  REQUIRE(history.reach.size() == 2);
  CHECK(history.reach[0].whole == total(ModelSize{}, describe(baseline)));
  CHECK(history.reach[1].smallest < history.reach[1].limit);
  REQUIRE(history.prices.size() == 2);
  CHECK((history.prices[0].binds || history.prices[1].binds));
  for (const auto& epoch : history.search.epochs) {
    CHECK(epoch.has_validation);
    REQUIRE(epoch.bounds.size() == 2);
    CHECK(epoch.bounds[0].name == "memory");
    CHECK(epoch.bounds[1].unit == "cycles");
  }
  CHECK(history.search.epochs[0].penalty > 0);
  REQUIRE(history.best_epoch == 2);  // the first one that kept both bounds
  CHECK(history.search.epochs[1].feasible());

  // No cliff: the plain network is as good as the masked one that was chosen.
  CHECK(evaluate(found, images().test, quick().batch).loss == history.found_test->loss);
  const Metrics validation = evaluate(found, images().validation);
  CHECK(validation.loss == Approx(history.search.epochs[1].validation.loss).epsilon(1e-3));
  CHECK(validation.accuracy == Approx(history.search.epochs[1].validation.accuracy).margin(0.02));

  // Slack was given back: one of the two bounds is nearly met.
  const Report exact = report(found, bounds);
  CHECK(exact.feasible);
  CHECK(std::min(-exact.bounds[0].violation, -exact.bounds[1].violation) < 0.2);
}

TEST_CASE("search: computes only the channels that are on, and calls the objective's hooks") {
  auto options = quick();
  std::vector<std::int64_t> weights;
  int before = 0, after = 0;
  const auto whole = tiny().weight_count();
  options.objective.loss = [&, task = classification().loss](StepContext& step) {
    if (step.mode == Mode::training) weights.push_back(step.network.weight_count());
    return task(step);
  };
  options.objective.before_update = [&](StepContext& step) { before += step.network.weight_count() == whole ? 1 : 0; };
  options.objective.after_step = [&](StepContext&) { ++after; };
  const auto [found, history] = search(tiny(), images(), halves(), Duccio{}, options);
  REQUIRE(weights.size() == 3 * 8);  // one epoch of warm-up, two of search
  CHECK(weights.front() == whole);
  CHECK(weights.back() == found.weight_count());
  CHECK(weights.back() < whole);
  CHECK(before == 3 * 8);
  CHECK(after == 3 * 8);
}

TEST_CASE("search: steps that are steered come to their bounds") {
  SearchOptions options = quick();
  options.epochs = 8;
  options.settle = 1;
  options.architecture = Adam{.lr = 5e-2};
  const auto bounds = halves();
  auto [found, history] = search(tiny(), images(), bounds, Steer{}, options);
  CHECK(bounds.feasible(describe(found)));
  // Without a part in the loss, down to what a channel costs; repair takes the last one.
  const auto& epochs = history.search.epochs;
  for (const EpochEvent& epoch : epochs) CHECK(epoch.penalty == 0);
  for (std::size_t b = 0; b < 2; ++b) {
    CHECK(epochs[0].bounds[b].value == Approx(2 * epochs[0].bounds[b].limit).epsilon(0.1));
    CHECK(epochs.back().bounds[b].value < 1.03 * epochs.back().bounds[b].limit);
    CHECK(epochs.back().bounds[b].value > 0.6 * epochs.back().bounds[b].limit);
  }
}

TEST_CASE("search: what is minimized beside a bound weighs in all that is chosen") {
  const auto baseline = describe(tiny());
  const auto bound = MemoryBound{Bytes{total(ModelSize{}, baseline) * 0.9}};
  const auto cycles = [&](const ConstraintSet& constraints) {
    SearchOptions options = quick();
    options.epochs = 6;
    options.architecture = Adam{.lr = 5e-2};
    auto [found, history] = search(tiny(), images(), constraints, Duccio{}, options);
    CHECK(constraints.feasible(describe(found)));
    return total(Gap8{}, describe(found));
  };
  const double free = cycles(subject_to(bound)), pressed = cycles(subject_to(bound, Minimize{Gap8{}, 20}));
  CHECK(pressed < 0.7 * free);
}

TEST_CASE("search: the same bits for a seed at any number of threads") {
  const auto run = [](std::uint64_t seed, int count) {
    set_threads(count);
    const auto result = search(tiny(), images(), halves(), Duccio{}, quick(seed));
    set_threads(0);
    return values(result.network);
  };
  const Values once = run(1, 1);
  CHECK(once == run(1, 2));
  CHECK(once != run(2, 2));
}

TEST_CASE("search: bounds that nothing keeps are refused before training") {
  Log log;
  const auto run = [&](const ConstraintSet& bounds) {
    (void)search(tiny(), images(), bounds, Duccio{}, quick(), std::ref(log));
  };
  CHECK_THROWS_AS(run(subject_to(MemoryBound{10_B})), ConstraintError);
  CHECK_THROWS_WITH(run(subject_to(AtMost{Gap8{}, 1e9}, MemoryBound{10_B})),
                    ContainsSubstring("bound 'memory'") && ContainsSubstring("smallest value that this search space reaches"));
  CHECK_THROWS_WITH(run(subject_to(AtLeast{1e9})), ContainsSubstring("constraint 'capacity'"));
  CHECK(log.phases.empty());
  CHECK(log.epochs == 0);
}

TEST_CASE("search: a bound that holds from the start is kept, and costs no channel") {
  const auto baseline = describe(tiny());
  const auto bounds = subject_to(AtMost{Params{}, total(Params{}, baseline)}, AtMost{Macs{}, 10 * total(Macs{}, baseline)});
  auto [found, history] = search(tiny(), images(), bounds, Duccio{}, quick());
  CHECK(bounds.feasible(describe(found)));
  CHECK(total(Params{}, describe(found)) == total(Params{}, baseline));
  CHECK_FALSE(history.repaired);
  for (const auto& epoch : history.search.epochs) CHECK(epoch.feasible());
  // Beside one that has to be worked for.
  const auto mixed =
      subject_to(AtMost{Macs{}, total(Macs{}, baseline)}, AtMost{Params{}, total(Params{}, baseline) * 0.6}, AtLeast{200});
  auto narrowed = search(tiny(), images(), mixed, Duccio{}, quick());
  CHECK(mixed.feasible(describe(narrowed.network)));
}

TEST_CASE("search: keeps the bounds whatever the formulation and its strength") {
  const auto bounds = halves();
  SECTION("no strength at all: repair does it") {
    auto [found, history] = search(tiny(), images(), bounds, Penalty{.weight = 0}, quick());
    CHECK(bounds.feasible(describe(found)));
    CHECK(history.repaired);
    CHECK(history.best_epoch == 2);
  }
  SECTION("masks that never settle: repaired after the last epoch") {
    auto options = quick();
    options.settle = 1;
    auto [found, history] = search(tiny(), images(), bounds, Penalty{.weight = 0}, options);
    CHECK(bounds.feasible(describe(found)));
    CHECK(history.repaired);
    CHECK(history.best_epoch == -1);
    CHECK(plain(found));
  }
  SECTION("far too much") {
    auto [found, history] = search(tiny(), images(), bounds, Penalty{.weight = 1e6}, quick());
    CHECK(bounds.feasible(describe(found)));
  }
  SECTION("multipliers, and the gradient of the paper") {
    auto options = quick();
    options.space.masks.secant = false;
    auto [found, history] = search(tiny(), images(), bounds, AugmentedLagrangian{}, options);
    CHECK(bounds.feasible(describe(found)));
  }
}

TEST_CASE("search: what was found is searched further, under tighter bounds") {
  const Network whole = tiny();
  const data::Splits& data = images();
  auto options = quick();
  options.epochs = 1;
  // The sample of docs/guides/search.md.
  const auto baseline = describe(whole);
  const auto memory = [&](double part) { return subject_to(MemoryBound{Bytes{part * total(ModelSize{}, baseline)}}); };
  const Network half = search(whole, data, memory(0.5), Duccio{}, options).network;
  CHECK(memory(0.5).feasible(describe(half)));
  CHECK_FALSE(memory(0.25).feasible(describe(half)));
  options.warmup = 0;
  Network quarter = search(half, data, memory(0.25), Duccio{}, options).network;
  CHECK(memory(0.25).feasible(describe(quarter)));
  CHECK(plain(quarter));
  CHECK(total(ModelSize{}, describe(quarter)) > 0.15 * total(ModelSize{}, baseline));
  for (const char* name : {"stem", "inner", "sum"}) {
    const auto node =
        std::find_if(quarter.nodes().begin(), quarter.nodes().end(), [&](const auto& n) { return n.name == name; });
    REQUIRE(node != quarter.nodes().end());
    REQUIRE(spec_of<Channels>(node->decoration) != nullptr);
  }
}

TEST_CASE("search: a network in which nothing may vary is refused before training") {
  Log log;
  const auto run = [&](auto layer) {
    const Network network({16, 16, 2}, [&](const Flow& x) { return x | layer | Relu{} | GlobalAvgPool{} | Linear{.out = 4}; });
    (void)search(network, images(), subject_to(AtMost{Params{}, 1000}), Duccio{}, quick(), std::ref(log));
  };
  const std::string message =
      "search: expected a network in which something may vary, got one in which nothing may, or nothing is left to; say what: "
      "x "
      "| Searchable{Conv2d{.out = 16, .kernel = 3}, Channels{}}, or a Choice";
  CHECK_THROWS_WITH(run(Conv2d{.out = 4, .kernel = 3}), message);
  CHECK_THROWS_WITH(run(Searchable{Conv2d{.out = 4, .kernel = 3}, Channels{.minimum = 4}}), message);
  CHECK_THROWS_WITH(run(Searchable{Conv2d{.out = 4, .kernel = 1}, ReceptiveField{}, Dilation{}}), message);
  CHECK(log.phases.empty());
}

TEST_CASE("search: without warm-up, without test images") {
  data::Splits some = images();
  some.test = {};
  auto options = quick();
  options.warmup = 0;
  options.epochs = 1;
  const Network narrow({16, 16, 2}, [](const Flow& x) {
    return x | Searchable{Conv2d{.out = 4, .kernel = 3, .stride = 4}, Channels{.minimum = 3}} | Relu{} | GlobalAvgPool{} |
           Linear{.out = 4};
  });
  auto [found, history] = search(narrow, some, subject_to(AtMost{Params{}, 1000}), Duccio{}, options);
  CHECK(history.warmup.epochs.empty());
  CHECK_FALSE(history.baseline_test);
  CHECK_FALSE(history.found_test);
  CHECK(describe(found).layers.size() == describe(narrow).layers.size());
  CHECK_THROWS_WITH(search(narrow, some, subject_to(AtMost{Params{}, 50}), Duccio{}, options),
                    ContainsSubstring("reaches is 66 weights"));
  // No constraint at all: trained, and as wide as it was.
  CHECK(search(tiny(), some, {}, Duccio{}, options).network.weight_count() == tiny().weight_count());
}

TEST_CASE("search: its learning rate is a part of the warm-up's") {
  auto options = quick();
  options.warmup_schedule = options.schedule = ConstantLr{};
  options.search_rate = 0.5;
  const auto result = search(tiny(), images(), {}, Duccio{}, options);
  CHECK(result.history.warmup.epochs[0].lr == Approx(1e-2));
  CHECK(result.history.search.epochs[0].lr == Approx(5e-3));
}

TEST_CASE("search: what it refuses") {
  Log log;
  const auto run = [&](const SearchOptions& options, const data::Splits& data = images()) {
    (void)search(tiny(), data, halves(), Duccio{}, options, std::ref(log));
  };
  data::Splits blind = images();
  blind.validation = {};
  CHECK_THROWS_AS(run(quick(), blind), DataError);
  CHECK_THROWS_WITH(run(quick(), blind), ContainsSubstring("search: expected validation samples"));
  const auto changed = [](auto change) {
    auto options = quick();
    change(options);
    return options;
  };
  CHECK_THROWS_WITH(run(changed([](auto& o) { o.epochs = 0; })), ContainsSubstring("1 or more of search, got 1 and 0"));
  CHECK_THROWS_AS(run(changed([](auto& o) { o.warmup = -1; })), ArgumentError);
  CHECK_THROWS_WITH(run(changed([](auto& o) { o.settle = 0; })), ContainsSubstring("settle in (0, 1], got 0"));
  CHECK_THROWS_AS(run(changed([](auto& o) { o.settle = 1.5; })), ArgumentError);
  CHECK(log.phases.empty());
}

TEST_CASE("search: a loss that is not a number ends it with an error") {
  auto options = quick();
  options.optimizer = Sgd{.lr = 1e30};
  CHECK_THROWS_AS(search(tiny(), images(), halves(), Duccio{}, options), DataError);
  CHECK_THROWS_WITH(search(tiny(), images(), halves(), Duccio{}, options), ContainsSubstring("expected a finite"));
}

TEST_CASE("report: the truth about a network") {
  Network network = tiny();
  const auto architecture = describe(network);
  const double macs = total(Macs{}, architecture);
  const auto bounds = subject_to(AtMost{Macs{}, macs / 2}, AtMost{Params{}, 1e6}, AtLeast{10});
  const Report result = evaluate(network, images().test, bounds);
  CHECK_FALSE(result.feasible);
  REQUIRE(result.bounds.size() == 3);
  CHECK_FALSE(result.bounds[0].feasible());
  CHECK(result.bounds[0].violation == Approx(1));
  CHECK(result.bounds[1].feasible());
  CHECK_FALSE(result.bounds[2].limit);
  CHECK(result.macs == macs);
  CHECK(result.weights == total(Params{}, architecture));
  CHECK(result.bytes == total(ModelSize{}, architecture));
  REQUIRE(result.layers.size() == 5);
  CHECK(result.layers[0].name == "stem");
  CHECK(result.layers[0].kind == "conv2d");
  CHECK(result.layers[4].kind == "linear");
  CHECK(result.layers[4].in_channels == 12);
  double weights = 0;
  for (const auto& layer : result.layers) weights += layer.weights;
  CHECK(weights == result.weights);
  CHECK(result.accuracy.measured == evaluate(network, images().test).accuracy);
  CHECK_FALSE(result.accuracy.finetuned);
  CHECK_FALSE(result.accuracy.baseline);
  CHECK(result.threads == threads());

  const std::string text = format("{}", result);
  for (const char* part : {"stem", "total", "macs ", "(-100.0 % slack): BROKEN", "params ", "slack): kept", "capacity: kept",
                           "accuracy on these samples: "}) {
    CHECK_THAT(text, ContainsSubstring(part));
  }
  CHECK(text.back() != '\n');
}

TEST_CASE("a report shows what latency is bounded by, layer by layer") {
  const Network network({4, 4, 2}, [](const Flow& x) {
    return ((x | Conv2d{.out = 3, .kernel = 3}).named("a") | GlobalAvgPool{} | Linear{.out = 2}).named("out");
  });
  CHECK(report(network, {}).table() ==
        "layer  in  out  weights  MACs\n"
        "a       2    3       54   864\n"
        "out     3    2        6     6\n"
        "total                60   870\n");
  const auto slow = subject_to(MemoryBound{100_B}, LatencyBound{CortexM{.clock = 100_MHz}, 900_us});
  CHECK(report(network, slow).table() ==
        "layer  in  out  weights  MACs  cortex-m us\n"
        "a       2    3       54   864        67.84\n"
        "out     3    2        6     6          0.8\n"
        "total                60   870        77.28\n");  // 8.64 of them for the pooling
  CHECK_THAT(report(network, slow).to_string(), ContainsSubstring("\nlatency 77.28 of 900 us (91.4 % slack): kept"));

  // A cost that is minimized is shown like a bound, the same model once, a cost that is no sum over layers not at all.
  const auto others = subject_to(Minimize{CortexM{.clock = 1_MHz}}, LatencyBound{CortexM{.clock = 1_MHz}, 7728_cycles},
                                 AtMost{PeakMemory{}, 1000}, AtMost{Macs{}, 1000});
  CHECK(report(network, others).table() ==
        "layer  in  out  weights  MACs  cortex-m cycles\n"
        "a       2    3       54   864             6784\n"
        "out     3    2        6     6               80\n"
        "total                60   870             7728\n");
  Report small = report(network, subject_to(LatencyBound{CortexM{.clock = Hertz{2000}}, 5_s}));
  CHECK(small.table() ==
        "layer  in  out  weights  MACs  cortex-m s\n"
        "a       2    3       54   864       3.392\n"
        "out     3    2        6     6        0.04\n"
        "total                60   870       3.864\n");
  small.layers[0].bounds.clear();  // a layer by hand
  CHECK_THAT(small.table(), ContainsSubstring("a       2    3       54   864           -\n"));
  small.layers[1].bounds.clear();
  CHECK_THAT(small.table(), !ContainsSubstring("cortex-m"));
}

TEST_CASE("search: under a bound on measured times") {
  // Measured at the corners: one channel, and as many as the network has. Bilinear, so that nothing is lost.
  std::vector<LatencyPoint> points;
  for (const LayerDesc<double>& layer : describe(tiny()).layers) {
    const auto query = latency_query(layer);
    if (!query) continue;
    for (const double in : {1.0, 16.0}) {
      for (const double out : {1.0, 16.0}) {
        if (query->in_channels == 1 && in > 1) continue;
        const LatencyPoint point{.key = query->key,
                                 .height = static_cast<int>(query->height),
                                 .width = static_cast<int>(query->width),
                                 .in_channels = in,
                                 .out_channels = out,
                                 .seconds = 1e-7 + 1e-9 * in * out * query->height * query->width};
        const auto known = [&](const LatencyPoint& p) { return p == point; };
        if (std::none_of(points.begin(), points.end(), known)) points.push_back(point);
      }
    }
  }
  const LatencyTable table(points);
  Network baseline = tiny();
  const double whole = total(table, describe(baseline));
  const auto bounds = subject_to(LatencyBound{table, Seconds{whole / 2}});
  const auto [found, history] = search(tiny(), images(), bounds, Duccio{}, quick());
  CHECK(total(table, describe(found)) <= whole / 2);
  CHECK(total(table, describe(found)) > 0);

  // The slope at each channel count is what one channel less saves.
  const SearchSpace space = SearchSpace::install(baseline);
  Tape tape;
  const Architecture<Scalar> soft = describe(tape, baseline, space);
  const Scalar cost = total(table, soft);
  CHECK(cost.value() == Approx(whole));
  tape.backward(Var(), cost);
  for (const LayerDesc<Scalar>& layer : soft.layers) {
    if (layer.kind != LayerKind::conv2d) continue;
    INFO(layer.name);
    Selection less = space.full();
    less["channels"][static_cast<std::size_t>(space.axis<ChannelMasks>().channels().runs(layer.node)[0].group)][0] = false;
    CHECK(tape.scalars().gradient(layer.out_channels) == Approx(whole - total(table, describe(baseline, space, less))));
  }
  CHECK_THROWS_WITH(search(tiny(), images(), subject_to(LatencyBound{table, Seconds{whole / 1e6}}), Duccio{}, quick()),
                    ContainsSubstring("latency"));
}
