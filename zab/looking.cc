#include "zab/looking.h"

#include <algorithm>
#include <vector>

namespace zab {
namespace {

// Notifications are sent on every change. They are sent again for servers that may have missed one.
constexpr std::uint32_t resend_every_ticks = 4;

// After more than this many elections in a row that were given up, an election waits.
constexpr std::uint32_t early_decisions_max = 2;

// A damaged server must not lead. It votes for no server until it receives a vote for another
// server.
Vote own_vote(const State& state) {
  if (state.durable.damaged) return {};
  return {state.durable.current_epoch, state.durable.history.last().zxid, state.self};
}

}  // namespace

Next Looking::enter(StepContext& context) { return begin_round(context.state.round + 1, context); }

// FLEWaitNewNotmsg, FLENotmsgTimeout.
Next Looking::on(const Tick&, StepContext& context) {
  quiet_ticks_ += 1;
  if (quiet_ticks_ % resend_every_ticks == 0)
    context.confirm_to_all_links(notification(context.state));
  return decide(context);
}

Next Looking::on(const LinkUp& event, StepContext& context) {
  context.confirm(event.server, notification(context.state));
  return Stay{};
}

Next Looking::on(const LinkDown& event, StepContext& context) {
  votes_.erase(event.server);
  decided_.erase(event.server);
  early_follower_infos_.erase(event.server);
  // No server can follow a lost leader. Other servers that still vote for it will see that too.
  if (vote_.leader == event.server) return begin_round(context.state.round + 1, context);
  return decide(context);
}

// FLEReceiveNotmsg, FLEHandleNotmsg.
Next Looking::on(ServerId from, const Notification& m, StepContext& context) {
  const Ensemble& ensemble = context.state.ensemble;
  const bool votes_for_none = m.vote == Vote{} && m.role == Role::looking;
  if (!ensemble.is_voter(from) || !(votes_for_none || ensemble.is_voter(m.vote.leader)))
    return Stay{};
  early_follower_infos_.erase(from);
  if (m.role != Role::looking) {
    // This notification has the sender's leader and the end of the sender's own history. It says
    // nothing about the leader's history, so it is not counted as a vote.
    votes_.erase(from);
    decided_[from] = m;
    Next next = join_established_leader(context);
    return std::holds_alternative<Stay>(next) ? decide(context) : next;
  }
  decided_.erase(from);
  if (m.round < context.state.round) {
    context.confirm(from, notification(context.state));
    return Stay{};
  }
  // This is a vote for this server as it was before its disk was lost. A sender that got the vote
  // from other servers may never see a link to this server go down. Only a later round invalidates
  // the vote.
  if (m.vote.leader == context.state.self && m.vote > own_vote(context.state)) {
    return begin_round(m.round + 1, context);
  }
  if (m.round > context.state.round) {
    context.state.round = m.round;
    votes_.clear();
    adopt(std::max(own_vote(context.state), m.vote), context);
  } else if (m.vote > vote_) {
    adopt(m.vote, context);
  } else if (m.vote < vote_) {
    // The sender may have been in another role when the better vote was sent to it.
    context.confirm(from, notification(context.state));
  }
  const auto [received, first] = votes_.try_emplace(from);
  if (first || received->second.vote != m.vote) quiet_ticks_ = 0;
  received->second = m;
  return decide(context);
}

// A learner may know before this server that this server was elected.
Next Looking::on(ServerId from, const FollowerInfo& m, StepContext&) {
  early_follower_infos_[from] = m;
  return Stay{};
}

Next Looking::begin_round(std::uint64_t round, StepContext& context) {
  context.state.round = round;
  votes_.clear();
  adopt(own_vote(context.state), context);
  return decide(context);
}

void Looking::adopt(const Vote& vote, StepContext& context) {
  vote_ = vote;
  quiet_ticks_ = 0;
  if (context.state.votes()) votes_[context.state.self] = notification(context.state);
  // The notification leaves after everything is persisted: a vote promises how far this server's
  // history reaches.
  context.confirm_to_all_links(notification(context.state));
}

Next Looking::decide(StepContext& context) {
  const State& state = context.state;
  if (!state.votes() || vote_.leader.none()) return Stay{};
  const std::vector<ServerId> agreed = supporters(state);
  const auto elected_by = basis(agreed, state);
  if (!elected_by) return Stay{};

  // A voter that follows another leader may soon give that leader up, and may have a better vote.
  const bool all_agree = std::ranges::all_of(state.links, [&](const auto& link) {
    const ServerId server = link.first;
    return !state.ensemble.is_voter(server) || !state.reaches(server) ||
           std::ranges::find(agreed, server) != agreed.end();
  });
  // Only a sound quorum may decide without a silent voter: that voter may know of a cluster.
  const bool has_waited_enough =
      *elected_by == ElectionBasis::quorum && quiet_ticks_ >= state.limits.settle_ticks;
  // Two servers without a link between them may each agree with a third server, alternately, for
  // ever. So after a few elections that were given up, they wait for the third server's latest
  // vote.
  const bool may_decide_early =
      state.elections_given_up <= early_decisions_max || *elected_by != ElectionBasis::quorum;
  const bool decides_early = all_agree && may_decide_early;
  if (!decides_early && !has_waited_enough) return Stay{};

  if (vote_.leader == state.self) return GoLeading{std::move(early_follower_infos_), *elected_by};
  return GoLearning{vote_.leader};
}

// The voters that support the same candidate, this server included.
std::vector<ServerId> Looking::supporters(const State& state) const {
  std::vector<ServerId> servers;
  for (const auto& [server, received] : votes_) {
    if (received.vote == vote_) servers.push_back(server);
  }
  for (const auto& [server, received] : decided_) {
    const bool same = received.round == state.round && received.vote.leader == vote_.leader;
    if (same && state.reaches(server)) servers.push_back(server);
  }
  return servers;
}

// Whether these supporters can elect a leader, and on which basis. A wiped or damaged server has
// forgotten its promises, so it does not count. Otherwise two quorums might have no common member
// that remembers the promises (ZOOKEEPER-261). There are two exceptions: no voter knows of
// a cluster, or all voters take part.
std::optional<ElectionBasis> Looking::basis(const std::vector<ServerId>& supporters,
                                            const State& state) const {
  std::vector<ServerId> sound;
  for (const ServerId server : supporters) {
    if (disk_state_of(server) == DiskState::sound) sound.push_back(server);
  }
  if (state.ensemble.is_quorum(sound)) return ElectionBasis::quorum;
  if (!state.ensemble.is_quorum(supporters)) return std::nullopt;
  const bool unanimous = state.ensemble.are_all_voters(supporters);
  // A cluster must not be founded if absent voters belong to one, so absent voters get time to
  // connect. A transaction proves that a quorum had a cluster.
  const bool is_new = vote_.last_zxid == Zxid{} && no_voter_knows_a_cluster();
  if (is_new && (unanimous || quiet_ticks_ >= state.limits.founding_ticks)) {
    return ElectionBasis::founding;
  }
  // A damaged server may have lost transactions that no other server has. Then an operator decides.
  if (unanimous && covers_all_claims()) return ElectionBasis::unanimous;
  return std::nullopt;
}

DiskState Looking::disk_state_of(ServerId server) const {
  const auto vote = votes_.find(server);
  return vote != votes_.end() ? vote->second.disk_state : decided_.at(server).disk_state;
}

bool Looking::no_voter_knows_a_cluster() const {
  const auto knows_of_none = [](const auto& entry) {
    return entry.second.cluster.none() && entry.second.disk_state != DiskState::damaged;
  };
  return std::ranges::all_of(votes_, knows_of_none) && std::ranges::all_of(decided_, knows_of_none);
}

bool Looking::covers_all_claims() const {
  const Claim held{vote_.current_epoch, vote_.last_zxid};
  const auto is_covered = [&](const auto& entry) {
    return entry.second.disk_state != DiskState::damaged || entry.second.claim <= held;
  };
  return std::ranges::all_of(votes_, is_covered) && std::ranges::all_of(decided_, is_covered);
}

// Joins an ensemble that has a leader already. A server is that leader if a quorum follows it, and
// its own notification says that it leads. Without the leader's own notification two servers could
// follow each other.
Next Looking::join_established_leader(StepContext& context) {
  for (const auto& [leader, latest] : decided_) {
    if (latest.role != Role::leading || !context.state.reaches(leader)) continue;
    std::vector<ServerId> followers;
    for (const auto& [server, received] : decided_) {
      if (received.vote.leader == leader) followers.push_back(server);
    }
    if (!context.state.ensemble.is_quorum(followers)) continue;
    context.state.round = latest.round;
    return GoLearning{leader};
  }
  return Stay{};
}

Notification Looking::notification(const State& state) const {
  return make_notification(Role::looking, vote_, state);
}

}  // namespace zab
