#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/web_port.h"

// WebSocket connections over real sockets, and with I/O threads. client_protocol_test.cc has the
// rules of the protocol itself, and listener_backpressure_test.cc has clients that are slow.
namespace web_port {
namespace {

using client_frames::a_request;
using client_frames::close;
using client_frames::frame;
using client_frames::Last;
using client_frames::text;
using server::ClientConnection;
using server::CloseCode;
using server::Opcode;
using Events = std::vector<std::string>;

TEST_CASE("an upgrade is answered with the requested subprotocol") {
  WebPort port(with_and_without_threads());
  port.run([&]() -> Task {
    Client plain = co_await port.client(WebPort::upgrade_request());
    std::string header = co_await plain.header();
    CHECK(header.starts_with("HTTP/1.1 101 "));
    CHECK(contains(header, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    CHECK_FALSE(contains(header, "Sec-WebSocket-Protocol"));
    CHECK_FALSE(contains(header, "Sec-WebSocket-Extensions"));

    Client asking = co_await port.client(
        WebPort::upgrade_request("Sec-WebSocket-Protocol: chat, zabkeeper.v1+json\r\n"
                                 "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                 "Origin: http://localhost\r\n"));
    header = co_await asking.header();
    CHECK(header.starts_with("HTTP/1.1 101 "));
    CHECK(contains(header, "Sec-WebSocket-Protocol: zabkeeper.v1+json\r\n"));
    CHECK_FALSE(contains(header, "Sec-WebSocket-Extensions"));
  });
}

TEST_CASE("an upgrade that is not allowed is refused") {
  WebPort port(with_and_without_threads());
  port.run([&]() -> Task {
    const std::string end = "Connection: close\r\n";
    std::string answer =
        co_await port.answer(WebPort::upgrade_request("Origin: http://evil.example\r\n" + end));
    CHECK(answer.starts_with("HTTP/1.1 403 "));
    CHECK(contains(answer, "allowedOrigins"));
    answer =
        co_await port.answer(WebPort::upgrade_request("Sec-WebSocket-Protocol: chat\r\n" + end));
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(contains(answer, "zabkeeper.v1+json"));
    answer = co_await port.answer("GET /v1 HTTP/1.1\r\nHost: localhost\r\n" + end + "\r\n");
    CHECK(answer.starts_with("HTTP/1.1 426 "));
    CHECK(contains(answer, "Upgrade: websocket\r\n"));
    answer = co_await port.answer("GET /v1 HTTP/1.1\r\nHost: evil.example\r\n" + end + "\r\n");
    CHECK(answer.starts_with("HTTP/1.1 421 "));
    answer = co_await port.answer(WebPort::upgrade_request() + text(a_request));
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(port.handler.events.empty());
  });
}

TEST_CASE("requests are answered, and the end of the connection is reported once") {
  WebPort port(with_and_without_threads());
  port.handler.on_frame = [](ClientConnection& connection) { connection.send(message("yes")); };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    co_await client.send(text(a_request));
    CHECK(co_await client.frame() == a_frame(Opcode::text, json("yes")));
    CHECK(port.handler.connection->remote_address() == "127.0.0.1");

    // Two at once; and one in pieces, with a ping between them.
    const std::string pipeline = "[" + std::string(a_request) + "," + a_request + "]";
    co_await client.send(text(a_request) + text(pipeline));
    (void)co_await client.frame();
    (void)co_await client.frame();
    const std::string request = a_request;
    co_await client.send(frame(Opcode::text, request.substr(0, 5), Last::no));
    co_await client.send(frame(Opcode::ping, "p") + frame(Opcode::continuation, request.substr(5)));
    CHECK(co_await client.frame() == a_frame(Opcode::pong, "p"));
    CHECK(co_await client.frame() == a_frame(Opcode::text, json("yes")));

    co_await client.send(close("\x03\xe8"));
    CHECK(co_await client.frame() == a_frame(Opcode::close, "", 1000));
    client.close();
    co_await port.until_last_event_is("closed");
    CHECK(port.handler.events == Events{"opened", "received 1", "received 1", "received 2", "alive",
                                        "received 1", "closed"});
  });
}

TEST_CASE("a frame that breaks the protocol closes the socket after a close of its status") {
  for (const auto& row : client_frames::broken_frames()) {
    CAPTURE(row.what);
    WebPort port;
    port.options.limits.frame_bytes_max = 4096;
    port.options.limits.close_timeout = std::chrono::milliseconds(100);
    port.run([&]() -> Task {
      Client client = co_await port.websocket();
      co_await client.send(row.bytes);
      const auto last = co_await client.frame();
      REQUIRE(last);
      CHECK(last->status == row.status);
      co_await port.until_last_event_is("closed");
      CHECK(port.handler.events == Events{"opened", "closed"});
    });
  }
}

TEST_CASE("pings are sent, and pongs are reported") {
  WebPort port(with_and_without_threads());
  port.handler.on_open = [](ClientConnection& connection) {
    connection.ping_every(std::chrono::milliseconds(5));
  };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    for (int i = 0; i < 3; ++i) {
      const auto ping = co_await client.frame();
      CHECK(ping == a_frame(Opcode::ping, ""));
      co_await client.send(frame(Opcode::pong, ""));
    }
    co_await port.until([&] { return port.handler.events.size() >= 4; });
    CHECK(port.handler.events == Events{"opened", "alive", "alive", "alive"});
  });
}

TEST_CASE("messages are sent in order, and share frames with batches") {
  WebPort port(with_and_without_threads());
  const auto send_all = [](ClientConnection& connection) {
    for (const char* reason : {"a", "b", "c"}) connection.send(message(reason));
  };
  port.handler.on_open = [&](ClientConnection& connection) {
    send_all(connection);
    CHECK(connection.queued_bytes() >= 3);
  };
  port.handler.on_frame = [&](ClientConnection& connection) {
    connection.allow_batches();
    send_all(connection);
  };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    for (const char* reason : {"a", "b", "c"}) {
      CHECK(co_await client.frame() == a_frame(Opcode::text, json(reason)));
    }
    co_await port.until([&] { return port.handler.connection->queued_bytes() == 0; });

    co_await client.send(text(a_request));
    CHECK(co_await client.frame() ==
          a_frame(Opcode::text, "[" + json("a") + "," + json("b") + "," + json("c") + "]"));
  });
}

