#include "server/pipeline/ordering.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <spdlog/spdlog.h>

namespace server {

Ordering::Ordering(std::uint32_t self, Milliseconds heartbeat, session::Service& service,
                   Environment& environment, OrderingHandler& handler)
    : self_(self),
      heartbeat_(heartbeat),
      service_(service),
      environment_(environment),
      handler_(handler) {}

// --- From this server's clients ---

void Ordering::submit(session::Command command) {
  const std::uint64_t tag = command.tag;
  const auto [entry, added] = commands_.emplace(tag, Waiting{std::move(command)});
  if (added) route(entry->second);
}

void Ordering::forget(std::uint64_t tag) { commands_.erase(tag); }

void Ordering::forget_all() {
  commands_.clear();
  read_points_.clear();
  heard_.clear();
}

void Ordering::ask_read_point(std::uint64_t token) {
  read_points_.insert(token);
  route_read_point(token);
}

void Ordering::alive(wire::SessionId session) {
  if (leads()) {
    expiry_.touch(session);
  } else {
    heard_.push_back(session);
  }
}

void Ordering::route(Waiting& waiting) {
  if (!role_status_.serving) return;  // waits for the next epoch
  // A copy, for a command that is refused at once waits no longer.
  if (leads()) return plan(session::Command(waiting.command));
  wire::Bytes bytes;
  encode(waiting.command, bytes);
  waiting.asked_in = role_status_.epoch;
  environment_.send(role_status_.leader, Forward{role_status_.epoch, std::move(bytes)});
}

void Ordering::route_read_point(std::uint64_t token) {
  if (!role_status_.serving) return;
  const AskReadPoint question{role_status_.epoch, token};
  if (leads()) return on(zab::ServerId{self_}, question);
  environment_.send(role_status_.leader, question);
}

// --- From the protocol ---

void Ordering::role_changed(const zab::RoleStatus& role_status) {
  const bool led = leads();
  role_status_ = role_status;
  if (led) {
    service_.forget_plans();
    refusals_.clear();
    fair_queue_.clear();
    askers_.clear();
    expiry_.clear();
    planned_ = planned_applied_ = 0;
    planned_at_.clear();
  }
  if (!role_status_.serving) return;

  // Nobody knows what the former leader had heard of a session: each has its full timeout again.
  if (leads()) {
    for (const auto& [id, session] : service_.sessions().all()) watch_over(id, session.timeout_ms);
  }
  give_up_unknown();
  std::vector<std::uint64_t> tags;
  for (const auto& [tag, waiting] : commands_) tags.push_back(tag);
  for (const std::uint64_t tag : tags) {
    if (const auto waiting = commands_.find(tag); waiting != commands_.end()) {
      route(waiting->second);
    }
  }
  for (const std::uint64_t token : std::set(read_points_)) route_read_point(token);
}

// With all that came over the same connection later: nothing is done before what came before it.
void Ordering::give_up_unknown() {
  std::set<std::uint64_t> connections;
  for (const auto& [tag, waiting] : commands_) {
    if (waiting.overtaken || waiting.asked_in == role_status_.epoch) {
      connections.insert(waiting.command.owner.connection);
    }
  }
  std::erase_if(commands_, [&](const auto& entry) {
    return connections.contains(entry.second.command.owner.connection);
  });
  for (const std::uint64_t connection : connections) handler_.unknown(connection);
}

void Ordering::applied(const session::Applied& applied) {
  using Change = session::Applied::SessionChange;
  if (applied.owner.server == self_) {
    // Those before it are few: whatever was not refused was applied.
    for (auto& [tag, waiting] : commands_) {
      if (tag >= applied.tag) break;
      if (waiting.command.owner == applied.owner) waiting.overtaken = true;
    }
    commands_.erase(applied.tag);
  }
  if (!leads()) return;

  if (planned_applied_ < planned_) {
    planned_applied_ += 1;
    counters_.commit.observe(environment_.now() - planned_at_.front());
    planned_at_.pop_front();
  }
  fair_queue_.arrived();
  say_refusals();
  while (const auto command = fair_queue_.next()) plan_now(*command);
  switch (applied.session_change) {
    case Change::none: break;
    case Change::opened:
    case Change::moved:
      watch_over(applied.session, service_.sessions().find(applied.session)->timeout_ms);
      break;
    case Change::closed:
    case Change::expired: expiry_.remove(applied.session); break;
  }
}

void Ordering::confirmed(const zab::Confirmed& confirmed) {
  const auto asker = askers_.extract(confirmed.token);
  if (asker.empty()) return;
  const auto& [server, token] = asker.mapped();
  const ReadPoint answer{token, confirmed.committed};
  if (server == self_) return on(zab::ServerId{self_}, answer);
  environment_.send(zab::ServerId{server}, answer);
}

void Ordering::tick() {
  if (leads()) {
    for (const wire::SessionId session : expiry_.tick()) {
      spdlog::info("session {} expires", wire::to_hex(session.value));
      plan({session, {}, 0, session::CloseSession{true}});
    }
    if (service_.reap_due(environment_.wall_clock())) plan({{}, {}, 0, session::ReapNodes{}});
  } else if (role_status_.serving && !heard_.empty()) {
    std::ranges::sort(heard_);
    heard_.erase(std::ranges::unique(heard_).begin(), heard_.end());
    environment_.send(role_status_.leader, Touched{std::move(heard_)});
  }
  heard_.clear();
}

void Ordering::read_queues(Readings& readings) const {
  readings.queues.push_back({"commands", commands_.size()});
  readings.queues.push_back({"commands_held", fair_queue_.held()});
  readings.queues.push_back({"refusals", refusals_.size()});
  readings.queues.push_back({"read_points", read_points_.size()});
}

void Ordering::watch_over(wire::SessionId session, std::int64_t timeout_ms) {
  const auto ticks = (timeout_ms + heartbeat_.count() - 1) / heartbeat_.count();
  expiry_.add(session, static_cast<std::uint32_t>(ticks));
}

// --- On the leader ---

void Ordering::plan(const session::Command& command) {
  if (fair_queue_.is_free(command.session)) {
    plan_now(command);
  } else {
    fair_queue_.hold(command);
  }
}

void Ordering::plan_now(const session::Command& command) {
  auto planned = service_.plan(command, environment_.wall_clock());
  if (planned) {
    planned_ += 1;
    planned_at_.push_back(environment_.now());
    counters_.proposed += 1;
    fair_queue_.went(command.session);
    environment_.post(zab::Submit{std::make_shared<const wire::Bytes>(std::move(*planned))});
    return;
  }
  fair_queue_.came_to_nothing(command.session);
  if (command.tag == 0) return;  // an expiry that came too late
  refusals_.push_back({planned_, command.owner, command.tag, std::move(planned.error())});
  say_refusals();
}

void Ordering::say_refusals() {
  while (!refusals_.empty() && refusals_.front().after_plans <= planned_applied_) {
    const Unsaid said = std::move(refusals_.front());
    refusals_.pop_front();
    const wire::Zxid zxid = service_.applied();
    if (said.to.server == self_) {
      commands_.erase(said.tag);
      handler_.refused(said.tag, zxid, said.refusal);
      continue;
    }
    ForwardRefused message{said.tag, zxid, {}};
    session::encode(said.refusal, message.refusal);
    environment_.send(zab::ServerId{said.to.server}, message);
  }
}

void Ordering::on(zab::ServerId from, const Forward& m) {
  if (!leads() || m.epoch != role_status_.epoch) return;  // its sender asks again
  const auto command = session::decode_command(m.command);
  // Whether a session expires, or a node is due, is for the leader alone to say.
  const auto* close = command ? std::get_if<session::CloseSession>(&command->order) : nullptr;
  const bool is_leaders = (close != nullptr && close->expired) ||
                          (command && std::holds_alternative<session::ReapNodes>(command->order));
  if (!command || command->owner.server != from.value || is_leaders) {
    spdlog::error("server {} forwarded a command that {}", from.value,
                  command ? "is not its to give" : "cannot be read: " + command.error().message);
    return;
  }
  plan(*command);
}

void Ordering::on(zab::ServerId, const Touched& m) {
  for (const wire::SessionId session : m.sessions) expiry_.touch(session);
}

void Ordering::on(zab::ServerId from, const AskReadPoint& m) {
  if (!leads() || m.epoch != role_status_.epoch) return;
  askers_[++last_asker_] = {from.value, m.token};
  environment_.post(zab::ConfirmLeadership{last_asker_});
}

// --- Answers from the leader ---

void Ordering::on(zab::ServerId, const ForwardRefused& m) {
  const auto refusal = session::decode_refusal(m.refusal);
  if (!refusal || commands_.erase(m.tag) == 0) return;
  handler_.refused(m.tag, m.zxid, *refusal);
}

void Ordering::on(zab::ServerId, const ReadPoint& m) {
  if (read_points_.erase(m.token) > 0) handler_.read_point(m.token, m.zxid);
}

}  // namespace server
