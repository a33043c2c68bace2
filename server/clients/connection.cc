#include "server/clients/connection.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/clients/outbox.h"
#include "server/clients/websocket_frames.h"
#include "wire/cbor.h"
#include "wire/json.h"

namespace server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr Clock::time_point never = Clock::time_point::max();

// JSON may write any byte of data in six; what is longer than so many times the limit is not read.
constexpr std::size_t longest_escapes = 3;  // of a limit that is twice that of data
// RFC 6455, section 5.5: a control frame holds 125 bytes, two of them are the code.
constexpr std::size_t reason_bytes_max = 123;
// One write ends where there are so many bytes; a frame is never divided.
constexpr std::size_t write_bytes = 64 * 1024;
// A writing buffer larger than this is given back.
constexpr std::size_t kept_bytes = 256 * 1024;
// So many connections write before the event loop sees to others.
constexpr std::size_t writers_at_once = 64;
// Of pongs that the client has not taken; then nothing more is read of it.
constexpr std::size_t control_bytes_max = 4 * 1024;

// Cut where a character of UTF-8 begins.
std::string_view short_enough(std::string_view reason) {
  std::size_t size = std::min(reason.size(), reason_bytes_max);
  while (size < reason.size() && (static_cast<unsigned char>(reason[size]) & 0xC0) == 0x80) --size;
  return reason.substr(0, size);
}

// Assigning to a string may leave it its memory; this does not.
void release(std::string& memory) { std::string().swap(memory); }

}  // namespace

// Whatever it does begins in one of four ways: the client can be read from, a write is done, a time
// has come, or the handler wants something. Between them it holds no memory for what may come.
class Connection final : public ServedConnection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Accepted client, ClientHandler& handler, Shared& shared);

  void start();

  void send(const wire::ServerMessage& message) override;
  void send_encoded(std::string_view message) override;
  void close_as_too_slow() override;
  void allow_batches() override { batch_bytes_ = shared_.limits.batch_bytes; }
  void close(CloseCode code, std::string reason) override;
  void pause() override { paused_ = true; }
  void resume() override;
  void ping_every(std::chrono::milliseconds interval) override;
  [[nodiscard]] std::size_t queued_bytes() const override {
    return outbox_.bytes() + sending_.bytes() + out_.size();
  }
  [[nodiscard]] std::string remote_address() const override { return remote_address_; }

 private:
  enum class Stage : std::uint8_t {
    open,
    closing,     // a close frame leaves as soon as it may
    closed,      // it is being written, or was
    hanging_up,  // nothing is written any more, and what comes is of no interest
    gone,        // the socket is of no use any more
  };
  struct Close {
    std::uint16_t code;
    std::string reason;
    bool drain;  // send what is queued before
  };

  // Reading.
  [[nodiscard]] bool may_read() const;
  void wait_readable();
  void read();
  void read_on();
  void take(std::span<char> bytes);
  void keep(std::span<char> bytes);
  void take(const Incoming& incoming);
  void received(std::string_view frame, bool is_text);

  // Writing.
  void added();
  void wake_writer();
  static void let_write(const std::shared_ptr<Connection>& any);
  [[nodiscard]] bool gathers();
  void write();
  void compose(std::string& out);
  void compose_close(std::string& out);
  void written();

  // The end.
  void begin_close(Close close);
  // The client wants no more, or is not to be understood.
  void part(std::uint16_t code);
  void hang_up();
  void lost();

  // Times.
  void set_deadline(Clock::time_point deadline);
  void set_deadline(std::chrono::milliseconds time) { set_deadline(Clock::now() + time); }
  void set_timer();
  void time_has_come();
  void overdue();

  Stream stream_;
  ClientHandler& handler_;
  Shared& shared_;
  std::shared_ptr<void> place_;
  const std::string remote_address_;
  const wire::Format format_;

  Stage stage_ = Stage::open;
  bool paused_ = false;
  bool silent_ = true;  // no frame has come
  bool waits_readable_ = false;
  bool taking_ = false;
  bool writing_ = false;  // or in the line of those who will
  bool parted_ = false;   // the client's close has come, or its like: the one that answers is last

  WebSocketReader reader_;
  std::string rest_;  // read, and not taken yet

  Outbox outbox_;
  Outbox sending_;
  std::string control_;  // frames that leave before any message
  std::string out_;      // what could not be written at once
  std::size_t batch_bytes_ = 0;
  std::size_t gathered_ = 0;  // how much was queued when its turn came last

  std::unique_ptr<Close> close_;  // from `closing` on
  std::chrono::milliseconds ping_interval_{0};
  Clock::time_point next_ping_ = never;
  Clock::time_point deadline_ = never;
  asio::steady_timer timer_;
};

