#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/records.h"
#include "wire/replies.h"
#include "znode/tree.h"

namespace znode {

// What one transaction did to one node.
struct Change {
  wire::EventKind kind = wire::EventKind::changed;  // never resync; `children`: some came or went
  std::string path;
  // As the transaction left them; nothing where it left no node behind. `children` has a stat only.
  std::optional<wire::Bytes> data;
  std::optional<wire::Stat> stat;
  // The node's, for it says who may know of this; of a deleted node, the last that it had.
  SharedAcl acl = {};

  bool operator==(const Change&) const = default;
};

// Collects what a transaction changes while it is applied.
class Changes {
 public:
  // Of a node, and therefore of its parent's children.
  void created(std::string_view path);
  void deleted(std::string_view path, const SharedAcl& acl);
  // Of a node whose parent goes too, or was said to have lost children.
  void deleted_below(std::string_view path, const SharedAcl& acl);
  // Of a node's data.
  void changed(std::string_view path);

  // In the order in which they came about, with what `tree` holds now that the transaction is
  // applied. While a node stays, each kind of change is said of it once.
  [[nodiscard]] std::vector<Change> finish(const Tree& tree) &&;

 private:
  void add(wire::EventKind kind, std::string_view path, const SharedAcl& acl = {});

  std::vector<Change> changes_;
};

}  // namespace znode
