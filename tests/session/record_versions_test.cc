#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "session/restoration.h"
#include "session/results.h"
#include "session/session_table.h"
#include "tests/session/world.h"

namespace session {
namespace {

using wire::ErrorCode;

// In the order of their keys: a header, nodes, and one session.
std::map<wire::Bytes, wire::Bytes> image() {
  World world;
  world.open(1);
  world.service().begin_image();
  std::vector<Record> records;
  while (!world.service().collect_image(100, records)) {
  }
  std::map<wire::Bytes, wire::Bytes> image;
  for (Record& record : records) image.emplace(std::move(record.key), *std::move(record.value));
  return image;
}

ErrorCode error_of(const std::map<wire::Bytes, wire::Bytes>& image) {
  Restoration restoration;
  for (const auto& [key, value] : image) {
    if (const auto added = restoration.add(key, value); !added) {
      CHECK(!added.error().message.empty());
      return added.error().code;
    }
  }
  const auto finished = restoration.finish();
  return finished ? ErrorCode{} : finished.error().code;
}

TEST_CASE("a stored record of an unknown version is told from a damaged one, in every form") {
  CHECK(error_of(image()) == ErrorCode{});
  for (const RecordKind kind : {RecordKind::header, RecordKind::node, RecordKind::session}) {
    CAPTURE(static_cast<int>(kind));
    const auto first_of = [&](auto& records) {
      return records.lower_bound(wire::Bytes(1, static_cast<char>(kind)));
    };
    for (const int version : {0, 9, 255}) {
      CAPTURE(version);
      auto changed = image();
      first_of(changed)->second[0] = static_cast<char>(version);
      CHECK(error_of(changed) == ErrorCode::unimplemented);
    }
    auto cut = image();
    first_of(cut)->second.resize(first_of(cut)->second.size() - 1);
    CHECK(error_of(cut) == ErrorCode::marshalling_error);
    first_of(cut)->second.clear();
    CHECK(error_of(cut) == ErrorCode::marshalling_error);
  }
}

TEST_CASE("a stored record of an unknown kind is told from a malformed key") {
  auto changed = image();
  changed.emplace("\x04" + std::string(8, 'n'), "");
  CHECK(error_of(changed) == ErrorCode::unimplemented);
  changed = image();
  changed.emplace("\x04nnn", "");
  CHECK(error_of(changed) == ErrorCode::marshalling_error);
}

// The record of a session that keeps these bytes as its one result.
wire::Bytes record_that_keeps(const wire::Bytes& outcome) {
  SessionTable table;
  table.open({7}, Session{World::secret(1), 10'000, {1, 1}, 3});
  table.keep({7}, 1, outcome);
  table.begin_image(1);
  std::vector<SessionRecord> records;
  while (!table.collect_image(100, records)) {
  }
  return *records.at(0).bytes;
}

TEST_CASE("a stored session is malformed if a kept result is no outcome, and else can be lowered") {
  constexpr wire::Zxid zxid{{3}, 9};
  const wire::Error overloaded{ErrorCode::overloaded, "no room", {}};
  std::vector<wire::Bytes> outcomes = {encode_receipt(zxid)};
  for (const std::uint32_t level : {0, 1, 2, 3}) {
    const wire::Forms forms = wire::forms_at({level});
    outcomes.push_back(encode_outcome(wire::ReplyBody{wire::EmptyReply{}}, zxid, forms));
    outcomes.push_back(encode_outcome(wire::ReplyBody{wire::MultiReply{}}, zxid, forms));
    outcomes.push_back(encode_outcome(Refusal{overloaded, {}}, zxid, forms));
    if (const auto receipt = receipt_of(outcomes.back())) outcomes.push_back(*receipt);
  }
  wire::MultiReply branch;
  branch.branch = wire::Branch::otherwise;
  outcomes.push_back(encode_outcome(wire::ReplyBody{branch}, zxid, wire::newest_forms));

  for (const wire::Bytes& outcome : outcomes) {
    const int kind = outcome.front();
    CAPTURE(kind);
    for (std::size_t size = 0; size < outcome.size(); ++size) {
      CAPTURE(size);
      SessionTable table;
      const auto restored = table.restore({7}, record_that_keeps(outcome.substr(0, size)));
      REQUIRE(restored.has_error());
      CHECK(restored.error().code == ErrorCode::marshalling_error);
      CHECK(table.find({7}) == nullptr);
    }
    for (const std::uint32_t level : {2, 1, 0}) {
      SessionTable table;
      REQUIRE(table.restore({7}, record_that_keeps(outcome)).has_value());
      table.become_former(wire::forms_at({level}));
      CHECK(is_outcome(*table.results({7})->find(1)));
    }
  }
  SessionTable table;
  CHECK(table.restore({7}, record_that_keeps("\x17" + std::string(20, '\0'))).has_error());
}

}  // namespace
}  // namespace session
