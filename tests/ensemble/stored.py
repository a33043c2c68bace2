"""What the stored directories of tests/compat/ hold, and how it is read back."""

import base64

ROOT = "/kept"
LONGEST_TTL = 1099511627775  # milliseconds


async def fill(client):
    """Nodes of every kind, by a session with dedup."""
    binary = base64.b64encode(bytes(range(256))).decode()
    everybody = {"scheme": "world", "id": "anyone", "perms": "r"}
    local = {"scheme": "ip", "id": "127.0.0.0/8", "perms": "cdrwa"}
    await client.call("create", path=ROOT, data="root")
    await client.call("create", path=f"{ROOT}/binary", data64=binary)
    await client.call("create", path=f"{ROOT}/mine", ephemeral=True, data="of a session")
    await client.call("create", path=f"{ROOT}/container", container=True)
    await client.call("create", path=f"{ROOT}/container/child")
    await client.call("create", path=f"{ROOT}/ttl", ttlMs=LONGEST_TTL)
    await client.call("create", path=f"{ROOT}/acl", acl=[local, everybody])
    await client.call("create", path=f"{ROOT}/n/n-", sequential=True, parents=True)
    await client.call("create", path=f"{ROOT}/n/n-", sequential=True)
    await client.call("delete", path=f"{ROOT}/n/n-0000000000")
    await client.call("setAcl", path=f"{ROOT}/n", acl=[local])


async def fill_the_log(client):
    """More of it, behind the checkpoint. Returns the last write, with its id and reply."""
    for n in range(3):
        await client.call("set", path=f"{ROOT}/binary", data=f"text {n}")
    await client.call("create", path=f"{ROOT}/n/n-", sequential=True)
    await client.call("delete", path=f"{ROOT}/n/n-0000000001")
    multi = {"ops": [{"op": "create", "path": f"{ROOT}/multi", "data": "of a multi"},
                     {"op": "set", "path": ROOT, "data": "set by a multi"},
                     {"op": "check", "path": ROOT, "version": 1},
                     {"op": "children", "path": f"{ROOT}/n"}]}
    reply = await client.call("multi", **multi)
    return {"id": reply["id"], "request": multi, "reply": reply}


async def read(client):
    """Every node below ROOT, with stat and ACL."""
    nodes, paths = {}, [ROOT]
    while paths:
        path = paths.pop()
        got = await client.call("get", path=path, encoding="base64")
        acl = await client.call("getAcl", path=path)
        nodes[path] = {"data64": got["data64"], "stat": got["stat"], "acl": acl["acl"]}
        names = (await client.call("children", path=path))["children"]
        paths += [f"{path}/{name}" for name in names]
    return nodes
