"""A server on a machine whose clock is behind warns, and its timestamps do not go back at once."""

from harness import BIN, Client, Ensemble, run, until


async def test():
    """a server whose clock is an hour behind warns once, serves, and its timestamps do not go back at once"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        before = (await client.call("create", path="/before"))["stat"]["ctime"]
        await client.close()
        server.terminate()

        server.environment = {"LD_PRELOAD": str(BIN / "libother_clock.so"),
                              "ZABKEEPER_CLOCK_BEHIND": "3600"}
        server.start()
        await ensemble.all_ready()
        log = server.log
        await until(lambda: "clock" in log(), "the server warns about its clock")
        client = await Client.open(server)
        after = (await client.call("create", path="/after"))["stat"]["ctime"]
        assert after >= before, (before, after)
        await client.call("set", path="/before", data="x")
        warnings = [line for line in log().splitlines() if "clock" in line]
        assert len(warnings) == 1 and "NTP" in warnings[0], warnings
        await client.close()


run(test)
