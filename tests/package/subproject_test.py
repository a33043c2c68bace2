"""A user's project that has the sources of the library as a part of itself."""

import os
import pathlib
import subprocess
import tempfile

SOURCE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"])


def main():
    with tempfile.TemporaryDirectory(prefix="zabkeeper-subproject-") as folder:
        for command in (
                ["cmake", "-S", SOURCE / "tests/package/subproject", "-B", folder, "-G", "Ninja",
                 f"-DZABKEEPER={SOURCE}", f"-DPROGRAM={SOURCE}/tests/client_programs/lock.cc",
                 "-DCMAKE_BUILD_TYPE=Debug", "-DZABKEEPER_UNITS=ON"],
                ["cmake", "--build", folder, "--target", "user"],
                [pathlib.Path(folder) / "user", "not a url"]):
            result = subprocess.run(command, capture_output=True, text=True)
            if command[0] == "cmake":
                assert result.returncode == 0, (command, result.stdout, result.stderr)
        assert "not a url" in result.stderr, result.stderr
        server_parts = list(pathlib.Path(folder).rglob("server*.o"))
        assert not server_parts, server_parts


main()
