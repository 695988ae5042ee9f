# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

"""Stands for a program that searches: obeys the command line of the examples, and makes its numbers up.

--calls FILE gets a line of JSON for each call; --fail-at BOUND fails under that memory bound, --fail-once FILE unless that is
there; --breaks BOUND does not keep it; --lies BOUND writes a report that is none; --takes SECONDS works so long, half of it at
a warm-up where it makes one; --waits FOLDER stops in the search until a signal comes, unless FOLDER/go is there.
"""
import argparse
import json
import math
import os
import random
import signal
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
for name in ("memory", "latency", "checkpoint", "report", "calls", "fail-at", "breaks", "lies", "waits", "log", "threads"):
    parser.add_argument("--" + name)
parser.add_argument("--method", default="masks")
parser.add_argument("--metric", default="accuracy")
parser.add_argument("--cost-model", default="gap8")
parser.add_argument("--in-cycles")
parser.add_argument("--fail-once")
parser.add_argument("--takes", type=float, default=0)
parser.add_argument("--bits", default="")
parser.add_argument("--activation-bits", default="")
parser.add_argument("--bits-per", default="layer", choices=["layer", "channel"])
parser.add_argument("--epochs", default="8,8,4")
parser.add_argument("--seed", type=int)
parser.add_argument("--resume", action="store_true")
parser.add_argument("--no-history", action="store_true")
options = parser.parse_args()
assert options.resume
assert "PMI_RANK" not in os.environ, "expected to be no rank, of which the sweep may be one"
searches = options.method not in ("uniform", "baseline")
bits = [int(width) for width in options.bits.split(",") if width]
assert searches or len(bits) < 2, f"expected one number of bits with --method {options.method}"
assert searches or "," not in options.activation_bits
per = f" per {options.bits_per}" if len(bits) > 1 else ""
if options.activation_bits:
    per += f", values {options.activation_bits}"

random.seed(f"{options.memory} {options.latency} {options.seed} {options.method}" + (f" {bits}{per}" if bits or per else ""))
names = ["conv1"] + [f"stack{s}.conv{c}" for s in (1, 2, 3) for c in (1, 2)] + ["stack2.skip", "stack3.skip", "classifier"]
widths = [16, 16, 16, 32, 32, 64, 64, 32, 64, 10]
full = {"weights": 78666, "macs": 12501632, "bytes": 78978, "gap8_cycles": 1594880}


def checkpoint(phase):
    return os.path.join(options.checkpoint, phase + ".checkpoint")


def write(path, text):
    """Whole or not at all, as the programs do."""
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), prefix=".siena-", suffix=".tmp", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


def work(phase):
    for epoch in range(1, 6):
        if options.takes:
            print(f"{phase} {epoch}/5  loss 0.5000", flush=True)
            time.sleep(options.takes / 10)


def part(bound):
    return 1.0 if bound == "none" else float(bound.rstrip("%")) / 100


def epochs(count, start, bounds):
    result = []
    for epoch in range(1, count + 1):
        fall = math.exp(-(start + epoch) / 8)
        entry = {"epoch": epoch, "train_loss": 0.4 + 1.8 * fall, "train_accuracy": 0.85 - 0.6 * fall, "penalty": 0.0,
                 "lr": 0.1, "seconds": 1.5, "validation_loss": 0.55 + 1.7 * fall + 0.05 * random.random(),
                 "validation_accuracy": 0.8 - 0.55 * fall + 0.02 * random.random()}
        if options.metric == "auc":
            entry["train_accuracy"] = None
            del entry["validation_accuracy"]
        if bounds:
            left = max(0.0, 1 - 2 * epoch / count)
            entry["bounds"] = {name: limit * (0.99 + left * (whole / limit - 1)) for name, limit, whole in bounds}
        result.append(entry)
    return result


warm = os.path.exists(checkpoint("warm-up"))
if options.calls:
    with open(options.calls, "a") as file:
        file.write(json.dumps({"method": options.method, "memory": options.memory, "latency": options.latency,
                               "seed": options.seed, "bits": options.bits + per, "warm": warm, "threads": options.threads,
                               "log": options.log, "pid": os.getpid()}) + "\n")

memory, latency = part(options.memory), part(options.latency)
if options.fail_at == options.memory:
    print("a line before")
    print("program: expected a bound that can be kept, got <none> & more", file=sys.stderr)
    sys.exit(2)
if options.fail_once and not os.path.exists(options.fail_once):
    open(options.fail_once, "w").close()
    sys.exit(2)
if searches and not warm:
    work("warm-up")
    write(checkpoint("warm-up"), f"warm-up of seed {options.seed}, bits {bits}{per}")
