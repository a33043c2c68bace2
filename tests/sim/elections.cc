#include "tests/sim/elections.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <variant>

#include "tests/sim/event_text.h"
#include "tests/sim/quorum.h"
#include "zab/print.h"

namespace sim {
namespace {

using wire::to_string;
using zab::DiskState;
using zab::Notification;
using zab::Role;
using zab::ServerId;
using zab::to_string;
using zab::Vote;

// Does not change while a server looks for a leader.
Vote own_vote(const zab::State& state) {
  return {state.durable.current_epoch, state.durable.history.last().zxid, state.self};
}

auto rank(const Vote& vote) { return std::tuple(vote.current_epoch, vote.last_zxid, vote.leader); }

}  // namespace

void Elections::on_event(ServerId id, const zab::Event& event) {
  View& view = views_[id.value - 1];
  view.handed_over = false;
  if (std::holds_alternative<zab::Tick>(event)) {
    for (auto& [other, ticks] : view.ticks_since_answer) ticks += 1;
  }
  if (const auto* down = std::get_if<zab::LinkDown>(&event)) {
    view.notifications.erase(down->server);
    view.ticks_since_answer.erase(down->server);
  }
  const auto* received = std::get_if<zab::Received>(&event);
  if (received == nullptr) return;
  const zab::Message& message = received->message;
  view.handed_over = std::holds_alternative<zab::Successor>(message);
  if (std::holds_alternative<zab::FollowerInfo>(message) ||
      std::holds_alternative<zab::Ack>(message) || std::holds_alternative<zab::Pong>(message)) {
    view.ticks_since_answer[received->from] = 0;
  }
  if (const auto* m = std::get_if<zab::AckEpoch>(&message)) {
    view.accepted[m->epoch].push_back(received->from);
  }
  if (const auto* m = std::get_if<zab::AckNewLeader>(&message)) {
    view.adopted[m->epoch].push_back(received->from);
  }
  const auto* notification = std::get_if<Notification>(&message);
  if (notification == nullptr || view.role_status.role != Role::looking) return;
  std::vector<Notification>& all = view.notifications[received->from];
  if (all.empty() || all.back() != *notification) all.push_back(*notification);
}

void Elections::on_step(const zab::State& state, const zab::RoleStatus& role_status,
                        const zab::Effects& effects) {
  View& view = views_[state.self.value - 1];
  for (const std::vector<zab::Envelope>* envelopes : {&effects.send, &effects.confirm}) {
    for (const zab::Envelope& envelope : *envelopes) {
      const auto* m = std::get_if<Notification>(&envelope.message);
      if (m != nullptr && m->role == Role::looking) check_vote(state, *m, view);
    }
  }
  if (role_status.role != view.role_status.role || role_status.leader != view.role_status.leader) {
    // A leader that hands over follows its successor without asking.
    const bool decides = view.role_status.role == Role::looking
                             ? role_status.role != Role::looking
                             : role_status.role == Role::leading && !view.handed_over;
    if (decides) check_elected(state, role_status, view);
    // Learners that knew first that it leads may have sent FOLLOWERINFO some time ago.
    for (auto& [other, ticks] : view.ticks_since_answer) ticks = 0;
  }
  for (const zab::Persist& persist : effects.persist) {
    const auto* adopt = std::get_if<zab::AdoptHistory>(&persist);
    if (adopt == nullptr || role_status.role != Role::leading) continue;
    check_quorum_acked(state.self, adopt->epoch, view.accepted[adopt->epoch], "accepted");
  }
  if (role_status.role == Role::leading && role_status.serving) {
    if (!view.role_status.serving) {
      check_quorum_acked(state.self, role_status.epoch, view.adopted[role_status.epoch], "adopted");
    }
    check_answers(state, role_status, view);
  }
  if (role_status.role != Role::looking) {
    view.notifications.clear();
    view.last_vote.reset();
  }
  view.role_status = role_status;
}

void Elections::check_vote(const zab::State& state, const Notification& m, View& view) {
  const auto fail = [&](const std::string& why) {
    throw Violation("vote", name_of(state.self) + " sends " + to_string(zab::Message(m)) +
                                ", and has " + to_string(state.durable.history.last().zxid) +
                                " in epoch " + std::to_string(state.durable.current_epoch.value) +
                                ": " + why);
  };
  const bool for_itself = m.vote.leader == state.self;
  if (state.durable.damaged) {
    if (for_itself) fail("a damaged server votes for itself");
  } else {
    if (rank(m.vote) < rank(own_vote(state))) fail("the vote is less than its own history");
    if (for_itself && m.vote != own_vote(state)) fail("the vote has another history than its own");
  }
  if (view.last_vote &&
      (m.round < view.last_vote->first ||
       (m.round == view.last_vote->first && rank(m.vote) < rank(view.last_vote->second)))) {
    fail("the vote is behind its earlier vote in round " + std::to_string(view.last_vote->first));
  }
  view.last_vote = {m.round, m.vote};
}

void Elections::check_elected(const zab::State& state, const zab::RoleStatus& role_status,
                              const View& view) const {
  const ServerId leader = role_status.leader;
  const DiskState disk_state = state.durable.disk_state();
  const bool leads = leader == state.self;
  if (leads && disk_state == DiskState::damaged) {
    throw Violation("elected", name_of(leader) + " leads, and is damaged");
  }
  std::vector<ServerId> agreed;
  std::vector<ServerId> sound;
  std::vector<ServerId> unfounded;
  std::vector<ServerId> decided;
  if (is_voter(ensemble_, state.self)) {
    agreed.push_back(state.self);
    if (disk_state == DiskState::sound) sound.push_back(state.self);
    if (disk_state != DiskState::damaged) unfounded.push_back(state.self);
  }
  for (const auto& [id, notifications] : view.notifications) {
    for (const Notification& m : notifications) {
      if (m.vote.leader != leader) continue;
      if (m.role != Role::looking) decided.push_back(id);
      if (m.round != state.round) continue;
      if (leads && m.role == Role::looking && m.vote != own_vote(state)) continue;
      agreed.push_back(id);
      if (m.disk_state == DiskState::sound) sound.push_back(id);
      if (m.disk_state != DiskState::damaged && m.cluster.none()) unfounded.push_back(id);
    }
  }
  if (is_quorum(ensemble_, sound)) return;
  if (!leads && is_quorum(ensemble_, decided)) return;
  const bool has_nothing = !leads || state.durable.history.last() == zab::Point{};
  if (has_nothing && is_quorum(ensemble_, unfounded)) return;
  const bool unanimous = std::ranges::all_of(ensemble_.members(), [&](const zab::Member& member) {
    return !is_voter(ensemble_, member.id) || std::ranges::find(agreed, member.id) != agreed.end();
  });
  if (unanimous) return;
  std::string words;
  for (const ServerId id : agreed) words += " " + to_string(id);
  throw Violation("elected", name_of(state.self) + " considers " + name_of(leader) +
                                 " elected in round " + std::to_string(state.round) +
                                 ", by the votes of" + words);
}

void Elections::check_quorum_acked(ServerId leader, zab::Epoch epoch,
                                   const std::vector<ServerId>& by, const char* what) const {
  if (is_quorum(ensemble_, by)) return;
  throw Violation("epoch_quorum", name_of(leader) + " leads epoch " + std::to_string(epoch.value) +
                                      ", but no quorum told it that it has " + what + " the epoch");
}

void Elections::check_answers(const zab::State& state, const zab::RoleStatus& role_status,
                              const View& view) const {
  std::vector<ServerId> answering{state.self};
  for (const auto& [id, ticks] : view.ticks_since_answer) {
    if (ticks <= state.limits.sync_limit) answering.push_back(id);
  }
  if (is_quorum(ensemble_, answering)) return;
  throw Violation("quorum_answers", name_of(state.self) + " claims to lead epoch " +
                                        std::to_string(role_status.epoch.value) +
                                        ", and no quorum has answered for a sync limit of " +
                                        std::to_string(state.limits.sync_limit) + " ticks");
}

}  // namespace sim
