"""What an operator meets: a clean stop, and starts that cannot be."""

import subprocess

from harness import BIN, PATIENCE, Client, Ensemble, run, until


def start_and_wait(*arguments, cwd):
    return subprocess.run([BIN / "zabkeeper", *arguments], cwd=cwd, capture_output=True, text=True,
                          timeout=PATIENCE)


async def test():
    """a server stops cleanly, says why it cannot start, and its ensemble goes on"""
    async with Ensemble(3) as ensemble:
        leader = ensemble.leader()
        there = await Client.open(leader)
        await there.do("create", path="/before", data="kept")
        elsewhere = await Client.open(ensemble.followers()[0])

        # SIGTERM: clients are told, the exit code is 0, the others elect.
        assert leader.terminate() == 0
        goaway = await there.others.get()
        assert goaway["op"] == "goaway" and goaway["reason"], goaway
        await elsewhere.do("set", path="/before", data="goes on")
        assert ensemble.leader() is not leader

        # The session that was on it goes on elsewhere.
        await there.connect(ensemble.followers()[0])
        assert there.connected["resumed"], there.connected

        # It comes back with everything, and with what happened meanwhile.
        leader.start()
        await until(leader.ready, "the stopped server serves again")
        back = await Client.open(leader)
        await back.do("sync", path="/")
        assert (await back.do("get", path="/before"))["data"] == "goes on"

        # One process a data directory; one a port.
        second = start_and_wait(leader.config, "--webPort", "0", cwd=ensemble.directory)
        assert second.returncode == 3, second
        assert "data" in second.stdout and "in use" in second.stdout, second.stdout
        port = start_and_wait("--dataDir", "other", "--webPort", str(leader.web_port),
                              cwd=ensemble.directory)
        assert port.returncode == 3, port
        assert f"port {leader.web_port}" in port.stdout and "webPort" in port.stdout, port.stdout

        # All that is wrong with a configuration is said at once, and nothing is touched.
        wrong = start_and_wait("--tickTim", "5", "--webPort", "seventy", "--dataDir", "untouched",
                               cwd=ensemble.directory)
        assert wrong.returncode == 2, wrong
        assert "tickTime" in wrong.stderr and "webPort" in wrong.stderr, wrong.stderr
        assert not (ensemble.directory / "untouched").exists()

        # A data directory of another server is not taken for one's own.
        other = ensemble.followers()[0]
        other.terminate()
        foreign = start_and_wait(leader.config, "--dataDir", f"data{other.id}", "--webPort", "0",
                                 cwd=ensemble.directory)
        assert foreign.returncode == 3, foreign
        assert f"server {other.id}" in foreign.stdout, foreign.stdout


run(test)
