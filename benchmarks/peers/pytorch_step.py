#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
"""Times the step that bench_train_step times (forward, loss, backward, Adam), in PyTorch; with --plinio search steps of PLiNIO.

    pytorch_step.py --network resnet8 --batch 32 --threads 1 --layout channels_last
    pytorch_step.py --network resnet8 --mode pit --plinio ~/plinio          (github.com/eml-eda/plinio)

One round is a number of steps for about --seconds; what is printed is the median of each round. With --serve a round is run for
each line that comes in, and answered by a line of JSON: so that another program can take turns with this one.
"""

import argparse
import importlib.util
import json
import resource
import statistics
import sys
import time
import types

sys.dont_write_bytecode = True  # leaves nothing behind in the source folder

try:
    import torch
    from torch import nn

    import networks
except ImportError as error:
    sys.exit(f"pytorch_step: expected PyTorch (Debian: python3-torch) for {sys.executable}, got: {error}")


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=networks.NETWORKS, default="resnet8")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--layout", choices=["nchw", "channels_last"], default="channels_last")
    parser.add_argument("--mode", choices=["plain", "pit", "supernet"], default="plain")
    parser.add_argument("--plinio", metavar="PATH", help="a checkout of PLiNIO, for the modes pit and supernet")
    parser.add_argument("--seconds", type=float, default=1, help="of a round (default 1)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--serve", action="store_true", help="a round for each line of the standard input")
    options = parser.parse_args(arguments)
    if options.mode != "plain" and not options.plinio:
        parser.error(f"--mode {options.mode}: expected --plinio PATH, the folder that holds the package plinio")
    return options


def stand_in(name):
    """An empty class for what nobody calls; of what Python itself asks a module for there is nothing."""
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})


def import_plinio(path):
    """The parts of PLiNIO that are timed."""
    sys.path.insert(0, path)
    # Importing PLiNIO imports its quantisation too, with packages that neither PIT nor SuperNet uses: an empty module will do.
    for unused in ("onnx", "tdigest"):
        if importlib.util.find_spec(unused) is None:
            module = types.ModuleType(unused)
            module.__getattr__ = stand_in
            sys.modules[unused] = module
    try:
        from plinio.cost import gap8_latency, ops, params
        from plinio.methods import PIT, SuperNet
        from plinio.methods.supernet import SuperNetModule
        from plinio.regularizers import DUCCIO
    except ImportError as error:
        sys.exit(f"pytorch_step: expected PLiNIO in {path} and what it needs (Debian: python3-networkx), got: {error}")
    return types.SimpleNamespace(
        PIT=PIT, SuperNet=SuperNet, choice=SuperNetModule, DUCCIO=DUCCIO, params=params, ops=ops, gap8=gap8_latency
    )


class Step:
    """A training that is run step by step, always on the same batch."""

    def __init__(self, options):
        torch.set_num_threads(options.threads)
        torch.manual_seed(0)
        self.inputs, self.targets = networks.noise(options.network, options.batch)
        self.criterion = nn.CrossEntropyLoss() if options.network in networks.CLASSES else nn.MSELoss()
        self.regularizer = None
        if options.mode == "plain":
            self.model = networks.NETWORKS[options.network]()
            groups = [{"params": self.model.parameters()}]
        else:
            groups = self.search(options)
        self.parameters = sum(p.numel() for p in self.model.parameters())
        if options.layout == "channels_last" and self.inputs.dim() == 4:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.inputs = self.inputs.contiguous(memory_format=torch.channels_last)
        self.model.train()
        self.optimizer = torch.optim.Adam(groups, lr=1e-3)

    def search(self, options):
        """Two costs priced by DUCCIO, whose targets are half of what the whole network costs. As in bench_search_step the
        architecture hardly moves."""
        plinio = import_plinio(options.plinio)
        # Its model of GAP8 takes no layers whose channels are plain numbers, as those of a supernet are.
        costs = {"params": plinio.params, "latency": plinio.gap8 if options.mode == "pit" else plinio.ops}
        arguments = {"cost": costs, "input_shape": networks.INPUTS[options.network]}
        if options.mode == "pit":
            self.model = plinio.PIT(networks.NETWORKS[options.network](), **arguments)
        else:
            seed = networks.supernet(options.network, plinio.choice)
            if seed is None:
                sys.exit(f"pytorch_step: expected a network with a supernet, got {options.network}")
            self.model = plinio.SuperNet(seed, **arguments)
        self.model.train_net_and_nas()
        targets = {name: self.model.get_cost(name).item() / 2 for name in costs}
        self.regularizer = plinio.DUCCIO(targets, task_loss=1.0)
        return [{"params": self.model.net_parameters()}, {"params": self.model.nas_parameters(), "lr": 1e-9}]

    def run(self):
        """One step; its seconds."""
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.criterion(self.model(self.inputs), self.targets)
        if self.regularizer is not None:
            loss = loss + self.regularizer(self.model, epoch=1, n_epochs=10)
        loss.backward()
        self.optimizer.step()
        return time.perf_counter() - start


def run_round(step, seconds):
    """Steps for so long, three at least, after one that is not timed."""
    step.run()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        times.append(step.run())
    return {
        "median_ms": 1e3 * statistics.median(times),
        "min_ms": 1e3 * min(times),
        "steps": len(times),
        "parameters": step.parameters,
        "peak_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }


def main():
    options = parse()
    step = Step(options)
    step.run()
    if options.serve:
        print(json.dumps({"ready": True, "torch": torch.__version__}), flush=True)
        for _ in sys.stdin:
            print(json.dumps(run_round(step, options.seconds)), flush=True)
        return
    rounds = [run_round(step, options.seconds) for _ in range(options.rounds)]
    if options.json:
        print(json.dumps({"torch": torch.__version__, "options": vars(options), "rounds": rounds}, indent=2))
        return
    print(f"{options.network} {options.mode} {options.layout} batch {options.batch} threads {options.threads}")
    for result in rounds:
        print("  {median_ms:9.2f} ms (least {min_ms:.2f}) of {steps} steps, at most {peak_MB:.0f} MB".format(**result))


if __name__ == "__main__":
    main()
