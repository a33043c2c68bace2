"""Other mounts around a program: data directories on other file systems, and another /etc/hosts.

The mounts are in a mount namespace of this test. Needs root."""

import contextlib
import ctypes
import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

from harness import BIN, TIMEOUT, Client, Ensemble, run, until
from network import SKIPPED
from single import Single

READ_ONLY, NO_ACCESS_TIMES, BIND, RECURSIVE, PRIVATE = 1, 1024, 1 << 12, 1 << 14, 1 << 18
LIBC = ctypes.CDLL(None, use_errno=True)


def check_call(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source, target, kind=None, flags=0, options=None):
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind, options)]
    check_call(LIBC.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]))


@contextlib.contextmanager
def mounted(*arguments, **options):
    mount(*arguments, **options)
    try:
        yield
    finally:
        check_call(LIBC.umount2(os.fsencode(arguments[1]), 2))  # MNT_DETACH


def hosts(here, text):
    """`with hosts(...)`: /etc/hosts is this text."""
    (here / "hosts").write_text(text)
    return mounted(here / "hosts", "/etc/hosts", flags=BIND)


def folder(path):
    path.mkdir()
    return path


def refused(*arguments):
    """What a server that cannot start says."""
    ended = subprocess.run([BIN / "zabkeeper", "--webPort=0", *map(str, arguments)], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT)
    assert ended.returncode == 3, ended
    return ended.stdout


def get(host, port, page):
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    connection.request("GET", page)
    return connection.getresponse().status


async def test_all_addresses(here):
    """if webAddress is a name, clients reach a server on all its addresses that this machine has"""
    with hosts(here, "127.0.0.1 both.test\n127.0.0.2 both.test\n192.0.2.1 both.test\n"):
        with Single(here, "--webAddress=both.test") as server:
            await server.ready()
            for host in ("127.0.0.1", "127.0.0.2"):
                assert get(host, server.port, "/health/live") == 200, host
            assert "clients cannot use its address 192.0.2.1" in server.log()
            assert "on this machine, so clients" in server.log()
            server.signal(signal.SIGTERM)
            assert server.ended() == 0


async def test_loopback_name(here):
    """a webAddress that is a name of this machine alone, as on Debian, is a warning"""
    with hosts(here, "127.0.0.1 localhost\n127.0.1.1 debian.test\n"):
        with Single(folder(here / "own"), "--webAddress=debian.test") as server:
            await until(server.listening_port, "it listens")
            await until(lambda: "clients connect to" in server.log(), "it serves")
            assert ("webAddress=debian.test is 127.0.1.1 on this machine, so clients on other machines cannot "
                    "connect: correct /etc/hosts, or set webAddress=0.0.0.0\n") in server.log()
        for address in ("localhost", "127.0.0.1"):
            with Single(folder(here / address), f"--webAddress={address}") as server:
                await server.ready()
                assert "on this machine, so clients" not in server.log(), address


@contextlib.contextmanager
def black_hole(host, port):
    """An address that does not answer: a listener whose queue is full."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect((host, port))
        yield


async def test_silent_address(here):
    """an address of a name that does not answer does not hide the others from the shell"""
    with hosts(here, "127.0.0.1 two.test\n127.0.0.2 two.test\n"):
        with Single(here, "--webAddress=127.0.0.2", "--allowedHosts=two.test") as server:
            port = await until(server.listening_port, "it listens")
            await until(lambda: get("127.0.0.2", port, "/health/ready") == 200, "it serves")
            assert socket.getaddrinfo("two.test", port, type=socket.SOCK_STREAM)[0][4][0] == "127.0.0.1"
            with black_hole("127.0.0.1", port):
                done = subprocess.run([BIN / "zab", "--server", f"ws://two.test:{port}", "status"],
                                      capture_output=True, text=True, timeout=TIMEOUT)
                assert done.returncode == 0 and "standalone" in done.stdout, done


async def test_peer_with_two_addresses(here):
    """servers link with one whose name has two addresses, one of which its machine lacks"""
    with hosts(here, "127.0.0.1 localhost\n192.0.2.1 two.test\n127.0.0.1 two.test\n"):
        async with Ensemble(3, start=False) as ensemble:
            for server in ensemble.servers:
                text = server.config.read_text()
                server.config.write_text(re.sub(r"^(server\.2)=127\.0\.0\.1:", r"\1=two.test:", text, flags=re.M))
                server.start()
            await ensemble.all_ready()
            second = ensemble.servers[1]
            await until(lambda: all(peer["connected"] for peer in second.status()["peers"] if peer["id"] != 2),
                        "all are linked")


async def test_unusable_disks(here):
    """a data directory that is read-only, full or without inodes is an error that names a file"""
    data = folder(here / "data")
    for flags, options, words in ((READ_ONLY, None, "Read-only file system"),
                                  (0, "nr_inodes=2", "No space left on device"),
                                  (0, "size=4k", "No space left on device")):
        with mounted("tmpfs", data, "tmpfs", flags=flags, options=options):
            said = refused("--dataDir", data)
            assert words in said and str(data) in said, said


async def keeps_data(data, *arguments):
    """A server with this data directory keeps what was acknowledged when it is killed."""
    for number in (1, 2):
        with Single(data, *arguments) as server:
            await server.ready()
            server.url = f"ws://127.0.0.1:{server.port}/v1"
            client = await Client.open(server)
            await client.call("create", path=f"/{number}", data="kept")
            server.post("/admin/checkpoint")
            await client.call("create", path=f"/{number}/after")
            for earlier in range(1, number + 1):
                for path in (f"/{earlier}", f"/{earlier}/after"):
                    assert (await client.call("exists", path=path))["stat"], path
            await client.drop()


async def test_other_file_systems(here):
    """a server keeps its data on an overlay, and on a disk without access times"""
    disk, below = folder(here / "disk"), folder(here / "below")
    with mounted("tmpfs", disk, "tmpfs", flags=NO_ACCESS_TIMES):
        await keeps_data(folder(disk / "plain"))
        for name in ("upper", "work", "merged"):
            (disk / name).mkdir()
        options = f"lowerdir={below},upperdir={disk / 'upper'},workdir={disk / 'work'}"
        with mounted("overlay", disk / "merged", "overlay", options=options):
            await keeps_data(disk / "merged")


try:
    check_call(LIBC.unshare(0x20000))  # CLONE_NEWNS
    mount(None, "/", flags=RECURSIVE | PRIVATE)
except OSError as reason:
    print(f"skipped: cannot mount in a namespace: {reason}")
    sys.exit(SKIPPED)
for test in (test_all_addresses, test_loopback_name, test_silent_address, test_peer_with_two_addresses,
             test_unusable_disks, test_other_file_systems):
    with tempfile.TemporaryDirectory(prefix="zabkeeper-") as made:
        run(test, pathlib.Path(made))
