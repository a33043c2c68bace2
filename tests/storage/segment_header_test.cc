#include "server/storage/format/segment_header.h"

#include <cstring>
#include <string>
#include <vector>
#include <xxhash.h>

#include <doctest/doctest.h>

#include "tests/support/hex.h"
#include "wire/zxid.h"

namespace storage {
namespace {

using support::hex;

SegmentHeader example_header(wire::Level level, std::string program) {
  Tip tip;
  tip.accepted_epoch = {3};
  tip.accepted_leader = {2};
  tip.current_epoch = {2};
  tip.cluster = {7, 8};
  tip.founded = true;
  tip.last = {{{2}, 5}, {11, 12}};
  return {zab::ServerId{3}, 9, 40, tip, {}, {level, std::move(program)}};
}

void put_checksum(wire::Bytes& bytes, std::size_t from, std::size_t to) {
  const std::uint64_t checksum = XXH3_64bits(bytes.data() + from, to - from);
  std::memcpy(bytes.data() + to, &checksum, sizeof(checksum));
}

// The header of a later program: what every version keeps, and something that only that program
// knows.
wire::Bytes later_header(std::uint32_t version, wire::Level level, const std::string& program) {
  wire::Bytes bytes = encode(example_header(wire::Level{1}, program));
  std::memcpy(bytes.data() + 8, &version, sizeof(version));
  std::memcpy(bytes.data() + 128, &level.value, sizeof(level.value));
  put_checksum(bytes, 0, 120);
  put_checksum(bytes, 120, 200);
  bytes[300] = 'x';
  return bytes;
}

TEST_CASE(
    "a segment of level 0 has the header of version 3, and one of level 1 that of version 4") {
  const std::string until_key =
      "7a61626b6c6f670a"
      "VERSION"
      "03000000"
      "0700000000000000"
      "0800000000000000"
      "0900000000000000"
      "2800000000000000"
      "030000000200000002000000"
      "01000000"
      "0500000000020000"
      "0b000000000000000c00000000000000"
      "0000000000000000"
      "0000000000000000"
      "00000000000000000000000000000000";
  const auto with_version = [&](const std::string& version) {
    std::string text = until_key;
    return text.replace(text.find("VERSION"), 7, version);
  };
  const wire::Bytes old_header = encode(example_header({0}, "zabkeeper 0.1.0"));
  CHECK(hex(old_header.substr(0, 128)) == with_version("03000000") + "4e65f5d7a5052f61");
  CHECK(old_header.size() == header_bytes);
  CHECK(old_header.find_first_not_of('\0', 128) == old_header.npos);

  const wire::Bytes new_header = encode(example_header({1}, "zabkeeper 0.2.0"));
  CHECK(hex(new_header.substr(0, 128)) == with_version("04000000") + "4ad8156355f2affb");
  CHECK(hex(new_header.substr(128, 23)) == "010000000f0000007a61626b656570657220302e322e30");
  CHECK(new_header.find_first_not_of('\0', 151) == 200);
  CHECK(hex(new_header.substr(200, 8)) == "abcf4daa27cb65e6");
  CHECK(new_header.find_first_not_of('\0', 208) == new_header.npos);
}

TEST_CASE("a segment's header is read as it was written, in every version") {
  struct Row {
    SegmentHeader written;
    SegmentHeader read;
  };
  const std::string long_name(100, 'z');
  for (const Row& row : std::vector<Row>{
           {example_header({0}, "zabkeeper 0.1.0"), example_header({0}, "")},
           {example_header({1}, "zabkeeper 0.2.0"), example_header({1}, "zabkeeper 0.2.0")},
           {example_header({1}, ""), example_header({1}, "")},
           {example_header({1}, long_name), example_header({1}, long_name.substr(0, 64))},
       }) {
    CAPTURE(row.written.written.program);
    const auto read = decode_header(encode(row.written));
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    CHECK(*read == row.read);
    CHECK(key_of(*read) == key_of(row.written));
  }
  CHECK(key_of(example_header({0}, "")) != key_of(example_header({1}, "")));
}

TEST_CASE(
    "an intact header of an unknown version or level is not damaged, and says what can read it") {
  struct Row {
    const char* label;
    wire::Bytes bytes;
    std::string message;
  };
  wire::Bytes nameless = later_header(9, {9}, "zabkeeper 0.4.0");
  nameless[140] = 'x';
  for (const Row& row : std::vector<Row>{
           {"another version", later_header(5, {9}, "zabkeeper 0.4.0"),
            "written by zabkeeper 0.4.0 at level 9 (segment version 5), and this program reads "
            "segment versions 3 to 4 (levels 0 to 3). Start a program that can run at level 9"},
           {"a known version of another level", encode(example_header({7}, "zabkeeper 0.9.0")),
            "written by zabkeeper 0.9.0 at level 7 (segment version 4), and this program reads "
            "segment versions 3 to 4 (levels 0 to 3). Start a program that can run at level 7"},
           {"another version whose program is damaged", nameless,
            "written by another program (segment version 9), and this program reads segment "
            "versions 3 to 4 (levels 0 to 3). Start the program that wrote it"},
           {"a version before the first", later_header(2, {}, ""),
            "written by another program (segment version 2), and this program reads segment "
            "versions 3 to 4 (levels 0 to 3). Start the program that wrote it"},
       }) {
    CAPTURE(row.label);
    const auto read = decode_header(row.bytes);
    REQUIRE(!read.has_value());
    CHECK(read.error().code == wire::ErrorCode::unimplemented);
    CHECK(read.error().message == row.message);
  }
}

TEST_CASE(
    "a segment's header with any bit changed, or cut anywhere, is damaged, in every version") {
  const auto check_damaged = [](const wire::Bytes& bytes) {
    const auto read = decode_header(bytes);
    REQUIRE(!read.has_value());
    CHECK(read.error().code == wire::ErrorCode::system_error);
  };
  for (const std::uint32_t level : {0u, 1u}) {
    CAPTURE(level);
    const wire::Bytes header = encode(example_header({level}, "zabkeeper 0.2.0"));
    for (std::size_t bit = 0; bit < 8 * header.size(); bit += bit < 8 * 260 ? 1 : 61) {
      CAPTURE(bit);
      wire::Bytes changed = header;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      check_damaged(changed);
    }
    for (std::size_t size = 0; size < header.size(); size += 97) {
      check_damaged(header.substr(0, size));
    }
  }
  INFO("in what every version keeps, an unknown version is damaged, too");
  const wire::Bytes later = later_header(5, {9}, "zabkeeper 0.4.0");
  for (std::size_t bit = 0; bit < 8 * 128; ++bit) {
    wire::Bytes changed = later;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    check_damaged(changed);
  }
}

}  // namespace
}  // namespace storage
