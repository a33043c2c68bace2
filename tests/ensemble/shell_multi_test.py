"""`zab multi`: a script of operations that is one transaction, with guards; and data from files."""

import asyncio
import json
import pathlib
import subprocess
import tempfile

from harness import BIN, TIMEOUT, Client, Ensemble, run
from shell_processes import Shell

EXIT_OTHER, EXIT_USAGE, EXIT_NO_NODE, EXIT_EXISTS = 1, 2, 3, 4
EXIT_BAD_VERSION, EXIT_NO_AUTH, EXIT_NO_SERVER, EXIT_OUTPUT = 5, 7, 8, 11


async def zab(server, *words, **options):
    """The result of a command; output and errors are text."""
    url = getattr(server, "url", server)
    options.setdefault("stdout", subprocess.PIPE)
    return await asyncio.to_thread(subprocess.run, [BIN / "zab", "--server", url, *words], text=True,
                                   stderr=subprocess.PIPE, timeout=TIMEOUT, **options)


async def transactions(server, client, directory):
    """all operations of a script happen in one transaction, or none"""
    (directory / "data").write_bytes(b"from a file\n")
    script = directory / "script"
    script.write_text(f"""# a script
        create '/m two' top
        create -s '/m two/ключ-' @{directory}/data
        create "/m two/b"
        set '/m two' "a \\"b\\""
        check '/m two' version=1 'data=a "b"'
        get '/m two'
        ls '/m two'
        rm '/m two/b'""")
    done = await zab(server, "multi", str(script))
    assert done.returncode == 0 and done.stdout == (
        'create /m two\ncreate /m two/ключ-0000000000\ncreate /m two/b\nset /m two v1\ncheck /m two\n'
        'get /m two a "b"\nls /m two\n  b\n  ключ-0000000000\ndelete /m two/b\n'), done
    assert (await client.call("get", path="/m two/ключ-0000000000"))["data"] == "from a file\n"
    done = await zab(server, "--json", "multi", input="set '/m two' x\nls '/m two'\n")
    reply = json.loads(done.stdout)
    assert reply["results"][1]["children"] == ["ключ-0000000000"], reply
    nodes = (await client.call("count", path="/"))["count"]
    for text, code, reason in (
            ("create /n\n\ncreate '/m two'\n", EXIT_EXISTS, "line 3: /m two: already exists"),
            ("create /n\nset -v 7 '/m two' x\n", EXIT_BAD_VERSION, "line 2: /m two: has another version"),
            ("create /n\ndelete /none\n", EXIT_NO_NODE, "line 2: /none: no such node"),
            ("create /n\ncheck /n data=x\n", EXIT_OTHER, "line 2: /n has other data (ConditionFailed)"),
            ("create /n\nfly /n\n", EXIT_USAGE, "line 2: unknown command: fly"),
            ("create /n @/none\n", EXIT_OTHER, "line 1: /none: No such file"),
            ("create /n -\n", EXIT_USAGE, "line 1: DATA - is not possible"),
            ("create /zookeeper/n\n", EXIT_USAGE, "reserved"), ("", EXIT_USAGE, "no operations"),
            ("create /n\n" * 2, EXIT_EXISTS, "line 2: /n: already exists"),
            ("create /n\n" * 1001, EXIT_OTHER, "maxMultiOps=1000")):
        done = await zab(server, "multi", "-", input=text)
        assert done.returncode == code and reason in done.stderr and done.stdout == "", (text[:99], done)
    assert (await client.call("count", path="/"))["count"] == nodes
    done = await zab(server, "--json", "multi", input="create /n\ndelete /none\n")
    assert json.loads(done.stdout)["index"] == 1 and done.returncode == EXIT_NO_NODE, done
    for file in ("/nonexistent", str(directory)):
        assert (await zab(server, "multi", file)).returncode == EXIT_OTHER
    done = await zab(server, input=f"multi\ncd '/m two'\nmulti {directory}/relative\n")
    assert done.returncode == EXIT_USAGE and "the commands come from there" in done.stderr, done
    (directory / "relative").write_text("set . relative\n")
    done = await zab(server, input=f"cd '/m two'\nmulti {directory}/relative\n")
    assert done.returncode == 0 and done.stdout == "set /m two v3\n", done
    done = await zab("ws://127.0.0.1:1", "--timeout-ms", "300", "multi", input="create /n\n")
    assert done.returncode == EXIT_NO_SERVER, done
    with open("/dev/full", "wb") as full:
        done = await zab(server, "multi", input="get /\n", stdout=full)
    assert done.returncode == EXIT_OUTPUT, done


