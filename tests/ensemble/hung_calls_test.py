"""A name server or a disk that hangs does not stop a server, nor its links to the others."""

import os
import pathlib
import signal
import subprocess
import tempfile

from harness import BIN, TIMEOUT, Ensemble, run, until
from single import Single


def preload(hung):
    return {"LD_PRELOAD": str(BIN / "libhung_calls.so"), "ZABKEEPER_HUNG": str(hung)}


def rename(ensemble, server, name):
    """All servers know `server` by this name."""
    for each in ensemble.servers:
        text = each.config.read_text()
        each.config.write_text(text.replace(f"server.{server.id}=127.0.0.1:", f"server.{server.id}={name}:"))


def linked(server, other):
    return next(peer for peer in server.status()["peers"] if peer["id"] == other.id)["connected"]


async def test_links_come_back(here):
    """servers link again while name servers hang, by the addresses of the last answer"""
    hung = here / "hung"
    async with Ensemble(3, start=False) as ensemble:
        first, second, _ = ensemble.servers
        rename(ensemble, first, "first.test")
        for server in ensemble.servers:
            server.environment = preload(hung)
            server.start()
        await ensemble.all_ready()

        hung.touch()
        second.signal(signal.SIGSTOP)
        await until(lambda: not linked(first, second), "the link is lost")
        second.signal(signal.SIGCONT)
        await until(lambda: linked(first, second) and second.ready(), "the link is back, and the server serves")
        assert first.http("/health/live")[0] == 200


async def test_other_names(here):
    """a name that name servers do not answer delays neither the links to other servers nor a stop"""
    async with Ensemble(3, start=False) as ensemble:
        absent, second, third = ensemble.servers
        rename(ensemble, absent, "never.test")
        rename(ensemble, second, "second.test")
        (ensemble.directory / f"{absent.id}.log").touch()
        for server in (second, third):
            server.environment = preload(here / "none")
            server.start()
        for server in (second, third):
            await until(server.ready, "it serves")
        await until(lambda: "never.test cannot be resolved: no name server answers" in third.log(), "the log says so")
        assert third.terminate() == 0 and second.terminate() == 0


async def test_disk(here):
    """a server whose disk hangs answers what does not need the disk"""
    hung = here / "hung"
    with Single(here, environment={**os.environ, **preload(hung)}) as server:
        await server.ready()
        free = server.metric("zabkeeper_disk_free_bytes")
        assert free > 0
        hung.touch()
        for page in ("/health/live", "/health/ready", "/status"):
            server.get(page)
        assert server.metric("zabkeeper_disk_free_bytes") > 0
        server.signal(signal.SIGTERM)
        assert server.ended() == 0


async def test_first_process(here):
    """the first process of a container ends at SIGTERM while it still starts"""
    hung = here / "hung"
    hung.touch()
    lines = [f"--server.{n}=first.test:{n}" for n in (1, 2, 3)]
    outer = subprocess.Popen(["unshare", "--pid", "--fork", BIN / "zabkeeper", *lines, "--myid=1", "--webPort=0",
                              f"--dataDir={here / 'data'}"], stdout=subprocess.DEVNULL,
                             env={**os.environ, **preload(hung)})
    children = pathlib.Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    first = int(await until(children.read_text, "it was started"))
    await until(lambda: (here / "data/lock").exists(), "it starts")
    try:
        os.kill(first, signal.SIGTERM)
        assert outer.wait(timeout=TIMEOUT) == 128 + signal.SIGTERM
    finally:
        if outer.poll() is None:
            os.kill(first, signal.SIGKILL)


for test in (test_links_come_back, test_other_names, test_disk, test_first_process):
    if test is test_first_process and os.geteuid() != 0:
        print("skipped, because only root can do it:", test.__doc__)
        continue
    with tempfile.TemporaryDirectory(prefix="zabkeeper-") as directory:
        run(test, pathlib.Path(directory))
