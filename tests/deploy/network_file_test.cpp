// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/network_file.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "siena/cost/gap8.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "siena/space/freedom.hpp"
#include "siena/space/resolution.hpp"
#include "support/catch.hpp"
#include "support/deployed_networks.hpp"
#include "support/random_network.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {
using Json = nlohmann::json;

std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values;
  tensor.copy_to(values);
  return values;
}
std::vector<double> prices(const Architecture<double>& network) {
  return {total(ModelSize{}, network), total(Gap8{}, network), total(PeakMemory{}, network)};
}

/// All that there is of two networks.
void check_same(Network& one, Network& other, const Tensor& batch) {
  REQUIRE(one.nodes().size() == other.nodes().size());
  CHECK(one.input_shape() == other.input_shape());
  CHECK(one.output() == other.output());
  for (std::size_t i = 0; i < one.nodes().size(); ++i) {
    const Network::Node &a = one.nodes()[i], &b = other.nodes()[i];
    CHECK((a.name == b.name && kind_of(a.layer) == kind_of(b.layer) && a.inputs == b.inputs && a.shape == b.shape));
    CHECK((a.parameters == b.parameters && a.buffers == b.buffers && a.macs == b.macs));
  }
  REQUIRE(one.parameter_count() == other.parameter_count());
  for (int p = 0; p < one.parameter_count(); ++p) {
    const Parameter &a = one.parameter(p), &b = other.parameter(p);
    CHECK((a.name == b.name && a.role == b.role && a.decay == b.decay && values_of(a.value) == values_of(b.value)));
  }
  CHECK(values_of(one.predict(batch)) == values_of(other.predict(batch)));
  CHECK(prices(describe(one)) == prices(describe(other)));
  const SearchSpace space = SearchSpace::install(one), its_space = SearchSpace::install(other);  // last: it gates them
  CHECK(prices(describe(one, space, space.smallest())) == prices(describe(other, its_space, its_space.smallest())));
}

/// y = gain x, a layer of a user with options.
struct Gain {
  double gain = 2;
  std::vector<int> unused = {};
  std::string_view kind() const { return "gain"; }
  static void attributes(auto& self, auto&& visit) {
    visit("gain", self.gain);
    visit("unused", self.unused);
  }
  Shape setup(LayerSetup& setup) const {
    setup.parameter("weight", {setup.input()[-1]}, Init::constant(gain), false);
    return setup.input();
  }
  Var forward(Forward& f) const { return ops::prelu(f.input(), f.parameter(0)); }
};

struct Stored {
  Json graph;
  State tensors;
};
Stored stored(const Network& network) {
  State tensors;
  network.save(tensors);
  return {deploy::network_to_json(network), std::move(tensors)};
}
Stored small() {
  return stored(Network(
      Shape{6, 6, 2},
      [](Flow x) {
        x = (x | Searchable{Conv2d{.out = 4, .kernel = 3}, Channels{.minimum = 2}}).named("stem") | Relu{};
        x = x | Choice{Conv2d{.out = 4}, Identity{}};
        return add(x, x) | GlobalAvgPool{} | Linear{.out = 3};
      },
      1));
}
std::string error_of(const Stored& file) {
  try {
    (void)deploy::network_from_json(file.graph, file.tensors, {}, "here");
  } catch (const FormatError& error) {
    REQUIRE_THAT(error.what(), ContainsSubstring("here: "));
    return error.what();
  }
  return "no error";
}
/// What is said of a graph after a change at a place of it.
std::string error_after(const std::string& place, const Json& value) {
  Stored file = small();
  file.graph[Json::json_pointer(place)] = value;
  return error_of(file);
}
}  // namespace

TEST_CASE("network file: networks of any make come back to the same bits") {
  const test::TemporaryFolder folder("siena_network_file");
  const auto file = folder.path / "network.safetensors";
  deploy::LayerRegistry layers;
  layers.add<test::Scaled>("scaled");
  int of_users = 0, found = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    INFO("network " << seed);
    test::RandomNetwork random(seed, seed % 2 == 0);
    Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    if (seed % 4 < 2) network = test::found_by_chance(network, seed), ++found;
    of_users += test::has_custom_layers(network) ? 1 : 0;
    deploy::save_network(network, file, {.layers = layers});
    Network loaded = deploy::load_network(file, layers);  // knows nothing of the code that built it
    CHECK(deploy::network_to_json(loaded, layers) == deploy::network_to_json(network, layers));
    check_same(network, loaded, random.batch(network, 2));
  }
  CHECK(of_users > 5);
  CHECK(found == 150);
}

