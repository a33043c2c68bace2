#include "client-lib/transport.h"

#include <cstddef>
#include <deque>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>

namespace zabkeeper {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t write_bytes_max = 64 * 1024;
constexpr std::size_t read_bytes_max = 64 * 1024 * 1024;

auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace

// One connection, dialling, open or closed. Coroutines share it, so that the last of them may find
// it closed.
struct Transport::Socket {
  explicit Socket(asio::io_context& io) : resolver(io), stream(io), wake(io), alarm(io) {}

  void close(std::string reason) {
    if (closed) return;
    closed = true;
    why = std::move(reason);
    resolver.cancel();
    wake.cancel();
    alarm.cancel();
    error_code ignored;
    beast::get_lowest_layer(stream).socket().close(ignored);
  }

  tcp::resolver resolver;
  websocket::stream<beast::tcp_stream> stream;
  std::deque<std::string> outbox;
  asio::steady_timer wake;              // of the writer; cancelled when there is something to write
  asio::steady_timer alarm;             // of the silence watcher
  steady_clock::time_point heard_at;    // anything, pings included
  steady_clock::time_point message_at;  // a message
  steady_clock::time_point asked_at;    // our own ping
  tcp::resolver::results_type addresses;
  bool resolved = false;
  bool greeted = false;  // by a server that took the session
  bool closed = false;
  std::string why;
};

Transport::Transport(asio::io_context& io, Conversation& conversation, Hosts hosts,
                     TransportOptions options, Perform perform)
    : io_(io),
      conversation_(conversation),
      hosts_(std::move(hosts)),
      options_(options),
      perform_(std::move(perform)),
      pause_(io) {}

Transport::~Transport() = default;

void Transport::start() { asio::co_spawn(io_, run(), asio::detached); }

void Transport::stop() {
  stopped_ = true;
  pause_.cancel();
  if (socket_) socket_->close("stopped");
}

void Transport::carry_out(Actions actions) {
  for (Action& action : actions) {
    if (auto* send = std::get_if<Send>(&action)) {
      if (!socket_ || socket_->closed) continue;
      socket_->outbox.push_back(std::move(send->frame));
      socket_->wake.cancel();
    } else if (auto* close = std::get_if<CloseSocket>(&action)) {
      if (socket_) socket_->close(std::move(close->reason));
    } else {
      perform_(std::move(action));
    }
  }
}

asio::awaitable<void> Transport::run() {
  offline_since_ = steady_clock::now();
  while (!stopped_ && !conversation_.ended()) {
    const Hosts::Attempt attempt = hosts_.next();
    if (attempt.wait > milliseconds{0}) co_await sleep(attempt.wait);
    if (stopped_ || conversation_.ended()) break;

    socket_ = std::make_shared<Socket>(io_);
    const auto socket = socket_;
    co_await serve(socket, attempt.endpoint);
    socket->close("closed");
    carry_out(conversation_.socket_lost(attempt.endpoint.url() + ": " + socket->why));
    socket_.reset();

    if (socket->greeted) offline_since_ = steady_clock::now();
    if (steady_clock::now() - offline_since_ >= options_.give_up) {
      carry_out(conversation_.give_up(attempt.endpoint.url() + ": " + socket->why));
    }
  }
  carry_out(conversation_.give_up("stopped"));
}

// Apart from the rest, for a resolver cannot be hurried: an attempt whose time is up leaves it
// behind.
asio::awaitable<void> Transport::resolve(std::shared_ptr<Socket> socket, Endpoint endpoint) {
  error_code error;
  auto addresses = co_await socket->resolver.async_resolve(
      endpoint.address.host, std::to_string(endpoint.address.port), into(error));
  if (error) socket->close("resolving the name: " + error.message());
  socket->addresses = std::move(addresses);
  socket->resolved = true;
  socket->wake.cancel();
}

asio::awaitable<void> Transport::serve(std::shared_ptr<Socket> socket, Endpoint endpoint) {
  socket->heard_at = socket->message_at = socket->asked_at = steady_clock::now();
  asio::co_spawn(io_, watch_silence(socket), asio::detached);
  error_code error;
  const auto failed = [&](std::string_view doing) {
    if (error) socket->close(std::string(doing) + ": " + error.message());
    return socket->closed;
  };

  asio::co_spawn(io_, resolve(socket, endpoint), asio::detached);
  while (!socket->resolved && !socket->closed) {
    socket->wake.expires_after(std::chrono::hours(1));
    error_code ignored;
    co_await socket->wake.async_wait(into(ignored));
  }
  if (socket->closed) co_return;
  auto& tcp_stream = beast::get_lowest_layer(socket->stream);
  co_await tcp_stream.async_connect(socket->addresses, into(error));
  if (failed("connecting")) co_return;
  tcp_stream.socket().set_option(tcp::no_delay(true), error);

  socket->stream.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
    request.set(beast::http::field::user_agent, "zabkeeper-client");
    request.set(beast::http::field::sec_websocket_protocol, "zabkeeper.v1+json");
  }));
  socket->stream.read_message_max(read_bytes_max);
  socket->stream.control_callback(
      [weak = std::weak_ptr(socket)](websocket::frame_type, beast::string_view) {
        if (const auto alive = weak.lock()) alive->heard_at = steady_clock::now();
      });
  co_await socket->stream.async_handshake(to_string(endpoint.address), endpoint.target,
                                          into(error));
  if (failed("the WebSocket handshake")) co_return;

  carry_out(conversation_.socket_opened());
  asio::co_spawn(io_, write(socket), asio::detached);
  beast::flat_buffer buffer;
  while (!socket->closed) {
    co_await socket->stream.async_read(buffer, into(error));
    if (error == websocket::error::closed && socket->stream.reason().reason.size() > 0) {
      socket->close("the server closed: " + std::string(socket->stream.reason().reason.c_str()));
    }
    if (failed("reading")) co_return;
    socket->heard_at = socket->message_at = steady_clock::now();
    const auto bytes = buffer.cdata();
    const bool was_connected = conversation_.connected();
    carry_out(conversation_.received({static_cast<const char*>(bytes.data()), bytes.size()}));
    if (!was_connected && conversation_.connected()) {
      hosts_.succeeded();
      socket->greeted = true;
      socket->alarm.cancel();
    }
    buffer.consume(buffer.size());
  }
}

