#include "tools/shell/tree_walk.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <variant>

#include "tools/shell/child_pages.h"
#include "tools/shell/interrupted.h"
#include "tools/shell/words.h"

namespace shell {
namespace {

// If the levels hold more bytes, a level drops its children that are not visited yet, and reads
// them again later.
constexpr std::size_t held_bytes_max = std::size_t{32} << 20;
constexpr std::size_t ahead_bytes_max = std::size_t{8} << 20;
// The limits of the requests that are sent ahead: for one level, and for all levels.
constexpr std::size_t ahead_of_level_max = 16;
constexpr std::size_t ahead_max = 64;

std::size_t walk_bytes_of(const wire::Child& child) {
  return sizeof child + child.name.size() + (child.data ? child.data->size() : 0);
}

}  // namespace

// The children of one node that are still to be visited.
struct TreeWalk::Level {
  struct Below {
    std::string name;
    ChildPages pages;
  };

  std::string path;
  std::optional<ChildPages> pages;  // none: to be read again after `last`
  std::string last;                 // the last name that was visited
  std::deque<wire::Child> children = {};
  bool more = true;
  std::size_t bytes = 0;         // of `children`
  std::size_t scanned = 0;       // of `children`, by look_ahead
  std::deque<Below> below = {};  // of those that have children
};

TreeWalk::TreeWalk(const zabkeeper::Client& client, std::string root, Options options,
                   Omissions& omissions)
    : client_(client), root_(std::move(root)), options_(options), omissions_(omissions) {}

TreeWalk::~TreeWalk() = default;

std::optional<WalkedNode> TreeWalk::next() {
  if (interrupted) throw Interrupted{};
  if (!std::exchange(has_begun_, true)) return root();
  if (std::exchange(may_descend_, false)) descend();
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (fill(level)) return take_child(level);
    levels_.pop_back();
  }
  return std::nullopt;
}

WalkedNode TreeWalk::root() {
  BegunRequest request = options_.with_data ? BegunRequest(client_, wire::GetRequest{root_, {}})
                                            : BegunRequest(client_, wire::ExistsRequest{root_, {}});
  zabkeeper::AnyReply reply = request.take();
  const auto fail = [&](wire::Error error) {
    throw Refused{std::move(error), root_, Effect::read, reply.zxid};
  };
  if (reply.result.has_error()) fail(reply.result.error());
  WalkedNode node{root_, {}, 0, true, {}, {}};
  if (auto* get = std::get_if<wire::GetReply>(&*reply.result)) {
    node.stat = get->stat;
    node.data = std::move(get->data);
  } else {
    node.stat = std::get<wire::ExistsReply>(*reply.result).stat;
  }
  if (!node.stat) fail({wire::ErrorCode::no_node, {}});
  may_descend_ = node.has_children() && options_.depth_max > 0;
  return node;
}

void TreeWalk::descend() {
  const ChildPages::Want want{true, options_.with_data};
  if (levels_.empty()) {
    levels_.push_back({root_, ChildPages(client_, root_, want), {}});
    return;
  }
  Level& parent = levels_.back();
  std::string path = join(parent.path, parent.last);
  std::optional<ChildPages> pages;
  if (!parent.below.empty() && parent.below.front().name == parent.last) {
    pages = std::move(parent.below.front().pages);
    parent.below.pop_front();
    --ahead_;
  } else {
    pages.emplace(client_, path, want);
  }
  if (held_bytes() > held_bytes_max && (parent.more || !parent.children.empty())) {
    ahead_ -= parent.below.size();
    parent = {std::move(parent.path), std::nullopt, std::move(parent.last)};
  }
  levels_.push_back({std::move(path), std::move(pages), {}});
}

bool TreeWalk::fill(Level& level) try {
  // Only the next page shows whether the last child of a page is the last one of all.
  while (level.children.size() < 2 && level.more) {
    if (!level.pages) {
      level.pages.emplace(client_, level.path,
                          ChildPages::Want{true, options_.with_data, level.last});
    }
    ChildPages::Page page = level.pages->next();
    level.more = page.reply.more;
    page_bytes_ = 0;
    for (wire::Child& child : page.reply.children) {
      page_bytes_ += walk_bytes_of(child);
      level.children.push_back(std::move(child));
    }
    level.bytes += page_bytes_;
  }
  look_ahead(level);
  return !level.children.empty();
} catch (const Refused& refused) {
  if (levels_.size() == 1) throw;
  omissions_.add(refused, level.path);
  ahead_ -= level.below.size();
  level.below.clear();
  level.more = false;
  return !level.children.empty();
}

void TreeWalk::look_ahead(Level& level) {
  if (levels_.size() >= options_.depth_max) return;
  const std::size_t room =
      std::clamp<std::size_t>(ahead_bytes_max / (page_bytes_ + 1), 1, ahead_of_level_max);
  while (level.scanned < level.children.size() && level.below.size() < room && ahead_ < ahead_max) {
    const wire::Child& child = level.children[level.scanned++];
    if (!child.stat || child.stat->num_children == 0) continue;
    level.below.push_back({child.name, ChildPages(client_, join(level.path, child.name),
                                                  {true, options_.with_data})});
    ++ahead_;
  }
}

WalkedNode TreeWalk::take_child(Level& level) {
  wire::Child child = std::move(level.children.front());
  level.bytes -= walk_bytes_of(child);
  level.children.pop_front();
  if (level.scanned > 0) --level.scanned;
  level.last = child.name;
  WalkedNode node{join(level.path, child.name),
                  std::move(child.name),
                  levels_.size(),
                  level.children.empty() && !level.more,
                  child.stat,
                  std::move(child.data)};
  if (!node.stat) omissions_.add({{wire::ErrorCode::no_auth, {}}, node.path}, node.path);
  may_descend_ = node.has_children() && levels_.size() < options_.depth_max;
  return node;
}

std::size_t TreeWalk::held_bytes() const {
  std::size_t bytes = 0;
  for (const Level& level : levels_) {
    bytes += level.bytes + (level.below.size() + (level.more ? 1 : 0)) * page_bytes_;
  }
  return bytes;
}

}  // namespace shell
