#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "session/restoration.h"
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

}  // namespace
}  // namespace session
