"""`zab edit`, and the question of `zab delete -r`: commands for a user at a terminal."""

import asyncio
import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import time

from harness import BIN, TIMEOUT, Client, Ensemble, run, until

EXIT_OTHER, EXIT_USAGE, EXIT_NO_NODE, EXIT_BAD_VERSION, EXIT_NOT_FOUND = 1, 2, 3, 5, 127


class Terminal:
    """A command whose input and output are a pseudo-terminal."""

    def __init__(self, server, *words, **environment):
        self.pty, other = pty.openpty()
        self.process = subprocess.Popen([BIN / "zab", "--server", server.url, *words], stdin=other,
                                        stdout=other, stderr=other, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                        env={**os.environ, "TERM": "dumb", "HOME": "/dev/null", **environment})
        os.close(other)
        self.output = b""

    def wait_for(self, pattern):
        deadline = time.monotonic() + TIMEOUT
        while not re.search(pattern, self.output):
            assert time.monotonic() < deadline, (pattern, self.output[-2000:])
            if select.select([self.pty], [], [], 0.1)[0]:
                self.output += os.read(self.pty, 65536)

    def type(self, text):
        os.write(self.pty, text)

    def end(self):
        """The exit status and all output."""
        with contextlib.suppress(OSError):
            while data := os.read(self.pty, 65536):
                self.output += data
        os.close(self.pty)
        return self.process.wait(timeout=TIMEOUT), self.output.decode()


async def zab(server, *words, **options):
    return await asyncio.to_thread(subprocess.run, [BIN / "zab", "--server", server.url, *words], text=True,
                                   **({} if "input" in options else {"stdin": subprocess.DEVNULL}), capture_output=True,
                                   timeout=TIMEOUT, **options)


