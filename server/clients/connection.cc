#include "server/clients/connection.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "server/clients/outbox.h"
#include "server/clients/websocket.h"
#include "wire/cbor.h"
#include "wire/json.h"

namespace server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

// A reading buffer larger than this is given back after the frame that needed it.
constexpr std::size_t kept_bytes = 64 * 1024;
// JSON may write any octet of data in six; what is longer than so many times the limit is not read.
constexpr std::size_t longest_escapes = 3;  // of a limit that is twice that of data
// RFC 6455, section 5.5: a control frame holds 125 bytes, two of them are the code.
constexpr std::size_t reason_bytes_max = 123;

// Cut where a character of UTF-8 begins.
beast::string_view short_enough(std::string_view reason) {
  std::size_t size = std::min(reason.size(), reason_bytes_max);
  while (size < reason.size() && (static_cast<unsigned char>(reason[size]) & 0xC0) == 0x80) --size;
  return {reason.data(), size};
}

// Where one coroutine waits until somebody has something for it to do.
class Signal {
 public:
  explicit Signal(const asio::any_io_executor& executor)
      : timer_(executor, Clock::time_point::max()) {}

  asio::awaitable<void> wait() {
    waiting_ = true;
    co_await timer_.async_wait(as_tuple);
  }
  void raise() {
    if (std::exchange(waiting_, false)) timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  bool waiting_ = false;
};

class Connection final : public ClientConnection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::unique_ptr<WebSocket> socket, ClientHandler& handler, std::string remote_address,
             const ClientLimits& limits, PortCounters& counters);

  asio::awaitable<void> run();

  void say(const wire::ServerMessage& message) override;
  void allow_batches() override { batch_bytes_ = limits_.batch_bytes; }
  void close(CloseCode code, std::string reason) override;
  void pause() override { paused_ = true; }
  void resume() override;
  void ping_every(std::chrono::milliseconds interval) override;
  [[nodiscard]] std::size_t queued_bytes() const override {
    return outbox_.bytes() + sending_.bytes() + in_flight_bytes_;
  }
  [[nodiscard]] std::string remote_address() const override { return remote_address_; }

 private:
  struct Close {
    CloseCode code;
    std::string reason;
    bool drain;  // send what is queued before
  };

  void spawn(asio::awaitable<void> coroutine, asio::cancellation_signal& stop);
  asio::awaitable<void> read();
  asio::awaitable<void> write();
  asio::awaitable<void> ping();
  asio::awaitable<void> gather();
  asio::awaitable<void> send_queued();

  void received();
  void begin_close(Close close);
  // After `time` without another deadline, `overdue`.
  void set_deadline(std::chrono::milliseconds time);
  void clear_deadline() { deadline_.expires_at(Clock::time_point::max()); }
  void overdue();
  // The socket is of no use any more; every coroutine ends.
  void lost();
  [[nodiscard]] bool hurries() const { return gone_ || (closing_ && !closing_->drain); }

  const std::unique_ptr<WebSocket> socket_;
  beast::websocket::stream<Stream>& stream_;
  ClientHandler& handler_;
  const std::string remote_address_;
  const ClientLimits limits_;
  PortCounters& counters_;

  beast::flat_buffer frame_;
  bool paused_ = false;
  Signal may_read_;

  Outbox outbox_;
  Outbox sending_;
  std::size_t in_flight_bytes_ = 0;  // in neither
  std::size_t batch_bytes_ = 0;
  Signal may_write_;

  std::chrono::milliseconds ping_interval_{0};
  asio::steady_timer ping_timer_;

  asio::steady_timer deadline_;
  std::optional<Close> closing_;
  bool hanging_up_ = false;  // after the WebSocket closes, or after a frame that broke the protocol
  bool gone_ = false;

  asio::cancellation_signal stop_reading_;
  asio::cancellation_signal stop_writing_;
  asio::cancellation_signal stop_pinging_;
  int running_ = 0;  // of read, write, ping
  Signal ended_;
};

