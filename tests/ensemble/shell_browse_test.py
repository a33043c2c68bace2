"""Commands of the shell that look through a tree: what they print and how they end, for trees that
are wide, deep, full of unusual names and data, or change meanwhile."""

import asyncio
import base64
import json
import os
import random
import signal
import subprocess

from harness import BIN, TIMEOUT, Client, Ensemble, run
from shell_processes import Terminal

EXIT_NO_MATCH, EXIT_USAGE, EXIT_NO_NODE, EXIT_NO_AUTH, EXIT_NO_SERVER = 1, 2, 3, 7, 8
EXIT_CLOSED_PIPE = 141


async def zab(server, *words, **options):
    """The result of a command. Meanwhile the sessions of this process go on."""
    return await asyncio.to_thread(
        subprocess.run, [BIN / "zab", "--server", getattr(server, "url", server), *words],
        capture_output=True, timeout=TIMEOUT, **options)


async def output_of(server, *words, code=0, errors=b""):
    done = await zab(server, *words)
    assert done.returncode == code and errors in done.stderr, (words, done)
    assert done.stderr == b"" or errors, (words, done)
    return done.stdout.decode()


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


async def create_all(client, nodes):
    """`nodes` are (path, data) with parents before their children; data are bytes."""
    ops, size = [], 0
    for path, data in nodes:
        ops.append({"op": "create", "path": path, "data64": base64.b64encode(data).decode()})
        size += 100 + len(path) + len(data)
        if size > 60_000:
            await client.call("multi", ops=ops)
            ops, size = [], 0
    if ops:
        await client.call("multi", ops=ops)


def in_walk_order(paths):
    return sorted(paths, key=lambda path: [name.encode() for name in path.split("/")])


def random_tree(root, count, seed):
    """Paths below a root, with names that sort next to `/`, and some nodes with several pages of
    children."""
    choice = random.Random(seed)
    paths, parents = {root}, [root]
    wide = [f"{root}/wide{i}" for i in range(3)]
    paths.update(wide)
    while len(paths) < count:
        parent = choice.choice(wide) if choice.random() < 0.8 else choice.choice(parents)
        name = "".join(choice.choice("ab !.-0éö日") for _ in range(choice.randint(1, 6)))
        if name in (".", "..") or parent.count("/") > 20:
            continue
        paths.add(f"{parent}/{name}")
        parents.append(f"{parent}/{name}")
    return in_walk_order(paths)


async def order_of_a_walk(server, client):
    """find visits each node once, a parent before its children, children in byte order"""
    paths = random_tree("/random", 6_000, seed=16)
    await create_all(client, ((path, b"") for path in paths))
    assert (await output_of(server, "find", "/random")).splitlines() == paths
    assert (await output_of(server, "find", "-0", "/random")).split("\0")[:-1] == paths
    assert (await output_of(server, "ls", "-R", "/random")).splitlines() == paths[1:]
    assert json.loads(await output_of(server, "--json", "ls", "-R", "/random")) == {"paths": paths[1:]}
    listed = json_lines(await output_of(server, "--json", "find", "/random"))
    assert [node["path"] for node in listed] == paths
    assert all(len(node["stat"]["czxid"]) == 16 for node in listed)
    shallow = [path for path in paths if path.count("/") <= 3]
    assert (await output_of(server, "find", "-d", "2", "/random")).splitlines() == shallow
    assert (await output_of(server, "find", "--depth", "0", "/random")) == "/random\n"
    # Replies that end early, because the data are large.
    large = [f"/large/{i:03}" for i in range(60)] + ["/large/007/x", "/large/059/x"]
    await create_all(client, [("/large", b"")] + [(path, b"l" * 60_000) for path in large])
    found = await output_of(server, "find", "--contains", "ll", "/large")
    assert found.splitlines() == in_walk_order(large)
    # More data than a walk keeps in memory: it reads them again when it comes back.
    heavy = [f"/heavy{'/02' * level}/{i:02}" for level in range(24) for i in range(20)]
    await create_all(client, [("/heavy", b"")] + [(path, b"h" * 60_000) for path in heavy])
    found = await output_of(server, "find", "--contains", "hh", "/heavy")
    assert found.splitlines() == in_walk_order(heavy)
    # As deep as a path can be.
    deep = ["/deep" + "/d" * i for i in range(127)]
    await create_all(client, ((path, b"") for path in deep))
    assert (await output_of(server, "find", "/deep")).splitlines() == deep


