#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/peers/handshake_places.h"
#include "server/peers/links.h"
#include "tests/server/links_harness.h"

// Strangers at the peer port.
namespace server {
namespace {

using links_harness::Network;
using links_harness::RawPeer;
using links_harness::Task;
using links_harness::TestServer;

// Connections to server 1 that send nothing.
boost::asio::awaitable<std::vector<RawPeer>> silent(Network& network, std::size_t count) {
  std::vector<RawPeer> peers;
  for (std::size_t i = 0; i < count; ++i) peers.push_back(co_await network.dial(1));
  co_return peers;
}

}  // namespace

// 64 connections that send nothing used to take all places, again and again for a second.
TEST_CASE("connections that send nothing do not prevent the link of a server") {
  Network network;
  auto options = network.options(1);
  options.handshake_timeout = std::chrono::hours(1);  // so that no place becomes free by itself
  SUBCASE("from the address of the servers") {}
  SUBCASE("while the servers are expected elsewhere") {
    for (LinkedServer& line : options.servers) {
      if (line.id != 1) line.address.host = "192.0.2.1";
    }
  }
  TestServer& one = network.start(options);
  network.run([&]() -> Task {
    const std::vector<RawPeer> strangers = co_await silent(network, 64);
    co_await network.until([&] { return one.links->port_counters().accepted == 64; });
    TestServer& two = network.start(network.options(2));
    co_await network.until([&] { return one.linked_with(2) && two.linked_with(1); });
    CHECK(one.links->port_counters().displaced >= 64 - 8);
    CHECK(network.log.count("no link over a connection to the peer port from 127.0.0.1: it had "
                            "not greeted when a later connection needed its place") == 1);
  });
}

TEST_CASE("connections that have sent a greeting keep their places, and later ones are closed") {
  Network network;
  auto options = network.options(1);
  options.handshake_timeout = std::chrono::hours(1);
  for (LinkedServer& line : options.servers) {
    if (line.id != 1) line.address.host = "192.0.2.1";
  }
  TestServer& one = network.start(options);
  network.run([&]() -> Task {
    std::vector<RawPeer> greeted;
    for (std::size_t i = 0; i < HandshakePlaces::of_strangers.of_one_address; ++i) {
      greeted.push_back(co_await links_harness::half_greeted(network, 3, 1));
    }
    RawPeer late = co_await network.dial(1);
    const auto answer = co_await late.receive();
    CHECK_FALSE(answer.has_value());
    CHECK(one.links->port_counters().no_place == 1);
    CHECK(network.log.count("from 127.0.0.1: too many connections are greeting already") == 1);
    co_await greeted.front().send(links_harness::confirmation());
    co_await network.until([&] { return one.linked_with(3); });
  });
}

// A health check of the port, as load balancers make it.
TEST_CASE("connections that are closed without a greeting are logged once, and counted") {
  Network network;
  TestServer& one = network.start(network.options(1));
  network.run([&]() -> Task {
    for (std::size_t i = 1; i <= 50; ++i) {
      RawPeer check = co_await network.dial(1);
      check.close();
      co_await network.until([&] { return one.links->port_counters().refused == i; });
    }
    CHECK(network.log.count("no link") == 1);
    CHECK(network.log.count("from 127.0.0.1: no greeting was received") == 1);
  });
}

}  // namespace server
