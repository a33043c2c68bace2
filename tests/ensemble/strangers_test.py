"""Strangers at the peer port, a double of a server, and a server whose lines differ: none of them
disturbs the others, and each costs a line in the log."""

import asyncio
import re
import socket

from harness import Ensemble, Server, free_ports, run, until

REFUSED = "no link over a connection to the peer port"


def peer_port(server):
    return int(re.search(rf"^server\.{server.id}=[^:]+:(\d+)", server.config.read_text(), re.M)[1])


def refused(server, reason):
    page = server.http("/metrics")[1]
    return int(re.search(rf'peer_port_refused_total{{reason="{reason}"}} (\d+)', page)[1])


def connect(port):
    stranger = socket.create_connection(("127.0.0.1", port))
    stranger.setblocking(False)
    return stranger


async def flood(port, silent):
    """Keeps 64 silent connections open, and makes another one every ten milliseconds."""
    while True:
        silent.append(connect(port))
        while len(silent) > 64:
            silent.pop(0).close()
        await asyncio.sleep(0.01)


async def strangers(one, three):
    port = peer_port(one)
    silent = []
    flooding = asyncio.create_task(flood(port, silent))
    await until(lambda: len(silent) == 64, "64 connections are open")
    three.kill()
    three.start()
    await until(three.ready, "a server is linked in spite of the strangers")
    flooding.cancel()
    for stranger in silent:
        stranger.close()
    assert refused(one, "displaced") > 0

    before = refused(one, "refused")
    for _ in range(50):
        connect(port).close()
    await until(lambda: refused(one, "refused") >= before + 50, "the checks are counted")
    assert one.log().count(REFUSED) < 5, one.log()


async def double(one, three, ensemble):
    """Another process with the id of server 3, at another address."""
    peer, web = free_ports(2)
    config = ensemble.directory / "double.cfg"
    text = three.config.read_text().replace("data3", "double")
    text = re.sub(r"^webPort=.*$", f"webPort={web}", text, flags=re.M)
    config.write_text(re.sub(r"^(server\.3=[^:]+:).*$", rf"\g<1>{peer};{web}", text, flags=re.M))
    other = Server("double", config, web, ensemble.directory)
    epoch, before = one.status()["epoch"], refused(one, "refused")
    other.start()
    try:
        said = "two servers say that they are server 3"
        await until(lambda: said in other.log(), "the double is told why")
        await until(lambda: said in one.log(), "the others say so")
        await until(lambda: refused(one, "refused") > before + 5, "it is refused again and again")
        assert re.search(rf"{said}: one is linked from [0-9.:]+ \(process [0-9a-f]+\), the other one",
                         other.log()), other.log()
        assert one.log().count(said) == 1, one.log()
        assert one.status()["epoch"] == epoch
        assert three.ready()
    finally:
        other.kill()


async def different_lines(one, three):
    three.terminate()
    three.config.write_text(three.config.read_text() + "weight.2=2\n")
    before = refused(one, "refused")
    three.start()
    reason = "server 3 and server 1 have different server lines in their configurations"
    await until(lambda: f"server 1 refuses this server: {reason}" in three.log(), "it is told why")
    await until(lambda: refused(one, "refused") > before + 5, "it is refused again and again")
    assert three.log().count(reason) == 1, three.log()
    assert one.log().count(reason) == 1, one.log()


async def test():
    """strangers, a duplicate id and a server with different server lines disturb no link, and get one log line each"""
    async with Ensemble(3) as ensemble:
        one, _, three = ensemble.servers
        await strangers(one, three)
        await double(one, three, ensemble)
        await different_lines(one, three)


run(test)
