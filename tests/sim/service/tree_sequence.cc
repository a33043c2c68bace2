#include "tests/sim/service/tree_sequence.h"

#include <algorithm>

#include "tests/sim/violation.h"

namespace sim {
namespace {

zabkeeper::TreeNode node_in(const Znode& node) {
  return {node.data, node.stat.version, node.stat.czxid, node.stat.mzxid};
}

bool can_read(const Znode& node) { return allows(node.acl, wire::Perm::read); }

}  // namespace

void TreeSequence::fail(wire::Zxid zxid, const std::string& what) const {
  throw Violation("tree", "a follower of " + root_ + " at " + wire::to_string(zxid) + ": " + what);
}

bool TreeSequence::is_within(const std::string& path) const {
  if (path == root_) return true;
  return !only_node_ && path.starts_with(root_ == "/" ? root_ : root_ + '/');
}

std::vector<std::string> TreeSequence::paths_at(wire::Zxid zxid) const {
  const View view = model_.at(zxid);
  std::vector<std::string> paths;
  if (view.find(root_)) paths.push_back(root_);
  if (only_node_) return paths;
  for (std::string& path : view.below(root_)) paths.push_back(std::move(path));
  std::ranges::sort(paths, zabkeeper::PathOrder());
  return paths;
}

void TreeSequence::on_reading(wire::Zxid known, zabkeeper::TreeNodes before) {
  reading_since_ = known;
  before_ = std::move(before);
  told_to_.reset();
}

// A list shows what is below a node only if that can be read.
void TreeSequence::hide_unreadable(wire::Zxid from, wire::Zxid to) {
  const auto hide_at = [&](wire::Zxid zxid) {
    const View view = model_.at(zxid);
    std::string unreadable;  // the ancestor whose subtree this is
    for (const std::string& path : paths_at(zxid)) {
      const bool is_below = !unreadable.empty() && path.starts_with(unreadable + '/');
      if (!is_below) unreadable = can_read(*view.find(path)) ? "" : path;
      if (!unreadable.empty()) hidden_.insert(path);
    }
  };
  hide_at(from);
  for (auto each = model_.events().upper_bound(from);
       each != model_.events().end() && each->first <= to; ++each) {
    hide_at(each->first);
  }
}

void TreeSequence::on_changed(const zabkeeper::TreeChanged& changed,
                              const zabkeeper::TreeNodes* content) {
  if (!told_to_) {
    on_read(changed);
  } else if (changed.zxid <= *told_to_) {
    fail(changed.zxid, "told after " + wire::to_string(*told_to_));
  } else {
    expect_no_change(changed.zxid);
    const auto event = model_.events().find(changed.zxid);
    if (event == model_.events().end()) fail(changed.zxid, "there is no such transaction");
    expect(changed.zxid, event->second, &changed);
  }
  told_to_ = changed.zxid;
  if (content != nullptr) compare(changed.zxid, *content);
}

void TreeSequence::on_read(const zabkeeper::TreeChanged& changed) {
  hidden_.clear();
  hide_unreadable(reading_since_, changed.zxid);
  for (const zabkeeper::TreeChange& change : changed.changes) {
    const auto old = before_.find(change.path);
    const bool is_same =
        change.node ? old != before_.end() && old->second == *change.node : old == before_.end();
    if (is_same) fail(changed.zxid, change.path + " is told, and did not change");
  }
}

// The versions of each node that the transaction left, and its deletions.
std::map<std::string, TreeSequence::Versions> TreeSequence::due_of(wire::Zxid zxid,
                                                                   const Event& event) {
  const View before = model_.before(zxid);
  std::map<std::string, Versions> due;
  std::map<std::string, bool> exists;
  doubtful_.clear();
  for (const ZnodeChange& change : event.changes) {
    if (change.kind == wire::EventKind::children || !is_within(change.path)) continue;
    if (!allows(change.acl, wire::Perm::read)) {
      hidden_.insert(change.path);
      continue;
    }
    if (hidden_.erase(change.path) > 0) doubtful_.insert(change.path);
    bool& is_there =
        exists.try_emplace(change.path, before.find(change.path).has_value()).first->second;
    if (change.kind == wire::EventKind::deleted) {
      if (std::exchange(is_there, false)) due[change.path].emplace_back();
    } else if (change.data) {
      is_there = true;
      due[change.path].push_back(zabkeeper::TreeNode{*change.data, change.stat->version,
                                                     change.stat->czxid, change.stat->mzxid});
    }
  }
  return due;
}

// `changed`: null if nothing is told of this transaction.
void TreeSequence::expect(wire::Zxid zxid, const Event& event,
                          const zabkeeper::TreeChanged* changed) {
  std::map<std::string, Versions> due = due_of(zxid, event);
  std::map<std::string, Versions> told;
  if (changed != nullptr) {
    for (const zabkeeper::TreeChange& change : changed->changes) {
      told[change.path].push_back(change.node);
    }
  }
  // The follower may not have known the node that was deleted.
  for (const std::string& path : doubtful_) {
    std::erase(due[path], std::nullopt);
    std::erase(told[path], std::nullopt);
  }
  std::erase_if(due, [](const auto& each) { return each.second.empty(); });
  std::erase_if(told, [](const auto& each) { return each.second.empty(); });
  if (due == told) return;
  const bool is_short = changed == nullptr || told.size() < due.size();
  fail(zxid, is_short ? "a change is missing" : "the changes are wrong");
}

void TreeSequence::expect_no_change(wire::Zxid before) {
  for (auto each = model_.events().upper_bound(*told_to_);
       each != model_.events().end() && each->first < before; ++each) {
    expect(each->first, each->second, nullptr);
  }
}

void TreeSequence::on_told_all(wire::Zxid zxid, const zabkeeper::TreeNodes& content) {
  if (!told_to_ || zxid <= *told_to_) return;
  expect_no_change(zxid.next());
  told_to_ = zxid;
  compare(zxid, content);
}

void TreeSequence::compare(wire::Zxid zxid, const zabkeeper::TreeNodes& content) {
  if (root_ == "/" && ++compared_ % 50 != 1) return;
  const View view = model_.at(zxid);
  std::size_t count = 0;
  for (const std::string& path : paths_at(zxid)) {
    if (hidden_.contains(path)) continue;
    count += 1;
    const auto found = content.find(path);
    if (found == content.end()) fail(zxid, path + " is missing");
    if (found->second != node_in(*view.find(path))) fail(zxid, path + " is wrong");
  }
  const auto shown = std::ranges::count_if(
      content, [&](const auto& each) { return !hidden_.contains(each.first); });
  if (static_cast<std::size_t>(shown) != count) fail(zxid, "a node is there that was deleted");
}

}  // namespace sim
