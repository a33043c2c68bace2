#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "session/restoration.h"
#include "session/results.h"
#include "tests/session/world.h"
#include "tests/support/hex.h"

// The level of the ensemble: what is written at each, and what a program does beyond its own.
namespace session {
namespace {

using support::hex;

constexpr wire::Level level_0{0};
constexpr wire::Level level_1{1};
constexpr wire::LevelRange older{level_0, level_0};

wire::Bytes encoded(const decltype(Transaction::body)& body, wire::Level level) {
  wire::Bytes bytes;
  encode(Transaction{{5}, {1, 2}, 3, 4, body}, wire::forms_at(level), bytes);
  return bytes;
}

// A service that has applied these, and then the change to the level.
struct Replica {
  explicit Replica(wire::LevelRange known = wire::known_levels) : service({}, known) {}

  wire::Result<Applied> apply(const wire::Bytes& bytes) {
    return service.apply({{1}, service.applied().counter + 1}, bytes);
  }
  void set_level(wire::Level level) {
    auto planned = service.plan_level(level, 1000);
    REQUIRE(planned);
    REQUIRE(apply(*planned));
  }

  Service service;
};

std::map<wire::Bytes, wire::Bytes> image_of(Service& service) {
  service.begin_image();
  std::vector<Record> records;
  while (!service.collect_image(100, records)) {
  }
  std::map<wire::Bytes, wire::Bytes> image;
  for (Record& record : records) image.emplace(std::move(record.key), *std::move(record.value));
  return image;
}

wire::Result<std::unique_ptr<Service>> restored(const std::map<wire::Bytes, wire::Bytes>& image,
                                                wire::LevelRange known) {
  Restoration restoration({}, known);
  for (const auto& [key, value] : image) {
    if (auto added = restoration.add(key, value); !added) return added.error();
  }
  return restoration.finish();
}

TEST_CASE("each level has its own bytes, and those of level 0 are the bytes of version 0.1") {
  const std::string owner =
      "0500000000000000"
      "01000000"
      "0200000000000000";
  const std::string tag_time_number =
      "0300000000000000"
      "0400000000000000"
      "00";
  const CloseTxn close{true, 7};
  CHECK(hex(encoded(close, level_0)) == "02" + owner + tag_time_number +
                                            "03"
                                            "01"
                                            "07000000");
  CHECK(hex(encoded(close, level_1)) == "03" + owner + tag_time_number +
                                            "03"
                                            "01"
                                            "07000000");
  // The change of the level is of the first version that has it, at every level.
  for (const wire::Level level : {level_0, level_1}) {
    CHECK(hex(encoded(LevelTxn{{1}}, level)) == "03" + owner + tag_time_number +
                                                    "06"
                                                    "01000000");
  }

  CHECK(hex(encode_outcome(wire::ReplyBody{wire::EmptyReply{}}, {{1}, 2},
                           wire::forms_at(level_1))) == "0101");

  const ImageHeader at_0{{{1}, 2}, 3, 4, 5, level_0};
  const ImageHeader at_1{{{1}, 2}, 3, 4, 5, level_1};
  const std::string fields =
      "0200000000010000"
      "0300000000000000"
      "0400000000000000"
      "0500000000000000";
  CHECK(hex(*encode(at_0).value) == "01" + fields);
  CHECK(hex(*encode(at_1).value) == "02" + fields + "01000000");
  CHECK(*decode_header(*encode(at_0).value) == at_0);
  CHECK(*decode_header(*encode(at_1).value) == at_1);
}

TEST_CASE(
    "a version that is not known is Unimplemented, and everything else that is not a form is "
    "malformed") {
  wire::Bytes bytes = encoded(CloseTxn{}, level_1);
  struct Row {
    char version;
    wire::Forms newest;
    bool is_known;
  };
  const Row rows[] = {{1, wire::newest_forms, false},
                      {2, wire::newest_forms, true},
                      {3, wire::newest_forms, true},
                      {4, wire::newest_forms, false},
                      {3, wire::forms_at(level_0), false}};
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.version));
    bytes.front() = row.version;
    const auto decoded = decode_transaction(bytes, row.newest);
    CHECK(decoded.has_value() == row.is_known);
    if (!decoded) CHECK(decoded.error().code == wire::ErrorCode::unimplemented);
  }
  // A change of the level in a version that has none, and a kind that no version has.
  wire::Bytes change = encoded(LevelTxn{{1}}, level_0);
  change.front() = 2;
  CHECK(decode_transaction(change).error().code == wire::ErrorCode::marshalling_error);

  wire::Bytes header = *encode(ImageHeader{}).value;
  header.front() = 3;
  CHECK(decode_header(header).error().code == wire::ErrorCode::unimplemented);
}

