#include "server/clients/zookeeper_watches.h"

#include <algorithm>

namespace server {
namespace {

using Kind = ZooKeeperWatches::Kind;

bool is_of_type(std::size_t kind, std::int32_t type) {
  switch (Kind{static_cast<std::uint8_t>(kind)}) {
    case Kind::data:
    case Kind::exists: return type == 2 || type == 3;
    case Kind::child: return type == 1 || type == 3;
    case Kind::persistent:
    case Kind::persistent_child: return type == 3 || type == 4;
    case Kind::recursive: return type == 3 || type == 5;
  }
  return false;
}

bool is_for_one_event(Kind kind) { return kind <= Kind::child; }

}  // namespace

ZooKeeperWatches::Id ZooKeeperWatches::begin(std::string path, Kind kind) {
  bytes_ += path.size();
  by_id_.emplace(++last_id_, Watch{std::move(path), kind});
  return last_id_;
}

bool ZooKeeperWatches::set(Id id) {
  const auto watch = by_id_.find(id);
  if (watch == by_id_.end()) return true;  // it has had its event already
  Id& slot = by_path_[watch->second.path][static_cast<std::size_t>(watch->second.kind)];
  if (slot != 0 && slot != id) {
    drop(watch);
    return false;
  }
  slot = id;
  return true;
}

void ZooKeeperWatches::forget(Id id) {
  if (const auto watch = by_id_.find(id); watch != by_id_.end()) drop(watch);
}

void ZooKeeperWatches::drop(std::unordered_map<Id, Watch>::iterator watch) {
  const auto of_path = by_path_.find(watch->second.path);
  if (of_path != by_path_.end()) {
    Id& slot = of_path->second[static_cast<std::size_t>(watch->second.kind)];
    if (slot == watch->first) slot = 0;
    if (of_path->second == Ids{}) by_path_.erase(of_path);
  }
  bytes_ -= watch->second.path.size();
  by_id_.erase(watch);
}

bool ZooKeeperWatches::fires(Id id, const wire::WatchEvent& event) {
  const auto watch = by_id_.find(id);
  if (watch == by_id_.end()) return false;
  if (is_for_one_event(watch->second.kind)) drop(watch);
  if (event.zxid != told_zxid_) told_.clear();
  told_zxid_ = event.zxid;
  return told_.emplace(event.kind, event.path).second;
}

std::vector<ZooKeeperWatches::Id> ZooKeeperWatches::remove(const std::string& path,
                                                           std::int32_t type) {
  std::vector<Id> removed;
  const auto of_path = by_path_.find(path);
  if (of_path == by_path_.end()) return removed;
  const Ids ids = of_path->second;
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    if (ids[kind] == 0 || !is_of_type(kind, type)) continue;
    removed.push_back(ids[kind]);
    drop(by_id_.find(ids[kind]));
  }
  return removed;
}

std::optional<std::pair<std::string, Kind>> ZooKeeperWatches::find(Id id) const {
  const auto watch = by_id_.find(id);
  if (watch == by_id_.end()) return std::nullopt;
  return std::pair(watch->second.path, watch->second.kind);
}

bool ZooKeeperWatches::is_set(Id id) const {
  const auto watch = find(id);
  if (!watch) return false;
  const auto of_path = by_path_.find(watch->first);
  return of_path != by_path_.end() &&
         of_path->second[static_cast<std::size_t>(watch->second)] == id;
}

bool ZooKeeperWatches::has(const std::string& path, std::int32_t type) const {
  const auto of_path = by_path_.find(path);
  if (of_path == by_path_.end()) return false;
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    if (of_path->second[kind] != 0 && is_of_type(kind, type)) return true;
  }
  return false;
}

}  // namespace server
