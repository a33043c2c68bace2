#include "znode/changes.h"

#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include "znode/path.h"

namespace znode {
namespace {

// Clients choose the paths, so the hash needs a key that they do not know.
struct KeyedHash {
  const HashKey* key;
  std::size_t operator()(std::string_view path) const {
    return static_cast<std::size_t>((*key)(path));
  }
};

}  // namespace

using wire::EventKind;

void Changes::created(std::string_view path) {
  add(EventKind::created, path);
  add(EventKind::children, parent_of(path));
}

void Changes::deleted(std::string_view path, const SharedAcl& acl) {
  add(EventKind::deleted, path, acl);
  add(EventKind::children, parent_of(path));
}

void Changes::deleted_below(std::string_view path, const SharedAcl& acl) {
  add(EventKind::deleted, path, acl);
}

void Changes::changed(std::string_view path) { add(EventKind::changed, path); }

void Changes::add(EventKind kind, std::string_view path, const SharedAcl& acl) {
  changes_.push_back({kind, std::string(path), std::nullopt, std::nullopt, acl});
}

std::vector<Change> Changes::finish(const Tree& tree) && {
  std::vector<Change> changes;
  changes.reserve(changes_.size());
  // By path: the kinds, as bits, that were recorded since the node was last created or deleted.
  // Each creation and deletion is kept: the last one shows the result of the transaction.
  boost::unordered_flat_map<std::string_view, unsigned, KeyedHash> recorded(
      0, KeyedHash{&tree.hash_key()});
  // A single operation records one change of a node and one of its parent: no duplicates.
  const bool may_repeat =
      changes_.size() > 2 || (changes_.size() == 2 && changes_[0].kind == changes_[1].kind);

  for (Change& change : changes_) {
    if (change.kind == EventKind::deleted) {
      if (const auto before = recorded.find(change.path); before != recorded.end())
        before->second = 0;
      changes.push_back(std::move(change));
      continue;
    }
    const Node* node = tree.find(change.path);
    // For a node that no longer exists, only its deletion matters, not the loss of its children.
    if (!node && change.kind == EventKind::children) continue;
    const unsigned kind = 1u << static_cast<unsigned>(change.kind);
    const bool is_creation = change.kind == EventKind::created;
    const auto before = recorded.find(change.path);
    if (!is_creation && before != recorded.end() && (before->second & kind) != 0) continue;

    if (node) {
      change.stat = node->stat();
      change.acl = node->acl();
      if (change.kind != EventKind::children) change.data = wire::Bytes(node->data());
    }
    changes.push_back(std::move(change));
    if (!may_repeat) continue;
    unsigned& kinds = recorded[changes.back().path];
    kinds = is_creation ? 0 : kinds | kind;
  }
  return changes;
}

}  // namespace znode
