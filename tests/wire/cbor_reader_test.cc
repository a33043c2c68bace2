#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/wire/bad_requests.h"
#include "tests/wire/samples.h"
#include "wire/cbor.h"
#include "wire/cbor_text.h"

namespace wire::cbor {
namespace {

using Fault = ParsedFrame::Fault;
using Json = nlohmann::ordered_json;

// "a1 62 6f70" as those bytes.
std::string bytes(std::string_view hex) {
  std::string bytes;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high << 4 | digit));
      high = -1;
    }
  }
  REQUIRE(high < 0);
  return bytes;
}

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

constexpr const char* op_ping = "62 6f70 64 70696e67";  // "op": "ping"
constexpr const char* op_set = "62 6f70 63 736574";     // "op": "set"
constexpr const char* path_a = "64 70617468 62 2f61";   // "path": "/a"
constexpr const char* data_v1 = "64 64617461 42 7631";  // "data": h'7631'
constexpr const char* version = "67 76657273696f6e";    // "version":
constexpr const char* limit =
    "62 6f70 68 6368696c6472656e 65 6c696d6974";  // "op": "children", "limit":

TEST_CASE("parse_requests accepts every encoding of lengths") {
  const Request set = SetRequest{"/a", "v1", 5, false};
  const auto with = [](std::string_view before, std::string_view rest) {
    return bytes(std::string(before) + op_set + path_a + std::string(rest));
  };
  for (const std::string& frame : {
           with("a4", std::string(data_v1) + version + "05"),
           with("b8 04", std::string(data_v1) + version + "18 05"),
           with("b9 0004", std::string(data_v1) + version + "19 0005"),
           with("ba 00000004", std::string(data_v1) + version + "1a 00000005"),
           with("bb 0000000000000004", std::string(data_v1) + version + "1b 0000000000000005"),
           with("bf", std::string(data_v1) + version + "05 ff"),
           with("a4", std::string("64 64617461 5f 41 76 41 31 ff") + version + "05"),
           with("a4", std::string("7f 62 6461 62 7461 ff 58 02 7631") + version + "05"),
           with("a4", std::string("64 64617461 5b 0000000000000002 7631") + version + "05"),
       }) {
    CHECK(only(parse_requests(frame)).request == set);
  }
  for (const char* frame : {"9f a1 62 6f70 64 70696e67 ff", "81 a1 62 6f70 64 70696e67"}) {
    CHECK(only(parse_requests(bytes(frame))).request == Request(PingRequest{}));
  }
}

TEST_CASE("a request id is kept as it was written, in CBOR") {
  struct Row {
    const char* id;
    const char* kept;
    const char* written;
  };
  for (const Row& row : {
           Row{"07", "7", "07"},
           Row{"18 07", "7", "07"},
           Row{"22", "-3", "22"},
           Row{"19 03e8", "1000", "19 03e8"},
           Row{"3a 00010000", "-65537", "3a 00010000"},
           Row{"1b 7fffffffffffffff", "9223372036854775807", "1b 7fffffffffffffff"},
           Row{"1b ffffffffffffffff", "18446744073709551615", "1b ffffffffffffffff"},
           Row{"3b 7fffffffffffffff", "-9223372036854775808", "3b 7fffffffffffffff"},
           Row{"3b 8000000000000000", "-9223372036854775809", "3b 8000000000000000"},
           Row{"3b ffffffffffffffff", "-18446744073709551616", "fb c3f0000000000000"},
           Row{"f9 3e00", "1.5", "fb 3ff8000000000000"},
           Row{"fa 3fc00000", "1.5", "fb 3ff8000000000000"},
           Row{"fb 3ff0000000000000", "1.0", "fb 3ff0000000000000"},
           Row{"fb 444b1ae4d6e2ef50", "1e+21", "fb 444b1ae4d6e2ef50"},
           Row{"f9 0001", "5.960464477539063e-08", "fb 3e70000000000000"},
           Row{"61 61", R"("a")", "61 61"},
           Row{"60", R"("")", "60"},
           Row{"65 c3a9 22 5c 0a", R"("é\"\\\n")", "65 c3a9 22 5c 0a"},
           Row{"7f 61 61 61 62 ff", R"("ab")", "62 6162"},
       }) {
    CAPTURE(row.id);
    const ParsedFrame frame =
        parse_requests(bytes(std::string("a2") + op_ping + "62 6964" + row.id));
    CHECK(only(frame).id.json == row.kept);
    std::string out;
    CborSyntax::append_id(only(frame).id, out);
    CHECK(out == bytes(row.written));
  }
}

