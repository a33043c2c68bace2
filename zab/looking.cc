#include "zab/looking.h"

#include <algorithm>
#include <vector>

namespace zab {
namespace {

// Notifications are sent when something changes; these are for peers that changed without a word.
constexpr std::uint32_t remind_every_ticks = 4;

// In a row that came to nothing.
constexpr std::uint32_t hurried_elections_max = 2;

// A damaged server knows that it must not lead, and until it hears of somebody better votes for
// nobody.
Vote own_vote(const State& state) {
  if (state.durable.damaged) return {};
  return {state.durable.current_epoch, state.durable.history.last().zxid, state.self};
}

}  // namespace

Next Looking::enter(StepContext& context) { return begin_round(context.state.round + 1, context); }

// FLEWaitNewNotmsg, FLENotmsgTimeout.
Next Looking::on(const Tick&, StepContext& context) {
  quiet_ticks_ += 1;
  if (quiet_ticks_ % remind_every_ticks == 0)
    context.confirm_to_all_links(notification(context.state));
  return decide(context);
}

Next Looking::on(const LinkUp& event, StepContext& context) {
  context.confirm(event.server, notification(context.state));
  return Stay{};
}

Next Looking::on(const LinkDown& event, StepContext& context) {
  votes_.erase(event.server);
  settled_.erase(event.server);
  early_.erase(event.server);
  // Nobody can follow a leader that is gone: those who still vote for it will see that too.
  if (vote_.leader == event.server) return begin_round(context.state.round + 1, context);
  return decide(context);
}

// FLEReceiveNotmsg, FLEHandleNotmsg.
Next Looking::on(ServerId from, const Notification& m, StepContext& context) {
  const Ensemble& ensemble = context.state.ensemble;
  const bool of_nobody = m.vote == Vote{} && m.role == Role::looking;
  if (!ensemble.is_voter(from) || !(of_nobody || ensemble.is_voter(m.vote.leader))) return Stay{};
  early_.erase(from);
  if (m.role != Role::looking) {
    // It says whom it follows and how far itself has come: nothing about its leader's history.
    votes_.erase(from);
    settled_[from] = m;
    Next next = join(context);
    return std::holds_alternative<Stay>(next) ? decide(context) : next;
  }
  settled_.erase(from);
  if (m.round < context.state.round) {
    context.confirm(from, notification(context.state));
    return Stay{};
  }
  // Of what this server was before its disk was lost: it is not that any more. Whoever heard of it
  // from others may never see a link to it go down, and only a later round makes that vote void.
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
    // Its sender may have been in another role when the better one came.
    context.confirm(from, notification(context.state));
  }
  const auto [heard, first] = votes_.try_emplace(from);
  if (first || heard->second.vote != m.vote) quiet_ticks_ = 0;
  heard->second = m;
  return decide(context);
}

// A learner may know of this server's victory before it does itself.
Next Looking::on(ServerId from, const FollowerInfo& m, StepContext&) {
  early_[from] = m;
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
  // Behind the disk: a vote says how far this server's history goes.
  context.confirm_to_all_links(notification(context.state));
}

Next Looking::decide(StepContext& context) {
  const State& state = context.state;
  if (!state.votes() || vote_.leader.nobody()) return Stay{};
  const std::vector<ServerId> agreed = supporters(state);
  const auto found = basis(agreed, state);
  if (!found) return Stay{};

  // One that follows somebody else may be about to give up, with a better vote.
  const bool all_agree = std::ranges::all_of(state.links, [&](const auto& link) {
    const ServerId server = link.first;
    return !state.ensemble.is_voter(server) || !state.reaches(server) ||
           std::ranges::find(agreed, server) != agreed.end();
  });
  // A server that has yet to be heard may know of a cluster.
  const bool may_wait_no_more =
      *found == ElectionBasis::quorum && quiet_ticks_ >= state.limits.settle;
  // Two that do not reach each other may agree with the one between them in turns, for ever: after
  // a few times they wait for what it has heard meanwhile.
  const bool may_hurry =
      state.failed_elections <= hurried_elections_max || *found != ElectionBasis::quorum;
  const bool need_not_wait = all_agree && may_hurry;
  if (!need_not_wait && !may_wait_no_more) return Stay{};

  if (vote_.leader == state.self) return GoLeading{std::move(early_), *found};
  return GoLearning{vote_.leader};
}

// Those who would have the same server lead, this one included.
std::vector<ServerId> Looking::supporters(const State& state) const {
  std::vector<ServerId> servers;
  for (const auto& [server, heard] : votes_) {
    if (heard.vote == vote_) servers.push_back(server);
  }
  for (const auto& [server, said] : settled_) {
    const bool same = said.round == state.round && said.vote.leader == vote_.leader;
    if (same && state.reaches(server)) servers.push_back(server);
  }
  return servers;
}

// Whether that is enough, and by what right. A wiped or damaged server has forgotten what it
// promised, so that two quorums may have nobody in common who remembers: it does not count
// (ZOOKEEPER-261). Unless none of them knows of a cluster, or all are there.
std::optional<ElectionBasis> Looking::basis(const std::vector<ServerId>& supporters,
                                            const State& state) const {
  std::vector<ServerId> sound;
  for (const ServerId server : supporters) {
    if (condition_of(server) == Condition::sound) sound.push_back(server);
  }
  if (state.ensemble.is_quorum(sound)) return ElectionBasis::quorum;
  if (!state.ensemble.is_quorum(supporters)) return std::nullopt;
  const bool whole = state.ensemble.are_all_voters(supporters);
  // A cluster that others belong to must not be founded again: they are given time to turn up. And
  // where there is a transaction, there was a quorum for it.
  const bool nothing_yet = vote_.last_zxid == Zxid{} && nobody_knows_of_a_cluster();
  if (nothing_yet && (whole || quiet_ticks_ >= state.limits.founding)) {
    return ElectionBasis::founding;
  }
  // What a damaged server had may be what all others lack: better to wait for an operator.
  if (whole && covers_all_claims()) return ElectionBasis::whole;
  return std::nullopt;
}

Condition Looking::condition_of(ServerId server) const {
  const auto heard = votes_.find(server);
  return heard != votes_.end() ? heard->second.condition : settled_.at(server).condition;
}

bool Looking::nobody_knows_of_a_cluster() const {
  const auto knows_of_none = [](const auto& entry) {
    return entry.second.cluster.none() && entry.second.condition != Condition::damaged;
  };
  return std::ranges::all_of(votes_, knows_of_none) && std::ranges::all_of(settled_, knows_of_none);
}

bool Looking::covers_all_claims() const {
  const Claim held{vote_.current_epoch, vote_.last_zxid};
  const auto is_covered = [&](const auto& entry) {
    return entry.second.condition != Condition::damaged || entry.second.claim <= held;
  };
  return std::ranges::all_of(votes_, is_covered) && std::ranges::all_of(settled_, is_covered);
}

// Joining an ensemble that has a leader already: a quorum follows it, and it says so itself.
// "The leader's own word" is what keeps two servers from following each other.
Next Looking::join(StepContext& context) {
  for (const auto& [leader, word] : settled_) {
    if (word.role != Role::leading || !context.state.reaches(leader)) continue;
    std::vector<ServerId> followers;
    for (const auto& [server, said] : settled_) {
      if (said.vote.leader == leader) followers.push_back(server);
    }
    if (!context.state.ensemble.is_quorum(followers)) continue;
    context.state.round = word.round;
    return GoLearning{leader};
  }
  return Stay{};
}

Notification Looking::notification(const State& state) const {
  return notify(Role::looking, vote_, state);
}

}  // namespace zab
