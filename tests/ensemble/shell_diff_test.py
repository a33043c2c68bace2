"""Commands of the shell that compare trees, and that show which paths are busy."""

import asyncio
import base64
import contextlib
import json
import signal
import subprocess

from harness import BIN, TIMEOUT, Client, Ensemble, run, until
from shell_processes import Shell, Terminal

EXIT_DIFFERS, EXIT_USAGE, EXIT_NO_NODE, EXIT_NO_AUTH, EXIT_NO_SERVER = 1, 2, 3, 7, 8
EXIT_CLOSED_PIPE = 141


async def zab(server, *words, **options):
    """The result of a command. Meanwhile the sessions of this process go on."""
    return await asyncio.to_thread(
        subprocess.run, [BIN / "zab", "--server", getattr(server, "url", server), *words],
        capture_output=True, timeout=TIMEOUT, **options)


async def expect(server, words, code, output, errors=b""):
    done = await zab(server, *words)
    assert done.returncode == code and done.stdout.decode() == output, (words, done)
    assert errors in done.stderr and (errors or done.stderr == b""), (words, done)


async def create_all(client, nodes):
    nodes = list(nodes.items())
    for first in range(0, len(nodes), 500):
        await client.call("multi", ops=[{"op": "create", "path": path,
                                         "data64": base64.b64encode(data).decode()}
                                        for path, data in nodes[first:first + 500]])


def below(server, path):
    """A node of another ensemble."""
    return server.url.removesuffix("/v1") + path


async def subtrees(server, client):
    """diff prints how two subtrees of an ensemble differ"""
    await create_all(client, {"/a": b"", "/a/same": b"1", "/a/same/x": b"", "/a/ü b": b"v1",
                              "/a/gone": b"", "/a/gone/y": b"", "/a/bin": b"\xff" * 100})
    await create_all(client, {"/b": b"", "/b/same": b"1", "/b/same/x": b"", "/b/same!": b"",
                              "/b/ü b": b"v2", "/b/bin": b"\xff" * 99 + b"x"})
    await client.call("create", path="/a/kind", data="k", ephemeral=True)
    await client.call("create", path="/b/kind", data="k")
    await expect(server, ("diff", "/a", "/a"), 0, "")
    await expect(server, ("diff", "/a", "/b"), EXIT_DIFFERS,
                 "~ bin: 100 bytes -> 100 bytes, from byte 99 on\n- gone\n- gone/y\n"
                 "~ kind: ephemeral -> persistent\n+ same!\n~ ü b: \"v1\" -> \"v2\"\n")
    done = await zab(server, "--json", "diff", "/a", "/b")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["change"] for line in lines] == \
        ["changed", "removed", "removed", "changed", "added", "changed"], lines
    assert lines[0] == {"path": "bin", "change": "changed", "byte": 99,
                        "a": {"kind": "persistent", "bytes": 100},
                        "b": {"kind": "persistent", "bytes": 100}}, lines
    assert lines[4] == {"path": "same!", "change": "added",
                        "b": {"kind": "persistent", "bytes": 0}}, lines
    for words in (("/a", "/none"), ("/none", "/a")):
        await expect(server, ("diff", *words), EXIT_NO_NODE, "", b"/none: no such node")
    # Each tree is read only once, however much the other one differs.
    await create_all(client, {"/few": b"", "/many": b"", **{f"/many/{i:05}": b"" for i in range(3000)}})
    done = await zab(server, "diff", "/few", "/many")
    assert done.returncode == EXIT_DIFFERS and done.stdout.count(b"\n+ ") == 2999, done.stdout[:200]
    script = f'"$0" --server {server.url} diff /few /many | head -1; exit ${{PIPESTATUS[0]}}'
    done = await asyncio.to_thread(subprocess.run, ["bash", "-c", script, BIN / "zab"],
                                   capture_output=True, timeout=TIMEOUT)
    assert (done.returncode, done.stdout, done.stderr) in (
        (EXIT_CLOSED_PIPE, b"+ 00000\n", b""), (EXIT_DIFFERS, b"+ 00000\n", b"")), done
    # A node that is unreadable in one tree is not compared.
    nobody = [{"scheme": "digest", "id": "kim:" + "A" * 27 + "=", "perms": "cdrwa"}]
    await client.call("setAcl", path="/b/same", acl=nobody)
    await expect(server, ("diff", "/a/same", "/a/same"), 0, "")
    done = await zab(server, "diff", "/a", "/b")
    assert done.returncode == EXIT_NO_AUTH and b"/b/same: not allowed" in done.stderr, done
    assert b"same/x" not in done.stdout and b"+ same!\n" in done.stdout, done