// One frame a time, as Beast wants it; what has gathered meanwhile leaves as one array.
asio::awaitable<void> Transport::write(std::shared_ptr<Socket> socket) {
  socket->stream.text(true);
  error_code error;
  while (!socket->closed) {
    if (socket->outbox.empty()) {
      socket->wake.expires_after(std::chrono::hours(1));
      co_await socket->wake.async_wait(into(error));
      continue;
    }
    std::string frame = std::move(socket->outbox.front());
    socket->outbox.pop_front();
    bool several = false;
    while (!socket->outbox.empty() &&
           frame.size() + socket->outbox.front().size() < write_bytes_max) {
      frame += ',';
      frame += socket->outbox.front();
      socket->outbox.pop_front();
      several = true;
    }
    if (several) frame = '[' + frame + ']';
    co_await socket->stream.async_write(asio::buffer(frame), into(error));
    if (error) socket->close("writing: " + error.message());
  }
}

// Before the greeting: the attempt's deadline. After it: a ping of our own after a third of the
// timeout without a message, and the end of the connection after two thirds without anything.
asio::awaitable<void> Transport::watch_silence(std::shared_ptr<Socket> socket) {
  const auto began = steady_clock::now();
  while (!socket->closed) {
    const auto now = steady_clock::now();
    auto wait_until = began + options_.attempt;
    if (conversation_.connected() && socket == socket_) {
      const milliseconds third(conversation_.timeout_ms() / 3);
      if (now - socket->heard_at >= 2 * third) {
        socket->close(
            "nothing heard for " +
            std::to_string(
                std::chrono::duration_cast<milliseconds>(now - socket->heard_at).count()) +
            " ms");
        co_return;
      }
      if (now - std::max(socket->message_at, socket->asked_at) >= third) {
        socket->asked_at = now;
        carry_out(conversation_.heartbeat());
      }
      wait_until = std::min(socket->heard_at + 2 * third,
                            std::max(socket->message_at, socket->asked_at) + third);
    } else if (now >= wait_until) {
      socket->close("no answer within " + std::to_string(options_.attempt.count()) + " ms");
      co_return;
    }
    socket->alarm.expires_at(wait_until);
    error_code ignored;
    co_await socket->alarm.async_wait(into(ignored));
  }
}

asio::awaitable<void> Transport::sleep(milliseconds duration) {
  pause_.expires_after(duration);
  error_code ignored;
  co_await pause_.async_wait(into(ignored));
}

}  // namespace zabkeeper