async def tests_of_find(server, client):
    """find prints the nodes for which all tests hold"""
    await create_all(client, [("/find", b""), ("/find/job-1", b"12345"), ("/find/job-2", b"x" * 2048),
                              ("/find/two words", b""), ("/find/grün", b"\xff\0binary"),
                              ("/find/job-1/job-3", b"12345")])
    await client.call("create", path="/find/mine", ephemeral=True)
    for words, expected in (
            (("--name", "job-*"), ["/find/job-1", "/find/job-1/job-3", "/find/job-2"]),
            (("--name", "* *"), ["/find/two words"]), (("--name", "gr?n"), ["/find/grün"]),
            (("--owner", "ephemeral"), ["/find/mine"]), (("--owner", client.session), ["/find/mine"]),
            (("--owner", "0x99"), []), (("--size", "5"), ["/find/job-1", "/find/job-1/job-3"]),
            (("--size", "+1k"), ["/find/job-2"]), (("--size", "-5", "--name", "g*"), []),
            (("--contains", "bin"), ["/find/grün"]), (("--older", "1h"), []),
            (("--newer", "1h", "--name", "job-2"), ["/find/job-2"])):
        assert (await output_of(server, "find", *words, "/find")).splitlines() == expected, words
    assert await output_of(server, "find", "/find/none", code=EXIT_NO_NODE, errors=b"no such node") == ""
    error = json_lines(await output_of(server, "--json", "find", "/find/none", code=EXIT_NO_NODE,
                                       errors=b"no such node"))
    assert error[0]["error"] == "NoNode" and len(error[0]["zxid"]) == 16, error


async def lines_of_grep(server, client):
    """grep prints the lines that match, and says by its exit code whether there are any"""
    await create_all(client, [("/grep", b"root Timeout\n"), ("/grep/a b", b"one\ntimeout=0\r\n\nlast"),
                              ("/grep/bin", b"\0\xfftimeout\n"), ("/grep/empty", b""),
                              ("/grep/grün", "GRÜN (x)\n".encode())])
    for words, expected in (
            (("timeout",), "/grep/a b:timeout=0\r\n/grep/bin: binary data match\n"),
            (("-i", "timeout"), "/grep:root Timeout\n/grep/a b:timeout=0\r\n"
                                "/grep/bin: binary data match\n"),
            (("-n", "-E", "^(last|one)$"), "/grep/a b:1:one\n/grep/a b:4:last\n"),
            (("-n", "-E", "^$"), "/grep/a b:3:\n"), (("-i", "grün (X)"), "/grep/grün:GRÜN (x)\n"),
            (("-l", "o"), "/grep\n/grep/a b\n/grep/bin\n"), (("-l", "-0", "last"), "/grep/a b\0")):
        done = await zab(server, "grep", *words, "/grep")
        assert (done.returncode, done.stdout.decode(), done.stderr) == (0, expected, b""), (words, done)
    listed = json_lines(await output_of(server, "--json", "grep", "time", "/grep"))
    assert listed == [{"path": "/grep/a b", "line": 2, "text": "timeout=0\r"},
                      {"path": "/grep/bin", "binary": True}], listed
    assert json_lines(await output_of(server, "--json", "grep", "-l", "las", "/grep")) == [{"path": "/grep/a b"}]
    assert await output_of(server, "grep", "nothing", "/grep", code=EXIT_NO_MATCH) == ""
    await output_of(server, "grep", "x", "/none", code=EXIT_NO_NODE, errors=b"no such node")
    await output_of(server, "grep", "-E", "(", "/grep", code=EXIT_USAGE, errors=b"PATTERN")


