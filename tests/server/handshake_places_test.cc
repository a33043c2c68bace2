#include "server/peers/handshake_places.h"

#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace server {
namespace {

HandshakePlaces::Address address(const std::string& text) {
  return boost::asio::ip::make_address(text);
}

// The addresses 10.0.`net`.1, .2 and so on.
HandshakePlaces::Address address(std::size_t net, std::size_t host) {
  return address("10.0." + std::to_string(net) + "." + std::to_string(host + 1));
}

}  // namespace

TEST_CASE("connections from unknown addresses have 16 places, four for each address") {
  HandshakePlaces places;
  std::vector<HandshakePlaces::Number> numbers;
  for (std::size_t host = 0; host < 4; ++host) {
    for (std::size_t i = 0; i < 4; ++i) {
      const auto entry = places.enter(address(1, host));
      REQUIRE(entry.has_value());
      CHECK_FALSE(entry->displaced.has_value());
      numbers.push_back(entry->number);
    }
  }
  SUBCASE("the oldest of all makes room for a later one of another address") {
    CHECK(places.enter(address(2, 0))->displaced == numbers[0]);
  }
  SUBCASE("the oldest of an address makes room for a later one of the same") {
    CHECK(places.enter(address(1, 2))->displaced == numbers[8]);
    CHECK(places.enter(address(1, 2))->displaced == numbers[9]);
  }
  SUBCASE("one that has greeted keeps its place") {
    places.greeted(numbers[0]);
    CHECK(places.enter(address(1, 0))->displaced == numbers[1]);
    for (const auto number : numbers) places.greeted(number);
    CHECK_FALSE(places.enter(address(1, 1)).has_value());
  }
  SUBCASE("one that leaves makes room") {
    places.leave(numbers[5]);
    CHECK_FALSE(places.enter(address(2, 0))->displaced.has_value());
  }
}

TEST_CASE("the places of servers are kept for their addresses") {
  HandshakePlaces places;
  places.expect({address("10.0.0.1"), address("10.0.0.1"), address("10.0.0.2")});
  for (std::size_t i = 0; i < 100; ++i) CHECK(places.enter(address(1, i)).has_value());
  CHECK(places.is_expected(address("10.0.0.2")));
  CHECK_FALSE(places.is_expected(address("10.0.0.3")));

  INFO("one more for each server at an address");
  std::vector<HandshakePlaces::Number> numbers;
  for (std::size_t i = 0; i < 6; ++i) {
    const auto entry = places.enter(address("10.0.0.1"));
    CHECK_FALSE(entry->displaced.has_value());
    numbers.push_back(entry->number);
  }
  CHECK(places.enter(address("10.0.0.1"))->displaced == numbers[0]);
  CHECK_FALSE(places.enter(address("10.0.0.2"))->displaced.has_value());
}

TEST_CASE("an IPv4 address is the same in the form of IPv6") {
  HandshakePlaces places;
  places.expect({address("::ffff:10.0.0.1")});
  CHECK(places.is_expected(address("10.0.0.1")));
  CHECK(places.is_expected(address("::ffff:10.0.0.1")));
  CHECK_FALSE(places.is_expected(address("::1")));
  CHECK(plain(address("::1")) == address("::1"));
}

}  // namespace server
