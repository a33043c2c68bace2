"""What surrounds a program refuses something: no program aborts, and each says what to do."""

import asyncio
import http.client
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error

from harness import BIN, TIMEOUT, Client
from single import Single

NOBODY = 65534


def start(*arguments, program="zabkeeper", before=None, directory=None, environment=None):
    """(exit code, output)"""
    path = pathlib.Path(program) if "/" in str(program) else BIN / program
    ended = subprocess.run([path, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, errors="replace", timeout=TIMEOUT, preexec_fn=before, cwd=directory,
                           stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    return ended.returncode, ended.stdout


def check(code, *words, of):
    assert of[0] == code, of
    for word in words:
        assert word in of[1], f"{word!r} is not in: {of[1]}"


def no_threads():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setuid(NOBODY)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def test_files(here):
    """files of the configuration that are directories, too large or unreadable are errors with a name"""
    lines = ["--server.1=127.0.0.1:1", "--server.2=127.0.0.1:2", "--server.3=127.0.0.1:3"]
    (here / "folder/myid").mkdir(parents=True)
    check(2, f"cannot read {here}/folder/myid: it is a directory", of=start(*lines, "--dataDir", here / "folder"))
    check(2, f"cannot read {here}/folder/myid: it is a directory", of=start("--dataDir", here / "folder"))
    check(2, f"cannot read the dynamicConfigFile {here}/folder: it is a directory",
          of=start("--dynamicConfigFile", here / "folder", "--dataDir", here / "d"))
    check(2, f"cannot read the configuration file {here}/folder: it is a directory", of=start(here / "folder"))
    check(2, "there is no such file", of=start(here / "none.cfg"))
    check(2, "larger than 1 MiB", of=start("/dev/zero"))
    (here / "binary.cfg").write_bytes(bytes(range(256)) * 10)
    check(2, "is not key=value", of=start(here / "binary.cfg"))
    (here / "logs/lock").mkdir(parents=True)
    check(3, f"{here}/logs/lock", "directory", of=start("--webPort=0", "--dataDir", here / "logs"))
    (here / "data/checkpoint").mkdir(parents=True)
    with Single(here) as server:
        asyncio.run(server.ready())
        assert "renamed to" in server.log() and (here / "data/checkpoint.damaged").is_dir()
    check(3, "File name too long", of=start("--webPort=0", "--dataDir", here / ("x" * 300)))


def test_working_directory(here):
    """without a working directory an absolute dataDir works, and a relative one is an error"""
    gone = here / "gone"

    def leave():
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()

    check(3, "the working directory, which is gone", "set an absolute path",
          of=start("--webPort=0", before=leave))
    check(3, "the working directory, which is gone", of=start("--webPort=0", "--dataDir=data", before=leave))
    with Single(here, before=leave) as server:
        asyncio.run(server.ready())


def test_threads(here):
    """without threads a server and the shell end with an error message, and do not abort"""
    here.chmod(0o777)
    for name in ("zabkeeper", "zab"):
        shutil.copy(BIN / name, here)  # to a place where any user may run it
    check(1, "zab: the system refused", "ulimit -u",
          of=start("--server", "ws://127.0.0.1:1/v1", "get", "/", program=here / "zab", before=no_threads))
    check(3, "the thread that writes", "cannot be started", "ulimit -u", "TasksMax=",
          of=start("--webPort=0", "--dataDir", here / "d", program=here / "zabkeeper", before=no_threads))


def test_umask(here):
    """a server that creates files which its user may not open keeps its data"""
    def hide():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setuid(NOBODY)
        os.umask(0o777)

    here.chmod(0o777)
    program = shutil.copy(BIN / "zabkeeper", here)  # to a place where any user may run it
    for _ in range(2):
        process = subprocess.Popen([program, "--webPort=0", f"--dataDir={here / 'd'}"], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, preexec_fn=hide)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "clients connect to" in line:
                process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=TIMEOUT) == 0 and "stopped\n" in lines[-1], lines


def test_memory(here):
    """without memory a server ends with an error message, and does not abort"""
    for mebibytes in (200, 300, 600, 1000, 1300):
        def little(limit=mebibytes << 20):
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        process = subprocess.Popen([BIN / "zabkeeper", "--webPort=0", "--dataDir", here / f"d{mebibytes}"],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=little)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "clients connect to" in line:
                process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=TIMEOUT) in (0, 3), (mebibytes, process.returncode, lines)
        if process.returncode == 3:
            assert "emory" in lines[-1], lines


