"""conf/zabkeeper.service is valid for systemd, and agrees with the server's exit codes."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import BIN

SOURCE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"])
UNIT = SOURCE / "conf" / "zabkeeper.service"


def settings(text):
    """{section: {key: [values]}}"""
    sections, section = {}, None
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
            continue
        key, separator, value = line.partition("=")
        assert separator and section is not None, f"not key=value: {line!r}"
        section.setdefault(key, []).append(value)
    return sections


text = UNIT.read_text()
service = settings(text)["Service"]
assert service["DynamicUser"] == ["yes"] and "User" not in service
assert service["ProtectSystem"] == ["strict"]
assert service["Environment"] == [f"ZABKEEPER_DATA_DIR=/var/lib/{service['StateDirectory'][0]}"]

# No restart for exit codes that need a person, by docs/operations.md.
codes = dict(re.findall(r"^\| (\d+)[^|]*\| ([^|]+) \|", (SOURCE / "docs/operations.md").read_text(), re.M))
assert "configuration" in codes["2"] and "log" in codes["4"] and "invariant" in codes["134"], codes
assert service["RestartPreventExitStatus"] == ["2 4 SIGABRT"]

if shutil.which("systemd-analyze"):
    with tempfile.TemporaryDirectory(prefix="zabkeeper-") as directory:
        here = pathlib.Path(directory) / UNIT.name
        here.write_text(text.replace("/usr/local/bin/zabkeeper", str(BIN / "zabkeeper")))
        result = subprocess.run(["systemd-analyze", "verify", "--man=no", here], capture_output=True, text=True)
        assert result.returncode == 0 and UNIT.name not in result.stderr, result.stderr
        broken = pathlib.Path(directory) / "broken.service"
        broken.write_text(text.replace("ProtectSystem=strict", "ProtectSystem=most"))
        result = subprocess.run(["systemd-analyze", "verify", "--man=no", broken], capture_output=True, text=True)
        assert "broken.service" in result.stderr, "systemd-analyze does not report errors"
    print("passed: systemd accepts the unit")
else:
    print("passed: the unit can be parsed; systemd-analyze is not installed")
