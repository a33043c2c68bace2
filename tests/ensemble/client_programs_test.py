"""Runs the C++ programs of README.md: a lock that several processes want, an election that survives
kill -9 of the leading process and of the leading server, and a configuration that is followed."""

import pathlib
import queue
import subprocess
import threading

from harness import BIN, Client, Ensemble, run, until

PROCESSES = 5


class Program:
    """One process of a program, whose lines of output go to `lines` with its name."""

    def __init__(self, name, arguments, lines):
        self.name = name
        self.process = subprocess.Popen([BIN / arguments[0], *arguments[1:]], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, args=[lines], daemon=True)
        self.reader.start()

    def read(self, lines):
        for line in self.process.stdout:
            lines.put((self.name, line.rstrip("\n")))

    def kill(self):
        self.process.kill()
        self.process.wait()


async def next_line(lines):
    return await until(lambda: not lines.empty() and lines.get(), "a line of output")


async def lock(ensemble):
    observer = await Client.open(ensemble.leader())
    await observer.call("create", path="/jobs")
    await observer.call("watch", path="/jobs", scope="subtree", withData=True)
    lines = queue.Queue()
    programs = [Program(str(i), ["example_lock", ensemble.urls()], lines) for i in range(PROCESSES)]
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
    for program in programs:
        assert program.process.wait(timeout=30) == 0, program.process.stderr.read()
    assert [(await next_line(lines))[1] for _ in programs] == ["worked"] * PROCESSES
    await observer.close()


async def election(ensemble):
    lines = queue.Queue()
    programs = {}
    for name in ("one", "two", "three"):
        programs[name] = Program(name, ["example_election", name, ensemble.urls()], lines)
    try:
        first, line = await next_line(lines)
        assert line == f"{first} leads"

        programs.pop(first).kill()
        second, line = await next_line(lines)
        assert second in programs and line == f"{second} leads"

        ensemble.leader().kill()
        await until(ensemble.leader, "another leader of the servers")
        # Its session is resumed, so it goes on leading.
        client = await Client.open(ensemble.leader())
        candidates = await client.call("children", path="/leader", order="sequence", withData=True)
        assert [child["data"] for child in candidates["children"]][:1] == [second], candidates
        await client.close()
        assert lines.empty(), lines.get()

        programs.pop(second).kill()
        third, line = await next_line(lines)
        assert third in programs and line == f"{third} leads"
    finally:
        for program in programs.values():
            program.kill()


async def config(ensemble):
    lines = queue.Queue()
    program = Program("config", ["example_config", ensemble.urls()], lines)

    async def says(start):
        line = (await next_line(lines))[1]
        assert line.startswith(start), line

    try:
        await says("refused: /config does not exist")
        client = await Client.open(ensemble.leader())
        await client.call("create", path="/config", data='{"size":1}')
        await says('{"size":1}')
        await client.call("set", path="/config", data="no JSON")
        await says("refused: the data: ")
        await client.call("set", path="/config", data='{"size":2}')
        await says('{"size":2}')
        ensemble.leader().kill()
        await until(ensemble.leader, "another leader of the servers")
        client = await Client.open(ensemble.leader())
        await client.call("set", path="/config", data='{"size":3}')
        await says('{"size":3}')
        await client.close()
    finally:
        program.kill()


async def test():
    """the C++ programs of README.md work as it says"""
    async with Ensemble(3) as ensemble:
        await lock(ensemble)
        await election(ensemble)
    async with Ensemble(3) as ensemble:
        await config(ensemble)


run(test)
