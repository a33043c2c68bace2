"""`zab watch -- CMD`: a command for each event, in order, over lost connections and sessions."""

import json
import os
import pathlib
import signal
import tempfile

from harness import Client, Ensemble, run, until
from shell_processes import Cable, Shell

EXIT_OTHER, EXIT_USAGE, EXIT_NOT_FOUND = 1, 2, 127
PRINT = ("sh", "-c", 'cat; test "$ZABKEEPER_EVENT"')


def events_of(shell):
    return [json.loads(line) for line in shell.out if line.startswith("{")]


async def watching(server, *words, **options):
    shell = Shell(server, *words, **options)
    await shell.warns("watching")
    return shell


async def killed_server():
    """every event comes once and in order, also if the watch's server is killed"""
    async with Ensemble(3) as ensemble:
        client = await Client.open(ensemble.leader())
        await client.call("create", path="/k")
        server = ensemble.followers()[0]
        shell = await watching(server, "watch", "--recursive", "/k", "--", *PRINT)
        for i in range(60):
            await client.call("create", path=f"/k/n{i:02}", data=str(i))
            if i == 20:
                await until(lambda: len(events_of(shell)) > 5, "some events")
                server.kill()
        await until(lambda: len(events_of(shell)) >= 60, "all events")
        shell.process.send_signal(signal.SIGINT)
        assert await shell.end() == 0, shell.err
        events = events_of(shell)
        assert [event["path"] for event in events] == [f"/k/n{i:02}" for i in range(60)], events
        assert [event["data"] for event in events] == [str(i) for i in range(60)], events
        assert {event["event"] for event in events} == {"created"}


async def lost_session(server, client):
    """no event is missed if the session ends meanwhile, and none comes twice"""
    await client.call("create", path="/s")
    async with Cable(server) as cable:
        with_program = await watching(cable, "--timeout-ms", "1000", "watch", "--recursive", "/s", "--", *PRINT)
        lines = await watching(cable, "--timeout-ms", "1000", "watch", "--recursive", "/s")
        # The last transaction before the loss has several events.
        await client.call("multi", ops=[{"op": "create", "path": f"/s/{i}"} for i in range(3)])
        await lines.says("/s/2")
        await with_program.says("/s/2")
        cable.is_cut = True
        await lines.warns("have ended with it")
        await with_program.warns("have ended with it")
        for i in range(3, 6):
            await client.call("create", path=f"/s/{i}")
        cable.is_cut = False
        await lines.says("/s/5")
        await with_program.says("/s/5")
        assert lines.out == [f"created /s/{i}" for i in range(6)], lines.out
        assert [event["path"] for event in events_of(with_program)] == [f"/s/{i}" for i in range(6)]
        for shell in (lines, with_program):
            shell.kill()


async def environment(server, client):
    """CMD has the event in its environment; --from begins in the past; a gap is an event too"""
    created = (await client.call("create", path="/e", data="1"))["stat"]["czxid"]
    changed = (await client.call("set", path="/e", data="2"))["stat"]["mzxid"]
    show = ("sh", "-c", 'echo "$ZABKEEPER_EVENT $ZABKEEPER_EVENT_PATH $ZABKEEPER_EVENT_ZXID"')
    shell = Shell(server, "watch", "--count", "2", "--from", "0" * 16, "/e", "--", *show)
    assert await shell.end() == 0
    assert shell.out == [f"created /e {created}", f"changed /e {changed}"], shell.out
    shell = Shell(server, "watch", "--count", "1", "--from", created, "/e")
    assert await shell.end() == 0 and shell.out == ["changed /e 2"], shell.out
    await client.call("create", path="/e/many")
    for first in range(0, 10_500, 500):
        await client.call("multi", ops=[{"op": "create", "path": f"/e/many/{i}"}
                                        for i in range(first, first + 500)])
    shell = Shell(server, "watch", "--once", "--from", created, "/e", "--", *show)
    assert await shell.end() == 0 and shell.out[0].startswith("resync /e "), shell.out


