#include "session/stamp_clock.h"

#include <cstdint>
#include <cstdlib>

#include <doctest/doctest.h>

// What a wall clock that is wrong, or is set, does to the times of transactions.
namespace session {
namespace {

constexpr wire::TimeMs begin = 1'700'000'000'000;
constexpr wire::TimeMs second = 1000;
constexpr wire::TimeMs hour = 3600 * second;
constexpr wire::TimeMs ten_years = 87'660 * hour;

// A server: its clock is followed in each tick of 50 ms. `error` is that of its wall clock.
struct Server {
  StampClock::Monotonic now{123'456'789};
  wire::TimeMs right = begin;  // the right time
  wire::TimeMs error = 0;
  StampClock clock;
  wire::TimeMs last = 0;
  wire::TimeMs jumped = 0;  // by the last jump

  explicit Server(wire::TimeMs first_error = 0)
      : error(first_error), clock(now, right + first_error) {}

  void tick() {
    now += 50'000;
    right += 50;
    if (const wire::TimeMs jump = clock.follow(now, right + error)) jumped = jump;
  }
  // Stamps do not go back, except by a jump.
  void pass(wire::TimeMs time) {
    for (; time > 0; time -= 50) {
      tick();
      const wire::TimeMs stamp = clock.stamp(now);
      if (jumped >= 0) CHECK(stamp >= last);
      last = stamp;
    }
  }
  // By how much stamps are ahead of the right time.
  [[nodiscard]] wire::TimeMs off() { return clock.stamp(now) - right; }
};

TEST_CASE("a wall clock that is ten years ahead for a second does not change stamps") {
  for (const wire::TimeMs error : {ten_years, -ten_years, hour, -hour, 11 * second}) {
    CAPTURE(error);
    Server server;
    server.pass(20 * second);
    server.error = error;
    server.pass(second);
    CHECK(server.off() == 0);
    server.error = 0;
    server.pass(60 * second);
    CHECK(server.off() == 0);
    CHECK(server.jumped == 0);
  }
}

TEST_CASE("stamps recover after a clock was wrong for long") {
  for (const wire::TimeMs error : {ten_years, -ten_years, hour, -hour}) {
    CAPTURE(error);
    Server server;
    server.error = error;
    server.pass(11 * second);
    CHECK(server.off() == error);
    CHECK(server.jumped == error);
    server.jumped = -1;
    server.error = 0;
    server.pass(9 * second);
    CHECK(server.off() == error);
    server.pass(2 * second);
    CHECK(server.off() == 0);
    CHECK(server.jumped == -error);
  }
}

TEST_CASE("a wall clock that is never the same for long does not change stamps") {
  Server server;
  for (int i = 0; i < 30; ++i) {
    server.error = (i % 2 == 0 ? hour : -hour) + i * 20 * second;
    server.pass(5 * second);
    CHECK(server.off() == 0);
  }
}

TEST_CASE("stamps make up for a small error slowly, and never stand still or go back") {
  for (const wire::TimeMs error : {9 * second, -9 * second}) {
    CAPTURE(error);
    Server server;
    server.error = error;
    for (int i = 0; i < 200; ++i) {
      const wire::TimeMs before = server.clock.stamp(server.now);
      server.pass(second);
      const wire::TimeMs passed = server.clock.stamp(server.now) - before;
      CHECK(passed >= 899);
      CHECK(passed <= 1101);
    }
    CHECK(server.jumped == 0);
    CHECK(std::abs(server.off() - error) < 20);
  }
}

TEST_CASE("a new leader whose clock is a little behind the last stamp runs on from it") {
  Server server;
  server.clock.begin_stamps(server.now, begin + 5 * second);
  CHECK(server.clock.stamp(server.now) == begin + 5 * second);
  server.last = begin + 5 * second;
  server.pass(10 * second);
  CHECK(server.off() == 4 * second);
  server.pass(50 * second);
  CHECK(server.off() == 0);
  CHECK(server.clock.time(server.now) == server.right);
}

TEST_CASE("stamps that the last leader gave far in the future do not bind for long") {
  Server server;
  server.clock.begin_stamps(server.now, begin + ten_years);
  CHECK(server.clock.time(server.now) == begin);
  server.last = begin + ten_years;
  server.pass(9 * second);
  CHECK(server.off() == ten_years);
  server.jumped = -1;
  server.pass(2 * second);
  CHECK(server.off() == 0);
  CHECK(server.jumped == -ten_years);
}

TEST_CASE("a new leader whose clock is ahead of the last stamp uses its clock at once") {
  Server server;
  server.clock.begin_stamps(server.now, begin - ten_years);
  CHECK(server.off() == 0);
}

TEST_CASE("a clock that had no quorum adopts the time of a quorum at once") {
  Server server(ten_years);
  CHECK(server.clock.adopt(server.now, begin) == -ten_years);
  CHECK(server.clock.time(server.now) == begin);
  CHECK(server.clock.adopt(server.now, begin + 5 * second) == 0);
  CHECK(server.clock.time(server.now) == begin);
}

TEST_CASE("clocks that show impossible times overflow nothing") {
  for (const wire::TimeMs absurd : {INT64_MAX, INT64_MIN}) {
    Server server;
    server.clock.begin_stamps(server.now, absurd);
    server.clock.follow(server.now, absurd);
    server.clock.adopt(server.now, -(absurd + 1));
    server.clock.adopt(server.now, absurd);
    server.clock.adopt(server.now, begin);
    CHECK(server.clock.stamp(server.now) == begin);
  }
}

}  // namespace
}  // namespace session