if searches and warm:
    with open(checkpoint("warm-up")) as file:
        assert file.read() == f"warm-up of seed {options.seed}, bits {bits}{per}", "the warm-up of another search"
if options.waits and not os.path.exists(os.path.join(options.waits, "go")):
    caught = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, lambda number, frame: caught.append(number))
    print("warm-up 8/8  loss 0.5000  accuracy 80.0 %  1 s\na note 3/4\nsearch 3/8  loss 0.4000  1 s\nno epoch", flush=True)
    print("warm-up 8/8  loss 0.5000  accuracy 80.0 %  1 s\na note 3/4\nsearch 3/8  loss 0.4000  1 s\nno epoch", flush=True)
    with open(os.path.join(options.waits, "started"), "a") as file:
        file.write(f"{os.getpid()}\n")
    while not caught:
        time.sleep(0.01)
    with open(checkpoint("search"), "w") as file:
        file.write("half of a search")
    sys.exit(128 + caught[0])
if searches:
    open(checkpoint("search"), "w").close()
work("search")

keep = 1.0 if options.method == "baseline" else min(memory, latency)
width = math.sqrt(keep)
layers = [(name, wide, max(1, round(wide * width * random.uniform(0.6, 1.2))) if name != "classifier" and width < 1 else wide)
          for name, wide in zip(names, widths)]
costs = {"weights": full["weights"] * memory * 0.99, "macs": full["macs"] * keep * 0.97, "bytes": full["bytes"] * memory * 0.99,
         "gap8_cycles": full["gap8_cycles"] * latency * 0.98}
if options.method == "baseline":
    costs = {**full, "bytes": full["bytes"] * bits[0] / 8} if bits else full
breaks = options.breaks == options.memory
bounds = [{"name": "memory", "limit": full["bytes"] * memory, "value": costs["bytes"] * (1.2 if breaks else 1), "slack": 1,
           "unit": "B", "violation": 0.2 if breaks else 0, "model": "model size"},
          {"name": "latency", "limit": full["gap8_cycles"] * latency, "value": costs["gap8_cycles"], "slack": 1,
           "unit": "cycles", "violation": 0}]
if options.cost_model != "gap8" and options.in_cycles != options.latency:  # a time, which is a thousandth of a microsecond for each cycle
    bounds[1].update(unit="s", limit=bounds[1]["limit"] * 1e-9, value=bounds[1]["value"] * 1e-9)
bounds[1]["model"] = options.cost_model
bounds = [b for b, of in zip(bounds, (options.memory, options.latency)) if of != "none" and options.method != "baseline"]
whole = [{**b, "value": full["bytes"] if b["name"] == "memory" else b["value"] / costs["gap8_cycles"] * full["gap8_cycles"]}
         for b in bounds]
best = 0.86 - 0.12 * (1 - keep) ** 2 - (0.02 if options.method == "uniform" else 0) + 0.01 * random.random()
counts = [int(count) for count in options.epochs.split(",")]
falling = [("memory", full["bytes"] * memory, full["bytes"]), ("latency", full["gap8_cycles"] * latency, full["gap8_cycles"])]
falling = [b for b, of in zip(falling, (options.memory, options.latency)) if of != "none"]
if searches:
    history = {"warmup": epochs(counts[0], 0, []), "search": epochs(counts[1], 2, falling),
               "finetuning": epochs(counts[2], 10, []), "best_epoch": counts[1], "repaired": False, "reach": [],
               "shadow_prices": []}
    if counts[2]:
        history["kept_epoch"] = counts[2]
else:
    history = {"training": epochs(sum(counts), 0, []), "kept_epoch": 1}
report = {"program": "a program <&>", "method": options.method, "feasible": not breaks, "metric": options.metric,
          "bounds": bounds,
          options.metric: {"baseline": 0.82 if searches else None, "found": best - 0.02 if searches else None,
                           "finetuned": best},
          "costs": costs,
          "layers": [{"name": name, "kind": "conv", "in_channels": 3, "out_channels": after} for name, wide, after in layers],
          "before": {"costs": full, "bounds": whole,
                     "layers": [{"name": name, "kind": "conv", "in_channels": 3, "out_channels": wide}
                                for name, wide, after in layers]},
          "phases": [{"name": "all", "epochs": sum(counts), "seconds": 61.5}], "seed": options.seed, "threads": 1}
if not options.no_history:
    report["history"] = history
write(options.report, json.dumps({"layers": 3, "accuracy": {}, "costs": {}} if options.lies == options.memory else report))
print("done")
sys.exit(1 if breaks else 0)