Connection::Connection(std::unique_ptr<WebSocket> socket, ClientHandler& handler,
                       std::string remote_address, const ClientLimits& limits,
                       PortCounters& counters)
    : socket_(std::move(socket)),
      stream_(socket_->stream),
      handler_(handler),
      remote_address_(std::move(remote_address)),
      limits_(limits),
      counters_(counters),
      may_read_(stream_.get_executor()),
      outbox_(socket_->format),
      sending_(socket_->format),
      may_write_(stream_.get_executor()),
      ping_timer_(stream_.get_executor()),
      deadline_(stream_.get_executor()),
      ended_(stream_.get_executor()) {
  stream_.set_option(beast::websocket::stream_base::timeout{
      beast::websocket::stream_base::none(), beast::websocket::stream_base::none(), false});
  stream_.next_layer().on_teardown = [this] {
    hanging_up_ = true;
    set_deadline(limits_.close_timeout);
  };
  stream_.read_message_max(longest_escapes * limits.frame_bytes_max);
  stream_.auto_fragment(false);
  stream_.text(socket_->format == wire::Format::json);
  stream_.control_callback([this](beast::websocket::frame_type kind, beast::string_view) {
    if (kind != beast::websocket::frame_type::close && !closing_) handler_.heard(*this);
  });
}

asio::awaitable<void> Connection::run() {
  const auto self = shared_from_this();
  set_deadline(limits_.first_frame_timeout);
  handler_.opened(self);
  spawn(read(), stop_reading_);
  spawn(write(), stop_writing_);
  spawn(ping(), stop_pinging_);
  while (running_ > 0) co_await ended_.wait();
  handler_.closed(*this);
}

void Connection::spawn(asio::awaitable<void> coroutine, asio::cancellation_signal& stop) {
  ++running_;
  asio::co_spawn(stream_.get_executor(), std::move(coroutine),
                 asio::bind_cancellation_slot(stop.slot(), [this](const std::exception_ptr& error) {
                   // What a handler throws is an error of this program.
                   if (error) std::rethrow_exception(error);
                   --running_;
                   ended_.raise();
                 }));
}

asio::awaitable<void> Connection::read() {
  co_await asio::this_coro::throw_if_cancelled(false);  // see lost()
  bool first = true;
  while (!gone_) {
    if (paused_ && !closing_) {
      co_await may_read_.wait();
      continue;
    }
    const auto [error, size] = co_await stream_.async_read(frame_, as_tuple);
    if (error) break;
    if (!closing_) {
      if (std::exchange(first, false)) clear_deadline();
      received();
    }
    frame_.consume(size);
    if (frame_.capacity() > kept_bytes) frame_.shrink_to_fit();
  }
  lost();
}

void Connection::received() {
  counters_.in.add(frame_.size());
  const bool is_json = socket_->format == wire::Format::json;
  if (stream_.got_text() != is_json) {
    return close(CloseCode::unsupported_data,
                 is_json ? "binary frames are not understood: send JSON text"
                         : "text frames are not understood: send CBOR in binary ones");
  }
  const auto bytes = frame_.cdata();
  const std::string_view frame(static_cast<const char*>(bytes.data()), bytes.size());
  wire::ParsedFrame parsed =
      is_json ? wire::json::parse_requests(frame) : wire::cbor::parse_requests(frame);
  if (frame.size() > limits_.frame_bytes_max) {
    const std::size_t size = is_json ? wire::json::bytes_without_escapes(frame) : frame.size();
    if (size > limits_.frame_bytes_max) {
      parsed = wire::frame_too_large(parsed, size, limits_.frame_bytes_max);
    }
  }
  handler_.received(*this, std::move(parsed));
}

asio::awaitable<void> Connection::write() {
  co_await asio::this_coro::throw_if_cancelled(false);  // see lost()
  while (!hurries()) {
    if (!outbox_.empty()) {
      co_await gather();
      co_await send_queued();
    } else if (!closing_) {
      co_await may_write_.wait();
    } else {
      break;
    }
  }
  if (gone_) co_return;

  set_deadline(limits_.close_timeout);
  const beast::websocket::close_reason reason(
      static_cast<beast::websocket::close_code>(closing_->code), short_enough(closing_->reason));
  co_await stream_.async_close(reason, as_tuple);
  lost();
}

