"""`zab await` and `zab serve-config`: commands that follow one node."""

import os
import pathlib
import signal
import stat
import tempfile

from harness import Client, Ensemble, run, until
from shell_processes import Cable, Shell

EXIT_OTHER, EXIT_USAGE, EXIT_NO_SERVER = 1, 2, 8
EXIT_TIMEOUT, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND = 124, 126, 127


async def waiting(server, *words):
    shell = Shell(server, "await", *words)
    await shell.warns("waiting for")
    return shell


async def awaits(server, client):
    """await ends when the node is in the state, and at once if it already is"""
    missing = {words: await waiting(server, "/a", *words) for words in (("exists",), ("changed",),
                                                                        ("equals", "v1"), ("equals", "v2"))}
    assert await Shell(server, "await", "/a", "gone").end() == 0
    await client.call("create", path="/a", data="v1")
    for words in (("exists",), ("changed",), ("equals", "v1")):
        assert await missing.pop(words).end() == 0
    assert await Shell(server, "await", "/a", "exists").end() == 0
    assert await Shell(server, "await", "/a", "equals", "v1").end() == 0
    there = [await waiting(server, "/a", state) for state in ("changed", "gone")]
    # A value that is there for a moment only is seen too.
    await client.call("multi", ops=[{"op": "set", "path": "/a", "data": "v2"}])
    await client.call("delete", path="/a")
    for shell in (*there, *missing.values()):
        assert await shell.end() == 0, shell.err
    from_input = Shell(server, "await", "/b", "equals", "-")
    from_input.process.stdin.write("in")
    from_input.process.stdin.close()
    await from_input.warns("waiting for")
    await client.call("create", path="/b", data="in")
    assert await from_input.end() == 0


async def await_failures(server):
    """a timeout, a missing server and a wrong usage have their own exit codes"""
    for words, reason in ((("/b", "gone"), "/b still exists, 0.100 seconds have passed"),
                          (("/none", "exists"), "/none does not exist"),
                          (("/b", "changed"), "/b did not change"),
                          (("/b", "equals", "other"), "/b does not have this value")):
        shell = Shell(server, "await", "--timeout", "0.1", *words)
        assert await shell.end() == EXIT_TIMEOUT and reason in shell.err[-1], shell.err
    assert await Shell(server, "await", "--timeout", "0", "/none", "exists").end() == EXIT_TIMEOUT
    assert await Shell(server, "await", "--timeout", "0", "/none", "gone").end() == 0
    shell = Shell("ws://127.0.0.1:1", "await", "--timeout", "0.2", "/b", "exists")
    assert await shell.end() == EXIT_NO_SERVER, shell.err
    for words in (("/b",), ("/b", "here"), ("/b", "equals"), ("/b", "gone", "x")):
        shell = Shell(server, "await", *words)
        assert await shell.end() == EXIT_USAGE, shell.err


async def await_over_a_lost_session(server, client):
    """await goes on in a new session"""
    async with Cable(server) as cable:
        shell = Shell(cable, "--timeout-ms", "1000", "await", "/late", "exists")
        await shell.warns("waiting for")
        cable.is_cut = True
        await shell.warns("have ended with it")
        await client.call("create", path="/late")
        cable.is_cut = False
        assert await shell.end() == 0, shell.err


