#include "znode/tree.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "wire/ensure.h"
#include "znode/path.h"

namespace znode {

Tree::Tree() {
  link(nullptr, "/", "");
  // As in ZooKeeper, these are not counted as creations: the root begins with cversion -1.
  for (const std::string_view path : {"/zookeeper", "/zookeeper/config", "/zookeeper/quota"}) {
    link(find_node(parent_of(path)), path, "");
  }
}

Tree::~Tree() {
  for (const Node* node : index_) delete node;
}

const Node* Tree::find(std::string_view path) const { return find_node(path); }

const Node& Tree::at(std::string_view path) const {
  const Node* node = find_node(path);
  ensure(node, path);
  return *node;
}

Node& Tree::at(std::string_view path) { return const_cast<Node&>(std::as_const(*this).at(path)); }

Node& Tree::insert(std::string_view path, std::string_view data, wire::SessionId ephemeral_owner) {
  Node* parent = find_node(parent_of(path));
  ensure(parent, path);
  Node& node = link(parent, path, data);
  node.ephemeral_owner_ = ephemeral_owner;
  if (!ephemeral_owner.none()) ephemerals_[ephemeral_owner].insert(&node);
  return node;
}

Node& Tree::link(Node* parent, std::string_view path, std::string_view data) {
  Node& node = *new Node(name_of(path), data);
  node.path_hash_ = key(path).hash;
  node.parent_ = parent;
  if (parent) {
    if (!parent->children_) parent->children_ = std::make_unique<Node::Children>();
    const bool is_new = parent->children_->insert(node).second;
    ensure(is_new, path);
    parent->child_count_ += 1;
  }
  for (Node* above = parent; above; above = above->parent_) above->descendant_count_ += 1;
  index_.insert(&node);
  return node;
}

void Tree::erase(std::string_view path) {
  Node* node = find_node(path);
  ensure(node && node->parent_, path);
  ensure(node->child_count_ == 0, path);

  Node* parent = node->parent_;
  parent->children_->erase(Node::Children::s_iterator_to(*node));
  if (--parent->child_count_ == 0) parent->children_.reset();
  for (Node* above = parent; above; above = above->parent_) above->descendant_count_ -= 1;

  if (!node->ephemeral_owner_.none()) {
    const auto owned = ephemerals_.find(node->ephemeral_owner_);
    owned->second.erase(node);
    if (owned->second.empty()) ephemerals_.erase(owned);
  }
  index_.erase(node);
  delete node;
}

std::vector<std::string> Tree::ephemerals(wire::SessionId session) const {
  std::vector<std::string> paths;
  const auto owned = ephemerals_.find(session);
  if (owned == ephemerals_.end()) return paths;
  for (const Node* node : owned->second) paths.push_back(node->path());
  std::ranges::sort(paths);  // the set's own order is one of addresses
  return paths;
}

Tree::Key Tree::key(std::string_view path) { return {path, std::hash<std::string_view>{}(path)}; }

Node* Tree::find_node(std::string_view path) const {
  const auto node = index_.find(key(path));
  return node == index_.end() ? nullptr : *node;
}

bool Tree::is_at(const Node& node, const Key& key) {
  if (node.path_hash_ != key.hash) return false;
  if (!node.parent_) return key.path == "/";
  std::string_view rest = key.path;
  for (const Node* at = &node; at->parent_; at = at->parent_) {
    if (!rest.ends_with(at->name())) return false;
    rest.remove_suffix(at->name_size_);
    if (!rest.ends_with('/')) return false;
    rest.remove_suffix(1);
  }
  return rest.empty();
}

const Node* next_in_subtree(const Node& node, const Node& root) {
  if (const Node* child = node.first_child()) return child;
  for (const Node* at = &node; at != &root; at = at->parent()) {
    if (const Node* sibling = at->next_sibling()) return sibling;
  }
  return nullptr;
}

}  // namespace znode