async def nodes_that_may_not_be_read(server, client):
    """a node that may not be read is left out with a remark, and the exit code says so"""
    nobody = [{"scheme": "digest", "id": "kim:" + "A" * 27 + "=", "perms": "cdrwa"}]
    await create_all(client, [("/acl", b""), ("/acl/open", b"text"), ("/acl/secret", b"text"),
                              ("/acl/secret/inner", b"text"), ("/acl/z", b"text")])
    await client.call("setAcl", path="/acl/secret", acl=nobody)
    for words, expected in (
            (("find", "/acl"), "/acl\n/acl/open\n/acl/secret\n/acl/z\n"),
            (("find", "--size", "4", "/acl"), "/acl/open\n/acl/z\n"),
            (("ls", "-R", "/acl"), "/acl/open\n/acl/secret\n/acl/z\n"),
            (("tree", "/acl"), "/acl\n├── open\n├── secret\n└── z\n3 nodes below\n"),
            (("grep", "text", "/acl"), "/acl/open:text\n/acl/z:text\n"),
            (("grep", "nothing", "/acl"), ""),
            (("--json", "find", "--name", "secret", "/acl"), '{"path":"/acl/secret"}\n')):
        shown = await output_of(server, *words, code=EXIT_NO_AUTH,
                                errors=b"/acl/secret: not allowed (NoAuth); what is below it is left out")
        assert shown == expected, (words, shown)
    await output_of(server, "find", "/acl/secret", code=EXIT_NO_AUTH, errors=b"not allowed")


async def usage(server, client):
    """du adds up the data and nodes of subtrees"""
    await create_all(client, [("/du", b"1"), ("/du/a b", b"12345"), ("/du/a b/x", b"1"), ("/du/c", b"")]
                     + [(f"/du/c/{i:04}", b"77") for i in range(1200)])
    assert await output_of(server, "du", "/du") == (
        "BYTES  NODES  PATH\n 2400   1201  /du/c\n    6      2  /du/a b\n 2407   1204  /du (total)\n")
    assert await output_of(server, "du", "-d", "0", "/du") == \
        "BYTES  NODES  PATH\n 2407   1204  /du (total)\n"
    rows = json_lines(await output_of(server, "--json", "du", "-d", "2", "-n", "3", "/du",
                                      errors=b"1200 smaller subtrees not shown"))
    assert [row["path"] for row in rows] == ["/du/c", "/du/a b", "/du/c/0000", "/du"], rows
    assert rows[-1] == {"path": "/du", "bytes": 2407, "nodes": 1204}, rows
    assert await output_of(server, "--output", "raw", "du", "-d", "0", "/du") == "2407\t1204\t/du\n"
    await output_of(server, "du", "/none", code=EXIT_NO_NODE, errors=b"no such node")


async def data_of_a_node(server):
    """get prints text as it is, binary data in a terminal in hex digits, and JSON indented"""
    binary = b"\x1b[31m\0\xff"
    await zab(server, "set", "--create", "/data", "-", input=binary)
    dump = (b"00000000  1b 5b 33 31 6d 00 ff                              |.[31m..|\r\n"
            b"00000007\r\n")
    assert await asyncio.to_thread(Terminal(server, "cat", "/data").end) == (0, dump)
    assert await asyncio.to_thread(Terminal(server, "get", "--raw", "/data").end) == (0, binary)
    code, shown = await asyncio.to_thread(Terminal(server, "get", "-s", "/data").end)
    assert code == 0 and shown.startswith(dump) and b"dataLength" in shown, shown
    for words in (("get",), ("cat",), ("get", "--raw")):
        assert (await zab(server, *words, "/data")).stdout == binary
    # In a script, --raw adds no newline.
    assert (await zab(server, input=b"cat --raw /data\nget --raw /data\n")).stdout == 2 * binary
    await output_of(server, "get", "--pretty", "/data", code=1, errors=b"/data: the data are not JSON")
    await zab(server, "set", "/data", '{"b":[1.50,"\u00e9"],"a":{}}')
    assert await output_of(server, "get", "--pretty", "/data") == \
        '{\n  "b": [\n    1.50,\n    "\u00e9"\n  ],\n  "a": {}\n}\n'
    assert await output_of(server, "cat", "/data") == '{"b":[1.50,"\u00e9"],"a":{}}'


