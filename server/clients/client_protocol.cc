#include "server/clients/client_protocol.h"

#include <algorithm>
#include <utility>

#include "wire/cbor.h"
#include "wire/close_reasons.h"
#include "wire/json.h"

namespace server {
namespace {

// RFC 6455, section 5.5: a control frame has at most 125 bytes, and the status is two of them.
constexpr std::size_t reason_bytes_max = 123;

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
  parsed.bytes = message.size();
  if (!is_json || message.size() <= bytes_max) return parsed;
  const std::size_t size = wire::json::bytes_without_escapes(message);
  return size > bytes_max ? wire::frame_too_large(parsed, size, bytes_max) : parsed;
}

// Why a message was too large to be read.
std::string too_large(const ClientLimits& limits, bool is_first) {
  if (is_first) {
    return "the first frame has at most " + std::to_string(limits.first_frame_bytes_max) +
           " bytes: send connect alone";
  }
  return "a frame has at most " + std::to_string(limits.frame_bytes_max) + " bytes";
}

}  // namespace

ClientProtocol::ClientProtocol(wire::Format format, const ClientLimits& limits,
                               ConnectionCounters& counters,
                               std::shared_ptr<AddressAccounts> accounts, Time now)
    : limits_(limits),
      counters_(counters),
      format_(format),
      accounts_(std::move(accounts)),
      reader_(format, limits, accounts_),
      queue_(format, limits, counters, accounts_),
      deadline_(now + limits.first_frame_timeout) {}

// --- Reading ---

bool ClientProtocol::takes_input() const {
  if (stage_ == Stage::over || queue_.is_full_of_control()) return false;
  return stage_ != Stage::open || !paused_;
}

bool ClientProtocol::has_events() const {
  return stage_ == Stage::over ? !closed_reported_ : interrupted_ && takes_input();
}

std::optional<ClientEvent> ClientProtocol::next(Time now) {
  interrupted_ = false;
  using Kind = Incoming::Kind;
  while (takes_input() && !ended_) {
    const std::optional<Incoming> incoming = reader_.next(now);
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
      end_by_client(status, is_too_large ? too_large(limits_, silent_) : std::string(), now);
    }
    if (is_too_large) counters_.too_large.add(1);
    if (kind == Kind::ping && stage_ < Stage::close_sent) {
      queue_.add_control(Opcode::pong, payload);
    }
    if (stage_ == Stage::open) return Alive{};
  }
  if (stage_ == Stage::over || ended_) {
    reader_.discard();
  } else {
    reader_.keep();
    interrupted_ = true;
  }
  if (stage_ == Stage::over && !std::exchange(closed_reported_, true)) return Closed{};
  return std::nullopt;
}

// Whether a message is for the owner. A message in the wrong type of frame closes the connection.
bool ClientProtocol::accepts_message(const Incoming& message, Time now) {
  if (stage_ != Stage::open) return false;
  if (std::exchange(silent_, false)) {
    deadline_ = never;
    reader_.allow_large_messages(format_);
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

bool ClientProtocol::has_output() const {
  if (queue_.is_writing() || stage_ > Stage::closing) return false;
  return stage_ == Stage::closing || !queue_.is_empty();
}

void ClientProtocol::compose(std::string& out, Time now) {
  if (!has_output()) return;
  const std::size_t begin = out.size();
  queue_.compose(out);
  if (stage_ == Stage::closing && !queue_.has_messages()) {
    append_close(close_->code, close_->reason, out);
    stage_ = Stage::close_sent;
    deadline_ = now + limits_.close_timeout;
  }
  progress_ = now + limits_.progress_timeout;
  queue_.begin_write(out.size() - begin);
}

void ClientProtocol::written(std::size_t bytes, Time now) {
  queue_.written(bytes);
  if (bytes > 0) progress_ = queue_.is_writing() ? now + limits_.progress_timeout : never;
  if (queue_.is_writing() || stage_ != Stage::close_sent || !ended_) return;
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
  accounts_->ledger().count(Budget::waiting, Measure::closed);
  close(CloseCode::policy_violation, std::string(wire::close_reason::too_slow), Drain::no, now);
}

void ClientProtocol::begin_close(Close close, Time now) {
  stage_ = Stage::closing;
  next_ping_ = never;
  deadline_ = now + (close.drain == Drain::yes ? limits_.drain_timeout : limits_.close_timeout);
  queue_.seal();
  if (close.drain == Drain::no) queue_.drop_messages();
  close_ = std::make_unique<Close>(std::move(close));
}

// The client sent a close frame, or broke the protocol.
void ClientProtocol::end_by_client(std::uint16_t code, std::string reason, Time now) {
  ended_ = true;
  if (stage_ < Stage::close_sent) return begin_close({code, std::move(reason), Drain::no}, now);
  written(0, now);
}

void ClientProtocol::lost() {
  stage_ = Stage::over;
  next_ping_ = never;
  progress_ = never;
  deadline_ = never;
  queue_.seal();
  reader_.discard();
}

ClientProtocol::StreamEnd ClientProtocol::end() const {
  if (stage_ == Stage::over) return StreamEnd::close;
  return stage_ == Stage::shutting_down ? StreamEnd::shut_down : StreamEnd::none;
}

// --- Times ---

ClientProtocol::Time ClientProtocol::deadline() const {
  return std::min({deadline_, next_ping_, progress_, reader_.deadline()});
}

void ClientProtocol::ping_every(std::chrono::milliseconds interval, Time now) {
  if (stage_ != Stage::open) return;
  ping_interval_ = interval;
  next_ping_ = interval.count() > 0 ? now + interval : never;
}

void ClientProtocol::time_is(Time now) {
  if (deadline_ <= now) {
    deadline_ = never;
    if (stage_ != Stage::open) return lost();
    counters_.silent.add(1);
    return close(CloseCode::policy_violation, "no request came: the first frame must be a connect",
                 Drain::yes, now);
  }
  if (progress_ <= now) {
    progress_ = never;
    return close_as_too_slow(now);
  }
  if (auto too_slow = reader_.check(now, takes_input())) {
    accounts_->ledger().count(Budget::unfinished, Measure::closed);
    ended_ = true;  // the rest of the message is not awaited
    reader_.discard();
    return close(CloseCode::policy_violation, *std::move(too_slow), Drain::no, now);
  }
  if (next_ping_ > now) return;
  next_ping_ = now + ping_interval_;
  if (!queue_.is_full_of_control()) queue_.add_control(Opcode::ping, {});
}

}  // namespace server
