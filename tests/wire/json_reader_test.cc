#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "tests/wire/bad_requests.h"
#include "tests/wire/samples.h"
#include "wire/json.h"

namespace wire::json {
namespace {

using Fault = ParsedFrame::Fault;

BadRequest refusal_of(const ParsedFrame& frame) {
  REQUIRE(frame.requests.size() == 1);
  REQUIRE(frame.requests.front().has_error());
  return frame.requests.front().error();
}

const ClientRequest& only(const ParsedFrame& frame) {
  REQUIRE(frame.requests.size() == 1);
  REQUIRE_MESSAGE(frame.requests.front().has_value(), frame.requests.front().error().error.message);
  return *frame.requests.front();
}

TEST_CASE("parse_requests reads requests with optional fields, escapes and whitespace") {
  struct Row {
    const char* text;
    Request request;
  };
  for (
      const Row& row : {
          Row{R"({"op":"connect","timeoutMs":10000})", samples::opening()},
          Row{R"({"op":"connect","session":"01000197c3b2a001","password":"9f","lastZxid":"0000010000000009"})",
              samples::resuming()},
          Row{R"({"id":7,"op":"create","path":"/app/config","data":"v1"})",
              samples::on<CreateRequest>("/app/config", "v1")},
          Row{R"({"path":"/a","op":"create"})", samples::on<CreateRequest>("/a")},
          Row{R"({"op":"create","path":"/a","data64":"/wA="})",
              samples::on<CreateRequest>("/a", Bytes("\xff\0", 2))},
          Row{R"({"op":"create","path":"/\u0061\ud83d\ude00"})", samples::on<CreateRequest>("/a😀")},
          Row{R"({"op":"get","path":"/a","consistency":"session"})", GetRequest{"/a", {}}},
          Row{R"({"op":"get","path":"/a","consistency":{"atLeast":"0000010000000005"}})",
              GetRequest{"/a", {AtLeast{{{1}, 5}}, false}}},
          Row{R"({"op":"set","path":"/a","data":"","version":-1})", samples::on<SetRequest>("/a")},
          Row{R"({"op":"delete","path":"/a","version":2147483647})",
              DeleteRequest{"/a", 2147483647, false}},
          Row{R"({"op":"ephemerals"})", EphemeralsRequest{"/"}},
          Row{R"({"id":1,"op":"watch","path":"/a"})", samples::on<WatchRequest>("/a")},
          Row{R"({"op":"multi","ops":[]})", MultiRequest{}},
          Row{R"({"op":"multi","ops":[{"path":"/a","op":"check","version":3}]})",
              MultiRequest{{CheckRequest{"/a", 3}}}},
          Row{R"({"op":"setAcl","path":"/a","acl":[{"scheme":"auth","perms":"r"}]})",
              SetAclRequest{"/a", {{"auth", "", 1}}}},
          Row{" {\n\t\"op\" : \"ping\" }\r\n", PingRequest{}},
      }) {
    CAPTURE(row.text);
    CHECK(only(parse_requests(row.text)).request == row.request);
  }
}

TEST_CASE("a request id is kept as it was written") {
  struct Row {
    const char* written;
    const char* kept;
  };
  for (const Row& row : {
           Row{"7", "7"},
           Row{"-3", "-3"},
           Row{"9223372036854775808", "9223372036854775808"},
           Row{"18446744073709551615", "18446744073709551615"},
           Row{"123456789012345678901234567890", "123456789012345678901234567890"},
           Row{"1.50", "1.50"},
           Row{"1e3", "1e3"},
           Row{R"("a")", R"("a")"},
           Row{R"("\u0061\"\n")", R"("a\"\n")"},
           Row{R"("")", R"("")"},
       }) {
    CAPTURE(row.written);
    const std::string text = R"({"op":"ping","id":)" + std::string(row.written) + "}";
    CHECK(only(parse_requests(text)).id.json == row.kept);
  }
}

TEST_CASE("an invalid request is refused with the field's name and under its own id") {
  for (const samples::BadRow& row : samples::bad_requests()) {
    CAPTURE(row.text);
    const ParsedFrame frame = parse_requests(row.text);
    const BadRequest refusal = refusal_of(frame);
    CHECK(frame.fault == Fault::none);
    CHECK(refusal.error.code == row.code);
    CHECK(refusal.error.message == row.message);
    if (std::string_view(row.text).find("\"id\":1") != std::string_view::npos) {
      CHECK(refusal.id.json == "1");
    }
  }
}

TEST_CASE("an invalid id is refused and not repeated in the reply") {
  for (const std::string id : {"true", "null", "{}", "[1]"}) {
    const ParsedFrame frame = parse_requests(R"({"op":"ping","id":)" + id + "}");
    CHECK(refusal_of(frame).id.none());
    CHECK(refusal_of(frame).error.message == R"(field "id" must be a number or a string)");
  }
  const std::string fits(id_bytes_max - 2, 'x');
  CHECK(only(parse_requests(R"({"op":"ping","id":")" + fits + "\"}")).id.json.size() ==
        id_bytes_max);
  const ParsedFrame frame = parse_requests(R"({"op":"ping","id":")" + fits + "x\"}");
  CHECK(refusal_of(frame).id.none());
  CHECK(refusal_of(frame).error.message == R"(field "id" must be at most 256 bytes long)");
}