// Replaces the text under `data` by bytes, which it is in CBOR.
void use_bytes(Json& json) {
  for (auto& [key, value] : json.items()) {
    if (value.is_structured()) use_bytes(value);
    if (key != "data" || !value.is_string()) continue;
    const auto text = value.get<std::string>();
    value = Json::binary({text.begin(), text.end()});
  }
}

TEST_CASE("an invalid request has the same error as in JSON") {
  for (const samples::BadRow& row : samples::bad_requests()) {
    const std::string_view text = row.text;
    // Skips duplicate names and long numbers, which a tree of JSON values cannot hold. Also skips
    // `data64`, which only JSON has.
    if (std::string_view(row.message).starts_with("duplicate")) continue;
    if (text.find("9999999999") != text.npos || text.find("data64") != text.npos) continue;
    CAPTURE(row.text);
    Json request = Json::parse(text);
    use_bytes(request);
    std::string frame;
    Json::to_cbor(request, frame);
    const BadRequest refusal = refusal_of(parse_requests(frame));
    CHECK(refusal.error.code == row.code);
    const bool of_data = text.find(R"("data":5)") != text.npos;
    CHECK(refusal.error.message ==
          (of_data ? R"(field "data" must be a byte string)" : row.message));
    if (text.find("\"id\":1") != text.npos) CHECK(refusal.id.json == "1");
  }
}

TEST_CASE("a value of a type that JSON does not have is refused with the field's name") {
  struct Row {
    const char* what;
    std::string frame;
    const char* message;
  };
  const std::string set = std::string("a3") + op_set + path_a;
  const std::string set4 = std::string("a4") + op_set + path_a;
  const std::string ping = std::string("a2") + op_ping;
  for (const Row& row : {
           Row{"data as text", set + "64 64617461 62 7631",
               R"(field "data" must be a byte string)"},
           Row{"data in base64", set + "66 646174613634 64 64 6a 45 3d",
               R"(unknown field "data64" in set)"},
           Row{"data in base64 too", set4 + data_v1 + "66 646174613634 64 64 6a 45 3d",
               R"(unknown field "data64" in set)"},
           Row{"a path of bytes", std::string("a3") + op_set + "64 70617468 42 2f61" + data_v1,
               R"(field "path" must be a string)"},
           Row{"a field twice", set4 + data_v1 + data_v1, R"(duplicate field "data")"},
           Row{"a version below 64 bits", set4 + data_v1 + version + "3b ffffffffffffffff",
               R"(field "version" must be between -2147483648 and 2147483647)"},
           Row{"a version above 64 bits", set4 + data_v1 + version + "1b ffffffffffffffff",
               R"(field "version" must be between -2147483648 and 2147483647)"},
           Row{"a fraction", set4 + data_v1 + version + "fb 3ff0000000000000",
               R"(field "version" must be an integer)"},
           Row{"a large fraction", set4 + data_v1 + version + "fb 43e0000000000000",
               R"(field "version" must be an integer)"},
           Row{"undefined", set4 + data_v1 + version + "f7",
               R"(field "version" must be an integer)"},
           Row{"no number", set4 + data_v1 + version + "f9 7e00",
               R"(field "version" must be an integer)"},
           Row{"a limit below 0", std::string("a3") + path_a + limit + "20",
               R"(field "limit" must be between 0 and 4294967295)"},
           Row{"an id without a number", ping + "62 6964 f9 7c00",
               R"(field "id" must be a number or a string)"},
           Row{"an id of bytes", ping + "62 6964 41 61",
               R"(field "id" must be a number or a string)"},
       }) {
    CAPTURE(row.what);
    const ParsedFrame frame = parse_requests(bytes(row.frame));
    CHECK(frame.fault == Fault::none);
    CHECK(refusal_of(frame).error.code == ErrorCode::bad_arguments);
    CHECK(refusal_of(frame).error.message == row.message);
  }
}

