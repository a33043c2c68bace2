#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/detached.hpp>

#include "tests/server/listener_harness.h"
#include "wire/cbor.h"

namespace {

using edge::Client;
using edge::Edge;
using edge::Frame;
using edge::frame;
using edge::Mask;
using edge::Story;
using server::ClientConnection;
using server::CloseCode;
using Told = std::vector<std::string>;

constexpr auto a_request = R"({"id":1,"op":"get","path":"/"})";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("an upgrade is answered, with the subprotocol if one was asked for") {
  Edge edge(edge::either_way());
  edge.run([&]() -> Story {
    Client plain = co_await edge.client(Edge::upgrade_request());
    std::string header = co_await plain.header();
    CHECK(header.starts_with("HTTP/1.1 101 "));
    CHECK(contains(header, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    CHECK_FALSE(contains(header, "Sec-WebSocket-Protocol"));
    CHECK_FALSE(contains(header, "Sec-WebSocket-Extensions"));

    Client asking = co_await edge.client(
        Edge::upgrade_request("Sec-WebSocket-Protocol: chat, zabkeeper.v1+json\r\n"
                              "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                              "Origin: http://localhost\r\n"));
    header = co_await asking.header();
    CHECK(header.starts_with("HTTP/1.1 101 "));
    CHECK(contains(header, "Sec-WebSocket-Protocol: zabkeeper.v1+json\r\n"));
    CHECK_FALSE(contains(header, "Sec-WebSocket-Extensions"));
  });
}

TEST_CASE("an upgrade that may not be is refused") {
  Edge edge(edge::either_way());
  edge.run([&]() -> Story {
    const std::string close = "Connection: close\r\n";
    std::string answer =
        co_await edge.answer(Edge::upgrade_request("Origin: http://evil.example\r\n" + close));
    CHECK(answer.starts_with("HTTP/1.1 403 "));
    CHECK(contains(answer, "allowedOrigins"));
    answer =
        co_await edge.answer(Edge::upgrade_request("Sec-WebSocket-Protocol: chat\r\n" + close));
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(contains(answer, "zabkeeper.v1+json"));
    answer = co_await edge.answer("GET /v1 HTTP/1.1\r\nHost: localhost\r\n" + close + "\r\n");
    CHECK(answer.starts_with("HTTP/1.1 426 "));
    CHECK(contains(answer, "Upgrade: websocket\r\n"));
    answer = co_await edge.answer("GET /v1 HTTP/1.1\r\nHost: evil.example\r\n" + close + "\r\n");
    CHECK(answer.starts_with("HTTP/1.1 421 "));
    answer = co_await edge.answer(Edge::upgrade_request() + frame(edge::text, a_request));
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(edge.script.told.empty());
  });
}

TEST_CASE("frames are taken apart and answered, and the end is told once") {
  Edge edge(edge::either_way());
  edge.script.on_frame = [](ClientConnection& connection) { connection.send(edge::event("yes")); };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await client.send(frame(edge::text, a_request));
    CHECK((co_await client.frame()).payload == edge::json("yes"));
    CHECK(edge.script.connection->remote_address() == "127.0.0.1");

    // Two at once; and one in pieces, with a ping between them.
    const std::string pipeline = "[" + std::string(a_request) + "," + a_request + "]";
    co_await client.send(frame(edge::text, a_request) + frame(edge::text, pipeline));
    (void)co_await client.frame();
    (void)co_await client.frame();
    const std::string request = a_request;
    co_await client.send(frame(edge::text, request.substr(0, 5), Mask::yes, 0));
    co_await client.send(frame(edge::ping, "p") +
                         frame(edge::continuation, request.substr(5), Mask::yes));
    const Frame pong = co_await client.frame();
    CHECK(pong.opcode == edge::pong);
    CHECK(pong.payload == "p");
    CHECK((co_await client.frame()).payload == edge::json("yes"));

    co_await client.send(frame(edge::close_frame, "\x03\xe8"));
    const Frame bye = co_await client.frame();
    CHECK(bye.opcode == edge::close_frame);
    CHECK(bye.code() == 1000);
    client.close();
    co_await edge.until_told("closed");
    CHECK(edge.script.told == Told{"opened", "received 1", "received 1", "received 2", "heard",
                                   "received 1", "closed"});
  });
}

TEST_CASE("what is not JSON is for the handler to judge") {
  Edge edge(edge::either_way());
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await client.send(frame(edge::text, "") + frame(edge::text, "{") +
                         frame(edge::text, std::string(1000, '[')));
    co_await edge.until([&] { return edge.script.told.size() == 4; });
    CHECK(edge.script.told == Told{"opened", "received 1", "received 1", "received 1"});
  });
}

TEST_CASE("a frame that breaks the protocol closes the connection with its own code") {
  struct Row {
    std::string what;
    std::string bytes;
    int code;
  };
  const Row rows[] = {
      {"binary", frame(edge::binary, "x"), 1003},
      {"too large, with any escapes", frame(edge::text, std::string(13'000, 'x')), 1009},
      {"too large in pieces",
       frame(edge::text, std::string(8000, 'x'), Mask::yes, 0) +
           frame(edge::continuation, std::string(8000, 'x')),
       1009},
      {"a huge length", std::string("\x81\xff\x00\x00\x00\xff\xff\xff\xff\xff", 10) + "mask", 1009},
      {"not UTF-8", frame(edge::text, "\"\xff\""), 1007},
      {"a surrogate", frame(edge::text, "\"\xed\xa0\x80\""), 1007},
      {"unmasked", frame(edge::text, "{}", Mask::no), 1002},
      {"a reserved bit", frame(edge::text, "{}", Mask::yes, 0xc0), 1002},
      {"an unknown opcode", frame(5, "{}"), 1002},
      {"a continuation of nothing", frame(edge::continuation, "{}"), 1002},
      {"a text within a text", frame(edge::text, "{", Mask::yes, 0) + frame(edge::text, "}"), 1002},
      {"a ping in pieces", frame(edge::ping, "", Mask::yes, 0), 1002},
      {"a large ping", frame(edge::ping, std::string(126, 'x')), 1002},
      {"a close of one byte", frame(edge::close_frame, "x"), 1002},
      {"a reserved close code", frame(edge::close_frame, "\x03\xed"), 1002},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Edge edge;
    edge.limits.frame_bytes_max = 4096;
    edge.limits.close_timeout = std::chrono::milliseconds(100);
    edge.run([&]() -> Story {
      Client client = co_await edge.websocket();
      co_await client.send(row.bytes);
      const Frame bye = co_await client.frame();
      REQUIRE(bye.opcode == edge::close_frame);
      CHECK(bye.code() == row.code);
      co_await edge.until_told("closed");
      CHECK(edge.script.told == Told{"opened", "closed"});
    });
  }
}

TEST_CASE("a frame that is too large is the handler's to refuse, if it is not far too large") {
  Edge edge(edge::either_way());
  edge.limits.frame_bytes_max = 4096;
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    // Few characters, in many bytes.
    std::string escaped;
    for (int i = 0; i < 1000; ++i) escaped += "\\u00e9";
    co_await client.send(frame(edge::text, '"' + escaped + '"'));
    co_await edge.until([&] { return edge.script.told.size() == 2; });
    CHECK(edge.script.frames.back().fault == wire::ParsedFrame::Fault::none);
    co_await client.send(frame(edge::text, std::string(5000, 'x')));
    co_await edge.until([&] { return edge.script.told.size() == 3; });
    CHECK(edge.script.frames.back().fault == wire::ParsedFrame::Fault::too_large);
    CHECK(edge.script.frames.back().requests.front().error().error.code ==
          wire::ErrorCode::too_large);
  });
}

TEST_CASE("pings go out, and pongs are heard") {
  Edge edge(edge::either_way());
  edge.script.on_open = [](ClientConnection& connection) {
    connection.ping_every(std::chrono::milliseconds(5));
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    for (int i = 0; i < 3; ++i) {
      const Frame ping = co_await client.frame();
      CHECK(ping.opcode == edge::ping);
      co_await client.send(frame(edge::pong, ping.payload));
    }
    co_await edge.until([&] { return edge.script.told.size() >= 4; });
    CHECK(edge.script.told == Told{"opened", "heard", "heard", "heard"});
  });
}

TEST_CASE("messages leave in their order, one in a frame") {
  Edge edge(edge::either_way());
  edge.script.on_open = [](ClientConnection& connection) {
    for (const char* reason : {"a", "b", "c"}) connection.send(edge::event(reason));
    CHECK(connection.queued_bytes() >= 3);
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    for (const char* reason : {"a", "b", "c"}) {
      const Frame got = co_await client.frame();
      CHECK(got.opcode == edge::text);
      CHECK(got.payload == edge::json(reason));
    }
    co_await edge.until([&] { return edge.script.connection->queued_bytes() == 0; });
  });
}

