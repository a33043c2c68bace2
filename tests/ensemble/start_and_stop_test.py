"""A clean stop, and starts that are refused."""

import subprocess

from harness import BIN, TIMEOUT, Client, Ensemble, run, until


def start_and_wait(*arguments, cwd):
    return subprocess.run([BIN / "zabkeeper", *arguments], cwd=cwd, capture_output=True, text=True,
                          timeout=TIMEOUT)


async def test():
    """a server stops cleanly, its ensemble continues, and a start that is refused reports the reason"""
    async with Ensemble(3) as ensemble:
        leader = ensemble.leader()
        client = await Client.open(leader)
        await client.call("create", path="/before", data="kept")
        elsewhere = await Client.open(ensemble.followers()[0])

        # SIGTERM: clients get goaway, the exit code is 0, the others elect a leader.
        assert leader.terminate() == 0
        goaway = await client.others.get()
        assert goaway["op"] == "goaway" and goaway["reason"], goaway
        await elsewhere.call("set", path="/before", data="changed")
        assert ensemble.leader() is not leader

        # Its session is resumed at another server.
        await client.connect(ensemble.followers()[0])
        assert client.connected["resumed"], client.connected

        # It starts again with all data, and with the changes made meanwhile.
        leader.start()
        await until(leader.ready, "the stopped server serves again")
        back = await Client.open(leader)
        await back.call("sync", path="/")
        assert (await back.call("get", path="/before"))["data"] == "changed"

        # A data directory or a port in use is refused.
        second = start_and_wait(leader.config, "--webPort", "0", cwd=ensemble.directory)
        assert second.returncode == 3, second
        assert "data" in second.stdout and "in use" in second.stdout, second.stdout
        port = start_and_wait("--dataDir", "other", "--webPort", str(leader.web_port),
                              cwd=ensemble.directory)
        assert port.returncode == 3, port
        assert f"port {leader.web_port}" in port.stdout and "webPort" in port.stdout, port.stdout

        # All errors of a configuration are reported at once, and no file is changed.
        wrong = start_and_wait("--tickTim", "5", "--webPort", "seventy", "--dataDir", "untouched",
                               cwd=ensemble.directory)
        assert wrong.returncode == 2, wrong
        assert "tickTime" in wrong.stderr and "webPort" in wrong.stderr, wrong.stderr
        assert not (ensemble.directory / "untouched").exists()

        # A data directory of another server is refused.
        other = ensemble.followers()[0]
        other.terminate()
        foreign = start_and_wait(leader.config, "--dataDir", f"data{other.id}", "--webPort", "0",
                                 cwd=ensemble.directory)
        assert foreign.returncode == 3, foreign
        assert f"server {other.id}" in foreign.stdout, foreign.stdout


run(test)
