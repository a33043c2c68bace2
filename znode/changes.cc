#include "znode/changes.h"

#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include "znode/path.h"

namespace znode {

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
  // By path: the kinds, as bits, that were said of the node since it came or went. Coming and going
  // are said each time: the last of them is what the transaction came to.
  boost::unordered_flat_map<std::string_view, unsigned> said;
  // Of two changes that one operation says, of a node and its parent, none repeats the other.
  const bool may_repeat =
      changes_.size() > 2 || (changes_.size() == 2 && changes_[0].kind == changes_[1].kind);

  for (Change& change : changes_) {
    if (change.kind == EventKind::deleted) {
      if (const auto before = said.find(change.path); before != said.end()) before->second = 0;
      changes.push_back(std::move(change));
      continue;
    }
    const Node* node = tree.find(change.path);
    // Of a node that is gone only its deletion is of interest, not that it lost its children
    // before.
    if (!node && change.kind == EventKind::children) continue;
    const unsigned kind = 1u << static_cast<unsigned>(change.kind);
    const bool comes = change.kind == EventKind::created;
    const auto before = said.find(change.path);
    if (!comes && before != said.end() && (before->second & kind) != 0) continue;

    if (node) {
      change.stat = node->stat();
      change.acl = node->acl();
      if (change.kind != EventKind::children) change.data = node->data();
    }
    changes.push_back(std::move(change));
    if (!may_repeat) continue;
    unsigned& kinds = said[changes.back().path];
    kinds = comes ? 0 : kinds | kind;
  }
  return changes;
}

}  // namespace znode