async def failures(server, client):
    """a command that fails is reported, and only --exit-on-error ends the watch"""
    await client.call("create", path="/f", data="0")
    command = ("sh", "-c", 'echo "$ZABKEEPER_EVENT_ZXID"; exit 5')
    shell = await watching(server, "watch", "--count", "2", "/f", "--", *command)
    strict = await watching(server, "watch", "--exit-on-error", "/f", "--", *command)
    for data in "12":
        await client.call("set", path="/f", data=data)
    assert await shell.end() == 0 and len(shell.out) == 2, shell.out
    reports = [line for line in shell.err if "exit code 5 for changed /f" in line]
    assert len(reports) == 2 and shell.out[0] in reports[0] and shell.out[1] in reports[1], shell.err
    assert await strict.end() == 5 and len(strict.out) == 1, (strict.out, strict.err)
    shell = Shell(server, "watch", "/f", "--", "no-such-program")
    assert await shell.end() == EXIT_NOT_FOUND and "watching" not in shell.err[0], shell.err
    for words, reason in ((("--parallel",), "need -- CMD"), (("--exit-on-error",), "need -- CMD"),
                          (("--from", "12"), "16 hex digits"), (("--recursive", "--scope", "node"), "excludes")):
        shell = Shell(server, "watch", *words, "/f")
        assert await shell.end() == EXIT_USAGE and reason in shell.err[0], shell.err


async def one_at_a_time(server, client):
    """commands overlap only with --parallel"""
    await client.call("create", path="/o", data="0")
    with tempfile.TemporaryDirectory() as directory:
        gate = pathlib.Path(directory) / "gate"
        os.mkfifo(gate)
        command = ("sh", "-c", 'echo begin; read x < "$0"; echo end', str(gate))
        single = await watching(server, "watch", "/o", "--", *command)
        several = await watching(server, "watch", "--parallel", "--count", "3", "/o", "--", *command)
        for data in "123":
            await client.call("set", path="/o", data=data)
        await until(lambda: several.out == ["begin"] * 3, "three run at a time")
        assert single.out == ["begin"], single.out
        # Opens both ends, so that no open waits. A signal lets the running command end.
        single.process.send_signal(signal.SIGTERM)
        assert await single.end() == 128 + signal.SIGTERM and single.out == ["begin"], single.out
        end = os.open(gate, os.O_RDWR)
        os.write(end, b"go\n" * 3)
        assert await several.end() == 0 and several.out == ["begin"] * 3 + ["end"] * 3, several.out
        os.close(end)


def resident(process):
    """Bytes of memory."""
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) << 10


async def too_slow(server, client):
    """a command that is far too slow ends the watch, which says where to go on"""
    await client.call("create", path="/t", data="")
    with tempfile.TemporaryDirectory() as directory:
        gate = pathlib.Path(directory) / "gate"
        os.mkfifo(gate)
        command = ("sh", "-c", 'read x < "$0"; cat > /dev/null; echo "$ZABKEEPER_EVENT_ZXID"', str(gate))
        shell = await watching(server, "watch", "/t", "--", *command)
        zxids = [(await client.call("set", path="/t", data=chr(65 + i % 26) * 1_000_000))["zxid"]
                 for i in range(80)]
        await until(lambda: resident(shell.process) > 70 << 20, "the events wait")
        end = os.open(gate, os.O_RDWR)
        os.write(end, b"go\n" * 100)
        assert await shell.end() == EXIT_OTHER, shell.err
        os.close(end)
    assert 64 < len(shell.out) < 80 and shell.out == zxids[:len(shell.out)], shell.out
    assert f"go on with --from {zxids[len(shell.out) - 2]}" in shell.err[-2], shell.err
    assert "more than 64 MiB of events wait (Overloaded)" in shell.err[-1], shell.err


async def test():
    """`zab watch` runs a command for each event, one after the other, and misses none"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        await failures(server, client)
        await one_at_a_time(server, client)
        await lost_session(server, client)
        await environment(server, client)
        await too_slow(server, client)
    await killed_server()


run(test)
