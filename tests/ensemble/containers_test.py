"""How long containers are kept: containerIdleMs and containerUnusedMs."""

from harness import Client, Ensemble, run, until


async def exists(client, path):
    return (await client.call("exists", path=path))["stat"] is not None


async def gone(client, path):
    return not await exists(client, path)


async def used_once(client, path):
    await client.call("create", path=path, container=True)
    await client.call("create", path=f"{path}/child")
    await client.call("delete", path=f"{path}/child")


async def heartbeats_pass(client):
    """Nodes that are due are deleted, and a TTL node is due after some heartbeats."""
    await client.call("create", path="/due", ttlMs=500)
    await until(lambda: gone(client, "/due"), "a TTL node is deleted")


async def by_default_a_container_is_kept_for_a_minute():
    async with Ensemble(3) as ensemble:
        client = await Client.open(ensemble.servers[0])
        await used_once(client, "/box")
        await client.call("create", path="/never", container=True)
        await heartbeats_pass(client)
        # What a client does that retries once.
        await client.call("create", path="/box/child")
        await client.call("delete", path="/box/child")
        assert await exists(client, "/never")
        await client.close()


async def a_container_is_deleted_after_its_time(**keys):
    async with Ensemble(3, **keys) as ensemble:
        client = await Client.open(ensemble.servers[0])
        await used_once(client, "/box")
        await client.call("create", path="/never", container=True)
        await until(lambda: gone(client, "/box"), "the container is deleted")
        assert await exists(client, "/never")

        await used_once(client, "/other")
        ensemble.leader().kill()
        survivors = [server for server in ensemble.servers if server.running()]
        await until(lambda: all(server.ready() for server in survivors), "a new leader")
        client = await Client.open(survivors[0])
        await until(lambda: gone(client, "/other"), "a new leader deletes the container")
        await client.close()


async def an_unused_container_is_deleted_if_that_is_set(**keys):
    async with Ensemble(1, **keys) as ensemble:
        client = await Client.open(ensemble.servers[0])
        await client.call("create", path="/never", container=True)
        await used_once(client, "/box")
        await until(lambda: gone(client, "/never"), "the unused container is deleted")
        assert await exists(client, "/box")
        await client.close()


async def test():
    """a container is kept for containerIdleMs after its last child, or containerUnusedMs without any"""
    await by_default_a_container_is_kept_for_a_minute()
    await a_container_is_deleted_after_its_time(containerIdleMs=1000)
    await a_container_is_deleted_after_its_time(**{"znode.container.checkIntervalMs": 500})
    await an_unused_container_is_deleted_if_that_is_set(containerUnusedMs=500)
    await an_unused_container_is_deleted_if_that_is_set(
        **{"zookeeper.znode.container.maxNeverUsedIntervalMs": 500})


run(test)
