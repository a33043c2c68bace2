#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>

#include "server/metrics/readings.h"
#include "server/pipeline/ensemble_clock.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/fair_queue.h"
#include "server/pipeline/options.h"
#include "server/pipeline/ordering_outcomes.h"
#include "session/commands.h"
#include "session/expiry.h"
#include "session/service.h"
#include "zab/effects.h"

namespace server {

// The work of a leader: plans commands in a fair order, so that they become transactions; knows
// which refusals, read points and confirmations of touches are due; expires sessions. Appends
// events for zab to `out`.
class Planner {
 public:
  // How long it plans in one turn of the event loop. After that, commands are held.
  static constexpr std::chrono::milliseconds turn_max{4};

  // A refusal was judged against the plans before it. It is due once they are applied.
  struct Refused {
    std::uint64_t after_plans;
    session::Owner to;
    std::uint64_t tag;
    session::Refusal refusal;
  };
  // A question that a leader may answer once it is confirmed: AskReadPoint or ConfirmTouches.
  struct Question {
    enum class About : std::uint8_t { read_point, touches };
    About about;
    std::uint32_t server;  // that asks
    std::uint64_t token;
  };
  struct Limits {
    std::size_t held_bytes_max = 0;  // of the commands of other servers that are held
    FairQueue::Bounds outstanding = {};
  };

  // The references live as long as this does.
  Planner(std::chrono::milliseconds heartbeat, const Limits& limits, session::Service& service,
          EnsembleClock& clock, Environment& environment);

  // This server leads from now on. Every session gets its full timeout again: it is not known when
  // the session's client last sent something to the former leader.
  void begin();
  // This server does not lead any more. Forgets all plans that are not applied.
  void end();

  // Plans the command now, or holds it until its session's turn, or until a later turn of the event
  // loop if the plans of this one took long. `bytes`: its memory, if another server sent it. Such a
  // command is refused with Overloaded if it must be held and there is no room.
  void plan(const session::Command& command, OrderingOutcomes& out, std::size_t bytes = 0);
  // Plans a change of the level, as session::Service::plan_level.
  [[nodiscard]] wire::Result<void> set_level(wire::Level level, OrderingOutcomes& out);
  // Plans the end of the session, whether its client is alive or not. No effect if the session is
  // not open.
  void end_session(wire::SessionId session, OrderingOutcomes& out);
  // A transaction is applied: if plans are outstanding, it is the oldest of them.
  void applied(const session::Applied& applied);
  // Plans the next command whose turn has come; false if there is none.
  bool plan_next(OrderingOutcomes& out);
  // A later turn of the event loop has begun.
  void begin_turn() { planned_for_ = {}; }
  // The next refusal that is due; nothing if there is none. Call it after every plan and `applied`.
  std::optional<Refused> pop_refusal();

  // Asks zab whether this server still leads.
  void ask(const Question& question, OrderingOutcomes& out);
  // Returns the question whose answer was confirmed, if it still waits. An answer about touches
  // must still wait for `pop_touches`.
  std::optional<Question> confirmed(const zab::Confirmed& confirmed);
  // The next question about touches that is due; nothing if there is none. Everything is applied
  // that was planned when it was confirmed. Call it when `pop_refusal` is called.
  std::optional<Question> pop_touches();

  // The session's client has sent something. No effect if the session's end is planned.
  void touch(wire::SessionId session) { expiry_.touch(session); }
  // One heartbeat interval has passed: plans the ends of expired sessions and of nodes that are
  // due.
  void tick(OrderingOutcomes& out);

  // Counts, and what waits now, for GET /metrics.
  void read(Readings& readings) const;

 private:
  struct Touches {
    std::uint64_t after_plans;
    Question question;
  };

  // `at` is when it was planned.
  void propose(wire::Bytes transaction, wire::SessionId session, SteadyClock::time_point at,
               OrderingOutcomes& out);
  void plan_now(const session::Command& command, OrderingOutcomes& out);
  [[nodiscard]] bool is_turn_over() const { return planned_for_ > turn_max; }
  [[nodiscard]] wire::Error held_full() const;
  void note_move_or_end(const session::Command& planned);
  [[nodiscard]] bool is_outdated_end(const session::Command& command) const;
  void watch_expiry(wire::SessionId session, std::int64_t timeout_ms);
  void begin_countdowns();

  std::chrono::milliseconds heartbeat_;
  std::size_t held_bytes_max_;
  session::Service& service_;
  EnsembleClock& clock_;
  Environment& environment_;

  session::Expiry expiry_;
  std::set<wire::SessionId> ended_;  // by operators; they are open until their ends are applied
  std::uint64_t planned_ = 0;
  std::uint64_t planned_applied_ = 0;
  std::deque<SteadyClock::time_point> planned_at_;  // of plans that are not applied
  LeaderCounters counters_;
  std::deque<Refused> refusals_;  // by after_plans
  std::deque<Touches> touches_;   // that wait for plans to be applied; by after_plans
  FairQueue fair_queue_;
  SteadyClock::duration planned_for_{};  // since the last such turn
  bool counts_down_ = false;
  std::uint32_t ticks_ = 0;                                // before it counts down
  std::unordered_map<std::uint64_t, Question> questions_;  // by the token that zab has
  std::uint64_t last_token_ = 0;
};

}  // namespace server