TEST_CASE("a large message is received in one frame") {
  WebPort port(with_and_without_threads());
  const std::string large(1'000'000, 'x');
  port.handler.on_open = [&](ClientConnection& connection) { connection.send(message(large)); };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    const auto frame = co_await client.frame();
    CHECK((frame == a_frame(Opcode::text, json(large))));
  });
}

TEST_CASE("a close is sent after the queued messages, and later calls have no effect") {
  WebPort port(with_and_without_threads());
  port.options.limits.close_timeout = std::chrono::milliseconds(100);
  port.handler.on_frame = [](ClientConnection& connection) {
    connection.send(message("last"));
    connection.close(CloseCode::going_away, "shutdown");
    connection.send(message("too late"));
    connection.close(CloseCode::normal, "again");
  };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    co_await client.send(text(a_request));
    co_await client.send(text(a_request));  // dropped
    CHECK(co_await client.frame() == a_frame(Opcode::text, json("last")));
    CHECK(co_await client.frame() == a_frame(Opcode::close, "shutdown", 1001));
    co_await client.send(close("\x03\xe9"));
    CHECK_FALSE(co_await client.frame());
    client.close();
    co_await port.until_last_event_is("closed");
    CHECK(port.handler.events == Events{"opened", "received 1", "closed"});
    port.handler.connection->send(message("nobody"));
    port.handler.connection->close(CloseCode::normal, "");
    port.handler.connection->ping_every(std::chrono::milliseconds(1));
  });
}

TEST_CASE("a client that does not answer a close is disconnected at the timeout") {
  WebPort port(with_and_without_threads());
  port.options.limits.close_timeout = std::chrono::milliseconds(50);
  port.handler.on_open = [](ClientConnection& connection) {
    connection.close(CloseCode::normal, std::string(130, 'x') + "\xc3\xa4");
  };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    co_await port.until_last_event_is("closed");
    const auto last = co_await client.frame();
    REQUIRE(last);
    CHECK(last->payload.size() == 123);
  });
}

TEST_CASE("a client whose first frame is late is disconnected") {
  WebPort port(with_and_without_threads());
  port.options.limits.first_frame_timeout = std::chrono::milliseconds(50);
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    const auto last = co_await client.frame();
    REQUIRE(last);
    CHECK(last->status == 1008);
  });
}

TEST_CASE("a client that keeps its socket open after its close is disconnected at the timeout") {
  WebPort port(with_and_without_threads());
  port.options.limits.close_timeout = std::chrono::milliseconds(50);
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    co_await client.send(close("\x03\xe8"));
    CHECK(co_await client.frame() == a_frame(Opcode::close, "", 1000));
    co_await port.until_last_event_is("closed");
    CHECK(port.handler.events == Events{"opened", "closed"});
  });
}

TEST_CASE("a connection that is lost is reported once") {
  WebPort port(with_and_without_threads());
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    co_await client.send(text(a_request));
    co_await port.until_last_event_is("received 1");
    client.reset();
    co_await port.until_last_event_is("closed");

    Client half = co_await port.websocket();
    co_await half.send(text(a_request).substr(0, 9));
    co_await port.until_last_event_is("opened");
    half.close();
    co_await port.until_last_event_is("closed");
    CHECK(port.handler.events == Events{"opened", "received 1", "closed", "opened", "closed"});
  });
}

TEST_CASE("a client beyond the limit is refused in the client protocol") {
  WebPort port(with_and_without_threads());
  port.options.connections_per_address = 1;
  port.run([&]() -> Task {
    Client first = co_await port.websocket();
    co_await port.until_last_event_is("opened");
    Client second = co_await port.websocket();
    const std::string refusal = (co_await second.frame()).value().payload;
    CHECK(contains(refusal, "\"op\":\"connect\""));
    CHECK(contains(refusal, "\"error\":\"TooManyConnections\""));
    CHECK((co_await second.frame()).value().status == 1008);
    CHECK(port.handler.events == Events{"opened"});

    // Once the first one has ended, another one is accepted.
    first.close();
    co_await port.until_last_event_is("closed");
    co_await second.send(close("\x03\xf0"));
    CHECK_FALSE(co_await second.frame());
    second.close();
    while (std::ranges::count(port.handler.events, "opened") < 2) {
      Client third = co_await port.websocket();
      third.close();
    }
  });
}

TEST_CASE("the server can stop while connections are open") {
  WebPort port(with_and_without_threads());
  port.handler.on_open = [](ClientConnection& connection) {
    connection.ping_every(std::chrono::seconds(1));
  };
  port.run([&]() -> Task {
    Client reading = co_await port.websocket();
    Client paused = co_await port.websocket();
    co_await port.until([&] { return port.handler.events.size() == 2; });
    port.handler.connection->pause();
    Client begun = co_await port.client("GET / HT");
  });
  CHECK(port.handler.events.size() == 2);
}

}  // namespace
}  // namespace web_port
