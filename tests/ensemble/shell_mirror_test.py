"""`zab mirror` makes one subtree equal to another, also of another ensemble, and keeps it so."""

import asyncio
import json
import random
import signal
import subprocess

from harness import BIN, TIMEOUT, Client, Ensemble, Refused, run, until
from shell_processes import Shell

EXIT_OTHER, EXIT_USAGE, EXIT_NO_NODE, EXIT_NO_SERVER = 1, 2, 3, 8


async def zab(server, *words):
    """The result of a command. Meanwhile the sessions of this process go on."""
    return await asyncio.to_thread(subprocess.run, [BIN / "zab", "--server", server.url, *words],
                                   capture_output=True, timeout=TIMEOUT, text=True)


async def expect(server, words, code, lines, error=""):
    done = await zab(server, *words)
    assert done.returncode == code and sorted(done.stdout.splitlines()) == sorted(lines), (words, done)
    assert error in done.stderr and (error or not done.stderr), (words, done)


def below(server, path):
    """A node of another ensemble."""
    return server.url.removesuffix("/v1") + path


async def once(server, client, copy, copy_client):
    """mirror --once creates, sets and deletes what differs, and nothing else"""
    acl = [{"scheme": "world", "id": "anyone", "perms": "rcdwa"}, {"scheme": "ip", "id": "10.0.0.0/8", "perms": "r"}]
    for path, options in (("/a", {"data": "top"}), ("/a/x y", {"data": "1", "acl": acl}), ("/a/x y/ü", {}),
                          ("/a/kept", {"container": True}), ("/a/short", {"ttlMs": 3600000}),
                          ("/a/mine", {"ephemeral": True})):
        await client.call("create", path=path, **options)
    to = below(copy, "/copies/a")
    created = [f"create /copies/a{path}" for path in ("", "/kept", "/short", "/x y", "/x y/ü")]
    await expect(server, ("mirror", "--dry-run", "/a", to), 0, created)
    await expect(server, ("mirror", "--once", "/a", to), EXIT_NO_NODE, [], "-p creates missing parents")
    await expect(server, ("mirror", "--once", "-p", "/a", to), 0, created)
    await expect(server, ("mirror", "--once", "/a", to), 0, [])
    assert (await copy_client.call("get", path="/copies/a"))["data"] == "top"
    assert (await copy_client.call("getAcl", path="/copies/a/x y"))["acl"] == \
        (await client.call("getAcl", path="/a/x y"))["acl"]
    stat = (await copy_client.call("exists", path="/copies/a/short"))["stat"]
    assert stat["ttlMs"] == 3600000, stat

    await client.call("set", path="/a/x y", data="2")
    await client.call("delete", path="/a/x y/ü")
    await copy_client.call("create", path="/copies/a/other", data="3")
    await copy_client.call("create", path="/copies/a/other/one")
    done = await zab(server, "mirror", "--once", "/a", to)
    assert done.returncode == EXIT_OTHER and "/copies/a/other: the original has no such node; --delete" \
        in done.stderr, done
    assert (await copy_client.call("exists", path="/copies/a/other/one"))["stat"]
    differences = ["delete /copies/a/other", "delete /copies/a/x y/ü", "set /copies/a/x y"]
    await expect(server, ("mirror", "--delete", "--dry-run", "/a", to), 0, differences)
    done = await zab(server, "--json", "mirror", "--delete", "--once", "/a", to)
    assert done.returncode == 0, done
    assert {(line["action"], line["path"]) for line in map(json.loads, done.stdout.splitlines())} == \
        {tuple(line.split(" ", 1)) for line in differences}, done
    await expect(server, ("diff", "/a/x y", to + "/x y"), 0, [])