TEST_CASE("a frame that is not UTF-8, not JSON or a scalar is refused as a whole") {
  struct Row {
    std::string_view text;
    Fault fault;
    const char* message;
  };
  for (const Row& row : {
           Row{"", Fault::not_json, "not JSON, at byte 1"},
           Row{"hello", Fault::not_json, "not JSON, at byte 1"},
           Row{R"({"op":"ping"}x)", Fault::not_json, "not JSON, at byte 14"},
           Row{R"({"op":"ping",})", Fault::not_json, "not JSON, at byte 14"},
           Row{R"({"op":'ping'})", Fault::not_json, "not JSON, at byte 7"},
           Row{"{\"op\":\"a\nb\"}", Fault::not_json, "not JSON, at byte 9"},
           Row{std::string_view("{\"op\":\"ping\"}\0", 14), Fault::not_json,
               "not JSON, at byte 14"},
           Row{R"({"op":"\ud800"})", Fault::not_json, "not JSON, at byte 14"},
           Row{R"([{"op":"ping"},)", Fault::not_json, "not JSON, at byte 16"},
           Row{"\xef\xbb\xbf{\"op\":\"ping\"}", Fault::not_json, "not JSON, at byte 1"},
           Row{"\xef\xbb\xbf", Fault::not_json, "not JSON, at byte 1"},
           Row{"{\"op\":\"\xff\"}", Fault::not_utf8, "not UTF-8"},
           Row{"{\"op\":\"\xed\xa0\x80\"}", Fault::not_utf8, "not UTF-8"},
           Row{"7", Fault::none, "a frame must be an object or a list of objects"},
           Row{"null", Fault::none, "a frame must be an object or a list of objects"},
           Row{R"("ping")", Fault::none, "a frame must be an object or a list of objects"},
       }) {
    CAPTURE(row.text);
    const ParsedFrame frame = parse_requests(row.text);
    CHECK(frame.fault == row.fault);
    CHECK(refusal_of(frame).error == Error{ErrorCode::bad_arguments, row.message});
    CHECK(refusal_of(frame).id.none());
  }
}

TEST_CASE("a truncated request is refused under its own id") {
  struct Row {
    const char* text;
    const char* id;
  };
  for (const Row& row : {Row{R"({"id":7,"op":"ping")", "7"},
                         Row{R"({"op":"create","id":"a","path":"/\ud800"})", R"("a")"},
                         Row{R"({"id":1,"op":"ping"}{"id":2,"op":"ping"})", "1"},
                         Row{R"({"op":"ping","id":7 8})", "7"}, Row{R"({"op":"pi)", ""},
                         Row{R"([{"id":1,"op":"ping"},{"id":2,)", ""}}) {
    CAPTURE(row.text);
    const ParsedFrame frame = parse_requests(row.text);
    CHECK(frame.fault == ParsedFrame::Fault::not_json);
    REQUIRE(frame.requests.size() == 1);
    CHECK(frame.requests.front().error().id.json == row.id);
  }
}

