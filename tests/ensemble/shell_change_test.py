"""`zab export` and `zab import` carry subtrees to files and back, whole or not at all."""

import asyncio
import json
import os
import pathlib
import resource
import signal
import subprocess
import tempfile

from harness import BIN, TIMEOUT, Client, Ensemble, run, until
from shell_processes import Shell

EXIT_OTHER, EXIT_USAGE, EXIT_NO_NODE, EXIT_EXISTS, EXIT_NO_AUTH = 1, 2, 3, 4, 7
EXIT_NO_SERVER, EXIT_OUTPUT, EXIT_INTERRUPTED, EXIT_CLOSED_PIPE = 8, 11, 130, 141
AUTH = ("--auth", "digest:ann:secret")


async def zab(server, *words, **options):
    """The result of a command; output and errors are bytes."""
    url = getattr(server, "url", server)
    options.setdefault("stdout", subprocess.PIPE)
    return await asyncio.to_thread(subprocess.run, [BIN / "zab", "--server", url, *words],
                                   stderr=subprocess.PIPE, timeout=TIMEOUT, **options)


def lines_of(text):
    return [json.loads(line) for line in text.decode().split("\n") if line]


async def subtree(client, top, path="."):
    """Data, kind and ACL of each node of a subtree."""
    whole = top if path == "." else f"{top.rstrip('/')}/{path}"
    node = await client.call("get", path=whole)
    acl = (await client.call("getAcl", path=whole))["acl"]
    stat = node["stat"]
    found = {path: (node.get("data"), node.get("data64"), stat.get("container"), stat.get("ttlMs"), acl)}
    for name in (await client.call("children", path=whole))["children"]:
        found |= await subtree(client, top, name if path == "." else f"{path}/{name}")
    return found


async def every_kind(server, client, directory):
    """data, kinds, ACLs and names of every kind come back as they were"""
    acl = [{"scheme": "auth", "perms": "cdrwa"}]
    await client.call("multi", ops=[
        {"op": "create", "path": "/kinds", "data": "top"},
        {"op": "create", "path": "/kinds/two words", "data": "line\nline\u2028"},
        {"op": "create", "path": "/kinds/ключ 鍵 🔑", "data64": "/wD+"},
        {"op": "create", "path": "/kinds/box", "container": True},
        {"op": "create", "path": "/kinds/box/in", "data": "\u0001\\\""},
        {"op": "create", "path": "/kinds/ttl", "ttlMs": 600000},
        {"op": "create", "path": "/kinds/secret", "data": "s", "acl": acl},
        {"op": "create", "path": "/kinds/me", "ephemeral": True}])
    deep = "/kinds/" + "/".join(f"d{i}" for i in range(100))
    await client.call("create", path=deep, parents=True, data="deep")
    file = directory / "kinds.jsonl"
    done = await zab(server, *AUTH, "export", "/kinds", str(file))
    assert done.returncode == 0 and b"1 ephemeral node is left out" in done.stderr, done
    assert b"exported 107 nodes of /kinds, exact at 0" in done.stdout, done
    header, *nodes, footer = lines_of(file.read_bytes())
    assert header["path"] == "/kinds" and header["format"] == "zabkeeper-export", header
    assert footer == {"nodes": 107, "exact": True, "changes": 0, "leftOut": 0}, footer
    seen = set()
    for node in nodes:  # parents before children
        assert "/" not in node["path"] or node["path"].rsplit("/", 1)[0] in seen, node
        seen.add(node["path"])

    done = await zab(server, *AUTH, "--json", "import", str(file), "/back")
    assert done.returncode == 0 and json.loads(done.stdout)["created"] == 107, done
    before = await subtree(client, "/kinds")
    del before["me"]
    assert await subtree(client, "/back") == before
    # Through a pipe, with the ephemeral node as a persistent one, in a script of several commands.
    done = await zab(server, *AUTH, "--json", "export", "--ephemerals", "/kinds")
    assert json.loads(done.stderr)["nodes"] == 108, done.stderr
    again = await zab(server, *AUTH, "import", "-", "/again", input=done.stdout)
    assert again.returncode == 0 and again.stdout == b"created 108\n", again
    stat = (await client.call("exists", path="/again/me"))["stat"]
    assert stat["ephemeralOwner"] == "0" * 16, stat
    done = await zab(server, input=f"export /kinds/box {directory}/b\nimport {directory}/b /b\nimport - /c\n".encode())
    assert done.returncode == EXIT_USAGE and b"the commands come from there" in done.stderr, done
    assert (await client.call("get", path="/b/in"))["data"] == "\u0001\\\""
    # An ACL whose hash this client may not see cannot be restored, so it is refused.
    await client.call("setAcl", path="/kinds/secret", acl=acl + [{"scheme": "world", "id": "anyone", "perms": "r"}])
    done = await zab(server, "export", "/kinds/secret", str(directory / "hidden"))
    assert done.returncode == 0 and b"hashes that the server does not show" in done.stderr, done
    done = await zab(server, "import", str(directory / "hidden"), "/hidden")
    assert done.returncode == EXIT_NO_AUTH and b"line 2" in done.stderr and b"--no-acls" in done.stderr, done
    assert (await zab(server, "import", "--no-acls", str(directory / "hidden"), "/hidden")).returncode == 0
    # Nodes that cannot be read are left out.
    await client.call("setAcl", path="/kinds/secret", acl=acl)
    done = await zab(server, "export", "/kinds")
    assert done.returncode == EXIT_NO_AUTH and b"/kinds/secret: not allowed" in done.stderr, done
    assert lines_of(done.stdout)[-1]["leftOut"] == 1, done.stdout[-100:]
    done = await zab(server, "export", "/kinds/secret")
    assert done.returncode == EXIT_NO_AUTH and done.stdout == b"", done


