"""What the shell does if something is wrong: output that cannot be written, pages of other programs,
trees that change while they are listed, trees too large for one request, and bytes that harm a
terminal."""

import asyncio
import contextlib
import http.server
import json
import os
import re
import resource
import signal
import subprocess
import tempfile
import threading

import websockets

from harness import BIN, TIMEOUT, Client, Ensemble, run
from shell_processes import Terminal

EXIT_OTHER, EXIT_USAGE, EXIT_NO_SERVER, EXIT_OUTPUT = 1, 2, 8, 11
EXIT_INTERRUPTED, EXIT_CLOSED_PIPE = 130, 141


def zab(server, *words, **options):
    """The result of a command; output and errors are bytes."""
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([BIN / "zab", "--server", getattr(server, "url", server), *words],
                          stderr=subprocess.PIPE, timeout=TIMEOUT, **options)


async def in_thread(function, *arguments, **options):
    """The result of a blocking call. Meanwhile servers and sessions of this process go on."""
    return await asyncio.to_thread(function, *arguments, **options)


async def create_children(client, path, count):
    await client.call("create", path=path)
    for first in range(0, count, 1000):
        await client.call("multi", ops=[{"op": "create", "path": f"{path}/n{i:07}"}
                                        for i in range(first, min(first + 1000, count))])