TEST_CASE("bytes_without_escapes counts an escape as one byte") {
  for (const auto& [text, bytes] :
       {std::pair(R"("")", 2u), std::pair(R"("\u00e9x")", 4u), std::pair(R"("\ud83d\ude00")", 4u),
        std::pair(R"("\n\"")", 6u), std::pair(R"(\u00)", 4u), std::pair(R"(\u)", 2u)}) {
    CAPTURE(text);
    CHECK(bytes_without_escapes(text) == bytes);
  }
}

// Above 64 KiB another parser reads the frame.
TEST_CASE("a long frame is read like a short one, but its errors do not give the position") {
  const std::string spaces(70'000, ' ');
  for (
      const char* text : {
          R"({"op":"create","id":1.50,"path":"/\u0061\ud83d\ude00","ephemeral":true,"ttlMs":-0})",
          R"([{"op":"ping","id":1e3},null,{"op":"get","x":[true,{"y":[]}],"id":18446744073709551616}])",
          R"({"op":"set","path":"/a","data":"\"\\\n","version":-7} )",
          R"(7)",
          R"("ping")",
      }) {
    CAPTURE(std::string(text));
    const ParsedFrame brief = parse_requests(text);
    const ParsedFrame longer = parse_requests(spaces + text);
    CHECK(longer.fault == brief.fault);
    REQUIRE(longer.requests.size() == brief.requests.size());
    for (std::size_t i = 0; i < brief.requests.size(); ++i) {
      REQUIRE(longer.requests[i].has_value() == brief.requests[i].has_value());
      if (brief.requests[i]) {
        CHECK(*longer.requests[i] == *brief.requests[i]);
      } else {
        CHECK(longer.requests[i].error().id == brief.requests[i].error().id);
        CHECK(longer.requests[i].error().error == brief.requests[i].error().error);
      }
    }
  }
  for (const char* text :
       {R"({"op":"ping"}x)", R"({"op":"ping",})", R"({"op":'ping'})", R"({"op":"\ud800"})",
        R"([{"op":"ping"},)", R"({"op":"ping"}{"op":"ping"})", R"({"id":01,"op":"ping"})",
        R"({"id":1e999,"op":"ping"})", R"({"id":nul,"op":"ping"})", R"({"id":truex})",
        R"({"id" 1})", R"([1 2])", "{\"op\":\"a\nb\"}", "\xef\xbb\xbf{}"}) {
    CAPTURE(std::string(text));
    const ParsedFrame frame = parse_requests(text + spaces);
    CHECK(frame.fault == Fault::not_json);
    CHECK(refusal_of(frame).error.message == "not JSON");
  }
  const ParsedFrame not_utf8 = parse_requests(spaces + "{\"op\":\"\xff\"}");
  CHECK(not_utf8.fault == Fault::not_utf8);
  CHECK(parse_requests("").fault == Fault::not_json);
}

TEST_CASE("an empty list has no requests") {
  const ParsedFrame frame = parse_requests("[]");
  CHECK(frame.requests.empty());
  CHECK(frame.fault == Fault::none);
}

TEST_CASE("only the malformed elements of a list are refused") {
  const ParsedFrame frame = parse_requests(
      R"([{"op":"ping","id":1},{"op":"ping","id":2,"x":0},5,[{"op":"ping"}],{},{"op":"ping","id":3}])");
  REQUIRE(frame.requests.size() == 6);
  CHECK(frame.requests[0].has_value());
  CHECK(frame.requests[1].error().id.json == "2");
  CHECK(frame.requests[2].error().error.message == "a request must be an object");
  CHECK(frame.requests[3].error().error.message == "a request must be an object");
  CHECK(frame.requests[4].error().error.message == R"(missing field "op")");
  CHECK(frame.requests[5]->id.json == "3");
}

TEST_CASE("32 levels of nesting are parsed, and 33 are refused") {
  const auto nested = [](std::size_t levels) {
    // The object is a level too.
    return R"({"id":1,"op":"ping","x":)" + std::string(levels - 1, '[') +
           std::string(levels - 1, ']') + "}";
  };
  const ParsedFrame fits = parse_requests(nested(nesting_max));
  CHECK(fits.fault == Fault::none);
  CHECK(refusal_of(fits).error.message == R"(unknown field "x" in ping)");

  const ParsedFrame too_deep = parse_requests(nested(nesting_max + 1));
  CHECK(too_deep.fault == Fault::too_deep);
  CHECK(refusal_of(too_deep).error.message == "nested deeper than 32");
  CHECK(refusal_of(too_deep).id.json == "1");

  CHECK(parse_requests(std::string(60'000, '[')).fault == Fault::too_deep);
  const std::string spaces(70'000, ' ');
  CHECK(parse_requests(spaces + nested(nesting_max)).fault == Fault::none);
  CHECK(parse_requests(spaces + nested(nesting_max + 1)).fault == Fault::too_deep);
}

TEST_CASE("a frame of more than frame_requests_max requests is refused as a whole") {
  std::string text = "[1";
  for (std::size_t i = 1; i < frame_requests_max; ++i) text += ",1";
  CHECK(parse_requests(text + "]").requests.size() == frame_requests_max);
  const ParsedFrame frame = parse_requests(text + ",1]");
  CHECK(frame.fault == Fault::none);
  CHECK(refusal_of(frame).error.code == ErrorCode::too_large);
}

TEST_CASE("a long name is truncated in the message, between characters") {
  std::string name;
  for (int i = 0; i < 40; ++i) name += "é";
  name.insert(0, "x");
  const ParsedFrame frame = parse_requests(R"({"op":")" + name + "\"}");
  CHECK(refusal_of(frame).error.message == "unknown op \"" + name.substr(0, 63) + "…\"");
}

}  // namespace
}  // namespace wire::json
