"""Thousands of connections and sessions write few lines to the log, and keep no health check,
operator or peer out.

usage: places_test.py [CASE]..."""

import http.client
import re
import sys
import time

from bystander import PATIENT, beside
from greedy import Crowd, frame, metric
from harness import TIMEOUT, Ensemble, run, until

ADDRESSES = 20


def lines(ensemble):
    return [len(server.log().splitlines()) for server in ensemble.servers]


def most_new(before, ensemble):
    return max(now - then for then, now in zip(before, lines(ensemble)))


async def expiring_sessions():
    """10,000 sessions that expire, and 10,000 broken greetings, write fewer than 100 lines"""
    async with Ensemble(3, maxClientCnxns=0, maxSessionTimeout=20_000, **PATIENT) as ensemble:
        leader = ensemble.leader()
        before = lines(ensemble)
        async with beside(leader, "10,000 sessions expire"):
            crowds = [Crowd(leader, 1000, ADDRESSES).upgrade().connect(timeoutMs=20_000)
                      for _ in range(10)]
            for crowd in crowds:  # so that all sessions expire at the same time
                crowd.send(frame({"op": "ping"}))
            for crowd in crowds:
                crowd.close()
            expired = 'sessions_total{event="expired"}'
            await until(lambda: metric(leader, expired) >= 10_000, "10,000 sessions expire",
                        timeout=3 * TIMEOUT)
        written = most_new(before, ensemble)
        print(f"{written} lines for 10,000 sessions")
        assert written < 100, leader.log()
        await until(lambda: "more like it" in leader.log(), "the other lines are counted")

        before, began = lines(ensemble), time.monotonic()
        async with beside(leader, "10,000 broken greetings"):
            for number in range(100):
                crowd = Crowd(leader, 100, ADDRESSES, port=peer_port(leader))
                with_junk(crowd, bytes([number]) * 40)
                crowd.close()
        written, seconds = most_new(before, ensemble), time.monotonic() - began
        print(f"{written} lines for 10,000 greetings")
        assert written < max(100, 11 * seconds), leader.log()
        assert len({server.status()["epoch"] for server in ensemble.servers}) == 1


def with_junk(crowd, junk):
    for one in crowd.sockets:
        try:
            one.send(junk)
        except ConnectionError:
            pass


def peer_port(server):
    return int(re.search(rf"^server\.{server.id}=[^:]*:(\d+);", server.config.read_text(), re.M)[1])


def command(server, name):
    connection = http.client.HTTPConnection(server.host, server.web_port, timeout=10)
    connection.request("POST", f"/admin/{name}")
    return connection.getresponse().status


async def all_places_taken():
    """thousands of connections from many addresses keep no health check, operator or peer out"""
    async with Ensemble(3, maxCnxns=1000, maxClientCnxns=100, **PATIENT) as ensemble:
        leader, follower = ensemble.leader(), ensemble.followers()[0]
        epoch = leader.status()["epoch"]
        async with beside(leader, "all places taken"):
            crowds = [Crowd(leader, 3000, 60), Crowd(leader, 500, 20, port=peer_port(leader))]
            for path in ("/health/live", "/health/ready", "/status", "/metrics"):
                assert leader.http(path)[0] == 200, path
            # There is nothing to do: that is what the answer says.
            assert command(leader, f"level?to={leader.status()['level']}") == 409
            follower.kill()
            follower.start()
            await until(follower.ready, "a follower is admitted and synchronized")
            assert follower.status()["leader"] == leader.id
        assert leader.status()["epoch"] == epoch
        for crowd in crowds:
            crowd.close()


for test in (expiring_sessions, all_places_taken):
    if test.__name__ in (sys.argv[1:] or [test.__name__]):
        run(test)