async def guards(server, client):
    """guards decide whether the operations or those of else happen"""
    await client.call("create", path="/g", data="v1")
    stat = (await client.call("exists", path="/g"))["stat"]
    for guard in ("exists", "version=0", "data=v1", f"czxid={stat['czxid']}", "owner=none",
                  f"mzxid={stat['mzxid']} exists"):
        done = await zab(server, "multi", input=f"if /g {guard}\nif /none gone\nget /g\n")
        assert done.returncode == 0 and done.stdout == "get /g v1\n", (guard, done)
    for guard in ("gone", "version=1", "data=v2", "czxid=0000000000000001", f"owner={stat['czxid']}"):
        done = await zab(server, "multi", input=f"if /none gone\nif /g {guard}\nset /g x\n")
        assert done.returncode == EXIT_OTHER and "line 2: " in done.stderr, (guard, done)
        assert "ConditionFailed" in done.stderr, done
        done = await zab(server, "multi", input=f"if /g {guard}\nset /g x\nelse\nget /g\n")
        assert done.returncode == 0 and done.stdout == "else\nget /g v1\n", (guard, done)
        done = await zab(server, "--json", "multi", input=f"if /g {guard}\nset /g x\nelse\nget /g\n")
        assert json.loads(done.stdout)["branch"] == "else", done
        done = await zab(server, "multi", input=f"if /g {guard}\nset /g x\nelse\n# but\ncreate /g\n")
        assert done.returncode == EXIT_EXISTS and "line 5: /g: already exists" in done.stderr, done
    # The guard of a lock protects a write of the command under it.
    shell = Shell(server, "lock", "/locks/g", "--", "sh", "-c",
                  'echo "if $ZABKEEPER_LOCK_GUARD"')
    await shell.end()
    guard = next(line for line in shell.out if line.startswith("if {"))
    done = await zab(server, "multi", input=guard + "\nset /g late\n")
    assert done.returncode == EXIT_OTHER and "ConditionFailed" in done.stderr, done
    assert (await client.call("get", path="/g"))["data"] == "v1"
    shell = Shell(server, "lock", "/locks/g", "--", "sh", "-c",
                  'printf "if $ZABKEEPER_LOCK_GUARD\\nset /g under\\n" | "$0" --server "$1" multi',
                  str(BIN / "zab"), server.url)
    assert await shell.end() == 0, shell.err
    assert (await client.call("get", path="/g"))["data"] == "under"


async def data_from_files(server, client, directory):
    """set and create take data from a file, byte for byte"""
    file = directory / "a file"
    for data in (b"", b"two\nlines", bytes(range(256)), b"x" * 1_000_000):
        file.write_bytes(data)
        assert (await zab(server, "set", "--create", "/file", f"@{file}")).returncode == 0
        done = await asyncio.to_thread(subprocess.run, [BIN / "zab", "--server", server.url, "get", "/file"],
                                       capture_output=True, timeout=TIMEOUT)
        assert done.stdout == data
    assert (await zab(server, "create", "/file2", f"@{file}")).returncode == 0
    assert (await zab(server, "set", "/file2", "@@home")).returncode == 0
    assert (await client.call("get", path="/file2"))["data"] == "@home"
    for argument in ("@/nonexistent", f"@{directory}", "@"):
        done = await zab(server, "set", "/file2", argument)
        assert done.returncode == EXIT_OTHER and done.stderr, (argument, done)
    file.write_bytes(b"x" * 3_000_000)
    done = await zab(server, "set", "/file2", f"@{file}")
    assert done.returncode == EXIT_OTHER and "TooLarge" in done.stderr, done
    assert (await client.call("get", path="/file2"))["data"] == "@home"


async def test():
    """`zab multi` carries out scripts as transactions with guards"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        client = await Client.open(server)
        with tempfile.TemporaryDirectory() as path:
            await transactions(server, client, pathlib.Path(path))
            await guards(server, client)
            await data_from_files(server, client, pathlib.Path(path))


run(test)
