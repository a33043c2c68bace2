#include "tools/shell/end_plan.h"

#include <chrono>
#include <vector>

#include <doctest/doctest.h>

namespace shell {
namespace {

using std::chrono::milliseconds;
using Step = EndPlan::Step;

EndPlan::Time at_ms(int ms) { return EndPlan::Time(milliseconds(ms)); }
constexpr int no_deadline = -1;

struct PlanLook {
  int now;
  int deadline;  // no_deadline: not known
  Step step;
  int next_look;
  bool is_lost = false;
};

void check_plan(EndPlan plan, const std::vector<PlanLook>& looks) {
  for (const PlanLook& look : looks) {
    CAPTURE(look.now);
    const auto deadline =
        look.deadline == no_deadline ? EndPlan::Time::max() : at_ms(look.deadline);
    CHECK(plan.look({at_ms(look.now), deadline, look.is_lost}) == look.step);
    CHECK(plan.next_look() == at_ms(look.next_look));
  }
}

TEST_CASE("a command is ended before the deadline of its lock") {
  check_plan({}, {{0, 6'000, Step::run, 600},
                  {4'900, 6'000, Step::run, 5'000},
                  {5'000, 6'000, Step::terminate, 5'600},
                  {5'600, 6'000, Step::terminate, 5'880},
                  {5'880, 6'000, Step::kill, 6'480}});
}

TEST_CASE("a command runs as long as the deadline of its lock moves on") {
  check_plan({}, {{0, 6'000, Step::run, 600},
                  {600, 6'000, Step::run, 1'200},
                  {2'000, 8'000, Step::run, 2'600},
                  {6'900, 8'000, Step::run, 7'000},
                  {7'000, 8'000, Step::terminate, 7'600},
                  // A server was found after all.
                  {7'600, 13'000, Step::run, 8'200}});
}

TEST_CASE("the first deadline may be unknown, or be seen late") {
  check_plan({}, {{0, no_deadline, Step::run, 1'000},
                  {1'000, no_deadline, Step::run, 2'000},
                  {2'000, 4'400, Step::run, 2'240},
                  // The longest time that was left counts.
                  {3'000, 9'000, Step::run, 3'600},
                  {8'000, 9'000, Step::terminate, 8'600}});
}

TEST_CASE("a command whose lock is lost gets a second at most") {
  check_plan({}, {{0, 6'000, Step::run, 600},
                  {100, 6'000, Step::terminate, 1'100, true},
                  // The deadline of the session moves on, but it is that of another's lock now.
                  {1'000, 7'000, Step::terminate, 1'100, true},
                  {1'100, 7'000, Step::kill, 1'200, true}});
  check_plan({}, {{0, no_deadline, Step::terminate, 1'000, true},
                  {1'000, no_deadline, Step::kill, 1'100, true}});
}

TEST_CASE("a command whose lock is lost at its deadline is killed at once") {
  check_plan({}, {{0, 6'000, Step::run, 600},
                  {5'900, no_deadline, Step::kill, 6'000, true},
                  {6'000, no_deadline, Step::kill, 6'100, true}});
  check_plan({}, {{0, 6'000, Step::run, 600}, {5'500, no_deadline, Step::terminate, 5'880, true}});
}

}  // namespace
}  // namespace shell
