#include "tools/shell/multi_script.h"

#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "tools/shell/words.h"

namespace shell {
namespace {

ScriptContext some_context() {
  return {[](const std::string& path) { return resolve("/cwd", path); },
          [](const std::string& data) { return "<" + data + ">"; }};
}

// The reason why the script is refused, with the number of the line; empty: it is understood.
std::string refusal(const std::vector<std::string>& lines) {
  MultiParser parser(some_context());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto added = parser.add(lines[i]);
    if (added.has_error()) return std::to_string(i + 1) + ": " + added.error().message;
  }
  const auto script = parser.finish();
  return script.has_error() ? script.error().message : "";
}

MultiScript script_of(const std::vector<std::string>& lines) {
  CHECK(refusal(lines).empty());
  MultiParser parser(some_context());
  for (const std::string& line : lines) (void)parser.add(line);
  return std::move(*parser.finish());
}

TEST_CASE("a script of multi is a transaction with guards") {
  const MultiScript script = script_of({
      "# guards",
      "if /lock czxid=0000010000000003 owner=none",
      "if gone-soon version=3 'data=two words' exists",
      R"(  if  {"path":"/j","ephemeralOwner":"0000000000000007","data64":"/w=="})",
      "",
      "create -s -e job- 'the data'",
      "set -v 4 /a b",
      "rm -r /c",
      "check /d gone",
      "else",
      "get /e",
      "ls /f",
  });
  REQUIRE(script.conditions.size() == 3);
  CHECK(script.conditions[0].path == "/lock");
  CHECK(script.conditions[0].tests.czxid == wire::Zxid::from_bits(0x10000000003));
  CHECK(script.conditions[0].tests.ephemeral_owner == wire::SessionId{0});
  CHECK(script.conditions[1].path == "/cwd/gone-soon");
  CHECK(script.conditions[1].version == 3);
  CHECK(script.conditions[1].tests.data == "two words");
  CHECK(script.conditions[1].tests.exists == true);
  CHECK(script.conditions[2].tests.ephemeral_owner == wire::SessionId{7});
  CHECK(script.conditions[2].tests.data == "\xff");
  CHECK(script.condition_lines == std::vector<std::size_t>{2, 3, 4});
  CHECK(script.op_lines == std::vector<std::size_t>{6, 7, 8, 9});
  CHECK(script.otherwise_lines == std::vector<std::size_t>{11, 12});

  const auto& ops = script.request.ops;
  REQUIRE(ops.size() == 4);
  const auto& create = std::get<wire::CreateRequest>(ops[0]);
  CHECK(create.path == "/cwd/job-");
  CHECK(create.data == "<the data>");
  CHECK(create.sequential);
  CHECK(create.ephemeral);
  CHECK(std::get<wire::SetRequest>(ops[1]) == wire::SetRequest{"/a", "<b>", 4, false});
  CHECK(std::get<wire::DeleteRequest>(ops[2]) == wire::DeleteRequest{"/c", -1, true});
  CHECK(std::get<wire::CheckRequest>(ops[3]).tests.exists == false);
  REQUIRE(script.request.otherwise);
  CHECK(std::get<wire::GetRequest>(script.request.otherwise->at(0)).path == "/e");
  CHECK(std::get<wire::ChildrenRequest>(script.request.otherwise->at(1)).path == "/f");
}

TEST_CASE("a wrong script of multi is refused with the line and the reason") {
  struct Row {
    std::vector<std::string> lines;
    const char* reason;
  };
  for (const Row& row : {
           Row{{}, "the script has no operations"},
           Row{{"if /a exists"}, "the script has no operations"},
           Row{{"get /a", "fly /a"}, "2: unknown command: fly"},
           Row{{"get"}, "1: PATH is required"},
           Row{{"stat /a"}, "1: an operation is create, set, delete, check, get or ls"},
           Row{{"ls -R /a"}, "1: ls -R is not possible in a transaction"},
           Row{{"get '/a"}, "1: a quote is not closed: '"},
           Row{{"get /a", "if /b exists"},
               "2: if must come before the operations; check tests a node after them"},
           Row{{"if /b"}, "1: if needs a path and tests"},
           Row{{"if /b version=x"}, "1: version must be a number"},
           Row{{"if /b czxid=12"}, "1: czxid must have 16 hex digits"},
           Row{{"if {\"czxid\":1}"},
               "1: a guard in braces is a condition as JSON, with a path and tests"},
           Row{{"else"}, "1: else needs an if before it"},
           Row{{"if /a gone", "else", "else"}, "3: a second else"},
           Row{{"if /a gone", "else if"}, "2: else must be alone in its line"},
       }) {
    CAPTURE(row.reason);
    CHECK(refusal(row.lines) == row.reason);
  }
  CHECK(refusal({"check /a older"}).starts_with("1: a test is exists, gone, version=N"));
}

TEST_CASE("each operation of a multi has a line for its result") {
  wire::Stat stat;
  stat.version = 4;
  CHECK(result_text(wire::CreateRequest{"/a-", {}, false, true, false, false, {}, {}},
                    wire::CreateReply{"/a-0000000001", stat}) == "create /a-0000000001\n");
  CHECK(result_text(wire::SetRequest{"/a", "x"}, wire::SetReply{stat}) == "set /a v4\n");
  CHECK(result_text(wire::DeleteRequest{"/a"}, wire::EmptyReply{}) == "delete /a\n");
  CHECK(result_text(wire::GetRequest{"/a", {}}, wire::GetReply{"v1", stat}) == "get /a v1\n");
  CHECK(result_text(wire::GetRequest{"/a", {}}, wire::GetReply{}) == "get /a\n");
}

}  // namespace
}  // namespace shell
