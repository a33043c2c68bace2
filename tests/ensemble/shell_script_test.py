"""The shell for scripts: many commands from a pipe over one session."""

import asyncio
import contextlib
import json
import os
import pathlib
import pty
import re
import resource
import select
import signal
import subprocess
import tempfile
import time

from harness import BIN, TIMEOUT, Ensemble, run

EXIT_USAGE, EXIT_NO_NODE, EXIT_EXISTS, EXIT_NO_SERVER, EXIT_UNKNOWN, EXIT_TIMEOUT = 2, 3, 4, 8, 9, 124


def zab(server, *words, **options):
    """The result of a command; output and errors are bytes."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.run([BIN / "zab", "--server", getattr(server, "url", server), *words],
                          timeout=TIMEOUT, **options)


async def in_thread(function, *arguments, **options):
    """The result of a blocking call. Meanwhile servers of this process go on."""
    return await asyncio.to_thread(function, *arguments, **options)


def script(server, *lines, words=("-",), **options):
    return zab(server, *words, input="".join(line + "\n" for line in lines).encode(), **options)


def results_in_order(server):
    """results and errors have the order of the lines, and each command does what it does alone"""
    done = script(server, "create -p /s/a v1", "get /s/a", "set /s/a 'two words'", "get /s/a", "get -s /s/a",
                  "create -s /s/n x", "count /s", "ls /s", "cd /s", "get a", "delete a", "count",
                  "# a comment", "", "exists /s", words=())
    assert (done.returncode, done.stderr) == (0, b""), done
    lines = done.stdout.decode().splitlines()
    assert lines[:4] == ["/s/a", "v1", "two words", "two words"], lines
    assert lines[4].startswith("czxid") and lines[14] == "numChildren     0", lines
    assert lines[15:21] == ["/s/n0000000001", "2", "a", "n0000000001", "two words", "1"], lines
    assert lines[21].startswith("czxid"), lines

    # The name of a sequential node may be its number alone.
    done = script(server, "create /s/q", "create -s /s/q/ x")
    assert done.stdout == b"/s/q\n/s/q/0000000000\n", done
    assert zab(server, "create", "-s", "/s/q/", "x").stdout == b"/s/q/0000000001\n"
    done = zab(server, "multi", "-", input=b"create -s /s/q/ x\n")
    assert done.stdout == b"create /s/q/0000000002\n", done

    # Errors stand between the results; the first one decides the exit code.
    done = script(server, "create /s/b v1", "get /none", "create /s/b v1", "get /s/b", "create /x/y", "frob",
                  "set 'open", "get -s", "--json get /none", "set /s/b -", "get /s/b", "quit", "get /none",
                  stderr=subprocess.STDOUT)
    assert done.returncode == EXIT_NO_NODE, done
    lines = done.stdout.decode().splitlines()
    assert lines[:6] == ["/s/b", "/none: no such node (NoNode)", "/s/b: already exists (NodeExists)", "v1",
                         "/x/y: its parent does not exist; -p creates it (NoNode)", "unknown command: frob"], lines
    assert lines[7] == "a quote is not closed: '" and lines[8] == "PATH is required", lines
    assert '"error":"NoNode"' in lines[-4] and lines[-3].startswith("/none: "), lines
    assert lines[-2].startswith("DATA - reads standard input") and lines[-1] == "v1", lines
    assert script(server, "create /s/b", "get /none").returncode == EXIT_EXISTS

    # Options of one line are not those of the next.
    done = script(server, "set --create /s/c v1", "set /s/missing v1", "set -v 7 /s/c v2", "set /s/c v3", "get /s/c",
                  "--json get /s/c", "get /s/c")
    assert done.returncode == EXIT_NO_NODE and done.stdout.startswith(b"v3\n{") and done.stdout.endswith(b"\nv3\n"), done


def many_commands(server):
    """thousands of commands are carried out in order"""
    count = 5_000
    done = script(server, "create /many", *[f"create /many/n{i} 'value {i}'" for i in range(count)])
    assert (done.returncode, done.stderr) == (0, b""), done.stderr[:500]
    assert done.stdout.split() == [b"/many"] + [b"/many/n%d" % i for i in range(count)]
    done = script(server, *[f"get /many/n{i}" for i in range(count)], *["set /many/n0 %d" % i for i in range(100)],
                  "get /many/n0")
    assert done.stdout.splitlines() == [b"value %d" % i for i in range(count)] + [b"99"], done.stdout[-200:]
    # No command is lost if its newline or its closing quote is missing.
    done = zab(server, "-", input=b"get /many/n1\nget /many/n2")
    assert done.stdout == b"value 1\nvalue 2\n", done


def small_memory(server):
    """large values do not accumulate in memory"""
    zab(server, "set", "--create", "/large", "-", input=b"x" * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = script(server, *["get /large"] * 200)
    assert done.returncode == 0 and len(done.stdout) == 200 * 1_000_001, (done.returncode, len(done.stdout))
    # This is the shell's memory, if the shell is the largest child of this test so far.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert peak == before or peak < 96 << 10, peak


def conversation(server):
    """a program gets each result before it writes the next line, or half of it"""
    shell = subprocess.Popen([BIN / "zab", "--server", server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for text, answer in ((b"create /talk v1\n", b"/talk\n"), (b"get /talk\nge", b"v1\n"), (b"t /talk\n", b"v1\n"),
                         (b"set /talk v2\nget /talk\nget", b"v2\n"), (b" /talk\n\n#\n", b"v2\n")):
        os.write(shell.stdin.fileno(), text)
        assert shell.stdout.readline() == answer, (text, answer)
    shell.stdin.close()
    assert shell.wait(timeout=TIMEOUT) == 0
    shell.stdout.close()


def lost_server(server):
    """a script ends if its server does not reply"""
    lines = ["get /talk"] + ["set /talk v%d" % i for i in range(300)]
    shell = subprocess.Popen([BIN / "zab", "--server", server.url, "--timeout-ms", "1000", "-"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(shell.stdin.fileno(), b"get /talk\n")
    assert shell.stdout.readline() == b"v2\n"
    server.signal(signal.SIGSTOP)
    try:
        out, err = shell.communicate("".join(line + "\n" for line in lines).encode(), timeout=TIMEOUT)
    finally:
        server.signal(signal.SIGCONT)
    assert shell.returncode in (EXIT_NO_SERVER, EXIT_UNKNOWN) and out == b"", (shell.returncode, out, err)
    # Each line has its error.
    errors = [line for line in err.splitlines() if line.endswith(b")")]
    assert len(errors) == 301, (len(errors), err[:2000])


def formats(server):
    """each format of --output"""
    zab(server, "create", "-p", '/f/\u00e4 b"c', "v1")
    name = '\u00e4 b"c'
    assert zab(server, "ls", "-0", "/f").stdout.decode() == name + "\0"
    assert zab(server, "ls", "-R", "-0", "/f").stdout.decode() == f"/f/{name}\0"
    assert json.loads(zab(server, "--output", "json", "ls", "/f").stdout)["children"] == [name]
    assert json.loads(zab(server, "ls", "/f", "--output", "jsonl").stdout) == {"name": name}
    row = json.loads(zab(server, "ls", "-l", "/f", "--output", "jsonl").stdout)
    assert row["name"] == name and row["stat"]["dataLength"] == 2, row
    row = json.loads(zab(server, "tree", "/f", "--output", "jsonl").stdout)
    assert row["path"] == "/f/" + name, row
    assert zab(server, "ls", "-l", "/f", "--output", "raw").stdout.decode().startswith(name + "\tv0\t2\t0\t")
    assert script(server, "get '/f/\u00e4 b\\", words=("--output", "raw")).returncode == EXIT_USAGE
    zab(server, "set", "--create", "/f", "x")
    assert script(server, "get /f", "get /f", words=("--output", "raw")).stdout == b"xx"
    assert script(server, "get /f --output raw", "get /f").stdout == b"xx\n"
    status = zab(server, "status", "--output", "raw").stdout.split(b"\t")
    assert status[1:3] == [b"1", b"standalone"], status
    assert json.loads(zab(server, "status", "--output", "jsonl").stdout)["id"] == 1
    done = zab(server, "get", "/f", env={**os.environ, "ZABKEEPER_OUTPUT": "xml"})
    assert done.returncode == EXIT_USAGE and b"ZABKEEPER_OUTPUT" in done.stderr, done


def time_is_over(server):
    """--timeout ends every command"""
    for words, says in ((("watch", "/f"), b"watching /f\nthe time of --timeout is over\n"),
                        (("watch", "/f", "--", "cat"), b"watching /f\nthe time of --timeout is over\n"),
                        (("elect", "--observe", "/f"), b"observing /f\nthe time of --timeout is over\n"),
                        (("await", "/none", "exists"), b"/none does not exist, 0.200 seconds have passed\n")):
        done = zab(server, "--timeout", "0.2", *words)
        assert done.returncode == EXIT_TIMEOUT and done.stderr.endswith(says), done
    # The environment sets the timeout, and turns remarks off.
    environment = {**os.environ, "ZABKEEPER_TIMEOUT": "0.2", "ZABKEEPER_QUIET": "1"}
    done = zab(server, "watch", "/f", env=environment)
    assert (done.returncode, done.stderr) == (EXIT_TIMEOUT, b"the time of --timeout is over\n"), done
    # A command that has enough time, and a program that runs longer than --timeout.
    assert zab(server, "get", "/f", "--timeout", "20").stdout == b"x"
    assert zab(server, "--timeout", "0.2", "lock", "/f/lock", "--", "sleep", "0.4").returncode == 0
    # No server.
    for words in (("ls", "/"), ("find", "/"), ("watch", "/")):
        done = zab("ws://127.0.0.1:1", "--timeout", "2", *words)
        assert done.returncode == EXIT_NO_SERVER and b"no server accepted" in done.stderr, done
    # A server that does not reply.
    server.signal(signal.SIGSTOP)
    try:
        for words in (("get", "/f"), ("ls", "-R", "/"), ("set", "/f", "y"), ("lock", "/f/lock", "--", "true")):
            done = zab(server, "--timeout", "0.2", *words)
            assert done.returncode in (EXIT_NO_SERVER, EXIT_TIMEOUT), done
            assert b"--timeout" in done.stderr or b"within 0.200 seconds" in done.stderr, done
    finally:
        server.signal(signal.SIGCONT)


def contexts(server):
    """contexts keep options under a name"""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "XDG_CONFIG_HOME": home}
        environment.pop("ZABKEEPER_SERVERS", None)
        path = pathlib.Path(home) / "zabkeeper/config.toml"

        def call(*words, **more):
            return subprocess.run([BIN / "zab", *words], env={**environment, **more}, capture_output=True,
                                  timeout=TIMEOUT)

        assert call("context", "set", "here", "--server", server.url, "--auth", "digest:kim:geheim").returncode == 0
        assert path.stat().st_mode & 0o777 == 0o600
        assert call("context", "set", "nowhere", "--server", "ws://127.0.0.1:1", "--timeout", "0.2").returncode == 0
        assert call("context", "use", "here").returncode == 0
        # The option, the environment, the current context.
        done = call("whoami")
        assert b"kim" in done.stdout, done
        assert call("--context", "nowhere", "whoami").returncode == EXIT_NO_SERVER
        assert call("whoami", ZABKEEPER_CONTEXT="nowhere").returncode == EXIT_NO_SERVER
        assert call("--context", "here", "whoami", ZABKEEPER_CONTEXT="nowhere").returncode == 0
        assert call("--context", "nowhere", "--server", server.url, "--timeout", "9", "whoami").returncode == 0
        # The secrets of a context are only for its own servers, and are never printed.
        assert b"kim" not in call("--server", server.url, "whoami").stdout
        assert b"kim" not in call("whoami", ZABKEEPER_SERVERS=server.url).stdout
        for words in (("context",), ("context", "show"), ("context", "list", "--json"), ("context", "show", "--json")):
            done = call(*words)
            assert done.returncode == 0 and b"digest:kim:***" in done.stdout and b"geheim" not in done.stdout, done
        assert json.loads(call("context", "show", "--json").stdout)["auth"] == ["digest:kim:***"]

        # A file that others may read is refused where it has secrets.
        path.chmod(0o640)
        done = call("whoami")
        assert done.returncode == EXIT_USAGE and f"chmod 600 {path}".encode() in done.stderr, done
        assert call("help").returncode == 0
        path.chmod(0o600)
        assert call("context", "set", "here", "--auth", "").returncode == 0
        path.chmod(0o644)
        assert call("whoami").returncode == 0
        # Setting a secret makes the file private again.
        assert call("context", "set", "here", "--auth", "digest:kim:geheim").returncode == 0
        assert path.stat().st_mode & 0o777 == 0o600

        # A wrong setting is named, and is not saved.
        before = path.read_text()
        for words, says in ((("--context", "her", "ping"), b"did you mean `here`?"),
                            (("context", "use", "nowher"), b"did you mean `nowhere`?"),
                            (("context", "set", "a b", "--server", "x"), b"a b"),
                            (("context", "set", "x", "--server", "foo://x"), b"foo://x"),
                            (("context", "set", "x", "--timeout", "soon"), b"'soon'"),
                            (("context", "set", "x"), b"which options?"),
                            (("context", "delete"), b"NAME is required")):
            done = call(*words)
            assert done.returncode == EXIT_USAGE and says in done.stderr, (words, done)
        assert path.read_text() == before
        assert call("context", "delete", "here").returncode == 0
        assert b"here" not in call("context").stdout.split()
        path.write_text("[contexts.a]\nservers = [")
        done = call("ping")
        assert done.returncode == EXIT_USAGE and b"line 2" in done.stderr, done


class Terminal:
    """The interactive shell in a pseudo-terminal."""

    def __init__(self, server, home, **environment):
        self.pty, other = pty.openpty()
        # The new session has the terminal, so that Ctrl-C is a signal.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", BIN / "zab", "--server", server.url], stdin=other, stdout=other, stderr=other,
            env={**os.environ, "TERM": "xterm", "HOME": home, "XDG_STATE_HOME": home, **environment})
        os.close(other)
        self.output = b""

    def type(self, text, pattern):
        """Types the text, and returns the output up to the pattern."""
        os.write(self.pty, text)
        deadline = time.monotonic() + TIMEOUT
        while not (found := re.search(pattern, self.output, re.DOTALL)):
            assert time.monotonic() < deadline, (text, pattern, self.output[-2000:])
            if select.select([self.pty], [], [], 0.1)[0]:
                self.output += os.read(self.pty, 65536)
        seen, self.output = self.output[:found.end()], self.output[found.end():]
        return seen

    def quit(self):
        os.write(self.pty, b"quit\n")
        with contextlib.suppress(OSError):
            while data := os.read(self.pty, 65536):
                self.output += data
        os.close(self.pty)
        return self.process.wait(timeout=TIMEOUT)


def interactive(server):
    """Tab, multi-line data, Ctrl-C, history and colours in a terminal"""
    zab(server, "create", "-p", "/i/one two/three", "found")
    script(server, "create /i/many", *[f"create /i/many/n{i:04}" for i in range(1500)])
    with tempfile.TemporaryDirectory() as home:
        shell = Terminal(server, home)
        seen = shell.type(b"", rb"/\x1b\[0m> ")
        assert b"\x1b[32m1 standalone\x1b[0m" in seen, seen
        shell.type(b"get /i/one\t\t\n", rb"found\r\n.*> ")
        shell.type(b"who\t\n", rb"world:anyone\r\n.*> ")
        shell.type(b"watch --onc\t", rb"--onc.*e ")
        shell.type(b"\x03", rb"> ")
        # Tab adds only the common prefix of 1,500 children.
        shell.type(b"exists /i/many/n\t1499\n", rb"numChildren.*0m> ")
        # A quote that is left open.
        shell.type(b"set /i 'line 1\n", rb"\n> ")
        shell.type(b"line 2'\n", rb"0m> ")
        assert zab(server, "get", "/i").stdout == b"line 1\nline 2"
        # A server that does not reply: Ctrl-C ends the command, and not the shell.
        server.signal(signal.SIGSTOP)
        try:
            shell.type(b"get /i\n", rb"get /i\r\n")
            shell.type(b"\x03", rb"\(Cancelled\).*0m> ")
        finally:
            server.signal(signal.SIGCONT)
        shell.type(b"whoami --auth digest:kim:geheim\n", rb"0m> ")
        shell.type(b"pwd\n", rb"/\r\n.*0m> ")
        assert shell.quit() == 0
        history = pathlib.Path(home) / "zabkeeper/history"
        assert history.stat().st_mode & 0o777 == 0o600
        assert "geheim" not in history.read_text() and "pwd" in history.read_text(), history.read_text()
        # The history is kept for the next shell, which has no colours here.
        shell = Terminal(server, home, NO_COLOR="1")
        seen = shell.type(b"", rb"\] /> ")
        assert b"\x1b[32m" not in seen, seen
        shell.type(b"\x1b[A\x1b[A\n", rb"\r\n/\r\n.*> ")
        assert shell.quit() == 0


def generated_files():
    """the completion script for bash completes commands and options"""
    source = subprocess.run([BIN / "zab", "--generate", "bash"], capture_output=True, timeout=TIMEOUT).stdout.decode()
    for line, expected in (("zab stat", {"stat", "status"}), ("zab watch --rec", {"--recursive"}),
                           ("zab --server x watch --rec", {"--recursive"}), ("zab context us", {"use"}),
                           ("zab --tim", {"--timeout", "--timeout-ms"}), ("zab lock /a -- ls --j", set())):
        words = line.split()
        ask = f"{source}\nCOMP_WORDS=({line}) COMP_CWORD={len(words) - 1}; _zab; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        done = subprocess.run(["bash", "-c", ask], capture_output=True, timeout=TIMEOUT)
        assert set(done.stdout.decode().split()) == expected and done.stderr == b"", (line, done)
    man = subprocess.run([BIN / "zab", "--generate", "man"], capture_output=True, timeout=TIMEOUT).stdout
    assert man.startswith(b".TH ZAB 1") and b"serve\\-config" in man, man[:200]


async def test():
    """the shell runs scripts fast and in order"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        await in_thread(results_in_order, server)
        await in_thread(many_commands, server)
        await in_thread(small_memory, server)
        await in_thread(conversation, server)
        await in_thread(lost_server, server)
        await in_thread(formats, server)
        await in_thread(contexts, server)
        await in_thread(time_is_over, server)
        await in_thread(interactive, server)
        await in_thread(generated_files)


run(test)
