# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the network that a C++ program wrote, and writes one that it reads: exchange.py <exchange_safetensors>.

Nothing but the standard library, so that a second, independent reading of the format checks ours.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

SHAPES = {
    "conv2d_1.weight": [3, 2, 3, 5],  # kernel height x kernel width x in x out
    "conv2d_1.bias": [5],
    "batch_norm_1.weight": [5],
    "batch_norm_1.bias": [5],
    "batch_norm_1.running_mean": [5],
    "batch_norm_1.running_variance": [5],
    "linear_1.weight": [5, 7],  # in x out
    "linear_1.bias": [7],
}


def known(shape):
    """Every element as the C++ program computes it, in row-major order."""
    count = 1
    for size in shape:
        count *= size
    return [i * 0.5 - 3 for i in range(count)]


def expect(condition, *text):
    if not condition:
        sys.exit("exchange.py: " + " ".join(str(part) for part in text))


def check(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack_from("<Q", content)
    expect(length % 8 == 0, "data starts at", 8 + length, "and is not aligned")
    header = json.loads(content[8 : 8 + length].decode("utf-8"))
    data = content[8 + length :]
    metadata = header.pop("__metadata__")
    graph = json.loads(metadata.pop("siena.network"))
    expect(metadata == {"written by": 'C++ "siena"'}, "other metadata")
    expect((graph["format"], graph["version"], graph["input"]) == ("siena network", 1, [4, 4, 3]), "another graph:", graph)
    types = [layer["type"] for layer in graph["layers"]]
    expect(types == ["input", "conv2d", "batch_norm", "relu", "global_avg_pool", "linear"], "other layers:", types)
    expect(graph["layers"][1]["options"]["kernel"] == [3, 2], "another kernel:", graph["layers"][1])
    expect(sorted(header) == sorted(SHAPES), "other names:", sorted(header))
    covered = 0
    for name, entry in header.items():
        shape = SHAPES[name]
        expect(entry["dtype"] == "F32" and entry["shape"] == shape, name, "is", entry)
        begin, end = entry["data_offsets"]
        values = known(shape)
        expect(end - begin == 4 * len(values), name, "has", end - begin, "bytes")
        got = list(struct.unpack("<%df" % len(values), data[begin:end]))
        expect(got == values, name, "holds", got[:8])
        covered += end - begin
    expect(covered == len(data), "tensors of", covered, "bytes in data of", len(data))
    return graph


def write(path, graph):
    header, data = {}, b""
    for name in reversed(sorted(SHAPES)):  # an order that is not ours
        values = known(SHAPES[name])
        begin = len(data)
        data += struct.pack("<%df" % len(values), *values)
        header[name] = {"shape": SHAPES[name], "data_offsets": [begin, len(data)], "dtype": "F32"}
    header["__metadata__"] = {"format": "pt", "siena.network": json.dumps(graph, indent=2)}
    text = json.dumps(header, indent=1).encode("utf-8")
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = os.path.join(folder, "cpp.safetensors"), os.path.join(folder, "python.safetensors")
        expect(subprocess.call([program, "write", ours]) == 0, "the program cannot write")
        write(theirs, check(ours))
        expect(subprocess.call([program, "check", theirs]) == 0, "the program cannot read what Python wrote")


main()
