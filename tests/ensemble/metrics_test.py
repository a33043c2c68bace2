"""GET /metrics: Prometheus' text format, the names of docs/metrics.md, and numbers that move as they should."""

import asyncio
import math
import os
import pathlib
import re

from harness import Client, Ensemble, Refused, run, until

PAGE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"]) / "docs" / "metrics.md"
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def parse(text):
    """{family: (type, {(name, ((label, value), ...)): number})}, or an assertion about the text."""
    assert text.endswith("\n")
    families, family = {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family, help_text = line[7:].split(" ", 1)
            assert family not in families, f"{family} is there twice"
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
            assert key not in samples, f"{line} is there twice"
            samples[key] = float(number)
    return families


def check(families):
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
    check(families)
    return {key: value for _, samples in families.values() for key, value in samples.items()}, families


def read(server):
    samples, _ = scrape(server)

    def of(name, **labels):
        return samples[("zabkeeper_" + name if not name.startswith("process_") else name,
                        tuple(sorted(labels.items())))]

    return of


def documented():
    names = re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", PAGE.read_text(), re.M)
    assert len(names) == len(dict(names)), "a name is there twice"
    return dict(names)


async def test():
    """the metrics of three servers are well formed, documented, and true"""
    async with Ensemble(3) as ensemble:
        leader, follower = ensemble.leader(), ensemble.followers()[0]
        _, families = scrape(leader)
        shown = {name: kind for name, (kind, _) in families.items()}
        assert shown == documented(), set(shown.items()) ^ set(documented().items())

        before = {s.id: read(s) for s in ensemble.servers}
        client = await Client.open(follower)
        for n in range(20):
            await client.do("create", path=f"/n{n}", data="x" * 100, ephemeral=n < 5)
        for n in range(10):
            await client.do("get", path=f"/n{n}")
        await client.do("get", path="/n1", consistency="linearizable")
        await client.do("watch", path="/n19", scope="node")
        await client.do("set", path="/n19", data="y")
        for op, error in (("get", "NoNode"), ("delete", "NoNode"), ("frobnicate", "BadArguments")):
            try:
                await client.do(op, path="/nothing")
            except Refused as refused:
                assert refused.name == error
        await until(lambda: all(s.status()["zxid"] == leader.status()["zxid"] for s in ensemble.servers),
                    "all are level")
        # What a quorum has may be applied before this server's own disk has it.
        await until(lambda: all(read(s)("queue_length", queue="log_writes") == 0 for s in ensemble.servers),
                    "all is written")

        here, there = read(follower), read(leader)
        old, led = before[follower.id], before[leader.id]

        def grew(now, then, name, **labels):
            return now(name, **labels) - then(name, **labels)

        # What the client asked of the follower, counted there.
        assert grew(here, old, "client_requests_total", op="create") == 20
        assert grew(here, old, "client_requests_total", op="get") == 12
        assert grew(here, old, "client_requests_total", op="connect") == 1
        assert grew(here, old, "client_requests_total", op="malformed") == 1
        assert grew(here, old, "client_errors_total", error="NoNode") == 2
        assert grew(here, old, "client_errors_total", error="BadArguments") == 1
        assert grew(here, old, "client_request_duration_seconds_count", kind="write") == 22
        assert grew(here, old, "client_request_duration_seconds_count", kind="quorum") == 1
        assert grew(here, old, "client_request_duration_seconds_count", kind="local") == 13
        assert grew(here, old, "client_received_frames_total") == 37
        assert grew(here, old, "client_received_bytes_total") > 20 * 100
        assert grew(here, old, "client_watch_events_total") == 1
        assert here("client_sent_bytes_total") > old("client_sent_bytes_total")
        assert here("client_connections") == 1 and there("client_connections") == 0
        assert here("client_outstanding_requests") == 0
        assert here("watches") == 1

        # What it came to, on the leader and on both.
        assert grew(there, led, "proposals_total") == 22  # a session, 20 nodes, a change
        assert grew(there, led, "commit_duration_seconds_count") == 22
        assert there("commit_duration_seconds_sum") > 0
        assert grew(here, old, "proposals_total") == 0
        for now, then in ((here, old), (there, led)):
            assert grew(now, then, "applied_total") == 22
            assert grew(now, then, "tree_nodes") == 20
            assert grew(now, then, "tree_data_bytes") == 19 * 100 + 1
            assert now("tree_ephemerals") == 5
            assert now("sessions") == 1
            assert grew(now, then, "sessions_total", event="opened") == 1
            assert grew(now, then, "log_writes_total") > 0
            assert grew(now, then, "log_written_bytes_total") > 20 * 100
            assert grew(now, then, "log_sync_duration_seconds_count") == grew(now, then, "log_writes_total")
            zxid = int(follower.status()["zxid"], 16)
            for point in ("proposed", "committed", "applied"):
                assert now("zxid_epoch", point=point) == zxid >> 40
                assert now("zxid_counter", point=point) == zxid & (1 << 40) - 1
            assert now("outstanding_proposals") == now("lag_transactions") == 0
            assert now("log_segments") >= 1 and now("log_bytes") > 0
            assert 0 < now("disk_free_bytes") <= now("disk_size_bytes")
            assert now("leader_id") == leader.id and now("serving") == 1
            assert now("process_resident_memory_bytes") > 1e6
            assert 0 < now("process_open_fds") < now("process_max_fds")
            assert math.isclose(now("process_start_time_seconds"),
                                os.stat(f"/proc/{leader.process.pid}").st_ctime, abs_tol=60)
        assert there("role", role="leader") == 1 and here("role", role="follower") == 1
        assert there("role", role="follower") == 0
        peer = str(follower.id)
        assert there("peer_connected", peer=peer) == 1
        assert grew(there, led, "peer_sent_bytes_total", peer=peer) > 20 * 100
        assert grew(there, led, "peer_received_frames_total", peer=peer) > 20

        # The leader dies: the time without one is counted, and over.
        elections = here("elections_total")
        leader.kill()
        await until(lambda: follower.ready() and follower.status()["leader"] not in (None, leader.id),
                    "there is a new leader")
        after = read(follower)
        assert after("elections_total") > elections
        assert grew(after, here, "without_leader_duration_seconds_count") >= 1
        assert after("without_leader_seconds_total") > here("without_leader_seconds_total")
        assert after("peer_connected", peer=str(leader.id)) == 0
        await client.close()

    async with Ensemble(1, maxOutstandingRequests=4) as alone:
        server = alone.servers[0]
        _, families = scrape(server)
        assert {name: kind for name, (kind, _) in families.items()} == documented()

        # Too much at once is throttled, and answered all the same.
        client = await Client.open(server, 1000)
        asked = [await client.ask("create", path=f"/n{n}", ephemeral=True) for n in range(100)]
        await asyncio.gather(*asked)
        now = read(server)
        assert now("client_throttled_total") >= 1 and now("client_throttled_connections") == 0
        assert now("tree_ephemerals") == 100

        # A session that nobody comes back to expires, and what it owned goes.
        await client.drop()
        await until(lambda: read(server)("sessions_total", event="expired") == 1, "it expires")
        now = read(server)
        assert now("sessions") == now("tree_ephemerals") == now("client_connections") == 0
        assert now("sessions_total", event="closed") == 0


run(test)
