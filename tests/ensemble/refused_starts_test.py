"""Messages for an operator when a server cannot start: the problem, and what to do."""

import asyncio
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import types
import urllib.request

from harness import BIN, TIMEOUT, Client, free_ports, until

NOBODY = 65534

# In the file of a checkpoint: before a label of version 1, which has 53 bytes, its length and its key.
BEFORE_LABEL = bytes.fromhex("3500 0000 0000 0100 00")
# A label of the same length, as a later program would write it: version, level, program; a checksum.
LATER_LABEL = bytes.fromhex("05 09000000 0f000000") + b"zabkeeper 0.4.0" + bytes(21) + bytes.fromhex("050189e20b12e55f")


def start(*arguments, before=None, program=BIN / "zabkeeper"):
    """(exit code, output)"""
    ended = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT, preexec_fn=before)
    return ended.returncode, ended.stdout


def serve(*arguments, before=None):
    """(process, output) of a server that must start; the caller stops it."""
    process = subprocess.Popen([BIN / "zabkeeper", *map(str, arguments)], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, preexec_fn=before)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "clients connect to" in line:
            return process, "".join(lines)
    raise AssertionError(f"it did not start: {''.join(lines)}")


def stop(process):
    process.terminate()
    assert process.wait(timeout=TIMEOUT) == 0


async def open_session(output):
    url = re.search(r"clients connect to (\S+)", output)[1]
    client = await Client.open(types.SimpleNamespace(url=url))
    await client.drop()


async def at_level_0(output):
    """The server raises its level by itself, and an operator lowers it: then its labels are of version 1."""
    url = re.search(r"clients connect to ws(://[^/]+)", output)[1]

    def status():
        with urllib.request.urlopen(f"http{url}/status", timeout=TIMEOUT) as answer:
            return json.load(answer)

    await until(lambda: status()["level"] > 0, "the new server is at a greater level")
    subprocess.run([BIN / "zab", "--server", f"ws{url}", "cluster", "level", "0"], check=True,
                   stdout=subprocess.DEVNULL)
    await until(lambda: status()["diskLevel"] == 0, "nothing of a greater level is on the disk")


def make_later(checkpoint):
    """The checkpoint gets the label of a later version."""
    data = checkpoint.read_bytes()
    label = re.compile(re.escape(BEFORE_LABEL) + b"\x01.{52}", re.DOTALL)
    data, count = label.subn(BEFORE_LABEL + LATER_LABEL, data)
    assert count > 0
    checkpoint.write_bytes(data)


def contents(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def as_nobody():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setuid(NOBODY)


def few_files(soft, hard):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def check(code, *words, of):
    assert of[0] == code, of
    for word in words:
        assert word in of[1], f"{word!r} is not in: {of[1]}"


def test_later_version(data, alone):
    """A checkpoint of a later version is not damage: nothing is renamed, removed or made."""
    running, output = serve(*alone, "--upgrade=manual", "--dataDir", data)
    asyncio.run(open_session(output))
    asyncio.run(at_level_0(output))
    stop(running)
    make_later(data / "checkpoint")
    before = contents(data)
    check(3, f"{data}/checkpoint: written by zabkeeper 0.4.0 at level 9 (label version 5)", "this program reads",
          "Start a program that can run at level 9", "Nothing was changed", "This is zabkeeper ",
          of=start(*alone, "--dataDir", data))
    assert contents(data) == before


def test(here):
    alone = ["--webPort", "0", "--webAddress", "127.0.0.1"]
    test_later_version(here / "later", alone)

    # Directories.
    (here / "file").write_text("")
    check(3, "dataDir=", "is not a directory", "choose another", of=start(*alone, "--dataDir", here / "file"))
    check(3, "dataLogDir=", "is not a directory",
          of=start(*alone, "--dataDir", here / "d", "--dataLogDir", here / "file/below"))
    (here / "closed").mkdir()
    (here / "closed").chmod(0o500)
    here.chmod(0o755)
    for_all = pathlib.Path(shutil.copy(BIN / "zabkeeper", here))  # in a place where any user may run it
    for directory in ("closed", "closed/new"):
        check(3, "dataDir=", "Permission denied", "give it to user",
              of=start(*alone, "--dataDir", here / directory, before=as_nobody, program=for_all))
    running, _ = serve(*alone, "--dataDir", here / "new/deep/one")
    check(3, "in use by another process", "stop that one", "dataDir=",
          of=start(*alone, "--dataDir", here / "new/deep/one"))
    stop(running)
    (here / "zookeeper/version-2").mkdir(parents=True)
    (here / "zookeeper/version-2/log.1").write_text("theirs")
    running, output = serve(*alone, "--dataDir", here / "zookeeper")
    assert "Apache ZooKeeper" in output and "neither reads nor changes it" in output, output
    stop(running)
    assert (here / "zookeeper/version-2/log.1").read_text() == "theirs"

    # Ports and addresses.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        check(3, f"port {port}", "in use", "webPort=", of=start("--dataDir", here / "d", "--webPort", port))
        ports = free_ports(2)
        lines = [f"--server.{n}=127.0.0.1:{p}" for n, p in ((1, port), (2, ports[0]), (3, ports[1]))]
        check(3, f"127.0.0.1:{port} (server.1)", "in use", "running already",
              of=start(*alone, *lines, "--myid", 1, "--dataDir", here / "peer"))
    check(3, "no address 192.0.2.1", "webAddress=", of=start("--webPort", 0, "--webAddress", "192.0.2.1",
                                                            "--dataDir", here / "d"))
    strange = ["--server.1=192.0.2.1:2888", *lines[1:]]
    check(3, "no such address", "myid", of=start(*alone, *strange, "--myid", 1, "--dataDir", here / "strange"))

    # The server's identity.
    check(2, "the number of this server (one of 1, 2, 3) is not set", "myid",
          of=start(*alone, *lines, "--dataDir", here / "nobody"))
    (here / "two").mkdir()
    (here / "two/myid").write_text("2\n")
    check(2, "myid=3, but", "says 2", of=start(*alone, *lines, "--myid", 3, "--dataDir", here / "two"))
    (here / "two/myid").write_text("9\n")
    check(2, "this is server 9", "1, 2, 3 only", of=start(*alone, *lines, "--dataDir", here / "two"))
    check(3, "belongs to server 1", "this is server 2", "Nothing was changed",
          of=start(*alone, *lines, "--myid", 2, "--dataDir", here / "peer"))

    # Memory: what the largest messages need must fit.
    check(2, "maxDataBytes=1048576", "of the 64 MiB", "(memoryLimitBytes)", "lower maxDataBytes, or set",
          of=start(*alone, "--dataDir", here / "d", "--memoryLimitBytes", 64 << 20))

    # Open files: the limit is raised to the hard limit, which must exceed the server's own needs.
    check(3, "may open only 40 files", "64", "ulimit -n", "LimitNOFILE",
          of=start(*alone, "--dataDir", here / "d", before=few_files(40, 40)))
    running, output = serve(*alone, "--dataDir", here / "d", "--maxCnxns", 500, before=few_files(100, 2000))
    assert "open files: raised from 100 to 2000\n" in output, output
    stop(running)
    running, output = serve(*alone, "--dataDir", here / "d", "--maxCnxns", 2000, before=few_files(2000, 2000))
    assert "open files: 2000, too few for maxCnxns=2000" in output and "LimitNOFILE" in output, output
    stop(running)


with tempfile.TemporaryDirectory(prefix="zabkeeper-") as directory:
    test(pathlib.Path(directory))
print("passed: a refused start reports the reason, and what to do")
