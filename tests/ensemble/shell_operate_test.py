"""`zab sessions`, `watches`, `checkpoint`, `locks`, `status --watch`, `doctor` and `debug`."""

import asyncio
import json
import os
import pathlib
import pty
import signal
import subprocess
import tarfile
import tempfile

from harness import BIN, Client, Ensemble, run, until
from shell_processes import Shell

EXIT_OTHER, EXIT_USAGE, EXIT_NO_NODE, EXIT_NO_AUTH, EXIT_NO_SERVER, EXIT_CLOSED_PIPE = 1, 2, 3, 7, 8, 141


def zab(servers, *words):
    return subprocess.run([BIN / "zab", "--server", servers, *words], capture_output=True, text=True,
                          timeout=30)


def lines_of(done):
    assert done.returncode == 0, done
    return [json.loads(line) for line in done.stdout.splitlines()]


async def lists_sessions(ensemble):
    """sessions are listed in several pages, with the facts that only their clients' servers know"""
    clients = [await Client.open(ensemble.servers[i % 3]) for i in range(520)]
    await clients[7].call("create", path="/seven", ephemeral=True)
    await clients[7].call("watch", path="/", scope="subtree")
    listed = {each["session"]: each for each in lines_of(zab(ensemble.urls(), "--json", "sessions"))}
    assert len(listed) == 520
    for i, client in enumerate(clients):
        own = listed[client.session]
        assert own["address"] == "127.0.0.1" and own["timeoutMs"] == client.timeout_ms, own
        assert own["server"] == ensemble.servers[i % 3].id and own["outstanding"] == 0, own
        assert (own["ephemerals"], own["watches"]) == ((1, 1) if i == 7 else (0, 0)), own
    at = lines_of(zab(ensemble.urls(), "--json", "sessions", "--at", "2"))
    assert len(at) == 173 and {each["server"] for each in at} == {2}
    raw = zab(ensemble.urls(), "--output", "raw", "sessions").stdout.splitlines()
    assert sorted(line.split("\t")[0] for line in raw) == sorted(listed), raw
    table = zab(ensemble.urls(), "sessions").stdout.splitlines()
    assert table[0].split() == ["SESSION", "TIMEOUT", "SERVER", "ADDRESS", "EPHEMERALS", "WATCHES",
                                "OUTSTANDING"]
    assert len(table) == 521 and [line[:16] for line in table[1:]] == sorted(listed)
    # Of the sessions of another server, only their existence is known.
    half = lines_of(zab(ensemble.servers[0].url, "--json", "sessions"))
    assert len(half) == 520 and sum("address" in each for each in half) == 174
    piped = subprocess.run(f"{BIN / 'zab'} --server {ensemble.urls()} sessions | head -1; echo ${{PIPESTATUS[0]}}",
                           shell=True, executable="/bin/bash", capture_output=True, text=True)
    assert piped.stdout.splitlines()[-1] in ("0", str(EXIT_CLOSED_PIPE)) and not piped.stderr, piped
    return clients


async def kills_sessions(ensemble, clients):
    """a killed session has ended on every server, although its client is alive"""
    killed, other = clients[7], clients[10]
    done = zab(ensemble.urls(), "sessions", "kill", killed.session, other.session)
    assert done.returncode == 0, done
    assert done.stdout == "".join(f"session {each.session} has ended\n" for each in (killed, other)), done
    for client in (killed, other):
        assert await asyncio.wait_for(client.others.get(), 10) == {"op": "expired"}
    assert (await clients[8].call("exists", path="/seven", consistency="linearizable"))["stat"] is None
    again = zab(ensemble.urls(), "sessions", "kill", killed.session)
    assert again.returncode == EXIT_OTHER and "is not open" in again.stderr, again
    # Only the leader ends sessions. The shell finds it among the servers of --server.
    follower = ensemble.followers()[0]
    lost = zab(follower.url, "sessions", "kill", clients[8].session)
    assert lost.returncode == EXIT_NO_SERVER and "is the leader" in lost.stderr, lost
    assert f"an operator has ended session {killed.session}" in ensemble.leader().log()
    for words, says in ((("kill",), "ID is required"), (("kill", "12"), "16 hex digits"), (("murder",), "usage"),
                        (("--at", "x"), "usage")):
        wrong = zab(ensemble.urls(), "sessions", *words)
        assert wrong.returncode == EXIT_USAGE and says in wrong.stderr, wrong


async def lists_watches(ensemble, clients):
    """the paths with the most watches are found among very many"""
    busy = clients[0]
    await asyncio.gather(*[busy.call("watch", path=f"/many/{i}", scope="node") for i in range(1500)])
    for i, client in enumerate(clients[11:41]):
        await client.call("watch", path="/a ü b", scope="node")
        if i % 3 == 0:
            await client.call("watch", path="/a ü b", scope="subtree")
    servers = lines_of(zab(ensemble.urls(), "--json", "watches", "--top", "2"))[0]
    assert [each["server"] for each in servers] == ensemble.urls().split(",")
    assert sum(each["watches"] for each in servers) == 1540
    for each in servers:
        assert each["paths"][0] == {"path": "/a ü b", "subtree": False, "watches": 10}, each
    assert servers[0]["watchedPaths"] > 1500
    table = zab(ensemble.urls(), "watches", "--top", "4").stdout.splitlines()
    assert sorted(line.split()[:2] for line in table[6:]) == [["10", "node"]] * 3 + [["10", "subtree"]], table
    assert table[6].endswith("/a ü b")
    for top in ("0", "101", "x"):
        assert zab(ensemble.urls(), "watches", "--top", top).returncode == EXIT_USAGE