async def existing_nodes(server, client, directory):
    """nodes that exist are refused, skipped or overwritten"""
    await client.call("multi", ops=[{"op": "create", "path": f"/old{p}", "data": f"old{p}"}
                                    for p in ("", "/a", "/b", "/b/c")])
    file = str(directory / "old")
    assert (await zab(server, "export", "/old", file)).returncode == 0
    done = await zab(server, "import", file)
    assert done.returncode == EXIT_EXISTS and b"line 2: /old: already exists" in done.stderr, done
    await client.call("delete", path="/old/b", recursive=True)
    await client.call("set", path="/old/a", data="new")
    await client.call("setAcl", path="/old/a", acl=[{"scheme": "world", "id": "anyone", "perms": "rwa"}])
    done = await zab(server, "import", "--dry-run", file)
    assert done.returncode == EXIT_EXISTS and done.stdout == (
        b"exists /old\nexists /old/a\ncreate /old/b\ncreate /old/b/c\n"
        b"would create 2, refuse 2 that exist\n"), done
    done = await zab(server, "--json", "import", "--dry-run", "--overwrite", file)
    assert [line.get("action") for line in lines_of(done.stdout)] == ["overwrite"] * 2 + ["create"] * 2 + [None]
    done = await zab(server, "import", "--dry-run", "--skip-existing", file)
    assert done.returncode == 0 and b"skip /old/a\n" in done.stdout, done
    assert "b" not in (await client.call("children", path="/old"))["children"]
    done = await zab(server, "import", "--skip-existing", file)
    assert done.returncode == 0 and done.stdout == b"created 2, skipped 2\n", done
    assert (await client.call("get", path="/old/a"))["data"] == "new"
    done = await zab(server, "import", "--overwrite", file)
    assert done.returncode == 0 and done.stdout == b"created 0, overwrote 4\n", done
    assert (await client.call("get", path="/old/a"))["data"] == "old/a"
    assert (await client.call("getAcl", path="/old/a"))["acl"][0]["perms"] == "cdrwa"
    assert (await zab(server, "import", "--overwrite", "--skip-existing", file)).returncode == EXIT_USAGE
    done = await zab(server, "import", file, "/no/such/place")
    assert done.returncode == EXIT_NO_NODE and b"-p creates it" in done.stderr, done
    assert (await zab(server, "import", "-p", file, "/no/such/place")).returncode == 0
    # The root always exists.
    done = await zab(server, "export", "/")
    top, paths = lines_of(done.stdout)[0], [line.get("path") for line in lines_of(done.stdout)[1:]]
    assert top["path"] == "/" and "old/b/c" in paths and "zookeeper" not in paths, paths
    async with Ensemble(1) as other:
        copied = await zab(other.servers[0], "import", "--no-acls", "-", input=done.stdout)
        assert copied.returncode == 0, copied
        there = await Client.open(other.servers[0])
        assert (await there.call("get", path="/old/b/c"))["data"] == "old/b/c"
        await there.close()


