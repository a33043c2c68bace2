#include <array>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include "wire/base64.h"
#include "wire/bytes.h"
#include "wire/error.h"
#include "wire/utf8.h"
#include "wire/zxid.h"

namespace wire {
namespace {

TEST_CASE("a zxid is an epoch of 24 bits and a counter of 40, and 16 hex digits") {
  struct Row {
    Zxid zxid;
    const char* hex;
    const char* text;
  };
  for (const Row& row : {
           Row{{{0}, 0}, "0000000000000000", "0:0"},
           Row{{{1}, 4}, "0000010000000004", "1:4"},
           Row{{{3}, Zxid::counter_max}, "000003ffffffffff", "3:1099511627775"},
           Row{{{Epoch::max}, 1}, "ffffff0000000001", "16777215:1"},
       }) {
    CAPTURE(row.hex);
    CHECK(to_hex(row.zxid) == row.hex);
    CHECK(to_string(row.zxid) == row.text);
    CHECK(Zxid::from_bits(from_hex(row.hex).value()) == row.zxid);
  }
  CHECK(Zxid{{1}, Zxid::counter_max} < Zxid{{2}, 0});
}

TEST_CASE("hex is 16 lower-case digits and nothing else") {
  for (const char* text : {"", "1", "00000100000000040", "000001000000000A", "0x00010000000004",
                           " 000010000000004", "-000010000000004", "000001000000000g"}) {
    CAPTURE(text);
    CHECK(!from_hex(text));
  }
  CHECK(from_hex("ffffffffffffffff") == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("every error code has a name, and ZooKeeper's codes have ZooKeeper's numbers") {
  struct Row {
    ErrorCode code;
    const char* name;
    std::optional<int> number;
  };
  for (const Row& row : {
           Row{ErrorCode::system_error, "SystemError", -1},
           Row{ErrorCode::bad_arguments, "BadArguments", -8},
           Row{ErrorCode::no_node, "NoNode", -101},
           Row{ErrorCode::no_children_for_ephemerals, "NoChildrenForEphemerals", -108},
           Row{ErrorCode::node_exists, "NodeExists", -110},
           Row{ErrorCode::not_empty, "NotEmpty", -111},
           Row{ErrorCode::invalid_acl, "InvalidAcl", -114},
           Row{ErrorCode::throttled, "Throttled", -127},
           Row{ErrorCode::server_behind, "ServerBehind", std::nullopt},
           Row{ErrorCode::too_large, "TooLarge", std::nullopt},
           Row{ErrorCode::overloaded, "Overloaded", std::nullopt},
           Row{ErrorCode::too_many_sessions, "TooManySessions", std::nullopt},
       }) {
    CAPTURE(row.name);
    CHECK(name(row.code) == row.name);
    CHECK(number(row.code) == row.number);
    CHECK(error_code_named(row.name) == row.code);
  }
  CHECK(!error_code_named("NoSuchError"));
  CHECK(is_error_code(-101));
  CHECK(!is_error_code(-107));
}

TEST_CASE("integers are little-endian, and strings have a length prefix") {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.integer(std::uint16_t{0x0102});
  writer.boolean(true);
  writer.string("ab");
  writer.zxid({{1}, 4});
  CHECK(bytes == Bytes("\x02\x01\x01\x02\0\0\0ab\x04\0\0\0\0\x01\0\0", 17));

  ByteReader reader(bytes);
  CHECK(reader.integer<std::uint16_t>() == 0x0102);
  CHECK(reader.boolean());
  CHECK(reader.string() == "ab");
  CHECK(reader.zxid() == Zxid{{1}, 4});
  CHECK(reader.complete());
}

TEST_CASE("a reader of truncated bytes fails, and stays failed") {
  Bytes bytes;
  ByteWriter(bytes).string("abc");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader reader(std::string_view(bytes).substr(0, size));
    CHECK(reader.string().empty());
    CHECK(reader.failed());
    CHECK(reader.integer<std::uint8_t>() == 0);
    CHECK(!reader.complete());
  }
  ByteReader left_over(bytes);
  left_over.integer<std::uint8_t>();
  CHECK(!left_over.failed());
  CHECK(!left_over.complete());

  ByteReader no_boolean("\x02");
  no_boolean.boolean();
  CHECK(no_boolean.failed());
}

TEST_CASE("is_utf8 accepts exactly the UTF-8 of RFC 3629") {
  struct Row {
    const char* what;
    std::string_view bytes;
    bool valid;
  };
  for (const Row& row : {
           Row{"nothing", "", true},
           Row{"ASCII", "plain words", true},
           Row{"a NUL", std::string_view("a\0b", 3), true},
           Row{"two, three and four bytes", "é € 😀", true},
           Row{"the last code point", "\xf4\x8f\xbf\xbf", true},
           Row{"above the last code point", "\xf4\x90\x80\x80", false},
           Row{"a lead byte of none", "\xf5\x80\x80\x80", false},
           Row{"below the surrogates", "\xed\x9f\xbf", true},
           Row{"a surrogate", "\xed\xa0\x80", false},
           Row{"above the surrogates", "\xee\x80\x80", true},
           Row{"an overlong slash of two bytes", "\xc0\xaf", false},
           Row{"an overlong form of two bytes", "\xc1\xbf", false},
           Row{"an overlong form of three", "\xe0\x9f\xbf", false},
           Row{"an overlong form of four", "\xf0\x8f\xbf\xbf", false},
           Row{"a continuation byte alone", "\x80", false},
           Row{"a cut character", "ab\xe2\x82", false},
           Row{"a cut character, after eight bytes", "abcdefgh\xc3", false},
           Row{"a broken third byte", "\xe2\x82(", false},
           Row{"a broken second byte", "\xc3(", false},
           Row{"a byte of no form", "abcdefghijk\xff", false},
       }) {
    CAPTURE(row.what);
    CHECK(is_utf8(row.bytes) == row.valid);
  }
}

TEST_CASE("base64 has the test vectors of RFC 4648") {
  struct Row {
    std::string_view bytes;
    const char* text;
  };
  for (const Row& row : {
           Row{"", ""},
           Row{"f", "Zg=="},
           Row{"fo", "Zm8="},
           Row{"foo", "Zm9v"},
           Row{"foob", "Zm9vYg=="},
           Row{"fooba", "Zm9vYmE="},
           Row{"foobar", "Zm9vYmFy"},
           Row{std::string_view("\xff\xfe\0\xfb", 4), "//4A+w=="},
       }) {
    CAPTURE(row.text);
    std::string text;
    append_base64(row.bytes, text);
    CHECK(text == row.text);
    CHECK(from_base64(row.text) == row.bytes);
  }
}

TEST_CASE("from_base64 refuses text that append_base64 cannot have written") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8=Zm8=", "Zg==Zg==",
                           "====", "Zm9v\n", "Zm 9v", "Zm9_", "Zm9-", "Z===", "=m9v", "Zm=v"}) {
    CAPTURE(text);
    CHECK(!from_base64(text));
  }
}

}  // namespace
}  // namespace wire