class Directory:
    """A file to serve, a check that refuses data with `bad`, and a command that is run after each change."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.file = self.path / "app.conf"
        self.reloads = self.path / "reloads"
        self.check = self.path / "check"
        self.check.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$(dirname \"$0\")/checked\"\n"
                              "! grep -q bad \"$2\"\n")
        self.check.chmod(0o755)
        self.reload = ("sh", "-c", 'cat "$0" >> "$1"; echo >> "$1"; read x && exit 9; ! grep -q fails "$0"',
                       str(self.file), str(self.reloads))

    def has(self, text):
        return self.file.exists() and self.file.read_text() == text

    def is_clean(self):
        return not [name for name in os.listdir(self.path) if name.startswith(".")]


async def serve_config(server, client, directory):
    """the file follows the node; a version that is refused leaves it as it was"""
    shell = Shell(server, "serve-config", "--check", f"'{directory.check}' -t", "/web", str(directory.file),
                  "--", *directory.reload)
    await shell.warns("/web does not exist")
    assert not directory.file.exists()
    await client.call("create", path="/web", data="one")
    await until(lambda: directory.has("one"), "the first version")
    directory.file.chmod(0o640)
    await client.call("set", path="/web", data="a bad one")
    await shell.warns("are refused")
    assert directory.has("one") and directory.is_clean()
    option, checked = (directory.path / "checked").read_text().split()
    assert option == "-t" and pathlib.Path(checked).parent == directory.path, checked
    await client.call("set", path="/web", data="two fails")
    await shell.warns("exit code 1 after")
    assert directory.has("two fails") and stat.S_IMODE(directory.file.stat().st_mode) == 0o640
    await client.call("delete", path="/web")
    await until(lambda: sum("does not exist" in line for line in shell.err) == 2, "it is said")
    assert directory.has("two fails")
    await client.call("create", path="/web", data="three")
    await until(lambda: directory.has("three"), "the version of the new node")
    await until(lambda: directory.reloads.read_text() == "one\ntwo fails\nthree\n", "three reloads")
    assert directory.is_clean()
    shell.process.send_signal(signal.SIGINT)
    assert await shell.end() == 0, shell.err


async def restarted(server, client, directory):
    """a file that has the data already is neither written nor loaded again; a link stays a link"""
    link = directory.path / "link"
    link.symlink_to(directory.file)
    before = directory.file.stat()
    shell = Shell(server, "serve-config", "/web", str(link), "--", *directory.reload)
    await shell.warns("already has the data of")
    assert directory.file.stat().st_ino == before.st_ino
    await client.call("set", path="/web", data="four")
    await until(lambda: directory.has("four"), "the new version")
    assert link.is_symlink()
    await until(lambda: directory.reloads.read_text().endswith("three\nfour\n"), "one reload")
    shell.process.send_signal(signal.SIGTERM)
    assert await shell.end() == 128 + signal.SIGTERM


async def serve_failures(server, client, directory):
    """a program that cannot be run, or a file that cannot be written, is an error"""
    for words, code in ((("/web", "/no/such/directory/file"), EXIT_OTHER), (("/web", "/"), EXIT_OTHER),
                        (("--check", "no-such-program", "/web", "f"), EXIT_NOT_FOUND),
                        (("--check", "'open", "/web", "f"), EXIT_USAGE), (("--check", "", "/web", "f"), EXIT_USAGE),
                        (("/web", "f", "--", "/etc/passwd"), EXIT_NOT_EXECUTABLE),
                        (("/web", "f", "--"), EXIT_USAGE), (("/web",), EXIT_USAGE)):
        shell = Shell(server, "serve-config", *words, cwd=directory.path)
        assert await shell.end() == code, (words, shell.err)
    assert directory.is_clean() and not (directory.path / "f").exists()


async def stopped_check(server, client, directory):
    """a signal during the check leaves the old file, and no temporary file"""
    shell = Shell(server, "serve-config", "--check", "sh -c 'echo checking >&2; sleep 1000'", "/web",
                  str(directory.file))
    await shell.warns("already has the data of")
    await client.call("set", path="/web", data="five")
    await shell.warns("checking")
    shell.process.send_signal(signal.SIGTERM)
    assert await shell.end() == 128 + signal.SIGTERM, shell.err
    assert directory.has("four") and directory.is_clean()


async def killed_server(directory):
    """the file still follows the node after a server is killed"""
    async with Ensemble(3) as ensemble:
        client = await Client.open(ensemble.leader())
        await client.call("create", path="/web", data="1")
        server = ensemble.followers()[0]
        shell = Shell(server, "serve-config", "/web", str(directory.file))
        await until(lambda: directory.has("1"), "the first version")
        server.kill()
        await client.call("set", path="/web", data="2")
        await until(lambda: directory.has("2"), "the version after the server was killed")
        shell.kill()


async def test():
    """`zab await` waits for a state of a node, and `zab serve-config` keeps a file like a node"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        await awaits(server, client)
        await await_failures(server)
        await await_over_a_lost_session(server, client)
        with tempfile.TemporaryDirectory() as path:
            directory = Directory(path)
            await serve_config(server, client, directory)
            await restarted(server, client, directory)
            await serve_failures(server, client, directory)
            await stopped_check(server, client, directory)
            await killed_server(directory)


run(test)
