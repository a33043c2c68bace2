#include "server/pipeline/fair_queue.h"

#include <string>

#include <doctest/doctest.h>

namespace {

using server::FairQueue;

session::Command command(std::uint64_t session, std::uint64_t tag) {
  return {wire::SessionId{session}, {}, tag, session::CloseSession{}};
}

// What goes on its way now, by tag.
std::string go(FairQueue& turns) {
  std::string tags;
  while (const auto command = turns.next()) {
    tags += (tags.empty() ? "" : " ") + std::to_string(command->tag);
    turns.went(command->session);
  }
  return tags;
}

TEST_CASE("a session's commands beyond its bound wait, and go in its order") {
  FairQueue turns({2, 100});
  for (std::uint64_t tag = 10; tag < 15; ++tag) turns.hold(command(1, tag));
  CHECK(go(turns) == "10 11");
  CHECK_FALSE(turns.is_free(wire::SessionId{1}));
  turns.arrived();
  CHECK(go(turns) == "12");
  turns.arrived();
  turns.arrived();
  CHECK(go(turns) == "13 14");
  turns.arrived();
  CHECK(turns.is_free(wire::SessionId{1}));
}

TEST_CASE("a session that asks for little does not wait for one that asks for much") {
  FairQueue turns({2, 100});
  for (std::uint64_t tag = 10; tag < 20; ++tag) turns.hold(command(1, tag));
  CHECK(go(turns) == "10 11");
  CHECK(turns.is_free(wire::SessionId{2}));
}

TEST_CASE("where all together have too much on its way, sessions take turns") {
  FairQueue turns({10, 2});
  for (std::uint64_t tag = 10; tag < 14; ++tag) turns.hold(command(1, tag));
  turns.hold(command(2, 20));
  turns.hold(command(3, 30));
  CHECK(go(turns) == "10 20");
  CHECK_FALSE(turns.is_free(wire::SessionId{4}));
  turns.arrived();
  CHECK(go(turns) == "30");
  turns.arrived();
  turns.arrived();
  CHECK(go(turns) == "11 12");
}

TEST_CASE("what comes to nothing holds nobody up") {
  FairQueue turns({1, 100});
  turns.hold(command(1, 10));
  turns.hold(command(1, 11));
  const auto first = turns.next();
  REQUIRE(first);
  turns.came_to_nothing(first->session);
  CHECK(go(turns) == "11");
  CHECK(turns.under_way() == 1);
}

TEST_CASE("what belongs to no session is bound by the number of all only") {
  FairQueue turns({1, 3});
  for (std::uint64_t tag = 1; tag <= 4; ++tag) turns.hold(command(0, tag));
  CHECK(go(turns) == "1 2 3");
}

TEST_CASE("what is forgotten leaves nothing") {
  FairQueue turns({1, 100});
  turns.hold(command(1, 10));
  turns.hold(command(1, 11));
  CHECK(go(turns) == "10");
  turns.clear();
  turns.arrived();
  CHECK(go(turns) == "");
  CHECK(turns.is_free(wire::SessionId{1}));
}

}  // namespace
