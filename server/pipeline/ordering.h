#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "server/budgets/account.h"
#include "server/metrics/readings.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/options.h"
#include "server/pipeline/ordering_outcomes.h"
#include "server/pipeline/planner.h"
#include "server/pipeline/touch_intervals.h"
#include "session/commands.h"
#include "session/service.h"
#include "zab/effects.h"

namespace server {

// Sends this server's commands to the leader, wherever it is, and plans all servers' commands while
// this server leads. Appends the actions that are due to `out`.
//
// A command waits here until it is applied or refused. When an epoch begins, waiting commands are
// sent again. No command is applied twice: everything that earlier epochs committed is applied by
// then, so no earlier epoch can still give a waiting command an outcome. Two kinds of commands are
// not sent again, and their connections are redirected instead:
// - those sent in this very epoch, over a link to its leader that was lost since: they may still be
//   planned;
// - those that a later command of the same connection overtook: they were refused, and must not be
//   judged again after the later one.
class Ordering {
 public:
  // The references live as long as this does.
  Ordering(std::uint32_t self, std::chrono::milliseconds heartbeat, const Planner::Limits& limits,
           session::Service& service, EnsembleClock& clock, TouchIntervals& touch_intervals,
           Environment& environment);

  // From this server's clients. Tags are never used twice.
  void submit(session::Command command, OrderingOutcomes& out);
  void ask_read_point(std::uint64_t tag, OrderingOutcomes& out);
  // No client waits for the read point any more.
  void forget_read_point(std::uint64_t tag) { read_points_.erase(tag); }
  // No client waits for the outcome of the command any more, if there is one: from now on `charge`
  // counts its bytes, until it is applied or refused.
  void charge(std::uint64_t tag, Charge charge);
  // The session's client has sent something.
  void alive(wire::SessionId session, Touch& touch);

  // Forgets all commands and read points: no client waits for their outcomes any more.
  void forget_all();

  // Plans a change of the ensemble's level: see session::Service::plan_level. An error also if this
  // server does not lead.
  [[nodiscard]] wire::Result<void> set_level(wire::Level level, OrderingOutcomes& out);

  // Plans the end of a session for an operator. An error also if this server does not lead.
  [[nodiscard]] wire::Result<void> end_session(wire::SessionId session, OrderingOutcomes& out);

  // From the protocol.
  void role_changed(const zab::RoleStatus& role_status, OrderingOutcomes& out);
  void applied(const session::Applied& applied, OrderingOutcomes& out);
  void confirmed(const zab::Confirmed& confirmed, OrderingOutcomes& out);
  // One heartbeat interval has passed. No other question gets this token.
  void tick(std::uint64_t token, OrderingOutcomes& out);
  // A later turn of the event loop has begun.
  void go_on(OrderingOutcomes& out);

  // From the other servers.
  void on(zab::ServerId from, const Forward& m, OrderingOutcomes& out);
  void on(zab::ServerId from, const ForwardRefused& m, OrderingOutcomes& out);
  void on(zab::ServerId from, const Touched& m, OrderingOutcomes& out);
  void on(zab::ServerId from, const AskReadPoint& m, OrderingOutcomes& out);
  void on(zab::ServerId from, const ReadPoint& m, OrderingOutcomes& out);
  void on(zab::ServerId from, const ConfirmTouches& m, OrderingOutcomes& out);
  void on(zab::ServerId from, const TouchesConfirmed& m, OrderingOutcomes& out);

  [[nodiscard]] const zab::RoleStatus& role_status() const { return role_status_; }
  [[nodiscard]] bool leads() const {
    return role_status_.serving && role_status_.role == zab::Role::leading;
  }
  // Counts, and what waits now, for GET /metrics.
  void read(Readings& readings) const;

 private:
  struct Waiting {
    session::Command command;
    wire::Epoch sent_in = {};  // to another server; none if it was not
    // A later command of its connection was applied: this one was refused, and the refusal has not
    // arrived.
    bool overtaken = false;
    Charge charge = {};  // once its client has left
  };

  // The command is applied, refused or given up. Returns whether it waited.
  bool forget(std::uint64_t tag);
  void route(Waiting& waiting, OrderingOutcomes& out);
  void route_read_point(std::uint64_t tag, OrderingOutcomes& out);
  void give_up_unknown(OrderingOutcomes& out);
  void release_refusals(OrderingOutcomes& out);
  void release_touches(OrderingOutcomes& out);
  void end_interval(std::uint64_t token, OrderingOutcomes& out);
  void plan_held(OrderingOutcomes& out);

  std::uint32_t self_;
  session::Service& service_;
  TouchIntervals& touch_intervals_;
  Environment& environment_;
  zab::RoleStatus role_status_;
  Planner planner_;  // while this server leads

  std::map<std::uint64_t, Waiting> commands_;  // by tag: in the order in which they came
  // The connection and the tag of each command.
  std::set<std::pair<std::uint64_t, std::uint64_t>> by_connection_;
  std::set<std::uint64_t> read_points_;   // tags not answered yet
  std::vector<wire::SessionId> touched_;  // since the last Touched was sent
};

}  // namespace server