async def fill_checkpoint(server):
    await server.ready()
    server.url = f"ws://127.0.0.1:{server.port}/v1"
    client = await Client.open(server)
    for number in range(20):
        await client.call("create", path=f"/{number}", data="x" * 50_000)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    try:
        server.post("/admin/checkpoint")
        raise AssertionError("the checkpoint has no limit")
    except urllib.error.HTTPError as refused:
        said = refused.read().decode()
        assert refused.code == 503 and "ulimit -f keeps the file from growing" in said, said
    await client.call("create", path="/after")
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    server.post("/admin/checkpoint")
    await client.close()


def test_file_size(here):
    """a limit of file sizes that stops a checkpoint does not stop the server"""
    with Single(here, "--logSegmentBytes=65536") as server:
        asyncio.run(fill_checkpoint(server))


def test_locales(here):
    """the locale, the time zone and variables in another encoding have no effect"""
    for environment in ({"LC_ALL": "xx_XX.nothing"}, {"LC_ALL": "tr_TR.UTF-8", "TZ": "No/Where"},
                        {"TZ": ":/dev/zero"}, {"ZABKEEPER_ALLOWED_HOSTS": os.fsdecode(b"caf\xe9")},
                        {os.fsdecode(b"ZABKEEPER_\xff"): os.fsdecode(b"\xfe")}, {"HOME": "", "PATH": ""}):
        with Single(here, environment={**os.environ, **environment}) as server:
            asyncio.run(server.ready())


def test_service_variables(here):
    """variables that Kubernetes sets for services are ignored, and the log names the one of a key"""
    variables = {"ZABKEEPER_WEB_PORT": "tcp://10.96.0.7:2180", "ZABKEEPER_WEB_SERVICE_HOST": "10.96.0.7",
                 "ZABKEEPER_WEB_PORT_2180_TCP_ADDR": "10.96.0.7", "ZABKEEPER_SERVER_1_PORT": "tcp://10.96.0.8:1"}
    with Single(here, environment={**os.environ, **variables}) as server:
        asyncio.run(server.ready())
        assert "because Kubernetes sets it for a service: ZABKEEPER_WEB_PORT=tcp://10.96.0.7:2180\n" in server.log()


def test_absolute_targets(here):
    """a target in absolute form, as proxies write it, is accepted, and its host counts"""
    def status(target, host, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
        connection.putrequest(method, target, skip_host=True)
        if host:
            connection.putheader("Host", host)
        connection.endheaders()
        return connection.getresponse().status

    with Single(here) as server:
        asyncio.run(server.ready())
        own = f"127.0.0.1:{server.port}"
        assert status(f"http://{own}/health/ready", own) == 200
        assert status(f"HTTP://localhost/health/ready?x=1", own) == 200
        assert status(f"http://{own}", own) == 200
        assert status(f"http://{own}?x=1", own) == 200
        assert status(f"http://{own}/none", own) == 404
        assert status(f"http://{own}/health/ready", "evil.example") == 200
        assert status("http://evil.example/health/ready", own) == 421
        assert status("http://user@localhost/health/ready", own) == 421
        assert status("http:///health/ready", own) == 421
        assert status(f"http://{own}/health/ready", None) == 400
        assert status(f"ftp://{own}/health/ready", own) == 404
        assert status(f"http://{own}/admin/checkpoint", own, "POST") == 200


def test_other_protocols(here):
    """a client that speaks TLS or another protocol to the web port gets an answer at once"""
    with Single(here) as server:
        asyncio.run(server.ready())
        for first in (b"\x16\x03\x01\x00\xc8\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                      b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(first)
                assert connection.recv(4096).startswith(b"HTTP/1.1 400 "), first


def test_output(here):
    """help that cannot be written is an error, and the message says why"""
    for option in ("--help", "--version"):
        with open("/dev/full", "w") as full:
            ended = subprocess.run([BIN / "zabkeeper", option], stdout=full, stderr=subprocess.PIPE, text=True,
                                   timeout=TIMEOUT)
        assert ended.returncode == 3, ended
        assert ended.stderr == "zabkeeper: cannot write to standard output: No space left on device\n", ended


for test in (test_files, test_working_directory, test_threads, test_umask, test_memory, test_file_size, test_locales,
             test_service_variables, test_absolute_targets, test_other_protocols, test_output):
    with tempfile.TemporaryDirectory(prefix="zabkeeper-") as made:
        test(pathlib.Path(made))
    print("passed:", test.__doc__)
