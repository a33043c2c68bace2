#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "wire/records.h"
#include "znode/node.h"

namespace znode {

// All znodes, in memory. Begins with /, /zookeeper, /zookeeper/config and /zookeeper/quota.
// A node is found by its path in one look-up, its children are in name order, and every ephemeral
// node is known by its session.
class Tree {
 public:
  Tree();
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // Null where there is none.
  [[nodiscard]] const Node* find(std::string_view path) const;
  // The node exists, or the program is wrong.
  [[nodiscard]] const Node& at(std::string_view path) const;
  [[nodiscard]] Node& at(std::string_view path);

  // Hangs a node under its parent, which exists. Of its fields only name, data and owner are set.
  Node& insert(std::string_view path, std::string_view data, wire::SessionId ephemeral_owner);
  // Takes away a node that exists, is childless and not the root.
  void erase(std::string_view path);

  // All nodes, the initial four included.
  [[nodiscard]] std::uint64_t size() const { return index_.size(); }
  // The ephemeral nodes of a session, sorted.
  [[nodiscard]] std::vector<std::string> ephemerals(wire::SessionId session) const;
  // How many sessions have an ephemeral node.
  [[nodiscard]] std::uint64_t ephemeral_owner_count() const { return ephemerals_.size(); }

 private:
  struct Key {
    std::string_view path;
    std::size_t hash;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Node* node) const { return node->path_hash_; }
    std::size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Node* a, const Node* b) const { return a == b; }
    bool operator()(const Key& key, const Node* node) const { return is_at(*node, key); }
    bool operator()(const Node* node, const Key& key) const { return is_at(*node, key); }
  };
  struct SessionHash {
    std::size_t operator()(wire::SessionId id) const {
      return std::hash<std::uint64_t>{}(id.value);
    }
  };

  static Key key(std::string_view path);
  static bool is_at(const Node& node, const Key& key);
  [[nodiscard]] Node* find_node(std::string_view path) const;
  Node& link(Node* parent, std::string_view path, std::string_view data);

  boost::unordered_flat_set<Node*, Hash, Equal> index_;
  boost::unordered_flat_map<wire::SessionId, boost::unordered_flat_set<const Node*>, SessionHash>
      ephemerals_;
};

// The node after `node` when a subtree is walked parents first, children in name order; null at the
// end of the subtree below `root`.
[[nodiscard]] const Node* next_in_subtree(const Node& node, const Node& root);

}  // namespace znode
