#!/usr/bin/env python3
"""Checks the titles of the C++ tests.

usage: titles.py [SOURCE_ROOT]

Exit status 1 and one line (file:line: reason) for each title with a semicolon.
"""

import re
import sys
from pathlib import Path

# A title may be written as several string literals.
TEST = re.compile(r'\b(?:TEST_CASE|SCENARIO)\w*\((?:\s*\w+\s*,)?\s*((?:"(?:[^"\\\n]|\\.)*"\s*)+)')
REASON = "a semicolon in a test's title: CTest splits the title there, and the test does not run"


def errors_in(text):
    """(line number, reason) of each title that CTest cannot select."""
    for match in TEST.finditer(text):
        if ";" in match[1]:
            yield text.count("\n", 0, match.start()) + 1, REASON


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2])
    errors, count = [], 0
    for path in sorted((root / "tests").rglob("*.cc")):
        text = path.read_text(errors="replace")
        count += len(TEST.findall(text))
        errors += [f"{path.relative_to(root)}:{line}: {reason}" for line, reason in errors_in(text)]
    if errors:
        sys.exit("\n".join(errors))
    print(f"titles: {count} tests have a title that CTest can select")


if __name__ == "__main__":
    main()
