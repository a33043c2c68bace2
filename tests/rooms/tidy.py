#!/usr/bin/env python3
"""Runs clang-tidy, with the checks of .clang-tidy, on the sources that changed.

usage: tidy.py [--limit N] [FILE]...

Without FILE: the .cc files that differ from the merge base with origin/main, or from HEAD if there
is no origin/main. Staged, unstaged and new files are included. A file without findings is not
checked again until the file or .clang-tidy changes. A file takes 5 to 20 seconds of processor time:
with --limit, nothing is checked if more than N files are left.

Exit status 1 if there are findings. If clang-tidy or a build (tools/dev build) is missing, nothing is
checked: a line on standard error says so, and the exit status is 0.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLEAN = ROOT / "build" / "tidy"  # one empty file for each text that had no findings
# The database has g++'s warning options, and clang does not know some of them.
OPTIONS = ["-quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-error"]
JOBS = int(os.environ.get("JOBS") or os.cpu_count() or 1)


def git(*arguments):
    """The lines that git prints; none if it fails."""
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else []


def changed_files():
    base = git("merge-base", "HEAD", "origin/main") or ["HEAD"]
    changed = git("diff", "--name-only", "--diff-filter=d", base[0])
    return sorted({*changed, *git("ls-files", "--others", "--exclude-standard")})


def database():
    """(directory, the files it can compile) of a compile database, or None. That of a build has units of
    several files, so this one is configured as `release`, but with each file alone."""
    if not any((ROOT / "build" / preset / "build.ninja").exists() for preset in ("release", "dev")):
        return None
    directory = CLEAN / "database"
    subprocess.run(["cmake", "--preset", "release", "-B", directory, "-DZABKEEPER_UNITS=OFF"],
                   cwd=ROOT, check=True, capture_output=True)
    entries = json.loads((directory / "compile_commands.json").read_text())
    return directory, {entry["file"] for entry in entries}


def stamp(path):
    """A file that exists if `path`, with its present text, has no findings."""
    text = path.read_bytes() + (ROOT / ".clang-tidy").read_bytes()
    return CLEAN / hashlib.sha256(path.as_posix().encode() + b"\n" + text).hexdigest()


def choose(files, compiled, is_clean):
    """Those of `files` (below ROOT) that are compiled and not known to be clean."""
    paths = [ROOT / file for file in files if file.endswith(".cc")]
    return [path for path in paths if str(path) in compiled and not is_clean(path)]


def findings(directory, path):
    """The report of clang-tidy on one file; "" if there are no findings, which is remembered."""
    done = subprocess.run(["clang-tidy", *OPTIONS, "-p", directory, path], capture_output=True, text=True)
    if done.returncode == 0:
        CLEAN.mkdir(parents=True, exist_ok=True)
        stamp(path).touch()
        return ""
    return done.stdout or done.stderr


def nothing_checked(why):
    print(f"tidy: WARNING: clang-tidy checked nothing: {why}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, metavar="N", help="check nothing when more files are left")
    parser.add_argument("files", nargs="*", metavar="FILE", help="relative to the repository's root")
    arguments = parser.parse_args()

    if not shutil.which("clang-tidy"):
        return nothing_checked("clang-tidy is not installed")
    built = database()
    if not built:
        return nothing_checked("there is no build (tools/dev build)")
    directory, compiled = built
    paths = choose(arguments.files or changed_files(), compiled, lambda path: stamp(path).exists())
    if arguments.limit is not None and len(paths) > arguments.limit:
        return print(f"tidy: {len(paths)} files changed, too many for here: tools/dev tidy checks them")
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        reports = [report for report in pool.map(lambda path: findings(directory, path), paths) if report]
    if reports:
        sys.exit("\n".join(reports) + f"tidy: {len(reports)} of {len(paths)} files have findings")
    print(f"tidy: {len(paths)} changed files have no findings")


if __name__ == "__main__":
    main()
