#!/usr/bin/env python3
"""Lists the files over 400 lines, the functions over 70, and the classes in server/ with more than
25 methods. Reports only: the exit status is 0.

usage: sizes.py [SOURCE_ROOT]

C++ functions are found by their indentation, which clang-format makes regular. A function's last
line has only a }. Its first line is the nearest one above with the same indentation. A class counts
each name of a method once, without constructors and operators.
"""

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
METHODS_MAX = 25

INDENTATIONS = (0, 2, 4)  # of functions: in a namespace, in a class, in a class within a class
END = re.compile(r"( *)\}(  //.*)?")
NO_FUNCTION = re.compile(
    r"\s*(namespace|class|struct|enum|union|template\s*<[^>]*>\s*(class|struct)|if|else|for|while|do|switch|case"
    r"|default|try|\}|extern)\b"
)
CLASS = re.compile(r"(?:class|struct) ((?:\w+::)*\w+)(?: final)?(?: : [^;{]*)? \{\n((?s:.*?))^\};", re.M)
LABEL = re.compile(r"\s*(public|private|protected):")
RAW_STRING = re.compile(r'R"(?P<mark>\w*)\((?s:.*?)\)(?P=mark)"(?P<rest>.*)')


class Size(NamedTuple):
    number: int  # of lines; of a class: of methods
    place: str  # file, or file:line of the first line
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


def without_nested(text, opening, closing):
    """The text without what stands within pairs of these brackets."""
    depth, kept = 0, []
    for character in text:
        depth += character == opening
        if depth == 0 or (depth == 1 and character in opening + closing):
            kept.append(character)
        depth -= character == closing
    return "".join(kept)


def classes(text):
    """(line, name, names of methods) of the classes at the top of a header."""
    for match in CLASS.finditer(text):
        body = re.sub(r"//.*", "", match[2])
        body = re.sub(r"^ *(public|private|protected):$", "", body, flags=re.M)
        body = without_nested(body, "{", "}").replace("}", ";")
        methods = set()
        for declaration in body.split(";"):
            declaration = without_nested(declaration.replace("->", ""), "<", ">")
            declared = re.search(r"([~\w]+)\s*\(", declaration.partition("=")[0])
            if declared and not re.search(r"\b(using|friend|operator)\b", declaration):
                methods.add(declared[1])
        own = match[1].rpartition("::")[2]
        yield text.count("\n", 0, match.start()) + 1, match[1], methods - {own, "~" + own}


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
    """What is over each limit, the longest first: files, functions and classes."""
    files, functions, large = [], [], []
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
            if place.startswith("server/") and path.suffix == ".h":
                large += [
                    Size(len(methods), f"{place}:{line}", name)
                    for line, name, methods in classes(text)
                    if len(methods) > METHODS_MAX
                ]
    order = lambda size: (-size.number, size.place)
    return sorted(files, key=order), sorted(functions, key=order), sorted(large, key=order)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2])
    files, functions, large = measure(root)
    for size in files + functions:
        print(f"sizes: {size.number:5} lines: {size.place} {size.name}".rstrip())
    for size in large:
        print(f"sizes: {size.number:5} methods: {size.place} {size.name}")
    print(
        f"sizes: {len(files)} files over {FILE_LINES_MAX} lines,"
        f" {len(functions)} functions over {FUNCTION_LINES_MAX} lines,"
        f" {len(large)} classes in server/ with more than {METHODS_MAX} methods"
    )


if __name__ == "__main__":
    main()
