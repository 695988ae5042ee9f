# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
"""convert_weights_test.py <convert_weights.py> <predict_converted>: makes models in the formats of others, converts them, and
compares what siena computes with what NumPy does."""
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np

CONVERT, PREDICT = sys.argv[1:3]
random = np.random.RandomState(7)


def expect(condition, *text):
    if not condition:
        sys.exit("convert_weights_test.py: " + " ".join(map(str, text)))


# ---- a writer of FlatBuffers: tables of {field: value}, a value being (format, number), a list of tables, a table, or an array ----


class Buffer:
    def __init__(self):
        self.data = bytearray(b"\0\0\0\0TFL3")

    def align(self, to=8):
        self.data += b"\0" * (-len(self.data) % to)

    def point(self, at, to):
        struct.pack_into("<I", self.data, at, to - at)

    def table(self, fields):
        """Writes a table, then what it points at; returns its place."""
        last = max(fields) if fields else -1
        size, offsets = 4, [0] * (last + 1)
        for field, value in fields.items():
            width = struct.calcsize(value[0]) if isinstance(value, tuple) else 4
            size = -(-size // width) * width
            offsets[field] = size
            size += width
        self.align()
        vtable = len(self.data)
        self.data += struct.pack("<HH%dH" % len(offsets), 4 + 2 * len(offsets), size, *offsets)
        self.align()
        start = len(self.data)
        self.data += struct.pack("<i", start - vtable) + b"\0" * (size - 4)
        for field, value in fields.items():
            at = start + offsets[field]
            if isinstance(value, tuple):
                struct.pack_into("<" + value[0], self.data, at, value[1])
            elif isinstance(value, dict):
                self.point(at, self.table(value))
            elif isinstance(value, list):
                self.align()
                self.point(at, len(self.data))
                entries = len(self.data) + 4
                self.data += struct.pack("<I", len(value)) + b"\0" * (4 * len(value))
                for i, entry in enumerate(value):
                    self.point(entries + 4 * i, self.table(entry))
            else:
                self.align()
                self.data += b"\0" * 4  # so that what follows the count is aligned to 8
                self.point(at, len(self.data))
                self.data += struct.pack("<I", value.size) + value.tobytes()
        return start


def tflite(path, weights, quantized, factor=None):
    """stem (conv), depthwise, out: weights are in TensorFlow Lite's layouts. `factor`: of a multiplication at the end."""
    buffers, tensors = [{}], [{0: np.int32([1, 6, 8, 3]), 1: ("b", 0), 2: ("I", 0)}]

    def add(value, axis):
        kind, quantization = 0, {}
        if quantized and axis is not None:
            along = tuple(i for i in range(value.ndim) if i != axis)
            scale = (abs(value).max(along) / 127).astype("f4")
            shape = [-1 if i == axis else 1 for i in range(value.ndim)]
            value = np.rint(value / scale.reshape(shape)).astype("i1")
            kind, quantization = 9, {4: {2: scale, 3: np.zeros(scale.size, "i8"), 6: ("i", axis)}}
        elif quantized:
            scale = np.float32([2e-4])
            value = np.rint(value / scale[0]).astype("i4")
            kind, quantization = 2, {4: {2: scale, 3: np.zeros(1, "i8")}}
        buffers.append({0: np.frombuffer(value.tobytes(), "u1")})
        tensors.append({0: np.int32(value.shape), 1: ("b", kind), 2: ("I", len(buffers) - 1), **quantization})
        return len(tensors) - 1

    def computed():
        tensors.append({0: np.int32([1]), 1: ("b", 0), 2: ("I", 0)})
        return len(tensors) - 1

    operators, value = [], 0
    for code, (weight, bias, axis) in enumerate(weights):
        inputs = np.int32([value, add(weight, axis), add(bias, None)])
        value = computed()
        operators.append({0: ("I", code), 1: inputs, 2: np.int32([value])})
    if factor is not None:
        inputs = np.int32([value, add(factor, None)])
        value = computed()
        operators.append({0: ("I", 3), 1: inputs, 2: np.int32([value])})
    codes = [{0: ("b", 3)}, {0: ("b", 4)}, {3: ("i", 9), 0: ("b", 9)}, {0: ("b", 18)}]
    graph = {0: tensors, 1: np.int32([0]), 2: np.int32([value]), 3: operators}
    out = Buffer()
    root = out.table({0: ("I", 3), 1: codes, 2: [graph], 4: buffers})
    struct.pack_into("<I", out.data, 0, root)
    with open(path, "wb") as file:
        file.write(out.data)


def safetensors(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": value.shape, "data_offsets": [len(data), len(data) + value.nbytes]}
        data += value.tobytes()
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


# ---- the networks in NumPy, straight from their definitions ----


def conv(x, weight, bias, stride, before, after, depthwise=False):
    """x: H x W x C; weight: KH x KW x I x O (depthwise: KH x KW x C)."""
    kh, kw = weight.shape[:2]
    x = np.pad(x, ((before[0], after[0]), (before[1], after[1]), (0, 0)))
    height, width = (x.shape[0] - kh) // stride + 1, (x.shape[1] - kw) // stride + 1
    y = np.zeros((height, width, bias.size))
    for i in range(height):
        for j in range(width):
            window = x[i * stride : i * stride + kh, j * stride : j * stride + kw]
            y[i, j] = (window * weight).sum((0, 1)) if depthwise else np.tensordot(window, weight, 3)
    return y + bias


def image_network(stem, depthwise, out, norm):
    x = np.sin(np.arange(6 * 8 * 3.0)).reshape(6, 8, 3)
    x = conv(x, *stem, stride=2, before=(0, 0), after=(1, 1))  # TensorFlow's `same`
    x = np.maximum(norm(x), 0)
    x = np.maximum(conv(x, *depthwise, stride=1, before=(1, 1), after=(1, 1), depthwise=True), 0)
    return x.mean((0, 1)) @ out[0] + out[1]


def draw(*shape):
    return random.uniform(-1, 1, shape).astype("f4")


def run(*arguments):
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)


def check(title, network, source, reference, options, tolerance=1e-4):
    file = os.path.join(folder, "converted.safetensors")
    converted = run(sys.executable, CONVERT, source, file, *options)
    expect(converted.returncode == 0, title, converted.stderr)
    predicted = run(PREDICT, network, file)
    expect(predicted.returncode == 0, title, predicted.stderr)
    values = np.array([float(line) for line in predicted.stdout.split()])
    expect(values.shape == reference.shape, title, values.shape, reference.shape)
    expect(abs(values - reference).max() < tolerance, title, "differs:", values, reference)


def refused(options, *texts):
    converted = run(sys.executable, CONVERT, *options)
    expect(converted.returncode == 1 and "Traceback" not in converted.stderr, options, converted.stderr)
    for text in texts:
        expect(text in converted.stderr, options, converted.stderr)


with tempfile.TemporaryDirectory() as folder:
    place = lambda name: os.path.join(folder, name)
    stem, depthwise, out = (draw(3, 3, 3, 4), draw(4)), (draw(3, 3, 4), draw(4)), (draw(4, 5), draw(5))
    names = ["--names", "stem,depthwise,out"]
    layers = [
        (np.ascontiguousarray(stem[0].transpose(3, 0, 1, 2)), stem[1], 0),
        (depthwise[0][None], depthwise[1], 3),
        (np.ascontiguousarray(out[0].T), out[1], 0),
    ]
    tflite(place("float.tflite"), layers, quantized=False)
    check("tflite", "folded", place("float.tflite"), image_network(stem, depthwise, out, lambda x: x), names)
    tflite(place("int8.tflite"), layers, quantized=True)
    check("int8", "folded", place("int8.tflite"), image_network(stem, depthwise, out, lambda x: x), names, tolerance=0.1)

    gamma, beta, mean, variance = draw(4), draw(4), draw(4), 1 + draw(4) ** 2
    keras = {
        "conv2d/kernel:0": stem[0], "conv2d/bias:0": stem[1],
        "batch_normalization/gamma:0": gamma, "batch_normalization/beta:0": beta,
        "batch_normalization/moving_mean:0": mean, "batch_normalization/moving_variance:0": variance,
        "depthwise_conv2d/depthwise_kernel:0": depthwise[0][..., None], "depthwise_conv2d/bias:0": depthwise[1],
        "dense/kernel:0": out[0], "dense/bias:0": out[1],
    }
    np.savez(place("keras.npz"), **keras)
    for epsilon in (1e-3, 0.1):
        norm = lambda x: (x - mean) / np.sqrt(variance + epsilon) * gamma + beta
        check("keras", "norms", place("keras.npz"), image_network(stem, depthwise, out, norm),
              ["--from", "keras", "--names", "stem,batch_norm_1,depthwise,out", "--epsilon", str(epsilon)])

    # Batch norms of scale=False and center=False.
    for left_out, norm in (("gamma", lambda x: (x - mean) / np.sqrt(variance + 1e-3) + beta),
                           ("beta", lambda x: (x - mean) / np.sqrt(variance + 1e-3) * gamma)):
        np.savez(place("partial.npz"), **{name: value for name, value in keras.items() if "/%s:" % left_out not in name})
        check("without " + left_out, "norms", place("partial.npz"), image_network(stem, depthwise, out, norm),
              ["--from", "keras", "--names", "stem,batch_norm_1,depthwise,out"])

    pytorch = {
        "stem.weight": stem[0].transpose(3, 2, 0, 1), "stem.bias": stem[1],
        "batch_norm_1.weight": gamma, "batch_norm_1.bias": beta, "batch_norm_1.running_mean": mean,
        "batch_norm_1.running_var": variance, "batch_norm_1.num_batches_tracked": np.float32([3]),
        "depthwise.weight": depthwise[0].transpose(2, 0, 1)[:, None], "depthwise.bias": depthwise[1],
        "out.weight": out[0].T, "out.bias": out[1],
    }
    pytorch = {name: np.ascontiguousarray(value, "f4") for name, value in pytorch.items()}
    safetensors(place("pytorch.safetensors"), pytorch)
    norm = lambda x: (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
    check("pytorch", "norms", place("pytorch.safetensors"), image_network(stem, depthwise, out, norm), ["--from", "pytorch"])

    affine = {name: value for name, value in pytorch.items() if name not in ("batch_norm_1.weight", "batch_norm_1.bias")}
    safetensors(place("affine.safetensors"), affine)
    norm = lambda x: (x - mean) / np.sqrt(variance + 1e-5)
    check("affine=False", "norms", place("affine.safetensors"), image_network(stem, depthwise, out, norm), ["--from", "pytorch"])

    # Files of PyTorch are sorted as text, features.10 before features.2; layers of equal shape would load in wrong places.
    places = {"stem": "features.0", "batch_norm_1": "features.2", "depthwise": "features.10", "out": "features.11"}
    moved = {places[name.rpartition(".")[0]] + "." + name.rpartition(".")[2]: value for name, value in pytorch.items()}
    safetensors(place("sorted.safetensors"), {name: moved[name] for name in sorted(moved)})
    norm = lambda x: (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
    for named in ("stem,batch_norm_1,depthwise,out",
                  "features.11=out,features.2=batch_norm_1,features.0=stem,features.10=depthwise"):
        check("order", "norms", place("sorted.safetensors"), image_network(stem, depthwise, out, norm),
              ["--from", "pytorch", "--names", named])

    # Equal numbers of taps, inputs and outputs would load in any order: here they differ, and so do the answers.
    taps, bias = draw(4, 2, 3), draw(3)  # taps x in x out
    signal = np.sin(np.arange(18.0)).reshape(1, 9, 2)
    answer = conv(signal, taps[None], bias, stride=1, before=(0, 1), after=(0, 2)).mean((0, 1))
    safetensors(place("conv1d.safetensors"), {"conv.weight": np.ascontiguousarray(taps.transpose(2, 1, 0)), "conv.bias": bias})
    check("Conv1d", "signal", place("conv1d.safetensors"), answer, ["--from", "pytorch"])
    np.savez(place("conv1d.npz"), **{"c/kernel": taps, "c/bias": bias})
    check("Keras Conv1D", "signal", place("conv1d.npz"), answer, ["--from", "keras", "--names", "conv"])
    tflite(place("conv1d.tflite"), [(np.ascontiguousarray(taps[None].transpose(3, 0, 1, 2)), bias, 0)], quantized=False)
    check("Conv1D", "signal", place("conv1d.tflite"), answer, ["--names", "conv", "--conv1d", "conv"])

    weight, bias = draw(5, 4, 2, 3), draw(5)  # out x channels x height x width
    image = np.sin(np.arange(24.0)).reshape(2, 3, 4)
    answer = np.einsum("ochw,hwc->o", weight, image) + bias
    safetensors(place("flat.safetensors"), {"fc.weight": weight.reshape(5, 24), "fc.bias": bias})
    check("flatten", "flat", place("flat.safetensors"), answer, ["--from", "pytorch", "--flatten", "fc=2,3,4"])

    # A batch norm that nobody folded is more than siena's layers can be told.
    tflite(place("norm.tflite"), layers, quantized=False, factor=draw(5))
    converted = run(sys.executable, CONVERT, place("norm.tflite"), place("norm.safetensors"), *names)
    expect(converted.returncode == 0 and "left out: the constants of MUL, after layer 3" in converted.stderr, converted.stderr)
    converted = run(sys.executable, CONVERT, place("float.tflite"), place("norm.safetensors"), *names)
    expect(converted.returncode == 0 and converted.stderr == "", converted.stderr)

    target = place("never.safetensors")
    refused([place("float.tflite"), target], "expected --names or --model", "3 layers")
    refused([place("float.tflite"), target, "--names", "a,b"], "expected 3 names", "got 2")
    refused([place("float.tflite"), target, "--names", "a,b,b"], "expected every name once")
    refused([place("float.tflite"), target, "--names", "a,b,c", "--conv1d", "a"], "height 1, got 'a'")
    for named, got in (("features.0=a,features.2=b,features.10=c", "got none for 'features.11'"),
                       ("features.0=a,features.2=b,features.10=c,features.3=d", "got 'features.3=d'"),
                       ("features.0=a,features.2=b,features.10=c,d", "got 'd'"),
                       ("features.0=a,features.2=b,features.10=c,features.11=", "got 'features.11='"),
                       ("features.0=a,features.2=b,features.10=c,features.11=d,features.0=e", "got a layer twice")):
        refused([place("sorted.safetensors"), target, "--from", "pytorch", "--names", named],
                "expected one pair OLD=NEW for each layer with weights (features.0, features.2, features.10, features.11)", got)
    refused([place("sorted.safetensors"), target, "--from", "pytorch", "--model", "resnet8"], "expected --names OLD=NEW", "--model")
    np.savez(place("numbered.npz"), stem[0], stem[1])
    refused([place("numbered.npz"), target, "--from", "keras"], "got 'arr_0'", "numpy.savez(f, **{w.path")
    np.savez(place("short.npz"), kernel=stem[0], bias=stem[1])  # w.name of Keras 3
    refused([place("short.npz"), target, "--from", "keras"], "got 'kernel'", "numpy.savez(f, **{w.path")
    refused([place("keras.npz"), target], "--from keras or --from pytorch")
    refused([place("keras.npz"), target, "--from", "pytorch"], "expected tensors called LAYER.weight")
    refused([place("flat.safetensors"), target, "--from", "pytorch", "--flatten", "fc=2,2,2"], "expected 8 inputs", "got 24")
    refused([place("flat.safetensors"), target, "--from", "pytorch", "--flatten", "fd=2,3,4"], "with a layer of the file")
    refused([place("missing.npz"), target, "--from", "keras"], "No such file")
    with open(place("float.tflite"), "rb") as file:
        content = file.read()
    for size in (0, 6, 12, 200, len(content) - 40):
        with open(place("cut.tflite"), "wb") as file:
            file.write(content[:size])
        refused([place("cut.tflite"), target] + names)
    # No archive, no object, no object of tensors: errors of three kinds.
    for name, content in (("bad.npz", b"PK\3\4 no archive"), ("list.safetensors", b"\2" + b"\0" * 7 + b"[]"),
                          ("number.safetensors", b"\7" + b"\0" * 7 + b'{"a":1}')):
        with open(place(name), "wb") as file:
            file.write(content)
        refused([place(name), target, "--from", "keras"], "expected to read '" + place(name) + "', got: ")
    refused([place("float.tflite"), place("nowhere/out.safetensors")] + names, "expected to write '", "No such file")
    with open("/dev/full", "w") as full:  # words that nobody can read spoil no file, and are not the input's fault
        told = subprocess.run([sys.executable, CONVERT, place("float.tflite"), place("told.safetensors")] + names, stdout=full,
                              stderr=subprocess.PIPE, universal_newlines=True)
    expect(told.returncode == 0 and told.stderr == "" and os.path.exists(place("told.safetensors")), told.stderr)
    os.mkdir(place("taken"))
    refused([place("float.tflite"), place("taken")] + names, "expected to write '" + place("taken") + "'")
    expect(not [name for name in os.listdir(folder) if name.endswith(".part")], "part of a file was left")
    expect(not os.path.exists(target), "a file was left of what was refused")
