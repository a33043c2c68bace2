#include "server/pipeline/touch_intervals.h"

#include <chrono>
#include <cstdint>

#include <doctest/doctest.h>

// How long a server may promise that a session is kept. The heartbeat is 50 ms, and the timeout
// 3200 ms: 100 ms are left out for clocks that drift.
namespace server::test {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t timeout_ms = 3'200;
constexpr std::int64_t longest_ms = timeout_ms - 100 - 50;

constexpr SteadyClock::time_point at(std::int64_t ms) {
  return SteadyClock::time_point(milliseconds(1'000'000 + ms));
}

// The intervals of a server, whose ticks come every 50 ms, and one session.
class Intervals {
 public:
  void hear() { intervals_.touch(touch_); }
  // A tick. Returns the token of its question; 0: there is none.
  std::uint64_t tick() {
    now_ += 50;
    if (!intervals_.has_question()) {
      intervals_.go_on(at(now_));
      return 0;
    }
    intervals_.asked(++token_, at(now_));
    return token_;
  }
  void confirm(std::uint64_t token) { intervals_.confirmed(token); }
  // The leader answers the first question of the period.
  void know_leader() { confirm(tick()); }
  void begin_period() { intervals_.begin_period(at(now_)); }
  void send_connect() { TouchIntervals::begin_session(touch_, at(now_)); }
  std::int64_t open_session() { return intervals_.open_session(touch_, timeout_ms); }
  [[nodiscard]] std::int64_t valid_ms() const {
    return intervals_.valid_ms(touch_, timeout_ms, at(now_));
  }
  void hear_another_session() {
    Touch other;
    intervals_.touch(other);
  }
  [[nodiscard]] bool is_confirmed() const {
    return intervals_.valid_ms(touch_, timeout_ms, at(0)) > 0;
  }

 private:
  TouchIntervals intervals_{milliseconds(50), at(0)};
  Touch touch_;
  std::int64_t now_ = 0;
  std::uint64_t token_ = 100;
};

}  // namespace

TEST_CASE("a session whose client has sent nothing is promised nothing") {
  Intervals intervals;
  intervals.know_leader();
  CHECK(intervals.valid_ms() == 0);
}

TEST_CASE("a session is valid from the time when its connect went to the leader") {
  Intervals intervals;
  intervals.know_leader();
  intervals.send_connect();
  intervals.tick();
  CHECK(intervals.open_session() == longest_ms);
  CHECK(intervals.valid_ms() == longest_ms - 50);
}

// It is of an older program: it might end a session that is being resumed.
TEST_CASE("a leader that confirms nothing makes no opened session valid") {
  Intervals intervals;
  intervals.send_connect();
  CHECK(intervals.open_session() == 0);
  intervals.hear();
  CHECK(intervals.tick() != 0);
  CHECK(intervals.valid_ms() == 0);
}

TEST_CASE("a touch counts once the leader has confirmed its interval, from the interval's begin") {
  Intervals intervals;
  intervals.know_leader();
  intervals.hear();
  const auto token = intervals.tick();
  CHECK(intervals.valid_ms() == 0);
  CHECK(intervals.tick() == 0);
  intervals.confirm(token);
  CHECK(intervals.valid_ms() == longest_ms - 100);
}

TEST_CASE("a tick without a touch asks nothing, once the leader is known") {
  Intervals intervals;
  CHECK(intervals.tick() != 0);
  CHECK(intervals.tick() == 0);  // one question is enough
  intervals.confirm(101);
  CHECK(intervals.tick() == 0);
  intervals.begin_period();
  CHECK(intervals.tick() != 0);
}

TEST_CASE(
    "a confirmed touch counts until the client sends something again, however many intervals "
    "later") {
  Intervals intervals;
  intervals.know_leader();
  intervals.hear();
  intervals.confirm(intervals.tick());
  for (int i = 0; i < 10'000; ++i) {
    intervals.hear_another_session();
    intervals.confirm(intervals.tick());
  }
  CHECK(intervals.is_confirmed());
}

TEST_CASE("a later touch does not hide an earlier one that can still be confirmed") {
  Intervals intervals;
  intervals.know_leader();
  intervals.hear();
  const auto first = intervals.tick();
  intervals.hear();
  const auto second = intervals.tick();
  intervals.confirm(first);
  CHECK(intervals.valid_ms() == longest_ms - 100);
  intervals.confirm(second);
  CHECK(intervals.valid_ms() == longest_ms - 100);
  intervals.hear();
  intervals.confirm(intervals.tick());
  CHECK(intervals.valid_ms() == longest_ms - 50);
}

TEST_CASE("an answer that was lost confirms nothing, and later touches count again") {
  Intervals intervals;
  intervals.know_leader();
  intervals.hear();
  intervals.tick();
  intervals.hear_another_session();
  intervals.confirm(intervals.tick());
  CHECK(intervals.valid_ms() == 0);
  intervals.hear();
  intervals.confirm(intervals.tick());
  CHECK(intervals.valid_ms() == longest_ms - 50);
}

TEST_CASE("a new leader confirms no earlier touch, and no touch of the present interval") {
  Intervals intervals;
  intervals.know_leader();
  intervals.hear();
  const auto lost = intervals.tick();
  intervals.hear();
  intervals.begin_period();
  intervals.confirm(lost);
  CHECK(intervals.valid_ms() == 0);
  intervals.know_leader();
  CHECK(intervals.valid_ms() == 0);
  intervals.hear();
  intervals.confirm(intervals.tick());
  CHECK(intervals.valid_ms() == longest_ms - 50);
}

TEST_CASE("what a former leader has confirmed stays confirmed") {
  Intervals intervals;
  intervals.know_leader();
  intervals.hear();
  intervals.confirm(intervals.tick());
  intervals.begin_period();
  CHECK(intervals.valid_ms() == longest_ms - 50);
}

TEST_CASE("a promise ends with the time, and is never negative") {
  Intervals intervals;
  intervals.know_leader();
  intervals.send_connect();
  CHECK(intervals.open_session() == longest_ms);
  for (int i = 0; i < 100; ++i) intervals.tick();
  CHECK(intervals.valid_ms() == 0);
}

TEST_CASE("while many questions wait for their answers, the present interval goes on") {
  Intervals intervals;
  intervals.know_leader();
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < TouchIntervals::questions_max; ++i) {
    intervals.hear_another_session();
    last = intervals.tick();
    CHECK(last != 0);
  }
  intervals.hear();
  CHECK(intervals.tick() == 0);
  CHECK(intervals.tick() == 0);
  intervals.confirm(last);
  intervals.confirm(intervals.tick());
  CHECK(intervals.valid_ms() == longest_ms - 150);
}

}  // namespace server::test