async def two_ensembles(server, client, other, other_client):
    """diff compares the trees of two ensembles"""
    tree = {"/two": b"", **{f"/two/{i:04}": b"data" for i in range(2500)}, "/two/0007/x": b"1"}
    await create_all(client, tree)
    await create_all(other_client, tree)
    await expect(server, ("diff", "/two", below(other, "/two")), 0, "")
    await other_client.call("set", path="/two/0007/x", data="2")
    await other_client.call("delete", path="/two/2499")
    expected = '~ 0007/x: "1" -> "2"\n- 2499\n'
    await expect(server, ("diff", "/two", below(other, "/two")), EXIT_DIFFERS, expected)
    # Both trees may be in other ensembles.
    await expect("ws://127.0.0.1:1", ("diff", below(server, "/two"), below(other, "/two")),
                 EXIT_DIFFERS, expected)
    await expect(server, ("diff", "/two", below(other, "/none")), EXIT_NO_NODE, "",
                 below(other, "/none: no such node").encode())
    await expect(server, ("--timeout-ms", "300", "diff", "/two", "ws://127.0.0.1:1/two"),
                 EXIT_NO_SERVER, "", b"NotReady")
    await expect(server, ("diff", "/two", "ws://127.0.0.1:port/two"), EXIT_USAGE, "", b"ws://HOST:PORT/PATH")


async def busy_paths(server, client):
    """top prints the paths with the most events"""
    await create_all(client, {"/top": b"", "/top/a b": b"", "/top/q": b""})
    shell = Shell(server, "--json", "top", "--interval", "0.2", "/top")
    await shell.warns("watching /top")
    for i in range(20):
        await client.call("set", path="/top/a b", data=str(i))
    for _ in range(5):
        made = await client.call("create", path="/top/q/job-", sequential=True)
        await client.call("delete", path=made["path"])

    def reports():
        return [json.loads(line) for line in list(shell.out)]

    await until(lambda: sum(report["events"] for report in reports()) == 30, "30 events are reported")
    shell.process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(shell.process.wait, TIMEOUT) == 0
    totals = {}
    for report in reports():
        assert report["complete"] and report["ms"] >= 200, report
        for line in report["paths"]:
            total = totals.setdefault(line.pop("path"), dict.fromkeys(line, 0))
            for field in line:
                total[field] += line[field]
    assert totals == {"/top/a b": {"events": 20, "created": 0, "changed": 20, "deleted": 0},
                      "/top/q/job-*": {"events": 10, "created": 5, "changed": 0, "deleted": 5}}, totals
    done = await zab(server, "top", "--count", "2", "--interval", "0.01", "/top")
    assert done.returncode == 0 and done.stdout.count(b"/top: 0 events in 0.0") == 2, done
    assert done.stdout.endswith(b"\nEVENTS  CREATED  CHANGED  DELETED  PATH\n"), done
    await expect("ws://127.0.0.1:1", ("--timeout-ms", "300", "top", "/"), EXIT_NO_SERVER, "", b"NotReady")


async def top_in_a_terminal(server, client):
    """top paints a terminal again and again, and ends with Ctrl-C"""
    terminal = Terminal(server, "top", "--interval", "0.1", "-d", "1", "/top", size=(24, 80), TERM="xterm")
    await asyncio.to_thread(terminal.wait_for, rb"watching /top")
    changes = asyncio.create_task(change_all_the_time(client, "/top/q"))
    await asyncio.to_thread(terminal.wait_for, rb"\x1b\[H\x1b\[2J/top: \d+ events? in 0\.\d+ s\r\n"
                                               rb"EVENTS [^\x1b]* /top/q\r\n")
    changes.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await changes
    terminal.process.send_signal(signal.SIGINT)
    code, _ = await asyncio.to_thread(terminal.end)
    assert code == 0, code


async def change_all_the_time(client, path):
    while True:
        await client.call("set", path=path, data="x")


async def test():
    """the shell compares two trees, and shows which paths are busy"""
    async with Ensemble(1) as ensemble, Ensemble(1) as other_ensemble:
        server, other = ensemble.servers[0], other_ensemble.servers[0]
        client, other_client = await Client.open(server), await Client.open(other)
        await subtrees(server, client)
        await two_ensembles(server, client, other, other_client)
        await busy_paths(server, client)
        await top_in_a_terminal(server, client)


run(test)
