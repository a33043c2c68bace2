#include "client-lib/transport.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
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
// A connection that lasts this long counts as a success.
constexpr milliseconds useful_time{1'000};
// Between pings while no server has promised to keep the session: after an election, for example.
// It doubles from ping to ping, because servers of older programs never promise anything.
constexpr milliseconds first_ping_interval{250};

// "HTTP 421: …", with the beginning of the page.
std::string declined_text(const websocket::response_type& response) {
  constexpr std::size_t words_max = 200;
  const std::string page = response.body().substr(0, words_max);
  const std::string line = page.substr(0, page.find_first_of("\r\n"));
  return "HTTP " + std::to_string(response.result_int()) + (line.empty() ? "" : ": " + line);
}

// Whether the server would decline the same handshake again.
bool is_permanent(unsigned http_status) {
  return http_status >= 400 && http_status < 500 && http_status != 408 && http_status != 429;
}

auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace

// One connection: opening, open or closed. Its coroutines share it. Each of them ends once
// the connection is closed.
struct Transport::Socket {
  explicit Socket(const asio::any_io_executor& strand)
      : resolver(strand), stream(strand), wake(strand), timer(strand) {}

  void close(std::string reason) {
    if (closed) return;
    closed = true;
    loss.reason = std::move(reason);
    resolver.cancel();
    wake.cancel();
    timer.cancel();
    error_code ignored;
    beast::get_lowest_layer(stream).socket().close(ignored);
  }

  tcp::resolver resolver;
  websocket::stream<beast::tcp_stream> stream;
  std::deque<std::string> outbox;
  asio::steady_timer wake;   // of the writer; cancelled when there is something to write
  asio::steady_timer timer;  // of watch_timeouts
  steady_clock::time_point received_at;  // anything, pings included
  steady_clock::time_point pinged_at;    // by a ping of our own
  steady_clock::time_point accepted_at;
  std::vector<tcp::endpoint> addresses;
  bool resolved = false;
  bool accepted = false;  // by a server, for this session
  bool closed = false;
  SocketLoss loss;
  unsigned declined_with = 0;  // the HTTP status of a handshake that was declined
};

Transport::Transport(asio::any_io_executor strand, Conversation& conversation, Hosts hosts,
                     TransportOptions options, Hooks hooks)
    : strand_(std::move(strand)),
      conversation_(conversation),
      hosts_(std::move(hosts)),
      options_(options),
      hooks_(std::move(hooks)),
      pause_(strand_),
      deadline_timer_(strand_) {}

Transport::~Transport() = default;

void Transport::start(std::weak_ptr<void> owner) {
  owner_ = std::move(owner);
  spawn(run());
}

void Transport::spawn(asio::awaitable<void> coroutine) {
  asio::co_spawn(strand_, std::move(coroutine),
                 [this, owner = owner_.lock()](const std::exception_ptr& exception) {
                   if (!exception) return;
                   try {
                     std::rethrow_exception(exception);
                   } catch (const std::exception& error) {
                     hooks_.failed(error.what());
                   }
                 });
}

void Transport::stop() {
  stopped_ = true;
  pause_.cancel();
  deadline_timer_.cancel();
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
    } else if (auto* learn = std::get_if<LearnServers>(&action)) {
      if (options_.follow_servers) hosts_.learn(learn->urls);
    } else {
      hooks_.perform(std::move(action));
    }
  }
  if (conversation_.deadline() != deadline_) await_deadline();
}

void Transport::await_deadline() {
  deadline_ = conversation_.deadline();
  hooks_.safe_until(deadline_);
  if (!deadline_ || stopped_) {
    deadline_timer_.cancel();
    return;
  }
  deadline_timer_.expires_at(*deadline_);
  deadline_timer_.async_wait([this, owner = owner_.lock()](error_code error) {
    if (error || stopped_) return;
    carry_out(conversation_.deadline_passed(steady_clock::now()));
    if (conversation_.ended()) pause_.cancel();
  });
}

