#include "server/logging/limited_log.h"

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace server {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

struct Log {
  Lines lines;
  LimitedLog log{[this](LimitedLog::Level, std::string_view line) { lines.emplace_back(line); }};
  LineLimit::Time now{1h};

  void lines_of(LineKind kind, const std::string& text, int count) {
    for (int i = 0; i < count; ++i) {
      log.line(kind, LimitedLog::Level::info, text + std::to_string(i), now);
    }
  }
  Lines taken() { return std::exchange(lines, {}); }
};

TEST_CASE("ten lines of a kind are logged in a second, then the number of the others") {
  Log log;
  log.lines_of(LineKind::session_expires, "session ", 1000);
  CHECK(log.taken().size() == 10);
  log.now += 999ms;
  log.log.tick(log.now);
  CHECK(log.taken().empty());
  log.now += 1ms;
  log.log.tick(log.now);
  CHECK(log.taken() == Lines{"session 999 … and 989 more like it in the last second"});
  log.log.tick(log.now);
  CHECK(log.taken().empty());
  CHECK(log.log.omitted() == 990);
}

TEST_CASE("the number of omitted lines comes before the next line of that kind") {
  Log log;
  log.lines_of(LineKind::dial_failed, "a", 12);
  log.taken();
  log.now += 2s;
  log.lines_of(LineKind::dial_failed, "b", 1);
  CHECK(log.taken() == Lines{"a11 … and 1 more like it in the last second", "b0"});
}

TEST_CASE("kinds have limits of their own, and ten lines a second are never omitted") {
  Log log;
  log.lines_of(LineKind::dial_failed, "a", 100);
  log.lines_of(LineKind::greeting_refused, "b", 1);
  CHECK(log.taken().back() == "b0");
  for (int second = 0; second < 5; ++second) {
    log.now += 1s;
    log.log.tick(log.now);
    log.taken();
    log.lines_of(LineKind::link_changed, "c", 10);
    CHECK(log.taken().size() == 10);
  }
  CHECK(log.log.omitted() == 90);
}

TEST_CASE("a flood of lines writes at most eleven lines a second") {
  Log log;
  for (int step = 0; step < 1000; ++step) {
    log.lines_of(LineKind::session_expires, "x", 7);
    log.now += 10ms;
    log.log.tick(log.now);
  }
  CHECK(log.lines.size() <= 11 * 10 + 1);
  CHECK(log.log.omitted() == 7000 - 10 * 10);
}

}  // namespace
}  // namespace server
