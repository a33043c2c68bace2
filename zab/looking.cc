#include "zab/looking.h"

#include <algorithm>
#include <vector>

namespace zab {
namespace {

// Notifications are sent when something changes; these are for peers that changed without a word.
constexpr std::uint32_t remind_every_ticks = 4;

Vote own_vote(const State& state) {
  return {state.durable.current_epoch, state.durable.history.last().zxid, state.self};
}

}  // namespace

Next Looking::enter(Turn& turn) { return begin_round(turn.state.round + 1, turn); }

// FLEWaitNewNotmsg, FLENotmsgTimeout.
Next Looking::on(const Tick&, Turn& turn) {
  quiet_ticks_ += 1;
  if (quiet_ticks_ % remind_every_ticks == 0) turn.confirm_to_all_links(notification(turn.state));
  return decide(turn);
}

Next Looking::on(const LinkUp& event, Turn& turn) {
  turn.confirm(event.server, notification(turn.state));
  return Stay{};
}

Next Looking::on(const LinkDown& event, Turn& turn) {
  votes_.erase(event.server);
  settled_.erase(event.server);
  early_.erase(event.server);
  // Nobody can follow a leader that is gone: those who still vote for it will see that too.
  if (vote_.leader == event.server) return begin_round(turn.state.round + 1, turn);
  return decide(turn);
}

// FLEReceiveNotmsg, FLEHandleNotmsg.
Next Looking::on(ServerId from, const Notification& m, Turn& turn) {
  if (!turn.state.ensemble.is_voter(from) || !turn.state.ensemble.is_voter(m.vote.leader)) {
    return Stay{};
  }
  early_.erase(from);
  if (m.stance != Stance::looking) {
    // It says whom it follows and how far itself has come: nothing about its leader's history.
    votes_.erase(from);
    settled_[from] = m;
    Next next = join(turn);
    return std::holds_alternative<Stay>(next) ? decide(turn) : next;
  }
  settled_.erase(from);

  if (m.round < turn.state.round) {
    turn.confirm(from, notification(turn.state));
    return Stay{};
  }
  if (m.round > turn.state.round) {
    turn.state.round = m.round;
    votes_.clear();
    adopt(std::max(own_vote(turn.state), m.vote), turn);
  } else if (m.vote > vote_) {
    adopt(m.vote, turn);
  } else if (m.vote < vote_) {
    // Its sender may have been in another role when the better one came.
    turn.confirm(from, notification(turn.state));
  }
  if (votes_[from] != m.vote) quiet_ticks_ = 0;
  votes_[from] = m.vote;
  return decide(turn);
}

// A learner may know of this server's victory before it does itself.
Next Looking::on(ServerId from, const FollowerInfo& m, Turn&) {
  early_[from] = m;
  return Stay{};
}

Next Looking::begin_round(std::uint64_t round, Turn& turn) {
  turn.state.round = round;
  votes_.clear();
  adopt(own_vote(turn.state), turn);
  return decide(turn);
}

void Looking::adopt(const Vote& vote, Turn& turn) {
  vote_ = vote;
  quiet_ticks_ = 0;
  if (turn.state.votes()) votes_[turn.state.self] = vote;
  // Behind the disk: a vote says how far this server's history goes.
  turn.confirm_to_all_links(notification(turn.state));
}

Next Looking::decide(Turn& turn) {
  const State& state = turn.state;
  if (!state.votes()) return Stay{};

  std::vector<ServerId> supporters;
  for (const auto& [server, vote] : votes_) {
    if (vote == vote_) supporters.push_back(server);
  }
  for (const auto& [server, said] : settled_) {
    if (said.round == state.round && said.vote.leader == vote_.leader) supporters.push_back(server);
  }
  if (!state.ensemble.is_quorum(supporters)) return Stay{};

  // One that follows somebody else may be about to give up, with a better vote.
  const bool all_agree = std::ranges::all_of(state.links, [&](const auto& link) {
    const ServerId server = link.first;
    return !state.ensemble.is_voter(server) ||
           std::ranges::find(supporters, server) != supporters.end();
  });
  if (!all_agree && quiet_ticks_ < state.limits.settle) return Stay{};

  if (vote_.leader == state.self) return GoLeading{std::move(early_)};
  return GoLearning{vote_.leader};
}

// Joining an ensemble that has a leader already: a quorum follows it, and it says so itself.
// "The leader's own word" is what keeps two servers from following each other.
Next Looking::join(Turn& turn) {
  for (const auto& [leader, word] : settled_) {
    if (word.stance != Stance::leading) continue;
    std::vector<ServerId> followers;
    for (const auto& [server, said] : settled_) {
      if (said.vote.leader == leader) followers.push_back(server);
    }
    if (!turn.state.ensemble.is_quorum(followers)) continue;
    turn.state.round = word.round;
    return GoLearning{leader};
  }
  return Stay{};
}

Notification Looking::notification(const State& state) const {
  return {Stance::looking, state.round, vote_};
}

}  // namespace zab
