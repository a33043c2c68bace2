#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <boost/intrusive/set.hpp>

#include "wire/records.h"

namespace znode {

class Tree;

// A zxid in eight bytes, for there may be millions.
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

// What follows a version: never -1, which would mean any.
[[nodiscard]] std::int32_t next_version(std::int32_t version);
// What follows a count of creations; it wraps, as ZooKeeper's does.
[[nodiscard]] std::int32_t next_creation(std::int32_t creations);

// One znode. The fields are kept by the operations (create.cc, set.cc, remove.cc); where a node
// hangs and how many it has below it is kept by the Tree.
class Node : public boost::intrusive::set_base_hook<
                 boost::intrusive::link_mode<boost::intrusive::normal_link>,
                 boost::intrusive::optimize_size<true>> {
 public:
  PackedZxid czxid;
  PackedZxid mzxid;
  PackedZxid pzxid;
  wire::TimeMs ctime = 0;
  wire::TimeMs mtime = 0;
  std::int32_t version = 0;
  std::int32_t aversion = 0;
  // Children ever created: the number that the next sequential child gets. Never goes back.
  std::int32_t creations = 0;

  [[nodiscard]] std::string_view name() const { return {bytes_.get(), name_size_}; }
  [[nodiscard]] std::string_view data() const { return {bytes_.get() + name_size_, data_size_}; }
  [[nodiscard]] std::string path() const;
  [[nodiscard]] wire::SessionId ephemeral_owner() const { return ephemeral_owner_; }
  [[nodiscard]] std::uint32_t child_count() const { return child_count_; }
  // How many nodes are anywhere below this one.
  [[nodiscard]] std::uint32_t descendant_count() const { return descendant_count_; }
  // What clients see: `cversion` counts creations and deletions of children, as ZooKeeper's does.
  [[nodiscard]] wire::Stat stat() const;

  // Null for the root.
  [[nodiscard]] const Node* parent() const { return parent_; }
  // In name order (bytes); null where there is none.
  [[nodiscard]] const Node* first_child() const;
  [[nodiscard]] const Node* first_child_after(std::string_view name) const;
  [[nodiscard]] const Node* next_sibling() const;

  void set_data(std::string_view data);

 private:
  friend class Tree;
  struct NameOrder {
    using type = std::string_view;
    std::string_view operator()(const Node& node) const { return node.name(); }
  };
  using Children = boost::intrusive::set<Node, boost::intrusive::key_of_value<NameOrder>,
                                         boost::intrusive::constant_time_size<false>>;

  Node(std::string_view name, std::string_view data);

  std::unique_ptr<char[]> bytes_;  // the name, then the data
  std::uint32_t data_size_ = 0;
  std::uint16_t name_size_ = 0;
  std::uint32_t child_count_ = 0;
  std::uint32_t descendant_count_ = 0;
  wire::SessionId ephemeral_owner_;
  std::size_t path_hash_ = 0;
  Node* parent_ = nullptr;  // null for the root
  std::unique_ptr<Children> children_;
};

}  // namespace znode
