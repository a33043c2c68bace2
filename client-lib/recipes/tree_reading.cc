#include <algorithm>
#include <utility>

#include "client-lib/recipes/outcome.h"
#include "client-lib/recipes/queue.h"
#include "client-lib/recipes/tree_follower.h"

// How a follower reads its tree, in pages. Each page is right at its zxid. All events up to that
// zxid have come before it, and some later ones may have come too.
namespace zabkeeper {
namespace {

TreeNode node_of(const wire::Bytes& data, const wire::Stat& stat) {
  return {data, stat.version, stat.czxid, stat.mzxid};
}

}  // namespace

void TreeFollower::begin_reading() {
  reading_ = content_;
  reads_.clear();
  to_read_.clear();
  to_read_.push_back({options_.path, false, {}});
  events_.clear();
  event_bytes_ = 0;
  confirming_ = 0;
}

void TreeFollower::send(Read read, FollowerActions& actions) {
  if (read.is_list) {
    wire::ChildrenRequest request;
    request.path = read.path;
    request.with_stat = true;
    request.with_data = read.with_data;
    request.after = read.after;
    request.limit = options_.page_max;
    ask(std::move(request), actions);
  } else {
    ask(wire::GetRequest{read.path, {}}, actions);
  }
  reads_.emplace(last_, std::move(read));
}

void TreeFollower::on_read(Read read, const Result& result, wire::Zxid zxid,
                           FollowerActions& actions) {
  if (is_unknown(result) || (result && zxid < known_)) {
    to_read_.push_back(std::move(read));
  } else if (is_to_pause(result, actions)) {
    to_read_.push_back(std::move(read));
  } else {
    // What was read before is brought to this zxid first.
    advance(zxid, actions);
    if (const auto* node = reply_of<wire::GetReply>(result)) {
      on_node(read, *node);
    } else if (const auto* page = reply_of<wire::ChildrenReply>(result)) {
      on_page(std::move(read), *page, actions);
    } else {
      on_refused(read, error_of(result), actions);
    }
  }
  proceed(actions);
}

void TreeFollower::on_refused(const Read& read, const wire::Error& error,
                              FollowerActions& actions) {
  const bool is_skipped = error.code == wire::ErrorCode::no_auth && read.path != options_.path;
  if (!is_skipped && error.code != wire::ErrorCode::no_node) return fail(error, actions);
  reading_->erase_subtree(read.path);
  if (is_skipped) actions.emplace_back(Unreadable{read.path});
}

void TreeFollower::on_node(const Read& read, const wire::GetReply& node) {
  reading_->put(read.path, node_of(node.data, node.stat));
  // What is below other nodes was, or is, read because their parents' lists have shown it.
  if (read.path == options_.path && !options_.only_node) read_below(read.path, node.stat);
}

void TreeFollower::read_below(const std::string& path, const wire::Stat& stat) {
  if (stat.num_children == 0) {
    reading_->keep_children(path, {}, {}, {});
  } else {
    to_read_.push_back({path, true, {}, !reading_->has_children(path, {})});
  }
}

bool TreeFollower::is_changed(const std::string& path, const wire::Stat& stat) const {
  const TreeNode* node = reading_->find(path);
  return node == nullptr || node->czxid != stat.czxid || node->mzxid != stat.mzxid;
}

bool TreeFollower::is_to_read_again(const Read& read, const wire::ChildrenReply& page) const {
  if (read.with_data) return false;
  const auto changed = std::ranges::count_if(page.children, [&](const wire::Child& child) {
    return child.stat && is_changed(below(read.path, child.name), *child.stat);
  });
  return static_cast<std::size_t>(changed) * 4 > page.children.size();
}

void TreeFollower::on_page(Read read, const wire::ChildrenReply& page, FollowerActions& actions) {
  if (page.more && page.children.empty()) {
    return fail({wire::ErrorCode::too_large, "no child of " + read.path + " fits into a reply"},
                actions);
  }
  if (is_to_read_again(read, page)) {
    read.with_data = true;
    to_read_.push_back(std::move(read));
    return;
  }
  std::vector<std::string> names;
  for (const wire::Child& child : page.children) names.push_back(child.name);
  std::optional<std::string> last;
  if (page.more) last = names.back();
  reading_->keep_children(read.path, read.after, last, names);
  if (last) to_read_.push_back({read.path, true, last, !reading_->has_children(read.path, last)});
  for (const wire::Child& child : page.children) on_child(read, child, actions);
}

void TreeFollower::on_child(const Read& read, const wire::Child& child, FollowerActions& actions) {
  const std::string path = below(read.path, child.name);
  if (!child.stat || (read.with_data && !child.data)) {
    reading_->erase_subtree(path);
    actions.emplace_back(Unreadable{path});
    return;
  }
  if (child.data) {
    reading_->put(path, node_of(*child.data, *child.stat));
  } else if (is_changed(path, *child.stat)) {
    to_read_.push_back({path, false, {}});
  }
  read_below(path, *child.stat);
}

void TreeFollower::end_reading(FollowerActions& actions) {
  TreeChanged changed{known_, {}};
  const TreeContent before = std::exchange(content_, *std::exchange(reading_, std::nullopt));
  auto old = before.nodes().begin();
  const auto tell_gone_before = [&](const std::string* path) {
    for (; old != before.nodes().end() && (path == nullptr || PathOrder()(old->first, *path));
         ++old) {
      changed.changes.push_back({old->first, {}});
    }
  };
  for (const auto& [path, node] : content_.nodes()) {
    tell_gone_before(&path);
    const bool was = old != before.nodes().end() && old->first == path;
    if (!was || old->second != node) changed.changes.push_back({path, node});
    if (was) ++old;
  }
  tell_gone_before(nullptr);
  has_told_ = true;
  content_zxid_ = known_;
  actions.emplace_back(std::move(changed));
}

}  // namespace zabkeeper
