# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

"""Sweeps that share a folder, run on program.py: python3 sharing_test.py PATH_OF_SWEEP [TEST...]"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "program.py")
GRID = ("--memory", "75%,50%,25%", "--seeds", "0,1", "--baselines")  # 14 runs
RUN = "memory-75pc_latency-none_seed-0"


def children(parent):
    """The ids of the programs that a process has started."""
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat") as file:
                if name.isdigit() and int(file.read().rsplit(")", 1)[1].split()[1]) == parent:
                    found.append(int(name))
        except OSError:
            pass
    return found


class SharingTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="siena sweep ")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.out = self.path("out")
        self.started = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for sweep in self.started:
            if sweep.poll() is None:
                self.kill(sweep, True)
            sweep.stdout.close()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run_file(self, name, run=RUN):
        return os.path.join(self.out, "runs", run, name)

    def claim(self, name=RUN):
        return os.path.join(self.out, "claims", name)

    def start(self, *options, program=(), share=("--share", "--patience", "1")):
        words = [SWEEP, "--out", self.out, *share, *options, "--", sys.executable, PROGRAM, "--calls", self.path("calls"),
                 *program]
        sweep = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        self.started.append(sweep)
        return sweep

    def ends(self, sweep, status=0):
        said = sweep.communicate(timeout=60)[0]
        self.assertEqual(sweep.returncode, status, said)
        return said

    def sweep(self, *options, status=0, **more):
        return self.ends(self.start(*options, **more), status)

    def write_claim(self, patience, renewals=0, silent=0):
        """One of another machine, written so many seconds ago."""
        os.makedirs(os.path.dirname(self.claim()), exist_ok=True)
        with open(self.claim(), "w") as file:
            file.write(f"elsewhere 1 0123456789abcdef {patience} {renewals:010}\n{RUN}\n")
        os.utime(self.claim(), (time.time() - silent, time.time() - silent))

    def status(self, code):
        done = subprocess.run([SWEEP, "--out", self.out, "--status"], stdout=subprocess.PIPE, universal_newlines=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    @staticmethod
    def kill(sweep, with_children):
        """At once, as when a machine dies: it cannot note what becomes of its programs."""
        sweep.send_signal(signal.SIGSTOP)
        for child in children(sweep.pid) if with_children else ():
            os.kill(child, signal.SIGKILL)
        sweep.kill()
        sweep.wait()

    def calls(self):
        if not os.path.exists(self.path("calls")):
            return []
        with open(self.path("calls")) as file:
            return [json.loads(line) for line in file]

    def wait_for(self, what):
        end = time.monotonic() + 30
        while not what():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def results(self):
        """What the folder has of each run but its command, and the names of all files of all runs."""
        with open(os.path.join(self.out, "results.jsonl")) as file:
            lines = [json.loads(line) for line in file]
        for line in lines:
            del line["command"]
            with open(self.run_file("report.json", line["name"])) as file:
                line["report"] = file.read()
            line["files"] = sorted(name for name in os.listdir(self.run_file("", line["name"])) if not name.endswith(".tmp"))
        with open(os.path.join(self.out, "report.html")) as file:
            page = file.read()
        return lines, page[page.index("<h2>"):]

    def serial(self):
        out, self.out = self.out, self.path("serial")
        self.sweep(*GRID, share=())
        results, self.out = self.results(), out
        shutil.rmtree(self.path("serial"))
        os.remove(self.path("calls"))
        return results

    def test_three_sweeps(self):
        """Each run once, a warm-up a seed, and all the same as from one sweep."""
        wanted = self.serial()
        begin = lambda: self.start(*GRID, program=["--takes", "0.2"], share=("--share", "--patience", "60"))
        said = [self.ends(sweep) for sweep in [begin() for _ in range(3)]]
        calls = self.calls()
        self.assertEqual(len(calls), 14)
        self.assertEqual(len({(c["method"], c["memory"], c["seed"]) for c in calls}), 14)
        self.assertEqual(sorted(c["seed"] for c in calls if c["method"] == "masks" and not c["warm"]), [0, 1])
        self.assertEqual(self.results(), wanted)
        self.assertTrue(any("14 of 14 runs are done: " in text for text in said), said)
        self.assertIn("by another sweep", "".join(said))
        self.assertEqual(os.listdir(os.path.join(self.out, "claims")), [])
        self.assertIn("14 of 14 runs are done", self.status(0))

    def test_kills(self):
        """Sweeps are killed with and without their programs, and begun again, by machines whose clocks differ."""
        if not os.path.exists("/proc/self/stat"):
            self.skipTest("no system that says whose a program is")
        wanted = self.serial()
        random.seed(1)
        stop = threading.Event()

        def disagree():  # file systems that take times from who writes have these
            while not stop.wait(0.05):
                for folder, _, names in os.walk(self.out):
                    for name in names:
                        try:
                            if name == "log.txt" or folder.endswith("claims"):
                                file = os.path.join(folder, name)
                                written = os.stat(file).st_mtime
                                if abs(time.time() - written) < 20:  # once for each time that it is written
                                    written += random.choice((-60, 60))
                                    os.utime(file, (written, written))
                        except OSError:
                            pass

        clocks = threading.Thread(target=disagree)
        clocks.start()
        self.addCleanup(clocks.join)
        self.addCleanup(stop.set)
        begin = lambda: self.start(*GRID, program=["--takes", "0.6"])
        sweeps = [begin() for _ in range(3)]

        def busy():  # those whose program has begun
            begun = {call["pid"] for call in self.calls()}
            return [i for i in random.sample(range(3), 3) if begun.intersection(children(sweeps[i].pid))]

        picked = []
        for i in range(10):
            time.sleep(random.uniform(0.05, 0.3))
            self.wait_for(lambda: picked.extend(busy()[:1]) or picked or all(sweep.poll() is not None for sweep in sweeps))
            if not picked:
                break  # all runs are done
            at = picked.pop()
            self.kill(sweeps[at], with_children=i % 2 == 0)
            sweeps[at] = begin()
        for sweep in sweeps:
            self.ends(sweep)
        self.assertEqual(self.results(), wanted)
        self.assertGreater(len(self.calls()), 14)

    def test_times_of_files_do_not_matter(self):
        """A claim is stale when it does not change, whatever time its file has."""
        sweep = None
        patient = ("--share", "--patience", "2")
        for count in range(30):
            self.write_claim(2, renewals=count, silent=3600)
            sweep = sweep or self.start("--memory", "75%,50%", share=patient)
            time.sleep(0.1)
        self.assertIn("1 of 2 runs are done, others are at 1", self.ends(sweep))  # it was seen to be renewed
        self.assertEqual([c["memory"] for c in self.calls()], ["50%"])

        os.utime(self.claim(), (time.time() + 3600, time.time() + 3600))
        begin = time.monotonic()
        self.sweep("--memory", "75%", share=patient)
        self.assertGreater(time.monotonic() - begin, 2)
        self.assertEqual([c["memory"] for c in self.calls()], ["50%", "75%"])

    def test_patience_is_that_of_the_owner(self):
        """However long those who wait would be waited for themselves."""
        for owners, waiting, least, most in ((4, "1", 4, 60), (1, "16", 1, 16)):
            self.write_claim(owners)
            begin = time.monotonic()
            self.sweep("--memory", "75%", share=("--share", "--patience", waiting))
            self.assertGreater(time.monotonic() - begin, least)
            self.assertLess(time.monotonic() - begin, most)
            shutil.rmtree(self.out)

    def test_status_of_a_machine_that_died(self):
        """A claim that is not renewed for its owner's patience is nobody's work."""
        options = {"program": ["--fail-at", "75%"]}
        self.sweep("--memory", "75%,50%", status=2, **options)
        log = self.run_file("log.txt")
        with open(log, "w") as file:
            file.write("$ program\nsearch 3/8  loss 0.4000  1 s\n")
        before = time.time() - 300
        os.utime(log, (before, before))
        self.write_claim(600, silent=200)
        said = self.status(1)
        self.assertIn("1 of 2 runs are done, 1 at work, 0 failed, 0 left", said)
        self.assertIn(f"at work  {RUN}: elsewhere, process 1: search 3/8, last word 5:0", said)
        self.write_claim(120, silent=200)
        said = self.status(1)
        self.assertIn("1 of 2 runs are done, 0 at work, 0 failed, 1 left, 1 of them lost\n", said)
        self.assertIn(f"lost     {RUN}: elsewhere, process 1: search 3/8, no sign for 3:2", said)
        open(self.run_file("search.checkpoint"), "w").close()  # by a program that has outlived its sweep
        self.assertIn("1 at work, 0 failed, 0 left", self.status(1))

    def test_a_program_left_running(self):
        """What a program writes keeps others away when its sweep is gone; its result is counted."""
        options = {"program": ["--takes", "4"], "share": ("--share", "--patience", "2")}
        sweep = self.start("--memory", "75%", **options)
        self.wait_for(self.calls)
        self.kill(sweep, with_children=False)
        said = self.sweep("--memory", "75%", **options)
        self.assertIn("by another sweep", said)
        self.assertEqual(len(self.calls()), 1)

    def test_a_sweep_that_hangs(self):
        """What it was at is done by another; it notices when it comes back, and does no harm."""
        if not os.path.exists("/proc/self/stat"):
            self.skipTest("no system that says whose a program is")
        hung = self.start("--memory", "75%", program=["--takes", "2"])
        self.wait_for(self.calls)
        program = children(hung.pid)[0]
        os.kill(program, signal.SIGSTOP)
        hung.send_signal(signal.SIGSTOP)
        other = self.start("--memory", "75%", program=["--takes", "2"])
        self.wait_for(lambda: len(self.calls()) == 2)
        hung.send_signal(signal.SIGCONT)
        os.kill(program, signal.SIGCONT)
        said = self.ends(hung)
        self.assertIn("another sweep has taken it over", said)
        self.ends(other)
        self.assertEqual(len(self.results()[0]), 1)
        self.assertFalse(os.path.exists(self.run_file("failed.json")))

    def test_one_that_is_stopped_lets_go(self):
        waits = self.path("waits")
        os.mkdir(waits)
        options = {"program": ["--waits", waits], "share": ("--share", "--patience", "600")}
        sweep = self.start("--memory", "75%", **options)
        self.wait_for(lambda: os.path.exists(os.path.join(waits, "started")))
        said = self.status(1)
        self.assertIn("0 of 1 runs are done, 1 at work, 0 failed, 0 left", said)
        self.assertIn(f"at work  {RUN}: {os.uname().nodename}, process {sweep.pid}: search 3/8, last word ", said)
        # One that wants to be alone has to wait.
        self.assertIn("sweep: expected to be alone", self.sweep("--memory", "75%", share=(), status=2))
        sweep.send_signal(signal.SIGTERM)
        self.assertIn("0 of 1 runs are done; the same command goes on", self.ends(sweep, 128 + signal.SIGTERM))
        self.assertFalse(os.path.exists(self.claim()))
        self.assertIn("0 of 1 runs are done, 0 at work, 0 failed, 1 left", self.status(1))
        open(os.path.join(waits, "go"), "w").close()
        self.sweep("--memory", "75%", **options)
        self.assertIn("1 of 1 runs are done", self.status(0))

    def test_runs_that_fail(self):
        """Each sweep tries once, three of them in all: a machine on which nothing runs does not use up all tries."""
        fails = {"program": ["--fail-at", "75%"]}
        for tries in (1, 2, 3):
            self.assertIn("failed, exit status 2", self.sweep("--memory", "75%,50%", status=2, **fails))
            self.assertEqual(len(self.calls()), 1 + tries)
            self.assertIn(f"has failed {tries} time", self.status(1 if tries < 3 else 2))
        said = self.sweep("--memory", "75%,50%", status=2, **fails)
        self.assertIn(f"left alone, it has failed 3 times ({', '.join(3 * [os.uname().nodename])})", said)
        self.assertIn(f"failed   {RUN}", self.status(2))
        self.assertEqual(len(self.calls()), 4)
        # Alone a sweep tries again what it is asked for, and so do others when nothing counts any more.
        self.sweep("--memory", "75%", share=(), status=2, **fails)
        os.remove(self.run_file("failed.json"))
        self.sweep("--memory", "75%", status=2, **fails)
        self.assertEqual(len(self.calls()), 6)

    def test_a_run_that_works_in_the_end(self):
        """What fails on one machine is done by another; then nothing tells of it any more."""
        self.sweep("--memory", "75%", program=["--fail-once", self.path("once")], status=2)
        self.assertTrue(os.path.exists(self.run_file("failed.json")))
        self.sweep("--memory", "75%", program=["--fail-once", self.path("once")])
        self.assertFalse(os.path.exists(self.run_file("failed.json")))
        self.status(0)

    def test_what_is_refused(self):
        for words in (["--patience", "5"], ["--share", "--patience", "0"], ["--share", "--status"], ["--status", "--report-only"]):
            done = subprocess.run([SWEEP, "--out", self.out, "--memory", "50%", *words, "--", sys.executable, PROGRAM],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.assertGreaterEqual(done.returncode, 100, words)
        done = subprocess.run([SWEEP, "--out", self.path("nothing"), "--status"], stderr=subprocess.PIPE, universal_newlines=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("the folder of a sweep", done.stderr)


if __name__ == "__main__":
    SWEEP = sys.argv.pop(1)
    unittest.main()