// Lets the event loop go round while that still adds to a batch: requests that were read together
// are answered together.
asio::awaitable<void> Connection::gather() {
  std::size_t before = 0;
  while (outbox_.bytes() > before && outbox_.bytes() < batch_bytes_) {
    before = outbox_.bytes();
    co_await asio::post(stream_.get_executor(), as_tuple);
  }
}

asio::awaitable<void> Connection::send_queued() {
  std::swap(outbox_, sending_);
  while (!sending_.empty() && !hurries()) {
    const std::string_view frame = sending_.next_frame(batch_bytes_);
    in_flight_bytes_ = frame.size();
    counters_.out.add(frame.size());
    const auto [error, size] =
        co_await stream_.async_write(asio::buffer(frame.data(), frame.size()), as_tuple);
    in_flight_bytes_ = 0;
    if (error) lost();
  }
  sending_.clear();
}

asio::awaitable<void> Connection::ping() {
  co_await asio::this_coro::throw_if_cancelled(false);  // see lost()
  while (!gone_ && !closing_) {
    if (ping_interval_.count() > 0) {
      ping_timer_.expires_after(ping_interval_);
    } else {
      ping_timer_.expires_at(Clock::time_point::max());
    }
    const auto [interrupted] = co_await ping_timer_.async_wait(as_tuple);
    if (interrupted || gone_ || closing_) continue;
    const auto [error] = co_await stream_.async_ping({}, as_tuple);
    if (error) co_return;  // Reading meets the same error, and says so.
  }
}

void Connection::say(const wire::ServerMessage& message) {
  if (gone_ || closing_) return;
  outbox_.add(message);
  if (queued_bytes() > limits_.queued_bytes_max) {
    counters_.too_slow += 1;
    begin_close(
        {CloseCode::policy_violation, "too slow: take what the server sends sooner", false});
  } else {
    may_write_.raise();
  }
}

void Connection::close(CloseCode code, std::string reason) {
  if (!gone_ && !closing_) begin_close({code, std::move(reason), true});
}

void Connection::begin_close(Close close) {
  closing_ = std::move(close);
  set_deadline(closing_->drain ? limits_.drain_timeout : limits_.close_timeout);
  may_write_.raise();
  may_read_.raise();
  ping_timer_.cancel();
}

void Connection::resume() {
  paused_ = false;
  may_read_.raise();
}

void Connection::ping_every(std::chrono::milliseconds interval) {
  ping_interval_ = interval;
  ping_timer_.cancel();
}

void Connection::set_deadline(std::chrono::milliseconds time) {
  deadline_.expires_after(time);
  deadline_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    // It may have been moved after it had already fired.
    if (!cancelled && self && self->deadline_.expiry() <= Clock::now()) self->overdue();
  });
}

void Connection::overdue() {
  if (closing_ || hanging_up_) return lost();
  close(CloseCode::policy_violation, "no request came: the first frame must be a connect");
}

void Connection::lost() {
  if (std::exchange(gone_, true)) return;
  clear_deadline();
  ping_timer_.cancel();
  may_read_.raise();
  may_write_.raise();
  beast::get_lowest_layer(stream_).close();
  // A read that finds a close frame while a close is being sent makes Beast's operations wait for
  // each other (1.81, with a control callback): then no closed socket ends them. This does. It ends
  // the operation that a coroutine waits for, and nothing else: by default the next co_await would
  // throw.
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    for (auto* stop : {&self->stop_reading_, &self->stop_writing_, &self->stop_pinging_}) {
      stop->emit(asio::cancellation_type::terminal);
    }
  });
}

}  // namespace

asio::awaitable<void> serve(std::unique_ptr<WebSocket> socket, ClientHandler& handler,
                            std::string remote_address, ClientLimits limits,
                            PortCounters& counters) {
  const auto connection = std::make_shared<Connection>(std::move(socket), handler,
                                                       std::move(remote_address), limits, counters);
  co_await connection->run();
}

}  // namespace server
