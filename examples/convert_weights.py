#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
"""Makes a file of weights for siena (safetensors) from a model of TensorFlow Lite, Keras or PyTorch.

    convert_weights.py model.tflite out.safetensors --model resnet8
    convert_weights.py weights.npz  out.safetensors --from keras   --names stem,norm,head
    convert_weights.py state.safetensors out.safetensors --from pytorch --names features.0=stem,features.1=norm,fc=out

Names: --names says what layers are called in siena, best as pairs OLD=NEW, which have no order. Without pairs the order is
that of execution in a .tflite, that of the file in .npz, .h5 and .pt, and that of the names in .safetensors, which keeps no
other (numbers in them count as numbers: features.2 before features.10). --model knows the names of siena's own models, in the
order of execution, so it is not for .safetensors. Layers of formats with names keep theirs where neither is given. What became
what is printed.

A .npz of a Keras model is made by one line of Python:

    numpy.savez(f, **{w.path if hasattr(w, 'path') else w.name: w.numpy() for w in model.weights})

Layouts: convolutions become height x width x in x out, linear layers in x out, 1-D convolutions taps x in x out; in a .tflite
those are convolutions of images of height 1, so say which they are with --conv1d.

A .tflite has its batch norms folded and its integers become floats: load the result into fold_batch_norm(resnet8({.padding =
same})). Keras and PyTorch keep batch norms: load those into the network as it is.

Needs NumPy; .h5 needs h5py, .pt needs PyTorch.
"""
import argparse
import json
import os
import re
import struct
import sys

import numpy as np

# Layers with weights, in the order in which the TensorFlow versions of MLPerf Tiny compute them.
MODELS = {
    "resnet8": ["inputblock", "convblock1", "conv1y", "convblock2", "conv2y", "conv2x", "convblock3", "conv3y", "conv3x", "out"],
    "ds_cnn": ["inputlayer"] + [kind + str(n) for n in range(1, 5) for kind in ("depthwise", "pointwise")] + ["out"],
    "mobilenet_v1": ["inputblock"]
    + [kind + str(n) for n in range(2, 15) for kind in ("depthwise", "pointwise")]
    + ["out"],
    "autoencoder": ["layer" + str(n) for n in range(1, 10)] + ["out"],
}


# How a user of Keras keeps tensors with their names.
SAVE_KERAS = "numpy.savez(f, **{w.path if hasattr(w, 'path') else w.name: w.numpy() for w in model.weights})"


class Unusable(Exception):
    """What the user gave does not fit: the text says what was expected."""


# ---- TensorFlow Lite: a FlatBuffer, of which the few fields are read that hold weights (schema version 3) ----


