#include "server/pipeline/pending.h"

namespace server {

std::uint64_t Pending::add(Request request) {
  requests_.emplace(++last_tag_, std::move(request));
  return last_tag_;
}

const Pending::Request* Pending::find(std::uint64_t tag) const {
  const auto found = requests_.find(tag);
  return found == requests_.end() ? nullptr : &found->second;
}

std::optional<Pending::Request> Pending::remove(std::uint64_t tag) {
  remove_read(tag);
  auto removed = requests_.extract(tag);
  if (removed.empty()) return std::nullopt;
  return std::move(removed.mapped());
}

void Pending::add_at(WhenApplied waiting) {
  if (const auto* request = std::get_if<WhenApplied::RequestSession>(&waiting.action)) {
    session_requests_.emplace(waiting.zxid, request->client);
  } else {
    at_zxid_.emplace(waiting.zxid, std::move(waiting.action));
  }
}

std::optional<WhenApplied::Action> Pending::pop_due(wire::Zxid applied) {
  if (!at_zxid_.empty() && at_zxid_.begin()->first <= applied) {
    return std::move(at_zxid_.extract(at_zxid_.begin()).mapped());
  }
  if (session_requests_.empty() || session_requests_.begin()->first > applied) return std::nullopt;
  return WhenApplied::RequestSession{
      session_requests_.extract(session_requests_.begin()).value().second};
}

void Pending::add_read(std::uint64_t tag, wire::Zxid zxid, std::uint64_t ticks) {
  const std::uint64_t deadline = ticks_ + ticks;
  reads_.emplace(tag, Read{zxid, deadline});
  reads_by_zxid_.emplace(zxid, tag);
  reads_by_deadline_.emplace(deadline, tag);
}

std::optional<std::uint64_t> Pending::pop_read(wire::Zxid applied) {
  if (reads_by_zxid_.empty() || reads_by_zxid_.begin()->first > applied) return std::nullopt;
  const std::uint64_t tag = reads_by_zxid_.begin()->second;
  remove_read(tag);
  return tag;
}

std::optional<Pending::LateRead> Pending::pop_late_read() {
  if (reads_by_deadline_.empty() || reads_by_deadline_.begin()->first > ticks_) return std::nullopt;
  const std::uint64_t tag = reads_by_deadline_.begin()->second;
  return LateRead{remove_read(tag).value(), tag};
}

std::optional<wire::Zxid> Pending::remove_read(std::uint64_t tag) {
  const auto removed = reads_.extract(tag);
  if (removed.empty()) return std::nullopt;
  const Read read = removed.mapped();
  reads_by_zxid_.erase({read.zxid, tag});
  reads_by_deadline_.erase({read.deadline, tag});
  return read.zxid;
}

void Pending::clear() {
  requests_.clear();
  at_zxid_.clear();
  session_requests_.clear();
  reads_.clear();
  reads_by_zxid_.clear();
  reads_by_deadline_.clear();
}

}  // namespace server