// How long to wait before an attempt. The last attempt is when the time without a server is over,
// so that waiting requests are refused then and not later.
milliseconds Transport::until_attempt(milliseconds wait) const {
  const auto offline =
      std::chrono::duration_cast<milliseconds>(steady_clock::now() - offline_since_);
  if (offline >= options_.offline_timeout) return wait;
  return std::min(wait, options_.offline_timeout - offline);
}

asio::awaitable<void> Transport::run() {
  offline_since_ = steady_clock::now();
  while (!stopped_ && !conversation_.ended()) {
    const Hosts::Attempt attempt = hosts_.next();
    const milliseconds wait = until_attempt(attempt.wait);
    if (wait > milliseconds{0}) co_await sleep(wait);
    if (stopped_ || conversation_.ended()) break;

    socket_ = std::make_shared<Socket>(strand_);
    const auto socket = socket_;
    co_await serve(socket, attempt.endpoint);
    socket->close("closed");
    const std::string reason = attempt.endpoint.url() + ": " + socket->loss.reason;
    carry_out(conversation_.socket_lost(
        {reason, socket->loss.close_status, socket->loss.reply_too_large}));
    socket_.reset();

    if (socket->accepted) {
      offline_since_ = steady_clock::now();
      // A server that accepts sessions and loses them at once must not be asked without a pause.
      if (offline_since_ - socket->accepted_at >= useful_time) hosts_.succeeded();
    }
    declined_ = is_permanent(socket->declined_with) ? declined_ + 1 : 0;
    // Requests need not wait any longer if all servers have said that they never accept this
    // client.
    if (declined_ >= hosts_.size() ||
        steady_clock::now() - offline_since_ >= options_.offline_timeout) {
      hooks_.not_found(reason);
    }
  }
}

// A coroutine of its own, because a resolver cannot be cancelled while it runs: an attempt that
// times out does not wait for it.
asio::awaitable<void> Transport::resolve(std::shared_ptr<Socket> socket, Endpoint endpoint) {
  try {
    const auto results = co_await socket->resolver.async_resolve(
        endpoint.address.host, std::to_string(endpoint.address.port), asio::use_awaitable);
    for (const auto& result : results) socket->addresses.push_back(result.endpoint());
    hosts_.shuffle(socket->addresses);
  } catch (const boost::system::system_error& error) {  // also if no thread can be started
    socket->close("resolving the host name: " + error.code().message());
  }
  socket->resolved = true;
  socket->wake.cancel();
}

asio::awaitable<void> Transport::serve(std::shared_ptr<Socket> socket, Endpoint endpoint) {
  socket->received_at = socket->pinged_at = steady_clock::now();
  spawn(watch_timeouts(socket));
  // Not within the condition: there g++ 12 destroys the arguments of the coroutine twice.
  const bool opened = co_await open(socket, endpoint);
  if (!opened) co_return;
  carry_out(conversation_.socket_opened(steady_clock::now()));
  spawn(write(socket));
  co_await read(socket);
}

// Connects, up to the end of the WebSocket handshake. False if the socket was closed meanwhile.
asio::awaitable<bool> Transport::open(std::shared_ptr<Socket> socket, const Endpoint& endpoint) {
  error_code error;
  const auto failed = [&](std::string_view step) {
    if (error) socket->close(std::string(step) + ": " + error.message());
    return socket->closed;
  };

  spawn(resolve(socket, endpoint));
  while (!socket->resolved && !socket->closed) {
    socket->wake.expires_after(std::chrono::hours(1));
    error_code ignored;
    co_await socket->wake.async_wait(into(ignored));
  }
  if (socket->closed) co_return false;
  auto& tcp_stream = beast::get_lowest_layer(socket->stream);
  co_await tcp_stream.async_connect(socket->addresses, into(error));
  if (failed("connecting")) co_return false;
  tcp_stream.socket().set_option(tcp::no_delay(true), error);

  socket->stream.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
    request.set(beast::http::field::user_agent, "zabkeeper-client");
    request.set(beast::http::field::sec_websocket_protocol, "zabkeeper.v1+json");
  }));
  socket->stream.read_message_max(read_bytes_max);
  socket->stream.control_callback(
      [weak = std::weak_ptr(socket)](websocket::frame_type, beast::string_view) {
        if (const auto alive = weak.lock()) alive->received_at = steady_clock::now();
      });
  websocket::response_type response;
  co_await socket->stream.async_handshake(response, to_string(endpoint.address), endpoint.target,
                                          into(error));
  if (error == websocket::error::upgrade_declined) {
    socket->declined_with = response.result_int();
    socket->close("the WebSocket handshake: " + declined_text(response));
  }
  co_return !failed("the WebSocket handshake");
}