async def ends(server):
    """these commands end quietly after the reader of their output, and with exit code 8 without a server"""
    for words in ("find /random", "grep -E '^|x' /large", "tree -s /random"):
        script = f'"$0" --server {server.url} {words} | head -c 1; exit ${{PIPESTATUS[0]}}'
        done = await asyncio.to_thread(subprocess.run, ["bash", "-c", script, BIN / "zab"],
                                       capture_output=True, timeout=TIMEOUT)
        assert (done.returncode, done.stderr) == (EXIT_CLOSED_PIPE, b""), (words, done)
    for words in (("find", "/"), ("grep", "x", "/"), ("tree", "/"), ("du", "/")):
        await output_of("ws://127.0.0.1:1", "--timeout-ms", "300", *words, code=EXIT_NO_SERVER,
                        errors=b"NotReady")


async def interrupted_in_a_shell(server):
    """Ctrl-C ends the command, but not the interactive shell"""
    shell = Terminal(server)
    await asyncio.to_thread(shell.wait_for, rb"> ")
    os.write(shell.pty, b"find /random\n")
    # The output has no room for all paths, so the command waits.
    await asyncio.to_thread(shell.wait_for, rb"\n/random/")
    shell.process.send_signal(signal.SIGINT)
    await asyncio.to_thread(shell.wait_for, rb"interrupted\r\n")
    os.write(shell.pty, b"du -d 0 /deep\nquit\n")
    await asyncio.to_thread(shell.wait_for, rb"127  /deep \(total\)")
    code, _ = await asyncio.to_thread(shell.end)
    assert code == 0, code


async def typed_in_any_script(server):
    """the interactive shell reads and completes what is typed in any script, also if the locale is C"""
    await zab(server, "create", "-p", "/st\u00e4dte/k\u00f6ln", "\u20ac")
    shell = Terminal(server, LC_ALL="C")
    await asyncio.to_thread(shell.wait_for, rb"> ")
    os.write(shell.pty, "set /st\u00e4dte '\u00fc\U0001f600'\n".encode())
    os.write(shell.pty, "get /st\u00e4dte\n".encode())
    await asyncio.to_thread(shell.wait_for, "\n\u00fc\U0001f600\r(?s:.)*> ".encode())
    os.write(shell.pty, "get /st\u00e4dte/k\u00f6\t\n".encode())
    await asyncio.to_thread(shell.wait_for, "\n\u20ac\r".encode())
    os.write(shell.pty, b"quit\n")
    code, _ = await asyncio.to_thread(shell.end)
    assert code == 0, code


async def trees(server, client):
    """tree has a limit of depth, and shows sizes and numbers of children"""
    await create_all(client, [("/tree", b""), ("/tree/a", b"12345"), ("/tree/a/b", b"1"),
                              ("/tree/a/b/c", b""), ("/tree/z", b"")])
    await client.call("create", path="/tree/e", data="me", ephemeral=True)
    assert await output_of(server, "tree", "-d", "1", "/tree") == \
        "/tree\n├── a\n├── e (ephemeral)\n└── z\n3 nodes below\n"
    assert await output_of(server, "tree", "-s", "--depth", "2", "/tree") == (
        "/tree (0 bytes, 3 children)\n├── a (5 bytes, 1 child)\n│   └── b (1 byte, 1 child)\n"
        "├── e (ephemeral, 2 bytes)\n└── z (0 bytes)\n4 nodes below, 8 bytes of data\n")


async def test():
    """the shell finds nodes and lines of data in wide, deep and unreadable trees"""
    async with Ensemble(1, maxDataBytes=65536, maxReplyBytes=1 << 20) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        await order_of_a_walk(server, client)
        await tests_of_find(server, client)
        await lines_of_grep(server, client)
        await nodes_that_may_not_be_read(server, client)
        await trees(server, client)
        await usage(server, client)
        await data_of_a_node(server)
        await interrupted_in_a_shell(server)
        await typed_in_any_script(server)
        await ends(server)


run(test)