Connection::Connection(Accepted client, ClientHandler& handler, Shared& shared)
    : stream_(std::move(client.stream)),
      handler_(handler),
      shared_(shared),
      place_(std::move(client.place)),
      remote_address_(std::move(client.remote_address)),
      format_(client.format),
      reader_(longest_escapes * shared.limits.frame_bytes_max),
      outbox_(format_),
      sending_(format_),
      timer_(stream_.get_executor()) {}

void Connection::start() {
  set_deadline(shared_.limits.first_frame_timeout);
  handler_.opened(shared_from_this());
  wait_readable();
}

// --- Reading ---

bool Connection::may_read() const {
  if (stage_ == Stage::gone || control_.size() > control_bytes_max) return false;
  return stage_ != Stage::open || !paused_;
}

void Connection::wait_readable() {
  if (waits_readable_ || !may_read()) return;
  waits_readable_ = true;
  stream_.async_wait_readable([self = shared_from_this()](const error_code& error) {
    self->waits_readable_ = false;
    if (error) return self->lost();
    if (self->may_read()) self->read();
  });
}

void Connection::read() {
  error_code error;
  const std::span<char> buffer(shared_.read_buffer);
  const std::size_t size = stream_.read_some(buffer, error);
  if (error == asio::error::would_block) return wait_readable();
  if (error) return lost();
  if (rest_.empty()) {
    take(buffer.first(size));
  } else {
    rest_.append(buffer.data(), size);
    take(std::span<char>(rest_));
  }
}

// What was put off can be read now.
void Connection::read_on() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    if (!self->may_read()) return;
    if (self->rest_.empty()) return self->wait_readable();
    self->take(std::span<char>(self->rest_));
  });
}

void Connection::take(std::span<char> bytes) {
  taking_ = true;
  while (may_read() && !parted_) {
    const std::optional<Incoming> incoming = reader_.next(bytes);
    if (!incoming) break;
    take(*incoming);
  }
  taking_ = false;
  keep(parted_ ? bytes.first(0) : bytes);
  // What was answered at once leaves at once, and together.
  if (!writing_ && stage_ < Stage::closed) write();
  wait_readable();
}

// They may be the end of rest_.
void Connection::keep(std::span<char> bytes) {
  if (bytes.empty()) {
    release(rest_);
  } else if (rest_.empty()) {
    rest_.assign(bytes.data(), bytes.size());
  } else {
    rest_.erase(0, rest_.size() - bytes.size());
  }
}

void Connection::take(const Incoming& incoming) {
  switch (incoming.kind) {
    case Incoming::Kind::text:
    case Incoming::Kind::binary:
      if (stage_ != Stage::open) return;
      if (std::exchange(silent_, false)) set_deadline(never);
      return received(incoming.payload, incoming.kind == Incoming::Kind::text);
    case Incoming::Kind::ping:
      if (stage_ < Stage::closed) append_websocket_frame(Opcode::pong, incoming.payload, control_);
      [[fallthrough]];
    case Incoming::Kind::pong:
      if (stage_ == Stage::open) handler_.alive(*this);
      return;
    case Incoming::Kind::close:
    case Incoming::Kind::broken: return part(incoming.status);
  }
}

