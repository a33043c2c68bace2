#include "server/pipeline/planner.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "server/logging/limited_log.h"

namespace server {

Planner::Planner(std::chrono::milliseconds heartbeat, const Limits& limits,
                 session::Service& service, EnsembleClock& clock, Environment& environment)
    : heartbeat_(heartbeat),
      held_bytes_max_(limits.held_bytes_max),
      service_(service),
      clock_(clock),
      environment_(environment),
      fair_queue_(limits.outstanding) {}

void Planner::begin() {
  clock_.begin_stamps(service_.time());
  for (const auto& [id, session] : service_.sessions().all()) {
    watch_expiry(id, session.timeout_ms);
  }
}

void Planner::end() {
  service_.forget_plans();
  refusals_.clear();
  touches_.clear();
  fair_queue_.clear();
  questions_.clear();
  expiry_.clear();
  ended_.clear();
  planned_ = planned_applied_ = 0;
  planned_at_.clear();
  planned_for_ = {};
  counts_down_ = false;
  ticks_ = 0;
}

void Planner::plan(const session::Command& command, OrderingOutcomes& out, std::size_t bytes) {
  if (fair_queue_.is_free(command.session) && !is_turn_over()) return plan_now(command, out);
  const std::size_t held_bytes = fair_queue_.held_bytes();
  if (bytes == 0 || bytes <= held_bytes_max_ - std::min(held_bytes_max_, held_bytes)) {
    return fair_queue_.hold(command, bytes);
  }
  counters_.overloaded += 1;
  refusals_.push_back({planned_, command.owner, command.tag, {held_full(), std::nullopt}});
}

wire::Error Planner::held_full() const {
  return {service_.code_of_overload(),
          "the leader holds " + std::to_string(fair_queue_.held_bytes()) +
              " bytes of requests of other servers, and memoryLimitBytes leaves " +
              std::to_string(held_bytes_max_) +
              " for them; nothing was done, so the request can be sent again later"};
}

// Next: session::Service::plan (session/service_plan.cc) judges the command, and znode::plan
// (znode/create.cc) a create. After that: the transaction goes to zab as a Submit event
// (zab/leading_broadcast.cc). Once it is committed, it comes back to Pipeline::deliver.
void Planner::plan_now(const session::Command& command, OrderingOutcomes& out) {
  if (is_outdated_end(command)) return fair_queue_.refused(command.session);
  const SteadyClock::time_point begin = environment_.now();
  auto planned = service_.plan(command, clock_.stamp(begin));
  const bool was_over = is_turn_over();
  const SteadyClock::time_point end = environment_.now();
  planned_for_ += end - begin;
  if (is_turn_over() && !was_over) environment_.call_soon();
  if (planned) {
    propose(std::move(*planned), command.session, end, out);
    note_move_or_end(command);
    const bool is_end = std::holds_alternative<session::CloseSession>(command.body);
    if (is_end && !service_.ends(command.session)) fair_queue_.hold(command);
    return;
  }
  fair_queue_.refused(command.session);
  if (planned.error().error.code == service_.code_of_overload()) counters_.overloaded += 1;
  if (command.tag == 0) return;  // the session ended before it expired
  refusals_.push_back({planned_, command.owner, command.tag, std::move(planned.error())});
}

// A session does not expire while its move waits to be applied, because its client has sent
// something. Once its end is planned, no touch keeps it.
void Planner::note_move_or_end(const session::Command& planned) {
  if (const auto* move = std::get_if<session::MoveSession>(&planned.body)) {
    return watch_expiry(planned.session, move->timeout_ms);
  }
  const auto* close = std::get_if<session::CloseSession>(&planned.body);
  if (close == nullptr || !expiry_.remove(planned.session) || !close->expired) return;
  if (ended_.contains(planned.session)) return;
  log_limited(LineKind::session_expires, spdlog::level::info, "session {} expires",
              wire::to_hex(planned.session.value));
}

// Whether a session was due, and its client has sent something while its end was held.
bool Planner::is_outdated_end(const session::Command& command) const {
  const auto* close = std::get_if<session::CloseSession>(&command.body);
  return close != nullptr && close->expired && expiry_.is_alive(command.session) &&
         !ended_.contains(command.session);
}

void Planner::end_session(wire::SessionId session, OrderingOutcomes& out) {
  if (service_.sessions().find(session) == nullptr) return;
  ended_.insert(session);
  plan({session, {}, 0, session::CloseSession{true}}, out);
}

wire::Result<void> Planner::set_level(wire::Level level, OrderingOutcomes& out) {
  const SteadyClock::time_point now = environment_.now();
  auto planned = service_.plan_level(level, clock_.stamp(now));
  if (!planned) return planned.error();
  propose(*std::move(planned), {}, now, out);
  return {};
}

void Planner::propose(wire::Bytes transaction, wire::SessionId session, SteadyClock::time_point at,
                      OrderingOutcomes& out) {
  planned_ += 1;
  planned_at_.push_back(at);
  counters_.proposed += 1;
  fair_queue_.planned(session, transaction.size());
  out.emplace_back(zab::Submit{std::make_shared<const wire::Bytes>(std::move(transaction))});
}

void Planner::applied(const session::Applied& applied) {
  if (planned_applied_ < planned_) {
    planned_applied_ += 1;
    counters_.commit.observe(environment_.now() - planned_at_.front());
    planned_at_.pop_front();
  }
  fair_queue_.applied();

  using Change = session::Applied::SessionChange;
  switch (applied.session_change) {
    case Change::none: break;
    case Change::opened:
    case Change::moved: {
      const session::Session& session = *service_.sessions().find(applied.session);
      if (session.owner != session::nobody) watch_expiry(applied.session, session.timeout_ms);
      break;
    }
    case Change::closed:
    case Change::expired:
      expiry_.remove(applied.session);
      ended_.erase(applied.session);
      break;
  }
}

bool Planner::plan_next(OrderingOutcomes& out) {
  if (is_turn_over()) return false;
  const auto command = fair_queue_.next();
  if (command) plan_now(*command, out);
  return command.has_value();
}

std::optional<Planner::Refused> Planner::pop_refusal() {
  if (refusals_.empty() || refusals_.front().after_plans > planned_applied_) return std::nullopt;
  std::optional<Refused> due = std::move(refusals_.front());
  refusals_.pop_front();
  return due;
}

void Planner::ask(const Question& question, OrderingOutcomes& out) {
  questions_[++last_token_] = question;
  out.emplace_back(zab::ConfirmLeadership{last_token_});
}

std::optional<Planner::Question> Planner::confirmed(const zab::Confirmed& confirmed) {
  const auto question = questions_.extract(confirmed.token);
  if (question.empty()) return std::nullopt;
  if (question.mapped().about == Question::About::touches) {
    touches_.push_back({planned_, question.mapped()});
  }
  return question.mapped();
}

std::optional<Planner::Question> Planner::pop_touches() {
  if (touches_.empty() || touches_.front().after_plans > planned_applied_) return std::nullopt;
  const Question due = touches_.front().question;
  touches_.pop_front();
  return due;
}

void Planner::tick(OrderingOutcomes& out) {
  for (const wire::SessionId session : expiry_.tick()) {
    plan({session, {}, 0, session::CloseSession{true}}, out);
  }
  begin_countdowns();
  service_.tick();
  if (service_.reap_due()) plan({{}, {}, 0, session::ReapNodes{}}, out);
}

// The ages of TTL nodes are taken from the time. So this waits a little for a quorum's.
void Planner::begin_countdowns() {
  constexpr std::chrono::milliseconds wait_max{1000};
  if (counts_down_) return;
  if (!clock_.is_settled() && heartbeat_ * ++ticks_ < wait_max) return;
  service_.begin_countdowns(clock_.time());
  counts_down_ = true;
}

void Planner::read(Readings& readings) const {
  readings.leader = counters_;
  readings.outstanding_bytes = fair_queue_.outstanding_bytes();
  readings.outstanding_bytes_max = fair_queue_.bounds().bytes;
  readings.held_bytes = fair_queue_.held_bytes();
  readings.held_bytes_max = held_bytes_max_;
  readings.queues.push_back({"commands_held", fair_queue_.held()});
  readings.queues.push_back({"refusals", refusals_.size()});
  readings.queues.push_back({"touches_held", touches_.size()});
}

void Planner::watch_expiry(wire::SessionId session, std::int64_t timeout_ms) {
  const auto ticks = (timeout_ms + heartbeat_.count() - 1) / heartbeat_.count();
  expiry_.add(session, static_cast<std::uint32_t>(ticks));
}

}  // namespace server
