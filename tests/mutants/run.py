#!/usr/bin/env python3
"""Builds broken copies of the program, and reports which seed or test notices each of them first.

usage: tools/dev mutants [--table] [--seeds COUNT] [NAME]...

Exits with 1 if a mutant is not noticed, or if a broken checker hides nothing. Also exits with 1 if
the unchanged program fails one of these seeds or tests, because then they prove nothing.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import mutate

BUILD = mutate.SOURCES / "build" / "mutants"
JOBS = os.environ.get("JOBS") or str(os.cpu_count())
MEMORY_MAX = 4 << 30  # bytes; a mutant in an endless loop must not exhaust the machine's memory


class Failed(Exception):
    """A build or a run failed for another reason than the mutant."""


@dataclass
class Found:
    seed: int  # -1: found by a test
    by: str

    def __str__(self):
        return f"{self.seed} by {self.by}" if self.seed >= 0 else f"noticed by {self.by}"


def build(combination, target):
    def must(*command):
        done = subprocess.run(command, cwd=mutate.SOURCES, capture_output=True, text=True)
        if done.returncode:
            output = done.stdout[-4000:] + done.stderr[-4000:]
            raise Failed(f"{combination}: {' '.join(command)}\n{output}")

    must("cmake", "--preset", "mutants", f"-DZABKEEPER_MUTANT={combination}")
    must("cmake", "--build", "--preset", "mutants", "--target", target, "-j", JOBS)


def failed_check(output):
    """The name of the checker that failed, or the condition of the failed `ensure`."""
    if broken := re.search(r"broken invariant: (.*)", output):
        return f"ensure: {broken[1]}"
    lines = output.splitlines()
    command = re.compile(r"tools/dev sim (--service )?--seed")
    last = next((i for i, line in enumerate(lines) if command.match(line)), 0)
    named = re.match(r"(\w+): ", lines[last - 1])
    return named[1] if named else "crash"


def run(program, *arguments):
    return subprocess.run(
        [BUILD / "bin" / program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX)),
    )


def run_test(program, *arguments):
    """Runs a unit test. Returns the test that noticed the mutant, or None."""
    done = run(program, *arguments)
    if re.search(r"test cases: +0 ", done.stdout):
        raise Failed(f"{program}: no test matches {' '.join(arguments)}")
    if done.returncode == 0:
        return None
    named = re.search(r"^TEST CASE: +(.*)", done.stdout, re.MULTILINE)
    return Found(-1, f"{program}: {named[1]}" if named else program)


def simulate(seeds, service):
    """Runs the simulator. Returns the first seed that notices, or None."""
    mode = ["--service"] if service else []
    done = run("zabsim", *mode, "--seeds", str(seeds), "--from", "0", "--jobs", JOBS)
    if done.returncode == 0:
        return None
    seed = re.search(r"^tools/dev sim (?:--service )?--seed (\d+)", done.stdout, re.MULTILINE)
    if not seed:
        raise Failed(f"zabsim: exit {done.returncode}\n{done.stdout[-4000:]}")
    # The output before the report may be of another failed seed, not of the least one.
    report = done.stdout[done.stdout.index("healed within") :]
    return Found(int(seed[1]), failed_check(report))


class Runs:
    """Builds and runs each combination of mutants once."""

    def __init__(self, seeds):
        self.seeds = seeds
        self.done = {}
        self.needed = {False: 0, True: 0}  # the number of seeds needed, by whether --service
        self.tests = []

    def __call__(self, combination):
        if combination not in self.done:
            began = time.monotonic()
            mutant = mutate.read(combination.split("+")[-1])
            build(combination, mutant.test[0] if mutant.test else "zabsim")
            built = time.monotonic()
            found = run_test(*mutant.test) if mutant.test else simulate(self.seeds, mutant.service)
            self.done[combination] = found
            needed = 0 if mutant.test or not found else found.seed + 1
            self.needed[mutant.service] = max(self.needed[mutant.service], needed)
            if mutant.test:
                self.tests.append(mutant.test)
            print(
                f"{combination}: built in {built - began:.0f} s, {found or 'survives'},"
                f" {time.monotonic() - built:.0f} s",
                file=sys.stderr,
                flush=True,
            )
        return self.done[combination]

    def failure_without_mutant(self):
        """Of the seeds and tests used, one that fails with the unchanged program; else None."""
        for service, seeds in self.needed.items():
            if seeds:
                build("", "zabsim")
                if found := simulate(seeds, service):
                    return f"seed {found}"
        for test in self.tests:
            build("", test[0])
            if found := run_test(*test):
                return str(found)
        return None


def hidden(mutant, runs):
    """The mutants that a broken checker no longer finds, as text; empty if there are none."""
    differences = []
    for other in mutant.hides:
        usual, blind = runs(other), runs(f"{mutant.name}+{other}")
        if usual is None:
            continue
        if blind is None:
            differences.append(f"hides {other}")
        elif blind.seed >= 10 * max(usual.seed, 10):
            differences.append(f"{other} is caught at {blind.seed} instead of {usual.seed}")
        elif blind.by != usual.by:
            differences.append(f"{other} is caught by {blind.by} instead of {usual.by}")
    return "; ".join(differences)


def row(name, runs):
    """(name, description, seed, checker or test that noticed the mutant, whether that is right)"""
    mutant = mutate.read(name)
    if mutant.impossible:
        return name, mutant.broken, "-", f"cannot be written: {mutant.impossible}", True
    if mutant.hides:
        difference = hidden(mutant, runs)
        return name, mutant.broken, "-", difference or "HIDES NOTHING", bool(difference)
    found = runs(name)
    if found is None:
        return name, mutant.broken, "-", "SURVIVES", False
    if mutant.test:
        return name, mutant.broken, "-", found.by, True
    return name, mutant.broken, str(found.seed), found.by, True


def print_plain(rows):
    width = max(len(r[1]) for r in rows)
    for name, broken, seed, by, _ in rows:
        print(f"{name:4} {broken:{width}} {seed:>6} {by}")


def print_table(rows):
    print("| | broken | seed | by |\n|---|---|---|---|")
    for name, broken, seed, by, _ in rows:
        if re.fullmatch(r"\w+", by):
            by = f"`{by}`"
        elif test := re.fullmatch(r"(\w+_tests): (.*)", by):
            by = f"`{test[1]}`: {test[2]}"
        elif by.startswith("ensure: "):
            by = "`ensure`: " + re.sub(r".*\((.*)\)$", r"\1", by)
        print(f"| {name} | {broken} | {seed} | {by} |")


def main():
    parser = argparse.ArgumentParser(prog="tools/dev mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--table", action="store_true", help="print a table for docs/")
    parser.add_argument(
        "--seeds", type=int, default=10_000, metavar="COUNT", help="how many seeds to try"
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="tests/mutants/NAME.mutant; default: all mutants"
    )
    arguments = parser.parse_args()

    began = time.monotonic()
    runs = Runs(arguments.seeds)
    try:
        rows = [row(name, runs) for name in arguments.names or mutate.names()]
        failure = runs.failure_without_mutant()
    except (Failed, mutate.DoesNotFit) as error:
        sys.exit(f"tools/dev mutants: {error}")
    (print_table if arguments.table else print_plain)(rows)
    if failure:
        sys.exit(f"tools/dev mutants: the unchanged program fails too: {failure}")
    bad = [r[0] for r in rows if not r[4]]
    print(
        f"{len(rows)} mutants in {time.monotonic() - began:.0f} s;"
        f" not noticed: {' '.join(bad) if bad else 'none'}",
        file=sys.stderr,
    )
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
