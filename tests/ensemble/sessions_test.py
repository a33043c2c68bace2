"""Sessions across servers, with their ephemeral nodes and watches: resume, move, close, expire."""

from harness import Client, Ensemble, Refused, run, until


async def is_missing(client, path):
    return (await client.call("exists", path=path))["stat"] is None


async def test():
    """sessions continue at any server, and ephemeral nodes exist as long as their session"""
    async with Ensemble(3) as ensemble:
        one, two, three = ensemble.servers
        watcher = await Client.open(three)

        # An ephemeral node is deleted with its session; a watch at another server gets the event.
        owner = await Client.open(one)
        await owner.call("create", path="/member", data="a", ephemeral=True)
        await watcher.call("sync", path="/")
        await watcher.call("watch", path="/member")
        changer = await Client.open(two)
        await changer.call("sync", path="/")
        await changer.call("set", path="/member", data="b")
        event = await watcher.event()
        assert (event["event"], event["path"]) == ("changed", "/member"), event
        await owner.close()
        event = await watcher.event()
        assert (event["event"], event["path"]) == ("deleted", "/member"), event
        assert await is_missing(watcher, "/member")

        # A session whose connection is lost is resumed elsewhere, with its ephemeral nodes.
        mover = await Client.open(one, timeout_ms=5000)
        await mover.call("create", path="/mover", ephemeral=True)
        session = mover.session
        await mover.drop()
        await mover.connect(two)
        assert mover.connected["resumed"] and mover.session == session, mover.connected
        paths = (await mover.call("ephemerals", prefix="/"))["paths"]
        assert paths == ["/mover"], paths

        # A second connection for the session closes the first one.
        second = Client()
        second.session, second.password = mover.session, mover.password
        await second.connect(three)
        try:
            await mover.call("set", path="/mover", data="late")
            raise AssertionError("the old connection was still served")
        except (ConnectionError, Refused) as error:
            assert isinstance(error, ConnectionError) or error.name == "SessionMoved", error

        # A wrong password is refused.
        intruder = Client()
        intruder.session, intruder.password = second.session, "0" * 32
        try:
            await intruder.connect(one)
            raise AssertionError("a wrong password was accepted")
        except Refused as refused:
            assert refused.name == "AuthFailed", refused

        # A session without a connection expires after its timeout, not before.
        short = await Client.open(one, timeout_ms=1000)
        await short.call("create", path="/short", ephemeral=True)
        await watcher.call("sync", path="/")
        assert not await is_missing(watcher, "/short")
        await short.drop()
        await until(lambda: is_missing(watcher, "/short"), "the ephemeral node of an expired session is deleted")
        try:
            await short.connect(two)
            raise AssertionError("an expired session was resumed")
        except Refused as refused:
            assert refused.name == "SessionExpired", refused
        assert not await is_missing(watcher, "/mover"), "another session expired too"


run(test)
