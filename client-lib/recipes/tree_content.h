#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/shared_bytes.h"
#include "wire/zxid.h"

namespace zabkeeper {

// A node as one transaction left it.
struct TreeNode {
  wire::SharedBytes data;
  std::int32_t version = 0;  // how often the data were set
  wire::Zxid czxid;          // the transaction that created the node
  wire::Zxid mzxid;          // the transaction that last set its data

  bool operator==(const TreeNode&) const = default;
};

// Each node comes directly before everything below it, and children come in the order of names.
struct PathOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
using TreeNodes = std::map<std::string, TreeNode, PathOrder>;

// Nodes by their paths. Copies share the data.
class TreeContent {
 public:
  [[nodiscard]] const TreeNodes& nodes() const { return nodes_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  // of all paths and data
  // Null if there is no such node.
  [[nodiscard]] const TreeNode* find(std::string_view path) const;
  // Whether there is a node below `parent` whose name, or whose ancestor's, is after this one.
  [[nodiscard]] bool has_children(const std::string& parent,
                                  const std::optional<std::string>& after) const;

  void put(const std::string& path, TreeNode node);
  // Returns whether the node was there. What is below it stays.
  bool erase(std::string_view path);
  void erase_subtree(const std::string& path);
  // Of the children after `after`, up to `last` (none: of all), only these stay. The others go with
  // everything below them. `names` are in order.
  void keep_children(const std::string& parent, const std::optional<std::string>& after,
                     const std::optional<std::string>& last, const std::vector<std::string>& names);

 private:
  [[nodiscard]] TreeNodes::const_iterator end_of(const std::string& path) const;
  [[nodiscard]] TreeNodes::const_iterator first_child(
      const std::string& parent, const std::optional<std::string>& after) const;
  void erase(TreeNodes::const_iterator from, TreeNodes::const_iterator to);

  TreeNodes nodes_;
  std::size_t bytes_ = 0;
};

}  // namespace zabkeeper