class Table:
    """A table of a FlatBuffer: fields by their number in the schema."""

    def __init__(self, data, at):
        self.data, self.at = data, at
        table = at - struct.unpack_from("<i", data, at)[0]
        size = struct.unpack_from("<H", data, table)[0]
        self.offsets = struct.unpack_from("<%dH" % ((size - 4) // 2), data, table + 4)

    def place(self, field):
        offset = self.offsets[field] if field < len(self.offsets) else 0
        return self.at + offset if offset else None

    def number(self, field, kind, default=0):
        at = self.place(field)
        return default if at is None else struct.unpack_from("<" + kind, self.data, at)[0]

    def _target(self, at):
        return at + struct.unpack_from("<I", self.data, at)[0]

    def table(self, field):
        at = self.place(field)
        return None if at is None else Table(self.data, self._target(at))

    def vector(self, field, kind):
        at = self.place(field)
        if at is None:
            return np.zeros(0, kind)
        start = self._target(at)
        count = struct.unpack_from("<I", self.data, start)[0]
        return np.frombuffer(self.data, np.dtype(kind).newbyteorder("<"), count, start + 4)

    def tables(self, field):
        at = self.place(field)
        if at is None:
            return []
        start = self._target(at)
        count = struct.unpack_from("<I", self.data, start)[0]
        return [Table(self.data, self._target(start + 4 + 4 * i)) for i in range(count)]


TFLITE_TYPES = {0: "f4", 1: "f2", 2: "i4", 3: "u1", 9: "i1"}
NUMBERS = (0, 1, 3, 9)
CONV_2D, DEPTHWISE_CONV_2D, DEQUANTIZE, FULLY_CONNECTED = 3, 4, 6, 9
TFLITE_NAMES = {0: "ADD", 18: "MUL", 41: "SUB", 42: "DIV", 54: "PRELU", 67: "TRANSPOSE_CONV"}


def tflite_tensor(graph, buffers, index):
    """A constant of the graph as floats, or None where it is computed."""
    tensor = graph.tables(0)[index]
    shape, kind = tensor.vector(0, "i4"), tensor.number(1, "b")
    raw = buffers[tensor.number(2, "I")].vector(0, "u1")
    if raw.size == 0:
        return None
    if kind not in TFLITE_TYPES:
        raise Unusable("expected tensors of float32, float16, int32, uint8 or int8, got type %d" % kind)
    values = raw.tobytes()
    values = np.frombuffer(values, TFLITE_TYPES[kind]).reshape(shape)
    quantization = tensor.table(4)
    scale = quantization.vector(2, "f4") if quantization else np.zeros(0)
    if scale.size == 0:
        return values.astype("f4")
    zero = quantization.vector(3, "i8")
    zero = zero if zero.size else np.zeros(scale.size)
    along = [1] * values.ndim
    if scale.size > 1:
        along[quantization.number(6, "i")] = scale.size
    shifted = values.astype("f8") - zero.astype("f8").reshape(along)
    return (shifted * scale.astype("f8").reshape(along)).astype("f4")


def from_tflite(path):
    """[(kind, weight, bias)] in order of execution."""
    with open(path, "rb") as file:
        data = file.read()
    if data[4:8] != b"TFL3":
        raise Unusable("expected a .tflite file (schema version 3) in '%s', got another one" % path)
    model = Table(data, struct.unpack_from("<I", data)[0])
    codes = [max(code.number(0, "b"), code.number(3, "i")) for code in model.tables(1)]
    graphs, buffers = model.tables(2), model.tables(4)
    if len(graphs) != 1:
        raise Unusable("expected one graph, got %d" % len(graphs))
    graph, layers, expanded = graphs[0], [], {}

    def constant(index):
        return expanded[index] if index in expanded else tflite_tensor(graph, buffers, index)

    def has_numbers(index):  # other constants are shapes and axes
        return index >= 0 and graph.tables(0)[index].number(1, "b") in NUMBERS and constant(index) is not None

    for operator in graph.tables(3):
        code, inputs = codes[operator.number(0, "I")], operator.vector(1, "i4")
        if code == DEQUANTIZE:  # weights that are stored as float16
            value = constant(inputs[0])
            if value is not None:
                expanded[operator.vector(2, "i4")[0]] = value
        if code not in (CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED):
            if code != DEQUANTIZE and any(has_numbers(index) for index in inputs):
                name = TFLITE_NAMES.get(code, "operator %d" % code)
                print("convert_weights.py: left out: the constants of %s, after layer %d; the answers differ unless your network "
                      "or your inputs make up for it" % (name, len(layers)), file=sys.stderr)
            continue
        if len(inputs) < 2 or inputs[1] < 0:
            raise Unusable("expected weights in layer %d, got a layer without" % (len(layers) + 1))
        weight = constant(inputs[1])
        bias = constant(inputs[2]) if len(inputs) > 2 and inputs[2] >= 0 else None
        if weight is None or (bias is None and len(inputs) > 2 and inputs[2] >= 0):
            raise Unusable("expected weights that are constants, got some that are computed, in layer %d" % (len(layers) + 1))
        if code == FULLY_CONNECTED:
            weight = weight.T  # out x in
        elif code == DEPTHWISE_CONV_2D:
            weight = weight.transpose(1, 2, 0, 3)  # 1 x height x width x channels
        else:
            weight = weight.transpose(1, 2, 3, 0)  # out x height x width x in
        layers.append((weight, bias))
    return layers


# ---- Keras and PyTorch: tensors by name ----


def natural(name):
    """A key to sort by in which numbers count as numbers: features.2 before features.10."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split("([0-9]+)", name)]


def read_tensors(path):
    """{name: array} of a .npz, .safetensors, .h5 or .pt file, in the order of the file; of a .safetensors in that of the names."""
    if path.endswith(".npz"):
        with np.load(path) as file:
            return {name: file[name] for name in file.files}
    if path.endswith(".safetensors"):
        return read_safetensors(path)
    if path.endswith((".h5", ".hdf5")):
        return read_h5(path)
    if path.endswith((".pt", ".pth")):
        import torch

        state = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.numpy() for name, tensor in state.items()}
    raise Unusable("expected a file .tflite, .npz, .safetensors, .h5 or .pt, got '%s'" % path)


def read_safetensors(path):
    kinds = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4"}
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name in sorted(header, key=natural):  # writers sort tensors as text: the file's order says nothing
        entry = header[name]
        begin, end = entry["data_offsets"]
        if entry["dtype"] not in kinds:
            raise Unusable("expected tensors of %s, got %s for '%s'" % (", ".join(kinds), entry["dtype"], name))
        values = np.frombuffer(data[8 + length + begin : 8 + length + end], kinds[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def read_h5(path):
    """Layers of a Keras model or of its weights, in the order of the layers."""
    import h5py

    tensors = {}
    with h5py.File(path, "r") as file:
        group = file["model_weights"] if "model_weights" in file else file
        names = group.attrs.get("layer_names", sorted(group.keys(), key=natural))
        layers = [name.decode() if isinstance(name, bytes) else name for name in names]
        for layer in layers:
            found = []
            group[layer].visititems(lambda name, item: found.append((name, item)) if isinstance(item, h5py.Dataset) else None)
            for path_there, item in found:
                name = layer + "/" + path_there.split("/")[-1]
                if name in tensors:
                    raise Unusable("expected layers that hold weights, got '%s', which holds layers; save it by itself" % layer)
                tensors[name] = item[()]
    return tensors


def complete_norms(layers):
    """Gives batch norms that do not scale or do not shift what siena's always have: ones and zeros."""
    for parts in layers.values():
        if "running_mean" in parts:
            parts.setdefault("weight", np.ones_like(parts["running_mean"]))
            parts.setdefault("bias", np.zeros_like(parts["running_mean"]))
    return layers


KERAS_PARTS = {
    "kernel": "weight",
    "depthwise_kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_variance",
    "alpha": "weight",
}


def from_keras(tensors, epsilon):
    """{layer: {part: array}}. Keras adds `epsilon` to variances where siena adds 1e-5."""
    layers = {}
    for name, value in tensors.items():
        layer, _, part = name.rpartition("/")
        part = part.split(":")[0]
        if not layer:
            raise Unusable("expected tensors called LAYER/kernel, /bias, /gamma, ..., got '%s'; save them with their names: %s"
                           % (name, SAVE_KERAS))
        if part not in KERAS_PARTS:
            raise Unusable("expected tensors called LAYER/kernel, /bias, /gamma, ..., got '%s'" % name)
        if part == "depthwise_kernel":  # height x width x in x multiplier
            value = value.reshape(value.shape[:2] + (1, -1))
        if part == "moving_variance":
            value = value + (epsilon - 1e-5)
        if part == "alpha":
            value = value.reshape(-1)
        layers.setdefault(layer, {})[KERAS_PARTS[part]] = value
    return complete_norms(layers)


PYTORCH_PARTS = {"weight": "weight", "bias": "bias", "running_mean": "running_mean", "running_var": "running_variance"}


def from_pytorch(tensors, flattened):
    layers = {}
    for name, value in tensors.items():
        layer, _, part = name.rpartition(".")
        if part == "num_batches_tracked":
            continue
        if part not in PYTORCH_PARTS:
            raise Unusable("expected tensors called LAYER.weight, .bias, .running_mean or .running_var, got '%s'" % name)
        if part == "weight" and value.ndim == 2 and layer in flattened:  # out x (channels, height, width)
            height, width, channels = flattened[layer]
            if height * width * channels != value.shape[1]:
                raise Unusable("expected %d inputs of '%s' after --flatten, got %d"
                               % (height * width * channels, layer, value.shape[1]))
            value = value.reshape(-1, channels, height, width).transpose(2, 3, 1, 0).reshape(value.shape[::-1])
        elif part == "weight" and value.ndim >= 2:  # out x in x taps: the last first, then in x out
            value = value.transpose(tuple(range(2, value.ndim)) + (1, 0))
        layers.setdefault(layer, {})[PYTORCH_PARTS[part]] = value
    return complete_norms(layers)


# ---- siena ----


def write_safetensors(tensors, path):
    header, data = {}, b""
    for name in sorted(tensors):
        value = np.ascontiguousarray(tensors[name], "<f4")
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + value.nbytes]}
        data += value.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    unfinished = "%s.%d.part" % (path, os.getpid())  # a disk may be full: the file is written whole or not at all
    try:
        with open(unfinished, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text + data)
        os.replace(unfinished, path)
    except OSError as error:
        if os.path.exists(unfinished):
            os.remove(unfinished)
        raise Unusable("expected to write '%s', got: %s" % (path, error.strerror))


