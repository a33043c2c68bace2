"""The reference of the C++ client is made from its headers without a warning, and has its classes."""

import os
import pathlib
import subprocess

SOURCE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"])


def main():
    result = subprocess.run([SOURCE / "tools/dev", "reference"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    pages = pathlib.Path(result.stdout.strip()).parent
    lock = (pages / "classzabkeeper_1_1Acquirable.html").read_text()
    assert "The hold is empty if others hold or wait." in lock, "comments are in the reference"


main()
