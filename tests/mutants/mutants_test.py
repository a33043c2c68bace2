#!/usr/bin/env python3
"""Checks that every mutant fits the sources and changes them. See tools/dev mutants."""

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

    def test_a_broken_checker_can_be_combined_with_the_mutants_that_it_hides(self):
        for name in mutate.names():
            for other in mutate.read(name).hides:
                with self.subTest(f"{name}+{other}"):
                    mutate.mutate([mutate.read(name), mutate.read(other)])

    def test_noticed_by_names_an_existing_test(self):
        for name in mutate.names():
            if not (test := mutate.read(name).test):
                continue
            with self.subTest(name):
                program, pattern = test
                # CMake names the program of tests/client-lib/ client_lib_tests.
                folder = program.removesuffix("_tests").replace("client_lib", "client-lib")
                directory = mutate.SOURCES / "tests" / folder
                titles = [
                    title
                    for path in directory.glob("*_test.cc")
                    for title in re.findall(r'TEST_CASE\(\s*"([^"]*)"', path.read_text())
                ]
                self.assertTrue(fnmatch.filter(titles, pattern.removeprefix("-tc=")))

    def test_a_hunk_whose_lines_are_missing_or_occur_twice_is_an_error(self):
        for old in ("c", "b\nb"):
            text = "broken\n--- f\n" + "\n".join("-" + line for line in old.split("\n"))
            hunk = mutate.parse("M0", text).hunks[0]
            with self.assertRaises(mutate.DoesNotFit):
                mutate.change("a\nb\nb\nb\n", hunk, "M0")

    def test_a_mutant_file_without_description_or_hunks_is_an_error(self):
        for text in (
            "",
            "broken\n",
            "--- f\n-a\n",
            "broken\n--- f\n*a\n",
            "broken\nalso\n--- f\n-a\n",
        ):
            with self.assertRaises(mutate.DoesNotFit):
                mutate.parse("M0", text)


if __name__ == "__main__":
    unittest.main()
