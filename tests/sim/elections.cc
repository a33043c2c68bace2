#include "tests/sim/elections.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <variant>

#include "tests/sim/quorum.h"
#include "zab/print.h"

namespace sim {
namespace {

using wire::to_string;
using zab::Condition;
using zab::Notification;
using zab::Role;
using zab::ServerId;
using zab::to_string;
using zab::Vote;

std::string server(ServerId id) { return "server " + to_string(id); }

// Looking for a leader changes nothing of that.
Vote own_vote(const zab::State& state) {
  return {state.durable.current_epoch, state.durable.history.last().zxid, state.self};
}

auto rank(const Vote& vote) { return std::tuple(vote.current_epoch, vote.last_zxid, vote.leader); }

}  // namespace

void Elections::on_event(ServerId id, const zab::Event& event) {
  Ears& ears = ears_[id.value - 1];
  ears.handed_over = false;
  if (std::holds_alternative<zab::Tick>(event)) {
    for (auto& [other, ticks] : ears.ticks_since_answer) ticks += 1;
  }
  if (const auto* down = std::get_if<zab::LinkDown>(&event)) {
    ears.heard.erase(down->server);
    ears.ticks_since_answer.erase(down->server);
  }
  const auto* received = std::get_if<zab::Received>(&event);
  if (received == nullptr) return;
  const zab::Message& message = received->message;
  ears.handed_over = std::holds_alternative<zab::Successor>(message);
  if (std::holds_alternative<zab::FollowerInfo>(message) ||
      std::holds_alternative<zab::Ack>(message) || std::holds_alternative<zab::Pong>(message)) {
    ears.ticks_since_answer[received->from] = 0;
  }
  if (const auto* m = std::get_if<zab::AckEpoch>(&message)) {
    ears.accepted[m->epoch].push_back(received->from);
  }
  if (const auto* m = std::get_if<zab::AckNewLeader>(&message)) {
    ears.adopted[m->epoch].push_back(received->from);
  }
  const auto* notification = std::get_if<Notification>(&message);
  if (notification == nullptr || ears.role_status.role != Role::looking) return;
  std::vector<Notification>& heard = ears.heard[received->from];
  if (heard.empty() || heard.back() != *notification) heard.push_back(*notification);
}

void Elections::on_step(const zab::State& state, const zab::RoleStatus& role_status,
                        const zab::Effects& effects) {
  Ears& ears = ears_[state.self.value - 1];
  for (const std::vector<zab::Envelope>* envelopes : {&effects.send, &effects.confirm}) {
    for (const zab::Envelope& envelope : *envelopes) {
      const auto* m = std::get_if<Notification>(&envelope.message);
      if (m != nullptr && m->role == Role::looking) check_vote(state, *m, ears);
    }
  }
  if (role_status.role != ears.role_status.role || role_status.leader != ears.role_status.leader) {
    // A leader that hands over follows its successor without asking.
    const bool decides = ears.role_status.role == Role::looking
                             ? role_status.role != Role::looking
                             : role_status.role == Role::leading && !ears.handed_over;
    if (decides) check_elected(state, role_status, ears);
    // Those who knew first that it leads may have said so some time ago.
    for (auto& [other, ticks] : ears.ticks_since_answer) ticks = 0;
  }
  for (const zab::Persist& persist : effects.persist) {
    const auto* adopt = std::get_if<zab::AdoptHistory>(&persist);
    if (adopt == nullptr || role_status.role != Role::leading) continue;
    check_told(state.self, adopt->epoch, ears.accepted[adopt->epoch], "accepted");
  }
  if (role_status.role == Role::leading && role_status.serving) {
    if (!ears.role_status.serving) {
      check_told(state.self, role_status.epoch, ears.adopted[role_status.epoch], "adopted");
    }
    check_answers(state, role_status, ears);
  }
  if (role_status.role != Role::looking) {
    ears.heard.clear();
    ears.said.reset();
  }
  ears.role_status = role_status;
}

void Elections::check_vote(const zab::State& state, const Notification& m, Ears& ears) {
  const auto fail = [&](const std::string& why) {
    throw Violation("vote", server(state.self) + " says " + to_string(zab::Message(m)) +
                                ", and has " + to_string(state.durable.history.last().zxid) +
                                " in epoch " + std::to_string(state.durable.current_epoch.value) +
                                ": " + why);
  };
  const bool for_itself = m.vote.leader == state.self;
  if (state.durable.damaged) {
    if (for_itself) fail("it is damaged, and would lead");
  } else {
    if (rank(m.vote) < rank(own_vote(state))) fail("that is less than it has");
    if (for_itself && m.vote != own_vote(state)) fail("that is not what it is");
  }
  if (ears.said && (m.round < ears.said->first ||
                    (m.round == ears.said->first && rank(m.vote) < rank(ears.said->second)))) {
    fail("that is behind what it said before, in round " + std::to_string(ears.said->first));
  }
  ears.said = {m.round, m.vote};
}

void Elections::check_elected(const zab::State& state, const zab::RoleStatus& role_status,
                              const Ears& ears) const {
  const ServerId leader = role_status.leader;
  const Condition condition = state.durable.condition();
  const bool leads = leader == state.self;
  if (leads && condition == Condition::damaged) {
    throw Violation("elected", server(leader) + " leads, and is damaged");
  }
  std::vector<ServerId> agreed;
  std::vector<ServerId> sound;
  std::vector<ServerId> unfounded;
  std::vector<ServerId> settled;
  if (is_voter(ensemble_, state.self)) {
    agreed.push_back(state.self);
    if (condition == Condition::sound) sound.push_back(state.self);
    if (condition != Condition::damaged) unfounded.push_back(state.self);
  }
  for (const auto& [id, heard] : ears.heard) {
    for (const Notification& m : heard) {
      if (m.vote.leader != leader) continue;
      if (m.role != Role::looking) settled.push_back(id);
      if (m.round != state.round) continue;
      if (leads && m.role == Role::looking && m.vote != own_vote(state)) continue;
      agreed.push_back(id);
      if (m.condition == Condition::sound) sound.push_back(id);
      if (m.condition != Condition::damaged && m.cluster.none()) unfounded.push_back(id);
    }
  }
  if (is_quorum(ensemble_, sound)) return;
  if (!leads && is_quorum(ensemble_, settled)) return;
  const bool has_nothing = !leads || state.durable.history.last() == zab::Point{};
  if (has_nothing && is_quorum(ensemble_, unfounded)) return;
  const bool whole = std::ranges::all_of(ensemble_.members(), [&](const zab::Member& member) {
    return !is_voter(ensemble_, member.id) || std::ranges::find(agreed, member.id) != agreed.end();
  });
  if (whole) return;
  std::string words;
  for (const ServerId id : agreed) words += " " + to_string(id);
  throw Violation("elected", server(state.self) + " takes " + server(leader) +
                                 " for elected in round " + std::to_string(state.round) +
                                 ", by the word of" + words);
}

void Elections::check_told(ServerId leader, zab::Epoch epoch, const std::vector<ServerId>& by,
                           const char* what) const {
  if (is_quorum(ensemble_, by)) return;
  throw Violation("epoch_quorum", server(leader) + " leads epoch " + std::to_string(epoch.value) +
                                      ", and was not told by a quorum that it has " + what + " it");
}

void Elections::check_answers(const zab::State& state, const zab::RoleStatus& role_status,
                              const Ears& ears) const {
  std::vector<ServerId> answering{state.self};
  for (const auto& [id, ticks] : ears.ticks_since_answer) {
    if (ticks <= state.limits.sync_limit) answering.push_back(id);
  }
  if (is_quorum(ensemble_, answering)) return;
  throw Violation("quorum_answers", server(state.self) + " says that it leads epoch " +
                                        std::to_string(role_status.epoch.value) +
                                        ", and no quorum has answered for a sync limit of " +
                                        std::to_string(state.limits.sync_limit) + " ticks");
}

}  // namespace sim
