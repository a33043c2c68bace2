#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "server/checkpoints/checkpointer.h"
#include "server/checkpoints/incoming_snapshot.h"
#include "server/peers/links.h"
#include "session/image.h"
#include "session/results.h"
#include "session/session_table.h"
#include "tests/server/links_harness.h"
#include "tests/support/byte_counts.h"
#include "tests/support/temporary_directory.h"
#include "znode/hash.h"

namespace server {
namespace {

using links_harness::Network;
using links_harness::Task;
using links_harness::TestServer;
using support::mebibyte;

constexpr wire::SessionId session_id{77};

// A result of 90 MiB: version 0.1 kept the newest of a session whatever its size.
wire::Bytes large_outcome() {
  wire::MultiReply multi;
  multi.results.assign(90, wire::OpReply(wire::GetReply{wire::Bytes(mebibyte, 'x'), {}}));
  return session::encode_outcome(multi, {{1}, 5}, wire::forms_at({}));
}

// The image of `service`, which has no session, with one that has kept this outcome.
std::vector<wire::StoredRecord> image_of(session::Service& service, const wire::Bytes& outcome,
                                         wire::Zxid zxid) {
  session::SessionTable sessions;
  sessions.open(session_id,
                {.secret_hash = {}, .timeout_ms = 10'000, .owner = {}, .results_max = 1});
  sessions.keep(session_id, 1, outcome);
  const std::array state{service.tree().digest(), sessions.digest()};

  std::vector<wire::StoredRecord> records;
  service.begin_image();
  while (!service.collect_image(1000, records)) {
  }
  const session::ImageHeader header{zxid, 0, znode::hash_of(state), service.tree().size(), {}};
  records.front() = session::encode(header);
  std::vector<session::SessionRecord> stored;
  sessions.begin_image(1);
  while (!sessions.collect_image(1000, stored)) {
  }
  for (session::SessionRecord& record : stored) {
    records.push_back(session::to_record(std::move(record)));
  }
  return records;
}

}  // namespace

// A session of that size used to be one message that no server accepted, at every attempt.
TEST_CASE("a session that is larger than a frame is in a snapshot that another server loads") {
  const wire::Bytes outcome = large_outcome();
  REQUIRE(outcome.size() > 90 * mebibyte);
  const zab::Point at{{{1}, 5}, 7};
  session::Service service;

  const ::test::TemporaryDirectory temporary;
  Network network;
  SharedCheckpoint checkpoint(temporary.path() + "/leader");
  REQUIRE(checkpoint.file.write({{1}, {}, at, {}, "test"}, image_of(service, outcome, at.zxid))
              .has_value());
  Checkpointer::Rules rules;
  rules.server = {1};
  rules.portion_bytes_max = frame_bytes_max - message_head_bytes_max;
  Checkpointer checkpointer(network.io, checkpoint, service, {}, rules, at, {});

  SharedCheckpoint theirs(temporary.path() + "/learner");
  std::unique_ptr<session::Service> loaded;
  IncomingSnapshot incoming(theirs, {2}, "test", {},
                            [&](auto state, auto) { loaded = std::move(state); });

  TestServer& one = network.start(network.options(1));
  TestServer& two = network.start(network.options(2));
  network.run([&]() -> Task {
    co_await network.until([&] { return one.linked_with(2) && two.linked_with(1); });
    bool last = false;
    for (bool first = true; !last; first = false) {
      std::optional<zab::SnapshotRead> read;
      checkpointer.read({{2}, 1, first}, [&](zab::SnapshotRead found) { read = std::move(found); });
      co_await network.until([&] { return read.has_value(); });
      one.links->send({2}, zab::Message(zab::SnapChunk{read->bytes, read->last}));
      co_await network.until([&] { return two.received.size() == 1 || one.downs > 0; });
      REQUIRE(one.downs == 0);
      const auto message = std::get<zab::Message>(std::exchange(two.received, {}).front());
      const auto& chunk = std::get<zab::SnapChunk>(message);
      last = chunk.last;
      const auto stored = incoming.store({at, first, last, chunk.bytes});
      REQUIRE_MESSAGE(stored.has_value(), stored.error().message);
    }
  });
  zab::AdoptHistory adopted;
  adopted.from = at;
  REQUIRE(incoming.adopt(adopted).has_value());
  REQUIRE(loaded != nullptr);
  const session::Results* results = loaded->sessions().results(session_id);
  REQUIRE(results != nullptr);
  const bool same = *results->find(1) == outcome;
  CHECK(same);
}

TEST_CASE("a session with as many receipts as can be configured fits into a frame") {
  constexpr std::int64_t some = 10'000;
  session::Refusal refusal;
  refusal.error = {wire::ErrorCode::no_node, "there is no such node"};
  const wire::Bytes refused = session::encode_outcome(refusal, {{1}, 5}, wire::newest_forms);
  const wire::Bytes mark = *session::receipt_of(refused);
  session::SessionTable sessions;
  sessions.open(session_id,
                {.secret_hash = {}, .timeout_ms = 10'000, .owner = {}, .results_max = some});
  for (std::int64_t number = 1; number <= some; ++number) sessions.keep(session_id, number, mark);
  std::vector<session::SessionRecord> stored;
  sessions.begin_image(1);
  while (!sessions.collect_image(1000, stored)) {
  }
  REQUIRE(sessions.results(session_id)->size() == some);
  const std::size_t bytes_of_most = stored.front().bytes->size() / some * 1'000'000;
  CHECK(bytes_of_most + session::Results::bytes_max < frame_bytes_max - message_head_bytes_max);
}

}  // namespace server
