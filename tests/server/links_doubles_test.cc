#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "server/peers/links.h"
#include "tests/server/links_harness.h"

// Two servers that were given the same id.
namespace server {
namespace {

using links_harness::confirmation;
using links_harness::half_greeted;
using links_harness::Network;
using links_harness::RawPeer;
using links_harness::Task;
using links_harness::TestServer;

// Server 3 greets server 1, which is `one`, and is linked.
boost::asio::awaitable<RawPeer> linked(Network& network, TestServer& one,
                                       std::uint64_t instance = 0) {
  const auto before = one.ups;
  RawPeer peer = co_await half_greeted(network, 3, 1, instance);
  co_await peer.send(confirmation());
  co_await network.until([&] { return one.ups == before + 1; });
  co_return peer;
}

}  // namespace

// Two servers with one id would take the link from each other, with an election each time.
TEST_CASE("a second server with the id of a linked one is refused, and the log names both") {
  Network network;
  server::Links::Options options = network.options(1);
  TestServer& one = network.start(options);
  network.run([&]() -> Task {
    RawPeer first = co_await linked(network, one);

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
    RawPeer second = co_await linked(network, one);
  });
}

// A machine that lost its power does not close its connections.
TEST_CASE("a server may replace its link once the link is silent") {
  Network network;
  server::Links::Options options = network.options(1);
  options.heartbeat = std::chrono::milliseconds(1);
  options.silence_heartbeats = 1'000'000;
  TestServer& one = network.start(options);
  network.run([&]() -> Task {
    RawPeer silent = co_await linked(network, one);
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

TEST_CASE("the process that is linked may replace its link at once") {
  Network network;
  TestServer& one = network.start(network.options(1));
  network.run([&]() -> Task {
    RawPeer first = co_await linked(network, one, 77);
    co_await first.send(confirmation());  // shows that the link is alive
    RawPeer again = co_await linked(network, one, 77);
    CHECK(network.log.count("lost the link with server 3: a new connection replaces it") == 1);
  });
}

TEST_CASE("a duplicate id is reported once the linked process sends after the second greeting") {
  Network network;
  TestServer& one = network.start(network.options(1));
  network.run([&]() -> Task {
    RawPeer first = co_await linked(network, one, 77);
    Greeting other = network.greeting(3, 1);
    other.instance = 78;
    RawPeer second = co_await network.dial(1);
    co_await second.send(Network::bytes_of(other, GreetingForm::fields));
    const std::string waiting = co_await second.receive_refused();
    CHECK(
        waiting.ends_with(", and another process dials as server 3 from 127.0.0.1: it is linked "
                          "once the other one is silent"));
    std::string sentence = waiting;
    while (sentence == waiting) {
      co_await first.send(confirmation());
      RawPeer third = co_await network.dial(1);
      co_await third.send(Network::bytes_of(other, GreetingForm::fields));
      sentence = co_await third.receive_refused();
    }
    CHECK(
        sentence.starts_with("two servers say that they are server 3: one is linked from "
                             "127.0.0.1:"));
    CHECK(
        sentence.ends_with(" (process 000000000000004d), the other one dials from 127.0.0.1 "
                           "(process 000000000000004e). Give each server an id of its own "
                           "(myid)"));
    CHECK(one.ups == 1);
  });
}

// Each attempt of the second server used to cost an election, and two lines in each log.
TEST_CASE("a second server with the same id does not take the link of the first, and both log it") {
  Network network;
  TestServer& one = network.start(network.options(1));
  auto options = network.options(3);
  options.instance = 77;
  TestServer& first = network.start(options);
  network.run([&]() -> Task {
    co_await network.until([&] { return one.linked_with(3); });
    auto other = options;
    other.servers[2].address.port = network.port(4);
    other.instance = 78;
    TestServer& second = network.start(other);
    const std::string sentence = "two servers say that they are server 3";
    co_await network.until([&] { return network.log.count(sentence) == 2; });
    CHECK(network.log.count("no link with server 1: server 1 refuses this server: " + sentence) ==
          1);
    const std::uint64_t refused = one.links->port_counters().refused;
    co_await network.until([&] { return one.links->port_counters().refused > refused + 1; });
    CHECK(network.log.count(sentence) == 2);
    CHECK(one.ups == 1);
    CHECK(one.downs == 0);
    CHECK(first.downs == 0);
    CHECK(second.ups == 0);
    first.links->stop();
    co_await network.until([&] { return second.ups == 1; });
  });
}

namespace {

using Clock = std::chrono::steady_clock;

// Lets server 2 dial a listener in the place of server 1. `answer` ends each connection. Returns
// how long server 2 waited before the last of them.
boost::asio::awaitable<Clock::duration> last_pause(
    Network& network, const std::function<Task(RawPeer& peer)>& answer) {
  auto acceptor = network.listen_as(1);
  network.start(network.options(2));
  Clock::duration pause{};
  for (int i = 0; i < 6; ++i) {
    const auto before = Clock::now();
    RawPeer peer = co_await network.accept(acceptor);
    pause = Clock::now() - before;
    co_await peer.receive();
    co_await answer(peer);
    peer.close();
  }
  co_return pause;
}

}  // namespace

TEST_CASE("a server that is refused dials less and less often") {
  Network network;
  network.run([&]() -> Task {
    wire::Bytes refused;
    encode(GreetingRefused{"an operator has to do something"}, refused);
    const auto pause =
        co_await last_pause(network, [&](RawPeer& peer) -> Task { co_await peer.send(refused); });
    CHECK(pause >=
          std::chrono::milliseconds(300));  // 20 ms, doubled four times, and 250 was the most
    CHECK(network.log.count("no link with server 1") == 1);
  });
}

TEST_CASE("a server whose links end at once dials less and less often") {
  Network network;
  network.run([&]() -> Task {
    const wire::Bytes greeting = Network::bytes_of(network.greeting(1, 2), GreetingForm::fields);
    const auto pause = co_await last_pause(network, [&](RawPeer& peer) -> Task {
      co_await peer.send(greeting);
      co_await peer.receive();
    });
    CHECK(pause >= std::chrono::milliseconds(300));
  });
}

}  // namespace server
