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

// Builds a tree from stored nodes. The nodes are untrusted: anything that cannot be a tree is an
// error. The caller must compare the tree's digest with the stored one.
class TreeRestoration {
 public:
  // `nodes` is the expected number of nodes; a wrong number only costs time.
  explicit TreeRestoration(std::uint64_t nodes, const HashKey& key = {});

  // Adds a node. Serial numbers must rise. Returns MarshallingError with the node and the reason.
  [[nodiscard]] wire::Result<void> add(std::uint64_t serial, std::string_view bytes);
  // Returns the tree. No function may be called afterwards. Returns MarshallingError if one of the
  // initial four nodes is missing.
  [[nodiscard]] wire::Result<std::unique_ptr<Tree>> finish();

 private:
  [[nodiscard]] Node* find(std::uint64_t serial) const;

  std::unique_ptr<Tree> tree_;
  std::vector<std::pair<std::uint64_t, Node*>> nodes_;  // by serial number
  // The last parent and its path: siblings often follow each other.
  const Node* last_parent_ = nullptr;
  std::string last_path_;
};

}  // namespace znode