def in_order(names, titles):
    """The new name of each layer: `names` as they are, or, where they are pairs OLD=NEW, by the old ones."""
    pairs = [name.partition("=") for name in names]
    if not any(equals for _, equals, _ in pairs):
        return names
    new = {old: name for old, equals, name in pairs if equals and name}
    if len(new) != len(names) or set(new) != set(titles):
        wrong = [name for name, (old, _, to) in zip(names, pairs) if not to or old not in titles]
        missing = [title for title in titles if title not in new]
        got = "'%s'" % wrong[0] if wrong else "none for '%s'" % missing[0] if missing else "a layer twice"
        raise Unusable("expected one pair OLD=NEW for each layer with weights (%s), got %s" % (", ".join(titles), got))
    return [new[title] for title in titles]


def convert(arguments):
    """The tensors for siena, by name, and a line of text on each."""
    names = MODELS[arguments.model] if arguments.model else arguments.names.split(",") if arguments.names else None
    if arguments.input.endswith(".tflite"):
        found = [{"weight": weight, "bias": bias} for weight, bias in from_tflite(arguments.input)]
        titles = ["layer %d" % (i + 1) for i in range(len(found))]
        if names is None:
            raise Unusable("expected --names or --model: what the %d layers with weights are called in siena" % len(found))
    else:
        if arguments.model and arguments.input.endswith(".safetensors"):
            raise Unusable("expected --names OLD=NEW,... for '%s', got --model, which goes by the order of execution; a .safetensors "
                           "does not keep it" % arguments.input)
        tensors = read_tensors(arguments.input)
        if arguments.format == "keras":
            layers = from_keras(tensors, arguments.epsilon)
        elif arguments.format == "pytorch":
            flattened = {}
            for text in arguments.flatten:
                layer, _, sizes = text.partition("=")
                try:
                    flattened[layer] = tuple(int(size) for size in sizes.split(","))
                except ValueError:
                    flattened[layer] = ()
                if len(flattened[layer]) != 3 or layer not in {name.rpartition(".")[0] for name in tensors}:
                    raise Unusable("expected --flatten LAYER=height,width,channels with a layer of the file, got '%s'" % text)
            layers = from_pytorch(tensors, flattened)
        else:
            raise Unusable("expected --from keras or --from pytorch for '%s'" % arguments.input)
        titles, found = list(layers), list(layers.values())
        names = names or titles
    if arguments.names:
        names = in_order(names, titles)
    if len(names) != len(found):
        raise Unusable("expected %d names, one for each layer with weights (%s), got %d" % (len(found), ", ".join(titles), len(names)))
    for name in arguments.conv1d:
        weight = found[names.index(name)]["weight"] if name in names else None
        if weight is None or weight.ndim != 4 or weight.shape[0] != 1:
            raise Unusable("expected --conv1d to name convolutions of height 1, got '%s'" % name)
        found[names.index(name)]["weight"] = weight[0]
    result, lines = {}, []
    for title, name, parts in zip(titles, names, found):
        for part, value in parts.items():
            if value is not None:
                if name + "." + part in result:
                    raise Unusable("expected every name once, got '%s.%s' twice" % (name, part))
                result[name + "." + part] = value
                lines.append("%-40s -> %s %s" % (title + "." + part, name + "." + part, "x".join(map(str, value.shape))))
    return result, lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--from", dest="format", choices=["keras", "pytorch"], help="what the tensors of a file by name are")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--model", choices=sorted(MODELS), help="one of siena's models: its layers' names")
    chosen.add_argument("--names", metavar="NAMES",
                        help="the layers' names in siena, with commas between them: in order (of a .safetensors: of the names there, "
                        "features.2 before features.10), or as pairs OLD=NEW, all layers in any order")
    parser.add_argument("--conv1d", type=lambda text: text.split(","), default=[], metavar="NAMES",
                        help="layers that are 1-D convolutions in siena, by their names there")
    parser.add_argument("--epsilon", type=float, default=1e-3, help="of Keras' batch norms (default 1e-3)")
    parser.add_argument("--flatten", action="append", default=[], metavar="LAYER=H,W,C",
                        help="a linear layer of PyTorch that reads a flattened image, of these sizes")
    arguments = parser.parse_args()
    try:
        result, lines = convert(arguments)
    except Unusable as error:
        sys.exit("convert_weights.py: %s" % error)
    except Exception as error:  # of files of other programs, which may be damaged anywhere
        sys.exit("convert_weights.py: expected to read '%s', got: %s" % (arguments.input, str(error) or type(error).__name__))
    try:
        write_safetensors(result, arguments.output)
    except Unusable as error:
        sys.exit("convert_weights.py: %s" % error)
    try:
        print("\n".join(lines), flush=True)
    except OSError:  # nobody reads on; the file is there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
