#include "znode/pending_tree.h"

#include <algorithm>
#include <map>

#include "wire/ensure.h"
#include "znode/path.h"

namespace znode {
namespace {

PendingNode pending(const Node& node) {
  return {.version = node.version,
          .aversion = node.aversion,
          .creations = node.creations,
          .child_count = node.child_count(),
          .data_size = static_cast<std::uint32_t>(node.data().size()),
          .mtime = node.mtime,
          .lifetime = node.lifetime(),
          .acl = node.acl(),
          .limits = nullptr,
          .data = {}};
}

Usage usage_of(const PendingNode& node) { return {1, node.data_size}; }
Usage usage_of(const std::optional<PendingNode>& node) { return node ? usage_of(*node) : Usage{}; }

// Visits the entries of a map or set of paths that are below `path`. They are adjacent, because all
// of them begin with `path` and a slash.
template <class Paths, class Visit>
void for_each_below(Paths& paths, std::string_view path, const Visit& visit) {
  const std::string prefix = path == "/" ? "/" : std::string(path) + '/';
  const auto path_of = [](const auto& entry) -> const std::string& {
    if constexpr (requires { entry.first; }) {
      return entry.first;
    } else {
      return entry;
    }
  };
  for (auto entry = paths.upper_bound(prefix); entry != paths.end(); ++entry) {
    if (!path_of(*entry).starts_with(prefix)) return;
    visit(*entry);
  }
}

// Visits `path` and all its ancestors, up to the root.
template <class Visit>
void for_each_above(std::string_view path, const Visit& visit) {
  for (;; path = parent_of(path)) {
    visit(path);
    if (path == "/") return;
  }
}

// Whether `path` is strictly below one of `roots`.
template <class Paths>
bool is_below_any(const Paths& roots, std::string_view path) {
  if (roots.empty()) return false;
  while (path != "/") {
    path = parent_of(path);
    if (roots.contains(path)) return true;
  }
  return false;
}

}  // namespace

// --- PendingTree ---

bool PendingTree::is_in_emptied_subtree(std::string_view path) const {
  return is_below_any(emptied_, path);
}

bool PendingTree::is_closing(const Node& node) const {
  return !closing_.empty() && node.lifetime().is_ephemeral() &&
         closing_.contains(node.lifetime().owner());
}

std::optional<PendingNode> PendingTree::find(std::string_view path) const {
  if (!overlay_.empty()) {
    const auto entry = overlay_.find(path);
    if (entry != overlay_.end()) return entry->second.node;
  }
  const Node* node = tree_.find(path);
  if (!node || is_in_emptied_subtree(path) || is_closing(*node)) return std::nullopt;
  return pending(*node);
}

std::vector<std::string> PendingTree::ephemerals(wire::SessionId session) const {
  std::vector<std::string> paths;
  if (!closing_.contains(session)) paths = tree_.ephemerals(session);
  std::erase_if(paths, [this](const std::string& path) {
    return overlay_.contains(path) || is_in_emptied_subtree(path);
  });
  for (auto owned = ephemerals_.lower_bound({session, std::string()});
       owned != ephemerals_.end() && owned->first == session; ++owned) {
    paths.push_back(owned->second);
  }
  std::ranges::sort(paths);
  return paths;
}

// The tree's usage, minus the subtrees and ephemeral nodes that will be deleted. Nodes of the
// overlay replace those of the tree.
Usage PendingTree::usage(std::string_view path) const {
  if (const auto known = usages_.find(path); known != usages_.end()) return known->second;

  const auto of_tree = [this](std::string_view at) -> Usage {
    const Node* node = tree_.find(at);
    if (!node) return {};
    return {1 + std::int64_t{node->descendant_count()},
            static_cast<std::int64_t>(node->subtree_bytes())};
  };
  // The usage of a single node of the tree, if it is not below an emptied root or of a closing
  // session.
  const auto in_tree = [this](std::string_view at) -> Usage {
    const Node* node = tree_.find(at);
    if (!node || is_in_emptied_subtree(at) || is_closing(*node)) return {};
    return {1, static_cast<std::int64_t>(node->data().size())};
  };
  Usage usage;
  if (!is_in_emptied_subtree(path)) {
    usage = of_tree(path);
    // An emptied root that is below another one is subtracted with the outer one.
    const auto without = [&](std::string_view root) {
      if (is_in_emptied_subtree(root)) return;
      const Node* node = tree_.find(root);
      if (!node) return;
      usage -= of_tree(root);
      usage += {1, static_cast<std::int64_t>(node->data().size())};
    };
    if (emptied_.contains(path)) without(path);
    for_each_below(emptied_, path, [&](const auto& entry) { without(entry.first); });
    for (const wire::SessionId session : closing_) {
      for (const Node* node : tree_.ephemeral_nodes(session)) {
        const std::string at = node->path();
        if ((at == path || is_below(at, path)) && !is_in_emptied_subtree(at)) {
          usage -= {1, static_cast<std::int64_t>(node->data().size())};
        }
      }
    }
  }
  const auto cover = [&](const Overlay::value_type& entry) {
    usage -= in_tree(entry.first);
    usage += usage_of(entry.second.node);
  };
  if (const auto entry = overlay_.find(path); entry != overlay_.end()) cover(*entry);
  for_each_below(overlay_, path, cover);

  usages_.emplace(path, usage);
  return usage;
}

void PendingTree::add(Draft&& draft) {
  last_plan_ += 1;
  if (!draft.emptied_.empty() || !draft.closed_.none()) {
    usages_.clear();
  } else if (!usages_.empty()) {
    for (const auto& [path, node] : draft.changes_) {
      Usage growth = usage_of(node);
      growth -= usage_of(find(path));
      if (growth == Usage{}) continue;
      for_each_above(path, [&](std::string_view above) {
        if (const auto known = usages_.find(above); known != usages_.end()) known->second += growth;
      });
    }
  }
  limits_planned_ = limits_planned_ || draft.has_limits_;

  Plan& plan = plans_.emplace_back();
  plan.touched.reserve(draft.changes_.size());
  while (!draft.changes_.empty()) {
    auto change = draft.changes_.extract(draft.changes_.begin());
    const auto [entry, is_new] = overlay_.try_emplace(std::move(change.key()));
    if (!is_new) remove_ephemeral_entry(*entry);
    entry->second = {std::move(change.mapped()), last_plan_};
    if (const auto& node = entry->second.node; node && node->lifetime.is_ephemeral()) {
      ephemerals_.emplace(node->lifetime.owner(), entry->first);
    }
    plan.touched.push_back(entry);
  }
  for (const std::string& path : draft.emptied_) {
    emptied_.insert_or_assign(path, last_plan_);
    plan.emptied.push_back(path);
  }
  if (!draft.closed_.none()) {
    closing_.insert(draft.closed_);
    plan.closed = draft.closed_;
  }
}

void PendingTree::applied() {
  ensure(!plans_.empty(), "a plan is outstanding");
  const std::uint64_t number = last_applied() + 1;
  const Plan plan = std::move(plans_.front());
  plans_.pop_front();
  // An entry is erased with the last plan that touched it, so no earlier plan still refers to it.
  for (const Overlay::iterator entry : plan.touched) {
    if (entry->second.plan != number) continue;
    remove_ephemeral_entry(*entry);
    overlay_.erase(entry);
  }
  for (const std::string& path : plan.emptied) {
    const auto entry = emptied_.find(path);
    if (entry->second == number) emptied_.erase(entry);
  }
  closing_.erase(plan.closed);
  if (plans_.empty()) reset_when_idle();
}

void PendingTree::clear() {
  plans_.clear();
  overlay_.clear();
  emptied_.clear();
  closing_.clear();
  ephemerals_.clear();
  reset_when_idle();
}

void PendingTree::reset_when_idle() {
  usages_.clear();
  limits_planned_ = false;
}

void PendingTree::remove_ephemeral_entry(const Overlay::value_type& entry) {
  if (const auto& node = entry.second.node; node && node->lifetime.is_ephemeral()) {
    ephemerals_.erase({node->lifetime.owner(), entry.first});
  }
}

// --- Draft ---

std::optional<PendingNode> Draft::find(std::string_view path) const {
  if (const auto change = changes_.find(path); change != changes_.end()) return change->second;
  if (is_below_any(emptied_, path)) return std::nullopt;
  return base_.find(path);
}

Usage Draft::usage(std::string_view path) const {
  if (const auto known = usages_.find(path); known != usages_.end()) return known->second;

  Usage usage;
  if (!is_below_any(emptied_, path)) {
    usage = base_.usage(path);
    const auto without = [&](std::string_view root) {
      if (is_below_any(emptied_, root)) return;
      usage -= base_.usage(root);
      usage += usage_of(base_.find(root));
    };
    if (emptied_.contains(path)) without(path);
    for_each_below(emptied_, path, without);
  }
  const auto cover = [&](const Changes::value_type& change) {
    if (!is_below_any(emptied_, change.first)) usage -= usage_of(base_.find(change.first));
    usage += usage_of(change.second);
  };
  if (const auto change = changes_.find(path); change != changes_.end()) cover(*change);
  for_each_below(changes_, path, cover);

  usages_.emplace(path, usage);
  return usage;
}

bool Draft::has_limits() const {
  return has_limits_ || base_.limits_planned_ || base_.tree_.has_limits();
}

std::optional<QuotaLimits> Draft::limits(std::string_view path) const {
  if (has_limits_ || base_.limits_planned_ || !base_.overlay_.empty()) {
    const std::optional<PendingNode> node = find(limits_path(path));
    if (!node) return std::nullopt;
    if (node->limits) return *node->limits;
  }
  const QuotaLimits* limits = base_.tree_.limits(path);
  return limits ? std::optional(*limits) : std::nullopt;
}

std::optional<std::string> Draft::find_forbidden_parent(std::string_view path,
                                                        const AllowsFn& allows) const {
  // Nodes that this draft or outstanding plans touch.
  std::optional<std::string> forbidden;
  const auto check = [&](const std::string& at) {
    if (forbidden) return;
    const std::optional<PendingNode> node = find(at);
    if (node && node->child_count > 0 && !allows(node->acl)) forbidden = at;
  };
  check(std::string(path));
  for_each_below(changes_, path, [&](const auto& change) { check(change.first); });
  for_each_below(base_.overlay_, path, [&](const auto& entry) { check(entry.first); });

  // All other nodes. Only a node whose present ACL is not enough needs its path, which is
  // expensive.
  const Node* root = base_.tree_.find(path);
  for (const Node* node = root; node && !forbidden; node = next_in_subtree(*node, *root)) {
    if (node->child_count() > 0 && !node->acl().is_open() && !allows(node->acl())) {
      check(node->path());
    }
  }
  return forbidden;
}

std::vector<std::string> Draft::paths_below(std::string_view path) const {
  std::set<std::string, std::less<>> paths;
  const auto add = [&](const std::string& at) {
    if (find(at)) paths.insert(at);
  };
  for_each_below(changes_, path, [&](const auto& change) { add(change.first); });
  for_each_below(base_.overlay_, path, [&](const auto& entry) { add(entry.first); });
  const Node* root = base_.tree_.find(path);
  for (const Node* node = root; node; node = next_in_subtree(*node, *root)) {
    if (node != root) add(node->path());
  }
  return {paths.begin(), paths.end()};
}

void Draft::insert(std::string_view path, PendingNode node) {
  PendingNode parent = at(parent_of(path));
  parent.creations = next_creation(parent.creations);
  parent.child_count += 1;
  put(parent_of(path), std::move(parent));
  node.mtime = now_;
  node.created_by = node.set_by = base_.last_plan_ + 1;
  has_limits_ = has_limits_ || node.limits;
  put(path, std::move(node));
}

void Draft::replace(std::string_view path, PendingNode node) {
  node.mtime = now_;
  node.set_by = base_.last_plan_ + 1;
  has_limits_ = has_limits_ || node.limits;
  put(path, std::move(node));
}

void Draft::unlink(std::string_view path) {
  PendingNode parent = at(parent_of(path));
  parent.child_count -= 1;
  put(parent_of(path), std::move(parent));
  put(path, std::nullopt);
}

void Draft::unlink_subtree(std::string_view path) {
  // Nodes that the draft or outstanding plans touch are deleted one by one.
  std::vector<std::string> touched;
  for_each_below(changes_, path, [&](const auto& change) { touched.push_back(change.first); });
  for_each_below(base_.overlay_, path, [&](const auto& entry) { touched.push_back(entry.first); });
  for (const std::string& below : touched) put(below, std::nullopt);
  unlink(path);
  emptied_.emplace(path);
  usages_.clear();
}

std::size_t Draft::remove_ephemerals(wire::SessionId session) {
  std::vector<std::string> pending;
  for (auto owned = base_.ephemerals_.lower_bound({session, std::string()});
       owned != base_.ephemerals_.end() && owned->first == session; ++owned) {
    pending.push_back(owned->second);
  }
  for (const std::string& path : pending) unlink(path);
  // The ephemeral nodes in the tree are deleted by `closed_`. Only their parents get entries.
  std::map<const Node*, std::uint32_t> parents;
  std::size_t count = pending.size();
  for (const Node* node : base_.tree_.ephemeral_nodes(session)) {
    if (!base_.overlay_.empty() || !base_.emptied_.empty()) {
      const std::string path = node->path();
      if (base_.overlay_.contains(path) || base_.is_in_emptied_subtree(path)) continue;
    }
    parents[node->parent()] += 1;
    count += 1;
  }
  for (const auto& [node, children] : parents) {
    PendingNode parent = at(node->path());
    parent.child_count -= children;
    put(node->path(), std::move(parent));
  }
  closed_ = session;
  usages_.clear();
  return count;
}

PendingNode Draft::at(std::string_view path) const {
  std::optional<PendingNode> node = find(path);
  ensure(node, path);
  return *std::move(node);
}

void Draft::put(std::string_view path, std::optional<PendingNode> node) {
  if (node && !will_apply(node->set_by)) node->data = {};  // the tree has them
  if (!usages_.empty()) {
    Usage growth = usage_of(node);
    growth -= usage_of(find(path));
    for_each_above(path, [&](std::string_view above) {
      if (const auto known = usages_.find(above); known != usages_.end()) known->second += growth;
    });
  }
  auto change = changes_.find(path);
  if (change == changes_.end()) change = changes_.try_emplace(std::string(path)).first;
  change->second = std::move(node);
}

}  // namespace znode
