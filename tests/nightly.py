#!/usr/bin/env python3
"""Runs the checks that take too long for every change, one after another, and prints a table.

usage: tools/dev nightly [--minutes N] [--soak-minutes N] [--greedy-minutes N] [--only STEP]...
                         [MUTANT]...

Steps: sanitize (unit tests with all checks of UBSan), tsan (the server's and client's tests under
ThreadSanitizer), fuzz (every fuzzer for --minutes), mutants (all, or those named), upgrade (the
tests of upgrades, with mixed ensembles for a minute each, and under faults), package (the client
library in projects of users), crowds (of greedy clients), soak (for --soak-minutes), greedy (greedy
clients, for --greedy-minutes). Each step writes its output to build/nightly/STEP.log. Exit status 1
if any step fails.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / "build" / "nightly"
STEPS = ("sanitize", "tsan", "fuzz", "mutants", "upgrade", "crowds", "package", "soak", "greedy")
MIXED_SECONDS = 60  # for which servers of two programs are one ensemble


class Step(NamedTuple):
    name: str
    arguments: list  # of tools/dev
    environment: dict = {}  # besides that of this process


class Result(NamedTuple):
    name: str
    passed: bool
    seconds: float
    last_line: str


def steps(only, minutes, soak_minutes, greedy_minutes, mutants):
    fuzzers = sorted(path.stem for path in (ROOT / "tests/fuzz").glob("*.cc"))
    everything = [
        Step("sanitize", ["sanitize"]),
        Step("tsan", ["tsan"]),
        *(Step(f"fuzz-{fuzzer}", ["fuzz", fuzzer, f"-max_total_time={round(minutes * 60)}"]) for fuzzer in fuzzers),
        Step("mutants", ["mutants", *mutants]),
        Step("upgrade-previous", ["previous"]),
        Step("upgrade", ["test", "^ensemble/upgrade"], {"ZABKEEPER_MIXED_SECONDS": str(MIXED_SECONDS)}),
        Step("package", ["test", "^package/"]),
        Step("crowds", ["test", "^ensemble/(budgets|greedy|places|crowds)"], {"ZABKEEPER_BYSTANDER": "strict"}),
        Step("soak", ["soak", "--seconds", str(round(soak_minutes * 60))]),
        Step("greedy", ["greedy-soak", "--seconds", str(round(greedy_minutes * 60))]),
    ]
    return [step for step in everything if step.name.split("-")[0] in (only or STEPS)]


def run(step):
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{step.name}.log"
    print(f"nightly: {step.name} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    with open(log, "w") as output:
        done = subprocess.run([ROOT / "tools/dev", *step.arguments], stdout=output, stderr=subprocess.STDOUT,
                              env={**os.environ, **step.environment})
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return Result(step.name, done.returncode == 0, time.monotonic() - began, lines[-1] if lines else "")


def table(results):
    """One line for each result, with the last line of its output as a summary."""
    width = max(len(result.name) for result in results)
    for result in results:
        verdict = "pass" if result.passed else "FAIL"
        yield f"{result.name:{width}}  {verdict}  {result.seconds:6.0f} s  {result.last_line.strip()[:80]}"


def main():
    parser = argparse.ArgumentParser(prog="tools/dev nightly", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5, metavar="N", help="for each fuzzer (5)")
    parser.add_argument("--soak-minutes", type=float, default=30, metavar="N", help="for the soak (30)")
    parser.add_argument("--greedy-minutes", type=float, default=10, metavar="N", help="for greedy clients (10)")
    parser.add_argument("--only", action="append", choices=STEPS, help="may be repeated; all steps without it")
    parser.add_argument("mutants", nargs="*", metavar="MUTANT", help="all mutants without it")
    arguments = parser.parse_args()

    chosen = steps(arguments.only, arguments.minutes, arguments.soak_minutes, arguments.greedy_minutes,
                   arguments.mutants)
    results = [run(step) for step in chosen]
    print(*table(results), sep="\n")
    failed = [result.name for result in results if not result.passed]
    if failed:
        sys.exit(f"nightly: failed: {', '.join(failed)}; output in {LOGS.relative_to(ROOT)}/")


if __name__ == "__main__":
    main()
