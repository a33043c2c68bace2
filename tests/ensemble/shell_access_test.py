"""`zab acl` and `zab quota`: who may do what, and how much."""

import asyncio
import json
import subprocess

from harness import BIN, TIMEOUT, Client, Ensemble, Refused, run

EXIT_USAGE, EXIT_NO_NODE, EXIT_BAD_VERSION, EXIT_NO_AUTH, EXIT_NO_SERVER = 2, 3, 5, 7, 8
ANN = ("--auth", "digest:ann:secret")


async def zab(server, *words, **options):
    """The result of a command; output and errors are text."""
    url = getattr(server, "url", server)
    return await asyncio.to_thread(subprocess.run, [BIN / "zab", "--server", url, *words],
                                   capture_output=True, text=True, timeout=TIMEOUT, **options)


async def acls(server, client):
    """acl get prints what acl set takes, and names stand for common ACLs"""
    await client.call("create", path="/acl", data="x")
    assert (await zab(server, "acl", "get", "/acl")).stdout == "world:anyone:cdrwa\n"
    done = await zab(server, *ANN, "acl", "set", "/acl", "creator", "read-only", "ip:::1:rw")
    assert done.returncode == 0 and done.stdout == "", done
    entries = (await zab(server, *ANN, "acl", "get", "/acl")).stdout.splitlines()
    assert entries[0].startswith("digest:ann:") and entries[1:] == ["world:anyone:r", "ip:::1:rw"], entries
    assert (await zab(server, *ANN, "acl", "set", "/acl", *entries)).returncode == 0
    assert (await zab(server, *ANN, "acl", "get", "/acl")).stdout.splitlines() == entries
    reply = json.loads((await zab(server, "--json", "acl", "get", "/acl")).stdout)
    assert reply["acl"][0]["id"] == "ann:x" and reply["stat"]["aversion"] == 2, reply
    assert (await zab(server, *ANN, "acl", "set", "-v", "2", "/acl", "creator")).returncode == 0
    for words, code, reason in (
            ((*ANN, "acl", "set", "-v", "2", "/acl", "creator"), EXIT_BAD_VERSION, "another version"),
            (("acl", "set", "/acl", "open"), EXIT_NO_AUTH, "not allowed"),
            (("acl", "get", "/acl"), EXIT_NO_AUTH, "not allowed"),
            (("acl", "set", "/acl", "creator"), EXIT_NO_AUTH, "needs an authenticated connection"),
            (("acl", "set", "/acl", "ip:nowhere:r"), EXIT_NO_AUTH, "InvalidAcl"),
            (("acl", "set", "/acl", "friends"), EXIT_USAGE, 'not "friends"'),
            (("acl", "set", "-r", "-v", "1", "/acl", "open"), EXIT_USAGE, "excludes"),
            (("acl", "set", "/acl"), EXIT_USAGE, "ACL is required"), (("acl",), EXIT_USAGE, "required"),
            (("acl", "get", "/none"), EXIT_NO_NODE, "no such node"),
            (("acl", "set", "-r", "/none", "open"), EXIT_NO_NODE, "no such node")):
        done = await zab(server, *words)
        assert done.returncode == code and reason in done.stderr, (words, done)


async def acls_of_a_subtree(server, client):
    """acl set -r sets the ACL of every node, even if its client may not read them afterwards"""
    await client.call("create", path="/deep/" + "/".join("abcdefgh"), parents=True)
    await client.call("create", path="/deep/two words/ключ", parents=True)
    await client.call("multi", ops=[{"op": "create", "path": f"/deep/a/n{i}"} for i in range(900)])
    nodes = (await client.call("count", path="/deep"))["count"] + 1
    other = "digest:ben:" + "h" * 27 + "="
    done = await zab(server, "acl", "set", "-r", "/deep", f"{other}:cdrwa", "world:anyone:a")
    assert done.returncode == 0 and done.stdout == f"set the ACL of {nodes} nodes\n", done
    for path in ("/deep", "/deep/a/b/c/d/e/f/g/h", "/deep/two words/ключ", "/deep/a/n899"):
        try:
            await client.call("get", path=path)
            raise AssertionError(path)
        except Refused as error:
            assert error.name == "NoAuth"
    # Nodes that may not be listed are reported, and the others are changed.
    await client.call("setAcl", path="/deep", acl=[{"scheme": "world", "id": "anyone", "perms": "cdrwa"}])
    done = await zab(server, "--json", "acl", "set", "-r", "/deep", "open")
    assert done.returncode == EXIT_NO_AUTH and "/deep/a and 1 more: not allowed" in done.stderr, done
    assert json.loads(done.stdout) == {"set": 3, "refused": 2}, done


async def quotas(server, client):
    """quota set limits a subtree, and quota get shows its use"""
    await client.call("create", path="/app", data="12345")
    done = await zab(server, "quota", "get", "/app")
    assert done.returncode == EXIT_NO_NODE and "has no quota" in done.stderr, done
    assert (await zab(server, "quota", "set", "--nodes", "2", "/app")).returncode == 0
    assert (await zab(server, "create", "/app/a")).returncode == 0
    done = await zab(server, "create", "/app/b")
    assert done.returncode == 1 and "countHardLimit=2" in done.stderr, done
    assert (await zab(server, "quota", "set", "--bytes", "100", "/app")).returncode == 0
    lines = [line.split() for line in (await zab(server, "quota", "get", "/app")).stdout.splitlines()]
    assert lines == [["USED", "LIMIT"], ["nodes", "2", "2"], ["bytes", "5", "100"]], lines
    assert (await zab(server, "quota", "set", "--nodes", "none", "/app")).returncode == 0
    shown = json.loads((await zab(server, "--json", "quota", "get", "/app")).stdout)
    assert shown == {"path": "/app", "nodes": {"used": 2, "limit": None}, "bytes": {"used": 5, "limit": 100}}, shown
    assert (await zab(server, "create", "/app/b")).returncode == 0
    # The soft limits that other clients have set stay.
    limits = "/zookeeper/quota/app/zookeeper_limits"
    await client.call("set", path=limits, data="count=7,byteHardLimit=100")
    assert (await zab(server, "quota", "set", "--bytes", "none", "/app")).returncode == 0
    assert (await client.call("get", path=limits))["data"] == "count=7"
    await client.call("set", path=limits, data="byteHardLimit=100")
    for _ in range(2):
        assert (await zab(server, "quota", "set", "--bytes", "none", "/app")).returncode == 0
    assert (await zab(server, "quota", "get", "/app")).returncode == EXIT_NO_NODE
    for words, code in ((("set", "/app"), EXIT_USAGE), (("set", "--nodes", "many", "/app"), EXIT_USAGE),
                        (("set", "--nodes", "-1", "/app"), EXIT_USAGE), (("set", "--nodes", "1"), EXIT_USAGE),
                        (("set", "--nodes", "1", "/"), EXIT_NO_AUTH), (("get", "/none"), EXIT_NO_NODE)):
        done = await zab(server, "quota", *words)
        assert done.returncode == code and done.stderr, (words, done)
    done = await zab("ws://127.0.0.1:1", "--timeout-ms", "300", "quota", "get", "/app")
    assert done.returncode == EXIT_NO_SERVER, done


async def test():
    """`zab acl` and `zab quota` set who may do what, and how much"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        await acls(server, client)
        await acls_of_a_subtree(server, client)
        await quotas(server, client)


run(test)
