#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/world.h"
#include "tests/support/byte_counts.h"
#include "tests/wire/allocations.h"
#include "wire/limits.h"
#include "znode/path.h"

// Every kind of transaction at its largest: it can be planned, and a server that only applies it
// has the same state. That takes memory in proportion to the transaction and to the nodes that it
// creates or deletes, beyond the memory that it gives back.
namespace session {
namespace {

using support::kibibyte;
using support::mebibyte;
using wire::MultiRequest;

// A path of the greatest length below `parent`; `number` makes it unique.
std::string long_path(const std::string& parent, std::size_t number) {
  std::string path = parent + '/' + std::to_string(number) + '-';
  path.resize(znode::path_bytes_max, 'x');
  return path;
}

wire::Acl largest_acl() {
  wire::Acl acl{{"world", "anyone", 31}};
  for (std::size_t i = 1; i < znode::acl_entries_max; ++i) {
    std::string id = std::to_string(i) + ':';
    id.resize(znode::acl_bytes_max / znode::acl_entries_max - std::string("digest").size(), 'h');
    acl.push_back({"digest", std::move(id), 31});
  }
  return acl;
}

// A leader with a session that keeps results, and a replica that has applied nothing yet.
struct Pair {
  World leader;
  Service replica;
  wire::SessionId session;
  std::int64_t number = 0;
  std::size_t applied = 0;

