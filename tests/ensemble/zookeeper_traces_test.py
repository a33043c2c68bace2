"""Plays recorded conversations of ZooKeeper's clients, and compares the replies byte for byte."""

import json
import os
import pathlib
import re
import subprocess
import sys

from harness import Ensemble, run, until

FOLDER = pathlib.Path(os.environ["ZABKEEPER_SOURCE"]) / "tests/zookeeper"
# Traces with these needs need servers with another configuration.
OTHER_SERVERS = {"readonly", "sasl", "quorum", "default-config", "enforce-sasl"}
KEYS = {"tickTime": 1000, "maxClientCnxns": 0, "maxClientSessions": 0,
        "clientSessionsPerSecond": 0, "4lw.commands.whitelist": "*",
        "znode.container.checkIntervalMs": 500,
        "superDigest": "super:xQJmxLMiHGwaqBvst5y6rkB6HQs="}

# The traces that differ. docs/zookeeper.md says why.
NULL_DATA = {"client-c-basic", "client-node-basic", "client-zkcli-basic", "data", "multi-read"}
WORDS = {"word-cons", "word-crst", "word-dump", "word-gtmk", "word-hash", "word-srst", "word-stmk",
         "word-wchc", "word-wchp"}
# The nodes of a quota have the zxid of its limits.
DIFFER = NULL_DATA | WORDS | {"quota-hard", "watch-own-session-end"}
# These traces look at the root. They come first, because traces that differ leave nodes behind.
FIRST = ["00-fresh-root", "children-of-root", "watch-root-children"]


def scenarios():
    traces = {path.stem: json.loads(path.read_text())
              for path in sorted((FOLDER / "traces").glob("*.json"))}
    names = [name for name, trace in traces.items()
             if trace.get("replay", True) and not OTHER_SERVERS & set(trace.get("needs", []))]
    return FIRST + [name for name in names if name not in FIRST]


def play(server, names):
    """The result of each scenario, and what was printed."""
    played = subprocess.run(
        [sys.executable, "-B", FOLDER / "replay.py", f"127.0.0.1:{server.web_port}", *names],
        capture_output=True, text=True, timeout=200)
    lines = re.findall(r"^(ok|FAIL|may|skip)\s+([\w-]+)", played.stdout, re.MULTILINE)
    return {name: result for result, name in lines}, played.stdout


async def test():
    """ZooKeeper's clients get the bytes that ZooKeeper sends"""
    async with Ensemble(1, **KEYS) as ensemble:
        results, printed = play(ensemble.servers[0], scenarios())
    failed = {name for name, result in results.items() if result == "FAIL"}
    assert failed == DIFFER, (failed ^ DIFFER, printed[-4000:])
    passed = sum(result == "ok" for result in results.values())
    assert passed >= 113, (passed, printed[-4000:])

    async with Ensemble(1) as plain:
        results, printed = play(plain.servers[0], ["word-refused", "word-srvr-default"])
        assert set(results.values()) == {"ok"}, printed

    keys = {"readonlymode.enabled": "true", "4lw.commands.whitelist": "*", "tickTime": 1000}
    async with Ensemble(3, **keys) as ensemble:
        alone, *others = ensemble.servers
        for server in others:
            server.kill()
        await until(lambda: not alone.ready(), "the last server has no quorum")
        results, printed = play(alone, ["readonly-server", "readonly-words"])
        assert set(results.values()) == {"ok"}, printed


run(test)