void Connection::received(std::string_view frame, bool is_text) {
  shared_.counters.in.add(frame.size());
  const bool is_json = format_ == wire::Format::json;
  if (is_text != is_json) {
    return close(CloseCode::unsupported_data,
                 is_json ? "binary frames are not understood: send JSON text"
                         : "text frames are not understood: send CBOR in binary ones");
  }
  wire::ParsedFrame parsed =
      is_json ? wire::json::parse_requests(frame) : wire::cbor::parse_requests(frame);
  const std::size_t bytes_max = shared_.limits.frame_bytes_max;
  if (frame.size() > bytes_max) {
    const std::size_t size = is_json ? wire::json::bytes_without_escapes(frame) : frame.size();
    if (size > bytes_max) parsed = wire::frame_too_large(parsed, size, bytes_max);
  }
  handler_.received(*this, std::move(parsed));
}

// --- Writing ---

void Connection::send(const wire::ServerMessage& message) {
  if (stage_ != Stage::open) return;
  outbox_.add(message);
  added();
}

void Connection::send_encoded(std::string_view message) {
  if (stage_ != Stage::open) return;
  outbox_.add(message);
  added();
}

void Connection::added() {
  queued_bytes() > shared_.limits.queued_bytes_max ? close_as_too_slow() : wake_writer();
}

void Connection::close_as_too_slow() {
  if (stage_ != Stage::open) return;
  shared_.counters.too_slow.add(1);
  begin_close({static_cast<std::uint16_t>(CloseCode::policy_violation),
               "too slow: take what the server sends sooner", false});
}

void Connection::wake_writer() {
  if (writing_ || taking_ || stage_ >= Stage::hanging_up) return;
  writing_ = true;
  gathered_ = 0;
  shared_.writers.push_back(weak_from_this());
  if (!std::exchange(shared_.writers_go_on, true)) let_write(shared_from_this());
}

// Those who stand in line write once the event loop has gone round; each that waits for more goes
// to its end.
void Connection::let_write(const std::shared_ptr<Connection>& any) {
  asio::post(any->stream_.get_executor(), [any] {
    auto& writers = any->shared_.writers;
    for (std::size_t left = std::min(writers.size(), writers_at_once); left > 0; --left) {
      const std::shared_ptr<Connection> next = writers.front().lock();
      writers.pop_front();
      if (next && next->gathers()) {
        writers.push_back(next);
      } else if (next) {
        next->write();
      }
    }
    any->shared_.writers_go_on = !writers.empty();
    if (!writers.empty()) let_write(any);
  });
}

// Lets the event loop go round while that still adds to a batch: what becomes ready together leaves
// together.
bool Connection::gathers() {
  const std::size_t before = std::exchange(gathered_, outbox_.bytes());
  return gathered_ > before && gathered_ < batch_bytes_;
}

void Connection::write() {
  std::string& bytes = shared_.write_buffer;
  bytes.clear();
  compose(bytes);
  error_code error;
  const std::size_t size = bytes.empty() ? 0 : stream_.write_some(bytes, error);
  writing_ = !error && size < bytes.size();
  if (writing_) out_ = bytes.substr(size);
  if (bytes.capacity() > kept_bytes) release(bytes);
  if (error) return lost();
  if (!writing_) return written();
  stream_.async_write(out_, [self = shared_from_this()](const error_code& failure, std::size_t) {
    release(self->out_);
    self->writing_ = false;
    failure ? self->lost() : self->written();
  });
}

