#include "server/pipeline/fair_queue.h"

#include <utility>

namespace server {

bool FairQueue::is_full(std::uint64_t session, const Line& line) const {
  return session != 0 && line.under_way >= bounds_.session;
}

bool FairQueue::is_free(wire::SessionId session) const {
  if (!fair_queue_.empty() || under_way_.size() >= bounds_.all) return false;
  const auto line = lines_.find(session.value);
  return line == lines_.end() ||
         (line->second.held.empty() && !is_full(session.value, line->second));
}

void FairQueue::settle(std::uint64_t session) {
  const auto found = lines_.find(session);
  if (found == lines_.end()) return;
  Line& line = found->second;
  if (line.held.empty()) {
    if (line.under_way == 0) lines_.erase(found);
  } else if (!line.queued && !is_full(session, line)) {
    line.queued = true;
    fair_queue_.push_back(session);
  }
}

void FairQueue::hold(session::Command command) {
  const std::uint64_t session = command.session.value;
  lines_[session].held.push_back(std::move(command));
  held_ += 1;
  settle(session);
}

std::optional<session::Command> FairQueue::next() {
  if (fair_queue_.empty() || under_way_.size() >= bounds_.all) return std::nullopt;
  Line& line = lines_.at(fair_queue_.front());
  fair_queue_.pop_front();
  line.queued = false;
  session::Command command = std::move(line.held.front());
  line.held.pop_front();
  held_ -= 1;
  return command;
}

void FairQueue::went(wire::SessionId session) {
  lines_[session.value].under_way += 1;
  under_way_.push_back(session.value);
  settle(session.value);
}

void FairQueue::came_to_nothing(wire::SessionId session) { settle(session.value); }

void FairQueue::arrived() {
  if (under_way_.empty()) return;
  const std::uint64_t session = under_way_.front();
  under_way_.pop_front();
  lines_.at(session).under_way -= 1;
  settle(session);
}

void FairQueue::clear() {
  lines_.clear();
  fair_queue_.clear();
  under_way_.clear();
  held_ = 0;
}

}  // namespace server
