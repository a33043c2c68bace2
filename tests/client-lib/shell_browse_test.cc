#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tools/shell/command_line.h"
#include "tools/shell/data_text.h"
#include "tools/shell/exit_codes.h"
#include "tools/shell/glob.h"
#include "tools/shell/line_pattern.h"
#include "tools/shell/node_filter.h"
#include "tools/shell/print.h"
#include "tools/shell/subtree_sizes.h"
#include "tools/shell/tree_walk.h"
#include "tools/shell/words.h"

namespace shell {
namespace {

using std::chrono::milliseconds;

template <typename T>
T browse_command(const std::string& line) {
  auto result = parse_line(*split_words(line));
  if (const auto* notice = std::get_if<Notice>(&result)) FAIL(line << ": " << notice->text);
  return std::get<T>(*std::get<CommandLine>(result).command);
}

TEST_CASE("a glob matches names as other shells do") {
  struct Row {
    const char* pattern;
    const char* name;
    bool matches;
  };
  for (const Row& row : {
           Row{"job", "job", true},
           Row{"job", "job-1", false},
           Row{"job-*", "job-", true},
           Row{"job-*", "job-0000000001", true},
           Row{"*", "", true},
           Row{"*b*b", "abcb", true},
           Row{"*b*b", "abcbc", false},
           Row{"a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
           Row{"?", "é", true},
           Row{"gr??", "grün", true},
           Row{"?", "", false},
           Row{"[a-c]x", "bx", true},
           Row{"[a-c]x", "dx", false},
           Row{"[!a-c]x", "dx", true},
           Row{"[^a-c]x", "ax", false},
           Row{"[]]", "]", true},
           Row{"[a-]", "-", true},
           Row{"[ä-ü]", "ö", true},
           Row{"[\\]]", "]", true},
           Row{"[open", "[open", true},
           Row{"\\*", "*", true},
           Row{"\\*", "x", false},
           Row{"\\", "\\", true},
       }) {
    CAPTURE(row.pattern);
    CAPTURE(row.name);
    CHECK(Glob(row.pattern).matches(row.name) == row.matches);
  }
}

TEST_CASE("ages, sizes and sessions are parsed") {
  CHECK(parse_age("90s") == milliseconds(90'000));
  CHECK(parse_age("10m") == milliseconds(600'000));
  CHECK(parse_age("2h") == milliseconds(7'200'000));
  CHECK(parse_age("7d") == milliseconds(604'800'000));
  CHECK(parse_age("0s") == milliseconds(0));
  CHECK(parse_age("1w") == parse_age("7d"));
  for (const char* wrong : {"", "10", "m", "-1m", "+1m", "1.5h", "1y", "1m ",
                            "99999999999999999999s", "9223372036854775807w"}) {
    CAPTURE(wrong);
    CHECK(!parse_age(wrong));
  }
  using Relation = SizeTest::Relation;
  CHECK(parse_size_test("5") == SizeTest{Relation::equal, 5});
  CHECK(parse_size_test("+10k") == SizeTest{Relation::more, 10'240});
  CHECK(parse_size_test("-1M") == SizeTest{Relation::less, 1 << 20});
  for (const char* wrong :
       {"", "+", "-", "k", "++1", "1G", "1kk", "0x10", "9223372036854775807k"}) {
    CAPTURE(wrong);
    CHECK(!parse_size_test(wrong));
  }
  CHECK(parse_session("0000010000000003")->value == 0x100'0000'0003);
  CHECK(parse_session("0x10000000003")->value == 0x100'0000'0003);
  for (const char* wrong : {"", "0", "0x", "xyz", "-1", "10000000000000000"}) {
    CAPTURE(wrong);
    CHECK(!parse_session(wrong));
  }
}

TEST_CASE("find tests the name, the owner, the age, the size and the data") {
  const wire::TimeMs now = 1'000'000;
  WalkedNode node{"/app/job-1", "job-1", 2, true, wire::Stat{}, "some data"};
  node.stat->mtime = now - 60'000;
  node.stat->data_length = 9;
  node.stat->ephemeral_owner = {7};
  struct Row {
    const char* line;
    bool matches;
  };
  for (const Row& row : {
           Row{"find", true},
           Row{"find --name 'job-*'", true},
           Row{"find --name app", false},
           Row{"find --owner ephemeral", true},
           Row{"find --owner 7", true},
           Row{"find --owner 8", false},
           Row{"find --older 59s", true},
           Row{"find --older 1m", false},
           Row{"find --newer 61s", true},
           Row{"find --newer 1m", false},
           Row{"find --size 9", true},
           Row{"find --size +9", false},
           Row{"find --size +8", true},
           Row{"find --size -9", false},
           Row{"find --size -10", true},
           Row{"find --contains 'e d'", true},
           Row{"find --contains x", false},
           Row{"find --name 'job-*' --older 30s --size -1k --contains data", true},
           Row{"find --name 'job-*' --older 30s --size -1k --contains x", false},
       }) {
    CAPTURE(row.line);
    CHECK(browse_command<Find>(row.line).filter.matches(node, now) == row.matches);
  }
  node.stat->ephemeral_owner = {};
  CHECK(!browse_command<Find>("find --owner ephemeral").filter.matches(node, now));
  // Of a node that may not be read, only the name is known.
  const WalkedNode unreadable{"/app/job-1", "job-1", 2, true, {}, {}};
  CHECK(browse_command<Find>("find --name 'job-*'").filter.matches(unreadable, now));
  CHECK(!browse_command<Find>("find --size -10").filter.matches(unreadable, now));
  CHECK(browse_command<Find>("find --name /").filter.matches({"/", {}, 0, true, {}, {}}, now));
}

TEST_CASE("grep looks for a text, or for an expression") {
  struct Row {
    const char* line;
    const char* data;
    bool matches;
  };
  for (const Row& row : {
           Row{"grep a.c", "xa.cx", true},
           Row{"grep a.c", "abc", false},
           Row{"grep ''", "", true},
           Row{"grep -i a.C", "A.c", true},
           Row{"grep -i a.c", "abc", false},
           Row{"grep -i 'a[b(c|*^$\\{'", "xA[B(C|*^$\\{", true},
           Row{"grep -i GRÜN", "grün", true},
           Row{"grep -E a.c", "abc", true},
           Row{"grep -E '^a.c$'", "aüc", true},
           Row{"grep -E '^b'", "ab", false},
           Row{"grep -E '(x|y)+z$'", "axyz", true},
           Row{"grep -E X", "x", false},
           Row{"grep -E -i X", "x", true},
           Row{"grep -E ''", "", true},
           Row{"grep -- -x", "a-x", true},
       }) {
    CAPTURE(row.line);
    CHECK(browse_command<Grep>(row.line).pattern.matches(row.data) == row.matches);
  }
  // Bytes that are no text, and a long line.
  CHECK(LinePattern("b+", {.is_expression = true}).matches(std::string("\xff\0b", 3)));
  CHECK(LinePattern("(a|b)*c$", {.is_expression = true}).matches(std::string(1 << 20, 'a') + 'c'));
}

TEST_CASE("data are binary if they are not UTF-8, or have a byte 0") {
  CHECK(!is_binary(""));
  CHECK(!is_binary("grün\r\n\x1b"));
  CHECK(is_binary("\xff"));
  CHECK(is_binary(std::string_view("a\0b", 3)));
}

WalkedNode node_of(const char* path, std::size_t depth, std::int32_t bytes) {
  WalkedNode node{path, {}, depth, true, wire::Stat{}, {}};
  node.stat->data_length = bytes;
  return node;
}

TEST_CASE("du adds up subtrees, and keeps the largest") {
  const auto report_for = [](SubtreeSizes::Limits limits) {
    SubtreeSizes sizes(limits);
    for (const WalkedNode& node :
         {node_of("/", 0, 1), node_of("/a", 1, 10), node_of("/a/x", 2, 5), node_of("/a/x/y", 3, 2),
          node_of("/a/z", 2, 0), node_of("/b", 1, 100), node_of("/c", 1, 0)}) {
      sizes.add(node);
    }
    return sizes.finish();
  };
  using Rows = std::vector<SubtreeSizes::Sum>;
  const auto one_level = report_for({1, 10});
  CHECK(one_level.rows == Rows{{"/b", 100, 1}, {"/a", 17, 4}, {"/c", 0, 1}});
  CHECK(one_level.total == SubtreeSizes::Sum{"/", 118, 7});
  CHECK(one_level.left_out == 0);
  const auto two_levels = report_for({2, 4});
  CHECK(two_levels.rows == Rows{{"/b", 100, 1}, {"/a", 17, 4}, {"/a/x", 7, 2}, {"/a/z", 0, 1}});
  CHECK(two_levels.left_out == 1);
  const auto total = report_for({0, 10});
  CHECK(total.rows.empty());
  CHECK(total.total == SubtreeSizes::Sum{"/", 118, 7});
  CHECK(report_for({1, 0}).left_out == 3);
}

TEST_CASE("a hex dump has 16 bytes in a line, and the size at the end") {
  std::ostringstream out;
  print_hex(std::string_view("0123456789abcdef\x00\xff~\n", 20), out);
  CHECK(out.str() ==
        "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
        "00000010  00 ff 7e 0a                                       |..~.|\n"
        "00000014\n");
  std::ostringstream empty;
  print_hex("", empty);
  CHECK(empty.str() == "00000000\n");
}

TEST_CASE("JSON is indented, and its values stay as they are") {
  struct Row {
    const char* data;
    const char* printed;
  };
  for (const Row& row : {
           Row{"5", "5\n"},
           Row{" [ ] ", "[]\n"},
           Row{"{}", "{}\n"},
           Row{R"({"a":[1,{"b":null}],"a":{ } })",
               "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"a\": {}\n}\n"},
           Row{R"([1.50e+3,12345678901234567890123,"\u00e9 \\\" {,"])",
               "[\n  1.50e+3,\n  12345678901234567890123,\n  \"\\u00e9 \\\\\\\" {,\"\n]\n"},
           Row{"\n[true\n,\t\"\"]\r\n", "[\n  true,\n  \"\"\n]\n"},
       }) {
    CAPTURE(row.data);
    std::ostringstream out;
    CHECK(print_indented_json(row.data, out));
    CHECK(out.str() == row.printed);
  }
  for (const char* data : {"", "{", "[1,]", "{'a':1}", "[\xff]", "text", "1 2"}) {
    CAPTURE(data);
    std::ostringstream out;
    CHECK(!print_indented_json(data, out));
    CHECK(out.str().empty());
  }
  // The indentation has a limit, so that the output stays small.
  std::ostringstream deep;
  CHECK(print_indented_json(std::string(20'000, '[') + std::string(20'000, ']'), deep));
  CHECK(deep.str().size() < 20'000 * 2 * 140);
}

TEST_CASE("wrong usage of the commands that look through a tree is explained") {
  struct Row {
    const char* line;
    const char* says;
  };
  for (const Row& row : {
           Row{"find /a /b", "usage: find"},
           Row{"find --owner nobody /", "must be `ephemeral` or a session"},
           Row{"find --older 10 /", "must be a number with a unit"},
           Row{"find --newer -1m /", "must be a number with a unit"},
           Row{"find --size big /", "must be N, +N or -N bytes"},
           Row{"find --depth -1 /", "--depth"},
           Row{"tree --depth x /", "--depth"},
           Row{"cat", "PATH is required"},
           Row{"get --raw --pretty /", "excludes"},
           Row{"get --raw -s /", "excludes"},
           Row{"du -n -1 /", "-n"},
           Row{"du -d x /", "usage: du"},
           Row{"diff /a", "B is required"},
           Row{"diff /a ws://h:port/", "must be PATH or ws://HOST:PORT/PATH"},
           Row{"top --count 0 /", "--count"},
           Row{"top --interval 0 /", "--interval"},
           Row{"grep", "PATTERN is required"},
           Row{"grep -E '(' /", "PATTERN"},
           Row{"grep -0 x /", "requires"},
           Row{"grep -n -l x /", "excludes"},
       }) {
    CAPTURE(row.line);
    auto result = parse_line(*split_words(row.line));
    REQUIRE(std::holds_alternative<Notice>(result));
    const auto& notice = std::get<Notice>(result);
    CHECK(notice.exit_code == exit_usage);
    CHECK_MESSAGE(notice.text.find(row.says) != std::string::npos, notice.text);
  }
}

TEST_CASE("a count has a noun") {
  CHECK(count_text(0, "node") == "0 nodes");
  CHECK(count_text(1, "node") == "1 node");
  CHECK(count_text(2, "child", "children") == "2 children");
}

}  // namespace
}  // namespace shell