TEST_CASE("with batches what is queued together leaves as one array") {
  Edge edge(edge::either_way());
  edge.script.on_frame = [](ClientConnection& connection) {
    connection.allow_batches();
    for (const char* reason : {"a", "b", "c"}) connection.send(edge::event(reason));
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await client.send(frame(edge::text, a_request));
    CHECK((co_await client.frame()).payload ==
          "[" + edge::json("a") + "," + edge::json("b") + "," + edge::json("c") + "]");
    edge.script.connection->send(edge::event("d"));
    CHECK((co_await client.frame()).payload == edge::json("d"));
  });
}

TEST_CASE("on the CBOR subprotocol everything is CBOR in binary frames") {
  const std::string cbor = "Sec-WebSocket-Protocol: zabkeeper.v1+cbor\r\n";
  const auto written = [](const char* reason) {
    std::string out;
    wire::cbor::write(edge::event(reason), out);
    return out;
  };
  const std::string a_ping = "\xa1\x62op\x64ping";
  Edge edge;
  edge.limits.close_timeout = std::chrono::milliseconds(100);
  edge.script.on_frame = [](ClientConnection& connection) {
    connection.allow_batches();
    for (const char* reason : {"a", "b", "c"}) connection.send(edge::event(reason));
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket(cbor);
    co_await client.send(frame(edge::binary, a_ping));
    Frame got = co_await client.frame();
    CHECK(got.opcode == edge::binary);
    CHECK(got.payload == "\x83" + written("a") + written("b") + written("c"));
    edge.script.connection->send(edge::event("d"));
    got = co_await client.frame();
    CHECK(got.opcode == edge::binary);
    CHECK(got.payload == written("d"));
    co_await client.send(frame(edge::text, "{}"));
    CHECK((co_await client.frame()).code() == 1003);
    co_await edge.until_told("closed");
    CHECK(edge.script.told == Told{"opened", "received 1", "closed"});
  });
}

