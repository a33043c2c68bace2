#include "zab/peer.h"

#include <type_traits>
#include <utility>

#include "zab/invariants.h"

namespace zab {
namespace {

// Keeps what the world looks like, before the role sees the event.
void note(State& state, const Event& event) {
  if (const auto* up = std::get_if<LinkUp>(&event)) state.links.try_emplace(up->server);
  if (const auto* down = std::get_if<LinkDown>(&event)) state.links.erase(down->server);
}

// Over a link that this peer was not told is up.
bool is_from_nowhere(const State& state, const Event& event) {
  const auto* received = std::get_if<Received>(&event);
  return received != nullptr && received->from != state.self &&
         !state.links.contains(received->from);
}

template <typename Role>
Next dispatch(Role& role, const Event& event, Turn& turn) {
  return std::visit(
      [&](const auto& e) -> Next {
        if constexpr (std::is_same_v<std::decay_t<decltype(e)>, Received>) {
          return std::visit([&](const auto& m) { return role.on(e.from, m, turn); }, e.message);
        } else {
          return role.on(e, turn);
        }
      },
      event);
}

}  // namespace

Peer::Peer(ServerId self, Ensemble ensemble, Limits limits, Durable recovered)
    : state_{self, std::move(ensemble), limits, std::move(recovered), {}, {}, 0, {}, {}} {
  state_.last_committed = state_.durable.applied;
  state_.last_delivered = state_.durable.applied;
  state_.epoch_seen = state_.durable.accepted_epoch;
}

Effects Peer::start() {
  Effects effects;
  Turn turn{state_, effects};
  follow_up(std::get<Looking>(role_).enter(turn), turn);
  finish(effects);
  return effects;
}

Effects Peer::step(Event event) {
  Effects effects;
  Turn turn{state_, effects};
  if (is_from_nowhere(state_, event)) return effects;
  note(state_, event);
  follow_up(std::visit([&](auto& role) { return dispatch(role, event, turn); }, role_), turn);
  finish(effects);
  return effects;
}

// A role that is entered may at once decide for another: a server alone elects itself.
void Peer::follow_up(Next next, Turn& turn) {
  while (!std::holds_alternative<Stay>(next)) {
    if (auto* looking = std::get_if<GoLooking>(&next)) {
      turn.effects.notes.push_back(std::move(looking->why));
      next = role_.emplace<Looking>().enter(turn);
    } else if (auto* leading = std::get_if<GoLeading>(&next)) {
      auto early = std::move(leading->early);
      next = role_.emplace<Leading>().enter(std::move(early), turn);
    } else {
      const ServerId leader = std::get<GoLearning>(next).leader;
      next = role_.emplace<Learning>(leader).enter(turn);
    }
  }
}

void Peer::finish(Effects& effects) {
  check(state_);
  if (const Standing now = standing(); now != said_) {
    effects.standing = now;
    said_ = now;
  }
}

Standing Peer::standing() const {
  return std::visit([&](const auto& role) { return role.standing(state_); }, role_);
}

}  // namespace zab
