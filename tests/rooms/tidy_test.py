"""tidy.py chooses the files that clang-tidy has to look at."""

import unittest

import tidy


class Choose(unittest.TestCase):
    def test_only_compiled_sources_that_are_not_known_to_be_clean_are_checked(self):
        compiled = {str(tidy.ROOT / name) for name in ("zab/a.cc", "zab/clean.cc")}
        files = ["README.md", "tests/fuzz/not_compiled.cc", "zab/a.cc", "zab/a.h", "zab/clean.cc"]
        chosen = tidy.choose(files, compiled, lambda path: path.name == "clean.cc")
        self.assertEqual(chosen, [tidy.ROOT / "zab/a.cc"])

    def test_a_file_counts_as_changed_when_its_text_or_place_changes(self):
        here = tidy.ROOT / "tests/rooms/tidy.py"
        self.assertEqual(tidy.stamp(here), tidy.stamp(here))
        self.assertNotEqual(tidy.stamp(here), tidy.stamp(tidy.ROOT / "tests/rooms/arrows.py"))


if __name__ == "__main__":
    unittest.main()
