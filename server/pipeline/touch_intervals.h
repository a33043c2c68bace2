#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "server/pipeline/environment.h"

namespace server {

// What is known of the last signs of life of one session.
struct Touch {
  // The leader keeps the session for its timeout after this time. The clock's first time point:
  // nothing is known.
  SteadyClock::time_point kept_from{};
  // The client has sent something in this interval, which began then. 0: in none that may still
  // count.
  std::uint64_t interval = 0;
  SteadyClock::time_point interval_began{};
};

// How long the leader will keep the sessions of this server's clients at least.
//
// The touches of an interval are confirmed together. At the interval's end, which is a tick, the
// leader is told of the sessions (Touched), and asked to confirm that it was told (ConfirmTouches).
// It answers when a quorum has followed it since, and when everything is applied that it had
// planned before. So no end of these sessions was planned, and any later leader began later, with
// full timeouts.
//
// A period is the time during which this server has one role and one leader. Only the leader of the
// period in which a client has sent something confirms the touch.
class TouchIntervals {
 public:
  // How many intervals wait for an answer at most. While so many wait, the present interval goes
  // on.
  static constexpr std::size_t questions_max = 16;

  // `heartbeat`: the time between two ticks.
  TouchIntervals(std::chrono::milliseconds heartbeat, SteadyClock::time_point now)
      : heartbeat_(heartbeat), began_(now) {}

  // The session's client has sent something, in the present interval.
  void touch(Touch& session);
  // A command that opens or moves the session is about to be sent to the leader.
  static void begin_session(Touch& session, SteadyClock::time_point now) { session = {now}; }
  // That command is applied. Returns how long the session is valid, in milliseconds, after its
  // client sent the `connect`. A leader that confirms no touches might end the session at once.
  [[nodiscard]] std::int64_t open_session(Touch& session, std::int64_t timeout_ms) const;

  // Whether the leader is to be asked at this tick: if a client has sent something, or if
  // nothing is known of the leader yet.
  [[nodiscard]] bool has_question() const;
  // The leader is asked under this token, and the next interval begins. A token is never used
  // twice.
  void asked(std::uint64_t token, SteadyClock::time_point now);
  // The leader has confirmed the touches that it was asked about under this token.
  void confirmed(std::uint64_t token);
  // A tick without a question.
  void go_on(SteadyClock::time_point now);
  // This server has another role or leader now, or still has none.
  void begin_period(SteadyClock::time_point now);

  // How long after `from`, in milliseconds, the leader will at least keep the session. 0: nothing
  // can be promised.
  [[nodiscard]] std::int64_t valid_ms(const Touch& session, std::int64_t timeout_ms,
                                      SteadyClock::time_point from) const;

  // Intervals that wait for an answer.
  [[nodiscard]] std::size_t questions() const { return questions_.size(); }

 private:
  static constexpr std::size_t ranges_max = 64;

  struct Question {
    std::uint64_t token;
    std::uint64_t interval;
  };
  // Of intervals that were confirmed one after the other.
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
  };

  void begin_interval(SteadyClock::time_point now);
  [[nodiscard]] bool is_confirmed(std::uint64_t interval) const;
  [[nodiscard]] bool may_be_confirmed(std::uint64_t interval) const;
  [[nodiscard]] std::int64_t longest_ms(std::int64_t timeout_ms) const;

  std::chrono::milliseconds heartbeat_;
  std::uint64_t interval_ = 1;  // the present one
  SteadyClock::time_point began_;
  bool is_empty_ = true;               // no client has sent anything in it
  std::uint64_t first_of_period_ = 1;  // the first interval of the present period
  bool is_leader_known_ = false;       // the leader has confirmed something in this period
  std::deque<Question> questions_;     // by interval
  std::deque<Range> confirmed_;        // the last ones, by interval
};

}  // namespace server
