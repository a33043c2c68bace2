#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "wire/records.h"
#include "znode/acl.h"
#include "znode/node.h"
#include "znode/node_tracker.h"
#include "znode/quota.h"

namespace znode {

// All znodes, in memory. Begins with /, /zookeeper, /zookeeper/config and /zookeeper/quota.
// A node is found by its path in one look-up, its children are in name order, every ephemeral node
// is known by its session, and what is to go by itself by when it may.
class Tree {
 public:
  // A node that is being changed; the tree learns of it when this ends. One at a time of a node.
  class Edit {
   public:
    Edit(Tree& tree, Node& node);
    ~Edit();
    Edit(const Edit&) = delete;
    Edit& operator=(const Edit&) = delete;

    NodeFields* operator->() { return &node_; }
    void set_data(std::string_view data);
    void set_acl(const SharedAcl& acl) { node_.acl_ = tree_.acls_.intern(acl); }
    [[nodiscard]] const Node& node() const { return node_; }

   private:
    Tree& tree_;
    Node& node_;
  };

  Tree();
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // Each becomes what the other was; no node is being edited.
  void swap(Tree& other) noexcept;

  // Null where there is none.
  [[nodiscard]] const Node* find(std::string_view path) const;
  // The node exists, or the program is wrong.
  [[nodiscard]] const Node& at(std::string_view path) const;
  [[nodiscard]] Edit edit(std::string_view path);
  // `node` is one of this tree.
  [[nodiscard]] Edit edit(const Node& node) { return {*this, const_cast<Node&>(node)}; }

  // Hangs a node under its parent, which exists. The parent's own fields stay as they are.
  const Node& insert(std::string_view path, std::string_view data, const NodeFields& fields = {},
                     Lifetime lifetime = {}, const SharedAcl& acl = {});
  // Takes away a node that exists, is childless and not the root.
  void erase(std::string_view path);
  void erase(const Node& node);
  // Takes away a node, which exists and is not the root, and all below, children before their
  // parents. `visit` gets each one's path and ACL before it goes.
  using Visit = std::function<void(const std::string& path, const SharedAcl& acl)>;
  void erase_subtree(std::string_view path, const Visit& visit);

  // Images of the tree, to be stored: see NodeTracker. The initial four nodes are in the first.
  [[nodiscard]] NodeTracker& tracker() { return tracker_; }
  [[nodiscard]] const NodeTracker& tracker() const { return tracker_; }

  // All nodes, the initial four included.
  [[nodiscard]] std::uint64_t size() const { return index_.size(); }
  // Equal for equal trees on every server, whatever their histories; changes with everything that
  // clients can see of a node.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  // The ephemeral nodes of a session, sorted by path; and in the order of their creation.
  [[nodiscard]] std::vector<std::string> ephemerals(wire::SessionId session) const;
  [[nodiscard]] std::vector<const Node*> ephemeral_nodes(wire::SessionId session) const;
  [[nodiscard]] std::size_t ephemeral_count(wire::SessionId session) const;
  // Of all sessions; looks at every one that has any.
  [[nodiscard]] std::size_t ephemeral_count() const;
  // How many sessions have an ephemeral node.
  [[nodiscard]] std::uint64_t ephemeral_owner_count() const { return ephemerals_.size(); }
  // Nodes that may go by themselves after `now` has passed, the longest due first; at most `max`.
  [[nodiscard]] std::vector<std::string> due(wire::TimeMs now, std::size_t max) const;
  [[nodiscard]] bool is_due(wire::TimeMs now) const;
  // The limits of a subtree, by its root.
  [[nodiscard]] const QuotaLimits* limits(std::string_view path) const;
  [[nodiscard]] bool has_limits() const { return !limits_.empty(); }
  // The different ACLs that nodes have, besides the open one.
  [[nodiscard]] std::size_t acl_count() const { return acls_.size(); }

 private:
  friend class TreeRestoration;
  struct Key {
    std::string_view path;
    std::uint64_t hash;
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

  // The longest due first; nodes of one time in an order that is the same everywhere.
  struct Deadline {
    wire::TimeMs time = 0;
    std::uint64_t path_hash = 0;
    const Node* node = nullptr;

    auto operator<=>(const Deadline&) const = default;
  };

  struct Empty {};  // not even a root
  explicit Tree(Empty) {}

  static Key key(std::string_view path);
  static bool is_at(const Node& node, const Key& key);
  [[nodiscard]] Node* find_node(std::string_view path) const;
  [[nodiscard]] Node& node_at(std::string_view path) const;
  // `serial` 0: the next one.
  Node& link(Node* parent, std::string_view path, std::string_view data, const NodeFields& fields,
             Lifetime lifetime, const SharedAcl& acl, std::uint64_t serial = 0);
  void unlink(Node& node);
  void destroy(Node& node);
  void destroy_children(Node& node, std::string& path, const Visit& visit);
  void schedule(const Node& node);
  void unschedule(const Node& node);
  void read_limits(const Node& node);
  void forget_limits(const Node& node);

  boost::unordered_flat_set<Node*, Hash, Equal> index_;
  boost::unordered_flat_map<wire::SessionId, boost::unordered_flat_set<const Node*>, SessionHash>
      ephemerals_;
  std::set<Deadline> deadlines_;  // of the childless nodes that have one
  std::map<std::string, QuotaLimits, std::less<>> limits_;
  AclTable acls_;
  NodeTracker tracker_;
  std::uint64_t digest_ = 0;  // the sum of the nodes' own
};

// The node after `node` when a subtree is walked parents first, children in name order; null at the
// end of the subtree below `root`.
[[nodiscard]] const Node* next_in_subtree(const Node& node, const Node& root);

}  // namespace znode
