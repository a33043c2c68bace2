"""sizes.py finds long functions, long files and classes with many methods in code that clang-format
has laid out."""

import tempfile
import unittest
from pathlib import Path

import sizes


def names(text):
    """{name: number of lines} of the functions in a C++ source."""
    return {sizes.name_of(head): last - first + 1 for first, last, head in sizes.cpp_functions(text)}


class CppFunctions(unittest.TestCase):
    def test_each_kind_of_function_is_found_with_its_length(self):
        for text, expected in (
            ("int f() {\n  return 1;\n}\n", {"f": 3}),
            ("namespace a {\n\nint f(int x,\n      int y) {\n  return 1;\n}\n\n}  // namespace a\n", {"f": 4}),
            ("A::A(int x)\n    : x_(x),\n      y_(x) {\n  run();\n}\n", {"A::A": 5}),
            ("template <typename T>\nT f(T x) {\n  return x;\n}\n", {"f": 3}),
            ("class A {\n public:\n  void f() {\n    g();\n  }\n\n  int x;\n};\n", {"f": 3}),
            ("void f() {\n  if (x) {\n    g();\n  }\n\n  for (;;) {\n    g();\n  }\n}\n", {"f": 9}),
            ("void f() {\n#if X\n  g();\n#endif\n}\n", {"f": 5}),
            ('TEST_CASE("a title (long)") {\n  g();\n}\n', {'"a title (long)"': 3}),
            ('void f() {\n  g(R"(\n}\nint h() {\n}\n)");\n}\n', {"f": 7}),
            ("Result<int> g(std::string_view text) {\n  return 1;\n}\n", {"g": 3}),
        ):
            with self.subTest(text=text):
                self.assertEqual(names(text), expected)

    def test_other_blocks_do_not_count_as_functions(self):
        for text in (
            "namespace a {\nint x;\n}\n",
            "struct A {\n  int x;\n};\n",
            "enum class A {\n  b,\n};\n",
            "constexpr std::array rows{\n    Row{1},\n};\n",
            "int f();\n",
        ):
            with self.subTest(text=text):
                self.assertEqual(names(text), {})


class Classes(unittest.TestCase):
    def test_each_name_of_a_method_counts_once(self):
        for body, expected in (
            ("  void f();\n  void f(int x);\n  int g() const { return h(); }\n", {"f", "g"}),
            ("  A();\n  ~A();\n  bool operator==(const A&) const = default;\n", set()),
            ("  A(int x) : x_(x) {}\n  int x_;\n  std::function<void(int)> done_;\n", set()),
            ("  template <typename T>\n  void on(const T& x) {\n    run(x);\n  }\n", {"on"}),
            ("  struct B {\n    void inner();\n  };\n  // It calls g().\n  void f(B b = {});\n", {"f"}),
            ("  std::function<void()> f(std::map<int, int> x);\n  int x_ = g();\n", {"f"}),
            ("  using F = void(int);\n  friend void g(A a);\n  virtual void f() = 0;\n", {"f"}),
            (" public:\n  static A make();\n\n private:\n  void run();\n", {"make", "run"}),
        ):
            for head in ("class A", "class A final", "struct A : public B<int>"):
                with self.subTest(body=body, head=head):
                    self.assertEqual(list(sizes.classes(f"\n{head} {{\n{body}}};\n")), [(2, "A", expected)])


class Measure(unittest.TestCase):
    def test_files_and_functions_over_a_limit_are_listed_the_longest_first(self):
        body = "  g();\n"
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            (root / "zab").mkdir()
            (root / "zab/long.cc").write_text("void f() {\n" + 399 * body + "}\n")
            (root / "zab/longer.py").write_text("def g():\n" + 500 * "    pass\n")
            (root / "zab/short.cc").write_text("void f() {\n" + 68 * body + "}\n")
            (root / "server").mkdir()
            many = "".join(f"  void f{i}();\n" for i in range(26))
            (root / "server/many.h").write_text(f"class A {{\n{many}}};\n\nclass B {{\n  void f();\n}};\n")
            (root / "zab/many.h").write_text(f"class A {{\n{many}}};\n")
            files, functions, large = sizes.measure(root)
        self.assertEqual(files, [(501, "zab/longer.py", ""), (401, "zab/long.cc", "")])
        self.assertEqual(functions, [(501, "zab/longer.py:1", "g"), (401, "zab/long.cc:1", "f")])
        self.assertEqual(large, [(26, "server/many.h:1", "A")])

    def test_this_tree_can_be_measured(self):
        sizes.measure(Path(__file__).parents[2])


if __name__ == "__main__":
    unittest.main()
