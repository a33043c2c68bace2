#include "server/peers/links.h"

#include <new>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "tests/server/links_harness.h"
#include "tests/server/peer_messages.h"

namespace server {
namespace {

using links_harness::confirmation;
using links_harness::half_greeted;
using links_harness::Network;
using links_harness::RawPeer;
using links_harness::Task;
using links_harness::TestServer;

const PeerProgram old_peer{old_levels, 2, old_program};

boost::asio::awaitable<RawPeer> greeted_as_old(Network& network, std::uint32_t from,
                                               std::uint32_t to) {
  RawPeer peer = co_await network.dial(to);
  co_await peer.send(Network::bytes_of(network.greeting(from, to), GreetingForm::fixed));
  co_return peer;
}

// Does as version 0.1 does: closes the connection on a greeting that it does not know. Returns the
// connection on which it was greeted in the fixed form.
boost::asio::awaitable<RawPeer> accept_as_old(Network& network,
                                              boost::asio::ip::tcp::acceptor& acceptor,
                                              std::size_t& closed) {
  for (;;) {
    RawPeer peer = co_await network.accept(acceptor);
    const auto first = co_await peer.receive();
    const bool known = first && begins_as(GreetingForm::fixed, *first);
    if (known) co_return peer;
    closed += 1;
  }
}

}  // namespace

TEST_CASE("two servers of this version are linked, and know each other's program") {
  Network network;
  auto options = network.options(2);
  options.levels = {{0}, {7}};
  options.program = "zabkeeper 0.3.0";
  TestServer& one = network.start(network.options(1));
  TestServer& two = network.start(options);
  network.run([&]() -> Task {
    CHECK_FALSE(one.links->program_of({2}).has_value());
    co_await network.until([&] { return one.linked_with(2) && two.linked_with(1); });
    CHECK(one.links->program_of({2}) == PeerProgram{{{0}, {7}}, 5, "zabkeeper 0.3.0"});
    CHECK(two.links->program_of({1}) == PeerProgram{wire::known_levels, 5, "zabkeeper 0.2.0"});
    two.links->send({1}, AskReadPoint{{5}, 10});
    co_await network.until([&] { return !one.received.empty(); });
    CHECK(network.log.count("linked with server 2: zabkeeper 0.3.0, levels 0 to 7, protocol 5") ==
          1);
    two.links->stop();
    co_await network.until([&] { return one.downs == 1; });
    CHECK_FALSE(one.links->program_of({2}).has_value());
  });
}

TEST_CASE(
    "an exception while a message is received is not caught by the link: it ends the event loop") {
  Network network;
  TestServer& one = network.start(network.options(1));
  TestServer& two = network.start(network.options(2));
  one.has_no_memory = true;
  CHECK_THROWS_AS(network.run([&]() -> Task {
    co_await network.until([&] { return two.linked_with(1); });
    two.links->send({1}, AskReadPoint{{5}, 10});
    co_await network.until([] { return false; });
  }),
                  std::bad_alloc);
}

TEST_CASE("a server of version 0.1 that dials is answered in its own form") {
  Network network;
  TestServer& one = network.start(network.options(1));
  network.run([&]() -> Task {
    RawPeer peer = co_await greeted_as_old(network, 3, 1);
    const auto answer = co_await peer.receive();
    REQUIRE(answer.has_value());
    CHECK(*answer == Network::bytes_of(network.greeting(1, 3), GreetingForm::fixed));
    co_await network.until([&] { return one.linked_with(3); });
    CHECK(one.links->program_of({3}) == old_peer);
  });
}

TEST_CASE("a server of version 0.1 is sent no message that it does not know") {
  Network network;
  TestServer& one = network.start(network.options(1));
  network.run([&]() -> Task {
    RawPeer peer = co_await greeted_as_old(network, 3, 1);
    co_await peer.receive();
    co_await network.until([&] { return one.linked_with(3); });
    one.links->send({3}, ClockReading{1'700'000'000'000});
    one.links->send({3}, AskReadPoint{{5}, 10});
    for (;;) {
      const auto content = co_await peer.receive();
      REQUIRE(content.has_value());
      const auto message = decode_peer_message(*content);
      REQUIRE(message.has_value());
      if (std::holds_alternative<KeepAlive>(*message)) continue;
      CHECK(std::get<AskReadPoint>(*message) == AskReadPoint{{5}, 10});
      break;
    }
  });
}

TEST_CASE("a server of version 0.1 that dials is refused above level 0, and logged once") {
  Network network;
  network.start(network.options(1), {1});
  network.run([&]() -> Task {
    for (int i = 0; i < 20; ++i) {
      RawPeer peer = co_await greeted_as_old(network, 3, 1);
      const auto answer = co_await peer.receive();
      CHECK_FALSE(answer.has_value());
    }
    CHECK(network.log.count(
              "no link over a connection to the peer port from 127.0.0.1: server 3 runs zabkeeper "
              "0.1, which can run at level 0; the ensemble or one of its disks is at level "
              "1: start a program on server 3 that can run at level 1") == 1);
    CHECK(network.log.count("no link") == 1);
  });
}

TEST_CASE("a server of version 0.1 is dialed with a greeting that it knows") {
  Network network;
  auto acceptor = network.listen_as(1);
  TestServer& two = network.start(network.options(2));
  network.run([&]() -> Task {
    for (std::size_t round = 1; round <= 2; ++round) {
      std::size_t closed = 0;
      RawPeer peer = co_await accept_as_old(network, acceptor, closed);
      CHECK(closed == 2);  // greetings with fields come first each time
      co_await peer.send(Network::bytes_of(network.greeting(1, 2), GreetingForm::fixed));
      co_await network.until([&] { return two.ups == round; });
      CHECK(two.links->program_of({1}) == old_peer);
      peer.close();
      co_await network.until([&] { return two.downs == round; });
    }
    CHECK(network.log.count("no link") == 0);
  });
}

TEST_CASE("two greetings with fields and a fixed one take turns while no answer comes") {
  Network network;
  auto acceptor = network.listen_as(1);
  network.start(network.options(2));
  network.run([&]() -> Task {
    for (int i = 0; i < 6; ++i) {
      RawPeer peer = co_await network.accept(acceptor);
      const auto first = co_await peer.receive();
      REQUIRE(first.has_value());
      CHECK(begins_as(i % 3 == 2 ? GreetingForm::fixed : GreetingForm::fields, *first));
    }
    CHECK(network.log.count("no link with server 1: it closes the connection without an answer") ==
          1);
  });
}

TEST_CASE("above level 0 only greetings with fields are sent, and the log says what to do") {
  Network network;
  auto acceptor = network.listen_as(1);
  network.start(network.options(2), {1});
  network.run([&]() -> Task {
    for (int i = 0; i < 4; ++i) {
      RawPeer peer = co_await network.accept(acceptor);
      const auto first = co_await peer.receive();
      REQUIRE(first.has_value());
      CHECK(begins_as(GreetingForm::fields, *first));
    }
    CHECK(network.log.count(
              "server 1 runs zabkeeper 0.1, which can run at level 0; the ensemble or one "
              "of its disks is at level 1: start a program on server 1 that can run at level 1") ==
          1);
  });
}

TEST_CASE("two servers that refuse each other both log the same sentence, once") {
  Network network;
  auto options = network.options(2);
  options.servers[2].observer = true;
  TestServer& one = network.start(network.options(1));
  TestServer& two = network.start(options);
  network.run([&]() -> Task {
    const std::string sentence =
        "server 2 and server 1 have different server lines in their configurations: make them the "
        "same on all servers";
    co_await network.until([&] { return network.log.count(sentence) == 2; });
    CHECK(network.log.count("no link with server 1: server 1 refuses this server: " + sentence) ==
          1);
    CHECK(network.log.count("no link over a connection to the peer port from 127.0.0.1: " +
                            sentence) == 1);
    // The next attempts log nothing.
    std::size_t waits = 0;
    boost::asio::steady_timer wait(network.io);
    for (; waits < 5; ++waits) {
      wait.expires_after(std::chrono::milliseconds(50));
      co_await wait.async_wait(boost::asio::use_awaitable);
    }
    CHECK(network.log.count(sentence) == 2);
    CHECK(one.ups + two.ups == 0);
  });
}

TEST_CASE("a server that refuses the answer to its greeting says why") {
  Network network;
  auto acceptor = network.listen_as(1);
  TestServer& two = network.start(network.options(2));
  network.run([&]() -> Task {
    RawPeer peer = co_await network.accept(acceptor);
    co_await peer.receive();
    Greeting wrong = network.greeting(3, 2);
    co_await peer.send(Network::bytes_of(wrong, GreetingForm::fields));
    co_await peer.send(confirmation());  // is still unread when the sentence is sent
    const std::string sentence = co_await peer.receive_refused();
    CHECK(sentence.starts_with("server 3 is not expected by server 2 on this connection"));
    peer.close();
    co_await network.until(
        [&] { return network.log.count("no link with server 1: " + sentence) == 1; });
    CHECK(two.ups == 0);
  });
}

TEST_CASE("a link is up for the server that was dialed once the other end confirms it") {
  Network network;
  TestServer& one = network.start(network.options(1));
  network.run([&]() -> Task {
    RawPeer refusing = co_await half_greeted(network, 2, 1);
    wire::Bytes refused;
    encode(GreetingRefused{"the answer\nis bad"}, refused);
    co_await refusing.send(refused);
    co_await network.until(
        [&] { return network.log.count("server 2 refuses this server: the answer?is bad") == 1; });
    CHECK(one.ups == 0);

    RawPeer strange = co_await half_greeted(network, 2, 1);
    co_await strange.send("neither");
    co_await network.until(
        [&] { return network.log.count("server 2 neither confirmed nor refused") == 1; });
    CHECK(one.ups == 0);

    RawPeer confirming = co_await half_greeted(network, 2, 1);
    co_await confirming.send(confirmation());
    co_await network.until([&] { return one.ups == 1; });
    CHECK(one.linked_with(2));
  });
}

TEST_CASE("a connection that brings no greeting is closed at once, and logged once") {
  std::string bytes;
  std::string reason;
  SUBCASE("of another program") {
    bytes = "GET / HTTP/1.1\r\nHost: zabkeeper\r\n\r\n";
    reason = "the other end is no Zabkeeper server";
  }
  SUBCASE("longer than any greeting") {
    wire::ByteWriter out(bytes);
    out.integer<std::uint32_t>(greeting_bytes_max + 1);
    out.integer<std::uint64_t>(0);
    reason = "its greeting is longer than 4096 bytes";
  }
  SUBCASE("with a bad checksum") {
    append_frame("KBAZ", bytes);
    bytes.back() = 'z';
    reason = "fails its checksum";
  }
  Network network;
  network.start(network.options(1));
  network.run([&]() -> Task {
    for (int i = 0; i < 100; ++i) {
      RawPeer peer = co_await network.dial(1);
      co_await peer.send_bytes(bytes);
      const auto answer = co_await peer.receive();
      CHECK_FALSE(answer.has_value());
    }
    CHECK(network.log.count(reason) == 1);
    CHECK(network.log.count("no link") == 1);
  });
}

TEST_CASE("a greeting with fields that cannot be read is refused in a sentence") {
  Network network;
  network.start(network.options(1));
  network.run([&]() -> Task {
    RawPeer peer = co_await network.dial(1);
    co_await peer.send(Network::bytes_of(network.greeting(2, 1), GreetingForm::fields) + "?");
    const std::string sentence = co_await peer.receive_refused();
    CHECK(sentence == "the other server's greeting cannot be read");
  });
}

TEST_CASE("a raised level closes the links to programs that cannot run at it") {
  Network network;
  TestServer& one = network.start(network.options(1));
  TestServer& two = network.start(network.options(2));
  network.run([&]() -> Task {
    RawPeer old = co_await greeted_as_old(network, 3, 1);
    co_await network.until([&] { return one.linked_with(2) && one.linked_with(3); });
    const auto answer = co_await old.receive();
    CHECK(answer.has_value());

    one.links->level_changed();
    CHECK(one.downs == 0);
    one.level = {1};
    one.links->level_changed();
    CHECK(one.linked_with(2));
    CHECK_FALSE(one.linked_with(3));
    CHECK(one.downs == 1);
    CHECK(network.log.count("lost the link with server 3: server 3 runs zabkeeper 0.1, which can "
                            "run at level 0; the ensemble or one of its disks is at level 1") == 1);
    for (bool open = true; open;) {
      const auto message = co_await old.receive();
      open = message.has_value();
    }
    CHECK(two.downs == 0);
  });
}

TEST_CASE("a link that is lost again and again for the same reason is logged once") {
  Network network;
  TestServer& one = network.start(network.options(1));
  network.run([&]() -> Task {
    for (std::size_t losses = 1; losses <= 4; ++losses) {
      RawPeer peer = co_await half_greeted(network, 2, 1);
      co_await peer.send(confirmation());
      co_await network.until([&] { return one.linked_with(2); });
      peer.close();
      co_await network.until([&] { return one.downs == losses; });
    }
    CHECK(network.log.count("lost the link with server 2: ") == 1);
    CHECK(network.log.count("linked with server 2: ") == 2);
  });
}

TEST_CASE("an unknown message ends the link, and the log names both programs") {
  Network network;
  TestServer& one = network.start(network.options(1));
  network.run([&]() -> Task {
    RawPeer peer = co_await half_greeted(network, 2, 1);
    co_await peer.send(confirmation());
    co_await peer.send("\x7f");
    co_await peer.send("\x7f");
    co_await network.until([&] { return one.downs == 1; });
    CHECK(network.log.count("lost the link with server 2: message of kind 127 and 1 bytes cannot "
                            "be read; it runs zabkeeper 0.3.0, and this server zabkeeper 0.2.0") ==
          1);
  });
}

}  // namespace server
