#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include "server/admin/commands.h"
#include "server/admin/pages.h"
#include "server/clients/listener.h"

// A listener on loopback whose clients' frames go to a script, and clients that can say any bytes.
namespace edge {

namespace asio = boost::asio;
using asio::ip::tcp;
using Story = asio::awaitable<void>;

struct FixedStatus {
  server::Status now;
  server::AdminCommands known;

  // Valid as long as this is.
  [[nodiscard]] server::HttpHandlers handlers() const {
    return {[this](std::string_view method, std::string_view target) {
              return server::page(method, target,
                                  {[this] { return now; }, [] { return std::string(); }});
            },
            [this](std::string_view target, server::AdminCommands::Done done) {
              known.run(target, std::move(done));
            }};
  }
};

// Remembers what it is told, and does what a test wants on the way.
struct Script : server::ClientHandler {
  std::vector<std::string> told;
  std::vector<wire::ParsedFrame> frames;
  std::shared_ptr<server::ClientConnection> connection;  // the last that was opened
  std::function<void(server::ClientConnection&)> on_open = [](auto&) {};
  std::function<void(server::ClientConnection&)> on_frame = [](auto&) {};

  void opened(const std::shared_ptr<server::ClientConnection>& fresh) override {
    told.emplace_back("opened");
    connection = fresh;
    on_open(*fresh);
  }
  void received(server::ClientConnection& from, wire::ParsedFrame frame) override {
    told.push_back("received " + std::to_string(frame.requests.size()));
    frames.push_back(std::move(frame));
    on_frame(from);
  }
  void alive(server::ClientConnection&) override { told.emplace_back("heard"); }
  void closed(server::ClientConnection&) override { told.emplace_back("closed"); }
};

// A frame as a client receives it.
struct Frame {
  int opcode = 0;
  std::string payload;

  // Of a close frame.
  [[nodiscard]] int code() const {
    REQUIRE(payload.size() >= 2);
    return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  }
};

enum Opcode { continuation = 0, text = 1, binary = 2, close_frame = 8, ping = 9, pong = 10 };
enum class Mask { yes, no };

// A frame as a client sends it. `first_byte` has the FIN bit, unless a test clears it.
inline std::string frame(int opcode, std::string_view payload, Mask mask = Mask::yes,
                         int first_byte = 0x80) {
  std::string out{static_cast<char>(first_byte | opcode)};
  const int mask_bit = mask == Mask::yes ? 0x80 : 0;
  const auto append = [&](std::size_t size, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
  };
  if (payload.size() < 126) {
    out += static_cast<char>(mask_bit | static_cast<int>(payload.size()));
  } else if (payload.size() < 65'536) {
    out += static_cast<char>(mask_bit | 126);
    append(payload.size(), 2);
  } else {
    out += static_cast<char>(mask_bit | 127);
    append(payload.size(), 8);
  }
  if (mask == Mask::no) return out.append(payload);
  const std::string key = "\x37\xfa\x21\x3d";
  out += key;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out += static_cast<char>(payload[i] ^ key[i % 4]);
  }
  return out;
}

class Client {
 public:
  explicit Client(asio::io_context& io) : socket_(io) {}

  Story connect(std::uint16_t port) {
    co_await socket_.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  }

  Story send(std::string bytes) {
    co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
  }

  // Everything until the server hangs up.
  asio::awaitable<std::string> rest() {
    for (bool more = true; more;) more = co_await receive();
    co_return std::exchange(received_, {});
  }

  // A response's header, or whatever came of one before the server hung up.
  asio::awaitable<std::string> header() {
    for (bool more = true; more && received_.find("\r\n\r\n") == std::string::npos;) {
      more = co_await receive();
    }
    const std::size_t end = received_.find("\r\n\r\n");
    co_return take(end == std::string::npos ? received_.size() : end + 4);
  }

  asio::awaitable<std::string> body(std::size_t size) {
    co_await need(size);
    co_return take(size);
  }

  // The next frame; opcode -1 once the server has hung up.
  asio::awaitable<Frame> frame() {
    const bool any = co_await need(2);
    if (!any) co_return Frame{-1, {}};
    Frame got{received_[0] & 0x0f, {}};
    CHECK((received_[0] & 0xf0) == 0x80);  // whole messages, no extensions
    std::size_t size = static_cast<unsigned char>(received_[1]);
    REQUIRE(size <= 127);  // a server does not mask
    (void)take(2);
    if (size >= 126) {
      const std::size_t length_bytes = size == 126 ? 2 : 8;
      co_await need(length_bytes);
      size = 0;
      for (const char c : take(length_bytes)) size = size << 8 | static_cast<unsigned char>(c);
    }
    const bool whole = co_await need(size);
    REQUIRE(whole);
    got.payload = take(size);
    co_return got;
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
  asio::awaitable<bool> need(std::size_t size) {
    // (g++ 12 does not survive a co_await in the condition of a loop.)
    for (bool more = true; more && received_.size() < size;) more = co_await receive();
    co_return received_.size() >= size;
  }
  std::string take(std::size_t size) {
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
  }

  tcp::socket socket_;
  std::string received_;
};

// The test is run twice: so many threads read from clients and write to them.
inline std::uint32_t either_way() {
  std::uint32_t io_threads = 0;
  SUBCASE("on the event loop") {}
  SUBCASE("on threads of their own") { io_threads = 2; }
  return io_threads;
}

struct Edge {
  explicit Edge(std::uint32_t io_threads = 0) {
    config.io_threads = io_threads;
    config.web.port = 0;
    status.now.serving = true;
  }

  asio::io_context io{1};  // goes last: the script holds a connection
  server::Config config;
  server::ClientLimits limits;
  Script script;
  FixedStatus status;
  std::unique_ptr<server::Listener> listener;

  // Tells a story from the first connection to the end, in one thread with the server.
  void run(const std::function<Story()>& story) {
    listener = std::make_unique<server::Listener>(io, config, script, status.handlers(), limits);
    REQUIRE(listener->start() == std::nullopt);
    REQUIRE(listener->bound().port != 0);
    bool hangs = false;
    asio::steady_timer watchdog(io, std::chrono::seconds(30));
    watchdog.async_wait([&](const boost::system::error_code& cancelled) {
      hangs = !cancelled;
      if (hangs) io.stop();
    });
    std::exception_ptr failure;
    asio::co_spawn(io, story(), [&](std::exception_ptr thrown) {
      failure = std::move(thrown);
      io.stop();
    });
    io.run();
    CHECK_FALSE(hangs);
    if (failure) std::rethrow_exception(failure);
  }

  [[nodiscard]] std::uint16_t port() const { return listener->bound().port; }

  // Until it is so; the watchdog sees to it that this ends.
  template <typename Fact>
  Story until(Fact fact) {
    while (!fact()) co_await asio::post(io, asio::use_awaitable);
  }
  Story until_told(std::string what) {
    co_await until([&] { return !script.told.empty() && script.told.back() == what; });
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

  // The whole answer to a request, after which the server hung up.
  asio::awaitable<std::string> answer(std::string request) {
    Client fresh = co_await client(std::move(request));
    co_return co_await fresh.rest();
  }
};

inline wire::ServerMessage event(std::string reason) { return wire::GoAway{std::move(reason)}; }
inline std::string json(const std::string& reason) {
  std::string out;
  wire::json::write(event(reason), out);
  return out;
}

}  // namespace edge
