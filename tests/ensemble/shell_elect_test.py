"""`zab elect`: who leads, and what observers see."""

import json
import signal

from harness import Client, Ensemble, run, until
from shell_processes import Cable, Shell, is_alive, queue_length

EXIT_USAGE = 2


async def succession(server, client):
    """the leadership passes on when CMD ends or zab is killed; observers see each leader"""
    words = Shell(server, "elect", "--observe", "/election")
    objects = Shell(server, "--json", "elect", "--observe", "/election")
    await words.says("no leader")
    await objects.says('"leader":null')
    candidates = []
    for name in ("one", "two", "three"):
        candidates.append(Shell(server, "--timeout-ms", "3000", "elect", "/election", name, "--", "sh", "-c",
                                "echo $$ $ZABKEEPER_LOCK_PATH $ZABKEEPER_LOCK_TOKEN; read x; exit $x"))
        await queue_length(client, "/election", len(candidates))
    one, two, three = candidates

    async def leads(shell, name):
        await until(lambda: shell.out, f"{name} leads")
        pid, path, token = shell.out[0].split()
        await words.says(f"{token} {name}")
        assert (await client.call("get", path=path))["data"] == name
        await until(lambda: any(f'"{token}"' in line for line in objects.out), f"the token of {name}")
        told = [json.loads(line)["leader"] for line in objects.out]
        assert told[-1] == {"path": path, "token": token, "value": name}, told
        return pid

    pid = await leads(one, "one")
    assert two.out == three.out == []
    one.kill()
    await until(lambda: not is_alive(pid), "the command of the killed leader is killed")
    await leads(two, "two")
    assert three.out == []
    two.say("6")
    assert await two.end() == 6
    await leads(three, "three")
    three.say("0")
    assert await three.end() == 0
    await until(lambda: words.out.count("no leader") == 2, "there is no leader")
    for observer in (words, objects):
        observer.process.send_signal(signal.SIGINT)
        assert await observer.end() == 0
    assert [line.split()[-1] for line in words.out] == ["leader", "one", "two", "three", "leader"], words.out


async def lost_session(server, client):
    """an observer goes on in a new session, and says that leaders may be missing"""
    async with Cable(server) as cable:
        observer = Shell(cable, "--timeout-ms", "1000", "elect", "--observe", "/again")
        await observer.says("no leader")
        cable.is_cut = True
        await observer.warns("have ended with it")
        await client.call("create", path="/again", parents=True)
        candidate = Shell(server, "elect", "/again", "someone", "--", "sh", "-c", "read x")
        await queue_length(client, "/again", 1)
        cable.is_cut = False
        await observer.says("someone")
        assert "gap: leaders may be missing here" in observer.out[1], observer.out
        candidate.say("")
        assert await candidate.end() == 0
        observer.kill()


async def usage(server):
    """elect needs either a command or --observe"""
    for words, reason in ((["elect", "/e"], "-- CMD is required"),
                          (["elect", "/e", "value", "--"], "-- CMD is required"),
                          (["elect", "--observe", "/e", "--", "true"], "--observe excludes CMD"),
                          (["elect", "--observe", "/e", "value"], "excludes")):
        shell = Shell(server, *words)
        assert await shell.end() == EXIT_USAGE and reason in shell.err[0], shell.err


async def test():
    """`zab elect` runs a command while it leads, and shows the leaders"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        await usage(server)
        await succession(server, client)
        await lost_session(server, client)


run(test)
