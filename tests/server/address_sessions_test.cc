#include "server/pipeline/address_sessions.h"

#include <chrono>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "tests/server/follower.h"

namespace {

using server::AddressSessions;
using server::Client;
using session::Applied;
using Change = Applied::SessionChange;

constexpr std::chrono::milliseconds heartbeat{50};

Client new_client() {
  Client one;
  one.connection = std::make_shared<follower::Connection>();
  return one;
}

void apply(AddressSessions& sessions, std::uint64_t id, Change change, Client* owner = nullptr) {
  Applied applied;
  applied.session = {id};
  applied.session_change = change;
  sessions.applied(applied, owner);
}

// Opens a session; "" or the error.
std::string open(AddressSessions& sessions, std::uint64_t id) {
  Client one = new_client();
  if (const auto place = sessions.reserve(one); !place) return place.error().message;
  apply(sessions, id, Change::opened, &one);
  sessions.left(one);
  return "";
}

TEST_CASE("the open sessions of an address are limited, whether they are connected or not") {
  AddressSessions sessions({3, 0}, heartbeat);
  const std::string full =
      "address 127.0.0.1 has 3 open sessions at this server, and maxClientSessions=3: close or "
      "resume sessions";
  for (const std::uint64_t id : {1U, 2U, 3U}) CHECK(open(sessions, id).empty());
  CHECK(open(sessions, 4) == full);
  apply(sessions, 1, Change::expired);
  CHECK(open(sessions, 4).empty());
  apply(sessions, 2, Change::closed);
  apply(sessions, 9, Change::closed);  // of another server
  CHECK(open(sessions, 5).empty());
  apply(sessions, 3, Change::moved);  // to another server
  CHECK(open(sessions, 6).empty());
  CHECK(open(sessions, 7) == full);
}

TEST_CASE("the sessions of one IPv6 network are limited together") {
  AddressSessions sessions({1, 0}, heartbeat);
  const auto client_of = [](const char* address) {
    Client one;
    const auto connection = std::make_shared<follower::Connection>();
    connection->address = address;
    one.connection = connection;
    return one;
  };
  Client first = client_of("2001:db8:1:2::1");
  Client second = client_of("2001:db8:1:2:3:4:5:6");
  Client other = client_of("2001:db8:1:3::1");
  CHECK(sessions.reserve(first).has_value());
  CHECK_FALSE(sessions.reserve(second).has_value());
  CHECK(sessions.reserve(other).has_value());
  CHECK(sessions.addresses() == 2);
}

TEST_CASE("a session that is being opened counts, until its client leaves") {
  AddressSessions sessions({1, 0}, heartbeat);
  Client first = new_client();
  Client second = new_client();
  REQUIRE(sessions.reserve(first).has_value());
  CHECK(sessions.reserve(first).has_value());
  CHECK(sessions.reserve(second).error().code == wire::ErrorCode::too_many_sessions);
  sessions.left(second);
  sessions.left(first);
  CHECK(sessions.reserve(second).has_value());
}

TEST_CASE("a session that is resumed counts for its new address, beyond the limit too") {
  AddressSessions sessions({1, 0}, heartbeat);
  CHECK(open(sessions, 1).empty());
  Client mover = new_client();
  apply(sessions, 1, Change::moved, &mover);
  apply(sessions, 2, Change::moved, &mover);
  CHECK_FALSE(open(sessions, 3).empty());
  apply(sessions, 1, Change::closed);
  CHECK_FALSE(open(sessions, 3).empty());
  apply(sessions, 2, Change::closed);
  CHECK(open(sessions, 3).empty());
}

TEST_CASE("after a burst, an address opens at most clientSessionsPerSecond sessions a second") {
  AddressSessions sessions({0, 100}, heartbeat);
  std::uint64_t id = 0;
  const auto open_all = [&] {
    std::size_t opened = 0;
    while (open(sessions, ++id).empty()) ++opened;
    return opened;
  };
  CHECK(open_all() == 1000);
  CHECK(open(sessions, ++id) ==
        "address 127.0.0.1 opens new sessions faster than clientSessionsPerSecond=100: try again "
        "later, or resume a session");
  sessions.tick();
  CHECK(open_all() == 5);
  for (int tick = 0; tick < 20; ++tick) sessions.tick();
  CHECK(open_all() == 100);
  for (int tick = 0; tick < 1000; ++tick) sessions.tick();
  CHECK(open_all() == 1000);
}

TEST_CASE("an address without sessions is forgotten") {
  AddressSessions sessions({3, 100}, heartbeat);
  CHECK(open(sessions, 1).empty());
  for (int tick = 0; tick < 600; ++tick) sessions.tick();
  CHECK(sessions.addresses() == 1);
  session::SessionTable without;
  sessions.restored(without);
  for (int tick = 0; tick < 600; ++tick) sessions.tick();
  CHECK(sessions.addresses() == 0);
}

TEST_CASE("without limits no sessions are counted") {
  AddressSessions sessions({}, heartbeat);
  for (std::uint64_t id = 1; id < 5000; ++id) REQUIRE(open(sessions, id).empty());
  CHECK(sessions.addresses() == 0);
}

}  // namespace
