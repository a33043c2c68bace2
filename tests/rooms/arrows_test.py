"""The rooms of this tree keep to their arrows, and the check that says so would notice."""

import tempfile
import unittest
from pathlib import Path

import arrows

ALLOWED = """# A house
```arrows
zab -> wire
znode -> wire
session -> znode, wire
server -> session, zab
tests -> all
```
"""


def look_at(files, architecture=ALLOWED):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in {"ARCHITECTURE.md": architecture, **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return arrows.check(root)


class ThisTree(unittest.TestCase):
    def test_every_include_follows_an_arrow(self):
        wrong, _, count = arrows.check(Path(__file__).parents[2])
        self.assertEqual(wrong, [])
        self.assertGreater(count, 0)


class TheCheck(unittest.TestCase):
    def assert_finds(self, path, text, complaint):
        wrong, _, _ = look_at({path: text})
        self.assertEqual(wrong, [complaint])

    def test_allows_what_the_arrows_allow(self):
        wrong, unused, count = look_at({
            "zab/peer.cc": '#include "zab/peer.h"\n#include <vector>\n#include "wire/zxid.h"\n',
            "server/peers/link.cc": '#include <boost/asio.hpp>\n#include <thread>\n#include "zab/peer.h"\n',
            "tests/zab/peer_test.cc": '#include "tests/support/story.h"\n#include "zab/peer.h"\n',
            "build/release/generated.cc": '#include "anything.h"\n',
        })
        self.assertEqual(wrong, [])
        self.assertEqual(count, 8)
        self.assertIn(("session", "znode"), unused)
        self.assertNotIn(("zab", "wire"), unused)

    def test_finds_an_include_without_an_arrow(self):
        self.assert_finds("session/a/b.h", '#pragma once\n  # include "zab/peer.h"\n',
                          "session/a/b.h:2: no arrow session -> zab for zab/peer.h")
        self.assert_finds("zab/a.cc", "#include <znode/tree.h>\n",
                          "zab/a.cc:1: no arrow zab -> znode for znode/tree.h")
        self.assert_finds("server/a.cc", '#include "tests/support/story.h"\n',
                          "server/a.cc:1: no arrow server -> tests for tests/support/story.h")

    def test_finds_the_world_in_a_pure_room(self):
        for room in arrows.PURE:
            for name in ("chrono", "thread", "mutex", "random", "fstream", "condition_variable", "filesystem",
                         "iostream", "atomic", "boost/asio.hpp", "boost/asio/ip/tcp.hpp", "boost/beast/core.hpp",
                         "unistd.h", "sys/socket.h", "spdlog/spdlog.h"):
                self.assert_finds(f"{room}/a.h", f"#include <{name}>\n",
                                  f"{room}/a.h:1: {room} is pure and cannot include {name}")

    def test_finds_names_that_hide_their_room(self):
        self.assert_finds("zab/a.cc", '#include "peer.h"\n',
                          "zab/a.cc:1: peer.h names no room: include from the repository's root")
        self.assert_finds("attic/a.cc", '#include "zab/peer.h"\n', "attic/a.cc:1: no arrow names attic/")

    def test_keeps_the_towers_apart_whatever_the_list_says(self):
        wrong, _, _ = look_at({}, ALLOWED.replace("zab -> wire", "zab -> wire, session"))
        self.assertEqual(wrong, ["ARCHITECTURE.md: zab -> session: the two towers meet only in server"])

    def test_finds_arrows_in_a_circle(self):
        wrong, _, _ = look_at({}, ALLOWED.replace("znode -> wire", "znode -> wire, session"))
        self.assertEqual(wrong, ["ARCHITECTURE.md: session -> znode is part of a circle",
                                 "ARCHITECTURE.md: znode -> session is part of a circle"])

    def test_needs_the_list(self):
        for text in ("# A house\n", "```arrows\n```\n", "```arrows\nzab - wire\n```\n", "```arrows\nzab -> wire\n"):
            with self.assertRaises(arrows.Unreadable):
                look_at({}, text)


if __name__ == "__main__":
    unittest.main()
