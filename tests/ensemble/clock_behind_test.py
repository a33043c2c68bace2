"""A machine whose clock is behind is told so, and nothing goes back in time."""

from harness import BIN, Client, Ensemble, run, until


async def test():
    """a server whose clock is an hour behind says so once, serves, and no time goes back"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        before = (await client.do("create", path="/before"))["stat"]["ctime"]
        await client.close()
        server.terminate()

        server.environment = {"LD_PRELOAD": str(BIN / "libother_clock.so"),
                              "ZABKEEPER_CLOCK_BEHIND": "3600"}
        server.start()
        await ensemble.all_ready()
        said = server.log
        await until(lambda: "clock" in said(), "it says so")
        client = await Client.open(server)
        after = (await client.do("create", path="/after"))["stat"]["ctime"]
        assert after >= before, (before, after)
        await client.do("set", path="/before", data="x")
        complaints = [line for line in said().splitlines() if "clock" in line]
        assert len(complaints) == 1 and "NTP" in complaints[0], complaints
        await client.close()


run(test)
