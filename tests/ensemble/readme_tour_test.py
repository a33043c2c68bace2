"""Types the commands of the README's tour in terminals, and compares the output."""

import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(os.environ["ZABKEEPER_SOURCE"])
RUN_DIR = ROOT / "build" / "tour"
TIMEOUT = 120  # seconds; reached only by a failure
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r|\x07")
TYPED_IN_SHELL = re.compile(r"^\[zab .*?\] \S*> (.*)$")


class Terminal:
    """A pseudo-terminal that runs bash."""

    def __init__(self, name, environment):
        self.name, self.text, self.read_to = name, "", 0
        self.pty, shell_side = pty.openpty()
        self.process = subprocess.Popen(["bash", "--norc", "--noprofile"], stdin=shell_side,
                                        stdout=shell_side, stderr=shell_side, cwd=ROOT,
                                        env={**environment, "PS1": "$ ", "TERM": "dumb"},
                                        start_new_session=True)
        os.close(shell_side)

    def type(self, line):
        os.write(self.pty, (line + "\n").encode())

    def pump(self, seconds):
        if select.select([self.pty], [], [], seconds)[0]:
            try:
                self.text += CONTROL.sub("", os.read(self.pty, 65536).decode(errors="replace"))
            except OSError:  # the shell has ended
                time.sleep(seconds)

    def expect(self, line):
        """Waits for a whole line after the last one found; … in it stands for any text."""
        self._wait(re.compile("^" + ".*".join(map(re.escape, line.split("…"))) + "$", re.M), line)

    def expect_prompt(self, prompt):
        self._wait(prompt, "a prompt")

    def _wait(self, pattern, what):
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            # The pattern does not match a line that is still incomplete.
            found = pattern.search(self.text, self.read_to)
            if found:
                self.read_to = found.end()
                return
            self.pump(0.05)
        raise AssertionError(f"terminal {self.name}: no {what!r} within {TIMEOUT} s; its last output:\n"
                             + self.text[-3000:])

    def end(self):
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            os.killpg(self.process.pid, number)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                pass
        os.close(self.pty)


SHELL_PROMPT = re.compile(r"\[zab [^\]\n]*\] \S*> ")
BASH_PROMPT = re.compile(r"^\$ ", re.M)


def tour():
    """(terminal, lines) of each block of the tour."""
    page = (ROOT / "README.md").read_text()
    blocks = re.findall(r"<!-- tour: terminal (\d) -->\n```console\n(.*?)```", page, re.S)
    assert len(blocks) >= 5, "README.md has no blocks with <!-- tour: terminal N -->"
    return [(number, text.splitlines()) for number, text in blocks]


def script():
    page = (ROOT / "README.md").read_text()
    return re.search(r"```python\n(.*?)```", page, re.S).group(1)


def ports_are_free():
    for port in (2180, 2190, 2200, 2888, 2889, 2890):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))


def main():
    ports_are_free()
    shutil.rmtree(RUN_DIR, ignore_errors=True)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "config.py").write_text(script())
    home = RUN_DIR / "home"
    home.mkdir(parents=True)
    environment = {**os.environ, "ZABKEEPER_RUN_DIR": str(RUN_DIR), "HOME": str(home)}
    terminals = {}
    try:
        for number, lines in tour():
            if number not in terminals:
                terminals[number] = Terminal(number, environment)
            terminal = terminals[number]
            for line in lines:
                typed = TYPED_IN_SHELL.match(line)
                if typed:
                    terminal.expect_prompt(SHELL_PROMPT)
                    terminal.type(typed.group(1))
                elif line.startswith("$ "):
                    terminal.expect_prompt(BASH_PROMPT)
                    terminal.type(line[2:])
                else:
                    terminal.expect(line)
        # `quit` has ended the shell and the servers.
        terminals["1"].expect_prompt(BASH_PROMPT)
        ports_are_free()
    finally:
        for terminal in terminals.values():
            terminal.end()
    shutil.rmtree(RUN_DIR, ignore_errors=True)
    print("passed: the README's tour has the documented output")


main()
