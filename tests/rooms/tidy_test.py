"""tidy.py chooses the files that clang-tidy has to look at."""

import contextlib
import io
import unittest
from unittest import mock

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


class Missing(unittest.TestCase):
    def test_without_clang_tidy_a_line_on_standard_error_says_that_nothing_was_checked(self):
        output, errors = io.StringIO(), io.StringIO()
        with (
            mock.patch("tidy.shutil.which", return_value=None),
            mock.patch("sys.argv", ["tidy.py"]),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
        ):
            tidy.main()
        self.assertEqual(output.getvalue(), "")
        self.assertRegex(errors.getvalue(), r"\Atidy: WARNING: .*nothing.*clang-tidy is not installed\n\Z")


if __name__ == "__main__":
    unittest.main()
