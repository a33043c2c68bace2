#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/shell/tree_walk.h"

namespace shell {

// Adds up the data and the nodes of subtrees. Call `add` for the nodes of a walk, in its order. It
// keeps only the largest subtrees.
class SubtreeSizes {
 public:
  struct Sum {
    std::string path;
    std::uint64_t bytes = 0;
    std::uint64_t nodes = 0;  // with the node itself

    bool operator==(const Sum&) const = default;
  };
  struct Limits {
    std::size_t depth = 1;  // of the subtrees; those of deeper nodes are only parts of others
    std::size_t rows = 0;
  };
  struct Report {
    std::vector<Sum> rows;  // the largest first
    Sum total;              // of the node where the walk begins
    std::uint64_t left_out = 0;
  };

  explicit SubtreeSizes(Limits limits) : limits_(limits) {}

  void add(const WalkedNode& node);
  [[nodiscard]] Report finish();

 private:
  void close_down_to(std::size_t depth);
  void keep(Sum sum);

  Limits limits_;
  std::vector<Sum> open_;  // one of each depth, from the beginning of the walk to the last node
  std::vector<Sum> rows_;  // a heap, whose first is the smallest
  Report report_;
};

}  // namespace shell
