"""A tool whose output is lost, or whose input cannot be read, says so and fails."""

import os
import pathlib
import resource
import subprocess
import tempfile

from harness import BIN, TIMEOUT

SOURCE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"])
EXIT_VIOLATIONS, EXIT_HISTORY, EXIT_BENCH = 1, 2, 1


def run(program, *words, before=None, closed=False, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    command = [BIN / program, *map(str, words)]
    if closed:
        command = ["bash", "-c", 'exec "$@" >&-', "-", *command]
    return subprocess.run(command, stderr=subprocess.PIPE, timeout=TIMEOUT, preexec_fn=before, **options)


def no_growth():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def fails(code, program, *words):
    """Its output cannot be written in any of three ways."""
    with open("/dev/full", "wb") as full, tempfile.TemporaryFile() as limited:
        for done, reason in ((run(program, *words, stdout=full), b"No space left on device"),
                             (run(program, *words, closed=True), b"Bad file descriptor"),
                             (run(program, *words, stdout=limited, before=no_growth), b"File too large")):
            assert done.returncode == code, (program, words, done)
            assert done.stderr.startswith(program.encode() + b": cannot write to standard output: "), done
            assert reason in done.stderr, done


def test_output(here):
    """a tool whose output cannot be written says so and fails"""
    (here / "empty").touch()
    fails(EXIT_HISTORY, "zab-history", here / "empty")
    fails(EXIT_HISTORY, "zab-history", "--help")
    fails(EXIT_BENCH, "bench", "--help")
    assert run("zab-history", here / "empty", stdout=subprocess.PIPE).returncode == 0


def test_figures(here):
    """bench fails if its figures cannot be written"""
    words = ("--only=R1", "--rounds=1", "--seconds=0.1", "--json")
    with open("/dev/full", "wb") as full:
        done = run("bench", *words, stdout=full, cwd=here)
    assert done.returncode == EXIT_BENCH and b"cannot write to standard output" in done.stderr, done


def test_input(here):
    """zab-history fails if a history cannot be read to its end"""
    folder = os.open(here, os.O_RDONLY)
    try:
        for words, stdin in ((here, subprocess.DEVNULL), ("-", folder)):
            done = run("zab-history", words, stdin=stdin, stdout=subprocess.PIPE)
            assert done.returncode == EXIT_HISTORY and done.stdout == b"", done
            assert b"cannot read the file to its end: Is a directory" in done.stderr, done
    finally:
        os.close(folder)


def test_terminal(here):
    """zab-history prints nothing of a history or of a name that could harm a terminal"""
    history = (SOURCE / "tests/history/good.jsonl").read_text().replace("/h/x", r"/h/x\u001b[32m\n\u202e")
    evil = here / "\x1b[31m\u202e"
    evil.write_text(history.replace('"data":"x2"', '"data":"wrong"'))
    done = run("zab-history", evil, stdout=subprocess.PIPE)
    assert done.returncode == EXIT_VIOLATIONS, done
    violations = done.stdout
    assert rb"\x1b[31m\u{202e}: " in violations and rb"/h/x\x1b[32m \u{202e}" in violations, done
    evil.write_bytes(b'{"caf\xe9"}')
    done = run("zab-history", evil, stdout=subprocess.PIPE)
    assert done.returncode == EXIT_HISTORY and rb"\x1b[31m\u{202e}: line 1: " in done.stderr, done
    for out in (violations, done.stderr):
        assert b"\x1b" not in out and "\u202e".encode() not in out and b"\xe9" not in out, out


def test_simulator(here):
    """the simulator ends with words if there is no memory left"""
    ends = []
    for mebibytes in range(14, 40, 2):
        def little(limit=mebibytes << 20):
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        done = run("zabsim", "--seed=1", "--service", stdout=subprocess.DEVNULL, before=little)
        ends.append((done.returncode, done.stderr))
    no_memory = [end for end in ends if b"zabsim: there is no memory left for this process" in end[1]]
    assert no_memory and all(code == 2 for code, _ in no_memory), ends
    assert all(code in (0, 2, 127) for code, _ in ends), ends  # 127: the system cannot load it


for test in (test_output, test_figures, test_input, test_terminal, test_simulator):
    with tempfile.TemporaryDirectory(prefix="zabkeeper-") as made:
        test(pathlib.Path(made))
    print("passed:", test.__doc__)
