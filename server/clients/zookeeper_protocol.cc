#include "server/clients/zookeeper_protocol.h"

#include <algorithm>
#include <utility>

#include "wire/jute/requests.h"

namespace server {
namespace {

// If the budgets have no room for more of a frame, reading is tried again after this time.
constexpr std::chrono::milliseconds frame_retry_interval{50};

}  // namespace

ZooKeeperProtocol::ZooKeeperProtocol(const ClientLimits& limits, ConnectionCounters& counters,
                                     std::shared_ptr<AddressAccounts> accounts, Time now)
    : limits_(limits),
      counters_(counters),
      accounts_(std::move(accounts)),
      kept_(account_of(accounts_, Budget::unfinished)),
      queue_(limits, counters, accounts_),
      deadline_(now + limits.first_frame_timeout) {}

// --- Reading ---

std::size_t ZooKeeperProtocol::readable_bytes(std::size_t most) {
  if (unfinished_ == never) return kept_.room(most);
  // A buffer that grows in steps can become twice as large as the frame.
  const std::size_t all = 2 * std::max(frames_.expected_bytes(), frames_.kept_bytes() + most);
  return kept_.room_to_end(most, all - std::min(all, kept_.bytes()));
}

void ZooKeeperProtocol::hold_back(Time now) {
  retry_ = now + frame_retry_interval;
  accounts_->ledger().count(Budget::unfinished, Measure::not_read);
}

bool ZooKeeperProtocol::has_events() const {
  if (stage_ == Stage::over) return !closed_reported_;
  if (stage_ == Stage::open && queue_.conversation().closes()) return true;
  return takes_requests() && (interrupted_ || queue_.conversation().has_requests());
}

std::optional<ClientEvent> ZooKeeperProtocol::next(Time now) {
  interrupted_ = false;
  if (stage_ == Stage::open && queue_.conversation().closes()) begin_close(Drain::yes, now);
  while (takes_requests()) {
    if (queue_.conversation().has_requests()) return queue_.conversation().requests();
    const auto frame = frames_.next();
    if (!frame) {
      if (frames_.is_broken()) begin_close(Drain::no, now);
      note_unfinished(now);
      break;
    }
    unfinished_ = never;
    kept_.has_ended();
    if (auto event = take(*frame, now)) return event;
  }
  if (stage_ != Stage::open || queue_.conversation().ends()) {
    frames_.discard();
    kept_.set(0);
  } else if (paused_) {
    frames_.keep();
    kept_.set(frames_.kept_memory());
    interrupted_ = true;
  }
  if (stage_ == Stage::over && !std::exchange(closed_reported_, true)) return Closed{};
  return std::nullopt;
}

std::optional<ClientEvent> ZooKeeperProtocol::take(std::string_view frame, Time now) {
  counters_.in.add(frame.size());
  std::optional<wire::ParsedFrame> parsed;
  if (!std::exchange(is_connected_, true)) {
    deadline_ = never;
    if (auto connect = wire::jute::parse_connect(frame)) {
      parsed = queue_.conversation().connect(*std::move(connect));
    } else {
      begin_close(Drain::no, now);
    }
  } else if (auto request = wire::jute::parse_request(frame)) {
    parsed = queue_.take(*std::move(request));
    if (queue_.conversation().closes()) begin_close(Drain::yes, now);
    if (!parsed && stage_ == Stage::open) return Alive{};
  } else {
    begin_close(Drain::yes, now);
  }
  if (!parsed) return std::nullopt;
  parsed->bytes = frame.size();
  return *std::move(parsed);
}

// Called when the next frame needs more bytes. Charges the bytes that are kept, and sets a
// deadline.
void ZooKeeperProtocol::note_unfinished(Time now) {
  kept_.set(frames_.kept_memory());
  if (frames_.kept_bytes() == 0) {
    unfinished_ = never;
  } else if (unfinished_ == never) {
    unfinished_ = now + limits_.message_timeout;
  }
}

// --- Writing ---

bool ZooKeeperProtocol::has_output() const {
  return !queue_.is_writing() && !queue_.is_empty() && stage_ <= Stage::closing;
}

void ZooKeeperProtocol::compose(std::string& out, Time now) {
  if (!has_output()) return;
  queue_.compose(out);
  progress_ = now + limits_.progress_timeout;
}

void ZooKeeperProtocol::written(std::size_t bytes, Time now) {
  queue_.written(bytes);
  if (bytes > 0) progress_ = queue_.is_writing() ? now + limits_.progress_timeout : never;
  if (stage_ == Stage::open && queue_.conversation().closes()) begin_close(Drain::yes, now);
  shut_down_if_sent(now);
}

// --- The end ---

void ZooKeeperProtocol::close(CloseCode, std::string, Drain drain, Time now) {
  if (stage_ == Stage::open) begin_close(drain, now);
}

void ZooKeeperProtocol::close_as_too_slow(Time now) {
  if (stage_ != Stage::open) return;
  counters_.too_slow.add(1);
  accounts_->ledger().count(Budget::waiting, Measure::closed);
  begin_close(Drain::no, now);
}

void ZooKeeperProtocol::begin_close(Drain drain, Time now) {
  stage_ = Stage::closing;
  deadline_ = now + limits_.drain_timeout;
  queue_.seal();
  if (drain == Drain::no) queue_.drop_messages();
  shut_down_if_sent(now);
}

// The client may still send. If the stream were closed at once, the system might drop the last
// reply.
void ZooKeeperProtocol::shut_down_if_sent(Time now) {
  if (stage_ != Stage::closing || queue_.is_writing() || !queue_.is_empty()) return;
  stage_ = Stage::shutting_down;
  deadline_ = now + limits_.close_timeout;
}

void ZooKeeperProtocol::lost() {
  stage_ = Stage::over;
  deadline_ = unfinished_ = retry_ = progress_ = never;
  queue_.seal();
  frames_.discard();
}

StreamProtocol::StreamEnd ZooKeeperProtocol::end() const {
  if (stage_ == Stage::over) return StreamEnd::close;
  return stage_ == Stage::shutting_down ? StreamEnd::shut_down : StreamEnd::none;
}

// --- Times ---

ZooKeeperProtocol::Time ZooKeeperProtocol::deadline() const {
  return std::min({deadline_, unfinished_, retry_, progress_});
}

void ZooKeeperProtocol::time_is(Time now) {
  if (retry_ <= now) retry_ = never;
  if (deadline_ <= now) {
    deadline_ = never;
    if (stage_ == Stage::open) counters_.silent.add(1);
    return lost();
  }
  if (progress_ <= now) {
    progress_ = never;
    return close_as_too_slow(now);
  }
  if (unfinished_ <= now) {
    unfinished_ = never;
    accounts_->ledger().count(Budget::unfinished, Measure::closed);
    begin_close(Drain::no, now);
  }
}

}  // namespace server
