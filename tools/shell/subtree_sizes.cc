#include "tools/shell/subtree_sizes.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace shell {
namespace {

bool is_larger(const SubtreeSizes::Sum& a, const SubtreeSizes::Sum& b) {
  return std::tie(a.bytes, a.nodes, b.path) > std::tie(b.bytes, b.nodes, a.path);
}

}  // namespace

void SubtreeSizes::add(const WalkedNode& node) {
  if (node.depth <= limits_.depth) {
    close_down_to(node.depth);
    open_.push_back({node.path});
  } else {
    close_down_to(limits_.depth + 1);
  }
  Sum& sum = open_.back();
  ++sum.nodes;
  if (node.stat) sum.bytes += static_cast<std::uint64_t>(node.stat->data_length);
}

SubtreeSizes::Report SubtreeSizes::finish() {
  close_down_to(0);
  std::ranges::sort(rows_, is_larger);
  report_.rows = std::move(rows_);
  return std::move(report_);
}

// Finishes the open subtrees of this depth and of greater depths.
void SubtreeSizes::close_down_to(std::size_t depth) {
  while (open_.size() > depth) {
    Sum sum = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      report_.total = std::move(sum);
      return;
    }
    open_.back().bytes += sum.bytes;
    open_.back().nodes += sum.nodes;
    keep(std::move(sum));
  }
}

void SubtreeSizes::keep(Sum sum) {
  if (rows_.size() == limits_.rows) {
    ++report_.left_out;
    if (rows_.empty() || !is_larger(sum, rows_.front())) return;
    std::ranges::pop_heap(rows_, is_larger);
    rows_.pop_back();
  }
  rows_.push_back(std::move(sum));
  std::ranges::push_heap(rows_, is_larger);
}

}  // namespace shell
