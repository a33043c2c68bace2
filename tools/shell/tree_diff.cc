#include "tools/shell/tree_diff.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tools/shell/print.h"
#include "wire/json_text.h"
#include "wire/utf8.h"

namespace shell {
namespace {

using DiffObject = wire::ObjectWriter<wire::json::JsonSyntax>;

constexpr std::size_t shown_bytes_max = 40;

// The order of a walk: a slash comes before every character of a name.
std::weak_ordering walk_order(std::string_view a, std::string_view b) {
  const auto key = [](char c) {
    return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c));
  };
  return std::lexicographical_compare_three_way(
      a.begin(), a.end(), b.begin(), b.end(),
      [&](char x, char y) -> std::weak_ordering { return key(x) <=> key(y); });
}

bool is_same(const WalkedNode& a, const WalkedNode& b) {
  return a.data == b.data && kind_text(*a.stat) == kind_text(*b.stat);
}

std::string data_change(std::string_view a, std::string_view b) {
  const auto is_shown = [](std::string_view data) {
    return data.size() <= shown_bytes_max && wire::is_utf8(data);
  };
  std::string text;
  if (is_shown(a) && is_shown(b)) {
    wire::json::append_string(a, text);
    text += " -> ";
    wire::json::append_string(b, text);
    return text;
  }
  return count_text(a.size(), "byte") + " -> " + count_text(b.size(), "byte") + ", from byte " +
         std::to_string(*first_difference(a, b)) + " on";
}

std::string change_text(const WalkedNode& a, const WalkedNode& b) {
  std::string text;
  const std::string kind_a = kind_text(*a.stat), kind_b = kind_text(*b.stat);
  if (kind_a != kind_b) text = kind_a + " -> " + kind_b;
  if (a.data == b.data) return text;
  return text + (text.empty() ? "" : "; ") + data_change(*a.data, *b.data);
}

void add_side(const char* name, const std::optional<WalkedNode>& node, DiffObject& object) {
  if (!node || !node->stat) return;
  DiffObject fields(object.field(name));
  fields.string("kind", kind_text(*node->stat));
  fields.integer("bytes", node->stat->data_length);
}

}  // namespace

std::string kind_text(const wire::Stat& stat) {
  if (!stat.ephemeral_owner.none()) return "ephemeral";
  if (stat.container) return "container";
  return stat.ttl_ms ? "ttl " + std::to_string(*stat.ttl_ms) + " ms" : "persistent";
}

std::optional<std::size_t> first_difference(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (in_a == a.end() && in_b == b.end()) return std::nullopt;
  return static_cast<std::size_t>(in_a - a.begin());
}

std::string difference_text(const NodeDifference& difference) {
  if (!difference.b) return "- " + difference.path;
  if (!difference.a) return "+ " + difference.path;
  return "~ " + difference.path + ": " + change_text(*difference.a, *difference.b);
}

std::string difference_json(const NodeDifference& difference) {
  const auto& [path, a, b] = difference;
  std::string text;
  {
    DiffObject object(text);
    object.string("path", path);
    object.string("change", !b ? "removed" : !a ? "added" : "changed");
    add_side("a", a, object);
    add_side("b", b, object);
    if (a && b) {
      if (const auto byte = first_difference(*a->data, *b->data)) object.integer("byte", *byte);
    }
  }
  return text;
}

void TreeDiff::Cursor::advance() {
  node = side.next();
  if (!node) return;
  relative = side.root == "/" ? node->path : node->path.substr(side.root.size());
  if (relative == "/") relative.clear();
}

WalkedNode TreeDiff::Cursor::take() {
  WalkedNode taken = std::move(*node);
  advance();
  return taken;
}

TreeDiff::TreeDiff(Side a, Side b) : a_(std::move(a)), b_(std::move(b)) {}

bool TreeDiff::is_hidden(const std::string& relative) const {
  return hidden_ && relative.starts_with(*hidden_) && relative.size() > hidden_->size() &&
         relative[hidden_->size()] == '/';
}

std::optional<NodeDifference> TreeDiff::next() {
  while (a_.node || b_.node) {
    auto order = std::weak_ordering::less;
    if (a_.node && b_.node) order = walk_order(a_.relative, b_.relative);
    if (!a_.node) order = std::weak_ordering::greater;

    NodeDifference difference;
    const std::string relative = order > 0 ? b_.relative : a_.relative;
    if (order <= 0) difference.a = a_.take();
    if (order >= 0) difference.b = b_.take();
    if (is_hidden(relative)) continue;
    if (order == 0) {
      const bool is_readable = difference.a->stat && difference.b->stat;
      if (!is_readable) hidden_ = relative;
      if (!is_readable || is_same(*difference.a, *difference.b)) continue;
    }
    difference.path = relative.empty() ? "." : relative.substr(1);
    return difference;
  }
  return std::nullopt;
}

}  // namespace shell
