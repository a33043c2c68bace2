#include "server/clients/client_protocol.h"

#include <algorithm>
#include <utility>

#include "wire/cbor.h"
#include "wire/json.h"

namespace server {
namespace {

// RFC 6455, section 5.5: a control frame has at most 125 bytes, and the status is two of them.
constexpr std::size_t reason_bytes_max = 123;
// One write ends at this size. A frame is never divided.
constexpr std::size_t write_bytes = 64 * 1024;
// Bytes of control frames that are queued. With more than that, nothing is read from the client.
constexpr std::size_t control_frames_bytes_max = 4 * 1024;

// While there is no room for more of a message, the connection tries again so often.
constexpr std::chrono::milliseconds retry_interval{50};

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
  if (message.size() <= bytes_max) return parsed;
  const std::size_t size = is_json ? wire::json::bytes_without_escapes(message) : message.size();
  return size > bytes_max ? wire::frame_too_large(parsed, size, bytes_max) : parsed;
}

}  // namespace

ClientProtocol::ClientProtocol(wire::Format format, const ClientLimits& limits,
                               ConnectionCounters& counters,
                               std::shared_ptr<AddressAccounts> accounts, Time now)
    : limits_(limits),
      counters_(counters),
      format_(format),
      accounts_(std::move(accounts)),
      reader_(std::min(limits.first_frame_bytes_max, escapes_factor * limits.frame_bytes_max)),
      kept_(account_of(accounts_, Budget::unfinished)),
      waiting_(account_of(accounts_, Budget::waiting)),
      outbox_(format),
      sending_(format),
      deadline_(now + limits.first_frame_timeout) {}

// --- Reading ---

bool ClientProtocol::takes_input() const {
  if (stage_ == Stage::over || control_.size() > control_frames_bytes_max) return false;
  return stage_ != Stage::open || !paused_;
}

bool ClientProtocol::has_events() const {
  return stage_ == Stage::over ? !closed_reported_ : interrupted_ && takes_input();
}

// The rest of a message is not read while there is no room to keep it, or to carry out the request
// that it is.
std::size_t ClientProtocol::readable_bytes(std::size_t most) {
  if (!unfinished_) return kept_.room(most);
  if (!request_has_room()) return 0;
  // Memory that grows step by step may be twice as large as the message.
  const std::size_t all = 2 * std::max(reader_.expected_bytes(), reader_.kept_bytes() + most);
  return kept_.room_to_end(most, all - std::min(all, kept_.bytes()));
}

bool ClientProtocol::request_has_room() const {
  const std::size_t bytes = std::max(reader_.expected_bytes(), reader_.kept_bytes());
  const Account& requests = (*accounts_)[Budget::requests];
  const std::size_t used = requests.used();
  return bytes < Holding::step || used == 0 || used + bytes <= requests.limit();
}

void ClientProtocol::hold_back(Time now) {
  if (!unfinished_) note_unfinished(now);
  if (!unfinished_ || is_held_back()) return;
  unfinished_->retry = now + retry_interval;
  accounts_->ledger().count(request_has_room() ? Budget::unfinished : Budget::requests,
                            Measure::not_read);
}

