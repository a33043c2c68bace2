#include "tests/sim/service/group_use.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

namespace sim {
namespace {

using zabkeeper::PresenceEnded;

const std::string group_path = "/group";
constexpr std::size_t owner_count = 2;
// Recipes, for RecipeMessages.
constexpr std::uint64_t of_presence = 1;
constexpr std::uint64_t of_group = 2;

bool is_member_path(const std::string& path) { return parent_path(path) == group_path; }

zabkeeper::Members members_of(const Model& model, wire::Zxid zxid) {
  const View view = model.at(zxid);
  zabkeeper::Members members;
  for (const std::string& name : view.children(group_path)) {
    const auto node = view.find(group_path + '/' + name);
    auto presence = zabkeeper::presence_in(node->data);
    if (!presence) continue;
    members[name] = {name, std::move(presence->owner), std::move(presence->data), node->stat.czxid,
                     node->stat.mzxid};
  }
  return members;
}

[[noreturn]] void fail_presence(std::size_t user, const std::string& what) {
  throw Violation("presence", "user " + std::to_string(user) + ' ' + what);
}

}  // namespace

GroupUse::GroupUse(World& world, std::size_t user, const wire::SessionId& session)
    : world_(world),
      user_(user),
      present_session_(session),
      owner_("owner" + std::to_string(user % owner_count)) {}

// --- What the user does ---

void GroupUse::act(Random& random) {
  if (!group_) {
    group_.emplace(zabkeeper::FollowOptions{.path = group_path, .page_max = 2});
    told_.clear();
    carry_out(group_->begin());
  } else if (std::exchange(is_group_paused_, false)) {
    carry_out(group_->again());
  }
  if (!presence_) {
    if (random.one_in(6)) begin(random);
  } else if (std::exchange(is_presence_paused_, false)) {
    carry_out(presence_->again());
  } else if (random.one_in(20)) {
    carry_out(presence_->end());
  } else if (random.one_in(6)) {
    carry_out(presence_->update(std::to_string(random.below(1000))));
  }
  if (random.one_in(40)) remove_some(random);
}

void GroupUse::begin(Random& random) {
  id_ = some_recipe_id(random);
  session_ = present_session_;
  zabkeeper::PresenceOptions options = zabkeeper::membership(group_path, owner_, id_, "new");
  if (random.one_in(3)) {
    options.sequential = true;
    options.path = group_path;
  }
  presence_.emplace(std::move(options));
  checked_to_ = world_.oracle().model().last();
  carry_out(presence_->begin());
}

// An operator deletes a node: with a multi, which no Presence does for a deletion alone. Or it puts
// a node in the way, for a while.
void GroupUse::remove_some(Random& random) {
  const Model& model = world_.oracle().model();
  const std::vector<std::string> names = model.at(model.last()).children(group_path);
  wire::MultiRequest multi;
  if (names.empty()) {
    wire::CreateRequest create;
    create.path = group_path + '/' + owner_;
    create.parents = true;
    multi.ops.emplace_back(std::move(create));
  } else {
    multi.ops.emplace_back(
        wire::DeleteRequest{group_path + '/' + names[random.below(names.size())]});
  }
  messages_.add(0, {0, std::move(multi)});
}

bool GroupUse::conclude() {
  if (!presence_) return true;
  if (std::exchange(is_presence_paused_, false)) carry_out(presence_->again());
  if (presence_ && !std::exchange(is_concluding_, true)) carry_out(presence_->end());
  return !presence_;
}

// --- Messages ---

void GroupUse::reply(const RecipeMessages::Origin& to, const wire::Result<wire::ReplyBody>& result,
                     wire::Zxid zxid) {
  if (to.recipe == of_presence && presence_) {
    carry_out(presence_->replied(to.number, result, zxid));
  } else if (to.recipe == of_group && group_) {
    carry_out(group_->replied(to.number, result, zxid));
  }
}

void GroupUse::receive(const wire::Reply& message) {
  const auto origin = messages_.origin_of(message.id);
  if (origin) reply(*origin, message.body, message.zxid);
}

void GroupUse::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (origin) reply(*origin, wire::Error{wire::ErrorCode::connection_loss, ""}, {});
}

void GroupUse::receive(const wire::WatchEvent& event) {
  const auto origin = messages_.origin_of(event.watch);
  if (!origin) return;
  if (origin->recipe == of_presence && presence_) {
    carry_out(presence_->received(origin->number, event));
  } else if (origin->recipe == of_group && group_) {
    carry_out(group_->received(origin->number, event));
  }
}

void GroupUse::lost_connection() {
  if (presence_) carry_out(presence_->connection_lost());
  if (group_) carry_out(group_->connection_lost());
}

void GroupUse::lost_session() {
  messages_.clear();
  is_group_paused_ = false;
  if (presence_) carry_out(presence_->session_lost());
  if (group_) carry_out(group_->session_lost());
}

// --- What the recipes tell ---

// Numbers of an earlier Presence must not be taken for those of the next one.
void GroupUse::carry_out(const zabkeeper::PresenceActions& actions) {
  Totals& counts = world_.cluster().counts();
  for (const zabkeeper::PresenceAction& action : actions) {
    if (const auto* asked = std::get_if<zabkeeper::Ask>(&action))
      messages_.add(of_presence, *asked);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_presence_paused_ = true;
    if (const auto* present = std::get_if<zabkeeper::Present>(&action)) on_present(*present);
    if (std::holds_alternative<zabkeeper::Absent>(action)) counts.count(Rare::presence_lost);
    if (std::holds_alternative<zabkeeper::Updated>(action)) counts.count(Rare::presence_updated);
    if (std::holds_alternative<zabkeeper::Occupied>(action)) counts.count(Rare::presence_occupied);
    if (const auto* ended = std::get_if<PresenceEnded>(&action)) {
      on_ended(*ended);
      is_presence_paused_ = false;
      messages_.forget(of_presence);
      presence_.reset();
      return;
    }
  }
}