async def takes_checkpoints(ensemble):
    """every server takes a checkpoint of what it has applied"""
    taken = lines_of(zab(ensemble.urls(), "--json", "checkpoint"))[0]
    for server, each in zip(ensemble.servers, taken, strict=True):
        assert each["zxid"] == server.status()["checkpoint"]["zxid"] != "0" * 16, each
        assert server.status()["checkpoint"]["behind"] == 0
    table = zab(ensemble.urls() + ",ws://127.0.0.1:1", "checkpoint")
    assert table.returncode == EXIT_NO_SERVER and "refused" in table.stdout.splitlines()[-1], table


async def shows_locks(ensemble, client):
    """holders and those that wait are shown in their order, for each kind of lock"""
    urls = ensemble.urls()
    await client.call("create", path="/l/of two ü", data="2", parents=True)
    for kind in ("lease-", "lease-", "lease-"):
        await client.call("create", path="/l/of two ü/" + kind, ephemeral=True, sequential=True, data="a b")
    await client.call("create", path="/l/deep/rw", parents=True)
    for kind in ("read-", "write-", "read-"):
        await client.call("create", path="/l/deep/rw/" + kind, ephemeral=True, sequential=True,
                          data64="AP8=")
    await client.call("create", path="/l/deep/plain")
    shown = lines_of(zab(urls, "--json", "locks", "/l/of two ü"))
    assert [(each["holds"], each["ahead"]) for each in shown] == [(True, 0), (True, 0), (False, 1)], shown
    assert {each["session"] for each in shown} == {client.session}
    assert shown[0]["data"] == "a b" and shown[0]["token"] < shown[1]["token"], shown
    raw = zab(urls, "--output", "raw", "locks", "/l/of two ü").stdout.splitlines()
    assert [line.split("\t")[4] for line in raw] == [each["node"] for each in shown], raw
    table = zab(urls, "locks", "-R", "/l").stdout.splitlines()
    assert [line.split()[:2] for line in table[1:]] == [
        ["holds", shown[0]["ctime"] and table[1].split()[1]], ["waits", "1"], ["waits", "1"],
        *[["holds", table[4].split()[1]]] * 2, ["waits", "1"]], table
    assert "(2 bytes)" in table[1] and "/l/of two ü/lease-0000000000" in table[4], table
    # A long queue is read in pages.
    await client.call("create", path="/l/long")
    for start in range(0, 1200, 400):
        await client.call("multi", ops=[{"op": "create", "path": "/l/long/lock-", "ephemeral": True, "sequential": True}
                                        for _ in range(400)])
    long = lines_of(zab(urls, "--json", "locks", "/l/long"))
    assert [each["ahead"] for each in long] == list(range(1200))
    nobody = zab(urls, "locks", "/l/deep/plain")
    assert nobody.returncode == 0 and not nobody.stdout and "nobody holds" in nobody.stderr, nobody
    missing = zab(urls, "locks", "/none")
    assert missing.returncode == EXIT_NO_NODE and "no such node" in missing.stderr, missing


