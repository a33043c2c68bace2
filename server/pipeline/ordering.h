#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "server/config/config.h"
#include "server/metrics/readings.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/fair_queue.h"
#include "session/commands.h"
#include "session/expiry.h"
#include "session/service.h"
#include "zab/effects.h"

namespace server {

// What came of a command or a question that is not a transaction.
class OrderingHandler {
 public:
  virtual ~OrderingHandler() = default;

  // The command with this tag came to nothing; to be told to its client once `zxid` is applied
  // here.
  virtual void refused(std::uint64_t tag, wire::Zxid zxid, const session::Refusal& refusal) = 0;
  // What this connection asked may have been ordered, or not, and nobody can say any more.
  virtual void unknown(std::uint64_t connection) = 0;
  // What a read with this token must see.
  virtual void read_point(std::uint64_t token, wire::Zxid zxid) = 0;
};

// The way of commands to the leader, wherever it is, and on the leader into the order of
// transactions. A command waits here until it is applied or refused. When an epoch begins, what
// still waits is asked again: everything committed in earlier epochs is applied by then, so that
// whatever has no outcome will never have one from there, and nothing is done twice. What was asked
// in this very epoch, over a link to its leader that was lost since, may still come, and what was
// refused must not be done after what came behind it: that is never asked again, and its connection
// is given up.
class Ordering {
 public:
  // All of them live as long as this does.
  Ordering(std::uint32_t self, Milliseconds heartbeat, session::Service& service,
           Environment& environment, OrderingHandler& handler);

  // From this server's clients.
  void submit(session::Command command);
  void ask_read_point(std::uint64_t token);
  void alive(wire::SessionId session);
  // Nobody waits for it any more.
  void forget(std::uint64_t tag);

  // Nobody waits for anything any more.
  void forget_all();

  // From the protocol.
  void role_changed(const zab::RoleStatus& role_status);
  void applied(const session::Applied& applied);
  void confirmed(const zab::Confirmed& confirmed);
  void tick();

  // From the other servers.
  void on(zab::ServerId from, const Forward& m);
  void on(zab::ServerId from, const ForwardRefused& m);
  void on(zab::ServerId from, const Touched& m);
  void on(zab::ServerId from, const AskReadPoint& m);
  void on(zab::ServerId from, const ReadPoint& m);

  [[nodiscard]] const zab::RoleStatus& role_status() const { return role_status_; }
  [[nodiscard]] bool leads() const {
    return role_status_.serving && role_status_.role == zab::Role::leading;
  }
  [[nodiscard]] const LeaderCounters& counters() const { return counters_; }
  // What waits now, for GET /metrics.
  void read_queues(Readings& readings) const;

 private:
  // A refusal on the leader: true once the plans before it are applied, and said then.
  struct Unsaid {
    std::uint64_t after_plans;
    session::Owner to;
    std::uint64_t tag;
    session::Refusal refusal;
  };
  struct Asker {
    std::uint32_t server;
    std::uint64_t token;
  };

  struct Waiting {
    session::Command command;
    wire::Epoch asked_in = {};  // of another server; none if it was not
    // Something that came later over its connection was applied: this was refused, and we have not
    // heard why.
    bool overtaken = false;
  };

  void route(Waiting& waiting);
  void give_up_unknown();
  void route_read_point(std::uint64_t token);
  void plan(const session::Command& command);
  void plan_now(const session::Command& command);
  void say_refusals();
  void watch_over(wire::SessionId session, std::int64_t timeout_ms);

  std::uint32_t self_;
  Milliseconds heartbeat_;
  session::Service& service_;
  Environment& environment_;
  OrderingHandler& handler_;
  zab::RoleStatus role_status_;

  std::map<std::uint64_t, Waiting> commands_;  // by tag: in the order in which they came
  std::set<std::uint64_t> read_points_;        // tokens not answered yet
  std::vector<wire::SessionId> heard_;         // since the leader was told

  // While this server leads.
  session::Expiry expiry_;
  std::uint64_t planned_ = 0;
  std::uint64_t planned_applied_ = 0;
  std::deque<SteadyClock::time_point> planned_at_;  // of those that are not applied
  LeaderCounters counters_;
  std::deque<Unsaid> refusals_;  // by after_plans
  FairQueue fair_queue_{{}};
  std::unordered_map<std::uint64_t, Asker> askers_;
  std::uint64_t last_asker_ = 0;
};

}  // namespace server
