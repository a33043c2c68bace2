#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "wire/records.h"
#include "znode/acl.h"
#include "znode/countdowns.h"
#include "znode/node.h"
#include "znode/node_tracker.h"
#include "znode/quota.h"

namespace znode {

// All znodes, in memory. A new tree has the nodes /, /zookeeper, /zookeeper/config and
// /zookeeper/quota. A node is found by its path in one look-up, and children are in name order.
// There is an index of ephemeral nodes by session. Containers and TTL nodes have countdowns.
class Tree {
 public:
  // Changes a node. The tree updates its digest and indexes when the Edit is destroyed. A node has
  // at most one Edit at a time.
  class Edit {
   public:
    Edit(Tree& tree, Node& node);
    ~Edit();
    Edit(const Edit&) = delete;
    Edit& operator=(const Edit&) = delete;

    NodeFields* operator->() { return &node_; }
    void set_data(std::string_view data);
    void set_acl(const SharedAcl& acl) {
      tree_.acls_.released(node_.acl_);
      node_.acl_ = tree_.acls_.intern(acl, tree_.key_);
    }
    [[nodiscard]] const Node& node() const { return node_; }

   private:
    Tree& tree_;
    Node& node_;
    const wire::Zxid mzxid_;  // before
  };

  // `key` is for the tables of this tree.
  explicit Tree(const HashKey& key = {});
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // The key of this tree's tables.
  [[nodiscard]] const HashKey& hash_key() const { return key_; }

  // Swaps the contents, keys included. Precondition: there is no Edit.
  void swap(Tree& other) noexcept;

  // The node; null if there is none.
  [[nodiscard]] const Node* find(std::string_view path) const;
  // Precondition: the node exists.
  [[nodiscard]] const Node& at(std::string_view path) const;
  [[nodiscard]] Edit edit(std::string_view path);
  // Precondition: `node` belongs to this tree.
  [[nodiscard]] Edit edit(const Node& node) { return {*this, const_cast<Node&>(node)}; }

  // Inserts a new node below its parent, which must exist. Does not change the parent's fields.
  const Node& insert(std::string_view path, std::string_view data, const NodeFields& fields = {},
                     Lifetime lifetime = {}, const SharedAcl& acl = {});
  // Erases a node. Precondition: it exists, has no children, and is not the root.
  void erase(std::string_view path);
  void erase(const Node& node);
  // Erases a node and all nodes below it, children before their parents. Calls `visit` with path
  // and ACL before each. Precondition: the node exists and is not the root.
  using Visit = std::function<void(const std::string& path, const SharedAcl& acl)>;
  void erase_subtree(std::string_view path, const Visit& visit);

  // Images of the tree, for storage: see NodeTracker. The first image has the initial four nodes
  // too.
  [[nodiscard]] NodeTracker& tracker() { return tracker_; }
  [[nodiscard]] const NodeTracker& tracker() const { return tracker_; }

  // The number of nodes, the initial four included.
  [[nodiscard]] std::uint64_t size() const { return index_.size(); }
  // Equal for equal trees, on all servers and for all histories. It depends on everything that
  // clients can see of a node.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  // The ephemeral nodes of a session, sorted by path.
  [[nodiscard]] std::vector<std::string> ephemerals(wire::SessionId session) const;
  // The same, in the order of creation.
  [[nodiscard]] std::vector<const Node*> ephemeral_nodes(wire::SessionId session) const;
  // Calls `visit` with the same, in no order, until it returns false.
  void visit_ephemerals(wire::SessionId session,
                        const std::function<bool(const Node& node)>& visit) const;
  [[nodiscard]] std::size_t ephemeral_count(wire::SessionId session) const;
  // The number in all sessions. Takes time linear in the number of sessions with ephemeral nodes.
  [[nodiscard]] std::size_t ephemeral_count() const;
  // The number of sessions with at least one ephemeral node.
  [[nodiscard]] std::uint64_t ephemeral_owner_count() const { return ephemerals_.size(); }
  // When containers and TTL nodes are due for deletion.
  [[nodiscard]] Countdowns& countdowns() { return countdowns_; }
  [[nodiscard]] const Countdowns& countdowns() const { return countdowns_; }
  // The limits of the subtree with this root; null if it has none.
  [[nodiscard]] const QuotaLimits* limits(std::string_view path) const;
  [[nodiscard]] bool has_limits() const { return !limits_.empty(); }
  // The number of different ACLs besides the open one; see AclTable::size.
  [[nodiscard]] std::size_t acl_count() const { return acls_.size(); }
  // The memory that all nodes and ACLs take, about: see memory_of_node.
  [[nodiscard]] std::int64_t memory() const {
    return memory_ + static_cast<std::int64_t>(acls_.memory());
  }

 private:
  friend class TreeRestoration;
  struct Key {
    std::string_view path;
    TableHash hash;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Node* node) const {
      return static_cast<std::size_t>(node->table_hash_);
    }
    std::size_t operator()(const Key& key) const { return static_cast<std::size_t>(key.hash); }
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

  struct Empty {};  // not even a root
  Tree(Empty, const HashKey& key) : key_(key) {}

  [[nodiscard]] Key key(std::string_view path) const { return {path, key_(path)}; }
  static bool is_at(const Node& node, const Key& key);
  [[nodiscard]] Node* find_node(std::string_view path) const;
  [[nodiscard]] Node& node_at(std::string_view path) const;
  // `serial` 0: the next serial number.
  Node& link(Node* parent, std::string_view path, std::string_view data, const NodeFields& fields,
             Lifetime lifetime, const SharedAcl& acl, std::uint64_t serial = 0);
  void unlink(Node& node);
  void destroy(Node& node);
  void destroy_children(Node& node, std::string& path, const Visit& visit);
  void read_limits(const Node& node);
  void forget_limits(const Node& node);

  HashKey key_;
  boost::unordered_flat_set<Node*, Hash, Equal> index_;
  boost::unordered_flat_map<wire::SessionId, boost::unordered_flat_set<const Node*>, SessionHash>
      ephemerals_;
  Countdowns countdowns_;
  std::map<std::string, QuotaLimits, std::less<>> limits_;
  AclTable acls_;
  NodeTracker tracker_;
  std::uint64_t digest_ = 0;  // the sum of the nodes' digests
  std::int64_t memory_ = 0;   // of the nodes
};

// The next node in the subtree of `root`, with parents before children, and children in name order;
// null at the end.
[[nodiscard]] const Node* next_in_subtree(const Node& node, const Node& root);

}  // namespace znode
