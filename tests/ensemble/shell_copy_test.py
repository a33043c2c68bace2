"""`zab cp` and `zab mv`: whole subtrees in one transaction, and no change that is lost."""

import asyncio
import json
import subprocess

from harness import BIN, TIMEOUT, Client, Ensemble, Refused, run

EXIT_OTHER, EXIT_USAGE, EXIT_NO_NODE, EXIT_EXISTS, EXIT_NO_AUTH = 1, 2, 3, 4, 7
AUTH = ("--auth", "digest:ann:secret")


async def zab(server, *words, **options):
    """The result of a command; output and errors are text."""
    return await asyncio.to_thread(subprocess.run, [BIN / "zab", "--server", server.url, *words],
                                   capture_output=True, text=True, timeout=TIMEOUT, **options)


async def refused(server, *words):
    """The exit code and the error of a command that prints nothing."""
    done = await zab(server, *words)
    assert done.stdout == "" and done.stderr, (words, done)
    return done.returncode, done.stderr


async def create_tree(client, path, acl=None):
    ops = [{"op": "create", "path": f"{path}{end}", "data": f"data of {end}", **fields} for end, fields in (
        ("", {}), ("/two words", {}), ("/ключ", {"container": True}), ("/ключ/🔑", {"ttlMs": 600000}),
        ("/own", {"acl": acl} if acl else {}))]
    await client.call("multi", ops=ops)


async def facts(client, path, node=""):
    """Data, kind and ACL of each node of a subtree."""
    got = await client.call("get", path=path + node)
    acl = (await client.call("getAcl", path=path + node))["acl"]
    found = {node: (got["data"], got["stat"].get("container"), got["stat"].get("ttlMs"), acl)}
    for name in (await client.call("children", path=path + node))["children"]:
        found |= await facts(client, path, f"{node}/{name}")
    return found


async def copies(server, client):
    """cp copies a node, or a subtree in one transaction, with kinds and ACLs"""
    await create_tree(client, "/tree", acl=[{"scheme": "auth", "perms": "cdrwa"}])
    before = await facts(client, "/tree")
    done = await zab(server, *AUTH, "cp", "-r", "/tree", "/copy")
    assert done.returncode == 0 and done.stdout.startswith("copied 5 nodes in one transaction, as of 0"), done
    assert await facts(client, "/copy") == before == await facts(client, "/tree")
    zxids = {(await client.call("exists", path=f"/copy{node}"))["stat"]["czxid"] for node in before}
    assert len(zxids) == 1, zxids
    done = await zab(server, "cp", "/tree", "/alone")
    assert done.returncode == 0 and "-r copies them too" in done.stderr, done
    assert list(await facts(client, "/alone")) == [""]
    done = await zab(server, *AUTH, "--json", "cp", "-r", "-p", "/tree", "/far/away/copy")
    assert json.loads(done.stdout)["nodes"] == 5 and json.loads(done.stdout)["atomic"] is True, done
    # An ephemeral node is left out below, and becomes persistent alone.
    await client.call("create", path="/alone/me", ephemeral=True)
    done = await zab(server, "cp", "-r", "/alone", "/alone2")
    assert done.returncode == 0 and "1 ephemeral node is left out" in done.stderr, done
    done = await zab(server, "cp", "/alone/me", "/me")
    assert done.returncode == 0, done
    assert (await client.call("exists", path="/me"))["stat"]["ephemeralOwner"] == "0" * 16
    # Errors change nothing.
    nodes = (await client.call("count", path="/"))["count"]
    for words, code, reason in (
            (("-r", "/tree", "/copy"), EXIT_EXISTS, "/copy: already exists"),
            (("/none", "/new"), EXIT_NO_NODE, "/none: no such node"),
            (("/tree", "/none/new"), EXIT_NO_NODE, "-p creates missing parents"),
            (("-r", "/tree", "/tree/a"), EXIT_USAGE, "/tree/a is below /tree"),
            (("-r", "/", "/all"), EXIT_USAGE, "/all is below /"),
            (("/tree", "/tree"), EXIT_USAGE, "is the same node"), (("/tree",), EXIT_USAGE, "TO is required"),
            (("/tree/own", "/new"), EXIT_NO_AUTH, "/tree/own"), (("/tree", "/zookeeper/x"), EXIT_USAGE, "reserved")):
        found = await refused(server, "cp", *words)
        assert found[0] == code and reason in found[1], (words, found)
    assert (await client.call("count", path="/"))["count"] == nodes
    done = await zab(server, "cp", "-r", "/tree", "/partly")
    assert done.returncode == EXIT_NO_AUTH and "/tree/own: not allowed" in done.stderr, done