TEST_CASE("a large message is one frame") {
  Edge edge(edge::either_way());
  const std::string large(1'000'000, 'x');
  edge.script.on_open = [&](ClientConnection& connection) { connection.send(edge::event(large)); };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    CHECK((co_await client.frame()).payload == edge::json(large));
  });
}

TEST_CASE("a close comes after what was queued, and what is said later is dropped") {
  Edge edge(edge::either_way());
  edge.limits.close_timeout = std::chrono::milliseconds(100);
  edge.script.on_frame = [](ClientConnection& connection) {
    connection.send(edge::event("last"));
    connection.close(CloseCode::going_away, "shutdown");
    connection.send(edge::event("too late"));
    connection.close(CloseCode::normal, "again");
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await client.send(frame(edge::text, a_request));
    co_await client.send(frame(edge::text, a_request));  // dropped
    CHECK((co_await client.frame()).payload == edge::json("last"));
    const Frame bye = co_await client.frame();
    CHECK(bye.opcode == edge::close_frame);
    CHECK(bye.code() == 1001);
    CHECK(bye.payload.substr(2) == "shutdown");
    co_await client.send(frame(edge::close_frame, "\x03\xe9"));
    CHECK((co_await client.frame()).opcode == -1);
    client.close();
    co_await edge.until_told("closed");
    CHECK(edge.script.told == Told{"opened", "received 1", "closed"});
    edge.script.connection->send(edge::event("nobody"));
    edge.script.connection->close(CloseCode::normal, "");
    edge.script.connection->ping_every(std::chrono::milliseconds(1));
  });
}

TEST_CASE("a close that the client does not answer is not waited for") {
  Edge edge(edge::either_way());
  edge.limits.close_timeout = std::chrono::milliseconds(50);
  edge.script.on_open = [](ClientConnection& connection) {
    connection.close(CloseCode::normal, std::string(130, 'x') + "\xc3\xa4");
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await edge.until_told("closed");
    CHECK((co_await client.frame()).payload.size() == 125);
  });
}

TEST_CASE("a first frame that does not come is not waited for") {
  Edge edge(edge::either_way());
  edge.limits.first_frame_timeout = std::chrono::milliseconds(50);
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    const Frame bye = co_await client.frame();
    CHECK(bye.opcode == edge::close_frame);
    CHECK(bye.code() == 1008);
  });
}

TEST_CASE("a client in time has no deadline afterwards") {
  Edge edge(edge::either_way());
  edge.limits.first_frame_timeout = std::chrono::milliseconds(100);
  edge.script.on_frame = [](ClientConnection& connection) {
    connection.ping_every(std::chrono::milliseconds(40));
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await client.send(frame(edge::text, a_request));
    for (int i = 0; i < 5; ++i) CHECK((co_await client.frame()).opcode == edge::ping);
  });
}

