#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "session/results.h"
#include "tests/session/world.h"

// Writes with conditions: what happens, what is refused, and what is kept.
namespace session {
namespace {

using wire::Branch;
using wire::Condition;
using wire::ErrorCode;
using wire::MultiRequest;
using wire::SetRequest;

constexpr wire::Level former{2};

Condition has_version(std::string path, std::int32_t version) {
  return {std::move(path), version, {}};
}

Condition is_missing(std::string path) {
  Condition condition{std::move(path), {}, {}};
  condition.tests.exists = false;
  return condition;
}

// One session with `dedup`, at the newest level.
struct Writer {
  explicit Writer(wire::Level level = wire::known_levels.greatest) {
    if (level != wire::Level{}) world.set_level(level);
    REQUIRE(world.plan({{}, {1, 1}, 1, OpenSession{World::secret(1), 10'000, 5}}));
    session = world.apply_all().session;
  }

  // The reply, or why the write was refused.
  wire::Result<wire::ReplyBody> write(CommandBody body, std::vector<Condition> conditions) {
    REQUIRE(world.plan({session, {1, 1}, 1, std::move(body), {}, ++number, std::move(conditions)}));
    const Applied applied = world.apply_all();
    CHECK(kept() == (applied.refusal ? applied.refusal->reply()
                                     : wire::Result<wire::ReplyBody>(applied.reply)));
    return kept();
  }
  // The result of the last write, as it is kept.
  wire::Result<wire::ReplyBody> kept() {
    return decode_outcome(*world.service().sessions().results(session)->find(number));
  }
  [[nodiscard]] std::string data(const std::string& path) {
    const znode::Node* node = world.service().tree().find(path);
    return node ? std::string(node->data()) : "none";
  }

  World world;
  wire::SessionId session;
  std::int64_t number = 0;
};

TEST_CASE("a write happens only if its conditions hold") {
  Writer writer;
  CHECK(writer.write(create_request("/a"), {is_missing("/a")}));
  const auto again = writer.write(create_request("/b"), {has_version("/a", 0), is_missing("/a")});
  CHECK(again.error().code == ErrorCode::condition_failed);
  CHECK(again.error().unmet == wire::Unmet{1, {true, 0, {}}});
  CHECK(writer.data("/b") == "none");

  CHECK(writer.write(SetRequest{"/a", "1"}, {has_version("/a", 0)}));
  CHECK_FALSE(writer.write(SetRequest{"/a", "2"}, {has_version("/a", 0)}));
  CHECK_FALSE(writer.write(wire::DeleteRequest{"/a"}, {has_version("/a", 0)}));
  CHECK_FALSE(writer.write(wire::SetAclRequest{"/a", wire::open_acl()}, {is_missing("/a")}));
  CHECK(writer.data("/a") == "1");
  // A condition is judged before the write's own operations.
  CHECK(writer.write(SetRequest{"/none", ""}, {is_missing("/a")}).error().code ==
        ErrorCode::condition_failed);
  CHECK(writer.write(SetRequest{"/none", ""}, {has_version("/a", 1)}).error().code ==
        ErrorCode::no_node);
}

TEST_CASE("a multi does `ops` if its conditions hold, and `else` if one does not") {
  Writer writer;
  MultiRequest multi{{create_request("/first")},
                     std::vector<wire::MultiOp>{SetRequest{"/first", "again"}}};
  const auto first = writer.write(multi, {is_missing("/first")});
  REQUIRE(first);
  CHECK(std::get<wire::MultiReply>(*first).branch == Branch::ops);
  CHECK(std::get<wire::MultiReply>(*first).results.size() == 1);

  const auto second = writer.write(multi, {is_missing("/first")});
  REQUIRE(second);
  CHECK(std::get<wire::MultiReply>(*second).branch == Branch::otherwise);
  CHECK(writer.data("/first") == "again");

  // `else` does not happen because an operation of `ops` fails, and may fail itself.
  const auto fails = writer.write(multi, {has_version("/first", 1)});
  REQUIRE(fails);
  CHECK(std::get<wire::MultiReply>(*fails).branch == Branch::ops);
  CHECK(std::get<wire::MultiReply>(*fails).failed == 0u);
  multi.otherwise = std::vector<wire::MultiOp>{create_request("/x"), create_request("/first")};
  const auto other = writer.write(multi, {is_missing("/first")});
  REQUIRE(other);
  CHECK(std::get<wire::MultiReply>(*other).branch == Branch::otherwise);
  CHECK(std::get<wire::MultiReply>(*other).failed == 1u);
  CHECK(std::get<wire::MultiReply>(*other).results.size() == 2);
  CHECK(writer.data("/x") == "none");

  // Nothing may be what happens.
  multi.otherwise.emplace();
  CHECK(std::get<wire::MultiReply>(*writer.write(multi, {is_missing("/first")})).results.empty());
  // Without `else`, there are no branches.
  multi.otherwise.reset();
  CHECK(writer.write(multi, {is_missing("/first")}).error().code == ErrorCode::condition_failed);
  const MultiRequest sets{{SetRequest{"/first", "x"}}};
  const auto done = writer.write(sets, {has_version("/first", 1)});
  REQUIRE(done);
  CHECK_FALSE(std::get<wire::MultiReply>(*done).branch);
}

TEST_CASE("a missing permission refuses a multi, and does not choose `else`") {
  Writer writer;
  wire::CreateRequest secret = create_request("/secret");
  secret.acl = wire::Acl{{"digest", "somebody:x", 31}};
  REQUIRE(writer.write(secret, {}));
  const MultiRequest multi{{}, std::vector<wire::MultiOp>{create_request("/x")}};
  CHECK(writer.write(multi, {has_version("/secret", 7)}).error().code == ErrorCode::no_auth);
  CHECK(writer.data("/x") == "none");
}

TEST_CASE("before level 3 a write with conditions is refused, and other writes are not") {
  const MultiRequest branches{{}, std::vector<wire::MultiOp>{}};
  wire::CheckRequest check{"/"};
  check.tests.exists = true;
  for (const wire::Level level : {wire::Level{0}, former}) {
    Writer writer(level);
    const auto refused = [&](CommandBody body, std::vector<Condition> conditions) {
      const auto planned = writer.world.plan(
          {writer.session, {1, 1}, 1, std::move(body), {}, {}, std::move(conditions)});
      return planned ? std::string() : planned.error().error.message;
    };
    CHECK(refused(create_request("/a"), {is_missing("/a")}).starts_with("conditions (if, else,"));
    CHECK(refused(branches, {has_version("/", 0)}) != "");
    CHECK(refused(MultiRequest{{check}}, {}) != "");
    CHECK(refused(MultiRequest{{wire::CheckRequest{"/"}}}, {}) == "");
    CHECK(refused(create_request("/a"), {}) == "");
  }
}

// A program that knows only the lower level reads what is kept.
TEST_CASE("when the level is lowered, kept results of conditions get the lower level's form") {
  Writer writer;
  const MultiRequest multi{{}, std::vector<wire::MultiOp>{create_request("/x")}};
  REQUIRE(writer.write(multi, {is_missing("/")}));
  CHECK_FALSE(writer.write(create_request("/a"), {is_missing("/")}));
  writer.world.set_level(former);

  const auto refused = writer.kept();
  CHECK(refused.error().code == ErrorCode::bad_version);
  CHECK(refused.error().message == "/ exists");
  CHECK_FALSE(refused.error().unmet);
  writer.number -= 1;
  // Without its branch, the result would say something else.
  const auto done = writer.kept();
  REQUIRE(done);
  CHECK(std::holds_alternative<wire::TruncatedReply>(*done));
  const std::string kept = *writer.world.service().sessions().results(writer.session)->find(2);
  CHECK(decode_refusal(std::string_view(kept).substr(9)).has_value());
  CHECK(kept[9] == 2);  // the version of the refusal
}

TEST_CASE("at levels 0 and 1 a kept refusal has a code that those programs know") {
  const wire::Forms newest = wire::newest_forms;
  const wire::Error full{ErrorCode::overloaded, "full"};
  for (const wire::Level level : {wire::Level{0}, wire::Level{1}}) {
    const wire::Forms forms = wire::forms_at(level);
    const auto lowered = [&](const wire::Bytes& outcome) {
      return decode_outcome(former_outcome(outcome, forms));
    };
    CHECK(lowered(encode_outcome(Refusal{full, {}}, {{1}, 2}, newest)).error().code ==
          ErrorCode::throttled);
    wire::MultiReply multi{{wire::OpReply(wire::EmptyReply{})}, {}, Branch::otherwise};
    CHECK(lowered(encode_outcome(wire::ReplyBody(multi), {{1}, 2}, newest)).error().message ==
          "the write was done, and its reply was too large to be kept");
    const wire::Error failed{ErrorCode::condition_failed, "/x exists", wire::Unmet{}};
    multi = {{failed}, 0, Branch::otherwise};
    const auto refused = lowered(encode_outcome(Refusal{failed, multi}, {{1}, 2}, newest));
    CHECK(refused.error() == wire::Error{ErrorCode::bad_version, "/x exists"});
    multi.branch.reset();
    const auto check = lowered(encode_outcome(Refusal{failed, multi}, {{1}, 2}, newest));
    REQUIRE(check);
    CHECK(std::get<wire::MultiReply>(*check).results.front().error().code ==
          ErrorCode::bad_version);
  }
}

TEST_CASE("a receipt of a failed condition has another error before level 3") {
  const wire::Error error{ErrorCode::condition_failed, "", wire::Unmet{0, {}}};
  const auto receipt = receipt_of(encode_outcome(Refusal{error, {}}, {{1}, 2}, wire::newest_forms));
  REQUIRE(receipt);
  CHECK(decode_outcome(*receipt).error().code == ErrorCode::condition_failed);
  const auto forms = wire::forms_at(former);
  CHECK(decode_outcome(former_outcome(*receipt, forms)).error().code == ErrorCode::bad_version);
}

}  // namespace
}  // namespace session
