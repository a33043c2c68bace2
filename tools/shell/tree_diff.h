#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "tools/shell/tree_walk.h"

namespace shell {

// A node that only one of two trees has, or that differs.
struct NodeDifference {
  std::string path;  // below the roots; "." for the roots themselves
  std::optional<WalkedNode> a;
  std::optional<WalkedNode> b;
};

// "persistent", "ephemeral", "container" or "ttl 60000 ms".
[[nodiscard]] std::string kind_text(const wire::Stat& stat);

// The index of the first byte in which the data differ; nothing if they are equal.
[[nodiscard]] std::optional<std::size_t> first_difference(std::string_view a, std::string_view b);

// "+ x", "- x", or "~ x: " and what differs.
[[nodiscard]] std::string difference_text(const NodeDifference& difference);
[[nodiscard]] std::string difference_json(const NodeDifference& difference);

// Compares two trees during a walk through each. If a node may not be read in one of them, the
// nodes below it are not compared.
class TreeDiff {
 public:
  // The nodes of a walk with data, in its order.
  struct Side {
    std::string root;
    std::function<std::optional<WalkedNode>()> next;
  };

  TreeDiff(Side a, Side b);

  // The next difference; nothing after the last one.
  std::optional<NodeDifference> next();

 private:
  struct Cursor {
    explicit Cursor(Side of) : side(std::move(of)) { advance(); }
    void advance();
    WalkedNode take();

    Side side;
    std::optional<WalkedNode> node;
    std::string relative = {};  // its path below the root, e.g. "/x/y"
  };

  [[nodiscard]] bool is_hidden(const std::string& relative) const;

  Cursor a_;
  Cursor b_;
  std::optional<std::string> hidden_;  // a node that may not be read in one tree
};

}  // namespace shell
