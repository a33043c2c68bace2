#include "znode/node.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "znode/hash.h"

namespace znode {

std::int32_t next_version(std::int32_t version) {
  const auto next = static_cast<std::int32_t>(static_cast<std::uint32_t>(version) + 1);
  return next == wire::any_version ? 0 : next;
}

std::int32_t next_creation(std::int32_t creations) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(creations) + 1);
}

Node::Node(std::string_view name, std::string_view data) {
  bytes_ = std::make_unique_for_overwrite<char[]>(name.size() + data.size());
  name_size_ = static_cast<std::uint16_t>(name.size());
  data_size_ = static_cast<std::uint32_t>(data.size());
  std::ranges::copy(data, std::ranges::copy(name, bytes_.get()).out);
}

std::string Node::path() const {
  if (!parent_) return "/";
  std::size_t size = 0;
  for (const Node* at = this; at->parent_; at = at->parent_) size += 1 + at->name_size_;

  std::string path(size, '/');
  for (const Node* at = this; at->parent_; at = at->parent_) {
    size -= at->name_size_;
    path.replace(size, at->name_size_, at->name());
    size -= 1;
  }
  return path;
}

wire::Stat Node::stat() const {
  wire::Stat stat;
  stat.czxid = czxid;
  stat.mzxid = mzxid;
  stat.pzxid = pzxid;
  stat.ctime = ctime;
  stat.mtime = mtime;
  stat.version = version;
  // Creations plus deletions. Every child that was created and does not exist now was deleted.
  stat.cversion =
      static_cast<std::int32_t>(2 * static_cast<std::uint32_t>(creations) - child_count());
  stat.aversion = aversion;
  stat.ephemeral_owner = lifetime().owner();
  stat.data_length = static_cast<std::int32_t>(data_size_);
  stat.num_children = static_cast<std::int32_t>(child_count());
  stat.container = kind_ == Lifetime::Kind::container;
  if (kind_ == Lifetime::Kind::ttl) stat.ttl_ms = static_cast<std::int64_t>(lifetime_value_);
  return stat;
}

std::uint64_t Node::digest_of_fields() const {
  const auto word = [](auto value) { return static_cast<std::uint64_t>(value); };
  const auto half = [](std::int32_t value) {
    return std::uint64_t{static_cast<std::uint32_t>(value)};
  };
  return hash_of(std::array{path_hash_, wire::Zxid(czxid).bits(), wire::Zxid(mzxid).bits(),
                            wire::Zxid(pzxid).bits(), word(ctime), word(mtime),
                            half(version) << 32 | half(aversion),
                            half(creations) << 32 | word(kind_), lifetime_value_, acl_.hash()});
}

std::uint64_t Node::digest_of_data() const { return hash_of(data(), path_hash_); }

const Node* Node::first_child() const {
  return subtree_ && !subtree_->children.empty() ? &*subtree_->children.begin() : nullptr;
}

const Node* Node::first_child_after(std::string_view name) const {
  if (!subtree_) return nullptr;
  const auto child = subtree_->children.upper_bound(name);
  return child == subtree_->children.end() ? nullptr : &*child;
}

const Node* Node::next_sibling() const {
  if (!parent_) return nullptr;
  const auto next = std::next(Children::s_iterator_to(*this));
  return next == parent_->subtree_->children.cend() ? nullptr : &*next;
}

const Node* Node::last_child() const {
  return subtree_ && !subtree_->children.empty() ? &*subtree_->children.rbegin() : nullptr;
}

const Node* Node::last_child_before(std::string_view name) const {
  if (!subtree_) return nullptr;
  const auto child = subtree_->children.lower_bound(name);
  return child == subtree_->children.begin() ? nullptr : &*std::prev(child);
}

const Node* Node::previous_sibling() const {
  if (!parent_) return nullptr;
  const auto self = Children::s_iterator_to(*this);
  return self == parent_->subtree_->children.cbegin() ? nullptr : &*std::prev(self);
}

void Node::set_data(std::string_view data) {
  if (data.size() != data_size_) {
    auto bytes = std::make_unique_for_overwrite<char[]>(name_size_ + data.size());
    std::ranges::copy(name(), bytes.get());
    bytes_ = std::move(bytes);
    data_size_ = static_cast<std::uint32_t>(data.size());
  }
  std::ranges::copy(data, bytes_.get() + name_size_);
}

}  // namespace znode
