#include "tools/shell/export_format.h"

#include <string>

#include <doctest/doctest.h>

namespace shell {
namespace {

template <typename T>
std::string line_of(const T& value) {
  std::string line;
  append_line(value, line);
  REQUIRE(line.ends_with('\n'));
  line.pop_back();
  return line;
}

template <typename T>
void check_round_trip(const T& value) {
  const auto line = parse_export_line(line_of(value));
  REQUIRE_MESSAGE(line.has_value(), line_of(value));
  REQUIRE(std::holds_alternative<T>(*line));
  CHECK(std::get<T>(*line) == value);
}

wire::Acl some_acl() { return {{"digest", "ann:hash=", 31}, {"ip", "10.0.0.0/8", 1}}; }

TEST_CASE("every line of an export is read as it was written") {
  check_round_trip(ExportHeader{"/a b/ü", wire::Zxid::from_bits(0x10000000003), false});
  check_round_trip(ExportFooter{1'000'000, true, 0, 0});
  check_round_trip(ExportFooter{7, false, 12, 3});
  check_round_trip(NodeCopy{"."});
  check_round_trip(NodeCopy{"a/b c/\"ü\\", "text\nwith \x01 control characters"});
  check_round_trip(NodeCopy{"a", std::string("\xff\x00\xfe", 3)});
  check_round_trip(NodeCopy{"a", {}, NodeCopy::Kind::container});
  check_round_trip(NodeCopy{"a", {}, NodeCopy::Kind::ephemeral});
  check_round_trip(NodeCopy{"a", "x", NodeCopy::Kind::ttl, 60'000, some_acl()});
  check_round_trip(NodeCopy{"a", "x", NodeCopy::Kind::persistent, {}, wire::Acl{}});
}

TEST_CASE("the lines of an export are those of the documentation") {
  CHECK(
      line_of(ExportHeader{"/app", wire::Zxid::from_bits(0x10000000003), true}) ==
      R"({"format":"zabkeeper-export","version":1,"path":"/app","zxid":"0000010000000003","acls":true})");
  CHECK(line_of(NodeCopy{".", "v1"}) == R"({"path":".","data":"v1"})");
  CHECK(line_of(NodeCopy{"j/a", std::string("\xff\x00", 2), NodeCopy::Kind::ttl, 60'000}) ==
        R"({"path":"j/a","data64":"/wA=","kind":"ttl","ttlMs":60000})");
  CHECK(line_of(ExportFooter{3, true, 0, 0}) ==
        R"({"nodes":3,"exact":true,"changes":0,"leftOut":0})");
}

TEST_CASE("a wrong line of an export is refused with the reason") {
  struct Row {
    const char* line;
    const char* reason;
  };
  for (const Row& row : {
           Row{"", "is not JSON"},
           Row{R"({"path":"a","data":"x)", "is not JSON"},
           Row{"[]", "is not a JSON object"},
           Row{"{}", "is neither a header, nor a node, nor a footer of an export"},
           Row{R"({"format":"other","version":1})",
               "is not an export of zab: its format has another name"},
           Row{R"({"format":"zabkeeper-export","version":2})",
               "has a version of the format that this zab does not know: it knows 1"},
           Row{R"({"format":"zabkeeper-export","version":1,"path":"/a","acls":true})",
               "missing field \"zxid\""},
           Row{R"({"path":"a"})", "needs either the field \"data\" or the field \"data64\""},
           Row{R"({"path":"a","data":"","data64":""})",
               "needs either the field \"data\" or the field \"data64\""},
           Row{R"({"path":"a","data64":"/w"})", "field \"data64\" is not base64"},
           Row{R"({"path":7,"data":""})", "field \"path\" has a wrong type"},
           Row{R"({"path":"a","data":"","dat":""})", "unknown field \"dat\""},
           Row{R"({"path":"a","data":"","kind":"odd"})", "unknown kind \"odd\""},
           Row{R"({"path":"a","data":"","kind":"ttl"})",
               "the kind \"ttl\" has a field \"ttlMs\", and no other kind has it"},
           Row{R"({"path":"a","data":"","kind":"ttl","ttlMs":-1})",
               "field \"ttlMs\" has a wrong type"},
           Row{R"({"path":"a","data":"","acl":[{"scheme":"ip","id":"1.1.1.1","perms":"z"}]})",
               "perms of an ACL are letters of cdrwa"},
           Row{R"({"nodes":1,"exact":true,"changes":0})", "missing field \"leftOut\""},
       }) {
    CAPTURE(row.line);
    const auto line = parse_export_line(row.line);
    REQUIRE(line.has_error());
    CHECK(line.error().message == row.reason);
  }
  CHECK(parse_export_line(R"({"path":"../a","data":""})").has_error());
  CHECK(parse_export_line(R"({"path":"/a","data":""})").has_error());
}

TEST_CASE("an ACL whose hash was hidden is known") {
  CHECK_FALSE(has_hidden_hash(some_acl()));
  CHECK(has_hidden_hash({{"world", "anyone", 1}, {"digest", "ann:x", 31}}));
  CHECK_FALSE(has_hidden_hash({{"ip", "::x", 31}}));
}

}  // namespace
}  // namespace shell
