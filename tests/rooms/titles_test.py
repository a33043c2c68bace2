"""titles.py finds each test title that has a semicolon."""

import unittest
from pathlib import Path

import titles


class Titles(unittest.TestCase):
    def test_a_title_with_a_semicolon_is_reported_with_its_line(self):
        for text in (
            'TEST_CASE("a; b") {\n',
            'TEST_CASE(\n    "a, "\n    "b; c") {\n',
            'TEST_CASE_FIXTURE(World, "a; b") {\n',
            'TEST_CASE("a \\"b\\"; c") {\n',
            'TEST_CASE_TEMPLATE("a;", T, int) {\n',
        ):
            with self.subTest(text=text):
                self.assertEqual(list(titles.errors_in("\n\n" + text)), [(3, titles.REASON)])

    def test_semicolons_outside_of_titles_are_not_reported(self):
        for text in (
            'TEST_CASE("a, b: c") {\n  f("a; b");\n}\n',
            'TEST_CASE("a") { f(); }\n',
            'const char* named = "TEST_CASE(\\"";\n',
        ):
            with self.subTest(text=text):
                self.assertEqual(list(titles.errors_in(text)), [])

    def test_no_title_of_this_tree_has_a_semicolon(self):
        for path in (Path(__file__).parents[1]).rglob("*.cc"):
            with self.subTest(path=path):
                self.assertEqual(list(titles.errors_in(path.read_text())), [])


if __name__ == "__main__":
    unittest.main()
