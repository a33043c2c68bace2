#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "wire/records.h"

namespace znode {

class Node;

// How long nodes without children are kept, besides the TTLs.
struct ReapingRules {
  std::int64_t tick_ms = 50;                // the length of a tick
  std::int64_t container_idle_ms = 60'000;  // a container, after its last child was deleted
  std::int64_t container_unused_ms = 0;     // a container that never had a child; 0: for ever

  bool operator==(const ReapingRules&) const = default;
};

// The containers and TTL nodes of a tree; on a leader also how long each is still kept. A leader
// counts that in its own ticks, because a wall clock may be wrong. Nothing of this is replicated or
// stored. The cost of a tick is bounded, however many nodes there are.
class Countdowns {
 public:
  // Begins to count. Earlier times are not known in ticks. So a container counts from now. The age
  // of a TTL node is taken from its mtime and `now`; it is between 0 and the TTL.
  void begin(const ReapingRules& rules, wire::TimeMs now);
  void end() { counts_ = false; }
  // A tick has passed. No effect before `begin`.
  void tick();

  // The nodes that are due for deletion, the earliest first; at most `max`. A node is never due
  // early. It stays due until it is erased, gets a child, or is restarted.
  [[nodiscard]] std::vector<const Node*> due(std::size_t max) const;
  [[nodiscard]] bool is_due() const;

  // --- For the tree. Every node is a container or a TTL node. ---

  // The node was inserted; it has no children.
  void insert(const Node& node);
  void erase(const Node& node);
  // The data of the node was set.
  void restart(const Node& node);
  // The node has its first child.
  void got_child(const Node& node);
  // The node has lost its last child.
  void lost_children(const Node& node);

  [[nodiscard]] std::size_t size() const { return marks_.size(); }

 private:
  // The tick at which a node is due, counted in this term. A term begins with each `begin`; marks
  // of earlier terms mean nothing.
  struct Mark {
    std::uint64_t tick = 0;
    std::uint32_t term = 0;
  };
  // The marks of earlier terms come first. Equal ticks have the same order on all servers.
  struct Entry {
    std::uint32_t term = 0;
    std::uint32_t path_hash = 0;
    std::uint64_t tick = 0;
    const Node* node = nullptr;

    bool operator<(const Entry& other) const;
  };

  [[nodiscard]] Entry entry_of(const Node& node, const Mark& mark) const;
  [[nodiscard]] Mark mark_of_beginning(const Node& node) const;
  [[nodiscard]] Mark mark_since(std::uint64_t tick, const Node& node, std::int64_t age_ms) const;

  ReapingRules rules_;
  bool counts_ = false;
  std::uint32_t term_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t begun_ = 0;                             // the tick of `begin`
  wire::TimeMs begun_at_ = 0;                           // its time
  boost::unordered_flat_map<const Node*, Mark> marks_;  // of all nodes
  std::set<Entry> childless_;                           // of the nodes without children
};

}  // namespace znode