std::optional<ClientEvent> ClientProtocol::next(Time now) {
  interrupted_ = false;
  using Kind = Incoming::Kind;
  while (takes_input() && !ended_) {
    const std::optional<Incoming> incoming = reader_.next();
    if (!incoming) {
      note_unfinished(now);
      return std::nullopt;
    }
    const auto [kind, payload, status] = *incoming;
    if (!reader_.is_within_message()) {
      unfinished_ = nullptr;
      kept_.has_ended();
    }
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
  if (stage_ == Stage::over || ended_) {
    reader_.discard();
    unfinished_ = nullptr;
  } else {
    reader_.keep();
    interrupted_ = true;
  }
  kept_.set(reader_.kept_memory());
  if (stage_ == Stage::over && !std::exchange(closed_reported_, true)) return Closed{};
  return std::nullopt;
}

// The reader waits for more bytes.
void ClientProtocol::note_unfinished(Time now) {
  kept_.set(reader_.kept_memory());
  if (reader_.kept_bytes() == 0 && !reader_.is_within_message()) {
    unfinished_ = nullptr;
  } else if (!unfinished_) {
    // A long message may take as long as its rate allows.
    const auto more =
        limits_.message_interval *
        static_cast<std::int64_t>(reader_.expected_bytes() /
                                  std::max<std::size_t>(limits_.message_interval_bytes, 1));
    unfinished_ = std::make_unique<Unfinished>(
        Unfinished{now + limits_.message_interval, now + limits_.message_timeout + more});
  }
}

// A message that this server does not read has more time.
void ClientProtocol::check_unfinished(Time now) {
  if (!unfinished_) return;
  Unfinished& message = *unfinished_;
  if (!wants_bytes()) message.was_unread = true;
  if (message.retry <= now) message.retry = never;
  if (message.check > now) return;
  const std::size_t bytes = reader_.kept_bytes();
  const std::size_t arrived = bytes - std::min(bytes, message.bytes_at_check);
  message.bytes_at_check = bytes;
  message.check = now + limits_.message_interval;
  if (std::exchange(message.was_unread, !wants_bytes())) {
    message.end += limits_.message_interval;
  } else if (message.end <= now) {
    end_for("too slow: a message must arrive within " +
                std::to_string(limits_.message_timeout.count() / 1000) +
                " s, or at 16 KiB a second",
            now);
  } else if (bytes > limits_.short_message_bytes && arrived < limits_.message_interval_bytes) {
    end_for("too slow: a message must arrive at 16 KiB a second at least", now);
  }
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

std::size_t ClientProtocol::waiting_memory() const {
  return outbox_.memory() + sending_.memory() + control_.size() + std::max(in_flight_, in_write_);
}

bool ClientProtocol::send(const wire::ServerMessage& message) {
  if (stage_ != Stage::open) return true;
  outbox_.add(message);
  const std::size_t memory = waiting_memory();
  const bool has_room = memory < small_queue_bytes || waiting_.accepts(memory);
  waiting_.set(memory);
  return has_room && queued_bytes() <= limits_.queued_bytes_max;
}

bool ClientProtocol::has_room(std::size_t bytes) const {
  if (stage_ != Stage::open) return true;
  // The queue's memory doubles when it is full.
  const std::size_t memory = 2 * waiting_memory() + bytes;
  return queued_bytes() + bytes <= limits_.queued_bytes_max &&
         (memory < small_queue_bytes || waiting_.fits(memory - waiting_.bytes()));
}

Offer ClientProtocol::offer(const wire::ServerMessage& message) {
  if (stage_ != Stage::open) return Offer::queued;
  const std::size_t size = outbox_.add(message);
  const bool is_small = waiting_.bytes() + size < Holding::step;
  if (is_small || (waiting_.fits(size) && queued_bytes() <= limits_.queued_bytes_max)) {
    waiting_.set(waiting_memory());
    return Offer::queued;
  }
  outbox_.remove_last();
  waiting_.set(waiting_memory());
  return size > limits_.queued_bytes_max ? Offer::too_large : Offer::no_room;
}

void ClientProtocol::add(std::string_view encoded) {
  if (stage_ != Stage::open) return;
  outbox_.add(encoded);
  waiting_.set(waiting_memory());
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
  progress_ = now + limits_.progress_timeout;
  waiting_.set(waiting_memory());
}

void ClientProtocol::written(std::size_t bytes, Time now) {
  in_flight_ -= bytes;
  // The carrier keeps the bytes of a write that was begun until all of them are written.
  in_write_ = in_flight_ == 0 ? 0 : std::max(in_write_, in_flight_);
  if (bytes > 0) progress_ = in_flight_ == 0 ? never : now + limits_.progress_timeout;
  waiting_.set(waiting_memory());
  if (in_flight_ > 0 || stage_ != Stage::close_sent || !ended_) return;
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
  close(CloseCode::policy_violation, "too slow: take what the server sends sooner", Drain::no, now);
}

void ClientProtocol::begin_close(Close close, Time now) {
  stage_ = Stage::closing;
  next_ping_ = never;
  deadline_ = now + (close.drain == Drain::yes ? limits_.drain_timeout : limits_.close_timeout);
  if (close.drain == Drain::no) {
    outbox_.clear();
    sending_.clear();
    waiting_.set(waiting_memory());
  }
  close_ = std::make_unique<Close>(std::move(close));
}

// The client's message is too slow: the rest of it is not awaited.
void ClientProtocol::end_for(std::string reason, Time now) {
  accounts_->ledger().count(Budget::unfinished, Measure::closed);
  unfinished_ = nullptr;
  ended_ = true;
  reader_.discard();
  kept_.set(reader_.kept_memory());
  close(CloseCode::policy_violation, std::move(reason), Drain::no, now);
}

// The client sent a close frame, or broke the protocol.
void ClientProtocol::end_by_client(std::uint16_t code, std::string reason, Time now) {
  ended_ = true;
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
  progress_ = never;
  deadline_ = never;
  unfinished_ = nullptr;
}

ClientProtocol::StreamEnd ClientProtocol::end() const {
  if (stage_ == Stage::over) return StreamEnd::close;
  return stage_ == Stage::shutting_down ? StreamEnd::shut_down : StreamEnd::none;
}

// --- Times ---

ClientProtocol::Time ClientProtocol::deadline() const {
  const Time next = std::min({deadline_, next_ping_, progress_});
  return unfinished_ ? std::min({next, unfinished_->check, unfinished_->retry}) : next;
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
    return close(CloseCode::policy_violation, "no request came: the first frame must be a connect",
                 Drain::yes, now);
  }
  if (progress_ <= now) {
    progress_ = never;
    return close_as_too_slow(now);
  }
  check_unfinished(now);
  if (next_ping_ > now) return;
  next_ping_ = now + ping_interval_;
  if (control_.size() <= control_frames_bytes_max)
    append_websocket_frame(Opcode::ping, {}, control_);
}

}  // namespace server
