"""The installed library: a user's project finds it with CMake or with pkg-config, and needs nothing of
the sources."""

import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"])
sys.path.insert(0, str(SOURCE / "tests/ensemble"))

from harness import BIN, Client, Ensemble, run  # noqa: E402

PROGRAM = SOURCE / "tests/client_programs/lock.cc"


def call(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


def has_only_the_client(prefix):
    headers = {str(path.relative_to(prefix / "include")) for path in (prefix / "include").rglob("*.h")}
    assert "zabkeeper/lock.h" in headers, headers
    rooms = {header.split("/")[2] for header in headers if header.startswith("zabkeeper/detail/")}
    assert rooms == {"client-lib", "wire"}, rooms
    programs = [path for path in prefix.rglob("*") if path.is_file() and os.access(path, os.X_OK)]
    assert not programs, programs


def build_with_cmake(prefix, folder):
    call("cmake", "-S", SOURCE / "tests/package/installed", "-B", folder, "-G", "Ninja",
         f"-DCMAKE_PREFIX_PATH={prefix}", f"-DPROGRAM={PROGRAM}")
    call("cmake", "--build", folder)
    return folder / "user"


def build_with_pkg_config(prefix, folder):
    found = next(prefix.rglob("zabkeeper.pc")).parent
    flags = shlex.split(call("pkg-config", "--cflags", "--libs", "zabkeeper",
                             env={**os.environ, "PKG_CONFIG_PATH": str(found)}))
    call("g++", "-o", folder / "user", PROGRAM, *flags)
    return folder / "user"


async def test():
    """a program is built with the installed library, and works"""
    async with Ensemble(1) as ensemble:
        client = await Client.open(ensemble.servers[0])
        await client.call("create", path="/jobs")
        await client.close()
        for build in (build_with_cmake, build_with_pkg_config):
            with tempfile.TemporaryDirectory(prefix="zabkeeper-package-") as folder:
                prefix = pathlib.Path(folder) / "installed"
                build_folder = pathlib.Path(folder) / "user"
                build_folder.mkdir()
                call("cmake", "--install", BIN.parent, "--component", "client", "--prefix", prefix)
                has_only_the_client(prefix)
                program = build(prefix, build_folder)
                url = ensemble.servers[0].url.removesuffix("/v1")
                assert call(program, url, timeout=30) == "worked\n"
        client = await Client.open(ensemble.servers[0])  # the builds take longer than a session
        done = await client.call("get", path="/jobs/done")
        assert done["data"].startswith("/jobs/"), done
        await client.close()


run(test)