class Editor:
    """A program that does `script` with the file that it gets."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.program = self.directory / "an editor"
        self.environment = {**os.environ, "TMPDIR": directory, "EDITOR": f"'{self.program}' -x", "VISUAL": ""}

    async def edit(self, server, path, script, **environment):
        self.program.write_text(f'#!/bin/sh\ntest "$1" = -x || exit 9\nfile=$2\n{script}\n')
        self.program.chmod(0o700)
        return await zab(server, "edit", path, env={**self.environment, **environment})

    def files(self):
        return list(self.directory.glob("zab-edit-*"))


async def edits(server, client, editor):
    """edit sets what the editor has saved, and leaves no file behind"""
    await client.call("create", path="/conf.json", data="one\ntwo\nthree\n")
    done = await editor.edit(server, "/conf.json", 'cp "$file" "$file.seen"; stat -c %a "$file" >"$file.mode"; '
                             'echo "$file" | grep -q "[.]json$" || exit 8; sed -i s/two/2/ "$file"')
    assert done.returncode == 0 and done.stderr == "", done
    seen = {path.suffix: path.read_text() for path in editor.files()}
    assert seen == {".seen": "one\ntwo\nthree\n", ".mode": "600\n"}, seen
    for path in editor.files():
        path.unlink()
    reply = await client.call("get", path="/conf.json")
    assert reply["data"] == "one\n2\nthree\n" and reply["stat"]["version"] == 1, reply
    done = await editor.edit(server, "/conf.json", "true")
    assert done.returncode == 0 and "is not changed" in done.stderr, done
    # An editor's newline at the end is no change, if the data had none.
    await client.call("set", path="/conf.json", data="v1")
    done = await editor.edit(server, "/conf.json", 'echo v1 >"$file"')
    assert done.returncode == 0 and "is not changed" in done.stderr, done
    done = await editor.edit(server, "/conf.json", 'echo v2 >"$file"')
    assert (await client.call("get", path="/conf.json"))["data"] == "v2"
    # VISUAL comes first.
    done = await editor.edit(server, "/conf.json", "exit 7", VISUAL="sh -c 'printf ключ >\"$0\"'")
    assert done.returncode == 0 and (await client.call("get", path="/conf.json"))["data"] == "ключ", done
    assert editor.files() == [] and (await client.call("exists", path="/conf.json"))["stat"]["version"] == 4


async def conflicts(server, client, editor):
    """edit never overwrites a change that somebody made meanwhile"""
    async def changed_by(*requests):
        ready, go = editor.directory / "ready", editor.directory / "go"
        for path in (ready, go):
            path.unlink(missing_ok=True)
        await client.call("set", path="/shared", data="one\ntwo\nthree\n", create=True)
        edit = asyncio.create_task(editor.edit(
            server, "/shared", f'echo mine >"$file"; touch {ready}; while ! [ -e {go} ]; do sleep 0.01; done'))
        await until(ready.exists, "the editor runs")
        for op, fields in requests:
            await client.call(op, path="/shared", **fields)
        go.touch()
        done = await edit
        (kept,) = editor.files()
        assert kept.read_text() == "mine\n" and stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert str(kept) in done.stderr, done
        kept.unlink()
        return done

    done = await changed_by(("set", {"data": "one\n2\nthree\n"}))
    assert done.returncode == EXIT_BAD_VERSION and "- two\n+ 2\n" in done.stderr, done
    assert (await client.call("get", path="/shared"))["data"] == "one\n2\nthree\n"
    done = await changed_by(("delete", {}))
    assert done.returncode == EXIT_NO_NODE, done
    # A new node at the same path, with the same version, is a change too.
    done = await changed_by(("delete", {}), ("create", {"data": "new"}), ("set", {"data": "x"}))
    assert done.returncode == EXIT_BAD_VERSION, done
    await client.call("delete", path="/shared")
    done = await changed_by(("delete", {}), ("create", {"data": "new"}))
    assert done.returncode == EXIT_BAD_VERSION and "+ new" in done.stderr, done
    assert (await client.call("get", path="/shared"))["data"] == "new"


async def edit_failures(server, client, editor):
    """an editor that fails changes nothing, and what it has saved is kept"""
    done = await editor.edit(server, "/shared", "exit 3")
    assert done.returncode == EXIT_OTHER and "exit code 3" in done.stderr and editor.files() == [], done
    done = await editor.edit(server, "/shared", 'echo half >"$file"; exit 3')
    (kept,) = editor.files()
    assert done.returncode == EXIT_OTHER and str(kept) in done.stderr, done
    kept.unlink()
    done = await editor.edit(server, "/shared", 'head -c 3000000 /dev/zero | tr "\\0" x >"$file"')
    (kept,) = editor.files()
    assert done.returncode == EXIT_OTHER and "TooLarge" in done.stderr and kept.stat().st_size == 3_000_000, done
    kept.unlink()
    done = await editor.edit(server, "/none", "true")
    assert done.returncode == EXIT_NO_NODE, done
    done = await editor.edit(server, "/shared", "true", EDITOR="/nonexistent/editor")
    assert done.returncode == EXIT_NOT_FOUND and "/nonexistent/editor" in done.stderr, done
    done = await editor.edit(server, "/shared", "true", EDITOR="'open")
    assert done.returncode == EXIT_USAGE and "EDITOR: a quote is not closed" in done.stderr, done
    done = await editor.edit(server, "/shared", "true", TMPDIR=f"{editor.directory}/none")
    assert done.returncode == EXIT_OTHER and "/none/" in done.stderr, done
    await client.call("set", path="/shared", data64="/wA=")
    done = await editor.edit(server, "/shared", "true")
    assert done.returncode == EXIT_USAGE and "are no text" in done.stderr, done
    await client.call("set", path="/shared", data="new")
    assert editor.files() == []


INTERACTIVE_EDITOR = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: print("caught", flush=True))
print("editor runs", flush=True)
answer = sys.stdin.readline()
open(sys.argv[2], "w").write(answer)
"""


async def edit_in_a_terminal(server, client, editor):
    """the editor has the terminal, and Ctrl-C in it ends neither the editor nor zab"""
    editor.program.write_text(f"#!{sys.executable}\n{INTERACTIVE_EDITOR}")
    for words in (("edit", "/shared"), ()):
        await client.call("set", path="/shared", data="old")
        terminal = Terminal(server, *words, TMPDIR=str(editor.directory), EDITOR=f"'{editor.program}' -x", VISUAL="")
        if not words:
            await asyncio.to_thread(terminal.wait_for, rb"> ")
            terminal.type(b"edit /shared\n")
        await asyncio.to_thread(terminal.wait_for, rb"editor runs\r\n")
        terminal.type(b"\x03")
        await asyncio.to_thread(terminal.wait_for, rb"caught\r\n")
        terminal.type(b"typed text\n")
        if not words:
            await until(lambda: has_data(client, "/shared", "typed text"), "the text is set")
            terminal.type(b"quit\n")
        code, output = await asyncio.to_thread(terminal.end)
        assert code == 0, output
        assert await has_data(client, "/shared", "typed text"), output
    assert editor.files() == []


