#include "znode/countdowns.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "znode/node.h"

namespace znode {
namespace {

// How many marks of earlier terms are replaced in one tick. A million takes a hundred ticks.
constexpr std::size_t replaced_max = 10'000;
constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

// 0 for a container.
std::int64_t ttl_of(const Node& node) {
  const auto value = static_cast<std::uint64_t>(ttl_ms_max);
  return static_cast<std::int64_t>(std::min(node.lifetime().value(), value));
}

std::int64_t age_of(const Node& node, wire::TimeMs now) {
  if (node.mtime >= now) return 0;
  return node.mtime <= now - ttl_of(node) ? ttl_of(node) : now - node.mtime;
}

}  // namespace

bool Countdowns::Entry::operator<(const Entry& other) const {
  return std::tie(term, tick, path_hash, node) <
         std::tie(other.term, other.tick, other.path_hash, other.node);
}

Countdowns::Entry Countdowns::entry_of(const Node& node, const Mark& mark) const {
  return {mark.term, static_cast<std::uint32_t>(node.path_hash_), mark.tick, &node};
}

void Countdowns::begin(const ReapingRules& rules, wire::TimeMs now) {
  rules_ = rules;
  counts_ = true;
  term_ += 1;
  begun_ = now_;
  begun_at_ = now;
}

void Countdowns::tick() {
  if (!counts_) return;
  now_ += 1;
  for (std::size_t i = 0; i < replaced_max; ++i) {
    const auto first = childless_.begin();
    if (first == childless_.end() || first->term == term_) return;
    const Node& node = *first->node;
    childless_.erase(first);
    const Mark mark = mark_of_beginning(node);
    marks_[&node] = mark;
    childless_.insert(entry_of(node, mark));
  }
}

std::vector<const Node*> Countdowns::due(std::size_t max) const {
  std::vector<const Node*> nodes;
  if (!counts_) return nodes;
  for (auto entry = childless_.lower_bound({.term = term_}); entry != childless_.end(); ++entry) {
    if (entry->tick > now_ || nodes.size() == max) break;
    nodes.push_back(entry->node);
  }
  return nodes;
}

bool Countdowns::is_due() const { return !due(1).empty(); }

void Countdowns::insert(const Node& node) {
  const Mark mark = mark_since(now_, node, 0);
  marks_[&node] = mark;
  childless_.insert(entry_of(node, mark));
}

void Countdowns::erase(const Node& node) {
  const auto found = marks_.find(&node);
  childless_.erase(entry_of(node, found->second));
  marks_.erase(found);
}

void Countdowns::restart(const Node& node) {
  if (node.lifetime().kind() != Lifetime::Kind::ttl) return;
  Mark& mark = marks_.at(&node);
  const bool is_childless = childless_.erase(entry_of(node, mark)) > 0;
  mark = mark_since(now_, node, 0);
  if (is_childless) childless_.insert(entry_of(node, mark));
}

void Countdowns::got_child(const Node& node) { childless_.erase(entry_of(node, marks_.at(&node))); }

void Countdowns::lost_children(const Node& node) {
  Mark& mark = marks_.at(&node);
  if (node.lifetime().kind() == Lifetime::Kind::container) mark = mark_since(now_, node, 0);
  childless_.insert(entry_of(node, mark));
}

Countdowns::Mark Countdowns::mark_of_beginning(const Node& node) const {
  return mark_since(begun_, node, age_of(node, begun_at_));
}

// A node that has this age at this tick.
Countdowns::Mark Countdowns::mark_since(std::uint64_t tick, const Node& node,
                                        std::int64_t age_ms) const {
  if (!counts_) return {};
  std::int64_t kept_ms = ttl_of(node);
  if (node.lifetime().kind() == Lifetime::Kind::container) {
    kept_ms = node.creations == 0 ? rules_.container_unused_ms : rules_.container_idle_ms;
    if (node.creations == 0 && kept_ms == 0) return {never, term_};
  }
  const auto left_ms = static_cast<std::uint64_t>(kept_ms - age_ms);
  const auto tick_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(rules_.tick_ms, 1));
  // One tick more, because it may have begun just before the next tick.
  return {tick + (left_ms + tick_ms - 1) / tick_ms + 1, term_};
}

}  // namespace znode
