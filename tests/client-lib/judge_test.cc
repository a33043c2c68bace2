#include "client-lib/judge.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "wire/limits.h"

namespace zabkeeper {
namespace {

using wire::ErrorCode;

const std::string latin1 = "/caf\xe9";

wire::CreateRequest create(std::string path, wire::Acl acl = {}, bool sequential = false) {
  wire::CreateRequest request;
  request.path = std::move(path);
  request.acl = std::move(acl);
  request.sequential = sequential;
  return request;
}

wire::Acl acl(const std::string& scheme, const std::string& id) { return {{scheme, id, {}}}; }

TEST_CASE("text that is not UTF-8 is refused before it is sent, in every field of every request") {
  const std::string bad = "\xe9";
  const std::vector<wire::Request> requests{
      create(latin1),
      create("/a", acl(bad, "id")),
      create("/a", acl("digest", bad)),
      wire::GetRequest{latin1, {}},
      wire::ExistsRequest{latin1, {}},
      wire::SetRequest{latin1, "x"},
      wire::DeleteRequest{latin1},
      wire::ChildrenRequest{latin1, false, false, {}, {}, {}},
      wire::ChildrenRequest{"/a", false, false, bad, {}, {}},
      wire::CountRequest{latin1, {}},
      wire::EphemeralsRequest{latin1},
      wire::GetAclRequest{latin1},
      wire::SetAclRequest{latin1, {}},
      wire::SetAclRequest{"/a", acl("digest", bad)},
      wire::SyncRequest{latin1},
      wire::WatchRequest{latin1, {}, false, false, {}},
      wire::AuthRequest{bad, "user:password"},
      wire::AuthRequest{"digest", "jos\xe9:password"},
  };
  for (const wire::Request& request : requests) {
    CAPTURE(request.index());
    const auto refused = refusal_of(request);
    REQUIRE(refused);
    REQUIRE(refused->has_error());
    CHECK(refused->error().code == ErrorCode::bad_arguments);
    CHECK(refused->error().message.find("not UTF-8") != std::string::npos);
  }
  CHECK(!refusal_of(wire::Request(wire::SetRequest{"/a", "data may be any bytes: \xe9"})));
}

TEST_CASE("paths that no server accepts are refused before they are sent") {
  for (const char* path : {"", "a", "/a/", "/a//b", "/a/../b", "/a/./b", "/a\x01", "/\xc2\x85"}) {
    CAPTURE(path);
    const auto refused = refusal_of(wire::Request(wire::GetRequest{path, {}}));
    REQUIRE(refused);
    CHECK(refused->error().code == ErrorCode::bad_arguments);
  }
  CHECK(refusal_of(wire::Request(wire::GetRequest{'/' + std::string(4096, 'a'), {}})));
  CHECK(!refusal_of(wire::Request(wire::GetRequest{"/", {}})));
  CHECK(!refusal_of(wire::Request(wire::GetRequest{"/gr\xc3\xbc\xc3\x9f", {}})));
  // The server appends a number.
  CHECK(!refusal_of(wire::Request(create("/jobs/", {}, /*sequential=*/true))));
  CHECK(refusal_of(wire::Request(create("/jobs/"))));
}

TEST_CASE("data and multis that are too large for every server are refused before they are sent") {
  const auto code_of = [](const wire::Request& request) {
    const auto refused = refusal_of(request);
    return refused && refused->has_error() ? refused->error().code : ErrorCode{};
  };
  CHECK(code_of(wire::SetRequest{"/a", std::string(wire::data_bytes_max + 1, 'x')}) ==
        ErrorCode::too_large);
  CHECK(!refusal_of(wire::Request(wire::SetRequest{"/a", std::string(wire::data_bytes_max, 'x')})));
  CHECK(code_of(wire::MultiRequest{std::vector<wire::MultiOp>(
            16'385, wire::MultiOp(wire::CheckRequest{"/a"}))}) == ErrorCode::too_large);
  const wire::MultiOp half = wire::SetRequest{"/a", std::string(17 << 20, 'x')};
  CHECK(code_of(wire::MultiRequest{{half, half}}) == ErrorCode::too_large);
}

TEST_CASE("a multi with a bad operation is refused as a server refuses it") {
  const wire::MultiRequest multi{{create("/a"), wire::DeleteRequest{latin1}}};
  const auto refused = refusal_of(wire::Request(multi));
  REQUIRE(refused);
  REQUIRE(refused->has_value());
  const auto& reply = std::get<wire::MultiReply>(**refused);
  CHECK(reply.failed == 1);
  REQUIRE(reply.results.size() == 2);
  CHECK(reply.results[0].error().code == ErrorCode::runtime_inconsistency);
  CHECK(reply.results[1].error().code == ErrorCode::bad_arguments);
}

TEST_CASE("identities that no server accepts are refused before a connection is made") {
  const auto refused = [](std::string token) {
    wire::ConnectRequest connect;
    connect.auth = {{"digest", std::move(token)}};
    return refusal_of(connect);
  };
  CHECK(!refused("user:password"));
  CHECK(refused("jos\xe9:password")->code == ErrorCode::bad_arguments);
  CHECK(refused(std::string(300 * 1024, 'x'))->code == ErrorCode::too_large);
}

TEST_CASE("conditions that no server accepts are refused before they are sent") {
  const wire::Request write = wire::DeleteRequest{"/a"};
  const auto message_of = [&](const std::vector<wire::Condition>& conditions) {
    const auto refused = refusal_of(write, conditions);
    return refused && refused->has_error() ? refused->error().message : std::string();
  };
  wire::Condition missing{"/a", {}, {}};
  missing.tests.exists = false;
  CHECK(message_of({{"/a", 3, {}}, missing}) == "");
  CHECK(message_of({{"/a", {}, {}}}) == "condition 0: at least one test is needed");
  CHECK(message_of({missing, {"a", 3, {}}}) == "the path \"a\" does not begin with /");
  missing.version = 3;
  CHECK(message_of({{"/a", 3, {}}, missing}) ==
        "condition 1: a node that must not exist cannot have other tests");
  CHECK(message_of(std::vector(101, wire::Condition{"/a", 3, {}})).starts_with("101 conditions"));
}

TEST_CASE("a multi with two branches is refused if an operation of either is bad") {
  const std::vector<wire::Condition> conditions{{"/a", 3, {}}};
  wire::MultiRequest multi{{create("/a")}, std::vector<wire::MultiOp>{create("/b")}};
  CHECK_FALSE(refusal_of(wire::Request(multi), conditions));
  CHECK(refusal_of(wire::Request(multi))->error().message == "else needs a condition");
  multi.otherwise->emplace_back(wire::DeleteRequest{latin1});
  CHECK(refusal_of(wire::Request(multi), conditions)->error().code == ErrorCode::bad_arguments);
  multi.ops.swap(*multi.otherwise);
  CHECK(refusal_of(wire::Request(multi), conditions)->error().code == ErrorCode::bad_arguments);
}

}  // namespace
}  // namespace zabkeeper
