#include "server/pipeline/fair_queue.h"

#include <utility>

namespace server {

bool FairQueue::is_full(std::uint64_t session, const Queue& queue) const {
  return session != 0 && queue.outstanding >= bounds_.session;
}

bool FairQueue::is_free(wire::SessionId session) const {
  if (!ready_.empty() || is_full()) return false;
  const auto queue = queues_.find(session.value);
  return queue == queues_.end() ||
         (queue->second.held.empty() && !is_full(session.value, queue->second));
}

void FairQueue::update(std::uint64_t session) {
  const auto found = queues_.find(session);
  if (found == queues_.end()) return;
  Queue& queue = found->second;
  if (queue.held.empty()) {
    if (queue.outstanding == 0) queues_.erase(found);
  } else if (!queue.ready && !is_full(session, queue)) {
    queue.ready = true;
    ready_.push_back(session);
  }
}

void FairQueue::hold(session::Command command, std::size_t bytes) {
  const std::uint64_t session = command.session.value;
  queues_[session].held.push_back({std::move(command), bytes});
  held_ += 1;
  held_bytes_ += bytes;
  update(session);
}

std::optional<session::Command> FairQueue::next() {
  if (ready_.empty() || is_full()) return std::nullopt;
  Queue& queue = queues_.at(ready_.front());
  ready_.pop_front();
  queue.ready = false;
  session::Command command = std::move(queue.held.front().command);
  held_bytes_ -= queue.held.front().bytes;
  queue.held.pop_front();
  held_ -= 1;
  return command;
}

void FairQueue::planned(wire::SessionId session, std::size_t bytes) {
  queues_[session.value].outstanding += 1;
  outstanding_.push_back({session.value, bytes});
  outstanding_bytes_ += bytes;
  update(session.value);
}

void FairQueue::refused(wire::SessionId session) { update(session.value); }

void FairQueue::applied() {
  if (outstanding_.empty()) return;
  const auto [session, bytes] = outstanding_.front();
  outstanding_.pop_front();
  outstanding_bytes_ -= bytes;
  queues_.at(session).outstanding -= 1;
  update(session);
}

void FairQueue::clear() {
  queues_.clear();
  ready_.clear();
  outstanding_.clear();
  held_ = held_bytes_ = outstanding_bytes_ = 0;
}

}  // namespace server
