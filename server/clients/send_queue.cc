#include "server/clients/send_queue.h"

#include <algorithm>
#include <utility>

namespace server {
namespace {

// One write ends at this size. A frame is never divided.
constexpr std::size_t write_bytes = 64 * 1024;
// Bytes of control frames that are queued. With more than that, nothing is read from the client.
constexpr std::size_t control_frames_bytes_max = 4 * 1024;

}  // namespace

SendQueue::SendQueue(wire::Format format, const ClientLimits& limits, ConnectionCounters& counters,
                     const std::shared_ptr<AddressAccounts>& accounts)
    : limits_(limits),
      counters_(counters),
      format_(format),
      waiting_(account_of(accounts, Budget::waiting)),
      outbox_(format),
      sending_(format) {}

std::size_t SendQueue::memory() const {
  return outbox_.memory() + sending_.memory() + control_.size() + std::max(in_flight_, in_write_);
}

bool SendQueue::send(const wire::ServerMessage& message) {
  if (sealed_) return true;
  outbox_.add(message);
  const std::size_t after = memory();
  const bool has_room = after < small_queue_bytes || waiting_.accepts(after);
  waiting_.set(after);
  return has_room && bytes() <= limits_.queued_bytes_max;
}

bool SendQueue::has_room(std::size_t more) const {
  if (sealed_) return true;
  // The queue's memory doubles when it is full.
  const std::size_t after = 2 * memory() + more;
  return bytes() + more <= limits_.queued_bytes_max &&
         (after < small_queue_bytes || waiting_.fits(after - waiting_.bytes()));
}

Offer SendQueue::offer(const wire::ServerMessage& message) {
  if (sealed_) return Offer::queued;
  const std::size_t size = outbox_.add(message);
  const bool is_small = waiting_.bytes() + size < Holding::step;
  if (is_small || (waiting_.fits(size) && bytes() <= limits_.queued_bytes_max)) {
    waiting_.set(memory());
    return Offer::queued;
  }
  outbox_.remove_last();
  waiting_.set(memory());
  return size > limits_.queued_bytes_max ? Offer::too_large : Offer::no_room;
}

void SendQueue::add(std::string_view encoded) {
  if (sealed_) return;
  outbox_.add(encoded);
  waiting_.set(memory());
}

void SendQueue::add_control(Opcode opcode, std::string_view payload) {
  append_websocket_frame(opcode, payload, control_);
}

bool SendQueue::is_full_of_control() const { return control_.size() > control_frames_bytes_max; }

bool SendQueue::is_gathering() {
  const std::size_t before = std::exchange(gathered_, outbox_.bytes());
  return gathered_ > before && gathered_ < batch_bytes();
}

void SendQueue::drop_messages() {
  outbox_.clear();
  sending_.clear();
  waiting_.set(memory());
}

void SendQueue::compose(std::string& out) {
  gathered_ = 0;
  const std::size_t begin = out.size();
  out += control_;
  release(control_);
  const Opcode opcode = format_ == wire::Format::json ? Opcode::text : Opcode::binary;
  while (out.size() - begin < write_bytes) {
    if (sending_.empty()) {
      std::swap(sending_, outbox_);
      outbox_.clear();
      if (sending_.empty()) break;
    }
    const std::string_view frame = sending_.next_frame(batch_bytes());
    counters_.out.add(frame.size());
    append_websocket_frame(opcode, frame, out);
  }
  if (sending_.empty()) sending_.clear();
}

void SendQueue::begin_write(std::size_t bytes) {
  in_flight_ = bytes;
  waiting_.set(memory());
}

void SendQueue::written(std::size_t bytes) {
  in_flight_ -= bytes;
  // The carrier keeps the bytes of a write that was begun until all of them are written.
  in_write_ = in_flight_ == 0 ? 0 : std::max(in_write_, in_flight_);
  waiting_.set(memory());
}

}  // namespace server