async def has_data(client, path, data):
    return (await client.call("get", path=path))["data"] == data


async def questions(server, client):
    """delete -r asks a user at a terminal, and asks nothing without a terminal"""
    async def is_there(path="/tree"):
        return (await client.call("exists", path=path))["stat"] is not None

    for answer, code in ((b"n\n", EXIT_OTHER), (b"\n", EXIT_OTHER), (b"\x04", EXIT_OTHER), (b"no way\n", EXIT_OTHER),
                         (b"y\n", 0), (b"yes\n", 0)):
        if not await is_there():
            await client.call("create", path="/tree/a", parents=True)
        terminal = Terminal(server, "rm", "-r", "/tree")
        await asyncio.to_thread(terminal.wait_for, rb"delete /tree and 1 node below it\? \[y/N\] ")
        terminal.type(answer)
        ended, output = await asyncio.to_thread(terminal.end)
        assert ended == code and await is_there() == (code != 0), (answer, ended, output)
        assert ("nothing is deleted" in output) == (code != 0), output
    await client.call("create", path="/tree/a", parents=True)
    terminal = Terminal(server, "rm", "-r", "/tree")
    await asyncio.to_thread(terminal.wait_for, rb"\[y/N\] ")
    terminal.process.send_signal(signal.SIGINT)
    assert (await asyncio.to_thread(terminal.end))[0] == -signal.SIGINT and await is_there()
    # In the interactive shell, Ctrl-C cancels the question, and the shell goes on.
    terminal = Terminal(server)
    await asyncio.to_thread(terminal.wait_for, rb"> ")
    terminal.type(b"rm -r /tree\n")
    await asyncio.to_thread(terminal.wait_for, rb"\[y/N\] ")
    terminal.process.send_signal(signal.SIGINT)
    await asyncio.to_thread(terminal.wait_for, rb"nothing is deleted")
    terminal.type(b"delete -r /tree\n")
    await asyncio.to_thread(terminal.wait_for, rb"(?s)\[y/N\].*\[y/N\] ")
    terminal.type(b"y\n")
    await until(lambda: is_gone(is_there), "it is deleted")
    terminal.type(b"quit\n")
    assert (await asyncio.to_thread(terminal.end))[0] == 0
    # There is no question without nodes below, with -f, or without a terminal.
    for path, words in (("/tree", ("-r",)), ("/tree/a", ("-r", "-f"))):
        await client.call("create", path=path, parents=True)
        code, output = await asyncio.to_thread(Terminal(server, "delete", *words, "/tree").end)
        assert code == 0 and output == "" and not await is_there(), output
    code, output = await asyncio.to_thread(Terminal(server, "rm", "-r", "/none").end)
    assert code == EXIT_NO_NODE and "?" not in output, output
    for options in ({}, {"input": "y\n"}):
        await client.call("create", path="/tree/a", parents=True)
        done = await zab(server, "rm", "-r", "/tree", **options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    await client.call("create", path="/tree/a", parents=True)
    done = await asyncio.to_thread(subprocess.run, [BIN / "zab", "--server", server.url], input="rm -r /tree\n",
                                   text=True, capture_output=True, timeout=TIMEOUT)
    assert done.returncode == 0 and done.stderr == "" and not await is_there(), done


async def is_gone(is_there):
    return not await is_there()


async def test():
    """`zab edit` and the question of `zab delete -r` serve a person in a terminal"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        with tempfile.TemporaryDirectory() as directory:
            editor = Editor(directory)
            await edits(server, client, editor)
            await conflicts(server, client, editor)
            await edit_failures(server, client, editor)
            await edit_in_a_terminal(server, client, editor)
        await questions(server, client)


run(test)
