"""`zab lock` and `zab elect`: commands that run under a lock, and the reasons why they end."""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import termios

from harness import BIN, TIMEOUT, Client, Ensemble, Refused, run, until
from shell_processes import Cable, Shell, is_alive, queue_length

EXIT_USAGE, EXIT_NO_SERVER = 2, 8
EXIT_TIMEOUT, EXIT_LOST, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND = 124, 125, 126, 127
# Prints `in`, and ends with the exit code that it reads.
WAIT = ("sh", "-c", "echo in; read code; exit $code")


def in_terminal(server, *words):
    """`zab` in the foreground of a terminal of its own, and the other end of the terminal."""
    here, there = pty.openpty()
    process = subprocess.Popen([BIN / "zab", "--server", server.url, *words], stdin=there, stdout=there,
                               stderr=there, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(there)
    return process, here


async def exclusion(server, client):
    """one command runs at a time, in the order of the calls; its exit code is passed on"""
    first = Shell(server, "lock", "/locks/a", "--", *WAIT)
    await first.says("in")
    second = Shell(server, "lock", "/locks/a", "--", *WAIT)
    await queue_length(client, "/locks/a", 2)
    late = Shell(server, "lock", "--timeout", "0.2", "/locks/a", "--", *WAIT)
    assert await late.end() == EXIT_TIMEOUT and late.out == [], late.out
    assert "not acquired within 0.200 seconds" in late.err[-1], late.err
    for words in (("--try",), ("--timeout", "0")):
        refused = Shell(server, "lock", *words, "/locks/a", "--", *WAIT)
        assert await refused.end() == EXIT_TIMEOUT and refused.out == [], refused.out
        assert "not acquired now" in refused.err[-1], refused.err
    await queue_length(client, "/locks/a", 2)
    assert second.out == []
    first.say("7")
    assert await first.end() == 7
    await second.says("in")
    second.say("0")
    assert await second.end() == 0
    await queue_length(client, "/locks/a", 0)


async def semaphore(server, client):
    """--limit lets several commands run; the limit is set once"""
    shells = [Shell(server, "lock", "--limit", "2", "/locks/two", "--", *WAIT) for _ in range(3)]
    await until(lambda: sum(shell.out == ["in"] for shell in shells) == 2, "two commands run")
    await queue_length(client, "/locks/two", 3)
    assert (await client.call("get", path="/locks/two"))["data"] == "2"
    other = Shell(server, "lock", "--limit", "3", "/locks/two", "--", *WAIT)
    assert await other.end() == EXIT_USAGE and "has the limit 2, not 3" in other.err[-1], other.err
    assert sum(shell.out == ["in"] for shell in shells) == 2
    for shell in sorted(shells, key=lambda shell: shell.out == []):
        await shell.says("in")
        shell.say("0")
        assert await shell.end() == 0
    # A node without data has no limit yet. Other data are not a limit.
    await client.call("create", path="/locks/empty")
    assert await Shell(server, "lock", "--limit", "5", "/locks/empty", "--", "true").end() == 0
    assert (await client.call("get", path="/locks/empty"))["data"] == "5"
    await client.call("create", path="/locks/data", data="blue")
    other = Shell(server, "lock", "--limit", "5", "/locks/data", "--", "true")
    assert await other.end() == EXIT_USAGE and "not a semaphore" in other.err[-1], other.err


async def environment(server, client):
    """CMD gets the node, the token and the condition, and nothing of zab's descriptors"""
    command = ("sh", "-c", 'echo "$ZABKEEPER_LOCK_PATH"; echo "$ZABKEEPER_LOCK_TOKEN"; '
                           'echo "$ZABKEEPER_LOCK_GUARD"; ls /proc/self/fd | tr "\\n" " "; read x')
    shell = Shell(server, "lock", "/locks/env", "--", *command)
    await until(lambda: len(shell.out) >= 3, "the environment")
    path, token, guard = shell.out[:3]
    assert path.startswith("/locks/env/"), path
    assert (await client.call("exists", path=path))["stat"]["czxid"] == token
    await client.call("create", path="/guarded", **{"if": [json.loads(guard)]})
    shell.say("")
    assert await shell.end() == 0
    assert shell.out[3].split() == ["0", "1", "2", "3"], shell.out  # 3 is the directory itself
    try:
        await client.call("set", path="/guarded", data="late", **{"if": [json.loads(guard)]})
        raise AssertionError("the guard holds without the lock")
    except Refused as refused:
        assert refused.name == "ConditionFailed", refused.name


async def programs_that_cannot_run(server, client):
    """a missing program is reported before the lock is requested, with the exit codes of other shells"""
    for words, code, reason in ((["no-such-program"], EXIT_NOT_FOUND, "command not found"),
                                (["/no/such"], EXIT_NOT_FOUND, "command not found"),
                                (["/etc/passwd"], EXIT_NOT_EXECUTABLE, "Permission denied"),
                                (["/tmp"], EXIT_NOT_EXECUTABLE, "Permission denied")):
        shell = Shell(server, "lock", "/locks/never", "--", *words)
        assert await shell.end() == code and reason in shell.err[-1], shell.err
    assert (await client.call("exists", path="/locks/never"))["stat"] is None
    shell = Shell(server, "lock", "/locks/never")
    assert await shell.end() == EXIT_USAGE and "-- CMD is required" in shell.err[0], shell.err
    shell = Shell("ws://127.0.0.1:1", "--timeout-ms", "500", "lock", "/locks/a", "--", "true")
    assert await shell.end() == EXIT_NO_SERVER, shell.err


async def signals(server, client):
    """signals are passed on to CMD; a command that waits for the lock gives up and leaves no node"""
    traps = "; ".join(f"trap 'echo {name}; exit {code}' {name}"
                      for name, code in (("INT", 41), ("TERM", 42), ("HUP", 43), ("QUIT", 44)))
    for number, code in ((signal.SIGINT, 41), (signal.SIGTERM, 42), (signal.SIGHUP, 43),
                         (signal.SIGQUIT, 44)):
        shell = Shell(server, "lock", "/locks/s", "--", "sh", "-c", f"{traps}; echo in; read x")
        await shell.says("in")
        shell.process.send_signal(number)
        assert await shell.end() == code, (number, shell.err)
    shell = Shell(server, "lock", "/locks/s", "--", "sh", "-c", "kill -9 $$")
    assert await shell.end() == 128 + signal.SIGKILL
    holder = Shell(server, "lock", "/locks/s", "--", *WAIT)
    await holder.says("in")
    for number in (signal.SIGINT, signal.SIGTERM):
        waiting = Shell(server, "lock", "/locks/s", "--", *WAIT)
        await queue_length(client, "/locks/s", 2)
        waiting.process.send_signal(number)
        assert await waiting.end() == 128 + number and waiting.out == []
        await queue_length(client, "/locks/s", 1)
    # If zab is killed, its command loses the lock. So the command is killed too.
    holder.kill()
    shell = Shell(server, "--timeout-ms", "1000", "lock", "/locks/s", "--", "sh", "-c", "echo $$; read x")
    await until(lambda: shell.out, "the number of the process")
    shell.kill()
    await until(lambda: not is_alive(shell.out[0]), "the command is killed")


async def lines(server):
    """the commands of a script run programs, which do not read the script"""
    shell = Shell(server)
    shell.say("lock /locks/script -- sh -c 'cat; echo \"$ZABKEEPER_LOCK_PATH\"; exit 5'")
    shell.say("lock /locks/script -- no-such-program")
    shell.say("pwd")
    shell.process.stdin.close()
    assert await shell.end() == 5, shell.err
    assert shell.out[0].startswith("/locks/script/") and shell.out[1] == "/", shell.out


async def cut_off(server, client):
    """a command ends before another can have the lock, if it cannot reach a server"""
    check = ("sh", "-c", 'kill -0 "$1" 2>/dev/null || echo gone', "-")
    async with Cable(server) as cable:
        # It ignores SIGTERM, and so does what it starts.
        stubborn = "trap 'echo told' TERM; (trap '' TERM; exec sleep 1000) & echo $$ $!; while :; do wait; done"
        holder = Shell(cable, "--timeout-ms", "5000", "lock", "/locks/cut", "--", "sh", "-c", stubborn)
        await until(lambda: holder.out, "the numbers of the processes")
        command, started = holder.out[0].split()
        second = Shell(server, "lock", "/locks/cut", "--", *check, command)
        await queue_length(client, "/locks/cut", 2)
        assert is_alive(command) and is_alive(started) and second.out == []
        cable.is_cut = True
        await second.says("gone")
        assert not is_alive(command) and not is_alive(started)
        assert await second.end() == 0
        assert await holder.end() == EXIT_LOST and "told" in holder.out, (holder.out, holder.err)
        assert any("about to be lost" in line for line in holder.err), holder.err
        assert "the lock was lost" in holder.err[-1], holder.err


async def stopped_server(ensemble):
    """a command ends in good order if no server answers any more"""
    server = ensemble.servers[0]
    holder = Shell(server, "--timeout-ms", "4000", "lock", "/locks/stopped", "--",
                   "sh", "-c", "trap 'echo bye; exit 0' TERM; echo in; while :; do read x; done")
    await holder.says("in")
    server.signal(signal.SIGSTOP)
    try:
        assert await holder.end() == EXIT_LOST and holder.out == ["in", "bye"], (holder.out, holder.err)
    finally:
        server.signal(signal.SIGCONT)


async def deleted(server, client):
    """a command is ended if somebody deletes its node"""
    holder = Shell(server, "lock", "/locks/deleted", "--", "sh", "-c",
                   "trap 'echo told' TERM; echo in; while :; do sleep 1000 & wait; done")
    await holder.says("in")
    (name,) = (await client.call("children", path="/locks/deleted"))["children"]
    await client.call("delete", path=f"/locks/deleted/{name}")
    assert await holder.end() == EXIT_LOST and holder.out[:2] == ["in", "told"], (holder.out, holder.err)
    assert any("is lost" in line for line in holder.err), holder.err


async def terminal(server):
    """in a terminal, CMD can read from it and gets Ctrl-C; Ctrl-Z does not stop what holds a lock"""
    process, pty_end = in_terminal(server, "lock", "/locks/tty", "--", "sh", "-c",
                                   "trap 'echo int; exit 9' INT; read x; echo got $x; read y")
    output = b""

    async def shows(words):
        nonlocal output

        def read():
            nonlocal output
            if select.select([pty_end], [], [], 0)[0]:
                with contextlib.suppress(OSError):
                    output += os.read(pty_end, 65536)
            return words in output

        await until(read, f"in the terminal: {words}")

    os.write(pty_end, b"hello\n")
    await shows(b"got hello")
    os.write(pty_end, b"\x1a")
    await shows(b"^Z")
    os.write(pty_end, b"\x03")
    await shows(b"int")
    assert await asyncio.to_thread(process.wait, TIMEOUT) == 9, output
    os.close(pty_end)


async def lost_server():
    """a command goes on if its server is killed and another takes over the session"""
    async with Ensemble(3) as ensemble:
        shell = Shell(ensemble.leader(), "lock", "/locks/three", "--", *WAIT)
        await shell.says("in")
        ensemble.leader().kill()
        await shell.warns("the session continues")
        client = await until(lambda: Client.open(ensemble.leader()), "another leader")
        await queue_length(client, "/locks/three", 1)
        assert shell.process.poll() is None
        shell.say("3")
        assert await shell.end() == 3, shell.err
        await queue_length(client, "/locks/three", 0)


async def test():
    """`zab lock` runs one command at a time, and ends it before another client can hold the lock"""
    os.environ.pop("ZABKEEPER_SERVERS", None)
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        await exclusion(server, client)
        await semaphore(server, client)
        await environment(server, client)
        await programs_that_cannot_run(server, client)
        await signals(server, client)
        await lines(server)
        await terminal(server)
        await deleted(server, client)
        await cut_off(server, client)
        await stopped_server(ensemble)
    await lost_server()


run(test)
