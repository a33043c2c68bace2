#include "client-lib/recipes/group_membership.h"

#include <optional>

#include "client-lib/recipes/queue.h"

namespace zabkeeper {
namespace {

std::optional<Member> member_at(const std::string& name, const std::optional<TreeNode>& node) {
  if (!node) return std::nullopt;
  auto presence = presence_in(node->data.get());
  if (!presence) return std::nullopt;
  return Member{name, std::move(presence->owner), std::move(presence->data), node->czxid,
                node->mzxid};
}

}  // namespace

PresenceOptions membership(const std::string& group, std::string owner, std::string id,
                           wire::Bytes data) {
  PresenceOptions options;
  options.path = below(group, owner);
  options.owner = std::move(owner);
  options.id = std::move(id);
  options.data = std::move(data);
  return options;
}

GroupActions GroupFollower::view(FollowerActions&& actions) {
  GroupActions viewed;
  for (FollowerAction& action : actions) {
    if (auto* ask = std::get_if<Ask>(&action)) viewed.emplace_back(std::move(*ask));
    if (std::holds_alternative<Pause>(action)) viewed.emplace_back(Pause{});
    if (const auto* changed = std::get_if<TreeChanged>(&action)) on_changed(*changed, viewed);
    if (std::holds_alternative<TreeGap>(action)) {
      is_complete_ = false;
      viewed.emplace_back(MembersGap{});
    }
    if (auto* failed = std::get_if<FollowerFailed>(&action)) {
      viewed.emplace_back(GroupFailed{std::move(failed->error)});
    }
  }
  return viewed;
}

// A transaction may change a node several times. The last change counts.
void GroupFollower::on_changed(const TreeChanged& changed, GroupActions& actions) {
  const std::string prefix = below(path_, "");
  std::map<std::string, std::optional<Member>> now;
  for (const TreeChange& change : changed.changes) {
    if (!change.path.starts_with(prefix) || change.path.size() == prefix.size()) continue;
    const std::string name = change.path.substr(prefix.size());
    if (name.find('/') == std::string::npos) now[name] = member_at(name, change.node);
  }
  MembersChanged told{changed.zxid, {}, {}, {}};
  for (const auto& [name, member] : now) {
    const auto old = members_.find(name);
    const bool was = old != members_.end();
    if (member && was && old->second == *member) continue;
    if (member) (was ? told.updated : told.joined).push_back(*member);
    if (!member && was) told.left.push_back(old->second);
    if (member) {
      members_[name] = *member;
    } else if (was) {
      members_.erase(old);
    }
  }
  const bool is_first = !std::exchange(is_complete_, true);
  if (!is_first && told.joined.empty() && told.updated.empty() && told.left.empty()) return;
  actions.emplace_back(std::move(told));
}

}  // namespace zabkeeper
