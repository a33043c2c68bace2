#include "server/clients/message_reader.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace server {
namespace {

// If the budgets have no room for more of a message, reading is tried again after this time.
constexpr std::chrono::milliseconds retry_interval{50};

std::size_t message_bytes_max(wire::Format format, const ClientLimits& limits) {
  return (format == wire::Format::json ? escapes_factor : 1) * limits.frame_bytes_max;
}

}  // namespace

MessageReader::MessageReader(wire::Format format, const ClientLimits& limits,
                             const std::shared_ptr<AddressAccounts>& accounts)
    : limits_(limits),
      accounts_(*accounts),
      reader_(std::min(limits.first_frame_bytes_max, message_bytes_max(format, limits))),
      kept_(account_of(accounts, Budget::unfinished)) {}

// The rest of a message is not read while there is no room to keep it, or to carry out its
// requests.
std::size_t MessageReader::readable_bytes(std::size_t most) {
  if (!unfinished_) return kept_.room(most);
  if (!request_has_room()) return 0;
  // A buffer that grows in steps can become twice as large as the message.
  const std::size_t all = 2 * std::max(reader_.expected_bytes(), reader_.kept_bytes() + most);
  return kept_.room_to_end(most, all - std::min(all, kept_.bytes()));
}

bool MessageReader::request_has_room() const {
  const std::size_t bytes = std::max(reader_.expected_bytes(), reader_.kept_bytes());
  const Account& requests = accounts_[Budget::requests];
  const std::size_t used = requests.used();
  return bytes < Holding::step || used == 0 || used + bytes <= requests.limit();
}

void MessageReader::hold_back(Time now) {
  if (!unfinished_) note_unfinished(now);
  if (!unfinished_ || is_held_back()) return;
  unfinished_->retry = now + retry_interval;
  accounts_.ledger().count(request_has_room() ? Budget::unfinished : Budget::requests,
                           Measure::not_read);
}

std::optional<Incoming> MessageReader::next(Time now) {
  std::optional<Incoming> incoming = reader_.next();
  if (!incoming) {
    note_unfinished(now);
  } else if (!reader_.is_within_message()) {
    unfinished_ = nullptr;
    kept_.has_ended();
  }
  return incoming;
}

void MessageReader::allow_large_messages(wire::Format format) {
  reader_.limit(message_bytes_max(format, limits_));
}

void MessageReader::keep() {
  reader_.keep();
  kept_.set(reader_.kept_memory());
}

void MessageReader::discard() {
  reader_.discard();
  unfinished_ = nullptr;
  kept_.set(reader_.kept_memory());
}

void MessageReader::note_unread() {
  if (unfinished_) unfinished_->was_unread = true;
}

// Called when the message needs more bytes.
void MessageReader::note_unfinished(Time now) {
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
std::optional<std::string> MessageReader::check(Time now, bool is_read) {
  if (!unfinished_) return std::nullopt;
  Unfinished& message = *unfinished_;
  const auto reads = [&] { return is_read && !is_held_back(); };
  if (!reads()) message.was_unread = true;
  if (message.retry <= now) message.retry = never;
  if (message.check > now) return std::nullopt;
  const std::size_t bytes = reader_.kept_bytes();
  const std::size_t arrived = bytes - std::min(bytes, message.bytes_at_check);
  message.bytes_at_check = bytes;
  message.check = now + limits_.message_interval;
  if (std::exchange(message.was_unread, !reads())) {
    message.end += limits_.message_interval;
  } else if (message.end <= now) {
    return "too slow: a message must arrive within " +
           std::to_string(limits_.message_timeout.count() / 1000) + " s, or at 16 KiB a second";
  } else if (bytes > limits_.short_message_bytes && arrived < limits_.message_interval_bytes) {
    return "too slow: a message must arrive at 16 KiB a second at least";
  }
  return std::nullopt;
}

MessageReader::Time MessageReader::deadline() const {
  return unfinished_ ? std::min(unfinished_->check, unfinished_->retry) : never;
}

}  // namespace server
