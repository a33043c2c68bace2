#include "server/storage/format/checkpoint_label.h"

#include <string>
#include <vector>
#include <xxhash.h>

#include <doctest/doctest.h>

#include "tests/support/hex.h"
#include "wire/zxid.h"

namespace storage {
namespace {

using support::hex;

CheckpointLabel example_label(wire::Level level, std::string program) {
  return {zab::ServerId{3}, {7, 8}, {{{2}, 5}, {11, 12}}, level, std::move(program)};
}

// A label of any version: these fields, and their checksum.
wire::Bytes sealed(wire::Bytes fields) {
  const auto checksum = XXH3_64bits(fields.data(), fields.size());
  wire::ByteWriter(fields).integer(checksum);
  return fields;
}

// As a later program would write it: `rest` is what only that program knows.
wire::Bytes later_label(std::uint8_t version, std::uint32_t level, const std::string& program,
                        const std::string& rest) {
  wire::Bytes fields;
  wire::ByteWriter out(fields);
  out.integer(version);
  out.integer(level);
  out.string(program);
  out.raw(rest);
  return sealed(fields);
}

TEST_CASE("a label of level 0 has the bytes of version 1, and one of level 1 those of version 2") {
  const std::string common =
      "03000000"
      "0700000000000000"
      "0800000000000000"
      "0500000000020000"
      "0b00000000000000"
      "0c00000000000000";
  CHECK(hex(encode(example_label({0}, "zabkeeper 0.1.0"))) == "01" + common + "aa60cbe1418dd43a");
  CHECK(hex(encode(example_label({1}, "zabkeeper 0.2.0"))) ==
        "02"
        "01000000"
        "0f000000"
        "7a61626b656570657220302e322e30" +
            common + "ceb110df60ca4b7c");
}

TEST_CASE("a label is read as it was written, except that level 0 does not say the program") {
  struct Row {
    CheckpointLabel written;
    CheckpointLabel read;
  };
  const std::string long_name(100, 'z');
  for (const Row& row : std::vector<Row>{
           {example_label({0}, "zabkeeper 0.1.0"), example_label({0}, "")},
           {example_label({1}, "zabkeeper 0.2.0"), example_label({1}, "zabkeeper 0.2.0")},
           {example_label({1}, ""), example_label({1}, "")},
           {example_label({1}, long_name), example_label({1}, long_name.substr(0, 64))},
       }) {
    CAPTURE(row.written.program);
    const auto read = decode_label(encode(row.written));
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    CHECK(*read == row.read);
  }
}

TEST_CASE(
    "an intact label of an unknown version or level is not damaged, and says what can read it") {
  struct Row {
    const char* label;
    wire::Bytes bytes;
    std::string message;
  };
  const wire::Bytes version_0 = sealed(wire::Bytes(45, '\0'));
  for (const Row& row : std::vector<Row>{
           {"another version", later_label(5, 9, "zabkeeper 0.4.0", "what only 0.4.0 knows"),
            "written by zabkeeper 0.4.0 at level 9 (label version 5), and this program reads label "
            "versions 1 to 2 (levels 0 to 3). Start a program that can run at level 9"},
           {"another version, of a known level", later_label(3, 1, "other 9", ""),
            "written by other 9 at level 1 (label version 3), and this program reads label "
            "versions 1 to 2 (levels 0 to 3). Start the program that wrote it"},
           {"a known version of another level", encode(example_label({7}, "zabkeeper 0.9.0")),
            "written by zabkeeper 0.9.0 at level 7 (label version 2), and this program reads label "
            "versions 1 to 2 (levels 0 to 3). Start a program that can run at level 7"},
           {"a version before the first", version_0,
            "written by another program (label version 0), and this program reads label versions 1 "
            "to 2 (levels 0 to 3). Start the program that wrote it"},
           {"another version whose beginning is another, too", sealed("\x09zz"),
            "written by another program (label version 9), and this program reads label versions 1 "
            "to 2 (levels 0 to 3). Start the program that wrote it"},
       }) {
    CAPTURE(row.label);
    const auto read = decode_label(row.bytes);
    REQUIRE(!read.has_value());
    CHECK(read.error().code == wire::ErrorCode::unimplemented);
    CHECK(read.error().message == row.message);
  }
}

TEST_CASE("a label with any bit changed, or cut anywhere, is damaged, in every version") {
  for (const wire::Bytes& label :
       {encode(example_label({0}, "")), encode(example_label({1}, "zabkeeper 0.2.0")),
        later_label(5, 9, "zabkeeper 0.4.0", "what only 0.4.0 knows")}) {
    CAPTURE(hex(label));
    const auto check_damaged = [](const wire::Bytes& bytes) {
      const auto read = decode_label(bytes);
      REQUIRE(!read.has_value());
      CHECK(read.error().code == wire::ErrorCode::system_error);
    };
    for (std::size_t bit = 0; bit < 8 * label.size(); ++bit) {
      CAPTURE(bit);
      wire::Bytes changed = label;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      check_damaged(changed);
    }
    for (std::size_t size = 0; size < label.size(); ++size) check_damaged(label.substr(0, size));
  }
  INFO("a checksum that matches, over fields that are missing");
  CHECK(decode_label(sealed("\x01zzzz")).error().code == wire::ErrorCode::system_error);
  CHECK(decode_label(later_label(2, 1, "zabkeeper 0.2.0", "")).error().code ==
        wire::ErrorCode::system_error);
}

}  // namespace
}  // namespace storage
