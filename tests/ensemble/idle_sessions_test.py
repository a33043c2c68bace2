"""The memory of idle sessions."""

import json

from harness import Ensemble, run
from rfc6455 import TEXT, Raw, frame

SESSIONS = 1500
KIB_EACH = 10  # of the three servers together


def resident_kib(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


async def opened(server):
    raw = await Raw.to(server)
    raw.send(frame(TEXT, b'{"op":"connect","timeoutMs":40000}'))
    opcode, payload = await raw.next()
    assert opcode == TEXT and json.loads(payload)["op"] == "connected", payload
    return raw


async def test():
    """an idle session uses little memory on its server and on the others"""
    async with Ensemble(3, tickTime=2000, maxClientCnxns=0, maxClientSessions=0,
                        clientSessionsPerSecond=0) as ensemble:
        # The first sessions are not measured: they cause allocations that happen only once.
        connections = [await opened(ensemble.servers[n % 3]) for n in range(150)]
        before = sum(map(resident_kib, ensemble.servers))
        connections += [await opened(ensemble.servers[n % 3]) for n in range(SESSIONS)]
        each = (sum(map(resident_kib, ensemble.servers)) - before) / SESSIONS
        print(f"{each:.1f} KiB each")
        assert each < KIB_EACH, each
        for raw in connections:
            raw.end()


run(test)