TEST_CASE("a client that does not take what it is sent is disconnected") {
  Edge edge(edge::either_way());
  edge.limits.queued_bytes_max = 100'000;
  edge.limits.close_timeout = std::chrono::milliseconds(50);
  const std::string large(10'000, 'x');
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await edge.until_told("opened");
    std::size_t most = 0;
    while (edge.script.told.back() != "closed") {
      edge.script.connection->send(edge::event(large));
      most = std::max(most, edge.script.connection->queued_bytes());
      co_await boost::asio::post(edge.io, boost::asio::use_awaitable);
    }
    CHECK(most > 90'000);
    CHECK(most < 120'000);
    CHECK(edge.script.told == Told{"opened", "closed"});
  });
}

TEST_CASE("a client that reads too little before a close is not waited for") {
  Edge edge(edge::either_way());
  edge.limits.drain_timeout = std::chrono::milliseconds(50);
  edge.script.on_open = [&](ClientConnection& connection) {
    connection.send(edge::event(std::string(15'000'000, 'x')));
    connection.close(CloseCode::going_away, "shutdown");
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await edge.until_told("closed");
    CHECK(edge.script.told == Told{"opened", "closed"});
  });
}

TEST_CASE("a paused connection is not read from, and goes on where it was") {
  Edge edge(edge::either_way());
  edge.script.on_frame = [](ClientConnection& connection) { connection.pause(); };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await client.send(frame(edge::text, a_request) + frame(edge::text, a_request));
    co_await edge.until_told("received 1");
    for (int i = 0; i < 3; ++i) {  // others are served meanwhile
      (void)co_await edge.answer("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    }
    CHECK(edge.script.told == Told{"opened", "received 1"});
    edge.script.connection->resume();
    co_await edge.until([&] { return edge.script.told.size() == 3; });
    CHECK(edge.script.told.back() == "received 1");

    edge.script.connection->close(CloseCode::normal, "");  // paused again, and closes all the same
    CHECK((co_await client.frame()).opcode == edge::close_frame);
    co_await client.send(frame(edge::close_frame, "\x03\xe8"));
    client.close();
    co_await edge.until_told("closed");
  });
}

TEST_CASE("what a paused client sent before its close is told before its end") {
  Edge edge(edge::either_way());
  edge.script.on_frame = [](ClientConnection& connection) { connection.pause(); };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    const std::string request = frame(edge::text, a_request);
    co_await client.send(request + request + request + frame(edge::close_frame, "\x03\xe8"));
    for (std::size_t count = 2; count <= 4; ++count) {
      co_await edge.until([&] { return edge.script.told.size() == count; });
      CHECK(edge.script.told.back() == "received 1");
      edge.script.connection->resume();
    }
    CHECK((co_await client.frame()).code() == 1000);
    client.close();
    co_await edge.until_told("closed");
    CHECK(edge.script.told == Told{"opened", "received 1", "received 1", "received 1", "closed"});
  });
}

TEST_CASE("of pings without end no more are read than their client takes pongs") {
  Edge edge(edge::either_way());
  constexpr std::size_t pings = 100'000;
  const auto payload = [](std::size_t i) { return std::to_string(i) + std::string(100, '.'); };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    client.socket().set_option(boost::asio::socket_base::receive_buffer_size(64 * 1024));
    std::string flood;
    for (std::size_t i = 0; i < pings; ++i) flood += frame(edge::ping, payload(i));
    boost::asio::co_spawn(edge.io, client.send(std::move(flood)), boost::asio::detached);
    // Until nothing goes on any more.
    std::size_t heard = 0;
    for (int quiet = 0; quiet < 1000; ++quiet) {
      if (std::exchange(heard, edge.script.told.size()) != edge.script.told.size()) quiet = 0;
      co_await boost::asio::post(edge.io, boost::asio::use_awaitable);
    }
    CHECK(heard < pings);
    for (std::size_t i = 0; i < pings; ++i) {
      const Frame pong = co_await client.frame();
      if (pong.opcode != edge::pong || pong.payload != payload(i)) FAIL("not the next pong: ", i);
    }
  });
}