def no_growth():
    """For a process: no file may grow (ulimit -f)."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


async def output_that_cannot_be_written(server):
    """a full disk or a closed output is an error of every command"""
    zab(server, "create", "/full", "some data")
    commands = [("ls", "/"), ("ls", "-l", "/"), ("ls", "-R", "/"), ("tree", "/"), ("get", "/full"),
                ("stat", "/full"), ("count", "/"), ("whoami",), ("ping",), ("status",), ("metrics",),
                ("create", "/full/a"), ("help",), ("--version",), ("cluster", "level"),
                ("--json", "ls", "/"), ("--json", "sync"), ("--json", "set", "/full", "x"),
                ("--json", "status"), ("--json", "get", "/none")]
    for words in commands:
        with open("/dev/full", "wb") as full:
            done = zab(server, *words, stdout=full)
        assert done.returncode == EXIT_OUTPUT, (words, done)
        assert b"No space left on device" in done.stderr, (words, done)
        done = subprocess.run(["bash", "-c", 'exec "$@" >&-', "-", BIN / "zab", "--server", server.url,
                               *words], stderr=subprocess.PIPE, timeout=TIMEOUT)
        assert done.returncode == EXIT_OUTPUT or words[:1] == ("create",), (words, done)
        assert b"standard output" in done.stderr or words[:1] == ("create",), (words, done)
        with tempfile.TemporaryFile() as limited:
            done = zab(server, *words, stdout=limited, preexec_fn=no_growth)
        assert done.returncode == EXIT_OUTPUT or words[:1] == ("create",), (words, done)
        assert b"File too large" in done.stderr or words[:1] == ("create",), (words, done)
    # A script stops at the first command whose output is lost.
    with open("/dev/full", "wb") as full:
        done = zab(server, stdout=full, input=b"get /full\ncreate /full/after\n")
    assert done.returncode == EXIT_OUTPUT, done
    assert zab(server, "stat", "/full/after").returncode == 3
    # Nothing is written, so nothing is lost.
    with open("/dev/full", "wb") as full:
        assert zab(server, "set", "/full", "y", stdout=full).returncode == 0


async def closed_pipe(server, client):
    """a pipe whose reader has gone ends a command quietly"""
    await create_children(client, "/many", 30_000)
    for words in ("ls /many", "ls -R /many", "tree /many", "--json ls /many", "ls -l /many"):
        script = f'"$0" --server {server.url} {words} | head -1; exit ${{PIPESTATUS[0]}}'
        done = await in_thread(subprocess.run, ["bash", "-c", script, BIN / "zab"], capture_output=True,
                               timeout=TIMEOUT)
        expected = (0, EXIT_CLOSED_PIPE) if "json" in words else (EXIT_CLOSED_PIPE,)
        assert done.returncode in expected and done.stderr == b"", (words, done)
        assert done.stdout.count(b"\n") == 1, (words, done.stdout[:200])


async def exact_bytes(server):
    """data pass through a pipe byte for byte"""
    for data in (b"v1", b"", b"line\n", b"two\nlines\n\n", bytes(range(256)), b"\x1b[31m\r"):
        assert zab(server, "set", "--create", "/exact", "-", input=data).returncode == 0
        for _ in range(2):
            read = zab(server, "get", "/exact")
            assert read.stdout == data, (read.stdout, data)
            assert zab(server, "set", "/exact", "-", input=read.stdout).returncode == 0
    zab(server, "set", "/exact", "kept")
    # Each result of a script is a line.
    assert zab(server, input=b"get /exact\nget /exact\n").stdout == b"kept\nkept\n"
    # Input that cannot be read is an error, and not empty data.
    unreadable = os.open("/", os.O_RDONLY)
    done = zab(server, "set", "/exact", "-", stdin=unreadable)
    assert done.returncode == EXIT_OTHER and b"cannot read standard input" in done.stderr, done
    done = zab(server, stdin=unreadable)
    assert done.returncode == EXIT_OTHER and b"cannot read standard input" in done.stderr, done
    os.close(unreadable)
    done = subprocess.run(["bash", "-c", 'exec "$0" --server "$1" set /exact - <&-', BIN / "zab",
                           server.url], capture_output=True, timeout=TIMEOUT)
    assert done.returncode == EXIT_OTHER and b"cannot read standard input" in done.stderr, done
    assert zab(server, "get", "/exact").stdout == b"kept"


async def what_can_never_succeed(server):
    """a request that no server accepts is refused at once, with a definite error"""
    path = b"/caf\xe9"
    for words in ((b"get", path), (b"ls", path), (b"stat", path), (b"count", path), (b"tree", path),
                  (b"set", path, b"x"), (b"create", path), (b"delete", path), (b"delete", b"-r", path),
                  (b"watch", path), (b"ephemerals", path)):
        done = zab(server, *words)
        assert done.returncode == EXIT_USAGE and b"UTF-8" in done.stderr, (words, done)
        assert b"may or may not" not in done.stderr, (words, done)
    done = zab(server, b"--auth", b"digest:jos\xe9:secret", b"whoami")
    assert done.returncode == EXIT_USAGE and b"UTF-8" in done.stderr, done
    zab(server, "create", "/large", "kept")
    for mib in (2, 4, 10, 40):
        for words in (("set", "/large", "-"), ("create", "/large/new", "-")):
            done = zab(server, *words, input=b"\xff" * (mib << 20))
            assert done.returncode == EXIT_OTHER and b"TooLarge" in done.stderr, (mib, done)
    assert zab(server, "get", "/large").stdout == b"kept"
    assert zab(server, "stat", "/large/new").returncode == 3
    # A request that no server gets was certainly not carried out.
    for words, script in (((), b"create /late x\n"), (("create", "/late", "x"), None)):
        done = zab("ws://127.0.0.1:1", "--timeout-ms", "500", *words, input=script)
        assert done.returncode == EXIT_NO_SERVER and b"NotReady" in done.stderr, done
        assert b"may or may not" not in done.stderr, done


def serve_page(status, body, posted=None):
    """A server that replies this to every request; to a POST it replies `posted`, if that is given."""
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply(status, body)

        def do_POST(self):
            self.reply(*(posted or (status, body)))

        def reply(self, code, text):
            self.send_response(code)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


async def pages_of_others(server):
    """status and metrics say what is wrong with a page that is not a server's"""
    misdirected = json.dumps({"error": "MisdirectedRequest", "message": "unknown Host header: x"})
    for status, body, words in (
            (421, misdirected.encode(), b"HTTP 421: unknown Host header: x"),
            (500, b"<html>\nout of order", b"HTTP 500: <html>"), (503, b"", b"HTTP 503"),
            (500, b'{"role":"leader","id":1}', b"HTTP 500"),
            (200, b"<h1>welcome</h1>", b"not the page of a Zabkeeper server"),
            (200, b'{"up":true}', b"not the page of a Zabkeeper server"),
            (200, b'{"role":"leader"}', b"not the page of a Zabkeeper server"),
            (200, b'{"role":"king","id":1,"epoch":1}', b"not the page of a Zabkeeper server"),
            (200, b'{"role":"leader","id":"1","epoch":1}', b"not the page of a Zabkeeper server"),
            (200, b"\xff\xfe", b"not the page of a Zabkeeper server")):
        page = serve_page(status, body)
        url = f"ws://127.0.0.1:{page.server_port}"
        for command in (("status",), ("cluster", "level")):
            done = zab(url, *command)
            assert done.returncode == EXIT_NO_SERVER and words in done.stdout, (command, done)
            done = zab(url, "--json", *command)
            assert done.returncode == EXIT_NO_SERVER, done
            assert words.decode() in json.loads(done.stdout)[0]["error"], done
        done = zab(url, "metrics")
        assert done.returncode == EXIT_NO_SERVER and done.stdout == b"" and words in done.stderr, done
        done = zab(url, "handover")
        assert done.returncode == EXIT_NO_SERVER and words in done.stderr, done
        # The other servers are shown.
        done = zab(f"{url},{server.url}", "status")
        assert done.returncode == 0 and b"standalone" in done.stdout and words in done.stdout, done
        page.shutdown()
        page.server_close()
    # A leader whose reply lacks the fields of a result.
    status = {"role": "leader", "id": 1, "epoch": 1}
    not_done, done_words = b"not the page of a Zabkeeper server", (b"server 2 leads", b"at level 2")
    for status_code, result, words in ((200, {"up": True}, not_done), (200, {"leader": "2", "level": None}, not_done),
                                       (500, {"up": True}, b"HTTP 500"),
                                       (200, {"leader": 2, "epoch": 4, "level": 2}, done_words)):
        page = serve_page(200, json.dumps(status).encode(), posted=(status_code, json.dumps(result).encode()))
        url = f"ws://127.0.0.1:{page.server_port}"
        for number, command in enumerate((("handover",), ("cluster", "level", "2"))):
            done = zab(url, *command)
            if words is done_words:
                assert done.returncode == 0 and words[number] in done.stdout, (command, done)
                continue
            assert done.returncode == EXIT_OTHER and done.stdout == b"" and words in done.stderr, (command, done)
            done = zab(url, "--json", *command)
            error = json.loads(done.stdout)
            assert done.returncode == EXIT_OTHER and words.decode() in error["message"], (command, done)
        page.shutdown()
        page.server_close()
    # The zone of an IPv6 address is the one part of a name that may have any bytes.
    for words in ((b"status",), (b"cluster", b"level"), (b"metrics",), (b"handover",), (b"ls", b"/")):
        for json_or_text in ((b"--json",), ()):
            done = zab(b"ws://[fe80::1%\xe9]:1", b"--timeout-ms", b"500", *json_or_text, *words)
            assert done.returncode == EXIT_NO_SERVER and done.stderr, (words, done)
            if json_or_text and words != (b"metrics",):
                json.loads(done.stdout.decode())
    done = zab(b"ws://caf\xe9:1", b"--json", b"status")
    assert done.returncode == EXIT_USAGE and done.stderr, done


