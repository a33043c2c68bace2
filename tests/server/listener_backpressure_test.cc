#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/detached.hpp>

#include "tests/server/web_port.h"

// Clients that send more than the server handles, or receive less than it sends: over real sockets,
// and with I/O threads.
namespace web_port {
namespace {

using client_frames::a_request;
using client_frames::close;
using client_frames::frame;
using client_frames::text;
using server::ClientConnection;
using server::CloseCode;
using server::Opcode;
using Events = std::vector<std::string>;

TEST_CASE("a client that does not receive its messages is disconnected") {
  WebPort port(with_and_without_threads());
  port.options.limits.queued_bytes_max = 100'000;
  port.options.limits.close_timeout = std::chrono::milliseconds(50);
  const std::string large(10'000, 'x');
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    co_await port.until_last_event_is("opened");
    std::size_t most = 0;
    while (port.handler.events.back() != "closed") {
      port.handler.connection->send(message(large));
      most = std::max(most, port.handler.connection->queued_bytes());
      co_await boost::asio::post(port.io, boost::asio::use_awaitable);
    }
    CHECK(most > 90'000);
    CHECK(most < 120'000);
    CHECK(port.handler.events == Events{"opened", "closed"});
    CHECK(port.listener->counters().too_slow == 1);
  });
}

TEST_CASE("a client that receives too little before a close is disconnected at the timeout") {
  WebPort port(with_and_without_threads());
  port.options.limits.drain_timeout = std::chrono::milliseconds(50);
  port.handler.on_open = [&](ClientConnection& connection) {
    connection.send(message(std::string(15'000'000, 'x')));
    connection.close(CloseCode::going_away, "shutdown");
  };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    co_await port.until_last_event_is("closed");
    CHECK(port.handler.events == Events{"opened", "closed"});
  });
}

TEST_CASE("no request of a paused connection is reported until it is resumed") {
  WebPort port(with_and_without_threads());
  port.handler.on_frame = [](ClientConnection& connection) { connection.pause(); };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    co_await client.send(text(a_request) + text(a_request));
    co_await port.until_last_event_is("received 1");
    for (int i = 0; i < 3; ++i) {  // others are served meanwhile
      (void)co_await port.answer("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    }
    CHECK(port.handler.events == Events{"opened", "received 1"});
    port.handler.connection->resume();
    co_await port.until([&] { return port.handler.events.size() == 3; });
    CHECK(port.handler.events.back() == "received 1");

    port.handler.connection->close(CloseCode::normal, "");  // paused again, and closes all the same
    CHECK((co_await client.frame()).value().opcode == Opcode::close);
    co_await client.send(close("\x03\xe8"));
    client.close();
    co_await port.until_last_event_is("closed");
  });
}

TEST_CASE("the requests of a paused client are reported before its close") {
  WebPort port(with_and_without_threads());
  port.handler.on_frame = [](ClientConnection& connection) { connection.pause(); };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    const std::string request = text(a_request);
    co_await client.send(request + request + request + close("\x03\xe8"));
    for (std::size_t count = 2; count <= 4; ++count) {
      co_await port.until([&] { return port.handler.events.size() == count; });
      CHECK(port.handler.events.back() == "received 1");
      port.handler.connection->resume();
    }
    CHECK(co_await client.frame() == a_frame(Opcode::close, "", 1000));
    client.close();
    co_await port.until_last_event_is("closed");
    CHECK(port.handler.events ==
          Events{"opened", "received 1", "received 1", "received 1", "closed"});
  });
}

TEST_CASE("a paused connection may be resumed at once, within the handler's call") {
  WebPort port(with_and_without_threads());
  port.handler.on_frame = [](ClientConnection& connection) {
    connection.pause();
    connection.resume();
  };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    std::string many;
    for (int i = 0; i < 5; ++i) many += text(a_request);
    co_await client.send(many + text(a_request).substr(0, 7));
    co_await port.until([&] { return port.handler.events.size() == 6; });
    co_await client.send(text(a_request).substr(7));
    co_await port.until([&] { return port.handler.events.size() == 7; });
  });
}

