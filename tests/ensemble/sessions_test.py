"""Sessions across servers: resume, move, end, expire; ephemeral nodes and watches with them."""

from harness import Client, Ensemble, Refused, run, until


async def gone(client, path):
    return (await client.do("exists", path=path))["stat"] is None


async def test():
    """sessions live on any server, and what they own lives as long as they do"""
    async with Ensemble(3) as ensemble:
        one, two, three = ensemble.servers
        watcher = await Client.open(three)

        # An ephemeral node goes with its session, and a watch on another server tells.
        owner = await Client.open(one)
        await owner.do("create", path="/member", data="a", ephemeral=True)
        await watcher.do("sync", path="/")
        await watcher.do("watch", path="/member")
        changer = await Client.open(two)
        await changer.do("sync", path="/")
        await changer.do("set", path="/member", data="b")
        event = await watcher.event()
        assert (event["event"], event["path"]) == ("changed", "/member"), event
        await owner.close()
        event = await watcher.event()
        assert (event["event"], event["path"]) == ("deleted", "/member"), event
        assert await gone(watcher, "/member")

        # A session whose connection is lost goes on elsewhere, with all that it owns.
        mover = await Client.open(one, timeout_ms=5000)
        await mover.do("create", path="/mover", ephemeral=True)
        session = mover.session
        await mover.drop()
        await mover.connect(two)
        assert mover.connected["resumed"] and mover.session == session, mover.connected
        paths = (await mover.do("ephemerals", prefix="/"))["paths"]
        assert paths == ["/mover"], paths

        # Connecting it elsewhere closes the connection that it had.
        thief = Client()
        thief.session, thief.password = mover.session, mover.password
        await thief.connect(three)
        try:
            await mover.do("set", path="/mover", data="late")
            raise AssertionError("the old connection still speaks for the session")
        except (ConnectionError, Refused) as error:
            assert isinstance(error, ConnectionError) or error.name == "SessionMoved", error

        # A wrong password opens nothing.
        forger = Client()
        forger.session, forger.password = thief.session, "0" * 32
        try:
            await forger.connect(one)
            raise AssertionError("a wrong password was taken")
        except Refused as refused:
            assert refused.name == "AuthFailed", refused

        # A session that nobody hears of expires, and only then.
        short = await Client.open(one, timeout_ms=1000)
        await short.do("create", path="/short", ephemeral=True)
        await watcher.do("sync", path="/")
        assert not await gone(watcher, "/short")
        await short.drop()
        await until(lambda: gone(watcher, "/short"), "the ephemeral of an expired session is gone")
        try:
            await short.connect(two)
            raise AssertionError("an expired session was resumed")
        except Refused as refused:
            assert refused.name == "SessionExpired", refused
        assert not await gone(watcher, "/mover"), "another session expired with it"


run(test)
