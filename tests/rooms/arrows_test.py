"""Every include of this tree follows the arrows in ARCHITECTURE.md, and arrows.py finds those that
do not."""

import tempfile
import unittest
from pathlib import Path

import arrows

# Each test lists what its own includes use: an arrow that nothing uses would fail.
ROOMS = {
    "zab": "wire",
    "wire": "nothing",
    "session": "wire",
    "server/clients": "nothing",
    "server": "zab",
    "tests": "all",
}
USES = {
    "zab/a.cc": '#include "wire/zxid.h"\n',
    "session/a.cc": '#include "wire/zxid.h"\n',
    "server/main.cc": '#include "zab/peer.h"\n',
}


def page(rooms):
    lines = [f"{room} -> {targets}\n" for room, targets in rooms.items()]
    return "# A page\n```arrows\n" + "".join(lines) + "```\n"


def check(files, rooms=None, architecture=None):
    """The result of arrows.py for the sources in USES and `files` (path: text). The list of arrows
    is ROOMS, with the changes in `rooms`."""
    files = {"ARCHITECTURE.md": architecture or page({**ROOMS, **(rooms or {})}), **USES, **files}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return arrows.Check(root)


class ThisTree(unittest.TestCase):
    def test_every_include_follows_an_arrow_and_every_arrow_is_used(self):
        checked = arrows.Check(Path(__file__).parents[2])
        self.assertEqual(checked.wrong, [])
        self.assertGreater(checked.count, 0)


class Includes(unittest.TestCase):
    def test_an_allowed_include_is_not_reported(self):
        for path, include, rooms in (
            ("zab/b.cc", '"zab/peer.h"', {}),
            ("zab/b.cc", "<vector>", {}),
            ("zab/inner/b.cc", '"wire/zxid.h"', {}),
            ("zab/b.cc", "<xxhash.h>", {"zab": "wire, xxhash"}),
            ("wire/b.h", "<boost/system/result.hpp>", {"wire": "boost.system"}),
            ("server/clients/b.cc", "<thread>", {}),
            ("server/clients/b.cc", "<sys/socket.h>", {}),
            ("server/b.cc", '"server/clients/b.h"', {"server": "zab, server/clients"}),
            ("tests/server/b.cc", '"server/clients/b.h"', {}),
            ("tests/server/b.cc", "<lmdb.h>", {}),
            ("build/release/b.cc", '"anything.h"', {}),
        ):
            with self.subTest(path=path, include=include):
                self.assertEqual(check({path: f"#include {include}\n"}, rooms).wrong, [])

    def test_an_include_without_an_arrow_is_reported(self):
        for path, include, reason in (
            ("session/a/b.h", '"zab/peer.h"', "no arrow session -> zab for zab/peer.h"),
            ("zab/b.cc", "<session/service.h>", "no arrow zab -> session for session/service.h"),
            ("server/b.cc", '"tests/support/story.h"', "no arrow server -> tests for tests/support/story.h"),
            ("server/b.cc", '"server/clients/b.h"', "no arrow server -> server/clients for server/clients/b.h"),
            ("server/clients/b.cc", '"server/b.h"', "no arrow server/clients -> server for server/b.h"),
            ("server/clients/b.cc", '"zab/peer.h"', "no arrow server/clients -> zab for zab/peer.h"),
            ("server/b.cc", "<lmdb.h>", "no arrow server -> lmdb for lmdb.h"),
            ("server/b.cc", "<boost/asio/post.hpp>", "no arrow server -> boost.asio for boost/asio/post.hpp"),
            ("zab/b.cc", "<boost/crc.hpp>", "no arrow zab -> boost.crc for boost/crc.hpp"),
        ):
            with self.subTest(path=path, include=include):
                self.assertEqual(check({path: f"#pragma once\n  # include {include}\n"}).wrong, [f"{path}:2: {reason}"])

    def test_an_impure_include_in_a_pure_room_is_reported(self):
        for room in ("wire", "zab", "session"):
            for name in ("chrono", "thread", "mutex", "random", "fstream", "condition_variable", "filesystem",
                         "iostream", "atomic", "ctime", "boost/asio.hpp", "boost/asio/ip/tcp.hpp",
                         "boost/beast/core.hpp", "unistd.h", "sys/socket.h", "spdlog/spdlog.h"):
                with self.subTest(room=room, name=name):
                    wrong = check({f"{room}/b.h": f"#include <{name}>\n"}).wrong
                    self.assertEqual(wrong, [f"{room}/b.h:1: {room} is pure and cannot include {name}"])

    def test_an_impure_include_in_a_pure_room_is_reported_even_with_an_arrow(self):
        wrong = check({"wire/b.h": "#include <boost/asio.hpp>\n"}, {"wire": "boost.asio"}).wrong
        self.assertIn("wire/b.h:1: wire is pure and cannot include boost/asio.hpp", wrong)

    def test_an_unknown_header_or_directory_is_reported(self):
        for path, include, reason in (
            ("zab/b.cc", '"peer.h"', "peer.h names no room: include from the repository's root"),
            ("zab/b.cc", "<curl/curl.h>", "curl/curl.h belongs to no library that tests/rooms/arrows.py knows"),
            ("attic/b.cc", '"zab/peer.h"', "no arrow names attic/"),
            ("server/attic/b.cc", "<vector>", "no arrow names server/attic/"),
            ("server/b.cc", '"server/attic/b.h"', "no arrow names the directory of server/attic/b.h"),
        ):
            with self.subTest(path=path, include=include):
                self.assertEqual(check({path: f"#include {include}\n"}).wrong, [f"{path}:1: {reason}"])