async def repeats_the_status(ensemble):
    """status --watch prints a table again and again; a terminal shows the last one only"""
    shell = Shell(ensemble.servers, "status", "--watch", "--interval", "0.1")
    await until(lambda: sum(line.startswith("SERVER ") for line in shell.out) >= 3, "three tables")
    shell.process.send_signal(signal.SIGINT)
    assert await shell.end() == 0 and not shell.err, shell.err
    assert not any("\x1b" in line for line in shell.out)
    rows = [line.split() for line in shell.out if line.startswith("ws://")]
    assert all("free" in row and row[-1] and "ms" in row for row in rows), rows
    master, terminal = pty.openpty()
    process = subprocess.Popen([BIN / "zab", "--server", ensemble.urls(), "status", "--watch", "--interval", "0.1"],
                               stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    os.close(terminal)
    shown = b""
    while shown.count(b"\x1b[H\x1b[J") < 3:
        shown += await asyncio.to_thread(os.read, master, 65536)
    process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(process.wait, 10) == 0
    os.close(master)
    assert b"leader" in shown and b"\\x1b" not in shown, shown
    json_lines = Shell(ensemble.servers, "--json", "status", "--watch", "--interval", "0.1")
    await until(lambda: len(json_lines.out) >= 2, "two lines")
    json_lines.process.send_signal(signal.SIGINT)
    assert await json_lines.end() == 0
    assert all(len(json.loads(line)) == 3 for line in json_lines.out)


async def examines(ensemble):
    """the doctor finds nothing wrong with a healthy ensemble, and then what is wrong"""
    def checks(done):
        return {(each["severity"], each["check"]) for each in json.loads(done.stdout)} - {("warning", "files"),
                ("warning", "disk"), ("error", "disk"), ("warning", "sync"), ("error", "sync")}

    healthy = zab(ensemble.urls(), "--json", "doctor")
    assert checks(healthy) == set() and healthy.returncode in (0, EXIT_OTHER), healthy
    assert (healthy.returncode == 0) == (healthy.stdout == "[]\n"), healthy
    follower = ensemble.followers()[0]
    follower.kill()
    await until(lambda: checks(zab(ensemble.urls(), "--json", "doctor")) ==
                {("error", "unreachable"), ("warning", "quorum")}, "the lost server is found")
    table = zab(ensemble.urls(), "doctor")
    assert table.returncode == EXIT_OTHER and "one more failure" in table.stdout, table
    ensemble.leader().kill()
    await until(lambda: ("error", "leader") in checks(zab(ensemble.urls(), "--json", "doctor")), "no leader")
    nobody = zab("ws://127.0.0.1:1", "doctor")
    assert nobody.returncode == EXIT_NO_SERVER and "there is no status" in nobody.stdout, nobody


async def reports(ensemble):
    """the archive for a bug report has what the servers show, and no secret and no name"""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "report.tar.gz"
        done = zab(ensemble.urls() + ",ws://127.0.0.1:1", "debug", str(path))
        assert done.returncode == 0 and done.stdout == f"{path}\n", done
        assert "no status: Connection refused" in done.stderr, done
        assert path.stat().st_mode & 0o777 == 0o600
        with tarfile.open(path) as archive:
            files = {name.split("/", 1)[1]: archive.extractfile(name).read().decode() for name in archive.getnames()}
        kinds = [sum(name.endswith(end) for name in files) for end in
                 ("/status.json", "/metrics.txt", "/configuration.json", ".missing")]
        assert kinds == [3, 3, 3, 3], files.keys()
        assert "there is no status" in files["doctor.txt"] and "0.2.0" in files["servers.txt"]
        text = "".join(files.values())
        assert "(hidden)" in text and '"tickTime"' in text, files.keys()
        for secret in ("c2VjcmV0", "/many/", "ü"):
            assert secret not in text, secret
        again = zab(ensemble.urls(), "debug", str(path))
        assert again.returncode == EXIT_OTHER and "exists already" in again.stderr, again
        nowhere = zab(ensemble.urls(), "debug", directory + "/none/report.tar.gz")
        assert nowhere.returncode == EXIT_OTHER and "No such file" in nowhere.stderr, nowhere
        refused = zab(ensemble.urls(), "--auth", "digest:a:b", "debug", directory + "/2.tar.gz")
        assert refused.returncode == 0 and "no configuration: this is not" in refused.stderr, refused
        full = subprocess.run(["bash", "-c", f"ulimit -f 1; {BIN / 'zab'} --server {ensemble.urls()} debug {directory}/3.tar.gz"],
                              capture_output=True, text=True)
        assert full.returncode in (EXIT_OTHER, 128 + signal.SIGXFSZ), full
        named = subprocess.run([BIN / "zab", "--server", ensemble.urls(), "debug"], cwd=directory,
                               capture_output=True, text=True)
        assert named.returncode == 0 and (pathlib.Path(directory) / named.stdout.strip()).exists(), named


async def refuses_others(ensemble):
    """commands without authority have an exit code of their own, and are counted"""
    for words in (("sessions",), ("watches",), ("checkpoint",), ("sessions", "kill", "0" * 15 + "1")):
        done = zab(ensemble.urls(), "--auth", "digest:root:wrong", *words)
        assert done.returncode == EXIT_NO_AUTH and "superDigest" in done.stderr + done.stdout, done
        alone = zab("ws://127.0.0.1:1", *words)
        assert alone.returncode == EXIT_NO_SERVER, alone
    metrics = zab(ensemble.urls(), "metrics", "zabkeeper_operator_requests_total").stdout
    counts = dict(line.rsplit(" ", 1) for line in metrics.split("#")[1].splitlines()[1:])
    assert int(counts['zabkeeper_operator_requests_total{command="refused"}']) >= 3, counts
    assert int(counts['zabkeeper_operator_requests_total{command="sessions"}']) >= 6, counts
    # Nothing that names a session or a path is on the open pages.
    for page in ("/status", "/metrics"):
        text = ensemble.servers[0].http(page)[1]
        assert "/many/" not in text and "ü" not in text


async def test():
    """operators list and end sessions, list watches, and take checkpoints"""
    async with Ensemble(3, maxClientCnxns=0, maxSessionTimeout=60000,
                        superDigest="root:c2VjcmV0c2VjcmV0c2VjcmV0c2U=") as ensemble:
        clients = await lists_sessions(ensemble)
        await kills_sessions(ensemble, clients)
        await lists_watches(ensemble, clients)
        await takes_checkpoints(ensemble)
        await shows_locks(ensemble, clients[1])
        await refuses_others(ensemble)
        await repeats_the_status(ensemble)
        await reports(ensemble)
        await examines(ensemble)


run(test)
