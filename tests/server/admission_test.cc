#include "server/pipeline/admission.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "session/session_table.h"

namespace {

constexpr server::AdmissionLimits limits{10, 2};
constexpr const char* no_quorum =
    "NotReadOnly: this server has no quorum: it answers only reads, from the state that it has";
constexpr const char* no_number =
    "BadArguments: id: must be an integer, because this session has dedup";

// An admission in words.
std::string words(const server::ReplyNow& reply) {
  if (reply.body) {
    return std::holds_alternative<wire::ClosedReply>(*reply.body) ? "closed" : "another body";
  }
  return std::string(wire::name(reply.body.error().code)) + ": " + reply.body.error().message;
}
std::string words(const server::Authenticate&) { return "authenticate"; }
std::string words(const server::LocalRead&) { return "local read"; }
std::string words(const server::QuorumRead&) { return "quorum read"; }
std::string words(const server::ReadAtLeast& read) {
  return "read at least " + wire::to_string(read.zxid);
}
std::string words(const server::RepeatedWrite& write) {
  return "repeated write " + std::to_string(write.number);
}
std::string words(const server::Write& write) {
  static constexpr const char* bodies[] = {"open", "move",   "close",   "reap", "create",
                                           "set",  "delete", "set acl", "multi"};
  static_assert(std::size(bodies) == std::variant_size_v<session::CommandBody>);
  std::string text = std::string("write: ") + bodies[write.body.index()];
  if (write.number) text += ", number " + std::to_string(*write.number);
  return text;
}

struct Row {
  const char* what;
  const char* id;  // as JSON; empty for none
  wire::Request request;
  server::Requester requester;
  std::string admission;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto admission =
        server::admit({wire::RequestId{row.id}, {}, row.request}, row.requester, limits);
    CHECK(std::visit([](const auto& each) { return words(each); }, admission) == row.admission);
  }
}

wire::CreateRequest create(std::string path, std::size_t bytes = 1) {
  wire::CreateRequest request;
  request.path = std::move(path);
  request.data = wire::Bytes(bytes, 'x');
  return request;
}

wire::SetRequest set(std::size_t bytes) {
  wire::SetRequest request;
  request.path = "/a";
  request.data = wire::Bytes(bytes, 'x');
  return request;
}

wire::GetRequest get(wire::Consistency consistency = {}) {
  wire::GetRequest request;
  request.path = "/a";
  request.read.consistency = consistency;
  return request;
}

const wire::Zxid seen{{3}, 7};
const wire::WatchRequest watch_from_seen = [] {
  wire::WatchRequest request;
  request.path = "/a";
  request.from = seen;
  return request;
}();
const wire::MultiRequest reads{{get(), wire::ChildrenRequest{}}};
const wire::MultiRequest writes{{get(), create("/a")}};

// --- The requesters ---

const server::Requester plain{};
const server::Requester dedup{.session = {}, .read_only = false, .dedup = true, .last_number = 5};
const server::Requester fresh_dedup{
    .session = {}, .read_only = false, .dedup = true, .last_number = {}};
const server::Requester local{
    .session = session::local_session(1), .read_only = true, .dedup = false, .last_number = {}};
const server::Requester resumed{
    .session = wire::SessionId{seen.bits()}, .read_only = true, .dedup = false, .last_number = {}};
const server::Requester read_only_dedup{
    .session = wire::SessionId{seen.bits()}, .read_only = true, .dedup = true, .last_number = 5};

TEST_CASE("admission decides by a request's kind and consistency") {
  check({
      {"a second connect", "1", wire::ConnectRequest{}, plain,
       "BadArguments: connect must be the first request of a connection"},
      {"auth", "1", wire::AuthRequest{}, plain, "authenticate"},
      {"create", "1", create("/a"), plain, "write: create"},
      {"set", "1", set(1), plain, "write: set"},
      {"delete", "1", wire::DeleteRequest{}, plain, "write: delete"},
      {"set acl", "1", wire::SetAclRequest{}, plain, "write: set acl"},
      {"a multi that writes", "1", writes, plain, "write: multi"},
      {"a multi that only reads", "1", reads, plain, "write: multi"},
      {"close", "1", wire::CloseRequest{}, plain, "write: close"},
      {"get", "1", get(), plain, "local read"},
      {"a linearizable get", "1", get(wire::Linearizable{}), plain, "quorum read"},
      {"a get that must see a zxid", "1", get(wire::AtLeast{seen}), plain, "read at least 3:7"},
      {"exists", "1", wire::ExistsRequest{}, plain, "local read"},
      {"children", "1", wire::ChildrenRequest{}, plain, "local read"},
      {"count", "1", wire::CountRequest{}, plain, "local read"},
      {"ephemerals", "1", wire::EphemeralsRequest{}, plain, "local read"},
      {"get acl", "1", wire::GetAclRequest{}, plain, "local read"},
      {"watch", "1", wire::WatchRequest{}, plain, "local read"},
      {"a watch from a zxid", "1", watch_from_seen, plain, "read at least 3:7"},
      {"unwatch", "1", wire::UnwatchRequest{}, plain, "local read"},
      {"whoami", "1", wire::WhoamiRequest{}, plain, "local read"},
      {"ping", "", wire::PingRequest{}, plain, "local read"},
      {"sync", "1", wire::SyncRequest{}, plain, "quorum read"},
  });
}

