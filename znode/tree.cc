#include "znode/tree.h"

#include <algorithm>
#include <utility>

#include "wire/contradiction.h"
#include "znode/hash.h"
#include "znode/path.h"

namespace znode {

namespace {

// Whether a node may be a limits node. Its path decides (is_limits); this is only a cheap first
// check.
bool may_hold_limits(const Node& node) { return node.name() == limits_name && node.parent(); }

}  // namespace

Tree::Edit::Edit(Tree& tree, Node& node) : tree_(tree), node_(node), mzxid_(node.mzxid) {
  tree_.tracker_.changing(node_);
  tree_.digest_ -= node_.digest_of_fields();
}

Tree::Edit::~Edit() {
  tree_.digest_ += node_.digest_of_fields();
  if (node_.lifetime().is_counted() && node_.mzxid != mzxid_) tree_.countdowns_.restart(node_);
}

void Tree::Edit::set_data(std::string_view data) {
  tree_.digest_ -= node_.digest_of_data();
  if (data.size() != node_.data_size_) {
    const std::uint64_t growth = std::uint64_t{data.size()} - node_.data_size_;
    for (Node* at = node_.parent_; at; at = at->parent_) at->subtree_->bytes += growth;
  }
  tree_.memory_ -= node_.memory();
  node_.set_data(data);
  tree_.memory_ += node_.memory();
  tree_.digest_ += node_.digest_of_data();
  if (may_hold_limits(node_)) tree_.read_limits(node_);
}

Tree::Tree(const HashKey& key) : key_(key) {
  link(nullptr, "/", "", {}, {}, {});
  // As in ZooKeeper, these do not count as creations: the root begins with cversion -1.
  insert("/zookeeper", "");
  insert("/zookeeper/config", "", {}, {}, SharedAcl({{"world", "anyone", 1}}));
  insert("/zookeeper/quota", "");
}

Tree::~Tree() {
  for (const Node* node : index_) delete node;
}

void Tree::swap(Tree& other) noexcept {
  std::swap(key_, other.key_);
  std::swap(index_, other.index_);
  std::swap(ephemerals_, other.ephemerals_);
  std::swap(countdowns_, other.countdowns_);
  std::swap(limits_, other.limits_);
  std::swap(acls_, other.acls_);
  std::swap(tracker_, other.tracker_);
  std::swap(digest_, other.digest_);
  std::swap(memory_, other.memory_);
}

const Node* Tree::find(std::string_view path) const { return find_node(path); }

const Node& Tree::at(std::string_view path) const { return node_at(path); }

Tree::Edit Tree::edit(std::string_view path) { return {*this, node_at(path)}; }

const Node& Tree::insert(std::string_view path, std::string_view data, const NodeFields& fields,
                         Lifetime lifetime, const SharedAcl& acl) {
  Node* parent = find_node(parent_of(path));
  if (!parent)
    throw wire::Contradiction("the parent of a new node does not exist: " + std::string(path));
  return link(parent, path, data, fields, lifetime, acl);
}

Node& Tree::link(Node* parent, std::string_view path, std::string_view data,
                 const NodeFields& fields, Lifetime lifetime, const SharedAcl& acl,
                 std::uint64_t serial) {
  Node& node = *new Node(name_of(path), data);
  static_cast<NodeFields&>(node) = fields;
  node.kind_ = lifetime.kind();
  node.lifetime_value_ = lifetime.value();
  node.acl_ = acls_.intern(acl, key_);
  node.path_hash_ = hash_of(path);
  node.table_hash_ = key_(path);
  node.parent_ = parent;
  if (parent) {
    if (!parent->subtree_) parent->subtree_ = std::make_unique<Node::Subtree>();
    if (!parent->subtree_->children.insert(node).second) {
      delete &node;
      throw wire::Contradiction("a new node exists: " + std::string(path));
    }
    parent->subtree_->child_count += 1;
    const bool is_first = parent->subtree_->child_count == 1;
    if (is_first && parent->lifetime().is_counted()) countdowns_.got_child(*parent);
  }
  for (Node* above = parent; above; above = above->parent_) {
    above->subtree_->descendant_count += 1;
    above->subtree_->bytes += data.size();
  }
  index_.insert(&node);
  if (serial == 0) {
    tracker_.inserted(node);
  } else {
    tracker_.restored(node, serial);
  }
  digest_ += node.digest();
  memory_ += node.memory();
  if (lifetime.is_ephemeral()) ephemerals_[lifetime.owner()].insert(&node);
  if (lifetime.is_counted()) countdowns_.insert(node);
  if (may_hold_limits(node)) read_limits(node);
  return node;
}

void Tree::erase(std::string_view path) { erase(node_at(path)); }

void Tree::erase(const Node& childless) {
  auto& node = const_cast<Node&>(childless);
  wire::expect(node.parent_ && node.child_count() == 0,
               "a node that is deleted alone has children, or is the root");
  unlink(node);
  destroy(node);
}

void Tree::erase_subtree(std::string_view path, const Visit& visit) {
  Node& node = node_at(path);
  wire::expect(node.parent_, "the root is deleted");
  unlink(node);
  std::string below(path);
  destroy_children(node, below, visit);
  visit(below, node.acl_);
  destroy(node);
}

// Removes the node, with its subtree, from its parent.
void Tree::unlink(Node& node) {
  Node* parent = node.parent_;
  for (Node* above = parent; above; above = above->parent_) {
    above->subtree_->descendant_count -= 1 + node.descendant_count();
    above->subtree_->bytes -= node.subtree_bytes();
  }
  parent->subtree_->children.erase(Node::Children::s_iterator_to(node));
  if (--parent->subtree_->child_count > 0) return;
  parent->subtree_.reset();
  if (parent->lifetime().is_counted()) countdowns_.lost_children(*parent);
}

// Removes an unlinked node from the tables and deletes it. Its parent pointer is still valid.
void Tree::destroy(Node& node) {
  tracker_.erasing(node);
  digest_ -= node.digest();
  memory_ -= node.memory();
  acls_.released(node.acl_);
  const Lifetime lifetime = node.lifetime();
  if (lifetime.is_counted()) countdowns_.erase(node);
  if (lifetime.is_ephemeral()) {
    const auto owned = ephemerals_.find(lifetime.owner());
    owned->second.erase(&node);
    if (owned->second.empty()) ephemerals_.erase(owned);
  }
  if (may_hold_limits(node)) forget_limits(node);
  index_.erase(&node);
  delete &node;
}

void Tree::destroy_children(Node& node, std::string& path, const Visit& visit) {
  if (!node.subtree_) return;
  Node::Children& children = node.subtree_->children;
  const std::size_t size = path.size();
  for (auto child = children.begin(); child != children.end();) {
    Node& child_node = *child;
    child = children.erase(child);
    path.resize(size);
    (path += '/') += child_node.name();
    destroy_children(child_node, path, visit);
    visit(path, child_node.acl_);
    destroy(child_node);
  }
  path.resize(size);
}

void Tree::read_limits(const Node& node) {
  const std::string path = node.path();
  if (!is_limits(path)) return;
  const auto limits = limits_of(node.data());
  if (!limits) throw wire::Contradiction("invalid limits: " + path);
  limits_.insert_or_assign(std::string(*limited_path(path)), *limits);
}

void Tree::forget_limits(const Node& node) {
  const std::string path = node.path();
  if (is_limits(path)) limits_.erase(std::string(*limited_path(path)));
}

std::vector<std::string> Tree::ephemerals(wire::SessionId session) const {
  std::vector<std::string> paths;
  const auto owned = ephemerals_.find(session);
  if (owned == ephemerals_.end()) return paths;
  paths.reserve(owned->second.size());
  for (const Node* node : owned->second) paths.push_back(node->path());
  std::ranges::sort(paths);  // the set's order depends on addresses
  return paths;
}

std::vector<const Node*> Tree::ephemeral_nodes(wire::SessionId session) const {
  const auto owned = ephemerals_.find(session);
  if (owned == ephemerals_.end()) return {};
  std::vector<const Node*> nodes(owned->second.begin(), owned->second.end());
  std::ranges::sort(nodes, {}, [](const Node* node) {
    return std::pair(wire::Zxid(node->czxid).bits(), node->path_hash_);
  });
  return nodes;
}

void Tree::visit_ephemerals(wire::SessionId session,
                            const std::function<bool(const Node& node)>& visit) const {
  const auto owned = ephemerals_.find(session);
  if (owned == ephemerals_.end()) return;
  for (const Node* node : owned->second) {
    if (!visit(*node)) return;
  }
}

std::size_t Tree::ephemeral_count(wire::SessionId session) const {
  const auto owned = ephemerals_.find(session);
  return owned == ephemerals_.end() ? 0 : owned->second.size();
}

std::size_t Tree::ephemeral_count() const {
  std::size_t count = 0;
  for (const auto& [owner, nodes] : ephemerals_) count += nodes.size();
  return count;
}

const QuotaLimits* Tree::limits(std::string_view path) const {
  const auto found = limits_.find(path);
  return found == limits_.end() ? nullptr : &found->second;
}

Node& Tree::node_at(std::string_view path) const {
  Node* node = find_node(path);
  if (!node) throw wire::Contradiction("a node does not exist: " + std::string(path));
  return *node;
}

Node* Tree::find_node(std::string_view path) const {
  const auto node = index_.find(key(path));
  return node == index_.end() ? nullptr : *node;
}

bool Tree::is_at(const Node& node, const Key& key) {
  if (node.table_hash_ != key.hash) return false;
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
