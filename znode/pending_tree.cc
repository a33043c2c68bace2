#include "znode/pending_tree.h"

#include <algorithm>
#include <functional>

#include "wire/ensure.h"
#include "znode/path.h"

namespace znode {
namespace {

PendingNode pending(const Node& node) {
  return {node.version, node.aversion, node.creations, node.child_count(), node.ephemeral_owner()};
}

// The entries of a map from paths that are below `path`: a path and all that continue it with a
// slash stand together.
template <class Map, class Visit>
void for_each_below(const Map& map, std::string_view path, const Visit& visit) {
  const std::string prefix = path == "/" ? "/" : std::string(path) + '/';
  for (auto entry = map.upper_bound(prefix); entry != map.end(); ++entry) {
    if (!entry->first.starts_with(prefix)) return;
    visit(*entry);
  }
}

}  // namespace

std::optional<PendingNode> PendingTree::find(std::string_view path) const {
  if (const auto entry = overlay_.find(path); entry != overlay_.end()) return entry->second.node;
  if (const Node* node = tree_.find(path)) return pending(*node);
  return std::nullopt;
}

std::vector<std::string> PendingTree::ephemerals(wire::SessionId session) const {
  std::vector<std::string> paths = tree_.ephemerals(session);
  std::erase_if(paths, [this](const std::string& path) { return overlay_.contains(path); });
  for (auto owned = ephemerals_.lower_bound({session, std::string()});
       owned != ephemerals_.end() && owned->first == session; ++owned) {
    paths.push_back(owned->second);
  }
  std::ranges::sort(paths);
  return paths;
}

void PendingTree::add(Draft&& draft) {
  last_plan_ += 1;
  std::vector<Overlay::iterator>& touched = plans_.emplace_back();
  touched.reserve(draft.changes_.size());
  while (!draft.changes_.empty()) {
    auto change = draft.changes_.extract(draft.changes_.begin());
    const auto [entry, is_new] = overlay_.try_emplace(std::move(change.key()));
    if (!is_new) forget_owner(*entry);
    entry->second = {change.mapped(), last_plan_};
    if (const auto& node = entry->second.node; node && !node->ephemeral_owner.none()) {
      ephemerals_.emplace(node->ephemeral_owner, entry->first);
    }
    touched.push_back(entry);
  }
}

void PendingTree::applied() {
  ensure(!plans_.empty(), "only what was planned is applied as a plan");
  const std::uint64_t plan = last_plan_ - plans_.size() + 1;
  // An entry goes with the last plan that touched it, so no earlier one still names it.
  for (const Overlay::iterator entry : plans_.front()) {
    if (entry->second.plan != plan) continue;
    forget_owner(*entry);
    overlay_.erase(entry);
  }
  plans_.pop_front();
}

void PendingTree::clear() {
  plans_.clear();
  overlay_.clear();
  ephemerals_.clear();
}

void PendingTree::forget_owner(const Overlay::value_type& entry) {
  if (const auto& node = entry.second.node; node && !node->ephemeral_owner.none()) {
    ephemerals_.erase({node->ephemeral_owner, entry.first});
  }
}

std::optional<PendingNode> Draft::find(std::string_view path) const {
  if (const auto change = changes_.find(path); change != changes_.end()) return change->second;
  return base_.find(path);
}

std::vector<std::string> Draft::descendants(std::string_view path) const {
  std::vector<std::string> paths;
  const auto add = [&paths](const auto& entry) { paths.push_back(entry.first); };
  for_each_below(changes_, path, add);
  for_each_below(base_.overlay_, path, add);
  if (const Node* root = base_.tree_.find(path)) {
    for (const Node* node = next_in_subtree(*root, *root); node;
         node = next_in_subtree(*node, *root)) {
      paths.push_back(node->path());
    }
  }
  // A parent is a prefix of its children, and so before them.
  std::ranges::sort(paths, std::greater<>{});
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  std::erase_if(paths, [this](const std::string& below) { return !find(below); });
  return paths;
}

void Draft::create(std::string_view path, wire::SessionId ephemeral_owner) {
  PendingNode parent = at(parent_of(path));
  parent.creations = next_creation(parent.creations);
  parent.child_count += 1;
  put(parent_of(path), parent);
  put(path, PendingNode{.ephemeral_owner = ephemeral_owner});
}

void Draft::set(std::string_view path, std::int32_t version) {
  PendingNode node = at(path);
  node.version = version;
  put(path, node);
}

void Draft::remove(std::string_view path) {
  PendingNode parent = at(parent_of(path));
  parent.child_count -= 1;
  put(parent_of(path), parent);
  put(path, std::nullopt);
}

PendingNode Draft::at(std::string_view path) const {
  const std::optional<PendingNode> node = find(path);
  ensure(node, path);
  return *node;
}

void Draft::put(std::string_view path, std::optional<PendingNode> node) {
  if (const auto change = changes_.find(path); change != changes_.end()) {
    change->second = node;
  } else {
    changes_.emplace(path, node);
  }
}

}  // namespace znode
