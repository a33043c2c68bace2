#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "session/restoration.h"
#include "session/results.h"
#include "tests/session/world.h"
#include "tests/support/byte_counts.h"
#include "wire/limits.h"

// What is planned can be applied: the bounds of a transaction and of its replies.
namespace session {
namespace {

using support::mebibyte;
using wire::ErrorCode;
using wire::GetRequest;
using wire::MultiRequest;

wire::ChildrenRequest list(std::string path, bool with_data = false) {
  wire::ChildrenRequest request;
  request.path = std::move(path);
  request.with_data = with_data;
  return request;
}

std::uint64_t digest_of_restored(Service& service) {
  service.begin_image();
  std::vector<Record> records;
  while (!service.collect_image(100, records)) {
  }
  std::map<wire::Bytes, wire::Bytes> image;
  for (Record& record : records) {
    if (record.value) image.emplace(std::move(record.key), *std::move(record.value));
  }
  Restoration restoration;
  for (const auto& [key, value] : image) REQUIRE(restoration.add(key, value));
  const auto restored = restoration.finish();
  REQUIRE(restored);
  return (*restored)->digest();
}

// A leader at the newest level, with /data, which has eight children of 1 MiB, and a session whose
// client has shown many long identities.
struct Greedy {
  World world;
  wire::SessionId session;
  std::int64_t number = 0;
  znode::Identities identities;