TEST_CASE("many requests of one client are all reported while the handler is slow") {
  WebPort port(with_and_without_threads());
  constexpr std::size_t requests = 500;
  port.handler.on_frame = [](ClientConnection& connection) { connection.pause(); };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    std::string many;
    for (std::size_t i = 0; i < requests; ++i) many += text(a_request);
    co_await client.send(std::move(many));
    for (std::size_t i = 0; i < requests; ++i) {
      co_await port.until([&] { return port.handler.events.size() == i + 2; });
      port.handler.connection->resume();
    }
    CHECK(port.handler.events.size() == requests + 1);
  });
}

TEST_CASE("backpressure applies to a client that sends pings but receives no pongs") {
  WebPort port(with_and_without_threads());
  constexpr std::size_t pings = 100'000;
  const auto payload = [](std::size_t i) { return std::to_string(i) + std::string(100, '.'); };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    client.socket().set_option(boost::asio::socket_base::receive_buffer_size(64 * 1024));
    std::string flood;
    for (std::size_t i = 0; i < pings; ++i) flood += frame(Opcode::ping, payload(i));
    boost::asio::co_spawn(port.io, client.send(std::move(flood)), boost::asio::detached);
    // Waits until no more events come.
    std::size_t events = 0;
    for (int quiet = 0; quiet < 1000; ++quiet) {
      if (std::exchange(events, port.handler.events.size()) != port.handler.events.size()) {
        quiet = 0;
      }
      co_await boost::asio::post(port.io, boost::asio::use_awaitable);
    }
    CHECK(events < pings);
    for (std::size_t i = 0; i < pings; ++i) {
      const auto pong = co_await client.frame();
      if (pong != a_frame(Opcode::pong, payload(i))) FAIL("not the next pong: ", i);
    }
  });
}

TEST_CASE("a slow client receives all messages, in order, with pongs between them") {
  WebPort port(with_and_without_threads());
  std::vector<std::string> reasons;
  port.handler.on_frame = [&](ClientConnection& connection) {
    for (int i = 0; i < 40; ++i) {
      reasons.push_back(std::to_string(reasons.size()) + std::string(200'000, 'x'));
      connection.send(message(reasons.back()));
    }
  };
  port.run([&]() -> Task {
    Client client = co_await port.websocket();
    co_await client.send(text(a_request));
    co_await port.until([&] { return reasons.size() == 40; });
    co_await client.send(frame(Opcode::ping, "now") + text(a_request));
    bool pong_came = false;
    for (std::size_t i = 0; i < 80;) {
      const auto got = co_await client.frame();
      REQUIRE(got);
      if (got->opcode == Opcode::pong) {
        pong_came = true;
      } else {
        REQUIRE(got->payload == json(reasons.at(i)));
        ++i;
      }
    }
    CHECK(pong_came);
    co_await port.until([&] { return port.handler.connection->queued_bytes() == 0; });
  });
}

TEST_CASE("an event for many clients reaches each of them") {
  WebPort port(with_and_without_threads());
  port.options.connections_per_address = 0;
  std::vector<std::shared_ptr<ClientConnection>> all;
  port.handler.on_open = [&](ClientConnection&) { all.push_back(port.handler.connection); };
  port.run([&]() -> Task {
    std::vector<Client> clients;
    for (int i = 0; i < 200; ++i) clients.push_back(co_await port.websocket());
    co_await port.until([&] { return all.size() == clients.size(); });
    for (int round = 0; round < 3; ++round) {
      for (const auto& connection : all) connection->send(message("change"));
      clients[static_cast<std::size_t>(round)].reset();
      for (std::size_t i = 3; i < clients.size(); ++i) {
        CHECK(co_await clients[i].frame() == a_frame(Opcode::text, json("change")));
      }
    }
  });
}

}  // namespace
}  // namespace web_port
