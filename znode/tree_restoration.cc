#include "znode/tree_restoration.h"

#include <algorithm>
#include <string>

#include "znode/node_record.h"
#include "znode/path.h"
#include "znode/quota.h"

namespace znode {
namespace {

// A tree loads faster if its table does not have to grow. The expected number is untrusted, so the
// reservation has a maximum.
constexpr std::uint64_t reserved_nodes_max = 1u << 22;

wire::Error invalid_node(std::uint64_t serial, const std::string& what) {
  return {wire::ErrorCode::marshalling_error,
          "stored node " + std::to_string(serial) + ": " + what};
}

}  // namespace

TreeRestoration::TreeRestoration(std::uint64_t nodes, const HashKey& key)
    : tree_(new Tree(Tree::Empty{}, key)) {
  const std::uint64_t expected = std::min(nodes, reserved_nodes_max);
  tree_->index_.reserve(expected);
  nodes_.reserve(expected);
}

wire::Result<void> TreeRestoration::add(std::uint64_t serial, std::string_view bytes) {
  if (serial == 0 || (!nodes_.empty() && serial <= nodes_.back().first)) {
    return invalid_node(serial, "is out of order");
  }
  const auto node = decode_node(bytes);
  if (!node) {
    return wire::Error{node.error().code,
                       "stored node " + std::to_string(serial) + ": " + node.error().message};
  }
  if ((node->parent == 0) != nodes_.empty())
    return invalid_node(serial, "only the first node may be the root");

  Node* parent = nodes_.empty() ? nullptr : find(node->parent);
  if (!parent && !nodes_.empty()) {
    return invalid_node(serial, "its parent " + std::to_string(node->parent) + " is missing");
  }
  std::string path = "/";
  if (parent) {
    if (node->name.find('/') != std::string_view::npos)
      return invalid_node(serial, "its name has a slash");
    if (parent != last_parent_) last_path_ = parent->path();
    last_parent_ = parent;
    path = child_path(last_path_, node->name);
    if (auto valid = validate(path); !valid) return invalid_node(serial, valid.error().message);
    if (parent->lifetime().is_ephemeral())
      return invalid_node(serial, path + " is below an ephemeral node");
    if (tree_->find(path)) return invalid_node(serial, path + " exists twice");
  } else if (!node->name.empty()) {
    return invalid_node(serial, "the root has no name");
  }
  if (is_limits(path) && !limits_of(node->data))
    return invalid_node(serial, path + " has no valid limits");

  Node& linked =
      tree_->link(parent, path, node->data, node->fields, node->lifetime, node->acl, serial);
  nodes_.emplace_back(serial, &linked);
  return {};
}

Node* TreeRestoration::find(std::uint64_t serial) const {
  const auto found =
      std::ranges::lower_bound(nodes_, serial, {}, &decltype(nodes_)::value_type::first);
  return found == nodes_.end() || found->first != serial ? nullptr : found->second;
}

wire::Result<std::unique_ptr<Tree>> TreeRestoration::finish() {
  for (const std::string_view path : {"/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"}) {
    if (!tree_->find(path)) return invalid_node(0, std::string(path) + " is missing");
  }
  return std::move(tree_);
}

}  // namespace znode