asio::awaitable<void> Transport::read(std::shared_ptr<Socket> socket) {
  error_code error;
  beast::flat_buffer buffer;
  while (!socket->closed) {
    co_await socket->stream.async_read(buffer, into(error));
    if (error) {
      const websocket::close_reason& said = socket->stream.reason();
      const std::string reason(said.reason.c_str());
      socket->loss.close_status = said.code;
      socket->loss.reply_too_large =
          error == websocket::error::message_too_big || error == websocket::error::buffer_overflow;
      socket->close(reason.empty() ? "reading: " + error.message()
                                   : "closed by the server: " + reason);
    }
    if (socket->closed) co_return;
    socket->received_at = steady_clock::now();
    const auto bytes = buffer.cdata();
    const bool was_connected = conversation_.connected();
    carry_out(conversation_.received({static_cast<const char*>(bytes.data()), bytes.size()}));
    if (!was_connected && conversation_.connected()) {
      socket->accepted = true;
      socket->accepted_at = steady_clock::now();
      socket->timer.cancel();
    }
    buffer.consume(buffer.size());
  }
}

// Writes one WebSocket frame at a time, as Beast requires. Messages that were queued meanwhile are
// sent as one JSON array.
asio::awaitable<void> Transport::write(std::shared_ptr<Socket> socket) {
  socket->stream.text(true);
  error_code error;
  while (!socket->closed) {
    if (socket->outbox.empty()) {
      socket->wake.expires_after(std::chrono::hours(1));
      co_await socket->wake.async_wait(into(error));
      continue;
    }
    // Handlers that are posted already may have more for the same frame. The servers log what comes
    // together by one sync.
    std::size_t gathered = 0;
    while (std::exchange(gathered, socket->outbox.size()) < socket->outbox.size()) {
      co_await asio::post(strand_, asio::use_awaitable);
    }
    if (socket->closed) co_return;
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
    // Does not close the socket: the reader may still receive the server's close reason, and then
    // closes it.
    if (error) co_return;
  }
}

// Until the session is accepted, enforces the timeout of the attempt. After that, sends a ping at
// every third of the session's timeout, and more often while no server has promised to keep the
// session. Closes the connection when two thirds have passed without any bytes.
asio::awaitable<void> Transport::watch_timeouts(std::shared_ptr<Socket> socket) {
  const auto began = steady_clock::now();
  milliseconds unsafe_interval = first_ping_interval;
  while (!socket->closed) {
    const auto now = steady_clock::now();
    auto wait_until = began + options_.attempt_timeout;
    if (conversation_.connected() && socket == socket_) {
      const milliseconds third(conversation_.timeout_ms() / 3);
      const auto silence = std::chrono::duration_cast<milliseconds>(now - socket->received_at);
      if (silence >= 2 * third) {
        socket->close("nothing received for " + std::to_string(silence.count()) + " ms");
        co_return;
      }
      const milliseconds interval =
          conversation_.deadline() ? third : std::min(third, unsafe_interval);
      if (now - socket->pinged_at >= interval) {
        socket->pinged_at = now;
        unsafe_interval = std::min(third, 2 * unsafe_interval);
        carry_out(conversation_.heartbeat(now));
      }
      wait_until = std::min(socket->received_at + 2 * third, socket->pinged_at + interval);
    } else if (now >= wait_until) {
      socket->close("session not accepted within " +
                    std::to_string(options_.attempt_timeout.count()) + " ms");
      co_return;
    }
    socket->timer.expires_at(wait_until);
    error_code ignored;
    co_await socket->timer.async_wait(into(ignored));
  }
}

asio::awaitable<void> Transport::sleep(milliseconds duration) {
  pause_.expires_after(duration);
  error_code ignored;
  co_await pause_.async_wait(into(ignored));
}

}  // namespace zabkeeper
