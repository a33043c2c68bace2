#include <string>

#include <nlohmann/json.hpp>

#include "tests/server/listener_harness.h"

namespace {

using edge::Client;
using edge::Edge;
using edge::Story;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string get(const std::string& path, const std::string& more = "Connection: close\r\n") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

TEST_CASE("plain HTTP answers") {
  Edge edge;
  edge.status.now.why_not_serving = "looking for a leader";
  edge.run([&]() -> Story {
    std::string answer = co_await edge.answer(get("/status"));
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(contains(answer, "Content-Type: application/json\r\n"));
    CHECK(contains(answer, "Cache-Control: no-store\r\n"));
    CHECK(nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")))["role"] == "looking");

    edge.status.now.serving = false;
    answer = co_await edge.answer(get("/health/ready"));
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(contains(answer, "looking for a leader"));
    CHECK((co_await edge.answer(get("/health/live"))).starts_with("HTTP/1.1 200 "));
    CHECK((co_await edge.answer(get("/"))).starts_with("HTTP/1.1 200 "));
    CHECK((co_await edge.answer(get("/nothing"))).starts_with("HTTP/1.1 404 "));

    answer = co_await edge.answer(
        "DELETE /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 405 "));
    CHECK(contains(answer, "Allow: GET, HEAD\r\n"));

    answer = co_await edge.answer(
        "HEAD /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 200 "));
    CHECK(answer.ends_with("\r\n\r\n"));

    CHECK((co_await edge.answer("GET /health/live HTTP/1.0\r\n\r\n")).starts_with("HTTP/1.0 200 "));
  });
}

std::string post(const std::string& path, const std::string& more = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n";
}

TEST_CASE("a command is answered when it is done, and goes on without its client") {
  Edge edge;
  edge.limits.command_timeout = std::chrono::milliseconds(50);
  server::AdminCommands::Done done;
  edge.status.known.add("at-once", {"to"}, [](const auto& arguments, const auto& say) {
    say({200, "text/plain", arguments.contains("to") ? arguments.find("to")->second : "nobody"});
  });
  edge.status.known.add("later", {}, [&](const auto&, auto say) {
    edge::asio::post(edge.io, [say] { say({200, "text/plain", "done"}); });
  });
  edge.status.known.add("never", {}, [&](const auto&, auto say) { done = std::move(say); });
  edge.run([&]() -> Story {
    CHECK((co_await edge.answer(post("/admin/at-once"))).ends_with("\r\n\r\nnobody"));
    CHECK((co_await edge.answer(post("/admin/at-once?to=7"))).ends_with("\r\n\r\n7"));
    CHECK((co_await edge.answer(post("/admin/later"))).ends_with("\r\n\r\ndone"));
    CHECK((co_await edge.answer(post("/admin/never"))).starts_with("HTTP/1.1 504 "));
    done({200, "text/plain", "too late"});

    CHECK((co_await edge.answer(post("/admin/none"))).starts_with("HTTP/1.1 404 "));
    for (const char* query : {"?", "?to", "?=1", "?to=1&to=2", "?by=1", "?to=1&by=2"}) {
      CAPTURE(query);
      const bool is_none = std::string_view(query) == "?";
      const std::string answer = co_await edge.answer(post("/admin/at-once" + std::string(query)));
      CHECK(answer.starts_with(is_none ? "HTTP/1.1 200 " : "HTTP/1.1 400 "));
    }
    CHECK((co_await edge.answer(post("/admin/at-once", "Content-Length: 1\r\n")))
              .starts_with("HTTP/1.1 413 "));
    const std::string read = co_await edge.answer(get("/admin/at-once"));
    CHECK(read.starts_with("HTTP/1.1 405 "));
    CHECK(contains(read, "Allow: POST\r\n"));
    CHECK((co_await edge.answer(post("/admin/at-once", "X-Forwarded-For: 10.0.0.1\r\n")))
              .starts_with("HTTP/1.1 403 "));
    CHECK((co_await edge.answer(post("/admin/at-once", "Via: 1.1 proxy\r\n")))
              .starts_with("HTTP/1.1 403 "));
  });
}

TEST_CASE("a connection is kept for further requests, pipelined ones too") {
  Edge edge;
  edge.run([&]() -> Story {
    Client client = co_await edge.client(get("/health/live", ""));
    for (int i = 0; i < 3; ++i) {
      CHECK((co_await client.header()).starts_with("HTTP/1.1 200 "));
      CHECK(co_await client.body(14) == "{\"live\":true}\n");
      co_await client.send(get("/health/live", ""));
    }
    co_await client.send(get("/health/live", "") + get("/nothing"));
    const std::string rest = co_await client.rest();
    CHECK(contains(rest, "HTTP/1.1 200 "));
    CHECK(contains(rest, "HTTP/1.1 404 "));
  });
}

