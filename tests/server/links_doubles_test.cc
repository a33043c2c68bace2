#include <chrono>
#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "server/peers/links.h"
#include "tests/server/links_harness.h"

// Two servers that say the same id.
namespace server {
namespace {

using links_harness::confirmation;
using links_harness::half_greeted;
using links_harness::Network;
using links_harness::RawPeer;
using links_harness::Task;
using links_harness::TestServer;

}  // namespace

// Two servers with one id would take the link from each other, with an election each time.
TEST_CASE("a second server with the id of a linked one is refused, and the log names both") {
  Network network;
  server::Links::Options options = network.options(1);
  TestServer& one = network.start(options);
  network.run([&]() -> Task {
    RawPeer first = co_await half_greeted(network, 3, 1);
    co_await first.send(confirmation());
    co_await network.until([&] { return one.ups == 1; });

    for (int i = 0; i < 100; ++i) {
      co_await first.send(confirmation());  // a KeepAlive
      RawPeer second = co_await network.dial(1);
      co_await second.send(Network::bytes_of(network.greeting(3, 1), GreetingForm::fields));
      const std::string sentence = co_await second.receive_refused();
      CHECK(sentence.starts_with(
          "two servers say that they are server 3: one is linked from 127.0.0.1:"));
      CHECK(sentence.ends_with(
          ", the other one dials from 127.0.0.1. Give each server an id of its own (myid)"));
    }
    co_await network.until(
        [&] { return network.log.count("two servers say that they are server 3") == 1; });
    CHECK(one.ups == 1);
    CHECK(one.downs == 0);

    // The first one is gone, and the other one takes its place.
    first.close();
    co_await network.until([&] { return one.downs == 1; });
    RawPeer second = co_await half_greeted(network, 3, 1);
    co_await second.send(confirmation());
    co_await network.until([&] { return one.ups == 2; });
  });
}

// The machine of a server that lost its power closes no connection.
TEST_CASE("a server may replace its link once that is silent") {
  Network network;
  server::Links::Options options = network.options(1);
  options.heartbeat = std::chrono::milliseconds(1);
  options.silence_heartbeats = 1'000'000;
  TestServer& one = network.start(options);
  network.run([&]() -> Task {
    RawPeer silent = co_await half_greeted(network, 3, 1);
    co_await silent.send(confirmation());
    co_await network.until([&] { return one.ups == 1; });
    while (one.ups == 1) {
      RawPeer second = co_await network.dial(1);
      co_await second.send(Network::bytes_of(network.greeting(3, 1), GreetingForm::fields));
      const auto answer = co_await second.receive();
      REQUIRE(answer.has_value());
      const auto greeting = decode_greeting(*answer);
      if (std::holds_alternative<GreetingRefused>(greeting->content)) continue;
      co_await second.send(confirmation());
      co_await network.until([&] { return one.ups == 2; });
    }
    CHECK(one.downs == 1);
  });
}

}  // namespace server