void GroupUse::carry_out(const zabkeeper::GroupActions& actions) {
  wire::Zxid last;
  for (const zabkeeper::GroupAction& action : actions) {
    const auto* changed = std::get_if<zabkeeper::MembersChanged>(&action);
    if (changed != nullptr) last = changed->zxid;
  }
  for (const zabkeeper::GroupAction& action : actions) {
    if (const auto* asked = std::get_if<zabkeeper::Ask>(&action)) messages_.add(of_group, *asked);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_group_paused_ = true;
    if (const auto* changed = std::get_if<zabkeeper::MembersChanged>(&action)) {
      on_members(*changed, changed->zxid == last);
    }
    if (std::holds_alternative<zabkeeper::GroupFailed>(action)) {
      group_.reset();
      return;
    }
  }
}

// --- The checks ---

std::size_t GroupUse::nodes_at(wire::Zxid zxid) const {
  const View view = world_.oracle().model().at(zxid);
  const std::vector<std::string> names = view.children(group_path);
  return static_cast<std::size_t>(std::ranges::count_if(names, [&](const std::string& name) {
    const auto presence = zabkeeper::presence_in(view.find(group_path + '/' + name)->data);
    return presence && presence->id == id_;
  }));
}

void GroupUse::on_present(const zabkeeper::Present& present) {
  const Model& model = world_.oracle().model();
  world_.cluster().counts().count(Rare::presence_told);
  const Znode* node = model.find(present.path, present.czxid);
  const bool is_its = node != nullptr && node->stat.czxid == present.czxid &&
                      node->stat.ephemeral_owner == session_ && nodes_at(present.czxid) > 0;
  if (!is_its) fail_presence(user_, "is told to be present, and has no node " + present.path);
  if (nodes_at(present.czxid) > 1) fail_presence(user_, "is present twice");
  check_deletions();
}

void GroupUse::on_ended(const PresenceEnded& ended) {
  Totals& counts = world_.cluster().counts();
  if (ended.how == PresenceEnded::How::superseded) counts.count(Rare::presence_superseded);
  if (ended.how == PresenceEnded::How::failed) counts.count(Rare::presence_failed);
  check_deletions();
  // Below level 3 the deletion is refused, because it has a condition.
  const bool may_leave_node =
      ended.how == PresenceEnded::How::session_lost || ended.how == PresenceEnded::How::failed;
  if (may_leave_node) return;
  if (nodes_at(world_.oracle().model().last()) > 0) fail_presence(user_, "leaves its node");
}

void GroupUse::check_deletions() {
  const Model& model = world_.oracle().model();
  for (auto each = model.events().upper_bound(checked_to_); each != model.events().end(); ++each) {
    if (each->second.txn.session == session_) check_deletions(each->first, each->second);
  }
  checked_to_ = model.last();
}

// Of transactions of this user. Only a Presence deletes a member in a DeleteTxn, or in a multi that
// creates one too.
void GroupUse::check_deletions(wire::Zxid zxid, const Event& event) const {
  const auto* txn = std::get_if<znode::Txn>(&event.txn.body);
  if (txn == nullptr) return;
  const bool is_multi = std::holds_alternative<znode::MultiTxn>(*txn);
  const bool takes_over =
      is_multi && std::ranges::any_of(event.changes, [](const auto& change) {
        return change.kind == wire::EventKind::created && is_member_path(change.path);
      });
  for (const ZnodeChange& change : event.changes) {
    if (change.kind != wire::EventKind::deleted || !is_member_path(change.path)) continue;
    if (is_multi && !takes_over) continue;  // an operator
    const auto node = world_.oracle().model().before(zxid).find(change.path);
    if (!node) continue;  // created by the same transaction
    const auto presence = zabkeeper::presence_in(node->data);
    const bool is_allowed =
        presence &&
        (takes_over ? presence->owner == owner_ && presence->id != id_ : presence->id == id_);
    if (!is_allowed) fail_presence(user_, "deletes the node " + change.path + " of another");
    if (takes_over) world_.cluster().counts().count(Rare::presence_taken_over);
  }
}

void GroupUse::on_members(const zabkeeper::MembersChanged& changed, bool is_last) {
  world_.cluster().counts().count(Rare::members_told);
  const auto fail = [&](const char* what) {
    throw Violation("members", "user " + std::to_string(user_) + " at " +
                                   wire::to_string(changed.zxid) + ": " + what);
  };
  for (const zabkeeper::Member& member : changed.left) {
    if (told_.erase(member.name) == 0) fail("a member leaves that has not joined");
  }
  for (const zabkeeper::Member& member : changed.joined) {
    if (!told_.emplace(member.name, member).second) fail("a member joins twice");
  }
  for (const zabkeeper::Member& member : changed.updated) {
    if (!told_.contains(member.name)) fail("a member is updated that has not joined");
    told_[member.name] = member;
  }
  if (told_ != members_of(world_.oracle().model(), changed.zxid)) fail("the members are wrong");
  if (is_last && group_->members() != told_) fail("the members are not those that were told");
}

}  // namespace sim
