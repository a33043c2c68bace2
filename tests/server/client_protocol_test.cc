#include <algorithm>
#include <string>

#include "tests/server/client_protocol_harness.h"

// Messages and backpressure while a connection is open.
namespace client_protocol {
namespace {

using client_frames::a_request;
using client_frames::close;
using client_frames::Frame;
using client_frames::frame;
using client_frames::Last;
using client_frames::text;
using server::ClientProtocol;
using server::CloseCode;
using server::Opcode;
using Drain = ClientProtocol::Drain;

TEST_CASE("requests, pings and pongs are reported in order, and pings are answered") {
  const std::string request = a_request;
  const std::string bytes =
      text(request) + text("[" + request + "," + request + "]") +
      frame(Opcode::text, request.substr(0, 5), Last::no) + frame(Opcode::ping, "p") +
      frame(Opcode::continuation, request.substr(5)) + frame(Opcode::pong, "");
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    CAPTURE(piece);
    Connection connection;
    CHECK(connection.receive(bytes, piece) ==
          Events{"received 1", "received 2", "alive", "received 1", "alive"});
    CHECK(connection.sent() == Frames{{Opcode::pong, "p"}});
    CHECK(connection.counters.in.frames == 3);
  }
}

TEST_CASE("text that is not JSON is reported to the handler") {
  Connection connection;
  CHECK(connection.receive(text("") + text("{") + text(std::string(1000, '['))) ==
        Events{"received 1", "received 1", "received 1"});
}

TEST_CASE("a message that is too large is reported to the handler with its error") {
  server::ClientLimits limits;
  limits.frame_bytes_max = 4096;
  Connection connection(wire::Format::json, limits);
  std::string escaped;  // few characters in many bytes
  for (int i = 0; i < 1000; ++i) escaped += "\\u00e9";
  CHECK(connection.receive(text('"' + escaped + '"')) == Events{"received 1"});
  CHECK(connection.last.fault == wire::ParsedFrame::Fault::none);
  CHECK(connection.receive(text(std::string(5000, 'x'))) == Events{"received 1"});
  CHECK(connection.last.fault == wire::ParsedFrame::Fault::too_large);
  CHECK(connection.last.requests.front().error().error.code == wire::ErrorCode::too_large);
}

TEST_CASE("CBOR has no escapes, so a message above the limit is refused from its header") {
  server::ClientLimits limits;
  limits.frame_bytes_max = 4096;
  for (const wire::Format format : {wire::Format::cbor, wire::Format::json}) {
    const bool is_cbor = format == wire::Format::cbor;
    const Opcode opcode = is_cbor ? Opcode::binary : Opcode::text;
    Connection connection(format, limits);
    CHECK(connection.receive(frame(opcode, std::string(4096, is_cbor ? '\xf6' : ' '))).size() == 1);
    CHECK(connection.counters.too_large == 0);
    connection.receive(frame(opcode, std::string(is_cbor ? 4097 : 3 * 4096 + 1, ' ')).substr(0, 8));
    CHECK(connection.sent() == Frames{{Opcode::close, "a frame has at most 4096 bytes",
                                       static_cast<std::uint16_t>(CloseCode::too_big)}});
    CHECK(connection.counters.too_large == 1);
  }
}

TEST_CASE("the first frame is refused from its header if it is larger than a connect needs") {
  server::ClientLimits limits;
  limits.first_frame_bytes_max = 1000;
  limits.frame_bytes_max = 4096;
  const std::string large = text(std::string(1001, ' '));
  const Frames closed{{Opcode::close, "the first frame has at most 1000 bytes: send connect alone",
                       static_cast<std::uint16_t>(CloseCode::too_big)}};
  SUBCASE("in one frame, of which only the header has arrived") {
    Connection connection(wire::Format::json, limits);
    connection.receive(large.substr(0, 8));
    CHECK(connection.sent() == closed);
    CHECK(connection.counters.too_large == 1);
  }
  SUBCASE("in pieces") {
    Connection connection(wire::Format::json, limits);
    connection.receive(frame(Opcode::text, std::string(600, ' '), Last::no) +
                       frame(Opcode::continuation, std::string(401, ' ')));
    CHECK(connection.sent() == closed);
  }
  SUBCASE("later frames may be larger") {
    Connection connection(wire::Format::json, limits);
    CHECK(connection.receive(text(std::string(999, ' ') + "[") + large) ==
          Events{"received 1", "received 1"});
    CHECK(connection.counters.too_large == 0);
  }
}

TEST_CASE("without batches every message is sent in its own frame, in order") {
  Connection connection;
  for (const char* reason : {"a", "b", "c"}) connection.send(reason);
  CHECK(connection.protocol.queue().bytes() >= 3);
  CHECK(connection.sent() ==
        Frames{{Opcode::text, json("a")}, {Opcode::text, json("b")}, {Opcode::text, json("c")}});
  CHECK(connection.protocol.queue().bytes() == 0);
  CHECK(connection.counters.out.frames == 3);
}

TEST_CASE("with batches, messages that are queued together are sent as one array") {
  Connection connection;
  connection.protocol.queue().allow_batches();
  for (const char* reason : {"a", "b", "c"}) connection.send(reason);
  CHECK(connection.sent() ==
        Frames{{Opcode::text, "[" + json("a") + "," + json("b") + "," + json("c") + "]"}});
  connection.protocol.queue().add(json("d"));  // encoded elsewhere
  CHECK(connection.sent() == Frames{{Opcode::text, json("d")}});
}

TEST_CASE("a connection delays a write while its batch grows") {
  Connection connection;
  connection.send("a");
  CHECK_FALSE(
      connection.protocol.queue().is_gathering());  // no batches: a later write saves nothing
  connection.protocol.queue().allow_batches();
  (void)connection.sent();

  connection.send("a");
  CHECK(connection.protocol.queue().is_gathering());
  connection.send("b");
  CHECK(connection.protocol.queue().is_gathering());
  CHECK_FALSE(connection.protocol.queue().is_gathering());
  connection.send(std::string(connection.limits.batch_bytes, 'x'));
  CHECK_FALSE(connection.protocol.queue().is_gathering());  // the batch is full
}

TEST_CASE("on the CBOR subprotocol all messages are CBOR in binary frames") {
  Connection connection(wire::Format::cbor);
  connection.protocol.queue().allow_batches();
  CHECK(connection.receive(frame(Opcode::binary, "\xa1\x62op\x64ping")) == Events{"received 1"});
  for (const char* reason : {"a", "b", "c"}) connection.send(reason);
  CHECK(connection.sent() == Frames{{Opcode::binary, "\x83" + cbor("a") + cbor("b") + cbor("c")}});
  connection.send("d");
  CHECK(connection.sent() == Frames{{Opcode::binary, cbor("d")}});
  CHECK(connection.receive(text("{}")).empty());
  CHECK(connection.sent().at(0).status == 1003);
}

TEST_CASE("a large message is sent in one frame") {
  Connection connection;
  const std::string large(1'000'000, 'x');
  connection.send(large);
  CHECK((connection.sent() == Frames{{Opcode::text, json(large)}}));
}

TEST_CASE("messages that are queued during a write are sent in order") {
  Connection connection;
  std::string all;
  Frames expected;
  for (int i = 0; i < 40; ++i) {
    const std::string reason = std::to_string(i) + std::string(20'000, 'x');
    connection.send(reason);
    expected.push_back({Opcode::text, json(reason)});
  }
  std::size_t writes = 0;
  while (connection.protocol.has_output()) {
    const std::string bytes = connection.compose();
    CHECK(bytes.size() < 100'000);
    // The stream accepts a part of them, and more comes meanwhile.
    connection.protocol.written(bytes.size() / 3, connection.now);
    CHECK_FALSE(connection.protocol.has_output());
    if (++writes == 2) {
      connection.send("late");
      expected.push_back({Opcode::text, json("late")});
      CHECK(connection.receive(frame(Opcode::ping, "now")) == Events{"alive"});
    }
    connection.protocol.written(bytes.size() - bytes.size() / 3, connection.now);
    all += bytes;
  }
  Frames frames = Connection::read(all);
  const auto pong = std::ranges::find(frames, Frame{Opcode::pong, "now"});
  REQUIRE(pong != frames.end());
  CHECK(pong - frames.begin() < 20);  // it does not wait behind all messages
  frames.erase(pong);
  CHECK((frames == expected));
  CHECK(connection.protocol.queue().bytes() == 0);
}

TEST_CASE("a paused connection reports no request until it is resumed") {
  Connection connection;
  connection.pauses = true;
  CHECK(connection.receive(text(a_request) + text(a_request) + text(a_request).substr(0, 9)) ==
        Events{"received 1"});
  CHECK_FALSE(connection.protocol.wants_bytes());
  CHECK_FALSE(connection.protocol.has_events());
  CHECK(connection.next().empty());
  connection.protocol.resume();
  CHECK(connection.protocol.has_events());
  CHECK(connection.next() == Events{"received 1"});
  connection.protocol.resume();
  CHECK(connection.next().empty());
  CHECK_FALSE(connection.protocol.has_events());  // more bytes are needed
  CHECK(connection.receive(text(a_request).substr(9)) == Events{"received 1"});

  connection.protocol.close(CloseCode::normal, "", Drain::yes, connection.now);
  CHECK(connection.protocol.wants_bytes());  // paused still, but the client's close is awaited
}

TEST_CASE("a paused connection may be resumed before the next event") {
  Connection connection;
  std::string bytes;
  for (int i = 0; i < 5; ++i) bytes += text(a_request);
  connection.protocol.receive(bytes);
  for (int i = 0; i < 5; ++i) {
    CHECK(connection.protocol.next(connection.now).has_value());
    connection.protocol.pause();
    connection.protocol.resume();
  }
  CHECK(connection.next().empty());
}

TEST_CASE("requests that a paused client sent before its close are reported before the end") {
  Connection connection;
  connection.pauses = true;
  CHECK(connection.receive(text(a_request) + text(a_request) + close("\x03\xe8")) ==
        Events{"received 1"});
  CHECK_FALSE(connection.protocol.has_output());
  connection.protocol.resume();
  CHECK(connection.next() == Events{"received 1"});
  connection.protocol.resume();
  CHECK(connection.next().empty());
  CHECK(connection.sent() == Frames{{Opcode::close, "", 1000}});
}

TEST_CASE("the server stops reading from a client that sends pings but receives no pongs") {
  Connection connection;
  (void)connection.receive(frame(Opcode::ping, "first"));
  const std::string first = connection.compose();
  const auto payload = [](std::size_t i) { return std::to_string(i) + std::string(100, '.'); };
  std::string flood;
  for (std::size_t i = 0; i < 1000; ++i) flood += frame(Opcode::ping, payload(i));
  const std::size_t answered = connection.receive(flood).size();
  CHECK(answered < 50);
  CHECK_FALSE(connection.protocol.wants_bytes());

  // Once the pongs leave, it is read again from where it was.
  connection.protocol.written(first.size(), connection.now);
  std::size_t next = 0;
  for (bool more = true; more;) {
    const Frames pongs = connection.sent();
    for (const Frame& pong : pongs) CHECK(pong == Frame{Opcode::pong, payload(next++)});
    more = connection.protocol.has_events();
    (void)connection.next();
  }
  CHECK(next == 1000);
}

}  // namespace
}  // namespace client_protocol
