"""Runs the README's program with a lock in several processes. Each writes while it has the lock, and then
gives the lock to the next one."""

import os
import pathlib
import re
import subprocess
import sys

from harness import Client, Ensemble, run

PAGE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"]) / "README.md"
PROCESSES = 5


def program(url):
    text = re.search(r"### A lock\n.*?```python\n(.*?)```", PAGE.read_text(), re.S)[1]
    assert "ws://127.0.0.1:2180/v1" in text
    return text.replace("ws://127.0.0.1:2180/v1", url)


async def test():
    """the README's lock: one process works at a time"""
    async with Ensemble(3) as ensemble:
        observer = await Client.open(ensemble.leader())
        await observer.call("create", path="/jobs")
        await observer.call("watch", path="/jobs", scope="subtree", withData=True)
        processes = [
            subprocess.Popen([sys.executable, "-c", program(ensemble.servers[i % 3].url)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for i in range(PROCESSES)]
        finished, held = [], None
        while len(finished) < PROCESSES:
            event = await observer.event()
            if event["path"] == "/jobs/done":
                assert held is None, "two processes have the lock"
                held = event["data"]
            elif event["event"] == "deleted":
                assert event["path"] == held, (event, held)
                finished.append(held)
                held = None
        assert finished == sorted(finished), "the lock is fair"
        for process in processes:
            output, errors = process.communicate(timeout=30)
            assert (process.returncode, output) == (0, "worked\n"), errors
        await observer.close()


run(test)
