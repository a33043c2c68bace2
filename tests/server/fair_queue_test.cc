#include "server/pipeline/fair_queue.h"

#include <string>

#include <doctest/doctest.h>

namespace {

using server::FairQueue;

session::Command command(std::uint64_t session, std::uint64_t tag) {
  return {wire::SessionId{session}, {}, tag, session::CloseSession{}};
}

// The tags of the held commands that may be planned now, in their order.
std::string plan_all(FairQueue& queue) {
  std::string tags;
  while (const auto command = queue.next()) {
    tags += (tags.empty() ? "" : " ") + std::to_string(command->tag);
    queue.planned(command->session);
  }
  return tags;
}

TEST_CASE("commands beyond a session's bound wait, and are planned in order") {
  FairQueue queue({2, 100});
  for (std::uint64_t tag = 10; tag < 15; ++tag) queue.hold(command(1, tag));
  CHECK(plan_all(queue) == "10 11");
  CHECK_FALSE(queue.is_free(wire::SessionId{1}));
  queue.applied();
  CHECK(plan_all(queue) == "12");
  queue.applied();
  queue.applied();
  CHECK(plan_all(queue) == "13 14");
  queue.applied();
  CHECK(queue.is_free(wire::SessionId{1}));
}

TEST_CASE("a session within its bound does not wait for a session beyond it") {
  FairQueue queue({2, 100});
  for (std::uint64_t tag = 10; tag < 20; ++tag) queue.hold(command(1, tag));
  CHECK(plan_all(queue) == "10 11");
  CHECK(queue.is_free(wire::SessionId{2}));
}

TEST_CASE("at the bound of all commands, sessions take turns") {
  FairQueue queue({10, 2});
  for (std::uint64_t tag = 10; tag < 14; ++tag) queue.hold(command(1, tag));
  queue.hold(command(2, 20));
  queue.hold(command(3, 30));
  CHECK(plan_all(queue) == "10 20");
  CHECK_FALSE(queue.is_free(wire::SessionId{4}));
  queue.applied();
  CHECK(plan_all(queue) == "30");
  queue.applied();
  queue.applied();
  CHECK(plan_all(queue) == "11 12");
}

TEST_CASE("at the bound of bytes, commands wait until transactions are applied") {
  FairQueue queue({10, 10, 1000});
  for (std::uint64_t tag = 10; tag < 14; ++tag) queue.hold(command(1, tag));
  for (const std::size_t bytes : {600U, 600U}) {
    REQUIRE(queue.next());
    queue.planned(wire::SessionId{1}, bytes);
  }
  CHECK(queue.outstanding_bytes() == 1200);
  CHECK_FALSE(queue.next());
  CHECK_FALSE(queue.is_free(wire::SessionId{2}));
  queue.applied();
  CHECK(queue.next());
  queue.planned(wire::SessionId{1}, 5000);  // larger than the bound
  CHECK_FALSE(queue.next());
  queue.applied();
  queue.applied();
  CHECK(queue.outstanding_bytes() == 0);
  CHECK(queue.next());
}

TEST_CASE("a refused command lets the next one be planned at once") {
  FairQueue queue({1, 100});
  queue.hold(command(1, 10));
  queue.hold(command(1, 11));
  const auto first = queue.next();
  REQUIRE(first);
  queue.refused(first->session);
  CHECK(plan_all(queue) == "11");
  CHECK(queue.outstanding() == 1);
}

TEST_CASE("commands without a session are limited only by the bound of all commands") {
  FairQueue queue({1, 3});
  for (std::uint64_t tag = 1; tag <= 4; ++tag) queue.hold(command(0, tag));
  CHECK(plan_all(queue) == "1 2 3");
}

TEST_CASE("the bytes of held commands are counted until the commands are planned") {
  FairQueue queue({1, 100});
  queue.hold(command(1, 10), 100);
  queue.hold(command(1, 11), 20);
  queue.hold(command(2, 20));
  CHECK(queue.held_bytes() == 120);
  CHECK(plan_all(queue) == "10 20");
  CHECK(queue.held_bytes() == 20);
  queue.clear();
  CHECK(queue.held_bytes() == 0);
}

TEST_CASE("clear removes all held and outstanding commands") {
  FairQueue queue({1, 100});
  queue.hold(command(1, 10));
  queue.hold(command(1, 11));
  CHECK(plan_all(queue) == "10");
  queue.clear();
  queue.applied();
  CHECK(plan_all(queue) == "");
  CHECK(queue.is_free(wire::SessionId{1}));
}

}  // namespace
