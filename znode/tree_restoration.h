#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/result.h"
#include "znode/tree.h"

namespace znode {

// Makes a tree of stored nodes. They are not trusted: what cannot be a tree is an error, and the
// caller compares the digest with what was stored of it.
class TreeRestoration {
 public:
  // `nodes` is how many are to be expected; a wrong number costs time only.
  explicit TreeRestoration(std::uint64_t nodes);

  // One node, in the order of serial numbers. MarshallingError names the node and what is wrong.
  [[nodiscard]] wire::Result<void> add(std::uint64_t serial, std::string_view bytes);
  // The tree; nothing else may be asked afterwards. MarshallingError if a node is missing that
  // every tree has.
  [[nodiscard]] wire::Result<std::unique_ptr<Tree>> finish();

 private:
  [[nodiscard]] Node* find(std::uint64_t serial) const;

  std::unique_ptr<Tree> tree_;
  std::vector<std::pair<std::uint64_t, Node*>> nodes_;  // by serial number
  const Node* last_parent_ = nullptr;                   // siblings come one after the other
  std::string last_path_;
};

}  // namespace znode