async def whole_trees(server, client, copy):
    """a mirror of / leaves out the nodes of the servers, also those of quotas"""
    done = await zab(server, "quota", "set", "--nodes", "100", "/a")
    assert done.returncode == 0, done
    done = await zab(server, "mirror", "--delete", "--once", "/", below(copy, "/"))
    assert done.returncode == 0 and "zookeeper" not in done.stdout and "create /a\n" in done.stdout, done
    await expect(server, ("mirror", "--once", "/", below(copy, "/")), 0, [])


async def wrong(server, copy):
    """mirror refuses what cannot be mirrored, and says why"""
    await expect(server, ("mirror", "--once", "/none", below(copy, "/none")), EXIT_NO_NODE, [], "/none: no such node")
    await expect(server, ("mirror", "/none", below(copy, "/none")), EXIT_NO_NODE, [], "/none: no such node")
    for to in ("/a", "/a/x y/below"):
        await expect(server, ("mirror", "/a", to), EXIT_USAGE, [], "/a")
    await expect(server, ("mirror", "/a"), EXIT_USAGE, [], "usage: mirror")
    await expect(server, ("mirror", "/a", "ws://127.0.0.1:port/a"), EXIT_USAGE, [], "ws://HOST:PORT/PATH")
    await expect(server, ("--timeout-ms", "300", "mirror", "--once", "/a", "ws://127.0.0.1:1/a"), EXIT_NO_SERVER, [],
                 "NotReady")


async def change(client, source, paths):
    """A random change of a tree whose nodes are `paths`."""
    path = source.choice(paths)
    try:
        if source.random() < 0.45:
            await client.call("create", path=path, data=str(source.random()))
        elif source.random() < 0.6:
            await client.call("set", path=path, data=str(source.random()))
        else:
            await client.call("delete", path=path, recursive=source.random() < 0.5)
    except Refused:
        pass  # the node exists, is missing, or has children


async def are_equal(server, copy, path):
    done = await zab(server, "diff", path, below(copy, path))
    return done.returncode == 0


async def follows(server, client, copy):
    """the copy follows a tree that changes all the time, also when the copy's server is killed"""
    source = random.Random(7)
    paths = ["/f"] + [f"/f/{a}" for a in "abc"] + [f"/f/{a}/{b}" for a in "abc" for b in "de"] + \
        [f"/f/{a}/{b}/z" for a in "abc" for b in "de"]
    await client.call("create", path="/f", data="0")
    # The copy's session may expire while its server is away: the mirror goes on in another one.
    shell = Shell(server, "--timeout-ms", "1000", "mirror", "--delete", "/f", below(copy, "/f"))
    await shell.warns("is mirrored; following its changes")
    for i in range(300):
        await change(client, source, paths[1:])
        if i == 100:
            copy.kill()
        if i == 200:
            await shell.warns("trying again")
            copy.start()
    await client.call("set", path="/f", data="last")

    async def caught_up():
        return await are_equal(server, copy, "/f")

    await until(caught_up, "the copy equals the original")
    shell.process.send_signal(signal.SIGINT)
    assert await shell.end() == 0, shell.err
    assert any(line == "set /f" for line in shell.out), shell.out


async def original_gone(server, client, copy, copy_client):
    """if the original is deleted, the mirror ends, and the copy stays"""
    await client.call("create", path="/g", data="precious")
    shell = Shell(server, "mirror", "/g", below(copy, "/g"))
    await shell.warns("following its changes")
    await client.call("delete", path="/g")
    assert await shell.end() == EXIT_NO_NODE, shell.err
    assert (await copy_client.call("get", path="/g"))["data"] == "precious"


async def test():
    """zab mirror keeps a subtree equal to another one"""
    async with Ensemble(1) as ensemble, Ensemble(1) as copies:
        server, copy = ensemble.servers[0], copies.servers[0]
        client, copy_client = await Client.open(server), await Client.open(copy)
        await once(server, client, copy, copy_client)
        await wrong(server, copy)
        await original_gone(server, client, copy, copy_client)
        await follows(server, client, copy)
        await whole_trees(server, client, copy)


run(test)
