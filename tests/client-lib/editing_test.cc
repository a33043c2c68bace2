#include "tools/shell/editing.h"

#include <string>

#include <doctest/doctest.h>

namespace shell {
namespace {

TEST_CASE("the newline that an editor adds at the end is removed") {
  CHECK(without_added_newline("v2\n", "v1") == "v2");
  CHECK(without_added_newline("v1\n", "v1") == "v1");
  CHECK(without_added_newline("v2\n", "v1\n") == "v2\n");
  CHECK(without_added_newline("v2\n\n", "v1") == "v2\n\n");
  CHECK(without_added_newline("v2", "v1") == "v2");
  CHECK(without_added_newline("v2\n", "") == "v2\n");
  CHECK(without_added_newline("", "v1").empty());
}

TEST_CASE("a change is shown by the lines that differ") {
  struct Row {
    const char* former;
    const char* present;
    const char* text;
  };
  for (const Row& row : {
           Row{"a\nb\nc\n", "a\nb\nc\n", ""},
           Row{"a\nb\nc\n", "a\nB\nc\n", "- b\n+ B\n"},
           Row{"a\nc\n", "a\nb\nc\n", "+ b\n"},
           Row{"a\nb\nc\n", "a\nc\n", "- b\n"},
           Row{"", "a", "+ a\n"},
           Row{"a", "", "- a\n"},
           Row{"a\na\n", "a\na\na\n", "+ a\n"},
           Row{"x\ny\n", "1\n2\n3\n", "- x\n- y\n+ 1\n+ 2\n+ 3\n"},
       }) {
    CAPTURE(row.former);
    CAPTURE(row.present);
    CHECK(change_text(row.former, row.present) == row.text);
  }
  std::string many;
  for (int i = 0; i < 50; ++i) many += std::to_string(i) + '\n';
  CHECK(change_text("", many).ends_with("+ 39\n+ ... and 10 more lines\n"));
}

TEST_CASE("an edited file has the suffix of the node") {
  CHECK(suffix_of("/app/config.json") == ".json");
  CHECK(suffix_of("/app.d/config").empty());
  CHECK(suffix_of("/a.b c").empty());
  CHECK(suffix_of("/a.").empty());
  CHECK(suffix_of("/a.muchtoolong").empty());
}

}  // namespace
}  // namespace shell
