#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/records.h"
#include "znode/tree.h"

namespace znode {

// As much of a node as plans are judged against.
struct PendingNode {
  std::int32_t version = 0;
  std::int32_t aversion = 0;
  std::int32_t creations = 0;
  std::uint32_t child_count = 0;
  wire::SessionId ephemeral_owner;

  bool operator==(const PendingNode&) const = default;
};

class Draft;

// The tree as it will be once every outstanding plan is applied: an overlay of the nodes that these
// plans touch. Plans are applied in the order in which they were added.
class PendingTree {
 public:
  // `tree` must outlive it.
  explicit PendingTree(const Tree& tree) : tree_(tree) {}
  PendingTree(const PendingTree&) = delete;
  PendingTree& operator=(const PendingTree&) = delete;

  // Nothing where there will be none.
  [[nodiscard]] std::optional<PendingNode> find(std::string_view path) const;
  // The ephemeral nodes that a session will have, sorted.
  [[nodiscard]] std::vector<std::string> ephemerals(wire::SessionId session) const;

  // What `draft` did becomes the newest outstanding plan.
  void add(Draft&& draft);
  // The oldest outstanding plan is now in the tree.
  void applied();
  // No outstanding plan will be applied.
  void clear();

  [[nodiscard]] std::size_t outstanding() const { return plans_.size(); }
  // Nodes that the overlay holds; none when nothing is outstanding.
  [[nodiscard]] std::size_t overlay_size() const { return overlay_.size(); }

 private:
  friend class Draft;
  struct Entry {
    std::optional<PendingNode> node;
    std::uint64_t plan = 0;  // the last that touched it
  };
  using Overlay = std::map<std::string, Entry, std::less<>>;

  void forget_owner(const Overlay::value_type& entry);

  const Tree& tree_;
  Overlay overlay_;
  std::set<std::pair<wire::SessionId, std::string>> ephemerals_;  // those in the overlay
  std::deque<std::vector<Overlay::iterator>> plans_;  // what each touched, the oldest first
  std::uint64_t last_plan_ = 0;
};

// One plan in the making: sees the pending tree and what it did itself. A draft that is dropped
// leaves nothing behind.
class Draft {
 public:
  explicit Draft(const PendingTree& base) : base_(base) {}

  [[nodiscard]] std::optional<PendingNode> find(std::string_view path) const;
  // How many nodes there are below `path`; and their paths, children before their parents.
  [[nodiscard]] std::vector<std::string> descendants(std::string_view path) const;

  // The parent exists, the node does not.
  void create(std::string_view path, wire::SessionId ephemeral_owner);
  // The node exists.
  void set(std::string_view path, std::int32_t version);
  // The node exists and is childless.
  void remove(std::string_view path);

 private:
  friend class PendingTree;
  PendingNode at(std::string_view path) const;
  void put(std::string_view path, std::optional<PendingNode> node);

  const PendingTree& base_;
  std::map<std::string, std::optional<PendingNode>, std::less<>> changes_;
};

}  // namespace znode
