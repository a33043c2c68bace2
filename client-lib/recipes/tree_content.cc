#include "client-lib/recipes/tree_content.h"

#include <algorithm>
#include <utility>

#include "client-lib/recipes/queue.h"

namespace zabkeeper {
namespace {

// Paths have no control characters.
constexpr char before_all_names = '\x01';

unsigned char rank(char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); }

}  // namespace

bool PathOrder::operator()(std::string_view a, std::string_view b) const {
  return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
}

const TreeNode* TreeContent::find(std::string_view path) const {
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? nullptr : &found->second;
}

// Behind everything below the node.
TreeNodes::const_iterator TreeContent::end_of(const std::string& path) const {
  return path == "/" ? nodes_.end() : nodes_.lower_bound(path + before_all_names);
}

TreeNodes::const_iterator TreeContent::first_child(const std::string& parent,
                                                   const std::optional<std::string>& after) const {
  return after ? end_of(below(parent, *after)) : nodes_.upper_bound(parent);
}

bool TreeContent::has_children(const std::string& parent,
                               const std::optional<std::string>& after) const {
  return first_child(parent, after) != end_of(parent);
}

void TreeContent::put(const std::string& path, TreeNode node) {
  bytes_ += node.data.size();
  const auto [entry, is_new] = nodes_.try_emplace(path);
  if (is_new) {
    bytes_ += path.size();
  } else {
    bytes_ -= entry->second.data.size();
  }
  entry->second = std::move(node);
}

bool TreeContent::erase(std::string_view path) {
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return false;
  erase(found, std::next(found));
  return true;
}

void TreeContent::erase_subtree(const std::string& path) {
  erase(nodes_.lower_bound(path), end_of(path));
}

void TreeContent::keep_children(const std::string& parent, const std::optional<std::string>& after,
                                const std::optional<std::string>& last,
                                const std::vector<std::string>& names) {
  const std::size_t prefix_bytes = below(parent, "").size();
  const auto end = last ? end_of(below(parent, *last)) : end_of(parent);
  for (auto each = first_child(parent, after); each != end;) {
    const std::size_t slash = each->first.find('/', prefix_bytes);
    const std::string child = each->first.substr(0, slash);
    const auto next = end_of(child);
    if (!std::ranges::binary_search(names, child.substr(prefix_bytes))) erase(each, next);
    each = next;
  }
}

void TreeContent::erase(TreeNodes::const_iterator from, TreeNodes::const_iterator to) {
  for (auto each = from; each != to; ++each) {
    bytes_ -= each->first.size() + each->second.data.size();
  }
  nodes_.erase(from, to);
}

}  // namespace zabkeeper
