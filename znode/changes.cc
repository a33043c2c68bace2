#include "znode/changes.h"

#include <functional>
#include <utility>

#include <boost/unordered/unordered_flat_set.hpp>

#include "znode/path.h"

namespace znode {
namespace {

using wire::EventKind;

struct Key {
  EventKind kind;
  std::string_view path;

  bool operator==(const Key&) const = default;
};

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    return std::hash<std::string_view>{}(key.path) + static_cast<std::size_t>(key.kind);
  }
};

}  // namespace

void Changes::created(std::string_view path) {
  add(EventKind::created, path);
  add(EventKind::children, parent_of(path));
}

void Changes::deleted(std::string_view path) {
  add(EventKind::deleted, path);
  add(EventKind::children, parent_of(path));
}

void Changes::changed(std::string_view path) { add(EventKind::changed, path); }

void Changes::add(EventKind kind, std::string_view path) {
  changes_.push_back({kind, std::string(path), std::nullopt, std::nullopt});
}

std::vector<Change> Changes::finish(const Tree& tree) && {
  std::vector<Change> changes;
  changes.reserve(changes_.size());
  boost::unordered_flat_set<Key, KeyHash> said;
  // Two changes cannot be the same: one operation says a node and its parent.
  const bool may_repeat = changes_.size() > 2;

  for (Change& change : changes_) {
    const Node* node = tree.find(change.path);
    // Of a node that is gone only its deletion is of interest, not that it lost its children
    // before.
    if (!node && change.kind == EventKind::children) continue;
    if (may_repeat && said.contains({change.kind, change.path})) continue;

    if (node && change.kind != EventKind::deleted) {
      change.stat = node->stat();
      if (change.kind != EventKind::children) change.data = node->data();
    }
    changes.push_back(std::move(change));
    if (may_repeat) said.insert({changes.back().kind, changes.back().path});
  }
  return changes;
}

}  // namespace znode