  explicit Pair(wire::Level level) {
    if (level != wire::Level{}) leader.set_level(level);
    REQUIRE(leader.plan({{}, {1, 1}, 1, OpenSession{World::secret(1), 10'000, 10}}));
    session = leader.apply_all().session;
  }
  [[nodiscard]] Command command(CommandBody body) const {
    return {session, {1, 1}, 1, std::move(body), {}};
  }
  void run(CommandBody body) {
    const auto planned = leader.plan(command(std::move(body)));
    if (!planned) FAIL(planned.error().error.message);
    leader.apply_all();
  }
  // Creates nodes with paths of the greatest length.
  void create(std::size_t count, const std::function<void(wire::CreateRequest&)>& change = {}) {
    run(create_request("/many"));
    for (std::size_t first = 0; first < count; first += 200) {
      MultiRequest multi;
      for (std::size_t i = first; i < first + 200; ++i) {
        wire::CreateRequest each = create_request(long_path("/many", i));
        if (change) change(each);
        multi.ops.emplace_back(std::move(each));
      }
      run(std::move(multi));
    }
  }
  // Applies the leader's log to the replica, and returns the most memory that the last transaction
  // took.
  std::size_t replay() {
    std::size_t peak = 0;
    for (; applied < leader.log().size(); ++applied) {
      const wire::Bytes& bytes = leader.log()[applied];
      const bool is_last = applied + 1 == leader.log().size();
      const auto apply = [&] {
        const auto result = replica.apply({{1}, applied + 1}, bytes, BuildReply::no);
        REQUIRE(result);
      };
      if (is_last) {
        peak = allocations::peak_of(apply);
      } else {
        apply();
      }
    }
    return peak;
  }
};

struct Kind {
  std::string title;
  std::size_t bytes_min;  // of the transaction
  std::function<void(Pair&)> prepare;
  std::function<Command(const Pair&)> command;
  std::size_t results = 0;  // that the transaction has
};

void nothing(Pair&) {}

Command a_multi_of(const Pair& pair, std::size_t count,
                   const std::function<wire::MultiOp(std::size_t)>& op) {
  MultiRequest multi;
  for (std::size_t i = 0; i < count; ++i) multi.ops.push_back(op(i));
  return pair.command(std::move(multi));
}

std::vector<Kind> kinds_of_sessions() {
  return {
      {"a session begins", 0, nothing,
       [](const Pair&) {
         return Command{{}, {1, 2}, 1, OpenSession{World::secret(2), 10'000, 1000}};
       }},
      {"a session moves", 0, nothing,
       [](const Pair& pair) {
         return Command{pair.session, {2, 7}, 1, MoveSession{World::secret(1), 10'000, 1000}};
       }},
      {"a session ends, with all ephemeral nodes that it may have", 0,
       [](Pair& pair) {
         pair.create(znode::ephemerals_per_session_max,
                     [](wire::CreateRequest& each) { each.ephemeral = true; });
       },
       [](const Pair& pair) { return pair.command(CloseSession{}); }},
      {"nodes are reaped", 1000 * znode::path_bytes_max,
       [](Pair& pair) {
         pair.create(1200, [](wire::CreateRequest& each) { each.ttl_ms = 1; });
         pair.leader.service().begin_countdowns(0);
         for (int tick = 0; tick < 10; ++tick) pair.leader.service().tick();
       },
       [](const Pair&) {
         return Command{{}, {}, 0, ReapNodes{}};
       }},
      {"a refusal is kept", 800 * kibibyte, nothing,
       [](const Pair& pair) {
         Command command = a_multi_of(pair, 16'384, [](std::size_t) {
           return wire::CheckRequest{long_path("/none", 0), 0};
         });
         command.number = 1;
         return command;
       },
       16'384},
      {"a result is kept", 0,
       [](Pair& pair) {
         wire::CreateRequest create = create_request("/data");
         create.data = wire::Bytes(3 * mebibyte, '\xff');
         pair.run(std::move(create));
       },
       [](const Pair& pair) {
         Command command = a_multi_of(pair, 1, [](std::size_t) {
           return wire::GetRequest{"/data", {}};
         });
         command.number = 1;
         return command;
       }},
  };
}

std::vector<Kind> kinds_of_single_writes() {
  const auto create = [](const Pair& pair) {
    wire::CreateRequest request = create_request("");
    for (int depth = 0; depth < 100; ++depth) request.path += "/" + std::string(39, 'x');
    request.parents = true;
    request.data = wire::Bytes(wire::data_bytes_max, '\xff');
    request.acl = largest_acl();
    return pair.command(std::move(request));
  };
  const auto set = [](const Pair& pair) {
    return pair.command(wire::SetRequest{
        long_path("/many", 0), wire::Bytes(wire::data_bytes_max, '\xff'), wire::any_version, true});
  };
  return {
      {"a create", wire::data_bytes_max, nothing, create},
      {"a set", wire::data_bytes_max, [](Pair& pair) { pair.create(200); }, set},
      {"a set that creates", wire::data_bytes_max,
       [](Pair& pair) { pair.run(create_request("/many")); }, set},
      {"a setAcl", znode::path_bytes_max + znode::acl_bytes_max,
       [](Pair& pair) { pair.create(200); },
       [](const Pair& pair) {
         return pair.command(wire::SetAclRequest{long_path("/many", 0), largest_acl()});
       }},
      {"a recursive delete", 0, [](Pair& pair) { pair.create(znode::deleted_nodes_max); },
       [](const Pair& pair) {
         return pair.command(wire::DeleteRequest{"/many", -1, true});
       }},
  };
}

wire::CreateRequest create_with_data(std::size_t i) {
  wire::CreateRequest request = create_request("/" + std::to_string(i));
  request.data = wire::Bytes(31 * kibibyte, '\xff');
  return request;
}

std::vector<Kind> kinds_of_multis() {
  const auto many_nodes = [](Pair& pair) { pair.create(1000); };
  return {
      {"a multi of creates with data", 30 * mebibyte, nothing,
       [](const Pair& pair) { return a_multi_of(pair, 1000, create_with_data); }},
      {"a multi of creates with parents", 300 * kibibyte, nothing,
       [](const Pair& pair) {
         return a_multi_of(pair, 80, [](std::size_t i) {
           wire::CreateRequest request =
               create_request("/" + std::to_string(10 + i) + std::string(29, 'x'));
           for (int depth = 1; depth < 125; ++depth) request.path += "/" + std::string(31, 'x');
           request.parents = true;
           return request;
         });
       }},
      {"a multi of creates with ACLs", 0, nothing,
       [](const Pair& pair) {
         return a_multi_of(pair, 1000, [](std::size_t i) {
           wire::CreateRequest request = create_request("/" + std::to_string(i));
           request.acl = largest_acl();
           request.acl->back().id = std::to_string(1000 + i) + ":x";
           return request;
         });
       }},
      {"a multi of sets", 30 * mebibyte, many_nodes,
       [](const Pair& pair) {
         return a_multi_of(pair, 1000, [](std::size_t i) {
           return wire::SetRequest{long_path("/many", i), wire::Bytes(28 * kibibyte, '\xff')};
         });
       }},
      {"a multi of deletes", 0, [](Pair& pair) { pair.create(znode::deleted_nodes_max); },
       [](const Pair& pair) {
         return a_multi_of(pair, 1000, [](std::size_t i) -> wire::MultiOp {
           if (i == 999) return wire::DeleteRequest{"/many", -1, true};
           return wire::DeleteRequest{long_path("/many", i)};
         });
       }},
      {"a multi of checks", 0, many_nodes,
       [](const Pair& pair) {
         return a_multi_of(pair, 1000, [](std::size_t i) {
           return wire::CheckRequest{long_path("/many", i), 0};
         });
       }},
      {"a multi of gets", 0, [](Pair& pair) { pair.run(create_with_data(0)); },
       [](const Pair& pair) {
         return a_multi_of(pair, 80, [](std::size_t) { return wire::GetRequest{"/0", {}}; });
       }},
      {"a multi of lists, by a client with many identities", 0,
       [](Pair& pair) { pair.run(create_with_data(0)); },
       [](const Pair& pair) {
         Command command = a_multi_of(pair, 1000, [](std::size_t) {
           wire::ChildrenRequest list;
           list.path = "/0";
           list.with_stat = true;
           return list;
         });
         std::vector<wire::Identity> identities;
         for (int i = 0; i < 16; ++i) {
           identities.push_back({"digest", std::to_string(10 + i) + ":" + std::string(253, 'h')});
         }
         command.identities = znode::Identities::of(identities);
         return command;
       }},
  };
}

void check(const Kind& kind, wire::Level level) {
  CAPTURE(kind.title);
  CAPTURE(level.value);
  Pair pair(level);
  kind.prepare(pair);
  const std::uint64_t nodes_before = pair.leader.service().tree().size();
  const auto planned = pair.leader.plan(kind.command(pair));
  if (!planned) FAIL(planned.error().error.message);
  CHECK(planned->size() >= kind.bytes_min);
  CHECK(planned->size() <= wire::transaction_bytes_max);
  pair.leader.apply_all();

  const std::size_t peak = pair.replay();
  const std::uint64_t nodes = pair.replica.tree().size();
  const std::size_t created = nodes > nodes_before ? nodes - nodes_before : 0;
  const std::size_t deleted = nodes < nodes_before ? nodes_before - nodes : 0;
  // From level 2 on, a transaction holds the paths of missing parents only as parts of one path.
  CHECK(peak < 4 * planned->size() + created * 2 * znode::path_bytes_max +
                   (deleted + kind.results) * kibibyte + mebibyte);
  CHECK(pair.replica.digest() == pair.leader.service().digest());
}

void check(const std::vector<Kind>& kinds) {
  for (wire::Level level = wire::known_levels.least; level <= wire::known_levels.greatest;
       level.value += 1) {
    for (const Kind& kind : kinds) check(kind, level);
  }
}

TEST_CASE("the largest transactions of sessions are applied with memory in proportion") {
  check(kinds_of_sessions());
}

TEST_CASE("the largest transactions of single writes are applied with memory in proportion") {
  check(kinds_of_single_writes());
}

TEST_CASE("the largest transactions of multis are applied with memory in proportion") {
  check(kinds_of_multis());
}

TEST_CASE("a change of the level is applied with memory in proportion") {
  for (wire::Level level = wire::known_levels.least; level <= wire::known_levels.greatest;
       level.value += 1) {
    const wire::Level other = level == wire::Level{} ? wire::Level{1} : wire::Level{};
    Pair pair(level);
    pair.leader.set_level(other);
    CHECK(pair.replay() < mebibyte);
    CHECK(pair.replica.level() == other);
    CHECK(pair.replica.digest() == pair.leader.service().digest());
  }
}

}  // namespace
}  // namespace session