TEST_CASE("malformed CBOR, tags and unknown simple values are refused with their byte") {
  struct Row {
    const char* frame;
    const char* message;
  };
  for (const Row& row : {
           Row{"", "not CBOR, at byte 1: it ends too early"},
           Row{"a1", "not CBOR, at byte 2: it ends too early"},
           Row{"a1 62 6f", "not CBOR, at byte 4: it ends too early"},
           Row{"a1 62 6f70", "not CBOR, at byte 5: it ends too early"},
           Row{"9f", "not CBOR, at byte 2: it ends too early"},
           Row{"9b ffffffffffffffff", "not CBOR, at byte 10: it ends too early"},
           Row{"bb 8000000000000001", "not CBOR, at byte 10: it ends too early"},
           Row{"a1 7b ffffffffffffffff", "not CBOR, at byte 11: it ends too early"},
           Row{"19 00", "not CBOR, at byte 3: it ends too early"},
           Row{"a0 00", "not CBOR, at byte 2: more comes behind the value"},
           Row{"a1 01 02", "not CBOR, at byte 2: a key that is no text"},
           Row{"a1 41 61 02", "not CBOR, at byte 2: a key that is no text"},
           Row{"bf 61 61 ff", "not CBOR, at byte 4: a key without a value"},
           Row{"a1 61 61 ff", "not CBOR, at byte 4: a break where nothing began"},
           Row{"ff", "not CBOR, at byte 1: a break where nothing began"},
           Row{"d9 d9f7 a0", "not CBOR, at byte 1: tags are not understood here"},
           Row{"a1 61 61 c1 00", "not CBOR, at byte 4: tags are not understood here"},
           Row{"a1 61 61 e0", "not CBOR, at byte 4: a simple value that is not understood here"},
           Row{"a1 61 61 f8 ff", "not CBOR, at byte 4: a simple value that is not understood here"},
           Row{"a1 61 61 1c", "not CBOR, at byte 4: an unknown length"},
           Row{"a1 61 61 1f", "not CBOR, at byte 4: an unknown length"},
           Row{"a1 61 61 7f 41 61 ff", "not CBOR, at byte 5: a piece of a string that is none"},
           Row{"a1 61 61 7f 7f ff ff", "not CBOR, at byte 5: a piece of a string that is none"},
           Row{"a1 61 61 62 c328", "not CBOR, at byte 4: text not in UTF-8"},
           Row{"a1 61 61 7f 61 c3 61 a9 ff", "not CBOR, at byte 5: text not in UTF-8"},
           Row{"7b 226f70223a2270696e67227d", "not CBOR, at byte 14: it ends too early"},
       }) {
    CAPTURE(row.frame);
    const ParsedFrame frame = parse_requests(bytes(row.frame));
    CHECK(frame.fault == Fault::not_cbor);
    CHECK(refusal_of(frame).error.code == ErrorCode::bad_arguments);
    CHECK(refusal_of(frame).error.message == row.message);
  }
  for (const char* scalar : {"07", "f6", "40", "64 70696e67", "fb 3ff0000000000000"}) {
    CAPTURE(scalar);
    const ParsedFrame frame = parse_requests(bytes(scalar));
    CHECK(frame.fault == Fault::none);
    CHECK(refusal_of(frame).error.message == "a frame must be an object or a list of objects");
  }
  CHECK(parse_requests(bytes("80")).requests.empty());
  CHECK(parse_requests(bytes("9f ff")).requests.empty());
}

TEST_CASE("32 levels of nesting are parsed, and 33 are refused, in CBOR") {
  const auto nested = [](std::size_t levels) {  // the map is a level too
    return bytes(std::string("a3 62 6964 01") + op_ping + "61 78") +
           std::string(levels - 2, '\x81') + '\x80';
  };
  const ParsedFrame fits = parse_requests(nested(nesting_max));
  CHECK(fits.fault == Fault::none);
  CHECK(refusal_of(fits).error.message == R"(unknown field "x" in ping)");
  const ParsedFrame too_deep = parse_requests(nested(nesting_max + 1));
  CHECK(too_deep.fault == Fault::too_deep);
  CHECK(refusal_of(too_deep).error.message == "nested deeper than 32");
  CHECK(refusal_of(too_deep).id.json == "1");

  for (const char opening : {'\x81', '\x9f'}) {
    CHECK(parse_requests(std::string(1'000'000, opening)).fault == Fault::too_deep);
  }
  for (const char piece : {'\x7f', '\x5f', '\xc1', '\xd8'}) {
    CHECK(parse_requests(std::string(1'000'000, piece)).fault == Fault::not_cbor);
  }
}

TEST_CASE("a frame of more than frame_requests_max requests is refused as a whole, in CBOR") {
  const auto frame = [](std::size_t count) {
    std::string out;
    begin_array(count, out);
    return out + std::string(count, '\x01');
  };
  CHECK(parse_requests(frame(frame_requests_max)).requests.size() == frame_requests_max);
  const ParsedFrame refused = parse_requests(frame(frame_requests_max + 1));
  CHECK(refused.fault == Fault::none);
  CHECK(refusal_of(refused).error.code == ErrorCode::too_large);
}

TEST_CASE("only the malformed elements of a list are refused, in CBOR") {
  const std::string ping = std::string("a1") + op_ping;
  const ParsedFrame frame = parse_requests(bytes("84" + ping + "05 80" + ping));
  REQUIRE(frame.requests.size() == 4);
  CHECK(frame.requests[0].has_value());
  CHECK(frame.requests[1].error().error.message == "a request must be an object");
  CHECK(frame.requests[2].error().error.message == "a request must be an object");
  CHECK(frame.requests[3].has_value());
}

}  // namespace
}  // namespace wire::cbor