TEST_CASE("admission refuses data and multis beyond their limits") {
  wire::MultiRequest large_op{{create("/a"), create("/b", 11)}};
  wire::MultiRequest many{{get(), get(), get()}};
  check({
      {"data at the limit", "1", create("/a", 10), plain, "write: create"},
      {"a create beyond it", "1", create("/a", 11), plain,
       "TooLarge: data of 11 bytes for /a, more than maxDataBytes=10"},
      {"a set beyond it", "1", set(12), plain,
       "TooLarge: data of 12 bytes for /a, more than maxDataBytes=10"},
      {"its path is invalid: the leader refuses it", "1", create("a", 11), plain, "write: create"},
      {"a create of a multi beyond it", "1", large_op, plain,
       "TooLarge: data of 11 bytes for /b, more than maxDataBytes=10"},
      {"a multi of too many operations", "1", many, plain,
       "TooLarge: a multi of 3 operations, more than maxMultiOps=2"},
      {"the limits come before dedup", "\"a\"", create("/a", 11), dedup,
       "TooLarge: data of 11 bytes for /a, more than maxDataBytes=10"},
      {"and before read-only", "1", create("/a", 11), local,
       "TooLarge: data of 11 bytes for /a, more than maxDataBytes=10"},
  });
}

TEST_CASE("admission requires rising write numbers in a session with dedup") {
  check({
      {"the first write", "1", create("/a"), fresh_dedup, "write: create, number 1"},
      {"a negative number", "-1", create("/a"), fresh_dedup, "write: create, number -1"},
      {"a number above the last", "6", create("/a"), dedup, "write: create, number 6"},
      {"the last number", "5", create("/a"), dedup, "repeated write 5"},
      {"an earlier number", "-3", create("/a"), dedup, "repeated write -3"},
      {"a write with another id", "\"a\"", create("/a"), dedup, no_number},
      {"a number with a fraction", "6.0", create("/a"), dedup, no_number},
      {"a number that is too large", "9223372036854775808", create("/a"), dedup, no_number},
      {"a write without an id", "", create("/a"), dedup, no_number},
      {"a read without an id", "", get(), dedup, "local read"},
      {"a read with an earlier number", "5", get(), dedup, "local read"},
      {"a read with another id", "\"a\"", get(), dedup, no_number},
      {"close without an id", "", wire::CloseRequest{}, dedup, "write: close"},
      {"close with an earlier number", "5", wire::CloseRequest{}, dedup, "write: close"},
      {"close with another id", "\"a\"", wire::CloseRequest{}, dedup, no_number},
      {"auth needs no number", "\"a\"", wire::AuthRequest{}, dedup, "authenticate"},
  });
}

TEST_CASE("admission accepts local reads and close in a read-only session") {
  check({
      {"get", "1", get(), local, "local read"},
      {"a get that must see a zxid", "1", get(wire::AtLeast{seen}), local, "read at least 3:7"},
      {"a linearizable get", "1", get(wire::Linearizable{}), local, no_quorum},
      {"sync", "1", wire::SyncRequest{}, local, no_quorum},
      {"create", "1", create("/a"), local, no_quorum},
      {"a multi that only reads", "1", reads, local, "local read"},
      {"a multi that writes", "1", writes, local, no_quorum},
      {"an empty multi", "1", wire::MultiRequest{}, local, no_quorum},
      {"close of a local session", "1", wire::CloseRequest{}, local, "closed"},
      {"close of a session of the ensemble", "1", wire::CloseRequest{}, resumed, no_quorum},
      {"auth", "1", wire::AuthRequest{}, local, "authenticate"},
      {"with dedup, an id that is no number", "\"a\"", create("/a"), read_only_dedup, no_number},
      {"with dedup, a repeated write", "5", create("/a"), read_only_dedup, no_quorum},
  });
}

TEST_CASE("the conditions of a write go to the leader, and count as operations of a multi") {
  const auto admission = [](wire::Request request, std::size_t conditions,
                            const server::Requester& requester = plain) {
    return server::admit(
        {{"1"}, {}, std::move(request), std::vector<wire::Condition>(conditions, {"/a", 0, {}})},
        requester, limits);
  };
  const auto text = [](const server::Admission& admitted) {
    return std::visit([](const auto& each) { return words(each); }, admitted);
  };
  CHECK(std::get<server::Write>(admission(create("/a"), 3)).conditions.size() == 3);
  wire::MultiRequest both{{create("/a")}, std::vector<wire::MultiOp>{create("/b", 11)}};
  CHECK(text(admission(both, 0)) == "TooLarge: data of 11 bytes for /b, more than maxDataBytes=10");
  both.otherwise = std::vector<wire::MultiOp>{create("/b")};
  CHECK(text(admission(both, 0)) == "write: multi");
  CHECK(text(admission(both, 1)) ==
        "TooLarge: a multi of 3 operations and conditions, more than maxMultiOps=2");
  // A read that depends on a condition needs the leader.
  CHECK(text(admission(reads, 0, local)) == "local read");
  CHECK(text(admission(wire::MultiRequest{{get()}}, 1, local)) == no_quorum);
}

TEST_CASE("a repeated write gets the result that was kept") {
  session::Results results;
  results.add(
      3, session::encode_outcome(wire::ReplyBody{wire::EmptyReply{}}, {{1}, 9}, wire::newest_forms),
      10);
  const auto kept = server::known_outcome(&results, 3, 5);
  REQUIRE(kept.has_value());
  CHECK(std::holds_alternative<wire::EmptyReply>(*kept));

  for (const session::Results* without : {static_cast<const session::Results*>(&results),
                                          static_cast<const session::Results*>(nullptr)}) {
    const auto unknown = server::known_outcome(without, 4, 5);
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().code == wire::ErrorCode::bad_arguments);
    CHECK(unknown.error().message ==
          "id: 4 is not above 5, the id of the last write, and no result of write 4 is kept");
  }
}

}  // namespace
