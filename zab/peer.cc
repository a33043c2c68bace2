#include "zab/peer.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "zab/invariants.h"

namespace zab {
namespace {

// Keeps the list of links up to date, before the role handles the event.
void track_links(State& state, const Event& event) {
  if (const auto* up = std::get_if<LinkUp>(&event)) state.links.try_emplace(up->server);
  if (const auto* down = std::get_if<LinkDown>(&event)) {
    state.links.erase(down->server);
    state.foreign.erase(down->server);
  }
}

// Whether a message came over a link that is not known to be up.
bool is_from_unknown_link(const State& state, const Event& event) {
  const auto* received = std::get_if<Received>(&event);
  return received != nullptr && received->from != state.self &&
         !state.links.contains(received->from);
}

// Whether a message came from a server of another cluster. Every server sends its cluster id in a
// notification as soon as a link comes up.
bool is_foreign(const Event& event, StepContext& context) {
  const auto* received = std::get_if<Received>(&event);
  if (received == nullptr) return false;
  State& state = context.state;
  const auto* m = std::get_if<Notification>(&received->message);
  if (m == nullptr) return state.foreign.contains(received->from);
  if (!are_foreign(state.durable.known_cluster(), m->cluster)) {
    state.foreign.erase(received->from);
    return false;
  }
  if (state.foreign.insert(received->from).second) {
    context.effects.notes.push_back(
        {Note::Kind::foreign_server,
         "server " + to_string(received->from) + " belongs to cluster " + to_string(m->cluster) +
             ", and this one to cluster " + to_string(state.durable.cluster) +
             ": its messages are ignored"});
  }
  return true;
}

template <typename Role>
Next dispatch(Role& role, const Event& event, StepContext& context) {
  return std::visit(
      [&](const auto& e) -> Next {
        if constexpr (std::is_same_v<std::decay_t<decltype(e)>, Received>) {
          return std::visit([&](const auto& m) { return role.on(e.from, m, context); }, e.message);
        } else {
          return role.on(e, context);
        }
      },
      event);
}

}  // namespace

Peer::Peer(ServerId self, Ensemble ensemble, PeerLimits limits, Durable recovered,
           ClusterId new_cluster)
    : state_{.self = self,
             .ensemble = std::move(ensemble),
             .limits = limits,
             .durable = std::move(recovered),
             .new_cluster = new_cluster,
             .last_committed = {},
             .last_delivered = {},
             .round = 0,
             .elections_given_up = 0,
             .epoch_seen = {},
             .links = {},
             .foreign = {},
             .read_tickets = 0} {
  state_.last_committed = state_.durable.applied;
  state_.last_delivered = state_.durable.applied;
  state_.epoch_seen = state_.durable.accepted_epoch;
}

Effects Peer::start() {
  Effects effects;
  StepContext context{state_, effects};
  change_role(std::get<Looking>(role_).enter(context), context);
  finish(effects);
  return effects;
}

Effects Peer::step(Event event) {
  Effects effects;
  StepContext context{state_, effects};
  if (is_from_unknown_link(state_, event)) return effects;
  track_links(state_, event);
  if (is_foreign(event, context)) return effects;
  change_role(std::visit([&](auto& role) { return dispatch(role, event, context); }, role_),
              context);
  finish(effects);
  return effects;
}

void Peer::forget_history(Zxid zxid) {
  state_.durable.history.trim(std::min(zxid, state_.last_delivered), 0);
}

// Entering a role may at once lead to another one: a server that is alone elects itself.
void Peer::change_role(Next next, StepContext& context) {
  while (!std::holds_alternative<Stay>(next)) {
    if (auto* looking = std::get_if<GoLooking>(&next)) {
      context.effects.notes.push_back({looking->kind, std::move(looking->why)});
      next = role_.emplace<Looking>().enter(context);
    } else if (auto* leading = std::get_if<GoLeading>(&next)) {
      GoLeading won = std::move(*leading);
      next = role_.emplace<Leading>(won.basis).enter(std::move(won.early), context);
    } else {
      const ServerId leader = std::get<GoLearning>(next).leader;
      next = role_.emplace<Learning>(leader).enter(context);
    }
  }
}

void Peer::finish(Effects& effects) {
  state_.durable.history.trim(state_.last_delivered, state_.limits.history_bytes);
  check(state_);
  const RoleStatus now = role_status();
  if (now.serving) state_.elections_given_up = 0;
  if (now != reported_status_) {
    effects.role_status = now;
    reported_status_ = now;
  }
}

RoleStatus Peer::role_status() const {
  return std::visit([&](const auto& role) { return role.role_status(state_); }, role_);
}

}  // namespace zab
