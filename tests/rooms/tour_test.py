"""ARCHITECTURE.md, "The path of a write": each file exists, and names the next one in a comment."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEXT = re.compile(r"// Next: ((?:.*\n// ?)*?.*?\w+\.cc)")  # up to the first file that it names


def tour():
    """The files of the tour, in order."""
    page = (ROOT / "ARCHITECTURE.md").read_text()
    section = page.partition("## The path of a write")[2].partition("\n## ")[0]
    return re.findall(r"^\| \d+ \| `([^`]+)`", section, re.M)


def named_next(file):
    """The names, without directories, that come first in the `Next:` comments of a file."""
    comments = NEXT.findall((ROOT / file).read_text())
    return [re.search(r"\w+\.cc$", comment)[0] for comment in comments]


class Tour(unittest.TestCase):
    def test_each_file_names_the_next_one(self):
        files = tour()
        self.assertGreaterEqual(len(files), 15)
        for file, following in zip(files, files[1:]):
            with self.subTest(file=file):
                self.assertTrue((ROOT / following).exists(), following)
                self.assertIn(Path(following).name, named_next(file))

    def test_the_last_file_names_one_through_which_the_reply_leaves(self):
        files = tour()
        self.assertIn(named_next(files[-1])[0], [Path(file).name for file in files[:2]])

    def test_the_tour_has_at_most_20_files(self):
        self.assertLessEqual(len(tour()), 20)


if __name__ == "__main__":
    unittest.main()
