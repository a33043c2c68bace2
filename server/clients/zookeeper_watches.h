#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wire/replies.h"
#include "wire/zxid.h"

namespace server {

// The watches of one client of ZooKeeper's protocol. In that protocol a watch has no id. A
// connection has at most one watch of each kind for a path. It gets one event for a change, even if
// several watches match. Each of them uses a watch of ours, which has an id.
class ZooKeeperWatches {
 public:
  // The kinds up to `child` are for one event. A persistent watch of ZooKeeper needs two of ours.
  enum class Kind : std::uint8_t { data, exists, child, persistent, persistent_child, recursive };
  static constexpr std::size_t kinds = 6;
  using Id = std::uint64_t;  // of a watch of ours; never 0

  // Returns the id for a watch that will be requested.
  [[nodiscard]] Id begin(std::string path, Kind kind);
  // The watch is set. If the path already has one of this kind, forgets the new one and returns
  // false; then the caller must remove the new one.
  [[nodiscard]] bool set(Id id);
  // The watch was not set, or is removed.
  void forget(Id id);

  // A watch has an event. Returns whether the client must get it. It must not if the watch is
  // forgotten, or if another watch has already reported the same event.
  [[nodiscard]] bool fires(Id id, const wire::WatchEvent& event);

  // Removes the watches of a path that match `type`, which is ZooKeeper's WatcherType: 1 children,
  // 2 data, 3 any, 4 persistent, 5 recursive. Returns the ids of our watches.
  [[nodiscard]] std::vector<Id> remove(const std::string& path, std::int32_t type);
  // The path and kind of a watch; nothing if it is forgotten.
  [[nodiscard]] std::optional<std::pair<std::string, Kind>> find(Id id) const;
  [[nodiscard]] bool is_set(Id id) const;
  // Whether a watch of the path matches `type`.
  [[nodiscard]] bool has(const std::string& path, std::int32_t type) const;

  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Watch {
    std::string path;
    Kind kind;
  };
  using Ids = std::array<Id, kinds>;  // of a path, by kind; 0: none

  void drop(std::unordered_map<Id, Watch>::iterator watch);

  Id last_id_ = 0;
  std::size_t bytes_ = 0;  // of paths
  std::unordered_map<Id, Watch> by_id_;
  std::unordered_map<std::string, Ids> by_path_;  // of those that are set
  // The events of the newest transaction that the client has got.
  wire::Zxid told_zxid_;
  std::set<std::pair<wire::EventKind, std::string>> told_;
};

}  // namespace server