TEST_CASE("network file: the networks of the benchmarks, and the file beside") {
  const test::TemporaryFolder folder("siena_network_file");
  const auto file = folder.path / "network.safetensors", weights = folder.path / "weights.safetensors";
  for (auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    deploy::save_network(network, file, {.metadata = {{"data set", "CIFAR-10"}}});
    Network loaded = deploy::load_network(file);
    CHECK(deploy::load_safetensors(file).get<std::string>("data set") == "CIFAR-10");
    Network fresh = network;
    REQUIRE_NOTHROW(deploy::load_weights(fresh, file));  // the weights are where they were
    Network other(Shape{4}, [](const Flow& x) { return x | Linear{.out = 2}; });
    CHECK_THROWS_WITH(deploy::load_weights(other, file), ContainsSubstring("it holds a network of its own: load_network"));
    check_same(network, loaded, test::RandomNetwork(3).batch(network, 1));
  }
}

TEST_CASE("network file: layers of users") {
  const test::TemporaryFolder folder("siena_network_file");
  const auto file = folder.path / "network.safetensors";
  Network network(
      Shape{3},
      [](const Flow& x) {
        return x | Gain{.gain = 0.1, .unused = {1, 2}} | Linear{.out = 2};
      },
      1);
  CHECK_THROWS_WITH(
      deploy::save_network(network, file),
      ContainsSubstring("'gain_1': expected a layer that files know, got 'gain', which is none of siena's; add it to a "
                        "LayerRegistry"));
  CHECK_FALSE(std::filesystem::exists(file));

  deploy::LayerRegistry layers;
  layers.add<Gain>("gain").add<test::Scaled>("scaled");
  deploy::save_network(network, file, {.layers = layers});
  CHECK_THROWS_WITH(deploy::load_network(file),
                    ContainsSubstring("'gain_1': expected a layer of siena's or one that was added to the LayerRegistry, got "
                                      "'gain'"));
  Network loaded = deploy::load_network(file, layers);
  const Gain* gain = loaded.nodes()[1].layer.get<Custom>().get_if<Gain>();
  REQUIRE(gain != nullptr);
  CHECK(gain->gain == 0.1);
  CHECK(gain->unused == std::vector<int>{1, 2});
  CHECK_THROWS_WITH(layers.add<Gain>("gain"),
                    ContainsSubstring("expected a name of its own for every layer, got 'gain' again"));
  CHECK_THROWS_WITH(layers.add<Gain>("relu"), ContainsSubstring("got 'relu' again"));
}

TEST_CASE("network file: every option has one form") {
  const Network network(Shape{9, 9, 4}, [](const Flow& x) {
    return x | Conv2d{.out = 4, .kernel = {3, 1}, .padding = {1, 2, 0, 1}, .groups = 2, .bias = false} | MaxPool{} |
           Dropout{0.25};
  });
  const Json layers = deploy::network_to_json(network)["layers"];
  CHECK(layers[1] == Json::parse(R"({"name": "conv2d_1", "type": "conv2d", "inputs": [0], "options": {
    "out": 4, "kernel": [3, 1], "stride": [1, 1], "padding": [1, 2, 0, 1], "dilation": [1, 1], "groups": 2, "bias": false,
    "weight_bits": 0}})"));
  CHECK(layers[2]["options"] == Json::parse(R"({"kernel": [2, 2], "stride": [0, 0], "padding": [0, 0, 0, 0]})"));
  CHECK(layers[3]["options"] == Json::parse(R"({"probability": 0.25})"));

  const Network signal(Shape{9, 4}, [](const Flow& x) {
    return x | Searchable{Conv1d{.out = 4, .kernel = 3, .padding = causal}, ReceptiveField{.minimum = 2}, Dilation{}} |
           Conv1d{.out = 4} | Conv1d{.out = 4, .padding = {1, 2}};
  });
  const Json its = deploy::network_to_json(signal)["layers"];
  CHECK(its[1]["options"]["padding"] == "causal");
  CHECK(its[1]["varies"] == Json::parse(R"({"receptive_field": {"minimum": 2}, "dilation": {}})"));
  CHECK(its[2]["options"]["padding"] == "same");
  CHECK(its[3]["options"]["padding"] == Json::parse("[1, 2]"));

  Stored bits = stored(Network(Shape{4}, [](const Flow& x) {
    return x | Linear{.out = 2, .weight_bits = {4, 8}} | Linear{.out = 2, .weight_bits = 2};
  }));
  CHECK(bits.graph["layers"][1]["options"]["weight_bits"] == Json::parse("[4, 8]"));
  CHECK(bits.graph["layers"][2]["options"]["weight_bits"] == 2);
  CHECK(deploy::network_to_json(deploy::network_from_json(bits.graph, bits.tensors)) == bits.graph);
  bits.graph["layers"][1]["options"]["weight_bits"] = "four";
  CHECK_THAT(error_of(bits), ContainsSubstring("bits of all weights, or a list with those of each output, got \"four\""));
}

