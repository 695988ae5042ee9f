# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0

"""The sweep, run on program.py: python3 sweep_test.py PATH_OF_SWEEP [TEST...]"""
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "program.py")
HTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


class SweepTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="siena sweep ")  # a space, as people have them
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = os.path.join(self.folder, "out")

    def words(self, *options, program=()):
        return [SWEEP, "--out", self.out, *options, "--", sys.executable, PROGRAM, "--calls", self.path("calls"), *program]

    def sweep(self, *options, program=(), status=0):
        rank = {**os.environ, "PMI_RANK": "0", "PMI_SIZE": "2"}  # as one of several that srun starts
        done = subprocess.run(self.words(*options, program=program), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, timeout=120, env=rank)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def refuses(self, words, *parts):
        done = subprocess.run([SWEEP] + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run_file(self, run, name):
        return os.path.join(self.out, "runs", run, name)

    def calls(self):
        if not os.path.exists(self.path("calls")):
            return []
        with open(self.path("calls")) as file:
            return [json.loads(line) for line in file]

    def results(self):
        with open(os.path.join(self.out, "results.jsonl")) as file:
            return {line["name"]: line for line in map(json.loads, file)}

    def page(self):
        return xml.parse(os.path.join(self.out, "report.html")).getroot()

    def test_grid(self):
        self.sweep("--memory", "75%,50%", "--latency", "50%,none", "--seeds", "0,1", "--baselines", "--pairs", "25%:25%,75%:50%")
        calls = self.calls()
        searches = [call for call in calls if call["method"] == "masks"]
        self.assertEqual(len(calls), 2 * (5 + 5 + 1))
        self.assertEqual(len({(c["memory"], c["latency"], c["seed"]) for c in searches}), 10)
        # The first search of each seed warms up, the program itself checks that the others get the warm-up of their seed.
        self.assertEqual([c["seed"] for c in searches if not c["warm"]], [0, 1])
        results = self.results()
        self.assertEqual(len(results), 22)
        one = results["memory-75pc_latency-50pc_seed-1"]
        with open(self.run_file("memory-75pc_latency-50pc_seed-1", "report.json")) as file:
            report = json.load(file)
        self.assertEqual(one["result"], report["accuracy"]["finetuned"])
        self.assertEqual(one["costs"], report["costs"])
        self.assertEqual((one["role"], one["memory"], one["latency"], one["seed"]), ("search", "75%", "50%", 1))
        self.assertEqual(results["baseline_seed-0"]["method"], "baseline")
        # The front: no search is both cheaper and better.
        for cost in ("bytes", "gap8_cycles", "macs"):
            found = [r for r in results.values() if r["role"] == "search"]
            for r in found:
                beaten = any(o["costs"][cost] <= r["costs"][cost] and o["result"] >= r["result"] and
                             (o["costs"][cost], o["result"]) != (r["costs"][cost], r["result"]) for o in found)
                self.assertEqual(cost in r["fronts"], not beaten)

        page = self.page()
        pictures = page.findall(".//" + SVG + "svg")
        self.assertGreaterEqual(len(pictures), 3 + 22 * 2)
        for name in ("bytes", "gap8_cycles", "macs"):
            xml.parse(os.path.join(self.out, f"pareto_{name}.svg"))
        for name in results:
            for picture in ("epochs.svg", "channels.svg"):
                xml.parse(self.run_file(name, picture))
            with open(self.run_file(name, "epochs.svg")) as file:
                self.assertIn("epochs that were kept", file.read())
        text = "".join(page.itertext())
        self.assertIn("a program <&>", text)
        self.assertIn("(2)", text)  # two seeds in each mean
        with open(os.path.join(self.out, "report.html")) as file:
            source = file.read()
        for outside in ("<script", "<link", "<img", "src=", "href=", "url(", "@import"):
            self.assertNotIn(outside, source)

    def test_mean_and_difference(self):
        self.sweep("--memory", "50%", "--seeds", "0,1,2", "--baselines")
        results = self.results()
        values = {role: [r["result"] for r in results.values() if r["role"] == role] for role in ("search", "uniform", "baseline")}
        row = [cell.text for cell in self.page().find(".//" + HTML + "table").findall(HTML + "tr")[2]]
        mean = 100 * sum(values["search"]) / 3
        deviation = (sum((100 * v - mean) ** 2 for v in values["search"]) / 2) ** 0.5
        self.assertEqual(row[:3], ["50%", "none", f"{mean:.2f} ± {deviation:.2f} (3)"])
        self.assertTrue(row[6].startswith(f"{100 * sum(values['uniform']) / 3:.2f} ± "))
        self.assertTrue(row[10].startswith(f"{mean - 100 * sum(values['uniform']) / 3:.2f} ± "))
        self.assertTrue(row[11].startswith(f"{100 * sum(values['baseline']) / 3:.2f} ± "))

    def test_bits(self):
        """Bits span the grid with bounds and seeds; baselines, which choose none, come with each width alone."""
        options = ("--memory", "75%,50%", "--seeds", "0,1", "--baselines", "--bits", "4", "2,4,8", "--bits", "2,4:channel")
        self.sweep(*options)
        calls = self.calls()
        of = lambda method: [(c["memory"], c["bits"], c["seed"]) for c in calls if c["method"] == method]
        searched = ["4", "2,4,8 per layer", "2,4 per channel"]
        self.assertEqual(sorted(of("masks")), sorted((m, b, s) for m in ("75%", "50%") for b in searched for s in (0, 1)))
        self.assertEqual(sorted(of("uniform")), sorted((m, b, s) for m in ("75%", "50%") for b in "248" for s in (0, 1)))
        self.assertEqual(sorted(of("baseline")), sorted(("none", b, s) for b in ("", "2", "4", "8") for s in (0, 1)))
        # A warm-up for each seed and setting: layers have their bits in it. The program checks whose it gets.
        self.assertEqual([(c["bits"], c["seed"]) for c in calls if c["method"] == "masks" and not c["warm"]],
                         [(b, s) for s in (0, 1) for b in searched])
        results = self.results()
        self.assertEqual(results["memory-50pc_latency-none_bits-2-4-channel_seed-1"]["bits"], "2,4:channel")
        self.assertIsNone(results["baseline_seed-0"]["bits"])

        rows = [[cell.text for cell in row] for row in self.page().find(".//" + HTML + "table")]
        self.assertEqual({len(row) for row in rows[1:]}, {14})
        self.assertEqual([row[:3] for row in rows[2:]],
                         [[m, "none", b] for m in ("75%", "50%") for b in ("8", "4", "2", "2,4 per channel", "2,4,8")] +
                         [["none", "none", b] for b in "248"])
        mean = lambda role, bits: 50 * sum(results[f"{role}memory-50pc_latency-none_bits-{bits}_seed-{s}"]["result"] for s in (0, 1))
        best = max("248", key=lambda b: mean("uniform_", b))
        row = rows[11]  # 50 %, 2,4,8
        self.assertEqual(row[7], best)  # what it is compared with
        self.assertTrue(row[8].startswith(f"{mean('uniform_', best):.2f} ± "), row)
        self.assertTrue(row[12].startswith(f"{mean('', '2-4-8') - mean('uniform_', best):.2f} ± "), row)
        for width, row in zip("248", rows[12:]):
            whole = 50 * sum(results[f"baseline_bits-{width}_seed-{s}"]["result"] for s in (0, 1))
            self.assertTrue(row[-1].startswith(f"{whole:.2f} ± "), row)
        with open(os.path.join(self.out, "pareto_bytes.svg")) as file:
            picture = file.read()
        for text in ("searched, bits 4", "searched, bits 2,4,8", "searched, bits 2,4 per channel", "50% / none / 2,4,8", "bits 2<"):
            self.assertIn(text, picture)

        self.sweep(*options)
        self.assertEqual(len(self.calls()), len(calls))  # all of it is found again

    def test_bits_of_values(self):
        """They cross those of weights, and baselines come with each pair of widths."""
        self.sweep("--memory", "75%", "--baselines", "--bits", "4", "2,4", "--activation-bits", "none", "4,8")
        of = lambda method: sorted(c["bits"] for c in self.calls() if c["method"] == method)
        self.assertEqual(of("masks"), ["2,4 per layer", "2,4 per layer, values 4,8", "4", "4, values 4,8"])
        alone = [f"{w}{v}" for w in "24" for v in ("", ", values 4", ", values 8")]
        self.assertEqual(of("uniform"), alone)
        self.assertEqual(of("baseline"), [""] + alone)
        one = self.results()["memory-75pc_latency-none_bits-2-4_values-4-8_seed-0"]
        self.assertEqual((one["bits"], one["activation_bits"]), ("2,4", "4,8"))
        rows = [[cell.text for cell in row] for row in self.page().find(".//" + HTML + "table")]
        self.assertEqual([row[2] for row in rows[2:]],
                         ["4", "4, values 8", "4, values 4", "2", "2, values 8", "2, values 4",
                          "2,4", "4, values 4,8", "2,4, values 4,8"] + alone)
        self.assertIn(rows[9][7], ("4, values 4", "4, values 8"))  # what it is compared with
        calls = len(self.calls())
        self.sweep("--memory", "75%", "--activation-bits", "8", program=["--bits", "4"])  # the command's own go with it
        self.assertEqual([c["bits"] for c in self.calls()[calls:]], ["4, values 8"])

    def test_bits_beside_floats(self):
        """Runs in floats are those of a sweep without --bits."""
        self.sweep("--memory", "75%")
        self.assertIn("1 of 2 runs are there already", self.sweep("--memory", "75%", "--bits", "none", "2,4,8:layer"))
        self.assertEqual([c["bits"] for c in self.calls()], ["", "2,4,8 per layer"])
        with open(os.path.join(self.out, "pareto_bytes.svg")) as file:
            self.assertIn("searched, bits none", file.read())

    def test_what_latency_is_counted_by(self):
        """A bound by another model than GAP8 is what the networks are compared by, the baseline too."""
        said = self.sweep("--memory", "75%", "--latency", "50%,25%", "--baselines", program=["--cost-model", "cortex-m"])
        self.assertIn("49.0 % of the latency", said)
        self.assertEqual(self.pictures(), ["pareto_bytes.svg", "pareto_latency.svg", "pareto_macs.svg"])
        self.assertIn("latency", self.results()["memory-75pc_latency-25pc_seed-0"]["fronts"])
        with open(os.path.join(self.out, "pareto_latency.svg")) as file:
            self.assertIn("1594.88 latency by cortex-m (us)", file.read())  # of the baseline network
        rows = self.page().findall(".//" + HTML + "table")[1].findall(HTML + "tr")
        self.assertEqual([cell.text for cell in rows[0]][3:6], ["bytes", "latency (us)", "MACs"])
        self.assertEqual(rows[-1][4].text, "1594.88 (100.0\u00a0%)")

    def test_latency_in_two_units_is_not_compared(self):
        self.sweep("--memory", "75%", "--latency", "50%,25%", "--baselines",
                   program=["--cost-model", "cortex-m", "--in-cycles", "25%"])
        self.assertEqual(self.pictures(), ["pareto_bytes.svg", "pareto_gap8_cycles.svg", "pareto_latency_cycles.svg",
                                           "pareto_latency_s.svg", "pareto_macs.svg"])
        for bound in ("25pc", "50pc"):  # each alone
            self.assertIn("latency", self.results()[f"memory-75pc_latency-{bound}_seed-0"]["fronts"])
        head = self.page().find(".//" + HTML + "table").findall(HTML + "tr")
        width = lambda row: sum(int(cell.get("colspan", 1)) for cell in row)
        self.assertEqual(width(head[0]), width(head[1]))
        with open(self.run_file("baseline_seed-0", "report.json")) as file:
            self.assertNotIn("latency", {bound["name"] for bound in json.load(file)["bounds"]})

    def test_a_picture_that_is_out_of_date_goes(self):
        self.sweep("--memory", "75%")
        open(os.path.join(self.out, "pareto_latency.svg"), "w").close()
        self.sweep("--memory", "75%,50%")
        self.assertEqual(self.pictures(), ["pareto_bytes.svg", "pareto_gap8_cycles.svg", "pareto_macs.svg"])

    def pictures(self):
        return sorted(name for name in os.listdir(self.out) if name.startswith("pareto_"))

    def test_done_runs_are_not_run_again(self):
        self.sweep("--memory", "75%,50%")
        self.assertEqual(len(self.calls()), 2)
        self.assertIn("2 of 2 runs are there already", self.sweep("--memory", "75%,50%"))
        self.assertEqual(len(self.calls()), 2)
        self.sweep("--memory", "25%,50%")  # a changed grid adds to what is there, and to the warm-up
        self.assertEqual([(c["memory"], c["warm"]) for c in self.calls()], [("75%", False), ("50%", True), ("25%", True)])
        self.assertEqual(len(self.results()), 3)

    def test_report_only(self):
        self.sweep("--memory", "75%")
        before = self.results()
        for name in ("report.html", "results.jsonl", "pareto_bytes.svg"):
            os.remove(os.path.join(self.out, name))
        subprocess.run([SWEEP, "--out", self.out, "--report-only"], check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(self.results(), before)
        self.page()
        self.assertEqual(len(self.calls()), 1)

    def test_another_command_is_refused(self):
        self.sweep("--memory", "75%")
        said = self.sweep("--memory", "50%,75%", program=["--epochs", "1,1,1"], status=2)
        self.assertIn("made by the same command", said)
        self.assertEqual(len(self.calls()), 1)
        # Another command for other bounds is fine, but is not compared with the first.
        self.sweep("--memory", "50%", program=["--epochs", "1,1,1"])
        self.assertEqual([c["warm"] for c in self.calls()], [False, False])
        self.assertEqual(len(self.page().findall(".//" + HTML + "section")), 2)
        self.assertTrue(os.path.exists(os.path.join(self.out, "pareto_bytes_2.svg")))

    def test_failing_and_broken_runs(self):
        options = ("--memory", "75%,50%,25%", "--seeds", "0,1")
        said = self.sweep(*options, program=["--fail-at", "75%", "--breaks", "25%"], status=2)
        self.assertIn("exit status 2", said)
        self.assertIn("program: expected a bound that can be kept, got <none> & more", said)
        results = self.results()
        self.assertEqual(sorted({r["memory"] for r in results.values()}), ["25%", "50%"])
        self.assertFalse(results["memory-25pc_latency-none_seed-0"]["feasible"])
        self.assertEqual(results["memory-25pc_latency-none_seed-0"]["fronts"], [])
        self.assertIn("runs/memory-75pc_latency-none_seed-0/log.txt", "".join(self.page().itertext()))
        # The warm-up is made by the first search that gets there.
        self.assertEqual([(c["memory"], c["warm"]) for c in self.calls() if c["seed"] == 1],
                         [("75%", False), ("50%", False), ("25%", True)])
        self.assertEqual(len(self.calls()), 6)
        self.sweep(*options, program=["--fail-at", "75%", "--breaks", "25%"], status=2)
        self.assertEqual(len(self.calls()), 8)  # only what failed is tried again
        self.sweep("--memory", "25%", "--seeds", "2", program=["--fail-at", "75%", "--breaks", "25%"], status=1)
        self.sweep("--memory", "25%", "--seeds", "2", program=["--fail-at", "75%", "--breaks", "25%"], status=1)

    def test_signals_are_passed_on(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            with self.subTest(number):
                self.out = self.path(f"out{int(number)}")
                waits = self.path(f"waits{int(number)}")
                os.mkdir(waits)
                options = ("--memory", "75%,50%", "--seeds", "0,1", "--jobs", "2")
                sweep = subprocess.Popen(self.words(*options, program=["--waits", waits]), stdout=subprocess.PIPE,
                                         universal_newlines=True, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
                while len(self.started(waits)) < 2:  # one of each seed: the others wait for the warm-up
                    self.assertIsNone(sweep.poll())
                    time.sleep(0.01)
                # Nobody else may work in this folder meanwhile.
                self.sweep("--memory", "75%", program=["--waits", waits], status=2)
                sweep.send_signal(number)
                said = sweep.communicate(timeout=60)[0]
                self.assertEqual(sweep.returncode, 128 + number)
                self.assertIn("0 of 4 runs are done; the same command goes on", said)
                for seed in (0, 1):
                    self.assertTrue(os.path.exists(self.run_file(f"memory-75pc_latency-none_seed-{seed}", "search.checkpoint")))
                    self.assertFalse(os.path.exists(self.run_file(f"memory-50pc_latency-none_seed-{seed}", "log.txt")))
                open(os.path.join(waits, "go"), "w").close()
                self.sweep(*options, program=["--waits", waits])
                self.assertEqual(len(self.results()), 4)

    def test_how_far_runs_are(self):
        for terminal in (False, True):
            with self.subTest(terminal=terminal):
                self.out = self.path(f"out{terminal}")
                waits = self.path(f"waits{terminal}")
                os.mkdir(waits)
                ours, theirs = pty.openpty() if terminal else os.pipe()
                sweep = subprocess.Popen(self.words("--memory", "75%", program=["--waits", waits]), stdout=theirs)
                os.close(theirs)
                said = ""
                while "search" not in said:
                    said += os.read(ours, 1 << 12).decode()
                self.assertIn(("\r" if terminal else "\n") + "    memory 75%, latency none, seed 0: search 3/8", said)
                sweep.terminate()
                try:
                    while more := os.read(ours, 1 << 12):
                        said += more.decode()
                except OSError:  # of a terminal that nobody has open any more
                    pass
                os.close(ours)
                sweep.wait(timeout=60)
                self.assertEqual(said.count("search 3/8"), 1)  # it has not changed
                self.assertNotIn("3/4", said)

    def test_what_the_caller_ignores_stays_ignored(self):
        waits = self.path("waits")
        os.mkdir(waits)
        sweep = subprocess.Popen(self.words("--memory", "75%", program=["--waits", waits]), stdout=subprocess.DEVNULL,
                                 preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))  # as nohup does
        while not self.started(waits):
            time.sleep(0.01)
        sweep.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertIsNone(sweep.poll())
        sweep.send_signal(signal.SIGTERM)
        self.assertEqual(sweep.wait(timeout=60), 128 + signal.SIGTERM)

    def test_a_killed_sweep_leaves_a_program_behind(self):
        waits = self.path("waits")
        os.mkdir(waits)
        sweep = subprocess.Popen(self.words("--memory", "75%", program=["--waits", waits]), stdout=subprocess.DEVNULL)
        while not self.started(waits):
            time.sleep(0.01)
        sweep.kill()
        sweep.wait()
        open(os.path.join(waits, "go"), "w").close()
        said = self.sweep("--memory", "75%", program=["--waits", waits], status=2)
        self.assertIn("a program that one has left running", said)
        os.kill(self.started(waits)[0], signal.SIGTERM)
        for _ in range(1000):
            if os.path.exists(self.run_file("memory-75pc_latency-none_seed-0", "search.checkpoint")):
                break
            time.sleep(0.01)
        time.sleep(0.2)
        self.sweep("--memory", "75%", program=["--waits", waits])
        self.assertEqual(len(self.results()), 1)

    def test_a_sweep_killed_before_its_first_file(self):
        """A folder with nothing in it but half of a command.json is ours; one with anything else is not."""
        folder = os.path.dirname(self.run_file("memory-75pc_latency-none_seed-0", ""))
        os.makedirs(folder)
        half = self.run_file("memory-75pc_latency-none_seed-0", f".siena-{socket.gethostname()}-1-0.tmp")
        with open(half, "w") as file:
            file.write("{")
        self.sweep("--memory", "75%")
        self.assertEqual(len(self.results()), 1)
        self.assertFalse(os.path.exists(half))
        os.makedirs(os.path.join(self.out, "runs", "memory-50pc_latency-none_seed-0"))
        open(self.run_file("memory-50pc_latency-none_seed-0", "mine.txt"), "w").close()
        self.assertIn("got one without command.json", self.sweep("--memory", "50%", status=2))

    def test_nobody_reads_on(self):
        """All runs are made, and drawn, though what the sweep says is read no further than its first line."""
        sweep = subprocess.Popen(self.words("--memory", "75%,50%"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        sweep.stdout.readline()
        sweep.stdout.close()
        self.assertEqual(sweep.wait(timeout=60), 0)
        self.assertEqual(len(self.results()), 2)
        self.page()

    def test_programs_do_not_inherit_what_the_sweep_ignores(self):
        if not os.path.exists("/proc/self/status"):
            self.skipTest("no system that says what a program ignores")
        words = [SWEEP, "--out", self.out, "--memory", "75%", "--", "bash", "-c", "grep SigIgn /proc/self/status"]
        subprocess.run(words, stdout=subprocess.DEVNULL, timeout=60)
        with open(self.run_file("memory-75pc_latency-none_seed-0", "log.txt")) as file:
            ignored = int([line for line in file if line.startswith("SigIgn")][0].split()[1], 16)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            self.assertFalse(ignored >> (number - 1) & 1, number)

    @staticmethod
    def started(waits):
        """The ids of the programs that wait."""
        file = os.path.join(waits, "started")
        if not os.path.exists(file):
            return []
        with open(file) as ids:
            return [int(line) for line in ids.read().split("\n")[:-1]]

    def test_jobs_share_the_cores(self):
        self.sweep("--memory", "75%,50%", "--jobs", "64")
        self.assertEqual({c["threads"] for c in self.calls()}, {"1"})
        self.sweep("--memory", "25%", "--jobs", "64", program=["--threads", "3"])
        self.assertEqual(self.calls()[-1]["threads"], "3")

    def test_method_and_files_of_the_command(self):
        self.sweep("--memory", "75%", "--baselines", program=["--method", "both", "--log", "{run}/epochs.jsonl"])
        self.assertEqual([c["method"] for c in self.calls()], ["both", "uniform", "baseline"])
        self.assertEqual(self.calls()[0]["log"], self.run_file("memory-75pc_latency-none_seed-0", "epochs.jsonl"))

    def test_other_metrics_and_missing_parts(self):
        self.sweep("--memory", "75%", "--baselines", program=["--metric", "auc"])
        self.assertEqual(self.results()["baseline_seed-0"]["metric"], "auc")
        self.sweep("--memory", "50%", program=["--metric", "auc", "--no-history"])
        self.assertFalse(os.path.exists(self.run_file("memory-50pc_latency-none_seed-0", "epochs.svg")))
        self.sweep("--memory", "25%", program=["--epochs", "0,1,0"])
        self.page()

    def test_broken_reports(self):
        self.sweep("--memory", "75%")
        for text in ("", "{", "[]", "{\"metric\": \"accuracy\"}", "{\"accuracy\": {}, \"costs\": 3}"):
            with open(self.run_file("memory-75pc_latency-none_seed-0", "report.json"), "w") as file:
                file.write(text)
            said = self.sweep("--memory", "75%,50%", status=2)
            self.assertIn("report.json", said)
            self.assertIn("remove the file to run it again", said)
            subprocess.run([SWEEP, "--out", self.out, "--report-only"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.assertIn("Not finished", "".join(self.page().itertext()))
        self.assertEqual(len(self.calls()), 1)

    def test_a_report_that_is_none(self):
        """One report that cannot be read takes nothing from the other runs."""
        said = self.sweep("--memory", "75%,50%", "--seeds", "0,1", program=["--lies", "75%"], status=2)
        self.assertEqual(said.count("bounds kept"), 2)
        self.assertEqual(sorted(self.results()), ["memory-50pc_latency-none_seed-0", "memory-50pc_latency-none_seed-1"])

    def test_bad_input(self):
        program = ["--", sys.executable, PROGRAM]
        out = ["--out", self.out]
        self.refuses(out + ["--memory", "50%"], "a program after --")
        self.refuses(out + ["--memory", "50%", "--", "./no_such_program"], "./no_such_program")
        self.refuses(out + ["--memory", "50%", "--", "no_such_program_anywhere"], "no_such_program_anywhere")
        self.refuses(out + ["--memory", "50%", "--", self.folder], "can be run")
        self.refuses(["--memory", "50%"] + program, "--out DIR")
        self.refuses(out + program, "expected bounds")
        for bad in ("50", "%", "-5%", "0%", "nan%", "inf%", "50%x", "much", ""):
            self.refuses(out + ["--memory", "25%," + bad if bad else "", *program], "--memory")
        self.refuses(out + ["--latency", "50KiB", *program], "--latency")
        self.refuses(out + ["--pairs", "50%", *program], "--pairs")
        for bad in ("1", "9", "4,2", "4,4", "4,", ",4", "x", "2,4:row", "4:channel", "2;4", ""):
            self.refuses(out + ["--memory", "50%", "--bits", bad, *program], "--bits")
        self.refuses(out + ["--memory", "50%", "--bits", "4", *program, "--bits-per=channel"], "--bits N,N:channel before -- alone")
        self.refuses(out + ["--memory", "50%", "--activation-bits", "4", *program, "--activation-bits", "8"], "before -- alone")
        self.refuses(out + ["--memory", "50%", "--activation-bits", "2,4:channel", *program], "--activation-bits")
        self.refuses(out + ["--memory", "50%", "--baselines", *program, "--activation-bits=2,4"], "each width alone")
        self.refuses(out + ["--memory", "50%", "--baselines", *program, "--bits", "2,4"], "each width alone")
        self.refuses(out + ["--memory", "50%", "--baselines", *program, "--bits=2,4"], "each width alone")
        self.refuses(out + ["--memory", "50%", *program, "--seed", "3"], "without --seed")
        self.refuses(out + ["--memory", "50%", *program, "--report=x.json"], "without --report")
        self.refuses(out + ["--memory", "50%", *program, "--onnx", "x.onnx"], "{run}/found.onnx")
        self.refuses(out + ["--memory", "50%", *program, "--html", "run.html"], "a file for each run with --html")
        for word in ("--dry-run", "--help", "--help=1"):
            self.refuses(out + ["--memory", "50%", *program, word], "a command that trains")
        self.refuses(out + ["--memory", "50%", *program, b"--words", b"caf\xe9"], "in UTF-8", "caf?")
        self.refuses(["--out", PROGRAM, "--memory", "50%", *program], "may be written", PROGRAM)
        self.refuses(["--out", self.path("nothing"), "--report-only"], "the folder of a sweep")
        self.refuses(out + ["--smoke", "--memory", "50%", *program], "--smoke alone")
        self.assertFalse(os.path.exists(self.out))
        for words in (["--seeds", "-1"], ["--seeds", "x"], ["--jobs", "0"], ["--unknown"], ["--smoke", "--report-only"]):
            done = subprocess.run([SWEEP, *out, "--memory", "50%", *words, *program], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE)
            self.assertGreaterEqual(done.returncode, 100, words)


if __name__ == "__main__":
    SWEEP = sys.argv.pop(1)
    unittest.main()
