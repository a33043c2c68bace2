"""One server alone, with control over what it inherits: its standard streams, limits and signals."""

import pathlib
import re
import subprocess
import urllib.request

from harness import BIN, TIMEOUT, until


class Single:
    """`with Single(directory, key=value) as server`: a standalone server on any free port.

    `stdout` and `stderr` as of subprocess.Popen; without `stdout`, its messages go to a file.
    `before` is called in the process before the program."""

    def __init__(self, directory, *arguments, stdout=None, stderr=None, before=None, environment=None):
        self.directory = pathlib.Path(directory)
        self.log_file = self.directory / "log"
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [BIN / "zabkeeper", *map(str, arguments), "--webPort=0", f"--dataDir={self.directory / 'data'}"],
                stdout=log if stdout is None else stdout, stderr=log if stderr is None else stderr,
                stdin=subprocess.DEVNULL, preexec_fn=before, env=environment)
        self.port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def log(self):
        return self.log_file.read_text(errors="replace")

    def listening_port(self):
        """From /proc: the server's messages may be unreadable."""
        inodes = set()
        for link in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                inodes.update(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
            except OSError:
                pass
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                return int(words[1].split(":")[1], 16)
        return None

    async def ready(self):
        self.port = await until(lambda: self.process.poll() is None and self.listening_port(), "it listens")
        await until(lambda: self.get("/health/ready"), "it serves")
        return self

    def get(self, path, timeout=5):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
            return answer.read().decode()

    def post(self, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method="POST")
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.read().decode()

    def metric(self, name):
        found = re.search(rf"^{name} (\S+)$", self.get("/metrics"), re.MULTILINE)
        assert found, f"there is no metric {name}"
        return float(found[1])

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self):
        return self.process.wait(timeout=TIMEOUT)