async def wrong_files(server, client, directory):
    """a wrong or truncated file is refused with the number of the line"""
    good = (await zab(server, "export", "/old")).stdout
    lines = good.splitlines(keepends=True)
    for text, code, words in (
            (b"", EXIT_USAGE, b"is empty"), (lines[1], EXIT_USAGE, b"line 1: is not the header"),
            (b"\xff\n", EXIT_USAGE, b"line 1: is not JSON"),
            (lines[0] * 2, EXIT_USAGE, b"line 2: a second header"),
            (good + lines[1], EXIT_USAGE, b"line 7: nothing may follow"),
            (b"".join(lines[:3]) + b'{"path":"a","data":7}\n', EXIT_USAGE, b"line 4: field"),
            (b"".join(lines[:3] + lines[-1:]), EXIT_OTHER, b"the export had 4 nodes, but there are 2"),
            (b"".join(lines[:-1]), EXIT_OTHER, b"is not complete"),
            (good[:-20], EXIT_USAGE, b"line 6: is not JSON")):
        done = await zab(server, "import", "-", "/wrong", input=text)
        assert done.returncode == code and words in done.stderr, (text, done)
        with_file = directory / "wrong"
        with_file.write_bytes(text)
        await zab(server, "delete", "-r", "/wrong")
        done = await zab(server, "import", str(with_file), "/wrong")
        assert done.returncode in (EXIT_USAGE, EXIT_OTHER), (text, done)
        if b"complete" in words:  # seen before anything was written
            assert (await client.call("exists", path="/wrong"))["stat"] is None
            done = await zab(server, "import", "--partial", str(with_file), "/wrong")
            assert done.returncode == 0 and done.stdout == b"created 4\n", done
        await zab(server, "delete", "-r", "/wrong")
    for words, code in ((("import", "/nonexistent"), EXIT_OTHER), (("import", str(directory)), EXIT_OTHER),
                        (("import",), EXIT_USAGE), (("export",), EXIT_USAGE), (("export", "/none"), EXIT_NO_NODE),
                        (("export", "/old", str(directory / "none/file")), EXIT_OTHER)):
        done = await zab(server, *words)
        assert done.returncode == code and done.stderr, (words, done)
    for words in (("export", "/old"), ("import", str(directory / "old"))):
        done = await zab("ws://127.0.0.1:1", "--timeout-ms", "300", *words)
        assert done.returncode == EXIT_NO_SERVER and done.stdout == b"", (words, done)