TEST_CASE("what a slow client is sent comes whole and in order, whatever is said meanwhile") {
  Edge edge(edge::either_way());
  std::vector<std::string> said;
  edge.script.on_frame = [&](ClientConnection& connection) {
    for (int i = 0; i < 40; ++i) {
      said.push_back(std::to_string(said.size()) + std::string(200'000, 'x'));
      connection.send(edge::event(said.back()));
    }
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await client.send(frame(edge::text, a_request));
    co_await edge.until([&] { return said.size() == 40; });
    co_await client.send(frame(edge::ping, "now") + frame(edge::text, a_request));
    bool pong_came = false;
    for (std::size_t i = 0; i < 80;) {
      const Frame got = co_await client.frame();
      if (got.opcode == edge::pong) {
        pong_came = true;
      } else {
        REQUIRE(got.payload == edge::json(said.at(i)));
        ++i;
      }
    }
    CHECK(pong_came);
    CHECK(edge.script.connection->queued_bytes() == 0);
  });
}

TEST_CASE("an event for many comes to each of them") {
  Edge edge(edge::either_way());
  edge.config.max_client_connections = 0;
  std::vector<std::shared_ptr<ClientConnection>> all;
  edge.script.on_open = [&](ClientConnection&) { all.push_back(edge.script.connection); };
  edge.run([&]() -> Story {
    std::vector<Client> clients;
    for (int i = 0; i < 200; ++i) clients.push_back(co_await edge.websocket());
    co_await edge.until([&] { return all.size() == clients.size(); });
    for (int round = 0; round < 3; ++round) {
      for (const auto& connection : all) connection->send(edge::event("change"));
      clients[static_cast<std::size_t>(round)].reset();
      for (std::size_t i = 3; i < clients.size(); ++i) {
        CHECK((co_await clients[i].frame()).payload == edge::json("change"));
      }
    }
  });
}

TEST_CASE("a client that does not hang up after its close is not waited for") {
  Edge edge(edge::either_way());
  edge.limits.close_timeout = std::chrono::milliseconds(50);
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await client.send(frame(edge::close_frame, "\x03\xe8"));
    CHECK((co_await client.frame()).opcode == edge::close_frame);
    co_await edge.until_told("closed");
    CHECK(edge.script.told == Told{"opened", "closed"});
  });
}

TEST_CASE("a paused connection may be told to go on at once") {
  Edge edge(edge::either_way());
  edge.script.on_frame = [](ClientConnection& connection) {
    connection.pause();
    connection.resume();
  };
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    std::string many;
    for (int i = 0; i < 5; ++i) many += frame(edge::text, a_request);
    co_await client.send(many + frame(edge::text, a_request).substr(0, 7));
    co_await edge.until([&] { return edge.script.told.size() == 6; });
    co_await client.send(frame(edge::text, a_request).substr(7));
    co_await edge.until([&] { return edge.script.told.size() == 7; });
  });
}

TEST_CASE("a client that is suddenly gone is told of once") {
  Edge edge(edge::either_way());
  edge.run([&]() -> Story {
    Client client = co_await edge.websocket();
    co_await client.send(frame(edge::text, a_request));
    co_await edge.until_told("received 1");
    client.reset();
    co_await edge.until_told("closed");

    Client half = co_await edge.websocket();
    co_await half.send(frame(edge::text, a_request).substr(0, 9));
    co_await edge.until_told("opened");
    half.close();
    co_await edge.until_told("closed");
    CHECK(edge.script.told == Told{"opened", "received 1", "closed", "opened", "closed"});
  });
}

TEST_CASE("a client beyond the limit is told so in the client protocol") {
  Edge edge(edge::either_way());
  edge.config.max_client_connections = 1;
  edge.run([&]() -> Story {
    Client first = co_await edge.websocket();
    co_await edge.until_told("opened");
    Client second = co_await edge.websocket();
    const Frame refusal = co_await second.frame();
    CHECK(contains(refusal.payload, "\"op\":\"connect\""));
    CHECK(contains(refusal.payload, "\"error\":\"TooManyConnections\""));
    const Frame bye = co_await second.frame();
    CHECK(bye.opcode == edge::close_frame);
    CHECK(bye.code() == 1008);
    CHECK(edge.script.told == Told{"opened"});

    // Its place is free once it is gone.
    first.close();
    co_await edge.until_told("closed");
    co_await second.send(frame(edge::close_frame, "\x03\xf0"));
    CHECK((co_await second.frame()).opcode == -1);
    second.close();
    while (std::ranges::count(edge.script.told, "opened") < 2) {
      Client third = co_await edge.websocket();
      third.close();
    }
  });
}

TEST_CASE("connections may be open when everything ends") {
  Edge edge(edge::either_way());
  edge.script.on_open = [](ClientConnection& connection) {
    connection.ping_every(std::chrono::seconds(1));
  };
  edge.run([&]() -> Story {
    Client reading = co_await edge.websocket();
    Client paused = co_await edge.websocket();
    co_await edge.until([&] { return edge.script.told.size() == 2; });
    edge.script.connection->pause();
    Client talking = co_await edge.client("GET / HT");
  });
  CHECK(edge.script.told.size() == 2);
}

}  // namespace