  explicit Greedy(const Service::Options& bounds = {}, std::uint32_t results_max = 0,
                  wire::Level level = wire::known_levels.greatest)
      : world(bounds) {
    if (level != wire::Level{}) world.set_level(level);
    REQUIRE(world.plan({{}, {1, 1}, 1, OpenSession{World::secret(1), 10'000, results_max}}));
    session = world.apply_all().session;
    std::vector<wire::Identity> list;
    for (int i = 0; i < 63; ++i) {
      list.push_back({"digest", std::to_string(i) + ":" + std::string(1000, 'h')});
    }
    identities = znode::Identities::of(list);
    run(create_request("/data"));
    for (char name = 'a'; name < 'i'; ++name) {
      wire::CreateRequest create = create_request(std::string("/data/") + name);
      create.data = wire::Bytes(mebibyte, name);
      run(std::move(create));
    }
  }
  znode::PlanResult<wire::Bytes> plan(CommandBody body) {
    return world.plan({session, {1, 1}, 1, std::move(body), identities, ++number});
  }
  Applied run(CommandBody body) {
    REQUIRE(plan(std::move(body)));
    return world.apply_all();
  }
  std::string refused(CommandBody body) {
    const auto planned = world.plan({session, {1, 1}, 1, std::move(body), identities});
    if (planned) return "planned";
    CHECK(planned.error().error.code == ErrorCode::too_large);
    return planned.error().error.message;
  }
};

TEST_CASE("the replies of a multi are judged before it becomes a transaction") {
  Greedy greedy;
  const std::string too_large =
      "the reply would be larger than maxReplyBytes=16777216: ask for less at a time";
  MultiRequest lists;
  for (int i = 0; i < 999; ++i) lists.ops.emplace_back(list("/data", true));
  const std::size_t before = greedy.world.log().size();
  CHECK(greedy.refused(lists) == too_large);
  MultiRequest reads;
  for (int i = 0; i < 20; ++i) reads.ops.emplace_back(GetRequest{"/data/a", {}});
  CHECK(greedy.refused(reads) == too_large);
  // What the multi itself writes counts too.
  MultiRequest own;
  for (int i = 0; i < 3; ++i) {
    own.ops.emplace_back(wire::SetRequest{"/data/a", wire::Bytes(mebibyte, '\0')});
    own.ops.emplace_back(GetRequest{"/data/a", {}});
  }
  CHECK(greedy.refused(own) == too_large);
  CHECK(greedy.world.service().outstanding() == 0);
  CHECK(greedy.world.log().size() == before);

  reads.ops.resize(10);
  const Applied applied = greedy.run(reads);
  CHECK(std::get<wire::MultiReply>(applied.reply).results.size() == 10);
}

TEST_CASE("a list that grew since its multi was planned ends early") {
  Greedy greedy({.reply_bytes_max = 9 * mebibyte});
  for (char name = 'i'; name < 'k'; ++name) {
    wire::CreateRequest create = create_request(std::string("/data/") + name);
    create.data = wire::Bytes(mebibyte, name);
    REQUIRE(greedy.plan(std::move(create)));
  }
  REQUIRE(greedy.plan(MultiRequest{{list("/data", true)}}));
  const Applied applied = greedy.world.apply_all();
  if (applied.refusal) FAIL(applied.refusal->error.message);
  const auto& reply = std::get<wire::MultiReply>(applied.reply);
  const auto& children = std::get<wire::ChildrenReply>(*reply.results.front());
  CHECK(children.more);
  CHECK(children.children.size() == 8);
}

TEST_CASE("a list that grew gets only what the other results of its multi leave") {
  Greedy greedy({.reply_bytes_max = 5 * mebibyte});
  greedy.run(create_request("/grows"));
  for (const char* name : {"a", "b", "c", "d"}) {
    wire::CreateRequest create = create_request(std::string("/grows/") + name);
    create.data = wire::Bytes(mebibyte, 'x');
    REQUIRE(greedy.plan(std::move(create)));
  }
  const GetRequest get{"/data/a", {}};
  REQUIRE(greedy.plan(MultiRequest{{get, list("/grows", true), get, get}}));
  const auto reply = std::get<wire::MultiReply>(greedy.world.apply_all().reply);
  const auto& children = std::get<wire::ChildrenReply>(*reply.results.at(1));
  CHECK(children.more);
  CHECK(children.children.size() == 1);
}

TEST_CASE(
    "the identities of a client are in a transaction once, and before level 2 within bounds") {
  MultiRequest lists;
  for (int i = 0; i < 1000; ++i) lists.ops.emplace_back(list("/data/a", true));
  Greedy newest;
  const auto planned = newest.plan(lists);
  REQUIRE(planned);
  CHECK(planned->size() < 200'000);
  newest.world.apply_all();

  Greedy older({}, 0, wire::Level{1});
  CHECK(older.refused(lists) ==
        "the multi would be a transaction of more than 33554432 bytes: do less in one");
  lists.ops.resize(100);
  CHECK(older.refused(lists) == "planned");
}

TEST_CASE("a request that would be too large a transaction is refused") {
  Greedy greedy;
  wire::CreateRequest create = create_request("/large");
  create.data = wire::Bytes(wire::transaction_bytes_max, 'x');
  CHECK(greedy.refused(create) ==
        "the request would be a transaction of 33554499 bytes, more than the 33554432 that are "
        "possible: divide it into smaller requests");
  MultiRequest large;
  for (int i = 0; i < 40; ++i) {
    wire::CreateRequest each = create_request("/" + std::to_string(i));
    each.data = wire::Bytes(mebibyte, 'x');
    large.ops.emplace_back(std::move(each));
  }
  CHECK(greedy.refused(large) ==
        "the multi would be a transaction of more than 33554432 bytes: do less in one");
  CHECK(greedy.world.service().outstanding() == 0);
}

TEST_CASE("a small request that would create very many nodes is refused") {
  Greedy greedy;
  MultiRequest deep;
  for (int i = 0; i < 1000; ++i) {
    wire::CreateRequest each = create_request("/" + std::to_string(i));
    for (int depth = 1; depth < 128; ++depth) each.path += "/x";
    each.parents = true;
    deep.ops.emplace_back(each);
  }
  const std::size_t before = greedy.world.log().size();
  CHECK(greedy.refused(deep) ==
        "one transaction creates at most 10000 nodes, missing parents included: create them in "
        "parts");
  CHECK(greedy.world.service().outstanding() == 0);
  CHECK(greedy.world.log().size() == before);
}

TEST_CASE("a refusal that would be too large a transaction is not kept") {
  Greedy greedy({}, 10);
  MultiRequest checks;
  checks.ops.assign(640'000, wire::CheckRequest{"/none", 0});
  const std::size_t before = greedy.world.log().size();
  const auto planned = greedy.plan(std::move(checks));
  REQUIRE_FALSE(planned);
  CHECK(planned.error().error.code == ErrorCode::no_node);
  CHECK(planned.error().multi->results.size() == 640'000);
  CHECK(greedy.world.service().outstanding() == 0);
  CHECK(greedy.world.log().size() == before);
}

TEST_CASE("a server without the client builds no results of reads, and has the same state") {
  Greedy greedy;
  greedy.run(MultiRequest{{create_request("/x"), list("/data", true), GetRequest{"/data/a", {}}}});
  Service replica;
  std::optional<wire::ReplyBody> last;
  for (std::size_t i = 0; i < greedy.world.log().size(); ++i) {
    auto applied = replica.apply({{1}, i + 1}, greedy.world.log()[i], BuildReply::no);
    REQUIRE(applied);
    last = applied->reply;
  }
  CHECK(*last == wire::ReplyBody(wire::MultiReply{}));
  CHECK(replica.digest() == greedy.world.service().digest());
}

TEST_CASE(
    "a result that is too large to be kept becomes a receipt, and before level 2 is refused") {
  const MultiRequest reads{{create_request("/x"), list("/data", true)}};
  Greedy greedy({}, 10);
  const Applied applied = greedy.run(reads);
  CHECK(std::get<wire::MultiReply>(applied.reply).results.size() == 2);
  const Results& results = *greedy.world.service().sessions().results(greedy.session);
  CHECK(*decode_outcome(*results.find(greedy.number)) ==
        wire::ReplyBody(wire::TruncatedReply{applied.zxid}));
  // Replay builds nothing for it either.
  Service replica;
  for (std::size_t i = 0; i < greedy.world.log().size(); ++i) {
    REQUIRE(replica.apply({{1}, i + 1}, greedy.world.log()[i], BuildReply::no).has_value());
  }
  CHECK(replica.digest() == greedy.world.service().digest());

  // At a lower level a refusal says so. The state can be restored.
  greedy.world.set_level(wire::Level{1});
  const Results& former = *greedy.world.service().sessions().results(greedy.session);
  CHECK(decode_outcome(*former.find(greedy.number)).error().code == ErrorCode::too_large);
  CHECK(digest_of_restored(greedy.world.service()) == greedy.world.service().digest());
  const Applied refused = greedy.run(MultiRequest{{list("/data", true)}});
  REQUIRE(refused.refusal);
  CHECK(refused.refusal->error.message ==
        "the reply would be larger than maxReplyBytes=4194304: ask for less at a time");
}

TEST_CASE("a reply that would be too large is refused, or ends early with more") {
  World world({.reply_bytes_max = 2000});
  const wire::SessionId session = world.open(1);
  const znode::Caller caller{session, {}};
  const auto read = [&](const wire::Request& request) {
    auto answer = world.service().read(caller, {"1"}, request);
    return answer ? wire::Result<wire::ReplyBody>(answer->reply) : answer.error();
  };
  world.create(session, "/a", wire::Bytes(1000, 'x'));
  world.create(session, "/b", wire::Bytes(1000, '\n'));
  CHECK(read(GetRequest{"/a", {}}));
  CHECK(read(GetRequest{"/b", {}}).error().code == ErrorCode::too_large);  // escaped
  for (int i = 0; i < 30; ++i) {
    world.run(session, ephemeral_request("/a/" + std::to_string(10 + i)));
  }
  wire::ChildrenRequest request = list("/a");
  std::vector<std::string> names;
  for (bool more = true; more;) {
    const auto reply = read(request);
    REQUIRE(reply);
    const auto& children = std::get<wire::ChildrenReply>(*reply);
    CHECK(children.children.size() <= 24);
    for (const wire::Child& child : children.children) names.push_back(child.name);
    request.after = names.back();
    more = children.more;
  }
  CHECK(names.size() == 30);
  CHECK(read(wire::EphemeralsRequest{"/"}).error().code == ErrorCode::too_large);
  // Without any child, the client could not go on.
  wire::ChildrenRequest from_b = list("/", true);
  from_b.after = "a";
  CHECK(read(from_b).error().code == ErrorCode::too_large);
  // A multi of reads is judged as a whole.
  MultiRequest reads{{GetRequest{"/a", {}}, GetRequest{"/a", {}}}};
  CHECK(std::get<wire::MultiReply>(*read(reads)).failed == 1u);
}

}  // namespace
}  // namespace session
