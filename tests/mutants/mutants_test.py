#!/usr/bin/env python3
"""Every mutant still fits the sources, and changes them. What they are for: tools/dev mutants."""

import fnmatch
import re
import unittest

import mutate


class Mutants(unittest.TestCase):
    def test_every_mutant_fits_the_sources(self):
        for name in mutate.names():
            with self.subTest(name):
                mutant = mutate.read(name)
                if not mutant.impossible:
                    for file, text in mutate.mutate([mutant]).items():
                        self.assertNotEqual(text, (mutate.SOURCES / file).read_text())

    def test_what_a_broken_checker_hides_can_be_made_together_with_it(self):
        for name in mutate.names():
            for other in mutate.read(name).hides:
                with self.subTest(f"{name}+{other}"):
                    mutate.mutate([mutate.read(name), mutate.read(other)])

    def test_what_is_to_be_noticed_by_a_test_names_one_that_is_there(self):
        for name in mutate.names():
            if not (test := mutate.read(name).test):
                continue
            with self.subTest(name):
                program, pattern = test
                folder = mutate.SOURCES / "tests" / program.removesuffix("_tests")
                titles = [
                    title
                    for path in folder.glob("*_test.cc")
                    for title in re.findall(r'TEST_CASE\(\s*"([^"]*)"', path.read_text())
                ]
                self.assertTrue(fnmatch.filter(titles, pattern.removeprefix("-tc=")))

    def test_lines_that_are_not_there_or_there_twice_are_errors(self):
        for old in ("c", "b\nb"):
            text = "broken\n--- f\n" + "\n".join("-" + line for line in old.split("\n"))
            hunk = mutate.parse("M0", text).hunks[0]
            with self.assertRaises(mutate.DoesNotFit):
                mutate.change("a\nb\nb\nb\n", hunk, "M0")

    def test_a_mutant_says_what_is_broken_and_how(self):
        for text in ("", "broken\n", "--- f\n-a\n", "broken\n--- f\n*a\n", "broken\nalso\n--- f\n-a\n"):
            with self.assertRaises(mutate.DoesNotFit):
                mutate.parse("M0", text)


if __name__ == "__main__":
    unittest.main()