TEST_CASE("a change of the level is refused if it changes nothing, or a change is under way") {
  Replica replica;
  const auto refused = [&](wire::Level level) {
    const auto planned = replica.service.plan_level(level, 1000);
    return planned ? std::string("planned") : planned.error().message;
  };
  CHECK(refused(level_0) == "the ensemble is at level 0 already");
  CHECK(refused({4}) == "this program cannot run at level 4, but at levels 0 to 3");
  const auto change = replica.service.plan_level(level_1, 1000);
  REQUIRE(change);
  CHECK(refused(level_1) == "a change to level 1 is under way");
  REQUIRE(replica.apply(*change).has_value());
  CHECK(replica.service.level() == level_1);
  CHECK(refused(level_1) == "the ensemble is at level 1 already");
}

TEST_CASE("plans are written at the level in force, or at a lower level that is planned already") {
  Replica replica;
  const auto version_of_plan = [&] {
    const auto planned = replica.service.plan({{}, {1, 2}, 3, OpenSession{{}, 10'000}}, 1000);
    return static_cast<int>(planned->front());
  };
  CHECK(version_of_plan() == 2);
  auto change = replica.service.plan_level(level_1, 1000);
  CHECK(version_of_plan() == 2);
  replica.service.forget_plans();

  replica.set_level(level_1);
  CHECK(version_of_plan() == 3);
  change = replica.service.plan_level(level_0, 1000);
  REQUIRE(change);
  CHECK(version_of_plan() == 2);
  replica.service.forget_plans();
  CHECK(version_of_plan() == 3);
  replica.service.forget_plans();
  replica.set_level(level_0);
  CHECK(version_of_plan() == 2);
}

TEST_CASE("a program applies nothing of a level at which it cannot run") {
  Replica newer;
  Replica replica(older);
  const auto change = newer.service.plan_level(level_1, 1000);
  REQUIRE(newer.apply(*change));
  const auto open = newer.service.plan({{}, {1, 2}, 3, OpenSession{{}, 10'000}}, 1000);
  const std::uint64_t digest = replica.service.digest();
  for (const wire::Bytes& bytes : {*change, *open}) {
    const auto applied = replica.apply(bytes);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code == wire::ErrorCode::unimplemented);
    CHECK(replica.service.applied() == wire::Zxid{});
    CHECK(replica.service.digest() == digest);
  }
  // Also a program that knows the form, but not the level.
  Replica same;
  wire::Bytes to_9;
  encode(Transaction{{}, {}, 0, 4, LevelTxn{{9}}}, wire::newest_forms, to_9);
  CHECK(same.apply(to_9).error().message ==
        "it raises the ensemble to level 9, and this program can run at levels 0 to 3");
}

TEST_CASE("the level is part of the digest and of an image, from level 1 on") {
  Replica replica;
  const std::uint64_t at_0 = replica.service.digest();
  CHECK(image_of(replica.service).begin()->second.front() == 1);
  replica.set_level(level_1);
  CHECK(replica.service.digest() != at_0);
  Replica full;
  full.set_level(level_1);
  const auto image = image_of(full.service);
  CHECK(image.begin()->second.front() == 2);
  const auto again = restored(image, wire::known_levels);
  REQUIRE(again);
  CHECK((*again)->level() == level_1);
  CHECK((*again)->digest() == full.service.digest());
  CHECK(restored(image, older).error().code == wire::ErrorCode::unimplemented);

  replica.set_level(level_0);
  CHECK(replica.service.digest() == at_0);
}

}  // namespace
}  // namespace session
