"""What each signal does, by the table in docs/operations.md."""

import os
import pathlib
import re
import signal
import tempfile

from harness import Client, Ensemble, run, until
from single import Single

NO_EFFECT = ["USR2", "ALRM", "VTALRM", "PROF", "IO", "STKFLT"]
SILENT = ["PIPE", "XFSZ", "TTOU", "WINCH", "CHLD", "URG", "CONT"]


def number(name):
    return getattr(signal, "SIG" + name, None) or {"STKFLT": 16}[name]


async def test_ensemble():
    """a leader leads on after every signal that does not mean stop, and hands over after those that do"""
    async with Ensemble(3) as ensemble:
        leader = ensemble.leader()
        epoch = leader.status()["epoch"]
        for name in ["HUP", "USR1", "QUIT", *NO_EFFECT, *SILENT]:
            leader.signal(number(name))
            assert leader.http("/health/live")[0] == 200
        for realtime in (signal.SIGRTMIN, signal.SIGRTMIN + 3, signal.SIGRTMAX):
            leader.signal(realtime)
            assert leader.http("/health/live")[0] == 200
        await until(lambda: f"signal {signal.SIGRTMAX.value} has no meaning here" in leader.log(), "it is logged")
        for name in NO_EFFECT:
            assert f"SIG{name} has no meaning here" in leader.log().replace("SIGPOLL", "SIGIO"), name
        states = re.findall(r"the state of this server: (\{.*\})\n", leader.log())
        assert len(states) == 2 and '"role":"leader"' in states[0], states
        await until(lambda: "the configuration is reloaded: nothing has changed" in leader.log(), "it is reloaded")
        assert leader.status()["epoch"] == epoch and leader.status()["role"] == "leader"

        # The others follow the next one without an election.
        for name in ("PWR", "XCPU", "INT", "TERM"):
            leader = ensemble.leader()
            leader.signal(number(name))
            assert leader.process.wait(timeout=30) == 0, name
            assert f"SIG{name}: shutting down" in leader.log(), name
            leader.start()
            await until(leader.ready, "it serves again")


async def test_reload(here):
    """at SIGHUP a server reads its configuration again, and says what changed and what needs a restart"""
    config = here / "zoo.cfg"
    config.write_text("logLevel=info\ntickTime=1000\n")
    with Single(here, config) as server:
        await server.ready()

        async def reload(text, expected):
            if text is not None:
                config.write_text(text)
            before = server.log()
            server.signal(signal.SIGHUP)
            await until(lambda: expected in server.log()[len(before):], expected)
            return server.log()[len(before):]

        await reload(None, "the configuration is reloaded: nothing has changed")
        await reload("logLevel=debug\ntickTime=1000\n", "logLevel is debug now")
        await open_session(server)
        server.post("/admin/checkpoint")
        await until(lambda: "debug    checkpoint at" in server.log(), "debug lines are logged")

        said = await reload("logLevel=debug\ntickTime=500\nmaxWatches=7\n",
                            "not in use before a restart: maxWatches, tickTime")
        assert "logLevel is as before" in said
        said = await reload("logLevel=loud\ntickTme=500\n", "unknown key tickTme")
        assert "the configuration is not reloaded, and the one in use stays" in said
        config.unlink()
        await reload(None, "there is no such file")
        await reload("logLevel=error\ntickTime=1000\n", "logLevel is error now")
        server.signal(signal.SIGUSR1)
        await until(lambda: "the state of this server" in server.log(), "what an operator asks for is logged")

        # A file that hangs does not stop the server.
        config.unlink()
        os.mkfifo(config)
        await reload(None, "is no regular file, so it can be read only once")
        server.signal(signal.SIGTERM)
        assert server.ended() == 0


async def open_session(server):
    server.url = f"ws://127.0.0.1:{server.port}/v1"
    client = await Client.open(server)
    await client.close()


async def test_inherited(here):
    """signals that the parent process blocks or ignores have their usual meaning for the server"""
    def before():
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        for name in ("CHLD", "TERM", "INT", "HUP"):
            signal.signal(number(name), signal.SIG_IGN)

    for _ in range(2):  # the second one reads a checkpoint
        with Single(here, before=before) as server:
            await server.ready()
            await open_session(server)
            server.signal(signal.SIGTERM)
            assert server.ended() == 0
    assert "a checkpoint at" in server.log() and "damaged" not in server.log(), server.log()


async def test_faults(here):
    """a server that ends by a fault of its own logs the reason"""
    with Single(here) as server:
        await server.ready()
        server.signal(signal.SIGBUS)
        assert server.ended() == -signal.SIGBUS
        assert "SIGBUS: a page of the checkpoint or of the program could not be read" in server.log()


run(test_ensemble)
for test in (test_reload, test_inherited, test_faults):
    with tempfile.TemporaryDirectory(prefix="zabkeeper-") as directory:
        run(test, pathlib.Path(directory))
