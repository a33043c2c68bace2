#include "server/clients/client_protocol.h"

#include <algorithm>
#include <utility>

#include "wire/cbor.h"
#include "wire/json.h"

namespace server {
namespace {

// JSON may escape a byte of data as six bytes, and the limit of a frame is twice that of data. A
// message of more than this many times the limit of a frame ends the connection. A shorter one gets
// a reply.
constexpr std::size_t escapes_factor = 3;
// RFC 6455, section 5.5: a control frame has at most 125 bytes, and the status is two of them.
constexpr std::size_t reason_bytes_max = 123;
// One write ends at this size. A frame is never divided.
constexpr std::size_t write_bytes = 64 * 1024;
// Bytes of control frames that are queued. With more than that, nothing is read from the client.
constexpr std::size_t control_bytes_max = 4 * 1024;

// Cuts a long reason, at the beginning of a UTF-8 character.
std::string_view short_enough(std::string_view reason) {
  std::size_t size = std::min(reason.size(), reason_bytes_max);
  while (size < reason.size() && (static_cast<unsigned char>(reason[size]) & 0xC0) == 0x80) --size;
  return reason.substr(0, size);
}

void append_close(std::uint16_t code, std::string_view reason, std::string& out) {
  const char bytes[] = {static_cast<char>(code >> 8), static_cast<char>(code)};
  append_websocket_frame(Opcode::close, std::string(bytes, 2).append(short_enough(reason)), out);
}

// Next: parse_requests (wire/json_parser.cc or wire/cbor_parser.cc).
wire::ParsedFrame parse(std::string_view message, wire::Format format, std::size_t bytes_max) {
  const bool is_json = format == wire::Format::json;
  wire::ParsedFrame parsed =
      is_json ? wire::json::parse_requests(message) : wire::cbor::parse_requests(message);
  if (message.size() <= bytes_max) return parsed;
  const std::size_t size = is_json ? wire::json::bytes_without_escapes(message) : message.size();
  return size > bytes_max ? wire::frame_too_large(parsed, size, bytes_max) : parsed;
}

}  // namespace

ClientProtocol::ClientProtocol(wire::Format format, const ClientLimits& limits,
                               ConnectionCounters& counters, Time now)
    : limits_(limits),
      counters_(counters),
      format_(format),
      reader_(std::min(limits.first_frame_bytes_max, escapes_factor * limits.frame_bytes_max)),
      outbox_(format),
      sending_(format),
      deadline_(now + limits.first_frame_timeout) {}

// --- Reading ---

bool ClientProtocol::wants_bytes() const {
  if (stage_ == Stage::over || control_.size() > control_bytes_max) return false;
  return stage_ != Stage::open || !paused_;
}

bool ClientProtocol::has_events() const {
  return stage_ == Stage::over ? !closed_reported_ : interrupted_ && wants_bytes();
}

std::optional<ClientEvent> ClientProtocol::next(Time now) {
  interrupted_ = false;
  using Kind = Incoming::Kind;
  while (wants_bytes() && !ended_by_client_) {
    const std::optional<Incoming> incoming = reader_.next();
    if (!incoming) return std::nullopt;
    const auto [kind, payload, status] = *incoming;
    if (kind == Kind::text || kind == Kind::binary) {
      if (!accepts_message(*incoming, now)) continue;
      wire::ParsedFrame parsed = parse(payload, format_, limits_.frame_bytes_max);
      if (parsed.fault == wire::ParsedFrame::Fault::too_large) counters_.too_large.add(1);
      return parsed;
    }
    const bool is_too_large =
        kind == Kind::broken && status == static_cast<std::uint16_t>(CloseCode::too_big);
    if (kind == Kind::close || kind == Kind::broken) {
      end_by_client(status, is_too_large ? too_large() : std::string(), now);
    }
    if (is_too_large) counters_.too_large.add(1);
    if (kind == Kind::ping && stage_ < Stage::close_sent) {
      append_websocket_frame(Opcode::pong, payload, control_);
    }
    if (stage_ == Stage::open) return Alive{};
  }
  if (stage_ == Stage::over || ended_by_client_) {
    reader_.discard();
  } else {
    reader_.keep();
    interrupted_ = true;
  }
  if (stage_ == Stage::over && !std::exchange(closed_reported_, true)) return Closed{};
  return std::nullopt;
}

// Whether a message is for the owner. One in the wrong type of frame closes the connection.
bool ClientProtocol::accepts_message(const Incoming& message, Time now) {
  if (stage_ != Stage::open) return false;
  if (std::exchange(silent_, false)) {
    deadline_ = never;
    reader_.limit(escapes_factor * limits_.frame_bytes_max);
  }
  counters_.in.add(message.payload.size());
  const bool is_json = format_ == wire::Format::json;
  if ((message.kind == Incoming::Kind::text) == is_json) return true;
  close(CloseCode::unsupported_data,
        is_json ? "binary frames are not understood: send JSON text"
                : "text frames are not understood: send CBOR in binary ones",
        Drain::yes, now);
  return false;
}

// --- Writing ---

bool ClientProtocol::send(const wire::ServerMessage& message) {
  if (stage_ != Stage::open) return true;
  outbox_.add(message);
  return queued_bytes() <= limits_.queued_bytes_max;
}

bool ClientProtocol::send(std::string_view encoded) {
  if (stage_ != Stage::open) return true;
  outbox_.add(encoded);
  return queued_bytes() <= limits_.queued_bytes_max;
}

bool ClientProtocol::has_output() const {
  if (in_flight_ > 0 || stage_ > Stage::closing) return false;
  return stage_ == Stage::closing || !control_.empty() || !sending_.empty() || !outbox_.empty();
}

bool ClientProtocol::is_gathering() {
  const std::size_t before = std::exchange(gathered_, outbox_.bytes());
  return gathered_ > before && gathered_ < batch_bytes_;
}

// Frees the memory of the messages that it composes.
void ClientProtocol::compose(std::string& out, Time now) {
  gathered_ = 0;
  if (!has_output()) return;
  const std::size_t begin = out.size();
  out += control_;
  release(control_);
  const bool drains = stage_ == Stage::open || close_->drain == Drain::yes;
  const Opcode opcode = format_ == wire::Format::json ? Opcode::text : Opcode::binary;
  while (drains && out.size() - begin < write_bytes) {
    if (sending_.empty()) {
      std::swap(sending_, outbox_);
      outbox_.clear();
      if (sending_.empty()) break;
    }
    const std::string_view frame = sending_.next_frame(batch_bytes_);
    counters_.out.add(frame.size());
    append_websocket_frame(opcode, frame, out);
  }
  if (sending_.empty()) sending_.clear();
  const bool is_drained = sending_.empty() && outbox_.empty();
  if (stage_ == Stage::closing && (!drains || is_drained)) {
    append_close(close_->code, close_->reason, out);
    stage_ = Stage::close_sent;
    deadline_ = now + limits_.close_timeout;
  }
  in_flight_ = out.size() - begin;
}

void ClientProtocol::written(std::size_t bytes, Time now) {
  in_flight_ -= bytes;
  if (in_flight_ > 0 || stage_ != Stage::close_sent || !ended_by_client_) return;
  // The client closes its end of the stream once it has our close frame. Until then it may send.
  stage_ = Stage::shutting_down;
  deadline_ = now + limits_.close_timeout;
}

// --- The end ---

void ClientProtocol::close(CloseCode code, std::string reason, Drain drain, Time now) {
  if (stage_ != Stage::open) return;
  begin_close({static_cast<std::uint16_t>(code), std::move(reason), drain}, now);
}

void ClientProtocol::close_as_too_slow(Time now) {
  if (stage_ != Stage::open) return;
  counters_.too_slow.add(1);
  close(CloseCode::policy_violation, "too slow: take what the server sends sooner", Drain::no, now);
}

void ClientProtocol::begin_close(Close close, Time now) {
  stage_ = Stage::closing;
  next_ping_ = never;
  deadline_ = now + (close.drain == Drain::yes ? limits_.drain_timeout : limits_.close_timeout);
  close_ = std::make_unique<Close>(std::move(close));
}

// The client sent a close frame, or broke the protocol.
void ClientProtocol::end_by_client(std::uint16_t code, std::string reason, Time now) {
  ended_by_client_ = true;
  if (stage_ < Stage::close_sent) return begin_close({code, std::move(reason), Drain::no}, now);
  written(0, now);
}

std::string ClientProtocol::too_large() const {
  if (silent_) {
    return "the first frame has at most " + std::to_string(limits_.first_frame_bytes_max) +
           " bytes: send connect alone";
  }
  return "a frame has at most " + std::to_string(limits_.frame_bytes_max) + " bytes";
}

void ClientProtocol::lost() {
  stage_ = Stage::over;
  next_ping_ = never;
  deadline_ = never;
}

ClientProtocol::StreamEnd ClientProtocol::end() const {
  if (stage_ == Stage::over) return StreamEnd::close;
  return stage_ == Stage::shutting_down ? StreamEnd::shut_down : StreamEnd::none;
}

// --- Times ---

void ClientProtocol::ping_every(std::chrono::milliseconds interval, Time now) {
  if (stage_ != Stage::open) return;
  ping_interval_ = interval;
  next_ping_ = interval.count() > 0 ? now + interval : never;
}

void ClientProtocol::time_is(Time now) {
  if (deadline_ <= now) {
    deadline_ = never;
    if (stage_ != Stage::open) return lost();
    return close(CloseCode::policy_violation, "no request came: the first frame must be a connect",
                 Drain::yes, now);
  }
  if (next_ping_ > now) return;
  next_ping_ = now + ping_interval_;
  if (control_.size() <= control_bytes_max) append_websocket_frame(Opcode::ping, {}, control_);
}

}  // namespace server
