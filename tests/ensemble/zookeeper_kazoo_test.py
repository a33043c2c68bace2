"""kazoo, a client of ZooKeeper, with real servers: unchanged, and beside a client of our own."""

import asyncio
import threading

from harness import Client, Ensemble, run, until
from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, ConnectionLoss, NoNodeError
from kazoo.security import make_digest_acl


def hosts(ensemble):
    return ",".join(f"127.0.0.1:{server.web_port}" for server in ensemble.servers)


def basics(kazoo):
    kazoo.ensure_path("/kazoo/a")
    assert kazoo.create("/kazoo/a/n-", b"1", sequence=True) == "/kazoo/a/n-0000000000"
    kazoo.set("/kazoo/a", b"two", version=0)
    try:
        kazoo.set("/kazoo/a", b"three", version=0)
        raise AssertionError("the version is old")
    except BadVersionError:
        pass
    data, stat = kazoo.get("/kazoo/a")
    assert (data, stat.version, stat.numChildren) == (b"two", 1, 1)
    results = kazoo.transaction()
    results.create("/kazoo/t", b"t")
    results.check("/kazoo/none", -1)
    results.delete("/kazoo/t")
    done = results.commit()
    assert isinstance(done[1], NoNodeError) and not kazoo.exists("/kazoo/t"), done
    kazoo.create("/kazoo/mine", b"secret", acl=[make_digest_acl("ann", "pw", all=True)])
    kazoo.add_auth("digest", "ann:pw")
    assert kazoo.get("/kazoo/mine")[0] == b"secret"


def locks(ensemble):
    """Several clients count under a lock, which only one of them holds at a time."""
    held, counted = [], []

    def count():
        kazoo = KazooClient(hosts(ensemble), timeout=5)
        kazoo.start()
        for _ in range(5):
            with kazoo.Lock("/locks/one"):
                held.append(kazoo)
                assert held == [kazoo]
                value = int(kazoo.get("/locks/count")[0])
                kazoo.set("/locks/count", str(value + 1).encode())
                held.remove(kazoo)
                counted.append(1)
        kazoo.stop()
        kazoo.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(counted) == 20


def goes_on(kazoo):
    """Whether kazoo is connected. This call may be the first to notice a lost connection."""
    try:
        return kazoo.connected and kazoo.exists("/kazoo/e")
    except ConnectionLoss:
        return False


async def test():
    """kazoo reads, writes, locks and watches, and survives the loss of its server"""
    async with Ensemble(3) as ensemble:
        kazoo = KazooClient(hosts(ensemble), timeout=5)
        kazoo.start()
        await asyncio.to_thread(basics, kazoo)
        kazoo.create("/locks/count", b"0", makepath=True)
        await asyncio.to_thread(locks, ensemble)
        assert kazoo.get("/locks/count")[0] == b"20"

        # Each client sees the other's ephemeral nodes. Its watches fire for the other's writes.
        ours = await Client.open(ensemble.leader())
        await ours.call("create", path="/ours", data="1", ephemeral=True)
        await ours.call("watch", path="/kazoo", scope="subtree")
        seen = []
        kazoo.DataWatch("/ours", lambda data, stat: seen.append(data))
        await until(lambda: seen == [b"1"], "kazoo reads our node")
        await ours.call("set", path="/ours", data="2")
        await until(lambda: seen == [b"1", b"2"], "kazoo's watch has fired")
        kazoo.create("/kazoo/e", ephemeral=True)
        event = await ours.event()
        assert (event["event"], event["path"]) == ("created", "/kazoo/e"), event
        owner = (await ours.call("get", path="/kazoo/e"))["stat"]["ephemeralOwner"]
        assert int(owner, 16) == kazoo.client_id[0]

        # kazoo's session and its watches go on with another server.
        port = kazoo._connection._socket.getpeername()[1]
        next(server for server in ensemble.servers if server.web_port == port).kill()
        await until(lambda: goes_on(kazoo), "kazoo goes on")
        ours = await Client.open(ensemble.leader())
        owner = (await ours.call("get", path="/kazoo/e"))["stat"]["ephemeralOwner"]
        assert int(owner, 16) == kazoo.client_id[0]
        await ours.call("delete", path="/ours") if seen[-1] is not None else None
        await until(lambda: seen[-1] is None, "kazoo's watch tells of the deletion")
        kazoo.stop()
        kazoo.close()
        assert not (await ours.call("exists", path="/kazoo/e")).get("stat")
        await ours.close()


run(test)
