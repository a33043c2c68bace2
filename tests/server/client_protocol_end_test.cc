#include <string>
#include <string_view>

#include "tests/server/client_protocol_harness.h"
#include "wire/close_reasons.h"

// How a connection ends, and its deadlines.
namespace client_protocol {
namespace {

using namespace std::chrono_literals;
using client_frames::a_request;
using client_frames::close;
using client_frames::frame;
using client_frames::text;
using server::ClientProtocol;
using server::CloseCode;
using server::Opcode;
using Drain = ClientProtocol::Drain;
using StreamEnd = ClientProtocol::StreamEnd;

TEST_CASE("a frame that breaks the protocol is answered with a close of its status") {
  for (const auto& row : client_frames::broken_frames()) {
    CAPTURE(row.what);
    server::ClientLimits limits;
    limits.frame_bytes_max = 4096;
    Connection connection(wire::Format::json, limits);
    CHECK(connection.receive(row.bytes).empty());
    const Frames frames = connection.sent();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].opcode == Opcode::close);
    CHECK(frames[0].status == row.status);
    connection.wait(2 * limits.close_timeout);
    CHECK(connection.protocol.end() == StreamEnd::close);
    CHECK(connection.next() == Events{"closed"});
    CHECK(connection.next().empty());
  }
}

TEST_CASE("a close is sent after the queued messages, and later messages are dropped") {
  Connection connection;
  connection.send("last");
  connection.protocol.close(CloseCode::going_away, "shutdown", Drain::yes, connection.now);
  connection.send("too late");
  connection.protocol.close(CloseCode::normal, "again", Drain::yes, connection.now);
  CHECK(connection.receive(text(a_request)).empty());
  CHECK(connection.sent() ==
        Frames{{Opcode::text, json("last")}, {Opcode::close, "shutdown", 1001}});
  CHECK(connection.receive(text(a_request)).empty());
  CHECK(connection.protocol.end() == StreamEnd::none);  // the client's close is awaited
  CHECK(connection.receive(close("\x03\xe9")).empty());
  CHECK(connection.protocol.end() == StreamEnd::shut_down);
  CHECK(connection.sent().empty());
  connection.protocol.lost();  // the client has closed its end
  CHECK(connection.protocol.end() == StreamEnd::close);
  CHECK(connection.next() == Events{"closed"});

  connection.send("nobody");
  connection.protocol.close(CloseCode::normal, "", Drain::yes, connection.now);
  connection.protocol.ping_every(1ms, connection.now);
  connection.protocol.lost();
  CHECK(connection.sent().empty());
  CHECK(connection.protocol.deadline() == ClientProtocol::never);
  CHECK(connection.next().empty());
}

TEST_CASE("a close by the client is answered with its status, and the stream is shut down") {
  struct Row {
    std::string_view status;
    std::uint16_t answer;
  };
  for (const Row& row : {Row{"", 1000}, Row{"\x03\xe8", 1000}, Row{"\x03\xe9", 1001}}) {
    Connection connection;
    connection.send("dropped");  // a client that has sent its close reads nothing more
    CHECK(connection.receive(text(a_request) + close(row.status) + text(a_request)) ==
          Events{"received 1"});
    CHECK(connection.sent() == Frames{{Opcode::close, "", row.answer}});
    CHECK(connection.protocol.end() == StreamEnd::shut_down);
    CHECK(connection.receive(text(a_request)).empty());
    connection.wait(connection.limits.close_timeout);  // it does not close its end
    CHECK(connection.protocol.end() == StreamEnd::close);
    CHECK(connection.next() == Events{"closed"});
  }
}

TEST_CASE("a client's close during a write is answered after the written bytes") {
  Connection connection;
  connection.send("a");
  const std::string bytes = connection.compose();
  CHECK(connection.receive(close("\x03\xe8")).empty());
  CHECK_FALSE(connection.protocol.has_output());
  connection.protocol.written(bytes.size(), connection.now);
  const std::string last = connection.compose();
  CHECK(Connection::read(bytes + last) ==
        Frames{{Opcode::text, json("a")}, {Opcode::close, "", 1000}});
  CHECK(connection.protocol.end() == StreamEnd::none);
  connection.protocol.written(last.size(), connection.now);
  CHECK(connection.protocol.end() == StreamEnd::shut_down);
}

TEST_CASE("a long close reason is truncated between characters") {
  Connection connection;
  connection.protocol.close(CloseCode::normal, std::string(122, 'x') + "\xc3\xa4", Drain::yes,
                            connection.now);
  CHECK(connection.sent() == Frames{{Opcode::close, std::string(122, 'x'), 1000}});
}

