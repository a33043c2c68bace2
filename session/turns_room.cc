#include <utility>

#include "session/turns.h"

// The part of Turns that keeps the indexes small: which are dropped, and what they take.
namespace session {
namespace {

// So many folders in which nobody waits stay indexed, and so many children in all before they are
// dropped.
constexpr std::size_t unused_folders_max = 64;
constexpr std::size_t unused_children_max = 65'536;
// The index of so few children is freed at once.
constexpr std::size_t small_folder = 256;

}  // namespace

wire::Result<void> Turns::make_room(std::size_t bytes, const Folder* keep) {
  if (budget_ == nullptr) return {};
  auto room = budget_->check_indexes(bytes_ + bytes);
  if (room || !budget_->check_indexes(bytes)) return room;
  for (auto at = unused_.begin(); !room && at != unused_.end();) {
    const auto folder = (at++)->second;
    if (&folder->second == keep || folder->second.is_awaited()) continue;
    drop(folder);
    room = budget_->check_indexes(bytes_ + bytes);
  }
  return room;
}

void Turns::set_unused(Folders::iterator folder) {
  unused_.erase(folder->second.used);
  folder->second.used = ++uses_;
  folder->second.used_at = ticks_;
  unused_[folder->second.used] = folder;
  // One was added at most, and two are looked at.
  for (int looked = 0; looked < 2; ++looked) {
    const bool are_too_many = unused_.size() > unused_folders_max ||
                              (unused_.size() > 1 && indexed_ > unused_children_max);
    const auto oldest = unused_.begin()->second;
    if (!are_too_many || oldest == folder) return;
    if (!oldest->second.is_awaited()) {
      drop(oldest);
      continue;
    }
    // The list that waits would only begin the index again.
    unused_.erase(oldest->second.used);
    oldest->second.used = ++uses_;
    unused_[oldest->second.used] = oldest;
  }
}

void Turns::drop(Folders::iterator folder) {
  unused_.erase(folder->second.used);
  std::erase(unfinished_, folder);
  std::erase(must_check_, folder);
  folder->second.end_wait();
  indexed_ -= folder->second.all.size() + folder->second.names.size();
  const std::size_t bytes = bytes_of(folder->second);
  bytes_ -= bytes;
  Folders& all = folders(folder->second.use);
  if (folder->second.all.size() + folder->second.names.size() <= small_folder) {
    all.erase(folder);
  } else {
    dropped_.push_back(all.extract(folder));
    dropped_bytes_ += bytes;
  }
  charge();
}

void Turns::free_part() {
  for (std::size_t left = part_children; left > 0 && !dropped_.empty();) {
    Folder& folder = dropped_.front().mapped();
    dropped_bytes_ -= bytes_of(folder);
    left -= folder.names.drop(left);
    left -= folder.all.drop(left);
    for (; left > 0 && !folder.kinds.empty(); folder.kinds.erase(folder.kinds.begin())) {
      left -= folder.kinds.begin()->second.drop(left);
      if (folder.kinds.begin()->second.size() > 0) break;
    }
    dropped_bytes_ += bytes_of(folder);
    if (left > 0) dropped_.pop_front();
  }
  charge();
}

void Turns::give_up(Folders::iterator folder) {
  for (const auto& [key, group] : std::exchange(folder->second.groups, {})) {
    for (const auto& [number, watch] : group) {
      waiting_.erase(watch);
      lost_.push_back({.watch = watch, .options = {}, .is_lost = true});
    }
  }
  drop(folder);
}

void Turns::charge() const {
  if (budget_ != nullptr) budget_->set_indexes(bytes_ + dropped_bytes_);
}

}  // namespace session
