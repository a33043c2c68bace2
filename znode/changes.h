#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/records.h"
#include "wire/replies.h"
#include "wire/shared_bytes.h"
#include "znode/tree.h"

namespace znode {

// One change of one node by a transaction.
struct Change {
  // Never `resync`. `children`: children of the node were created or deleted.
  wire::EventKind kind = wire::EventKind::changed;
  std::string path;
  // As of the end of the transaction; empty if the node does not exist then. `children` has only a
  // stat.
  std::optional<wire::SharedBytes> data;
  std::optional<wire::Stat> stat;
  // The node's ACL, which decides who may see this change; for a deleted node, its last ACL.
  SharedAcl acl = {};

  bool operator==(const Change&) const = default;
};

// Collects the changes of a transaction while it is applied.
class Changes {
 public:
  // These two also record a change of the parent's children.
  void created(std::string_view path);
  void deleted(std::string_view path, const SharedAcl& acl);
  // A deletion that does not record a change of the parent's children: the parent is deleted too,
  // or that change was recorded already.
  void deleted_below(std::string_view path, const SharedAcl& acl);
  // The node's data changed.
  void changed(std::string_view path);

  // Returns the changes in order, with data, stat and ACL from `tree`, to which the transaction has
  // been applied. As long as a node exists, it has at most one change of each kind.
  [[nodiscard]] std::vector<Change> finish(const Tree& tree) &&;

 private:
  void add(wire::EventKind kind, std::string_view path, const SharedAcl& acl = {});

  std::vector<Change> changes_;
};

}  // namespace znode