STAT = {"czxid": "0" * 16, "mzxid": "0" * 16, "pzxid": "0" * 16, "ctime": 0, "mtime": 0,
        "version": 0, "cversion": 0, "aversion": 0, "ephemeralOwner": "0" * 16, "dataLength": 0,
        "numChildren": 0}


async def moving_tree():
    """ls -R and tree go on when a node is deleted meanwhile, or cannot be read"""
    children = {"/": ["gone", "kept", "secret"], "/kept": ["x"]}

    def reply_to(request):
        path = request.get("path", "/")
        if request["op"] == "close":
            return {"op": "closed"}
        if request["op"] == "exists":
            return {"stat": {**STAT, "numChildren": 1} if path in children else None}
        if request["op"] != "children":
            return {}
        if path in children:
            parents = {"gone", "kept", "secret"}
            return {"children": [{"name": name, "stat": {**STAT, "numChildren": int(name in parents)}}
                                 for name in children[path]], "stat": STAT, "more": False}
        if path == "/secret":
            return {"error": "NoAuth", "message": "no"}
        return {"error": "NoNode", "message": f"{path} does not exist"}

    async def serve(socket):
        await socket.recv()
        await socket.send(json.dumps({"op": "connected", "session": "00000100000000aa",
                                      "password": "9f", "timeoutMs": 10000, "server": 1,
                                      "role": "leader", "zxid": "0" * 16, "resumed": False,
                                      "servers": []}))
        with contextlib.suppress(websockets.ConnectionClosed):
            async for frame in socket:
                requests = json.loads(frame)
                for request in requests if isinstance(requests, list) else [requests]:
                    await socket.send(json.dumps({"id": request["id"], "zxid": "0" * 16,
                                                  **reply_to(request)}))

    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=["zabkeeper.v1+json"]) as fake:
        url = f"ws://127.0.0.1:{fake.sockets[0].getsockname()[1]}"
        for words, expected in (
                (("ls", "-R", "/"), "/gone\n/kept\n/kept/x\n/secret\n"),
                (("find", "/"), "/\n/gone\n/kept\n/kept/x\n/secret\n"),
                (("tree", "/"), "/\n├── gone\n├── kept\n│   └── x\n└── secret\n4 nodes below\n"),
                (("--json", "ls", "-R", "/"), '{"paths":["/gone","/kept","/kept/x","/secret"]}\n')):
            done = await in_thread(zab, url, *words)
            assert done.stdout.decode() == expected, done
            assert b"/gone was deleted while the list was made" in done.stderr, done
            assert b"/secret: not allowed (NoAuth)" in done.stderr and done.returncode == 7, done
        # A missing root is an error.
        for words in (("ls", "-R", "/none"), ("tree", "/none")):
            done = await in_thread(zab, url, *words)
            assert done.returncode == 3, done