TEST_CASE("every stage of a connection has its deadline") {
  SUBCASE("a connection without a first frame is closed at the timeout") {
    Connection connection;
    CHECK(connection.protocol.deadline() == connection.now + connection.limits.first_frame_timeout);
    connection.wait(connection.limits.first_frame_timeout - 1ms);
    CHECK_FALSE(connection.protocol.has_output());
    connection.wait(1ms);
    CHECK(connection.sent().at(0).status == 1008);
  }
  SUBCASE("after the first frame there is no deadline") {
    Connection connection;
    (void)connection.receive(text(a_request));
    CHECK(connection.protocol.deadline() == ClientProtocol::never);
  }
  SUBCASE("a ping does not count as the first frame") {
    Connection connection;
    (void)connection.receive(frame(Opcode::ping, ""));
    CHECK(connection.protocol.deadline() == connection.now + connection.limits.first_frame_timeout);
  }
  SUBCASE("a client that does not receive the messages before a close is disconnected") {
    Connection connection;
    connection.send("a");
    (void)connection.compose();  // and the stream accepts nothing
    connection.protocol.close(CloseCode::going_away, "", Drain::yes, connection.now);
    CHECK(connection.protocol.deadline() == connection.now + connection.limits.drain_timeout);
    connection.wait(connection.limits.drain_timeout);
    CHECK(connection.protocol.end() == StreamEnd::close);
  }
  SUBCASE("a client that does not answer a close is disconnected") {
    Connection connection;
    connection.protocol.close(CloseCode::going_away, "", Drain::yes, connection.now);
    (void)connection.sent();
    connection.wait(connection.limits.close_timeout - 1ms);
    CHECK(connection.protocol.end() == StreamEnd::none);
    connection.wait(1ms);
    CHECK(connection.protocol.end() == StreamEnd::close);
  }
}

TEST_CASE("pings are sent at their interval while the client receives them") {
  Connection connection;
  (void)connection.receive(text(a_request));
  connection.protocol.ping_every(40ms, connection.now);
  for (int i = 0; i < 3; ++i) {
    CHECK(connection.protocol.deadline() == connection.now + 40ms);
    connection.wait(39ms);
    CHECK_FALSE(connection.protocol.has_output());
    connection.wait(1ms);
    CHECK(connection.sent() == Frames{{Opcode::ping, ""}});
  }
  for (int i = 0; i < 100'000; ++i) connection.wait(40ms);  // nothing leaves
  const std::size_t composed = connection.compose().size();
  CHECK(composed < 5000);
  connection.protocol.written(composed, connection.now);

  connection.protocol.ping_every(0ms, connection.now);
  CHECK(connection.protocol.deadline() == ClientProtocol::never);
}

TEST_CASE("a client is disconnected when its send queue exceeds the limit") {
  server::ClientLimits limits;
  limits.queued_bytes_max = 100'000;
  Connection connection(wire::Format::json, limits);
  const std::string large(10'000, 'x');
  connection.send(large);
  const std::string first = connection.compose();  // counts until it has left
  int sent = 1;
  while (connection.protocol.queue().send(message(large))) ++sent;
  CHECK(sent == 9);
  CHECK(connection.protocol.queue().bytes() > 100'000);
  CHECK(connection.protocol.queue().bytes() < 120'000);

  connection.protocol.close_as_too_slow(connection.now);
  connection.protocol.close_as_too_slow(connection.now);
  CHECK(connection.counters.too_slow == 1);
  CHECK(connection.protocol.deadline() == connection.now + limits.close_timeout);
  CHECK(connection.protocol.queue().send(message(large)));  // dropped
  connection.protocol.written(first.size(), connection.now);
  const Frames frames = connection.sent();
  CHECK(frames == Frames{{Opcode::close, std::string(wire::close_reason::too_slow), 1008}});
}

TEST_CASE("a connection that is lost reports its end once") {
  for (const std::string& begun : {std::string(), text(a_request).substr(0, 9)}) {
    Connection connection;
    CHECK(connection.receive(text(a_request) + begun) == Events{"received 1"});
    connection.send("a");
    (void)connection.compose();
    connection.protocol.lost();
    connection.protocol.lost();
    CHECK(connection.protocol.end() == StreamEnd::close);
    CHECK_FALSE(connection.protocol.wants_bytes());
    CHECK(connection.protocol.has_events());
    CHECK_FALSE(connection.protocol.has_output());
    CHECK(connection.protocol.deadline() == ClientProtocol::never);
    CHECK(connection.next() == Events{"closed"});
    CHECK(connection.next().empty());
  }
}

}  // namespace
}  // namespace client_protocol
