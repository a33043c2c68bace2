#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include "server/admin/commands.h"
#include "server/admin/pages.h"
#include "server/clients/listener.h"
#include "tests/server/client_frames.h"

// A listener on loopback, a handler that records events, and clients that may send any bytes.
namespace web_port {

namespace asio = boost::asio;
using asio::ip::tcp;
using client_frames::Frame;
using client_frames::json;
using client_frames::message;
using server::Opcode;
using Task = asio::awaitable<void>;

struct FixedStatus {
  server::Status now;
  std::string why_not_serving;
  server::AdminCommands known;

  // Valid as long as this object exists.
  [[nodiscard]] server::HttpHandlers handlers() {
    return {[this](std::string_view method, std::string_view target) {
              server::RecentPages none;
              return server::page(method, target,
                                  {[this] { return now; }, [] { return std::string(); },
                                   [this] {
                                     return server::Readiness{now.serving, why_not_serving};
                                   }},
                                  none);
            },
            [this](std::string_view target, server::AdminCommands::Done done) {
              known.run(target, std::move(done));
            }};
  }
};

// Records the events of connections, and calls a test's functions for some of them.
struct RecordingHandler : server::ClientHandler {
  std::vector<std::string> events;
  std::vector<wire::ParsedFrame> frames;
  std::shared_ptr<server::ClientConnection> connection;  // the last that was opened
  std::function<void(server::ClientConnection&)> on_open = [](auto&) {};
  std::function<void(server::ClientConnection&)> on_frame = [](auto&) {};

  void opened(const std::shared_ptr<server::ClientConnection>& fresh) override {
    events.emplace_back("opened");
    connection = fresh;
    on_open(*fresh);
  }
  void received(server::ClientConnection& from, wire::ParsedFrame frame) override {
    events.push_back("received " + std::to_string(frame.requests.size()));
    frames.push_back(std::move(frame));
    on_frame(from);
  }
  void alive(server::ClientConnection&) override { events.emplace_back("alive"); }
  void closed(server::ClientConnection&) override { events.emplace_back("closed"); }
};

// A function, because g++ 12 destroys an aggregate twice if it is made in an expression with
// co_await.
inline Frame a_frame(Opcode opcode, std::string payload, std::uint16_t status = 0) {
  return {opcode, std::move(payload), status};
}

class Client {
 public:
  explicit Client(asio::io_context& io) : socket_(io) {}

  Task connect(std::uint16_t port) {
    co_await socket_.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  }

  Task send(std::string bytes) {
    co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
  }

  // Everything until the server closes its end.
  asio::awaitable<std::string> rest() {
    for (bool more = true; more;) more = co_await receive();
    co_return std::exchange(received_, {});
  }

  // The header of a response, or the part of it that came before the server closed its end.
  asio::awaitable<std::string> header() {
    for (bool more = true; more && received_.find("\r\n\r\n") == std::string::npos;) {
      more = co_await receive();
    }
    const std::size_t end = received_.find("\r\n\r\n");
    co_return take(end == std::string::npos ? received_.size() : end + 4);
  }

  asio::awaitable<std::string> body(std::size_t size) {
    for (bool more = true; more && received_.size() < size;) more = co_await receive();
    co_return take(size);
  }

  // The next frame; nothing once the server has closed its end.
  asio::awaitable<std::optional<Frame>> frame() {
    for (bool more = true; more && frames_.empty();) {
      if (received_.empty()) more = co_await receive();
      reader_->feed(received_);
      while (const auto incoming = reader_->next()) {
        const std::optional<Frame> frame = client_frames::to_frame(*incoming);
        REQUIRE(frame);
        frames_.push_back(*frame);
      }
      received_.clear();
    }
    if (frames_.empty()) co_return std::nullopt;
    Frame first = std::move(frames_.front());
    frames_.pop_front();
    co_return first;
  }

  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }
  void close() { socket_.close(); }
  tcp::socket& socket() { return socket_; }

 private:
  asio::awaitable<bool> receive() {
    char some[65'536];
    const auto [error, size] =
        co_await socket_.async_read_some(asio::buffer(some), asio::as_tuple(asio::use_awaitable));
    received_.append(some, size);
    co_return !error;
  }
  std::string take(std::size_t size) {
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
  }

  tcp::socket socket_;
  std::string received_;
  std::deque<Frame> frames_;
  std::unique_ptr<server::WebSocketReader> reader_ =
      std::make_unique<server::WebSocketReader>(100'000'000, server::Sender::server);
};

// Runs the test twice. Returns how many I/O threads to use.
inline std::uint32_t with_and_without_threads() {
  std::uint32_t io_threads = 0;
  SUBCASE("on the event loop") {}
  SUBCASE("on I/O threads") { io_threads = 2; }
  return io_threads;
}

struct WebPort {
  explicit WebPort(std::uint32_t io_threads = 0) {
    options.io_threads = io_threads;
    options.connections_per_address = 1000;
    options.gate.hosts = {"localhost"};
    status.now.serving = true;
  }

  asio::io_context io{1};  // is destroyed last: the handler holds a connection
  server::ListenerOptions options;
  RecordingHandler handler;
  FixedStatus status;
  std::shared_ptr<server::Ledger> ledger = server::Ledger::make(
      server::usual_memory_limit, server::budget_table(server::usual_memory_limit));
  std::unique_ptr<server::Listener> listener;

  // Runs a task from the first connection to the end, in one thread with the listener.
  void run(const std::function<Task()>& task) {
    listener = std::make_unique<server::Listener>(io, options, handler, status.handlers(), ledger);
    REQUIRE(listener->start() == std::nullopt);
    REQUIRE(listener->bound().port != 0);
    bool hangs = false;
    asio::steady_timer watchdog(io, std::chrono::seconds(30));
    watchdog.async_wait([&](const boost::system::error_code& cancelled) {
      hangs = !cancelled;
      if (hangs) io.stop();
    });
    std::exception_ptr failure;
    asio::co_spawn(io, task(), [&](std::exception_ptr thrown) {
      failure = std::move(thrown);
      io.stop();
    });
    io.run();
    CHECK_FALSE(hangs);
    if (failure) std::rethrow_exception(failure);
  }

  [[nodiscard]] std::uint16_t port() const { return listener->bound().port; }

  // Waits until `fact()` is true. The watchdog ends a test that waits for ever.
  template <typename Fact>
  Task until(Fact fact) {
    while (!fact()) co_await asio::post(io, asio::use_awaitable);
  }
  Task until_last_event_is(std::string event) {
    co_await until([&] { return !handler.events.empty() && handler.events.back() == event; });
  }

  // A client that has sent `bytes`.
  asio::awaitable<Client> client(std::string bytes = {}) {
    Client fresh(io);
    co_await fresh.connect(port());
    co_await fresh.send(std::move(bytes));
    co_return fresh;
  }

  static std::string upgrade_request(const std::string& more = {}) {
    return "GET /v1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           more + "\r\n";
  }

  // A client whose upgrade was answered with 101.
  asio::awaitable<Client> websocket(std::string more = {}) {
    Client fresh = co_await client(upgrade_request(more));
    const std::string header = co_await fresh.header();
    CHECK(header.starts_with("HTTP/1.1 101 "));
    co_return fresh;
  }

  // The whole response to a request after which the server closes the connection.
  asio::awaitable<std::string> answer(std::string request) {
    Client fresh = co_await client(std::move(request));
    co_return co_await fresh.rest();
  }
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace web_port