async def large_trees(server, client):
    """very many children are listed in pages, and deleted in parts"""
    await create_children(client, "/wide", 30_000)
    await client.call("create", path="/wide/n0000001/inner")
    await client.call("multi", ops=[{"op": "create", "path": f"/wide/n0000001/inner/{i}"}
                                    for i in range(900)])
    before = (await client.call("exists", path="/wide"))["stat"]
    for words in (("--json", "ls", "/wide"), ("--json", "ls", "-l", "/wide")):
        listed = json.loads((await in_thread(zab, server, *words)).stdout)
        names = [c["name"] if isinstance(c, dict) else c for c in listed["children"]]
        assert names == [f"n{i:07}" for i in range(30_000)] and listed["more"] is False, listed["more"]
        assert listed["stat"]["numChildren"] == 30_000 and len(listed["zxid"]) == 16
    assert (await in_thread(zab, server, "ls", "-l", "/wide")).stdout.count(b"\n") == 30_001

    # Nothing is deleted if the node has another version.
    done = await in_thread(zab, server, "delete", "-r", "-v", "7", "/wide")
    assert done.returncode == 5, done
    assert (await client.call("exists", path="/wide"))["stat"] == before

    terminal = Terminal(server, "delete", "-r", "-f", "/wide")
    await in_thread(terminal.wait_for, rb"deleted [1-9]\d* nodes, \d+ left")
    terminal.process.send_signal(signal.SIGINT)
    code, output = await in_thread(terminal.end)
    assert code == EXIT_INTERRUPTED and b"the same command goes on" in output, (code, output)
    left = (await client.call("count", path="/wide"))["count"]
    assert 0 < left < 30_901, left

    done = await in_thread(zab, server, "delete", "-r", "-v", "0", "/wide")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done
    assert (await client.call("exists", path="/wide"))["stat"] is None

    # A subtree below others that is itself too large, and a node that may not be deleted.
    await client.call("create", path="/deep/a/b", parents=True)
    await create_children(client, "/deep/a/b/c", 10_500)
    await client.call("create", path="/deep/z")
    done = await in_thread(zab, server, "--json", "delete", "-r", "/deep")
    assert done.returncode == 0 and list(json.loads(done.stdout)) == ["zxid"], done
    assert (await client.call("exists", path="/deep"))["stat"] is None


async def terminals(server):
    """control characters reach a pipe as they are, and a terminal only escaped"""
    evil = b"\x1b]0;title\x07\x1b[2J\rx\xc2\x9b31m\xe2\x80\xae"
    zab(server, "set", "--create", "/evil", "-", input=evil)
    assert zab(server, "get", "/evil").stdout == evil
    code, output = await in_thread(Terminal(server, "get", "/evil").end)
    escaped = rb"\x1b]0;title\x07\x1b[2J\rx\u{009b}31m\u{202e}"
    assert code == 0 and output == escaped + b"\r\n", output
    code, output = await in_thread(Terminal(server, b"get", b"/\x1b[31m").end)
    assert code == EXIT_USAGE and b"\x1b" not in output, output
    code, output = await in_thread(Terminal(server, b"fr\x1b[31mob").end)
    assert code == EXIT_USAGE and b"\x1b" not in output and rb"fr\x1b[31mob" in output, output
    # A name that could harm a terminal does not complete what is typed.
    for name in ("plain", "\u202elp"):
        zab(server, "create", "-p", f"/complete/{name}", "data of " + name)
    shell = Terminal(server)
    shell.wait_for(rb"> ")
    os.write(shell.pty, b"get /complete/\t\n")
    await in_thread(shell.wait_for, rb"data of plain")
    os.write(shell.pty, b"quit\n")
    code, output = await in_thread(shell.end)
    assert code == 0 and "\u202e".encode() not in output, output
    # A terminal gets a newline where the data have none.
    zab(server, "set", "/evil", "-", input=b"a line\n")
    assert await in_thread(Terminal(server, "get", "/evil").end) == (0, b"a line\r\n")
    zab(server, "set", "/evil", "-", input=b"no line")
    assert await in_thread(Terminal(server, "get", "/evil").end) == (0, b"no line\r\n")


async def test():
    """the shell reports failed output, foreign pages and changing trees, and escapes control characters"""
    # No reply may hold the 30,000 children of large_trees.
    async with Ensemble(1, maxDataBytes=65536, maxReplyBytes=1 << 20) as ensemble:
        server = ensemble.servers[0]
        await output_that_cannot_be_written(server)
        await exact_bytes(server)
        await what_can_never_succeed(server)
        await pages_of_others(server)
        await moving_tree()
        await terminals(server)
        client = await Client.open(server)
        await large_trees(server, client)
        await closed_pipe(server, client)


run(test)
