#include "server/clients/zookeeper_queue.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "server/clients/outbox.h"

namespace server {
namespace {

// The fixed parts of a reply: its header, a stat and lengths.
constexpr std::size_t frame_bytes = 128;

std::size_t size_of(const wire::ReplyBody& body) {
  std::size_t bytes = 0;
  if (const auto* get = std::get_if<wire::GetReply>(&body)) {
    bytes = get->data.size();
  } else if (const auto* children = std::get_if<wire::ChildrenReply>(&body)) {
    for (const wire::Child& child : children->children) bytes += child.name.size() + 4;
  } else if (const auto* ephemerals = std::get_if<wire::EphemeralsReply>(&body)) {
    for (const std::string& path : ephemerals->paths) bytes += path.size() + 4;
  } else if (const auto* multi = std::get_if<wire::MultiReply>(&body)) {
    bytes = multi->results.size() * frame_bytes;
  }
  return bytes;
}

// About the size of the frame that a message becomes.
std::size_t size_of(const wire::ServerMessage& message) {
  const auto* reply = std::get_if<wire::Reply>(&message);
  return frame_bytes + (reply != nullptr && reply->body ? size_of(*reply->body) : 0);
}

}  // namespace

ZooKeeperQueue::ZooKeeperQueue(const ClientLimits& limits, ConnectionCounters& counters,
                               const std::shared_ptr<AddressAccounts>& accounts)
    : limits_(limits), counters_(counters), waiting_(account_of(accounts, Budget::waiting)) {}

std::size_t ZooKeeperQueue::memory() const {
  return queued_.capacity() + in_flight_ + conversation_.memory();
}

bool ZooKeeperQueue::send(const wire::ServerMessage& message) {
  if (sealed_) return true;
  conversation_.on(message, queued_);
  const std::size_t after = memory();
  const bool fits = after < small_queue_bytes || waiting_.accepts(after);
  waiting_.set(after);
  return fits && bytes() <= limits_.queued_bytes_max;
}

bool ZooKeeperQueue::has_room(std::size_t more) const {
  if (sealed_) return true;
  // The queue's memory doubles when it is full.
  const std::size_t after = 2 * memory() + more;
  return bytes() + more <= limits_.queued_bytes_max &&
         (after < small_queue_bytes || waiting_.fits(after - std::min(after, waiting_.bytes())));
}

Offer ZooKeeperQueue::offer(const wire::ServerMessage& message) {
  if (sealed_) return Offer::queued;
  const std::size_t size = size_of(message);
  if (size > limits_.queued_bytes_max) return Offer::too_large;
  const bool is_small = waiting_.bytes() + size < Holding::step;
  if (!is_small && !has_room(size)) return Offer::no_room;
  conversation_.on(message, queued_);
  waiting_.set(memory());
  return Offer::queued;
}

std::optional<wire::ParsedFrame> ZooKeeperQueue::take(wire::jute::ParsedRequest&& request) {
  auto frame = conversation_.take(std::move(request), queued_);
  waiting_.set(memory());
  return frame;
}

void ZooKeeperQueue::drop_messages() {
  release(queued_);
  waiting_.set(memory());
}

void ZooKeeperQueue::compose(std::string& out) {
  counters_.out.add(queued_.size());
  out += queued_;
  in_flight_ += queued_.size();
  release(queued_);
  waiting_.set(memory());
}

void ZooKeeperQueue::written(std::size_t bytes) {
  in_flight_ -= bytes;
  waiting_.set(memory());
}

}  // namespace server