// What is composed is forgotten, and so is its memory.
void Connection::compose(std::string& out) {
  if (stage_ >= Stage::closed) return;
  if (control_.size() > control_bytes_max) read_on();
  out += control_;
  release(control_);
  const bool hurries = stage_ == Stage::closing && !close_->drain;
  while (!hurries && out.size() < write_bytes) {
    if (sending_.empty()) {
      std::swap(sending_, outbox_);
      outbox_.clear();
      if (sending_.empty()) break;
    }
    const std::string_view frame = sending_.next_frame(batch_bytes_);
    shared_.counters.out.add(frame.size());
    append_websocket_frame(format_ == wire::Format::json ? Opcode::text : Opcode::binary, frame,
                           out);
  }
  if (sending_.empty()) sending_.clear();
  if (stage_ != Stage::closing) return;
  if (hurries || (sending_.empty() && outbox_.empty())) compose_close(out);
}

void Connection::compose_close(std::string& out) {
  const char code[] = {static_cast<char>(close_->code >> 8), static_cast<char>(close_->code)};
  append_websocket_frame(Opcode::close, std::string(code, 2).append(short_enough(close_->reason)),
                         out);
  stage_ = Stage::closed;
  set_deadline(shared_.limits.close_timeout);
}

void Connection::written() {
  if (stage_ == Stage::open) handler_.sent(*this);
  if (stage_ == Stage::closed) return parted_ ? hang_up() : read_on();
  const bool more = !control_.empty() || !sending_.empty() || !outbox_.empty();
  if (more || stage_ == Stage::closing) wake_writer();
}

// --- The end ---

void Connection::close(CloseCode code, std::string reason) {
  if (stage_ == Stage::open) {
    begin_close({static_cast<std::uint16_t>(code), std::move(reason), true});
  }
}

void Connection::begin_close(Close close) {
  stage_ = Stage::closing;
  next_ping_ = never;
  set_deadline(close.drain ? shared_.limits.drain_timeout : shared_.limits.close_timeout);
  close_ = std::make_unique<Close>(std::move(close));
  wake_writer();
  read_on();
}

void Connection::part(std::uint16_t code) {
  parted_ = true;
  if (stage_ < Stage::closed) return begin_close({code, {}, false});
  if (stage_ == Stage::closed && !writing_) hang_up();
}

// The client does so, too, once it has the close frame; until then it may send.
void Connection::hang_up() {
  stage_ = Stage::hanging_up;
  stream_.shut_down();
  set_deadline(shared_.limits.close_timeout);
  read_on();
}

void Connection::lost() {
  if (std::exchange(stage_, Stage::gone) == Stage::gone) return;
  next_ping_ = never;
  set_deadline(never);
  stream_.close();
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    self->handler_.closed(*self);
    self->place_.reset();
  });
}

// --- Times ---

void Connection::resume() {
  paused_ = false;
  read_on();
}

void Connection::ping_every(std::chrono::milliseconds interval) {
  if (stage_ != Stage::open) return;
  ping_interval_ = interval;
  next_ping_ = interval.count() > 0 ? Clock::now() + interval : never;
  set_timer();
}

void Connection::set_deadline(Clock::time_point deadline) {
  deadline_ = deadline;
  set_timer();
}

void Connection::set_timer() {
  const Clock::time_point next = std::min(deadline_, next_ping_);
  timer_.expires_at(next);
  if (next == never) return;
  timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self) self->time_has_come();
  });
}

// It may have been moved after it had already fired.
void Connection::time_has_come() {
  const Clock::time_point now = Clock::now();
  if (deadline_ <= now) {
    deadline_ = never;
    return overdue();
  }
  if (next_ping_ <= now) {
    next_ping_ = now + ping_interval_;
    if (control_.size() <= control_bytes_max) append_websocket_frame(Opcode::ping, {}, control_);
    wake_writer();
  }
  set_timer();
}

void Connection::overdue() {
  if (stage_ != Stage::open) return lost();
  close(CloseCode::policy_violation, "no request came: the first frame must be a connect");
}

std::shared_ptr<ServedConnection> serve(Accepted client, ClientHandler& handler, Shared& shared) {
  auto connection = std::make_shared<Connection>(std::move(client), handler, shared);
  connection->start();
  return connection;
}

}  // namespace server
