"""Commands of the shell that run while the test goes on, and a connection that can be cut."""

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time

from harness import BIN, TIMEOUT, until


def address(servers):
    """The --server list of servers, or of one."""
    several = servers if isinstance(servers, (list, tuple)) else [servers]
    return ",".join(getattr(server, "url", server) for server in several)


def is_alive(pid):
    """Whether this process runs, and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def queue_length(client, path, length):
    async def has_length():
        return len((await client.call("children", path=path))["children"]) == length

    await until(has_length, f"{length} nodes below {path}")


class Shell:
    """`zab` with these words, in a process of its own. `out` and `err` are the lines so far."""

    def __init__(self, servers, *words, **options):
        self.process = subprocess.Popen([BIN / "zab", "--server", address(servers), *words],
                                        stdin=options.pop("stdin", subprocess.PIPE), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace", **options)
        self.out, self.err = [], []
        self.readers = [threading.Thread(target=self.read, args=arguments, daemon=True)
                        for arguments in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def say(self, text):
        """Writes a line to its standard input."""
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    async def says(self, words):
        """Waits for a line of output, and returns it."""
        return await self.has_line(self.out, words)

    async def warns(self, words):
        """Waits for a line on standard error, and returns it."""
        return await self.has_line(self.err, words)

    async def has_line(self, lines, words):
        try:
            return await until(lambda: next((line for line in lines if words in line), None), words)
        except AssertionError as error:
            raise AssertionError(f"{error}; output: {self.out}; standard error: {self.err}") from None

    async def end(self):
        """Waits for the end, reads all output, and returns the exit code."""
        code = await asyncio.to_thread(self.process.wait, TIMEOUT)
        for reader in self.readers:
            await asyncio.to_thread(reader.join, TIMEOUT)
        return code

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()


class Cable:
    """A connection to a server that can be cut. Then no bytes pass, and neither end is informed. It
    replaces the server's own address in messages, so that a client cannot bypass it."""

    def __init__(self, server):
        self.server = server
        self.is_cut = False
        self.tasks = []

    async def __aenter__(self):
        self.listener = await asyncio.start_server(self.connect, "127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/v1"
        return self

    async def __aexit__(self, *_):
        self.listener.close()
        for task in self.tasks:
            task.cancel()

    async def connect(self, reader, writer):
        there_reader, there_writer = await asyncio.open_connection(self.server.host, self.server.web_port)
        ports = (f":{self.server.web_port}/".encode(), f":{self.port}/".encode())
        assert len(ports[0]) == len(ports[1]), ports
        self.tasks += [asyncio.create_task(self.pass_on(reader, there_writer)),
                       asyncio.create_task(self.pass_on(there_reader, writer, ports))]

    async def pass_on(self, reader, writer, replaced=(b"", b"")):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not self.is_cut:
                    writer.write(data.replace(*replaced) if replaced[0] else data)
            writer.close()


class Terminal:
    """A command whose input and output are a pseudo-terminal. `size` has its lines and columns."""

    def __init__(self, server, *words, size=None, **environment):
        self.pty, other = pty.openpty()
        if size:
            fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.process = subprocess.Popen([BIN / "zab", "--server", server.url, *words], stdin=other,
                                        stdout=other, stderr=other, start_new_session=True,
                                        env={**os.environ, "TERM": "dumb", "HOME": "/dev/null",
                                             **environment})
        os.close(other)
        self.output = b""

    def wait_for(self, pattern):
        deadline = time.monotonic() + TIMEOUT
        while not re.search(pattern, self.output):
            assert time.monotonic() < deadline, (pattern, self.output[-2000:])
            if select.select([self.pty], [], [], 0.1)[0]:
                try:
                    self.output += os.read(self.pty, 65536)
                except OSError:  # the command has ended
                    assert re.search(pattern, self.output), (pattern, self.output[-2000:])

    def end(self):
        """The exit status and all output."""
        with contextlib.suppress(OSError):
            while data := os.read(self.pty, 65536):
                self.output += data
        os.close(self.pty)
        return self.process.wait(timeout=TIMEOUT), self.output
