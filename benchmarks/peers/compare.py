#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of siena against steps of PyTorch, and with --plinio search steps against those of PLiNIO's PIT, in one run.

    compare.py                                     all networks but resnet18, batch 32 and 128, one thread and all
    compare.py --networks resnet8 --threads 1 --rounds 9 --out result.json

The contestants take turns, round by round, so that whatever else the machine does hits all of them. A round of siena is a run
of bench_train_step or bench_search_step; PyTorch lives in a process of its own for each contestant. Of each round the median
step counts, and a ratio is the median over the rounds of (peer / siena) within the same round: above 1 siena is faster.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NETWORKS = ["resnet8", "ds_cnn", "mobilenet_v1", "autoencoder", "resnet18"]


def fail(message):
    sys.exit(f"compare: {message}")


def parse():
    def names(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in NETWORKS:
                raise argparse.ArgumentTypeError(f"expected some of {', '.join(NETWORKS)}, got '{name}'")
        return chosen

    def numbers(text):
        return [int(number) for number in text.split(",")]

    def layouts(text):
        chosen = text.split(",")
        if not set(chosen) <= {"nchw", "channels_last"}:
            raise argparse.ArgumentTypeError(f"expected nchw, channels_last or both, got '{text}'")
        return chosen

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=HERE.parents[1] / "build/release/benchmarks", metavar="FOLDER",
                        help="where bench_train_step and bench_search_step are (default: build/release/benchmarks)")
    parser.add_argument("--python", default=sys.executable, help="the Python that has PyTorch (default: this one)")
    parser.add_argument("--networks", type=names, default=NETWORKS[:-1], metavar="NAME,...")
    parser.add_argument("--batches", type=numbers, default=[32, 128], metavar="N,...", help="of 32 and 128")
    parser.add_argument("--threads", type=numbers, default=sorted({1, cores}), metavar="N,...")
    parser.add_argument("--layouts", type=layouts, default=["nchw", "channels_last"], metavar="NAME,...")
    parser.add_argument("--plinio", metavar="PATH", help="a checkout of PLiNIO: compares search steps too")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1, help="of a round of one contestant (default 1)")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE", help="write everything measured there, as JSON")
    options = parser.parse_args()
    if options.rounds < 1 or min(options.threads) < 1:
        parser.error("expected at least one round and one thread")
    return options


def environment(threads):
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONDONTWRITEBYTECODE": "1"}


class Siena:
    """A program of ours, started anew each round."""

    def __init__(self, options, program, name, counter, threads):
        self.command = [
            str(options.programs / program),
            f"--benchmark_filter=^{name}(/iterations:[0-9]+)?/manual_time$",
            f"--benchmark_min_time={options.seconds}",
            "--benchmark_format=json",
        ]
        self.counter, self.environment = counter, environment(threads)

    def round(self):
        try:
            done = subprocess.run(self.command, env=self.environment, capture_output=True, text=True, check=True)
        except FileNotFoundError:
            fail(f"expected the program {self.command[0]}; build it with `./dev bench`, or say where it is with --programs")
        except subprocess.CalledProcessError as error:
            fail(f"{' '.join(self.command)} failed:\n{error.stderr}")
        try:
            result = json.loads(done.stdout)["benchmarks"][0]
        except (json.JSONDecodeError, IndexError):
            fail(f"expected one result of {' '.join(self.command)}, got none; is there one of that batch?\n{done.stderr}")
        return {"median_ms": result[self.counter], "parameters": result.get("parameters")}

    def close(self):
        pass


