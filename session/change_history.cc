#include "session/change_history.h"

#include <algorithm>
#include <utility>

#include "wire/ensure.h"

namespace session {
namespace {

std::size_t bytes_of(const std::vector<znode::Change>& changes) {
  std::size_t bytes = 0;
  for (const znode::Change& change : changes) {
    bytes += sizeof change + change.path.size() + (change.data ? change.data->size() : 0);
  }
  return bytes;
}

}  // namespace

std::deque<ChangeHistory::Entry>::const_iterator ChangeHistory::first_after(wire::Zxid zxid) const {
  return std::ranges::upper_bound(entries_, zxid, {}, &Entry::zxid);
}

void ChangeHistory::begin_after(wire::Zxid zxid) {
  *this = ChangeHistory(bounds_);
  start_ = end_ = zxid;
}

void ChangeHistory::add(wire::Zxid zxid, std::vector<znode::Change> changes) {
  ensure(zxid > end_, "transactions are applied in the order of their zxids");
  end_ = zxid;
  if (changes.empty()) return;

  const std::size_t bytes = bytes_of(changes);
  bytes_ += bytes;
  change_count_ += changes.size();
  entries_.push_back({zxid, std::move(changes), bytes});

  while (change_count_ > bounds_.changes_max || bytes_ > bounds_.bytes_max) {
    start_ = entries_.front().zxid;
    bytes_ -= entries_.front().bytes;
    change_count_ -= entries_.front().changes.size();
    entries_.pop_front();
  }
}

}  // namespace session
