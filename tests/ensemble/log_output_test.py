"""A server whose messages nobody reads, or can be written to nowhere, serves as before."""

import fcntl
import os
import pathlib
import pty
import re
import resource
import signal
import tempfile

from harness import Client, run, until
from single import Single

DROPPED = "zabkeeper_log_lines_dropped_total"


class Pipe:
    """A small pipe as standard output."""

    def __init__(self):
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, 4096)
        self.unread = b""

    def read_until(self, word):
        """Everything up to the end of the line that has `word`."""
        text = self.unread
        while word not in text or b"\n" not in text[text.index(word):]:
            part = os.read(self.reading, 65536)
            assert part, text[-2000:]
            text += part
        end = text.index(b"\n", text.index(word)) + 1
        self.unread = text[end:]
        return text[:end]

    def close_writing(self):
        os.close(self.writing)


async def fill(server):
    """Has the server log its state until lines are dropped. Returns how often."""
    count = 0
    while count % 50 or not server.metric(DROPPED):
        server.signal(signal.SIGUSR1)
        server.get("/health/live")  # the signal has arrived when this is answered
        count += 1
    return count


async def test_stuck_pipe(here):
    """a server serves on while the pipe of its messages is full, and says later how many it dropped"""
    pipe = Pipe()
    with Single(here, stdout=pipe.writing) as server:
        pipe.close_writing()
        pipe.read_until(b"clients connect to")
        await server.ready()
        sent = await fill(server)
        dropped = server.metric(DROPPED)
        assert dropped >= 1
        assert "ready" in server.get("/health/ready")

        text = pipe.read_until(b" were not written").decode()
        said = int(re.search(r"warning +(\d+) lines were not written", text)[1])
        written = text.count("the state of this server: ")
        assert said == dropped and written + said == sent, (said, dropped, written, sent)
        server.signal(signal.SIGUSR1)
        pipe.read_until(b"the state of this server: {")


async def test_end_with_stuck_pipe(here):
    """a server whose messages nobody reads stops within its time"""
    pipe = Pipe()
    with Single(here, stdout=pipe.writing) as server:
        pipe.close_writing()
        pipe.read_until(b"clients connect to")
        await server.ready()
        await fill(server)
        server.signal(signal.SIGTERM)
        assert server.ended() == 0


async def test_final_message(here):
    """the reason of an end is written to standard error, if standard output takes nothing"""
    pipe = Pipe()
    with open(here / "errors", "wb") as errors, \
            Single(here, "--logSegmentBytes=1048576", stdout=pipe.writing, stderr=errors) as server:
        pipe.close_writing()
        pipe.read_until(b"clients connect to")
        await server.ready()
        server.url = f"ws://127.0.0.1:{server.port}/v1"
        client = await Client.open(server)
        await fill(server)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            await client.call("create", path="/a", data="x" * 500_000)
        except (ConnectionError, OSError):
            pass
        assert server.ended() == 4
        said = (here / "errors").read_text()
        assert "the log cannot be written" in said and "ulimit -f" in said, said


async def test_reader_gone(here):
    """a server whose messages have no reader any more serves on, and counts them"""
    pipe = Pipe()
    with Single(here, stdout=pipe.writing) as server:
        pipe.close_writing()
        pipe.read_until(b"clients connect to")
        await server.ready()
        os.close(pipe.reading)
        server.signal(signal.SIGUSR1)
        await until(lambda: server.metric(DROPPED) >= 1, "the line is counted")
        server.signal(signal.SIGTERM)
        assert server.ended() == 0


async def test_nonblocking(here):
    """no line is lost if another process makes the pipe of the messages non-blocking"""
    pipe = Pipe()
    os.set_blocking(pipe.writing, False)
    with Single(here, stdout=pipe.writing) as server:
        pipe.close_writing()
        text = pipe.read_until(b"clients connect to")
        await server.ready()
        for _ in range(50):
            server.signal(signal.SIGUSR1)
            server.get("/health/live")
        server.signal(signal.SIGTERM)
        text += pipe.read_until(b"    stopped")
        assert text.count(b"the state of this server: {") == 50
        assert server.ended() == 0


async def test_full_disk(here):
    """a server whose messages meet a full disk serves on, and counts them"""
    with open("/dev/full", "wb") as full, Single(here, stdout=full, stderr=full) as server:
        await server.ready()
        assert server.metric(DROPPED) >= 1
        server.signal(signal.SIGTERM)
        assert server.ended() == 0


async def test_stopped_terminal(here):
    """a server on a terminal that takes no output serves on"""
    master, terminal = pty.openpty()
    with Single(here, stdout=terminal, stderr=terminal) as server:
        await server.ready()
        await fill(server)
        os.close(terminal)
        os.close(master)  # the terminal is gone
        server.get("/health/live")
        server.signal(signal.SIGTERM)
        assert server.ended() == 0


async def test_closed_streams(here):
    """messages never go to a file that was opened in place of a closed standard stream"""
    def close_streams():
        for stream in (0, 1, 2):
            os.close(stream)

    with Single(here, before=close_streams) as server:
        await server.ready()
        streams = [os.readlink(f"/proc/{server.process.pid}/fd/{stream}") for stream in (0, 1, 2)]
        assert streams == ["/dev/null"] * 3, streams
        server.signal(signal.SIGTERM)
        assert server.ended() == 0


for test in (test_stuck_pipe, test_end_with_stuck_pipe, test_final_message, test_reader_gone, test_nonblocking,
             test_full_disk, test_stopped_terminal, test_closed_streams):
    with tempfile.TemporaryDirectory(prefix="zabkeeper-") as directory:
        run(test, pathlib.Path(directory))
