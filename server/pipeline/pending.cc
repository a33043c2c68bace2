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
  auto removed = requests_.extract(tag);
  if (removed.empty()) return std::nullopt;
  return std::move(removed.mapped());
}

std::optional<WhenApplied::Action> Pending::pop_due(wire::Zxid applied) {
  if (at_zxid_.empty() || at_zxid_.begin()->first > applied) return std::nullopt;
  return std::move(at_zxid_.extract(at_zxid_.begin()).mapped());
}

void Pending::add_read(std::uint64_t tag, wire::Zxid zxid, std::uint64_t ticks) {
  reads_.emplace(zxid, tag);
  read_deadlines_.emplace(ticks_ + ticks, Read(zxid, tag));
}

std::optional<std::uint64_t> Pending::pop_read(wire::Zxid applied) {
  if (reads_.empty() || reads_.begin()->first > applied) return std::nullopt;
  return reads_.extract(reads_.begin()).value().second;
}

std::optional<Pending::LateRead> Pending::pop_late_read() {
  while (!read_deadlines_.empty() && read_deadlines_.begin()->first <= ticks_) {
    const Read read = read_deadlines_.extract(read_deadlines_.begin()).mapped();
    if (reads_.erase(read) > 0) return LateRead{read.first, read.second};
  }
  return std::nullopt;
}

void Pending::clear() {
  requests_.clear();
  at_zxid_.clear();
  reads_.clear();
  read_deadlines_.clear();
}

}  // namespace server