TEST_CASE("network file: what may vary comes back, axis by axis") {
  const Network network({8, 8, 2}, [](Flow x) {
    x = x | Resolution{} | Searchable{Conv2d{.out = 4, .kernel = 5}, Channels{.minimum = 2}, ReceptiveField{.minimum = 3}};
    const Bits bits{.weights = {3, 8}, .per = Bits::Per::channel};
    x = x | Searchable{Conv2d{.out = 4, .weight_bits = {3, 8, 8, 3}}, Channels{}, bits} | ActivationBits{.widths = {2, 8}};
    return x | GlobalAvgPool{} | Linear{.out = 3};
  });
  Stored file = stored(network);
  CHECK(file.graph["layers"][4]["varies"]["activation_bits"]["widths"].dump() == "[2,8]");
  CHECK(file.graph["layers"][4]["options"]["widths"].dump() == "[2,8]");
  CHECK(file.graph["layers"][3]["varies"]["bits"].dump() == R"({"per_channel":true,"weights":[3,8]})");
  CHECK(file.graph["layers"][1]["varies"].dump() == R"({"resolution":{}})");
  const Network again = deploy::network_from_json(file.graph, file.tensors);
  CHECK(freedom(again).to_string() == freedom(network).to_string());
  CHECK_THAT(freedom(again).to_string(), ContainsSubstring("2 to 4 of 4 channels; kernel 3x3 to 5x5"));
  CHECK_THAT(freedom(again).to_string(), ContainsSubstring("values of 2 or 8 bits"));
  file.graph["layers"][1]["varies"] = {{"colour", Json::object()}};
  CHECK_THAT(
      error_of(file),
      ContainsSubstring("expected no axes but channels, receptive_field, dilation, resolution, bits, activation_bits and"));
}

TEST_CASE("network file: what an older file does not say keeps its default") {
  Stored file = small();
  file.graph["layers"][1]["options"].erase("groups");
  CHECK(error_of(file) == "no error");
}

