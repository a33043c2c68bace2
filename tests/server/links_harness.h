#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
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
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "server/logging/limited_log.h"
#include "server/peers/frame.h"
#include "server/peers/greeting.h"
#include "server/peers/links.h"

// Servers with links on loopback, and other ends that send and receive any frames.
namespace links_harness {

namespace asio = boost::asio;
using asio::ip::tcp;
using Task = asio::awaitable<void>;

// Collects what is logged while it exists.
class Log {
 public:
  Log() : before_(spdlog::default_logger()) {
    begin_limits_anew();
    const auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(text_);
    const auto logger = std::make_shared<spdlog::logger>("links", sink);
    logger->set_pattern("%v");
    spdlog::set_default_logger(logger);
  }
  ~Log() { spdlog::set_default_logger(before_); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // How often the log contains `words`.
  [[nodiscard]] std::size_t count(const std::string& words) const {
    const std::string text = text_.str();
    std::size_t found = 0;
    for (std::size_t at = text.find(words); at != std::string::npos;
         at = text.find(words, at + 1)) {
      found += 1;
    }
    return found;
  }
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  // Lines of earlier tests do not count against the limit of a second.
  static void begin_limits_anew() {
    static auto later = std::chrono::steady_clock::now() + std::chrono::hours(1);
    later += std::chrono::seconds(2);
    for (const server::LineKind kind :
         {server::LineKind::link_changed, server::LineKind::greeting_refused,
          server::LineKind::dial_failed}) {
      server::limited_log().line(kind, spdlog::level::debug, "a test begins", later);
    }
  }

  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

// The other end of a connection. It sends and receives any frames.
class RawPeer {
 public:
  explicit RawPeer(tcp::socket socket) : socket_(std::move(socket)) {}

  asio::awaitable<bool> send(wire::Bytes content) {
    wire::Bytes frame;
    server::append_frame(content, frame);
    co_return co_await send_bytes(std::move(frame));
  }
  asio::awaitable<bool> send_bytes(std::string bytes) {
    const auto [error, count] = co_await asio::async_write(socket_, asio::buffer(bytes), use_tuple);
    co_return !error;
  }
  // The content of the next frame; nothing once the connection is closed.
  asio::awaitable<std::optional<wire::Bytes>> receive() {
    wire::Bytes header(server::frame_header_bytes, '\0');
    const auto [error, count] = co_await asio::async_read(socket_, asio::buffer(header), use_tuple);
    if (error) co_return std::nullopt;
    wire::Bytes content(server::announced_bytes(header), '\0');
    const auto [cut, more] = co_await asio::async_read(socket_, asio::buffer(content), use_tuple);
    if (cut) co_return std::nullopt;
    co_return content;
  }
  // The sentence of the next frame, which has to be a GreetingRefused.
  asio::awaitable<std::string> receive_refused() {
    const auto content = co_await receive();
    REQUIRE(content.has_value());
    const auto greeting = server::decode_greeting(*content);
    REQUIRE(greeting.has_value());
    REQUIRE(std::holds_alternative<server::GreetingRefused>(greeting->content));
    co_return std::get<server::GreetingRefused>(greeting->content).sentence;
  }
  void close() { socket_.close(); }

 private:
  static constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
  tcp::socket socket_;
};

// One server's links, and what it does with them.
struct TestServer {
  wire::Level level;
  zab::ClusterId cluster;
  std::size_t ups = 0;
  std::size_t downs = 0;
  bool has_no_memory = false;  // for what is received
  std::vector<server::PeerMessage> received;
  std::unique_ptr<server::Links> links;

  [[nodiscard]] bool linked_with(std::uint32_t id) const {
    return links->program_of({id}).has_value();
  }
};

class Network {
 public:
  asio::io_context io{1};  // is destroyed last
  Log log;

  // Options of server `id` of an ensemble of three. Tests may change them before `start`.
  server::Links::Options options(std::uint32_t id) {
    server::Links::Options chosen{{id}, {}, std::chrono::milliseconds(50), 100};
    for (const std::uint32_t other : {1U, 2U, 3U}) {
      chosen.servers.push_back({other, {"127.0.0.1", port(other)}});
    }
    chosen.program = "zabkeeper 0.2.0";
    return chosen;
  }

  TestServer& start(server::Links::Options chosen, wire::Level level = {}) {
    auto started = std::make_unique<TestServer>();
    TestServer& it = *started;
    servers_.push_back(std::move(started));
    it.level = level;
    it.links = std::make_unique<server::Links>(io, std::move(chosen),
                                               server::Links::Callbacks{
                                                   .up = [&it](auto, auto) { it.ups += 1; },
                                                   .down = [&it](auto) { it.downs += 1; },
                                                   .received =
                                                       [&it](auto, auto&& message) {
                                                         if (it.has_no_memory)
                                                           throw std::bad_alloc();
                                                         it.received.push_back(std::move(message));
                                                       },
                                                   .drained = [](auto) {},
                                                   .cluster = [&it] { return it.cluster; },
                                                   .level = [&it] { return it.level; },
                                               });
    REQUIRE(it.links->start().has_value());
    return it;
  }

  // The port of the lines of server `id`. It was free a moment ago.
  std::uint16_t port(std::uint32_t id) {
    std::uint16_t& chosen = ports_[id];
    if (chosen == 0) {
      chosen = tcp::acceptor(io, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
    }
    return chosen;
  }

  // A connection to the port of server `id`.
  asio::awaitable<RawPeer> dial(std::uint32_t id) {
    tcp::socket socket(io);
    co_await socket.async_connect({asio::ip::address_v4::loopback(), port(id)},
                                  asio::use_awaitable);
    co_return RawPeer(std::move(socket));
  }

  // A listener in the place of server `id`.
  tcp::acceptor listen_as(std::uint32_t id) {
    return tcp::acceptor(io, {asio::ip::address_v4::loopback(), port(id)});
  }
  asio::awaitable<RawPeer> accept(tcp::acceptor& acceptor) {
    co_return RawPeer(co_await acceptor.async_accept(asio::use_awaitable));
  }

  // A greeting that the servers of `options` accept.
  server::Greeting greeting(std::uint32_t from, std::uint32_t to) {
    return {{from},
            {to},
            server::fingerprint(options(from).servers),
            {},
            {2, 3},
            {{0}, {1}},
            {0},
            "zabkeeper 0.3.0"};
  }
  static wire::Bytes bytes_of(const server::Greeting& greeting, server::GreetingForm form) {
    wire::Bytes bytes;
    server::encode(greeting, form, bytes);
    return bytes;
  }

  // Waits until `fact()` is true. The watchdog ends a test that waits for ever.
  template <typename Fact>
  Task until(Fact fact) {
    while (!fact()) co_await asio::post(io, asio::use_awaitable);
  }

  // Runs a task from its beginning to its end, in one thread with the servers.
  void run(const std::function<Task()>& task) {
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
    CAPTURE(log.text());
    CHECK_FALSE(hangs);
    servers_.clear();
    if (failure) std::rethrow_exception(failure);
  }

 private:
  std::map<std::uint32_t, std::uint16_t> ports_;
  std::vector<std::unique_ptr<TestServer>> servers_;
};

inline wire::Bytes confirmation() {
  wire::Bytes bytes;
  server::encode(server::KeepAlive{}, bytes);
  return bytes;
}

// Greets server `to` with fields, takes its answer, and does not confirm yet.
inline asio::awaitable<RawPeer> half_greeted(Network& network, std::uint32_t from, std::uint32_t to,
                                             std::uint64_t instance = 0) {
  RawPeer peer = co_await network.dial(to);
  server::Greeting first = network.greeting(from, to);
  first.instance = instance;
  co_await peer.send(Network::bytes_of(first, server::GreetingForm::fields));
  const auto answer = co_await peer.receive();
  REQUIRE(answer.has_value());
  const auto greeting = server::decode_greeting(*answer);
  CHECK(greeting->form == server::GreetingForm::fields);
  CHECK(std::get<server::Greeting>(greeting->content).from == zab::ServerId{to});
  co_return peer;
}

}  // namespace links_harness
