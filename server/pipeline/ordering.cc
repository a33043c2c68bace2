#include "server/pipeline/ordering.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "server/logging/limited_log.h"
#include "zab/print.h"

namespace server {
namespace {

// Whether a command needs little memory, and is never refused for lack of room: it ends a session,
// or keeps one.
bool is_small(const session::Command& command) {
  return std::holds_alternative<session::CloseSession>(command.body) ||
         std::holds_alternative<session::MoveSession>(command.body);
}

// The memory of a command besides its texts.
std::size_t memory_of(const session::Command& command) {
  std::size_t bytes = sizeof command + command.conditions.size() * sizeof(wire::Condition);
  if (const auto* multi = std::get_if<wire::MultiRequest>(&command.body)) {
    bytes += wire::operations_of(*multi) * sizeof(wire::MultiOp);
  }
  return bytes;
}

// The newest forms that this program reads.
wire::Forms readable_forms(const session::Service& service) {
  return wire::forms_at(service.known_levels().greatest);
}

wire::Error must_lead(const zab::RoleStatus& role_status) {
  return {wire::ErrorCode::bad_arguments,
          "this server does not lead: ask server " + zab::to_string(role_status.leader)};
}

}  // namespace

Ordering::Ordering(std::uint32_t self, std::chrono::milliseconds heartbeat,
                   const Planner::Limits& limits, session::Service& service, EnsembleClock& clock,
                   TouchIntervals& touch_intervals, Environment& environment)
    : self_(self),
      service_(service),
      touch_intervals_(touch_intervals),
      environment_(environment),
      planner_(heartbeat, limits, service, clock, environment) {}

// --- From this server's clients ---

void Ordering::submit(session::Command command, OrderingOutcomes& out) {
  const std::uint64_t tag = command.tag;
  const auto [entry, added] = commands_.emplace(tag, Waiting{std::move(command)});
  if (!added) return;
  by_connection_.emplace(entry->second.command.owner.connection, tag);
  route(entry->second, out);
}

void Ordering::charge(std::uint64_t tag, Charge charge) {
  const auto waiting = commands_.find(tag);
  if (waiting != commands_.end()) waiting->second.charge = std::move(charge);
}

bool Ordering::forget(std::uint64_t tag) {
  const auto waiting = commands_.find(tag);
  if (waiting == commands_.end()) return false;
  by_connection_.erase({waiting->second.command.owner.connection, tag});
  commands_.erase(waiting);
  return true;
}

void Ordering::forget_all() {
  commands_.clear();
  by_connection_.clear();
  read_points_.clear();
  touched_.clear();
  touch_intervals_.begin_period(environment_.now());
}

void Ordering::ask_read_point(std::uint64_t tag, OrderingOutcomes& out) {
  read_points_.insert(tag);
  route_read_point(tag, out);
}

void Ordering::alive(wire::SessionId session, Touch& touch) {
  touch_intervals_.touch(touch);
  if (leads()) {
    planner_.touch(session);
  } else {
    touched_.push_back(session);
  }
}

// Next: Planner::plan (planner.cc) on the leader. A follower forwards the command to `on(Forward)`
// of the leader.
void Ordering::route(Waiting& waiting, OrderingOutcomes& out) {
  if (!role_status_.serving) return;  // until the next epoch
  if (leads()) {
    planner_.plan(waiting.command, out);
    return release_refusals(out);
  }
  const wire::Forms forms = service_.forms();
  if (session::least_version(waiting.command) > forms.command) {
    const std::uint64_t tag = waiting.command.tag;
    forget(tag);
    out.emplace_back(WhenApplied{
        service_.applied(), WhenApplied::ReplyRefusal{tag, {session::needs_newer_level(), {}}}});
    return;
  }
  wire::Bytes bytes;
  encode(waiting.command, forms, bytes);
  waiting.sent_in = role_status_.epoch;
  out.emplace_back(
      SendToServer{role_status_.leader, Forward{role_status_.epoch, std::move(bytes)}});
}

void Ordering::route_read_point(std::uint64_t tag, OrderingOutcomes& out) {
  if (!role_status_.serving) return;
  const AskReadPoint question{role_status_.epoch, tag};
  if (leads()) return on(zab::ServerId{self_}, question, out);
  out.emplace_back(SendToServer{role_status_.leader, question});
}

wire::Result<void> Ordering::set_level(wire::Level level, OrderingOutcomes& out) {
  if (!leads()) return must_lead(role_status_);
  return planner_.set_level(level, out);
}

wire::Result<void> Ordering::end_session(wire::SessionId session, OrderingOutcomes& out) {
  if (!leads()) return must_lead(role_status_);
  planner_.end_session(session, out);
  release_refusals(out);
  return {};
}

// --- From the protocol ---

void Ordering::role_changed(const zab::RoleStatus& role_status, OrderingOutcomes& out) {
  if (leads()) planner_.end();
  role_status_ = role_status;
  touch_intervals_.begin_period(environment_.now());
  if (!role_status_.serving) return;

  if (leads()) planner_.begin();
  give_up_unknown(out);
  std::vector<std::uint64_t> tags;
  for (const auto& [tag, waiting] : commands_) tags.push_back(tag);
  for (const std::uint64_t tag : tags) {
    if (const auto waiting = commands_.find(tag); waiting != commands_.end()) {
      route(waiting->second, out);
    }
  }
  for (const std::uint64_t tag : read_points_) route_read_point(tag, out);
}

// Gives up the commands whose outcome cannot be known, and all other commands of their connections:
// no command may be planned before an earlier one of its connection.
void Ordering::give_up_unknown(OrderingOutcomes& out) {
  std::set<std::uint64_t> connections;
  for (const auto& [tag, waiting] : commands_) {
    if (waiting.overtaken || waiting.sent_in == role_status_.epoch) {
      connections.insert(waiting.command.owner.connection);
    }
  }
  for (const std::uint64_t connection : connections) {
    auto own = by_connection_.lower_bound({connection, 0});
    while (own != by_connection_.end() && own->first == connection) forget((own++)->second);
    out.emplace_back(OutcomeUnknown{connection});
  }
}

void Ordering::applied(const session::Applied& applied, OrderingOutcomes& out) {
  if (applied.owner.server == self_) {
    // Few commands of a connection have lesser tags: most of those were applied before, or refused.
    const std::uint64_t connection = applied.owner.connection;
    for (auto own = by_connection_.lower_bound({connection, 0});
         own != by_connection_.end() && *own < std::pair(connection, applied.tag); ++own) {
      commands_.at(own->second).overtaken = true;
    }
    forget(applied.tag);
  }
  if (!leads()) return;
  planner_.applied(applied);
  plan_held(out);
}

void Ordering::go_on(OrderingOutcomes& out) {
  planner_.begin_turn();
  if (leads()) plan_held(out);
}

void Ordering::plan_held(OrderingOutcomes& out) {
  do {
    release_refusals(out);
    release_touches(out);
  } while (planner_.plan_next(out));
}

void Ordering::confirmed(const zab::Confirmed& confirmed, OrderingOutcomes& out) {
  const auto question = planner_.confirmed(confirmed);
  if (!question) return;
  if (question->about == Planner::Question::About::touches) return release_touches(out);
  const ReadPoint answer{question->token, confirmed.committed};
  if (question->server == self_) return on(zab::ServerId{self_}, answer, out);
  out.emplace_back(SendToServer{zab::ServerId{question->server}, answer});
}

void Ordering::tick(std::uint64_t token, OrderingOutcomes& out) {
  if (leads()) planner_.tick(out);
  end_interval(token, out);
}

// A leader notes the touches of its own clients at once.
void Ordering::end_interval(std::uint64_t token, OrderingOutcomes& out) {
  const SteadyClock::time_point now = environment_.now();
  std::vector<wire::SessionId> touched = std::exchange(touched_, {});
  if (!role_status_.serving) return touch_intervals_.begin_period(now);
  if (!leads() && !touched.empty()) {
    std::ranges::sort(touched);
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    out.emplace_back(SendToServer{role_status_.leader, Touched{std::move(touched)}});
  }
  if (!touch_intervals_.has_question()) return touch_intervals_.go_on(now);
  touch_intervals_.asked(token, now);
  const ConfirmTouches question{role_status_.epoch, token};
  if (leads()) return on(zab::ServerId{self_}, question, out);
  out.emplace_back(SendToServer{role_status_.leader, question});
}

void Ordering::read(Readings& readings) const {
  planner_.read(readings);
  readings.queues.push_back({"commands", commands_.size()});
  readings.queues.push_back({"touches", touch_intervals_.questions()});
  readings.queues.push_back({"read_points", read_points_.size()});
}

// --- On the leader ---

void Ordering::release_refusals(OrderingOutcomes& out) {
  while (auto due = planner_.pop_refusal()) {
    const wire::Zxid zxid = service_.applied();
    if (due->to.server == self_) {
      forget(due->tag);
      out.emplace_back(
          WhenApplied{zxid, WhenApplied::ReplyRefusal{due->tag, std::move(due->refusal)}});
      continue;
    }
    ForwardRefused message{due->tag, zxid, {}};
    // Not as the plan of a lower level demands: the refusal comes before that level.
    session::encode(due->refusal, wire::forms_at(service_.level()), message.refusal);
    out.emplace_back(SendToServer{zab::ServerId{due->to.server}, std::move(message)});
  }
}

void Ordering::release_touches(OrderingOutcomes& out) {
  while (const auto due = planner_.pop_touches()) {
    const TouchesConfirmed answer{due->token, service_.applied()};
    if (due->server == self_) {
      on(zab::ServerId{self_}, answer, out);
    } else {
      out.emplace_back(SendToServer{zab::ServerId{due->server}, answer});
    }
  }
}

void Ordering::on(zab::ServerId from, const Forward& m, OrderingOutcomes& out) {
  if (!leads() || m.epoch != role_status_.epoch) return;  // its sender sends it again
  const auto command = session::decode_command(m.command, readable_forms(service_));
  // Only the leader expires sessions and reaps nodes.
  const auto* close = command ? std::get_if<session::CloseSession>(&command->body) : nullptr;
  const bool is_leaders = (close != nullptr && close->expired) ||
                          (command && std::holds_alternative<session::ReapNodes>(command->body));
  if (!command || command->owner.server != from.value || is_leaders) {
    log_limited(LineKind::command_ignored, spdlog::level::err,
                "server {} forwarded a command that {}: the command is ignored", from.value,
                command ? "it may not give" : "cannot be decoded: " + command.error().message);
    return;
  }
  const std::size_t bytes = is_small(*command) ? 0 : m.command.size() + memory_of(*command);
  planner_.plan(*command, out, bytes);
  release_refusals(out);
}

void Ordering::on(zab::ServerId, const Touched& m, OrderingOutcomes&) {
  for (const wire::SessionId session : m.sessions) planner_.touch(session);
}

void Ordering::on(zab::ServerId from, const AskReadPoint& m, OrderingOutcomes& out) {
  if (!leads() || m.epoch != role_status_.epoch) return;
  planner_.ask({Planner::Question::About::read_point, from.value, m.token}, out);
}

void Ordering::on(zab::ServerId from, const ConfirmTouches& m, OrderingOutcomes& out) {
  if (!leads() || m.epoch != role_status_.epoch) return;
  planner_.ask({Planner::Question::About::touches, from.value, m.token}, out);
}

// --- Answers from the leader ---

void Ordering::on(zab::ServerId, const ForwardRefused& m, OrderingOutcomes& out) {
  auto refusal = session::decode_refusal(m.refusal, readable_forms(service_));
  if (!refusal || !forget(m.tag)) return;
  out.emplace_back(WhenApplied{m.zxid, WhenApplied::ReplyRefusal{m.tag, *std::move(refusal)}});
}

void Ordering::on(zab::ServerId, const ReadPoint& m, OrderingOutcomes& out) {
  if (read_points_.erase(m.token) == 0) return;
  out.emplace_back(WhenApplied{m.zxid, WhenApplied::ReleaseRead{m.token}});
}

// It counts once this server has applied what the leader had planned before: then the clients whose
// sessions that ended are disconnected.
void Ordering::on(zab::ServerId, const TouchesConfirmed& m, OrderingOutcomes& out) {
  out.emplace_back(WhenApplied{m.zxid, WhenApplied::CountTouches{m.token}});
}

}  // namespace server