TEST_CASE("network file: what has no place in a file is refused before there is one") {
  const test::TemporaryFolder folder("siena_network_file");
  const auto file = folder.path / "network.safetensors";
  const auto save = [&](const Network& network) { deploy::save_network(network, file); };
  CHECK_THROWS_WITH(save(Network()), ContainsSubstring("expected a network with layers"));
  Network gated(Shape{4}, [](const Flow& x) { return x | Searchable{Linear{.out = 4}, Channels{}} | Linear{.out = 2}; });
  const SearchSpace space = SearchSpace::install(gated);
  CHECK_THROWS_WITH(save(gated), ContainsSubstring("'linear_2', which masks still gate; discretize it first"));
  CHECK_NOTHROW(save(discretize(gated, space)));
  std::filesystem::remove(file);
  CHECK_THROWS_WITH(save(Network(Shape{4}, [](const Flow& x) { return x.append(Relu{}, Decoration(42)); })),
                    ContainsSubstring("'relu_1': expected no decoration but what Searchable says may vary"));
  CHECK_THROWS_WITH(save(Network(Shape{4}, [](const Flow& x) { return x | PRelu{.slope = std::nan("")}; })),
                    ContainsSubstring("'prelu_1'.slope: expected a finite number, got nan"));
  CHECK_THROWS_WITH(deploy::save_network(Network(Shape{4}, [](const Flow& x) { return x | Relu{}; }), file,
                                         {.metadata = {{"siena.network", ""}}}),
                    ContainsSubstring("expected other metadata than 'siena.network'"));
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("network file: files of another kind") {
  const test::TemporaryFolder folder("siena_network_file");
  const auto file = folder.path / "network.safetensors";
  const Network network(Shape{4}, [](const Flow& x) { return x | Linear{.out = 2}; });
  deploy::save_weights(network, file);
  CHECK_THROWS_WITH(deploy::load_network(file), ContainsSubstring("got tensors without a graph; hint: load_weights"));
  deploy::save_network(network, file);
  const std::string whole = read_file(file);
  for (const std::size_t size : {std::size_t{7}, std::size_t{100}, whole.size() - 1}) {
    write_file_atomically(file, whole.substr(0, size));
    CHECK_THROWS_WITH(deploy::load_network(file), ContainsSubstring("was the file cut off?"));
  }
  const auto load = [&](const std::string& graph) {
    deploy::save_weights(network, file, {{"siena.network", graph}});
    return deploy::load_network(file);
  };
  const auto message = ContainsSubstring("load_network: '" + file.string() + "': the graph: expected JSON, got: ");
  CHECK_THROWS_WITH(load(deploy::network_to_json(network).dump().substr(0, 80)), message);
  CHECK_THROWS_WITH(load(""), message);
  const std::string deep(1'000'000, '[');
  CHECK_THROWS_WITH(load(deep), ContainsSubstring("the graph: expected JSON of at most 16 levels, got deeper nesting"));
  CHECK_THROWS_WITH(load("42"), ContainsSubstring("expected a graph of format 'siena network'"));
}

TEST_CASE("network file: graphs that cannot be are refused by name") {
  const auto says = [](const std::string& text) { return ContainsSubstring(text); };
  REQUIRE(error_of(small()) == "no error");
  CHECK_THAT(error_after("/format", "onnx"), says("expected a graph of format 'siena network'"));
  CHECK_THAT(error_after("/version", 2), says("expected a graph of version 1, got 2; was it written by a newer siena?"));
  CHECK_THAT(error_after("/version", Json::object()), says("expected a graph of version 1, got {}"));
  CHECK_THAT(error_after("/layers", Json::object()), says("expected a list of 1 to 10000 layers, got {}"));
  CHECK_THAT(error_after("/layers", Json::array()), says("expected a list of 1 to 10000 layers, got 0"));
  CHECK_THAT(error_after("/layers/1/type", "conv3d"), says("'stem': expected a layer of siena's or one that was added"));
  CHECK_THAT(error_after("/layers/1/type", 3), says("'stem': type: expected a text, got 3"));
  CHECK_THAT(error_after("/layers/1", 3), says("layer 1: expected an object with 'name', got 3"));
  CHECK_THAT(error_after("/layers/1/surprise", 1), says("'stem': expected name, type, options, inputs and varies, got 'surpr"));
  CHECK_THAT(error_after("/layers/1/options/surprise", 1), says("'stem': expected no options but out, kernel, stride"));
  CHECK_THAT(error_after("/layers/2/options/surprise", 1), says("'relu_1': expected no options but none, got 'surprise'"));
  CHECK_THAT(error_after("/layers/1/options/kernel", 3), says("'stem'.kernel: expected [height, width], got 3"));
  CHECK_THAT(error_after("/layers/1/options/kernel/0", -3), says("stem: expected window, stride and dilation above 0"));
  CHECK_THAT(error_after("/layers/1/options/kernel/0", 3.5), says("'stem'.kernel: expected a whole number"));
  CHECK_THAT(error_after("/layers/1/options/padding", "valid"), says("\"same\" or [top, bottom, left, right], got \"valid\""));
  CHECK_THAT(error_after("/layers/1/options/bias", 1), says("'stem'.bias: expected true or false, got 1"));
  CHECK_THAT(error_after("/layers/1/varies/channels/minimum", 0),
             says("expected Channels with a minimum and a multiple of at least 1"));
  CHECK_THAT(error_after("/layers/1/varies/colour", Json::object()), says("varies: expected no axes but channels, recep"));
  CHECK_THAT(error_after("/layers/2/varies", Json::parse(R"({"channels": {}})")),
             says("relu_1: expected channels to vary in a"));
  CHECK_THAT(error_after("/layers/7/varies", Json::parse(R"({"dilation": {}})")), says("expected taps to vary in a Conv1d or"));
}

TEST_CASE("network file: graphs whose layers do not hang together are refused by name") {
  const auto says = [](const std::string& text) { return ContainsSubstring(text); };
  CHECK_THAT(error_after("/layers/2/inputs", {2}), says("'relu_1': inputs: expected a whole number from 0 to 1, got 2"));
  CHECK_THAT(error_after("/layers/2/inputs", {7}), says("'relu_1': inputs: expected a whole number from 0 to 1, got 7"));
  CHECK_THAT(error_after("/layers/2/inputs", {-1}), says("'relu_1': inputs: expected a whole number from 0 to 1, got -1"));
  CHECK_THAT(error_after("/layers/2/inputs", {18446744073709551615u}), says("from 0 to 1, got 18446744073709551615"));
  CHECK_THAT(error_after("/layers/2/inputs", Json::array()), says("'relu_1': expected an input first, and layers that read"));
  CHECK_THAT(error_after("/layers/2/inputs", {1, 1}), says("expected one input, got 2"));
  CHECK_THAT(error_after("/layers/5/inputs", {4}), says("add_1: expected two inputs of equal shape"));
  CHECK_THAT(error_after("/layers/5/inputs", {0, 4}), says("add_1: expected two inputs of equal shape"));
  CHECK_THAT(error_after("/layers/2/name", "stem"), says("expected a name that no other layer has, got 'stem'"));
  CHECK_THAT(error_after("/layers/0/type", "relu"), says("'input': expected an input first"));
  CHECK_THAT(error_after("/layers/2/type", "input"), says("'relu_1': expected an input first"));
  CHECK_THAT(error_after("/output", 8), says("output: expected a whole number from 0 to 7, got 8"));
  CHECK_THAT(error_after("/output", 5), says("expected every layer to lead to the output, but nothing uses"));
  CHECK_THAT(error_after("/layers/5/inputs", {4, 3}),
             says("expected nothing but it to read 'conv2d_2', which is inside of an"));
  for (const int last : {2, 5, 1000000000, -1}) {
    CHECK_THAT(error_after("/layers/4/options/branches/0/last", last), says("expected alternatives one after the other"));
  }
  CHECK_THAT(error_after("/layers/4/options/branches/1/first", 3), says("expected alternatives one after the other"));
  CHECK_THAT(error_after("/layers/4/inputs", {2, 3}), says("expected alternatives one after the other"));
}

TEST_CASE("network file: a graph that does not fit its tensors makes nothing") {
  const auto says = [](const std::string& text) { return ContainsSubstring(text); };
  CHECK_THAT(error_after("/layers/1/options/out", 5),
             says("'stem': expected tensors that fit the graph: State: expected 'stem.weight' of shape 3x3x2x5, got 3x3x2x4"));
  CHECK_THAT(error_after("/layers/7/options/bias", false),
             says("expected tensors that fit the graph, got 'linear_1.bias', for which no layer has a place"));
  CHECK_THAT(error_after("/layers/1/name", "root"), says("expected a value named 'root.weight', got none"));
  Stored fewer = small();
  State tensors;
  for (const auto& [name, value] : fewer.tensors.values()) {
    if (name != "linear_1.weight") tensors.put(name, value);
  }
  fewer.tensors = std::move(tensors);
  CHECK_THAT(error_of(fewer),
             says("'linear_1': expected tensors that fit the graph: State: expected a value named 'linear_1.w"));
  // Sizes that no memory holds are compared, never made.
  CHECK_THAT(error_after("/layers/7/options/out", 2147483647), says("got 4x3"));
  CHECK_THAT(error_after("/layers/1/options/out", 2147483647), says("of shape 3x3x2x2147483647, got 3x3x2x4"));
  CHECK_THAT(error_after("/layers/1/options/out", 2147483648), says("expected a whole number from -2147483648 to 2147483647"));
  CHECK_THAT(error_after("/input", {std::int64_t{1} << 40, 8, 256}),
             says("Shape: expected at most 2^48 elements, got 1099511627776x8x256"));
  CHECK_THAT(error_after("/input", {-6, 6, 2}), says("input: expected a whole number from 1"));
  CHECK_THAT(error_after("/input", {6, 6, 2, 2, 2}), says("expected an input of 1 to 4 sizes, got [6,6,2,2,2]"));
  CHECK_THAT(error_after("/input", Json::array()), says("expected an input of 1 to 4 sizes, got []"));
}