TEST_CASE("what is no proper request is told so") {
  Edge edge;
  edge.run([&]() -> Story {
    CHECK((co_await edge.answer("rubbish\r\n\r\n")).starts_with("HTTP/1.1 400 "));
    CHECK((co_await edge.answer("GET / HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 400 "));
    CHECK((co_await edge.answer(get("/", "Content-Length: 1\r\n") + "x"))
              .starts_with("HTTP/1.1 413 "));
    CHECK((co_await edge.answer(get("/", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"))
              .starts_with("HTTP/1.1 413 "));
    CHECK((co_await edge.answer(get("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")))
              .starts_with("HTTP/1.1 400 "));
    CHECK((co_await edge.answer(get("/", "X: " + std::string(100'000, 'x') + "\r\n")))
              .starts_with("HTTP/1.1 431 "));
    CHECK((co_await edge.answer("GET /status HTTP/1.1\r\nHost: evil.example\r\n"
                                "Connection: close\r\n\r\n"))
              .starts_with("HTTP/1.1 421 "));
  });
}

TEST_CASE("a header that does not come is not waited for") {
  Edge edge;
  edge.limits.header_timeout = std::chrono::milliseconds(50);
  edge.run([&]() -> Story {
    CHECK((co_await edge.answer("")).empty());
    CHECK((co_await edge.answer("GET / HTTP/1.1\r\nHost: loc")).empty());
  });
}

// Whoever watches over a server, or restarts one that does not answer, must hear of it then too.
TEST_CASE("beyond the limit of connections HTTP is answered once") {
  Edge edge;
  edge.config.max_client_connections = 2;
  edge.run([&]() -> Story {
    Client first = co_await edge.client(get("/health/live", ""));
    CHECK((co_await first.header()).starts_with("HTTP/1.1 200 "));
    Client second = co_await edge.websocket();
    const std::string answer = co_await edge.answer(get("/health/live", ""));
    CHECK(answer.starts_with("HTTP/1.1 200 "));
    CHECK(contains(answer, "Connection: close\r\n"));
    CHECK(edge.listener->counters().refused == 0);
  });
}

TEST_CASE("the limit of all connections holds as well, and 0 is none") {
  Edge limited;
  limited.config.max_connections = 1;
  limited.run([&]() -> Story {
    Client first = co_await limited.websocket();
    Client second = co_await limited.websocket();
    CHECK(contains((co_await second.frame()).payload, "TooManyConnections"));
    CHECK(limited.listener->counters().accepted == 2);
    CHECK(limited.listener->counters().refused == 1);
  });
  Edge open;
  open.config.max_connections = 0;
  open.config.max_client_connections = 0;
  open.run([&]() -> Story {
    Client first = co_await open.websocket();
    Client second = co_await open.websocket();
    co_await open.until([&] { return open.script.told.size() == 2; });
    CHECK(open.listener->counters().refused == 0);
  });
}

TEST_CASE("a stopped listener accepts nobody, ends HTTP and leaves WebSockets alone") {
  Edge edge;
  edge.run([&]() -> Story {
    Client idle = co_await edge.client(get("/health/live", ""));
    (void)co_await idle.header();
    Client client = co_await edge.websocket();
    co_await edge.until_told("opened");

    edge.listener->stop();
    CHECK(co_await idle.rest() == "{\"live\":true}\n");
    boost::asio::ip::tcp::socket late(edge.io);
    const auto [error] =
        co_await late.async_connect({boost::asio::ip::address_v4::loopback(), edge.port()},
                                    boost::asio::as_tuple(boost::asio::use_awaitable));
    CHECK(error == boost::asio::error::connection_refused);

    edge.script.connection->send(edge::event("bye"));
    CHECK((co_await client.frame()).payload == edge::json("bye"));
  });
}

TEST_CASE("an address that cannot be had is explained") {
  Edge edge;
  edge.run([&]() -> Story {
    server::Config config = edge.config;
    config.web.port = edge.port();
    server::Listener second(edge.io, config, edge.script, edge.status.handlers());
    CHECK(second.start() == "port " + std::to_string(edge.port()) +
                                " on 127.0.0.1 is in use by another process; choose another with "
                                "webPort=");
    config.web.host = "203.0.113.1";
    server::Listener elsewhere(edge.io, config, edge.script, edge.status.handlers());
    CHECK(elsewhere.start().value_or("").starts_with("this machine has no address 203.0.113.1"));
    co_return;
  });
}

}  // namespace
