#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "server/peers/links.h"
#include "server/peers/peer_message.h"
#include "tests/server/links_harness.h"
#include "tests/server/peer_messages.h"

// Links to servers with older protocols.
namespace server {
namespace {

using links_harness::confirmation;
using links_harness::Network;
using links_harness::RawPeer;
using links_harness::Task;
using links_harness::TestServer;

// The first protocol that has the message. Programs with an earlier one cannot read it.
std::uint16_t introduced_by(const PeerMessage& message) {
  if (std::holds_alternative<ClockReading>(message)) return 4;
  if (std::holds_alternative<ConfirmTouches>(message)) return 5;
  return std::holds_alternative<TouchesConfirmed>(message) ? 5 : 2;
}

}  // namespace

TEST_CASE("a server is sent no message that its protocol does not have") {
  for (std::uint16_t protocol = 2; protocol <= known_protocols.greatest; ++protocol) {
    CAPTURE(protocol);
    Network network;
    TestServer& one = network.start(network.options(1));
    network.run([&]() -> Task {
      RawPeer peer = co_await network.dial(1);
      Greeting greeting = network.greeting(3, 1);
      greeting.protocols = {2, protocol};
      co_await peer.send(Network::bytes_of(greeting, GreetingForm::fields));
      co_await peer.receive();
      co_await peer.send(confirmation());
      co_await network.until([&] { return one.linked_with(3); });
      CHECK(one.links->program_of({3})->protocol == protocol);

      wire::Bytes last;
      encode(Forward{{9}, "the last one"}, last);
      std::vector<std::size_t> sent;
      for (const PeerMessage& message : peer_messages::one_of_each()) {
        one.links->send({3}, message);
        if (std::holds_alternative<KeepAlive>(message)) continue;  // a heartbeat sends it too
        if (protocol >= introduced_by(message)) sent.push_back(message.index());
      }
      one.links->send({3}, Forward{{9}, "the last one"});
      std::vector<std::size_t> received;
      for (auto content = co_await peer.receive(); content && *content != last;
           content = co_await peer.receive()) {
        const auto message = decode_peer_message(*content);
        REQUIRE(message.has_value());
        if (!std::holds_alternative<KeepAlive>(*message)) received.push_back(message->index());
      }
      CHECK(received == sent);
    });
  }
}

}  // namespace server
