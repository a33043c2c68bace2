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

// The watches of one connection that speaks ZooKeeper's protocol. There a watch has no id: a
// connection has at most one of each kind for a path, and gets one event for a change, whatever
// watches match. Below each of them is a watch of ours, which has an id.
class ZooKeeperWatches {
 public:
  // Those up to `child` are for one event. A persistent watch of ZooKeeper is two of ours.
  enum class Kind : std::uint8_t { data, exists, child, persistent, persistent_child, recursive };
  static constexpr std::size_t kinds = 6;
  using Id = std::uint64_t;  // of a watch of ours; never 0

  // A watch that is about to be set.
  [[nodiscard]] Id begin(std::string path, Kind kind);
  // It is set. Returns false, and forgets it, if the path has one of that kind already: then the
  // new one is to be removed.
  [[nodiscard]] bool set(Id id);
  // It was not set, or it is removed.
  void forget(Id id);

  // A watch has an event. Returns whether the client is to be told: not if the watch is forgotten,
  // nor if the client was told the same by another watch.
  [[nodiscard]] bool fires(Id id, const wire::WatchEvent& event);

  // Removes the watches of a path that ZooKeeper's WatcherType names: 1 children, 2 data, 3 any,
  // 4 persistent, 5 recursive. Returns the ids of those of ours.
  [[nodiscard]] std::vector<Id> remove(const std::string& path, std::int32_t type);
  // The path and kind of a watch; nothing if it is forgotten.
  [[nodiscard]] std::optional<std::pair<std::string, Kind>> find(Id id) const;
  [[nodiscard]] bool is_set(Id id) const;
  // Whether there is one.
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
  // What the client was told of the last transaction.
  wire::Zxid told_zxid_;
  std::set<std::pair<wire::EventKind, std::string>> told_;
};

}  // namespace server
