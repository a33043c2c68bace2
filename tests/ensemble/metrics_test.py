"""GET /metrics: Prometheus' text format, the names of docs/metrics.md, and the values."""

import asyncio
import math
import os
import pathlib
import re

from harness import Client, Ensemble, Refused, run, until
from programs import GREATEST

PAGE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"]) / "docs" / "metrics.md"
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def parse(text):
    """{family: (type, {(name, ((label, value), ...)): number})}. Asserts that the text is well formed."""
    assert text.endswith("\n")
    families, family = {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family, help_text = line[7:].split(" ", 1)
            assert family not in families, f"{family} appears twice"
            assert help_text.endswith("."), line
            families[family] = [None, {}]
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == family and families[name][0] is None, line
            assert kind in ("counter", "gauge", "histogram"), line
            families[name][0] = kind
        else:
            match = SAMPLE.match(line)
            assert match, f"not a sample: {line!r}"
            name, _, labels, number = match.groups()
            kind, samples = families[family]
            suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            assert name in [family + suffix for suffix in suffixes], line
            pairs = LABEL.findall(labels or "")
            assert not labels or LABEL.sub("", labels) == "", line
            key = (name, tuple(sorted(pairs)))
            assert key not in samples, f"{line} appears twice"
            samples[key] = float(number)
    return families


def check_values(families):
    for family, (kind, samples) in families.items():
        assert family.endswith("_total") == (kind == "counter"), (family, kind)
        if kind == "counter":
            assert all(value >= 0 for value in samples.values()), family
        if kind != "histogram":
            continue
        series = {}
        for (name, labels), value in samples.items():
            rest = tuple(pair for pair in labels if pair[0] != "le")
            bound = dict(labels).get("le")
            series.setdefault(rest, {})[bound if bound else name[len(family):]] = value
        for each in series.values():
            count, total = each.pop("_count"), each.pop("_sum")
            bounds = sorted(each, key=float)
            counts = [each[bound] for bound in bounds]
            assert bounds[-1] == "+Inf" and counts[-1] == count, (family, each)
            assert counts == sorted(counts), (family, "is not cumulative", each)
            assert total >= 0 and (count > 0 or total == 0), family


def scrape(server):
    status, text = server.http("/metrics")
    assert status == 200
    families = parse(text)
    check_values(families)
    return {key: value for _, samples in families.values() for key, value in samples.items()}, families


def read(server):
    samples, _ = scrape(server)

    def of(name, **labels):
        return samples[("zabkeeper_" + name if not name.startswith("process_") else name,
                        tuple(sorted(labels.items())))]

    return of


def documented():
    names = re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", PAGE.read_text(), re.M)
    assert len(names) == len(dict(names)), "a name appears twice"
    return dict(names)


def difference(now, before):
    """A function: how much a metric has grown between two scrapes."""
    return lambda name, **labels: now(name, **labels) - before(name, **labels)


async def use(client):
    """22 writes, 11 local reads that succeed and some requests that fail."""
    for n in range(20):
        await client.call("create", path=f"/n{n}", data="x" * 100, ephemeral=n < 5)
    for n in range(10):
        await client.call("get", path=f"/n{n}")
    await client.call("get", path="/n1", consistency="linearizable")
    await client.call("watch", path="/n19", scope="node")
    await client.call("set", path="/n19", data="y")
    for op, error in (("get", "NoNode"), ("delete", "NoNode"), ("frobnicate", "BadArguments")):
        try:
            await client.call(op, path="/nothing")
        except Refused as refused:
            assert refused.name == error


def check_clients(now, grown):
    """The metrics of the server that the client uses."""
    assert grown("client_requests_total", op="create") == 20
    assert grown("client_requests_total", op="get") == 12
    assert grown("client_requests_total", op="connect") == 1
    assert grown("client_requests_total", op="malformed") == 1
    assert grown("client_errors_total", error="NoNode") == 2
    assert grown("client_errors_total", error="BadArguments") == 1
    assert grown("client_request_duration_seconds_count", kind="write") == 22
    assert grown("client_request_duration_seconds_count", kind="quorum") == 1
    assert grown("client_request_duration_seconds_count", kind="local") == 13
    assert grown("client_received_frames_total") == 37
    assert grown("client_received_bytes_total") > 20 * 100
    assert grown("client_watch_events_total") == 1
    assert grown("client_sent_bytes_total") > 0
    assert grown("proposals_total") == 0
    assert now("client_connections") == 1
    assert now("client_outstanding_requests") == 0
    assert now("watches") == 1


def check_leader(now, grown, follower):
    assert grown("proposals_total") == 22  # a session, 20 nodes, a change
    assert grown("commit_duration_seconds_count") == 22
    assert now("commit_duration_seconds_sum") > 0
    assert now("client_connections") == 0
    assert now("role", role="leader") == 1 and now("role", role="follower") == 0
    peer = str(follower.id)
    assert now("peer_connected", peer=peer) == 1
    assert grown("peer_sent_bytes_total", peer=peer) > 20 * 100
    assert grown("peer_received_frames_total", peer=peer) > 20


def check_replica(now, grown, leader):
    """The metrics that the leader and the followers have in common."""
    assert grown("applied_total") == 22
    assert grown("tree_nodes") == 20
    assert grown("tree_data_bytes") == 19 * 100 + 1
    assert now("tree_ephemerals") == 5
    assert now("sessions") == 1
    assert grown("sessions_total", event="opened") == 1
    assert grown("log_writes_total") > 0
    assert grown("log_written_bytes_total") > 20 * 100
    assert grown("log_sync_duration_seconds_count") == grown("log_writes_total")
    zxid = int(leader.status()["zxid"], 16)
    for point in ("proposed", "committed", "applied"):
        assert now("zxid_epoch", point=point) == zxid >> 40
        assert now("zxid_counter", point=point) == zxid & (1 << 40) - 1
    assert now("outstanding_proposals") == now("lag_transactions") == 0
    assert now("log_segments") >= 1 and now("log_bytes") > 0
    assert 0 < now("disk_free_bytes") <= now("disk_size_bytes")
    assert now("leader_id") == leader.id and now("serving") == 1
    assert now("process_resident_memory_bytes") > 1e6
    assert 1e5 < now("memory_allocated_bytes") <= now("memory_active_bytes")
    assert 0 < now("process_open_fds") < now("process_max_fds")
    assert math.isclose(now("process_start_time_seconds"),
                        os.stat(f"/proc/{leader.process.pid}").st_ctime, abs_tol=60)


async def three_servers():
    """the metrics of three servers are well formed, documented and right"""
    async with Ensemble(3) as ensemble:
        leader, follower = ensemble.leader(), ensemble.followers()[0]
        _, families = scrape(leader)
        shown = {name: kind for name, (kind, _) in families.items()}
        assert shown == documented(), set(shown.items()) ^ set(documented().items())

        # The first transaction of a new ensemble raises its level.
        await until(lambda: all(read(s)("level") == GREATEST for s in ensemble.servers),
                    f"all servers are at level {GREATEST}")
        before = {server: read(server) for server in ensemble.servers}
        client = await Client.open(follower)
        await use(client)
        await until(lambda: all(s.status()["zxid"] == leader.status()["zxid"] for s in ensemble.servers),
                    "all servers have the same zxid")
        # A server may apply a transaction that a quorum has before its own disk has it.
        await until(lambda: all(read(s)("queue_length", queue="log_writes") == 0 for s in ensemble.servers),
                    "all log writes are finished")

        after = {server: read(server) for server in ensemble.servers}
        grown = {server: difference(after[server], before[server]) for server in ensemble.servers}
        check_clients(after[follower], grown[follower])
        check_leader(after[leader], grown[leader], follower)
        for server in (leader, follower):
            check_replica(after[server], grown[server], leader)
        assert after[follower]("role", role="follower") == 1

        # A killed leader: the time without a leader is counted, and ends.
        leader.kill()
        await until(lambda: follower.ready() and follower.status()["leader"] not in (None, leader.id),
                    "there is a new leader")
        last = read(follower)
        grown = difference(last, after[follower])
        assert grown("elections_total") > 0
        assert grown("without_leader_duration_seconds_count") >= 1
        assert grown("without_leader_seconds_total") > 0
        assert last("peer_connected", peer=str(leader.id)) == 0
        await client.close()


async def standalone():
    """the metrics of a standalone server: the same names, throttled requests and an expired session"""
    async with Ensemble(1, maxOutstandingRequests=4) as alone:
        server = alone.servers[0]
        _, families = scrape(server)
        assert {name: kind for name, (kind, _) in families.items()} == documented()

        # Too many requests at once are throttled, and all are answered.
        client = await Client.open(server, 1000)
        futures = [await client.send("create", path=f"/n{n}", ephemeral=True) for n in range(100)]
        await asyncio.gather(*futures)
        now = read(server)
        assert now("client_throttled_total") >= 1 and now("client_throttled_connections") == 0
        assert now("tree_ephemerals") == 100

        # A session without a connection expires, and its ephemeral nodes are deleted.
        await client.drop()
        await until(lambda: read(server)("sessions_total", event="expired") == 1, "the session expires")
        now = read(server)
        assert now("sessions") == now("tree_ephemerals") == now("client_connections") == 0
        assert now("sessions_total", event="closed") == 0


run(three_servers)
run(standalone)
