#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <boost/intrusive/set.hpp>

#include "wire/records.h"
#include "znode/acl.h"
#include "znode/hash_key.h"

namespace znode {

class Tree;

// A zxid in eight bytes, because a tree may have millions of them.
class PackedZxid {
 public:
  PackedZxid& operator=(wire::Zxid zxid) {
    bits_ = zxid.bits();
    return *this;
  }
  operator wire::Zxid() const { return wire::Zxid::from_bits(bits_); }

 private:
  std::uint64_t bits_ = 0;
};

// The version after `version`. Never -1, because -1 means any version.
[[nodiscard]] std::int32_t next_version(std::int32_t version);
// The count of creations after `creations`. It wraps, as in ZooKeeper.
[[nodiscard]] std::int32_t next_creation(std::int32_t creations);

inline constexpr std::int64_t ttl_ms_max = (std::int64_t{1} << 40) - 1;

// Whether and when the service deletes a node by itself.
class Lifetime {
 public:
  enum class Kind : std::uint8_t {
    persistent,  // never
    ephemeral,   // when its session ends
    container,   // some time after its last child was deleted
    ttl          // when it has no children and its data has not changed for the TTL
  };

  Lifetime() = default;
  static Lifetime of_session(wire::SessionId owner) {
    return {owner.none() ? Kind::persistent : Kind::ephemeral, owner.value};
  }
  static Lifetime of_container() { return {Kind::container, 0}; }
  static Lifetime of_ttl(std::int64_t ms) { return {Kind::ttl, static_cast<std::uint64_t>(ms)}; }
  // From a stored record. `value` is the owner's session id, or the TTL in milliseconds.
  Lifetime(Kind kind, std::uint64_t value) : value_(value), kind_(kind) {}

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] std::uint64_t value() const { return value_; }
  [[nodiscard]] bool is_ephemeral() const { return kind_ == Kind::ephemeral; }
  // None if the node is not ephemeral.
  [[nodiscard]] wire::SessionId owner() const { return {is_ephemeral() ? value_ : 0}; }
  // Whether the leader counts how long the node is kept: see Countdowns.
  [[nodiscard]] bool is_counted() const { return kind_ == Kind::container || kind_ == Kind::ttl; }

  bool operator==(const Lifetime&) const = default;

 private:
  std::uint64_t value_ = 0;
  Kind kind_ = Kind::persistent;
};

// The memory that a node takes, about: its name and data, and its part of the tree's tables. Its
// ACL is not included, because nodes share it. docs/performance.md has the measured figures.
[[nodiscard]] constexpr std::int64_t memory_of_node(std::size_t name, std::size_t data,
                                                    Lifetime::Kind kind) {
  constexpr std::int64_t fixed = 240;
  constexpr std::int64_t of_countdown = 120;
  const bool is_counted = kind == Lifetime::Kind::container || kind == Lifetime::Kind::ttl;
  return fixed + (is_counted ? of_countdown : 0) + static_cast<std::int64_t>(name + data);
}

// The fields of a node that the operations maintain (create.cc, set.cc, remove.cc). They are
// changed through Tree::edit.
struct NodeFields {
  PackedZxid czxid;
  PackedZxid mzxid;
  PackedZxid pzxid;
  wire::TimeMs ctime = 0;
  wire::TimeMs mtime = 0;
  std::int32_t version = 0;
  std::int32_t aversion = 0;
  // The number of children ever created: the next sequential child gets this number. Never
  // decreases.
  std::int32_t creations = 0;
};

// One znode. Its parent and its subtree are maintained by the Tree.
class Node : public boost::intrusive::set_base_hook<
                 boost::intrusive::link_mode<boost::intrusive::normal_link>,
                 boost::intrusive::optimize_size<true>>,
             public NodeFields {
 public:
  [[nodiscard]] std::string_view name() const { return {bytes_.get(), name_size_}; }
  [[nodiscard]] std::string_view data() const { return {bytes_.get() + name_size_, data_size_}; }
  [[nodiscard]] std::string path() const;
  [[nodiscard]] Lifetime lifetime() const { return {kind_, lifetime_value_}; }
  [[nodiscard]] const SharedAcl& acl() const { return acl_; }
  [[nodiscard]] std::uint32_t child_count() const { return subtree_ ? subtree_->child_count : 0; }
  // The number of all nodes below this one, at any depth.
  [[nodiscard]] std::uint32_t descendant_count() const {
    return subtree_ ? subtree_->descendant_count : 0;
  }
  // The data size of this node and of all nodes below it, in bytes.
  [[nodiscard]] std::uint64_t subtree_bytes() const {
    return data_size_ + (subtree_ ? subtree_->bytes : 0);
  }
  // The stat that clients see. `cversion` counts creations and deletions of children, as in
  // ZooKeeper.
  [[nodiscard]] wire::Stat stat() const;
  // This node's part of its tree's digest. It covers the path and everything that clients can see
  // of the node, except the children, which have digests of their own.
  [[nodiscard]] std::uint64_t digest() const { return digest_of_fields() + digest_of_data(); }

  // See memory_of_node.
  [[nodiscard]] std::int64_t memory() const {
    return memory_of_node(name_size_, data_size_, kind_);
  }

  // A number that no other node of this tree ever had. It may differ on other servers.
  [[nodiscard]] std::uint64_t serial() const { return serial_; }

  // Null for the root.
  [[nodiscard]] const Node* parent() const { return parent_; }
  // In the order of their names' bytes; null if there is none.
  [[nodiscard]] const Node* first_child() const;
  [[nodiscard]] const Node* first_child_after(std::string_view name) const;
  [[nodiscard]] const Node* next_sibling() const;
  [[nodiscard]] const Node* last_child() const;
  [[nodiscard]] const Node* last_child_before(std::string_view name) const;
  [[nodiscard]] const Node* previous_sibling() const;

 private:
  friend class Tree;
  friend class NodeTracker;
  friend class Countdowns;
  struct NameOrder {
    using type = std::string_view;
    std::string_view operator()(const Node& node) const { return node.name(); }
  };
  using Children = boost::intrusive::set<Node, boost::intrusive::key_of_value<NameOrder>,
                                         boost::intrusive::constant_time_size<false>>;

  // The nodes below a node.
  struct Subtree {
    Children children;
    std::uint32_t child_count = 0;
    std::uint32_t descendant_count = 0;
    std::uint64_t bytes = 0;  // data size of all descendants
  };

  Node(std::string_view name, std::string_view data);
  void set_data(std::string_view data);
  [[nodiscard]] std::uint64_t digest_of_fields() const;
  [[nodiscard]] std::uint64_t digest_of_data() const;

  std::uint32_t data_size_ = 0;
  std::unique_ptr<char[]> bytes_;  // the name, then the data
  std::uint16_t name_size_ = 0;
  Lifetime::Kind kind_ = Lifetime::Kind::persistent;
  std::uint8_t marks_ = 0;  // see NodeTracker
  TableHash table_hash_{};  // of the path, with the key of the tree
  std::uint64_t lifetime_value_ = 0;
  std::uint64_t path_hash_ = 0;  // the same on all servers
  std::uint64_t serial_ = 0;
  Node* parent_ = nullptr;            // null for the root
  std::unique_ptr<Subtree> subtree_;  // null without children, which is the most frequent case
  SharedAcl acl_;
};

}  // namespace znode