async def moves(server, client):
    """mv moves a subtree in one transaction, or refuses to"""
    before = await facts(client, "/copy")
    done = await zab(server, *AUTH, "mv", "/copy", "/moved")
    assert done.returncode == 0 and done.stdout == "moved 5 nodes in one transaction\n", done
    assert await facts(client, "/moved") == before
    assert (await client.call("exists", path="/copy"))["stat"] is None
    for words, code, reason in (
            (("/moved", "/tree"), EXIT_NO_AUTH, "/moved/own: not allowed"),
            (("/alone2", "/tree"), EXIT_EXISTS, "/tree: already exists"),
            (("/none", "/new"), EXIT_NO_NODE, "/none: no such node"), (("/", "/new"), EXIT_USAGE, "cannot be moved"),
            (("/alone2", "/none/new"), EXIT_NO_NODE, "-p creates missing parents"),
            (("/alone", "/new"), EXIT_USAGE, "/alone/me is ephemeral")):
        found = await refused(server, "mv", *words)
        assert found[0] == code and reason in found[1], (words, found)
    assert await facts(client, "/moved") == before


async def many_nodes(server, client):
    """a subtree that is too large for one transaction is copied in parts, and moved only if asked to"""
    await client.call("create", path="/large")
    for first in range(0, 3_000, 1000):
        await client.call("multi", ops=[{"op": "create", "path": f"/large/n{i:05}", "data": f"{i}"}
                                        for i in range(first, first + 1000)])
    done = await zab(server, "cp", "-r", "/large", "/large2")
    assert done.returncode == 0 and "copied 3001 nodes in many transactions, as of 0" in done.stdout, done
    code, reason = await refused(server, "mv", "/large2", "/large3")
    assert code == EXIT_OTHER and "--in-parts" in reason, reason
    done = await zab(server, "--json", "mv", "--in-parts", "/large2", "/large3")
    assert json.loads(done.stdout) == {"nodes": 3001, "atomic": False}, done
    assert (await client.call("exists", path="/large2"))["stat"] is None
    assert (await client.call("count", path="/large3"))["count"] == 3_000
    assert (await client.call("get", path="/large3/n02999"))["data"] == "2999"
    async with Ensemble(1, maxMultiOps=20) as small:
        there = await Client.open(small.servers[0])
        await there.call("create", path="/a")
        for i in range(50):
            await there.call("create", path=f"/a/{i}")
        done = await zab(small.servers[0], "cp", "-r", "/a", "/b")
        assert "copied 51 nodes in many transactions" in done.stdout, done
        done = await zab(small.servers[0], "mv", "--in-parts", "/a", "/c")
        assert done.returncode == 0, done
        assert (await there.call("count", path="/c"))["count"] == 50
        await there.close()


async def move_of_a_tree_that_changes(server, client):
    """no write is lost that was acknowledged while mv moves the node"""
    last = {}

    async def write(path, round_):
        number = 0
        try:
            while True:
                await client.call("set", path=f"{path}/counter", data=str(number))
                last[path] = str(number)
                number += 1
                if number % 7 == 0:
                    await client.call("create", path=f"{path}/n{round_}-{number}")
                    last[path, "nodes"] = last.get((path, "nodes"), 0) + 1
                await asyncio.sleep(0.001 * (round_ % 5))
        except Refused as error:
            assert error.name == "NoNode", error

    outcomes = []
    for round_ in range(15):
        path, target = f"/busy{round_}", f"/still{round_}"
        await client.call("create", path=f"{path}/counter", parents=True)
        writer = asyncio.create_task(write(path, round_))
        done = await zab(server, "mv", path, target)
        outcomes.append(done.returncode)
        if done.returncode != 0:
            assert done.returncode == EXIT_OTHER and "changes all the time" in done.stderr, done
            assert (await client.call("exists", path=target))["stat"] is None
            writer.cancel()
            continue
        await writer
        if path in last:
            assert (await client.call("get", path=f"{target}/counter"))["data"] == last[path]
        children = (await client.call("children", path=target))["children"]
        assert len(children) == 1 + last.get((path, "nodes"), 0), (children, last)
    assert 0 in outcomes, outcomes


async def test():
    """`zab cp` and `zab mv` copy and move whole subtrees"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server, auth=[{"scheme": "digest", "token": "ann:secret"}])
        await copies(server, client)
        await moves(server, client)
        await many_nodes(server, client)
        await move_of_a_tree_that_changes(server, client)


run(test)