def small_files():
    """For a process: no file may have more than 100,000 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))


async def large_trees(server, client, directory):
    """a large tree is exported in parts, and a failure leaves no file behind"""
    await client.call("create", path="/large")
    for first in range(0, 20_000, 1000):
        await client.call("multi", ops=[{"op": "create", "path": f"/large/n{i:06}", "data": "x" * 100}
                                        for i in range(first, first + 1000)])
    file = directory / "large.jsonl"
    file.write_text("former")
    done = await zab(server, "export", "/large", str(file), preexec_fn=small_files)
    assert done.returncode == EXIT_OTHER and b"File too large" in done.stderr, done
    done = await zab(server, "export", "/large", "/dev/full")
    assert done.returncode == EXIT_OTHER and b"/dev/full: No space left" in done.stderr, done
    done = await zab(server, "export", "/large", "/none/file")
    assert done.returncode == EXIT_OTHER and done.stderr.startswith(b"/none/file: No such file"), done
    with open("/dev/full", "wb") as full:
        assert (await zab(server, "export", "/large", stdout=full)).returncode == EXIT_OUTPUT
    assert file.read_text() == "former" and not list(directory.glob(".*zab-*"))
    script = f'"$0" --server {server.url} export /large | head -1; exit ${{PIPESTATUS[0]}}'
    done = await asyncio.to_thread(subprocess.run, ["bash", "-c", script, BIN / "zab"],
                                   capture_output=True, timeout=TIMEOUT)
    assert done.returncode == EXIT_CLOSED_PIPE and done.stderr == b"" and done.stdout.count(b"\n") == 1, done

    # A file is there only when it is complete. A pipe that nobody reads holds the export up.
    pipe = directory / "pipe"
    os.mkfifo(pipe)
    shell = Shell(server, "export", "/large", str(pipe), stdin=subprocess.DEVNULL)
    reader = await asyncio.to_thread(open, pipe, "rb")
    first = await asyncio.to_thread(reader.readline)
    await client.call("multi", ops=[{"op": "set", "path": "/large/n019999", "data": "changed"},
                                    {"op": "delete", "path": "/large/n019998"}])
    text = first + await asyncio.to_thread(reader.read)
    reader.close()
    assert await shell.end() == 0 and "not exact: 2 changes were made" in shell.out[-1], shell.out
    footer = lines_of(text)[-1]
    assert footer["exact"] is False and footer["changes"] == 2, footer
    assert footer["nodes"] == len(text.splitlines()) - 2

    done = await zab(server, "export", "/large", str(file))
    assert done.returncode == 0 and b"20000 nodes of /large, exact" in done.stdout, done
    done = await zab(server, "import", str(file), "/large2")
    assert done.returncode == 0 and done.stdout == b"created 20000\n", done
    # Interrupted, and continued.
    shell = Shell(server, "import", "-", "/large3")
    text = file.read_text().splitlines(keepends=True)
    shell.process.stdin.write("".join(text[:5_000]))
    shell.process.stdin.flush()
    await until(lambda: is_there(client, "/large3/n003000"), "a part is imported")
    shell.process.send_signal(signal.SIGINT)
    assert await shell.end() == EXIT_INTERRUPTED, shell.err  # although its input has not ended
    assert any("with --skip-existing the command goes on" in line for line in shell.err), shell.err
    done = await zab(server, "import", "--skip-existing", str(file), "/large3")
    assert done.returncode == 0 and b"skipped" in done.stdout, done
    assert (await client.call("count", path="/large3"))["count"] == 19_999


async def is_there(client, path):
    return (await client.call("exists", path=path))["stat"] is not None


async def small_limits(directory):
    """batches that are too large for a server are divided"""
    async with Ensemble(1, maxMultiOps=60) as ensemble:
        server = ensemble.servers[0]
        text = (directory / "large.jsonl").read_bytes().splitlines(keepends=True)
        done = await zab(server, "import", "--partial", "-", "/large", input=b"".join(text[:3_001]))
        assert done.returncode == 0 and done.stdout == b"created 3000\n", done


async def killed_servers(directory):
    """export and import go on after a server is killed, and lose or repeat nothing"""
    async with Ensemble(3) as ensemble:
        first, second = ensemble.followers()
        leader = ensemble.leader()
        urls = f"{first.url},{second.url},{leader.url}"
        text = (directory / "large.jsonl").read_text().splitlines(keepends=True)
        shell = Shell(urls, "import", "-", "/large")
        client = await Client.open(leader)
        shell.process.stdin.write("".join(text[:5_000]))
        shell.process.stdin.flush()
        await until(lambda: is_there(client, "/large/n003000"), "a part is imported")
        first.kill()
        shell.process.stdin.write("".join(text[5_000:]))
        shell.process.stdin.close()
        assert await shell.end() == 0 and shell.out == ["created 20000"], (shell.out, shell.err)
        assert (await client.call("count", path="/large"))["count"] == 19_999

        pipe = directory / "another pipe"
        os.mkfifo(pipe)
        urls = f"{second.url},{leader.url}"
        shell = Shell(urls, "export", "/large", str(pipe), stdin=subprocess.DEVNULL)
        reader = await asyncio.to_thread(open, pipe, "rb")
        head = await asyncio.to_thread(reader.readline)
        first.start()
        await until(first.ready, "the first server serves again")
        second.kill()
        exported = head + await asyncio.to_thread(reader.read)
        reader.close()
        assert await shell.end() == 0 and "exported 20000 nodes" in shell.out[-1], shell.err
        assert exported.decode().splitlines()[1:-1] == [line.rstrip("\n") for line in text[1:-1]]
        await client.close()


async def test():
    """`zab export` and `zab import` carry subtrees to files and back"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server, auth=[{"scheme": "digest", "token": "ann:secret"}])
        with tempfile.TemporaryDirectory() as path:
            directory = pathlib.Path(path)
            await every_kind(server, client, directory)
            await existing_nodes(server, client, directory)
            await wrong_files(server, client, directory)
            await large_trees(server, client, directory)
            await small_limits(directory)
            await killed_servers(directory)


run(test)
