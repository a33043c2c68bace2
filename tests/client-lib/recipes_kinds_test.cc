#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "tests/client-lib/recipes_attempt.h"

// Read and write locks, and semaphores.
namespace zabkeeper {
namespace {

const std::string writer = node_path("write-");
const std::string reader = node_path("read-");

Attempt writing() {
  Attempt attempt(write_queue("/l", some_id));
  attempt.want();
  attempt.created(true, writer);
  attempt.watched(at(7));
  return attempt;
}

const std::string multi_3 =
    R"(ask {"id":3,"op":"multi","ops":[{"op":"delete","path":"/l/ID-write-0000000003"},)"
    R"({"op":"create","path":"/l/ID-read-0000000003","data":"","ephemeral":true}]})";

// The result of that multi.
wire::Result<wire::ReplyBody> downgrade_done() {
  wire::MultiReply multi;
  wire::CreateReply created{reader, {}, {}};
  created.stat.czxid = at(20);
  multi.results.emplace_back(wire::OpReply(wire::EmptyReply()));
  multi.results.emplace_back(wire::OpReply(created));
  return wire::ReplyBody(multi);
}
wire::Result<wire::ReplyBody> downgrade_failed(wire::ErrorCode code) {
  wire::MultiReply multi;
  multi.failed = 0;
  multi.results.emplace_back(wire::Error{code, "x"});
  multi.results.emplace_back(wire::Error{wire::ErrorCode::runtime_inconsistency, "y"});
  return wire::ReplyBody(multi);
}
wire::Result<wire::ReplyBody> node_exists(std::optional<wire::Zxid> czxid) {
  wire::ExistsReply exists;
  if (czxid) exists.stat.emplace().czxid = *czxid;
  return wire::ReplyBody(exists);
}
wire::Result<wire::ReplyBody> limit(const std::string& data) {
  return wire::ReplyBody(wire::GetReply{data, {}});
}

const char* const downgraded_and_watched =
    "downgraded /l/ID-read-0000000003 token 1:7 guard 1:20\n"
    R"(ask {"id":4,"op":"watch","path":"/l/ID-read-0000000003","scope":"node","once":true})";

}  // namespace

TEST_CASE("a writer waits for all nodes before it, and a reader only for writers") {
  Attempt write(write_queue("/l", some_id));
  CHECK(write.want() ==
        R"(ask {"id":1,"op":"create","path":"/l/ID-write-","data":"","ephemeral":true,)"
        R"("sequential":true,"parents":true,"turn":{}})");
  Attempt read(read_queue("/l", some_id));
  CHECK(read.want() ==
        R"(ask {"id":1,"op":"create","path":"/l/ID-read-","data":"","ephemeral":true,)"
        R"("sequential":true,"parents":true,"turn":{"among":["write-"]}})");
}

TEST_CASE("a write lock becomes a read lock with the same number, in one transaction") {
  Attempt attempt = writing();
  CHECK(attempt.downgrade() == multi_3);
  // The event of the deletion that the multi makes.
  CHECK(attempt.event(2, wire::EventKind::deleted) == "");
  CHECK((*attempt).grant());
  CHECK(attempt.reply(downgrade_done()) == downgraded_and_watched);
  CHECK(attempt.watched(at(20)) == "");
  CHECK(attempt.release() == R"(ask {"id":5,"op":"delete","path":"/l/ID-read-0000000003"})");
}

TEST_CASE("only a write lock that is held can be downgraded, and nothing becomes a write lock") {
  Attempt read(read_queue("/l", some_id));
  read.want();
  CHECK(read.downgrade() == "refused: no write lock is held");
  read.created(true, reader);
  CHECK(read.downgrade() == "refused: no write lock is held");
  Attempt waiting(write_queue("/l", some_id));
  waiting.want();
  CHECK(waiting.downgrade() == "refused: no write lock is held");
}

TEST_CASE("a downgrade that is refused leaves the write lock as it was") {
  Attempt attempt = writing();
  attempt.downgrade();
  CHECK(attempt.fail(wire::ErrorCode::overloaded) ==
        "refused: x\n"
        R"(ask {"id":4,"op":"watch","path":"/l/ID-write-0000000003","scope":"node","once":true})");
  CHECK((*attempt).grant()->path == writer);

  Attempt gone = writing();
  gone.downgrade();
  CHECK(gone.reply(downgrade_failed(wire::ErrorCode::no_node)) ==
        "lost: its node was deleted\nended: lost");
}

TEST_CASE("after a lost reply to a downgrade the nodes say whether it was done") {
  const char* const question = R"(ask {"id":4,"op":"exists","path":"/l/ID-read-0000000003"})";
  Attempt done = writing();
  done.downgrade();
  CHECK(done.fail(wire::ErrorCode::connection_loss) == question);
  CHECK(done.reply(node_exists(at(20))) ==
        "downgraded /l/ID-read-0000000003 token 1:7 guard 1:20\n"
        R"(ask {"id":5,"op":"watch","path":"/l/ID-read-0000000003","scope":"node","once":true})");

  Attempt not_done = writing();
  not_done.downgrade();
  not_done.fail(wire::ErrorCode::connection_loss);
  CHECK(not_done.reply(node_exists({})).starts_with(R"(ask {"id":5,"op":"multi")"));

  Attempt unreadable = writing();
  unreadable.downgrade();
  unreadable.fail(wire::ErrorCode::connection_loss);
  CHECK(unreadable.fail(wire::ErrorCode::no_auth) ==
        "lost: it is not known which lock is held: x\n"
        R"(ask {"id":5,"op":"ephemerals","prefix":"/l/ID-"})");
}

TEST_CASE("a lock that is released during its downgrade leaves no node") {
  Attempt done = writing();
  done.downgrade();
  CHECK(done.release() == "");
  CHECK(done.reply(downgrade_done()) ==
        R"(ask {"id":4,"op":"delete","path":"/l/ID-read-0000000003"})");
  CHECK(done.done() == "ended: released");

  Attempt refused = writing();
  refused.downgrade();
  refused.release();
  CHECK(refused.fail(wire::ErrorCode::overloaded) ==
        R"(ask {"id":4,"op":"delete","path":"/l/ID-write-0000000003"})");

  Attempt unknown = writing();
  unknown.downgrade();
  unknown.release();
  CHECK(unknown.fail(wire::ErrorCode::connection_loss) ==
        R"(ask {"id":4,"op":"ephemerals","prefix":"/l/ID-"})");
  CHECK(unknown.found({reader}) == R"(ask {"id":5,"op":"delete","path":"/l/ID-read-0000000003"})");
}

TEST_CASE("a semaphore's create is carried out only under the limit that it counts by") {
  Attempt attempt(semaphore_queue("/l", some_id));
  CHECK(attempt.want() == R"(ask {"id":1,"op":"get","path":"/l"})");
  CHECK(attempt.reply(limit("3")) ==
        R"(ask {"id":2,"op":"create","path":"/l/ID-lease-","data":"","ephemeral":true,)"
        R"("sequential":true,"turn":{"limit":3},"if":[{"path":"/l","data":"3"}]})");
  CHECK(attempt.fail(wire::ErrorCode::condition_failed) ==
        R"(ask {"id":3,"op":"get","path":"/l","consistency":"linearizable"})");
  CHECK(attempt.reply(limit("2")) ==
        R"(ask {"id":4,"op":"create","path":"/l/ID-lease-","data":"","ephemeral":true,)"
        R"("sequential":true,"turn":{"limit":2},"if":[{"path":"/l","data":"2"}]})");
  CHECK(attempt.created(false, node_path("lease-")) == "waiting");
}

TEST_CASE("a semaphore without a limit cannot be acquired") {
  for (const char* data : {"", "0", "-1", "three", "1000001", "00000001"}) {
    CAPTURE(data);
    Attempt attempt(semaphore_queue("/l", some_id));
    attempt.want();
    CHECK(attempt.reply(limit(data)) == "ended: failed BadArguments");
  }
  Attempt missing(semaphore_queue("/l", some_id));
  missing.want();
  CHECK(missing.fail(wire::ErrorCode::no_node) == "ended: failed NoNode");
  CHECK(limit_of("1000000") == 1'000'000);
  CHECK(semaphore_limit("/l", 3) == wire::SetRequest{"/l", "3", wire::any_version, true});
}

}  // namespace zabkeeper