class PyTorch:
    """pytorch_step.py in a process that stays."""

    def __init__(self, options, network, batch, threads, layout, mode):
        command = [options.python, str(HERE / "pytorch_step.py"), "--serve", f"--network={network}", f"--batch={batch}",
                   f"--threads={threads}", f"--layout={layout}", f"--mode={mode}", f"--seconds={options.seconds}"]
        if options.plinio:
            command.append(f"--plinio={options.plinio}")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment(threads), stdin=pipe, stdout=pipe, text=True)
        self.version = self.answer()["torch"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            fail("pytorch_step.py ended before its time; what it says stands above")
        return json.loads(line)

    def round(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def contestants(options, network, batch, threads):
    """Pairs of a name and a contestant; made one after the other, so that the caller can close those that were made."""
    at = f"{network}/batch:{batch}/threads:{threads}"
    layouts = options.layouts if network != "autoencoder" else options.layouts[:1]  # vectors have no layout
    yield "siena", Siena(options, "bench_train_step", f"train_step/{at}", "median_ms", threads)
    for layout in layouts:
        yield f"pytorch {layout}", PyTorch(options, network, batch, threads, layout, "plain")
    if options.plinio:
        yield "siena search", Siena(options, "bench_search_step", f"search_step/{at}/percent:100", "search_ms", threads)
        for layout in layouts:
            yield f"pit {layout}", PyTorch(options, network, batch, threads, layout, "pit")


def measure(options, network, batch, threads):
    running, rounds, version = {}, [], None
    try:
        for name, contestant in contestants(options, network, batch, threads):
            running[name] = contestant
            version = getattr(contestant, "version", version)
        for number in range(options.rounds):
            order = list(running) if number % 2 == 0 else list(reversed(running))
            results = {name: running[name].round() for name in order}
            check_parameters(network, results)
            rounds.append({name: results[name]["median_ms"] for name in running})
    finally:
        for contestant in running.values():
            contestant.close()
    medians = {name: statistics.median(r[name] for r in rounds) for name in running}
    ratios = {}
    for name in running:
        ours = "siena" if name.startswith("pytorch") else "siena search" if name.startswith("pit") else None
        if ours:
            ratios[name] = statistics.median(r[name] / r[ours] for r in rounds)
    where = {"network": network, "batch": batch, "threads": threads, "torch": version}
    return {**where, "median_ms": medians, "ratio": ratios, "rounds_ms": rounds}


def check_parameters(network, results):
    """Both must have trained the same network."""
    ours = results["siena"]["parameters"]
    for name, result in results.items():
        if name.startswith("pytorch") and result["parameters"] != ours:
            theirs = result["parameters"]
            fail(f"expected the same {network} on both sides, got {ours:.0f} parameters here and {theirs} in {name}")


def print_table(options, results):
    columns = ["siena"] + [f"pytorch {layout}" for layout in options.layouts]
    if options.plinio:
        columns += ["siena search"] + [f"pit {layout}" for layout in options.layouts]
    widths = [max(len(column), 9) + (8 if column.split()[0] in ("pytorch", "pit") else 0) for column in columns]
    print("\nmedian ms of a step; in brackets how many times that of siena in the same round")
    print(f"{'network':<14}{'batch':>6}{'threads':>9}" + "".join(f"  {c:>{w}}" for c, w in zip(columns, widths)))
    for result in results:
        line = f"{result['network']:<14}{result['batch']:>6}{result['threads']:>9}"
        for column, width in zip(columns, widths):
            time, ratio = result["median_ms"].get(column), result["ratio"].get(column)
            text = "-" if time is None else f"{time:.2f}" + ("" if ratio is None else f" ({ratio:.2f})")
            line += f"  {text:>{width}}"
        print(line)


def main():
    options = parse()
    results = []
    for network in options.networks:
        for batch in options.batches:
            if network == "resnet18" and batch > 32:
                continue  # a step of it takes the better part of a minute
            for threads in options.threads:
                results.append(measure(options, network, batch, threads))
                last = results[-1]
                times = ", ".join(f"{name} {time:.2f} ms" for name, time in last["median_ms"].items())
                print(f"{network}, batch {batch}, {threads} threads: {times}", file=sys.stderr)
    print_table(options, results)
    if options.out:
        run = {"machine": platform.platform(), "rounds": options.rounds, "seconds": options.seconds, "results": results}
        options.out.write_text(json.dumps(run, indent=2) + "\n")


if __name__ == "__main__":
    main()
