#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/server/web_port.h"

namespace web_port {
namespace {

std::string get(const std::string& path, const std::string& more = "Connection: close\r\n") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

TEST_CASE("GET and HEAD of the HTTP pages are answered") {
  WebPort port;
  port.status.why_not_serving = "looking for a leader";
  port.run([&]() -> Task {
    std::string answer = co_await port.answer(get("/status"));
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(contains(answer, "Content-Type: application/json\r\n"));
    CHECK(contains(answer, "Cache-Control: no-store\r\n"));
    CHECK(nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")))["role"] == "looking");

    port.status.now.serving = false;
    answer = co_await port.answer(get("/health/ready"));
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(contains(answer, "looking for a leader"));
    CHECK((co_await port.answer(get("/health/live"))).starts_with("HTTP/1.1 200 "));
    CHECK((co_await port.answer(get("/"))).starts_with("HTTP/1.1 200 "));
    CHECK((co_await port.answer(get("/nothing"))).starts_with("HTTP/1.1 404 "));

    answer = co_await port.answer(
        "DELETE /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 405 "));
    CHECK(contains(answer, "Allow: GET, HEAD\r\n"));

    answer = co_await port.answer(
        "HEAD /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 200 "));
    CHECK(answer.ends_with("\r\n\r\n"));

    CHECK((co_await port.answer("GET /health/live HTTP/1.0\r\n\r\n")).starts_with("HTTP/1.0 200 "));
  });
}

std::string post(const std::string& path, const std::string& more = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n";
}

TEST_CASE("an admin command is answered when it is done, and continues after the timeout") {
  WebPort port;
  port.options.limits.command_timeout = std::chrono::milliseconds(50);
  server::AdminCommands::Done done;
  port.status.known.add("at-once", {"to"}, [](const auto& arguments, const auto& done_with) {
    done_with(
        {200, "text/plain", arguments.contains("to") ? arguments.find("to")->second : "nobody"});
  });
  port.status.known.add("later", {}, [&](const auto&, auto done_with) {
    web_port::asio::post(port.io, [done_with] { done_with({200, "text/plain", "done"}); });
  });
  port.status.known.add("never", {},
                        [&](const auto&, auto done_with) { done = std::move(done_with); });
  port.run([&]() -> Task {
    CHECK((co_await port.answer(post("/admin/at-once"))).ends_with("\r\n\r\nnobody"));
    CHECK((co_await port.answer(post("/admin/at-once?to=7"))).ends_with("\r\n\r\n7"));
    CHECK((co_await port.answer(post("/admin/later"))).ends_with("\r\n\r\ndone"));
    CHECK((co_await port.answer(post("/admin/never"))).starts_with("HTTP/1.1 504 "));
    done({200, "text/plain", "too late"});

    CHECK((co_await port.answer(post("/admin/none"))).starts_with("HTTP/1.1 404 "));
    for (const char* query : {"?", "?to", "?=1", "?to=1&to=2", "?by=1", "?to=1&by=2"}) {
      CAPTURE(query);
      const bool is_none = std::string_view(query) == "?";
      const std::string answer = co_await port.answer(post("/admin/at-once" + std::string(query)));
      CHECK(answer.starts_with(is_none ? "HTTP/1.1 200 " : "HTTP/1.1 400 "));
    }
    CHECK((co_await port.answer(post("/admin/at-once", "Content-Length: 1\r\n")))
              .starts_with("HTTP/1.1 413 "));
    const std::string read = co_await port.answer(get("/admin/at-once"));
    CHECK(read.starts_with("HTTP/1.1 405 "));
    CHECK(contains(read, "Allow: POST\r\n"));
    CHECK((co_await port.answer(post("/admin/at-once", "X-Forwarded-For: 10.0.0.1\r\n")))
              .starts_with("HTTP/1.1 403 "));
    CHECK((co_await port.answer(post("/admin/at-once", "Via: 1.1 proxy\r\n")))
              .starts_with("HTTP/1.1 403 "));
  });
}

TEST_CASE("an HTTP connection is kept alive, and pipelined requests are answered") {
  WebPort port;
  port.run([&]() -> Task {
    Client client = co_await port.client(get("/health/live", ""));
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

TEST_CASE("malformed HTTP requests get an error response") {
  WebPort port;
  port.run([&]() -> Task {
    CHECK((co_await port.answer("rubbish\r\n\r\n")).starts_with("HTTP/1.1 400 "));
    CHECK((co_await port.answer("GET / HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 400 "));
    CHECK((co_await port.answer(get("/", "Content-Length: 1\r\n") + "x"))
              .starts_with("HTTP/1.1 413 "));
    CHECK((co_await port.answer(get("/", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"))
              .starts_with("HTTP/1.1 501 "));
    CHECK((co_await port.answer(get("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")))
              .starts_with("HTTP/1.1 400 "));
    CHECK((co_await port.answer(get("/", "X: " + std::string(100'000, 'x') + "\r\n")))
              .starts_with("HTTP/1.1 431 "));
    CHECK((co_await port.answer("GET /status HTTP/1.1\r\nHost: evil.example\r\n"
                                "Connection: close\r\n\r\n"))
              .starts_with("HTTP/1.1 421 "));
  });
}

// A proxy may take the second request for the body of the first (request smuggling).
TEST_CASE("a request whose end is ambiguous gets one error response and closes the connection") {
  struct Row {
    const char* what;
    std::string request;
    const char* status;
  };
  const std::string plain = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  WebPort port;
  port.run([&]() -> Task {
    for (const Row& row : {
             Row{"an unknown transfer encoding", plain + "Transfer-Encoding: xchunked\r\n\r\n",
                 "501"},
             Row{"chunked, then identity", plain + "Transfer-Encoding: chunked, identity\r\n\r\n",
                 "501"},
             Row{"an empty transfer encoding", plain + "transfer-encoding:\r\n\r\n", "501"},
             Row{"two transfer encodings",
                 plain + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
                 "501"},
             Row{"a folded transfer encoding", plain + "Transfer-Encoding:\r\n chunked\r\n\r\n",
                 "400"},
             Row{"a folded line", plain + "X: a\r\n b\r\n\r\n", "400"},
             Row{"a line folded with a tab", plain + "X: a\r\n\tContent-Length: 5\r\n\r\n", "400"},
             Row{"a folded first header", "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", "400"},
             Row{"two lengths", plain + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n", "400"},
             Row{"two equal lengths", plain + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
                 "400"},
             Row{"a list of lengths", plain + "Content-Length: 0, 0\r\n\r\n", "400"},
             Row{"a length with a sign", plain + "Content-Length: +0\r\n\r\n", "400"},
             Row{"a hexadecimal length", plain + "Content-Length: 0x2c\r\n\r\n", "400"},
             Row{"a length and an encoding",
                 plain + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
             Row{"a space before the colon", plain + "Content-Length : 44\r\n\r\n", "400"},
             Row{"a line without a colon", plain + "Content-Length\r\n\r\n", "400"},
             Row{"a line without a name", plain + ": 5\r\n\r\n", "400"},
             Row{"a bare LF in the header", plain + "X: a\nContent-Length: 44\r\n\r\n", "400"},
             Row{"a bare CR in the header", plain + "X: a\rContent-Length: 44\r\n\r\n", "400"},
             Row{"bare LFs only", "GET / HTTP/1.1\nHost: localhost\n\n", "400"},
             Row{"a bare LF behind the first line", "GET / HTTP/1.1\nHost: localhost\r\n\r\n",
                 "400"},
             Row{"a NUL", plain + "X: a" + std::string(1, '\0') + "b\r\n\r\n", "400"},
             Row{"HTTP/0.9", "GET /\r\n\r\n", "400"},
             Row{"HTTP/0.9 by its number", "GET / HTTP/0.9\r\nHost: localhost\r\n\r\n", "400"},
             Row{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", "400"},
             Row{"an empty line first", "\r\n" + plain + "\r\n", "400"},
             Row{"a space in the target", "GET / x HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"},
         }) {
      CAPTURE(std::string(row.what));
      const std::string answer = co_await port.answer(row.request + get("/health/live"));
      CHECK(answer.starts_with("HTTP/1.1 " + std::string(row.status)));
      CHECK_FALSE(contains(answer, "200 OK"));
      CHECK_FALSE(contains(answer, "\nHTTP/1.1 "));
    }
  });
}

TEST_CASE("a connection without a whole request header is closed at the timeout") {
  WebPort port;
  port.options.limits.header_timeout = std::chrono::milliseconds(50);
  port.run([&]() -> Task {
    CHECK((co_await port.answer("")).empty());
    CHECK(port.listener->counters().slow_heads == 0);  // no request had begun
    CHECK((co_await port.answer("GET / HTTP/1.1\r\nHost: loc")).empty());
    CHECK(port.listener->counters().slow_heads == 1);
  });
}

TEST_CASE("what a request of HTTP has here is charged, and given back") {
  const server::BudgetLimits small{server::unlimited, 100'000, 100'000};
  WebPort port;
  port.ledger = server::Ledger::make(0, {small, small, small, small});
  const auto used = [&] { return port.ledger->server(server::Budget::unfinished).used(); };
  port.run([&]() -> Task {
    const std::string begun = "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(6000, 'x');
    std::vector<Client> all;
    for (int i = 0; i < 5; ++i) all.push_back(co_await port.client(begun));
    co_await port.until([&] { return used() >= 5 * 6000; });
    CHECK(used() <= 5 * 16'384);
    for (int i = 0; i < 20; ++i) all.push_back(co_await port.client(begun));
    const auto counted = [&] {
      return port.ledger->counted(server::Budget::unfinished, server::Measure::closed);
    };
    co_await port.until([&] { return counted() > 0; });
    CHECK(used() <= 150'000);
    all.clear();
    co_await port.until([&] { return used() == 0; });
    CHECK((co_await port.answer(get("/health/live"))).starts_with("HTTP/1.1 200 "));
  });
}

// A server at its connection limit must still answer health checks.
TEST_CASE("a connection beyond the limit gets one HTTP response, and is closed") {
  WebPort port;
  port.options.connections_per_address = 2;
  port.run([&]() -> Task {
    Client first = co_await port.client(get("/health/live", ""));
    CHECK((co_await first.header()).starts_with("HTTP/1.1 200 "));
    Client second = co_await port.websocket();
    const std::string answer = co_await port.answer(get("/health/live", ""));
    CHECK(answer.starts_with("HTTP/1.1 200 "));
    CHECK(contains(answer, "Connection: close\r\n"));
    CHECK(port.listener->counters().refused == 0);
  });
}

TEST_CASE("idle connections beyond the limit do not keep health checks out") {
  WebPort port;
  port.options.connections_per_address = 1;
  port.options.kept_places = 4;
  port.run([&]() -> Task {
    std::vector<Client> idle;
    for (int i = 0; i < 50; ++i) {
      idle.push_back(co_await port.client());
      co_await port.until(
          [&] { return port.listener->counters().accepted == static_cast<std::uint64_t>(i) + 1; });
    }
    CHECK((co_await port.answer(get("/health/live"))).starts_with("HTTP/1.1 200 "));
    CHECK((co_await port.answer(get("/health/ready"))).starts_with("HTTP/1.1 200 "));
    CHECK((co_await idle[10].rest()).empty());  // its place went to another one
    CHECK(port.listener->counters().displaced >= 45);
  });
}

TEST_CASE("a WebSocket is refused in HTTP while too many are being refused") {
  WebPort port;
  port.options.connections_per_address = 1;
  port.options.kept_places = 2;
  port.run([&]() -> Task {
    Client first = co_await port.websocket();
    std::vector<Client> refused;
    for (int i = 0; i < 2; ++i) {
      refused.push_back(co_await port.websocket());
      CHECK(contains((co_await refused.back().frame()).value().payload, "TooManyConnections"));
    }
    const std::string answer = co_await port.answer(WebPort::upgrade_request());
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(contains(answer, "maxClientCnxns"));
    CHECK(port.listener->counters().refused == 3);
    CHECK((co_await port.answer(get("/health/live"))).starts_with("HTTP/1.1 200 "));
  });
}

TEST_CASE("a connection that is being refused is closed when another one takes its place") {
  WebPort port;
  port.options.connections_per_address = 1;
  port.options.kept_places = 1;
  port.options.limits.close_timeout = std::chrono::hours(1);
  port.run([&]() -> Task {
    Client first = co_await port.websocket();
    Client refused = co_await port.websocket();
    CHECK(contains((co_await refused.frame()).value().payload, "TooManyConnections"));
    Client slow = co_await port.client(WebPort::upgrade_request());
    CHECK((co_await slow.header()).starts_with("HTTP/1.1 503 "));  // the server waits for its end
    CHECK((co_await port.answer(get("/health/live"))).starts_with("HTTP/1.1 200 "));
    boost::system::error_code reset;
    for (int i = 0; i < 100 && !reset; ++i) {
      slow.socket().write_some(boost::asio::buffer("x", 1), reset);
    }
    CHECK(reset);
  });
}

TEST_CASE("the limit of all connections is kept, and 0 means no limit") {
  WebPort limited;
  limited.options.connections_max = 1;
  limited.run([&]() -> Task {
    Client first = co_await limited.websocket();
    Client second = co_await limited.websocket();
    CHECK(contains((co_await second.frame()).value().payload, "TooManyConnections"));
    CHECK(limited.listener->counters().accepted == 2);
    CHECK(limited.listener->counters().refused == 1);
  });
  WebPort open;
  open.options.connections_max = 0;
  open.options.connections_per_address = 0;
  open.run([&]() -> Task {
    Client first = co_await open.websocket();
    Client second = co_await open.websocket();
    co_await open.until([&] { return open.handler.events.size() == 2; });
    CHECK(open.listener->counters().refused == 0);
  });
}

TEST_CASE("a stopped listener accepts no connection, closes HTTP and keeps WebSockets") {
  WebPort port;
  port.run([&]() -> Task {
    Client idle = co_await port.client(get("/health/live", ""));
    (void)co_await idle.header();
    Client client = co_await port.websocket();
    co_await port.until_last_event_is("opened");

    port.listener->stop();
    CHECK(co_await idle.rest() == "{\"live\":true}\n");
    boost::asio::ip::tcp::socket late(port.io);
    const auto [error] =
        co_await late.async_connect({boost::asio::ip::address_v4::loopback(), port.port()},
                                    boost::asio::as_tuple(boost::asio::use_awaitable));
    CHECK(error == boost::asio::error::connection_refused);

    port.handler.connection->send(web_port::message("bye"));
    CHECK((co_await client.frame()).value().payload == web_port::json("bye"));
  });
}

TEST_CASE("an address that cannot be bound is explained") {
  WebPort port;
  port.run([&]() -> Task {
    server::ListenerOptions options = port.options;
    options.web.port = port.port();
    server::Listener second(port.io, options, port.handler, port.status.handlers(), port.ledger);
    CHECK(second.start() == "port " + std::to_string(port.port()) +
                                " on 127.0.0.1 is in use by another process; choose another with "
                                "webPort=");
    options.web.host = "203.0.113.1";
    server::Listener elsewhere(port.io, options, port.handler, port.status.handlers(), port.ledger);
    CHECK(elsewhere.start().value_or("").starts_with("this machine has no address 203.0.113.1"));
    co_return;
  });
}

}  // namespace
}  // namespace web_port