class TheList(unittest.TestCase):
    def test_an_arrow_that_nothing_uses_is_reported(self):
        for rooms, arrow in (
            ({"server/clients": "wire"}, "server/clients -> wire"),
            ({"server": "zab, server/clients"}, "server -> server/clients"),
            ({"server": "zab, lmdb"}, "server -> lmdb"),
            ({"wire": "boost.system"}, "wire -> boost.system"),
            ({"znode": "wire"}, "znode -> wire"),
        ):
            with self.subTest(arrow=arrow):
                self.assertEqual(check({}, rooms).wrong, [f"ARCHITECTURE.md: nothing uses {arrow}: remove it"])

    def test_forbidden_and_circular_arrows_are_reported(self):
        both = "server -> server/clients and server/clients -> server"
        for rooms, reasons in (
            ({"zab": "wire, session"},
             ["zab -> session: consensus and the service must not include each other, only server may include both"]),
            ({"server": "server/clients, zab", "server/clients": "server"},
             [f"{both}: no two rooms may include each other",
              "server/clients -> server and server -> server/clients: no two rooms may include each other"]),
            ({"server": "server/clients, zab", "server/clients": "tools", "tools": "server"},
             ["server -> server/clients is part of a cycle of includes",
              "server/clients -> tools is part of a cycle of includes", "tools -> server is part of a cycle of includes"]),
            ({"server": "zab, attic"}, ["server -> attic: neither a room nor a library"]),
        ):
            with self.subTest(rooms=rooms):
                wrong = [reason for reason in check({}, rooms).wrong if "nothing uses" not in reason]
                self.assertEqual(wrong, [f"ARCHITECTURE.md: {reason}" for reason in reasons])

    def test_a_line_continues_after_a_comma(self):
        text = "```arrows\nserver -> zab,\n          wire\n```\n"
        self.assertEqual(arrows.arrows_of(text), {"server": ["zab", "wire"]})

    def test_an_invalid_list_is_an_error(self):
        for text in ("# A page\n", "```arrows\n```\n", "```arrows\nzab - wire\n```\n", "```arrows\nzab -> wire\n",
                     "```arrows\nzab -> wire\nzab -> xxhash\n```\n"):
            with self.subTest(text=text), self.assertRaises(arrows.Unreadable):
                arrows.arrows_of(text)

    def test_print_shows_the_list_that_fits_the_sources(self):
        files = {"server/b.cc": '#include <lmdb.h>\n#include "wire/zxid.h"\n#include "server/clients/b.h"\n'}
        block = check(files, {"session": "wire, xxhash"}).block()
        self.assertEqual(list(block), [
            "zab -> wire", "wire -> nothing", "session -> wire", "server/clients -> nothing",
            "server -> server/clients, wire, zab, lmdb", "tests -> all"])


if __name__ == "__main__":
    unittest.main()
