#!/usr/bin/env python3
"""Lists the files over 400 lines and the functions over 70. Reports only: the exit status is 0.

usage: sizes.py [SOURCE_ROOT]

C++ functions are found by their indentation, which clang-format makes regular. A function's last
line has only a }. Its first line is the nearest one above with the same indentation.
"""

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

INDENTATIONS = (0, 2, 4)  # of functions: in a namespace, in a class, in a class within a class
END = re.compile(r"( *)\}(  //.*)?")
NO_FUNCTION = re.compile(
    r"\s*(namespace|class|struct|enum|union|template\s*<[^>]*>\s*(class|struct)|if|else|for|while|do|switch|case"
    r"|default|try|\}|extern)\b"
)
LABEL = re.compile(r"\s*(public|private|protected):")
RAW_STRING = re.compile(r'R"(?P<mark>\w*)\((?s:.*?)\)(?P=mark)"(?P<rest>.*)')


class Size(NamedTuple):
    lines: int
    place: str  # file, or file:line of a function's first line
    name: str = ""


def without_raw_strings(text):
    """The text with empty raw strings, whose lines do not follow the indentation. Has the same
    number of lines."""
    while match := RAW_STRING.search(text):
        text = text[: match.start()] + '""' + match["rest"] + "\n" * match[0].count("\n") + text[match.end() :]
    return text


def cpp_functions(text):
    """(first line's number, last line's number, head) of functions, outermost only."""
    lines = without_raw_strings(text).splitlines()
    last_at = {}  # indentation: index of the last line that has it
    found = []
    for i, line in enumerate(lines):
        if not line.strip() or line.startswith("#") or LABEL.match(line):
            continue
        indentation = len(line) - len(line.lstrip())
        end = END.fullmatch(line)
        if end and indentation in INDENTATIONS and indentation in last_at:
            first = last_at[indentation]
            head = head_of(lines, first, i)
            if "(" in head and not NO_FUNCTION.match(head):
                found = [f for f in found if f[0] < first + 1]
                found.append((first + 1, i + 1, head))
        last_at[indentation] = i
    return found


def head_of(lines, first, end):
    """The text of a block from its first line to its {."""
    head = []
    for line in lines[first:end]:
        head.append(line.strip())
        if re.search(r"\{(\s*//.*)?$", line):
            return " ".join(head)
    return ""


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno, node.name


def name_of(head):
    """A short name for people: a test's title, or the words before the first parenthesis."""
    if match := re.match(r'(?:TEST_CASE|SCENARIO)\w*\("([^"]*)', head):
        return f'"{match[1]}"'
    return re.split(r"[\s*&]+", head.partition("(")[0].strip())[-1]


def measure(root):
    """(files over the limit, functions over the limit), the longest first."""
    files, functions = [], []
    for directory in (f for f in root.iterdir() if f.is_dir() and f.name != "build" and f.name[0] != "."):
        for path in directory.rglob("*"):
            if path.suffix not in (".cc", ".h", ".py") and path != root / "tools/dev":
                continue
            place = path.relative_to(root).as_posix()
            text = path.read_text(errors="replace")
            lines = text.count("\n")
            if lines > FILE_LINES_MAX:
                files.append(Size(lines, place))
            if path.suffix:
                found = python_functions(text) if path.suffix == ".py" else cpp_functions(text)
                functions += [
                    Size(last - first + 1, f"{place}:{first}", name_of(head))
                    for first, last, head in found
                    if last - first + 1 > FUNCTION_LINES_MAX
                ]
    order = lambda size: (-size.lines, size.place)
    return sorted(files, key=order), sorted(functions, key=order)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2])
    files, functions = measure(root)
    for size in files + functions:
        print(f"sizes: {size.lines:5} lines: {size.place} {size.name}".rstrip())
    print(
        f"sizes: {len(files)} files over {FILE_LINES_MAX} lines,"
        f" {len(functions)} functions over {FUNCTION_LINES_MAX} lines"
    )


if __name__ == "__main__":
    main()
