#include "server/pipeline/level_changes.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

namespace server::test {
namespace {

constexpr wire::LevelRange at_0{{0}, {0}};
constexpr wire::LevelRange to_1{{0}, {1}};
constexpr wire::LevelRange to_2{{0}, {2}};
constexpr wire::LevelRange from_1{{1}, {2}};

TEST_CASE("the level can be set if every server is linked and can run at it") {
  struct Row {
    std::vector<ServerLevels> servers;
    std::uint32_t level;
    std::string why_not;  // empty: it can be set
  };
  const Row rows[] = {
      {{{1, to_1}}, 1, ""},
      {{{1, to_1}, {2, to_1}, {3, to_2}}, 1, ""},
      {{{1, to_1}, {2, to_1}, {3, at_0}},
       1,
       "server 3 can run at level 0 only: start it with a program that can run at level 1"},
      {{{1, to_1}, {2, std::nullopt}, {3, to_1}},
       1,
       "server 2 has no link with the leader: start it with a program that can run at level 1"},
      {{{1, to_2}, {2, to_1}},
       2,
       "server 2 can run at levels 0 to 1 only: start it with a program that can run at level 2"},
      {{{1, to_1}, {2, from_1}},
       0,
       "server 2 can run at levels 1 to 2 only: start it with a program that can run at level 0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why_not);
    const auto possible = all_can_run_at({row.level}, row.servers);
    CHECK((possible ? std::string() : possible.error().message) == row.why_not);
  }
}

TEST_CASE("the level can be lowered if every server is linked, and all have the same levels") {
  struct Row {
    std::vector<ServerLevels> servers;
    std::string why_not;  // empty: it can be lowered
  };
  const Row rows[] = {
      {{}, ""},
      {{{1, to_2}}, ""},
      {{{1, to_2}, {2, to_2}, {3, to_2}}, ""},
      {{{1, to_2}, {2, to_2}, {3, to_1}},
       "server 1 can run at levels 0 to 2, and server 3 at levels 0 to 1: run the same program on "
       "every server before the level is lowered"},
      {{{1, to_2}, {2, from_1}},
       "server 1 can run at levels 0 to 2, and server 2 at levels 1 to 2: run the same program on "
       "every server before the level is lowered"},
      {{{1, to_2}, {2, std::nullopt}},
       "server 2 has no link with the leader: start it before the level is lowered"},
      {{{1, std::nullopt}, {2, to_2}},
       "server 1 has no link with the leader: start it before the level is lowered"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why_not);
    const auto possible = all_have_equal_levels(row.servers);
    CHECK((possible ? std::string() : possible.error().message) == row.why_not);
  }
}

TEST_CASE("the next level is the greatest one that all servers know") {
  struct Row {
    std::vector<ServerLevels> servers;
    std::uint32_t now;
    std::optional<std::uint32_t> next;
  };
  const Row rows[] = {
      {{{1, to_1}}, 0, 1},
      {{{1, to_1}}, 1, {}},
      {{{1, to_2}, {2, to_2}}, 0, 2},
      {{{1, to_2}, {2, to_1}}, 0, 1},
      {{{1, to_2}, {2, at_0}}, 0, {}},
      {{{1, to_2}, {2, std::nullopt}}, 0, {}},
      {{{1, at_0}, {2, from_1}}, 0, {}},  // no level is in both ranges
      {{}, 0, {}},
  };
  for (const Row& row : rows) {
    const auto next = next_level({row.now}, row.servers);
    CHECK((next ? std::optional(next->value) : std::nullopt) == row.next);
  }
}

// A leader whose ensemble is this server and server 2.
class LeaderOfTwo : public Environment {
 public:
  void call_soon() override {}
  LeaderOfTwo(bool automatic, std::uint32_t epoch)
      : ordering_(1, std::chrono::milliseconds(50), {}, service_, clock_, touch_intervals_, *this),
        levels_(automatic, service_, ordering_, *this) {
    ordering_.role_changed({zab::Role::leading, true, {epoch}, {1}}, outcomes_);
  }

  void post(zab::Event) override {}
  void send(zab::ServerId, const PeerMessage&) override {}
  wire::TimeMs wall_clock() override { return 1000; }
  std::vector<ServerLevels> server_levels() override { return {{1, to_1}, {2, other}}; }
  void level_changed(wire::Level level) override { told = level; }
  std::string new_password() override { return {}; }

  // The result of an operator's request, once what was proposed is applied; "waits" before.
  std::string request(std::uint32_t level) {
    std::string result = "waits";
    levels_.request(
        {level},
        [&](const wire::Result<void>& done) { result = done ? "done" : done.error().message; },
        outcomes_);
    apply();
    return result;
  }
  // The level after a tick.
  std::uint32_t tick() {
    levels_.tick(outcomes_);
    apply();
    return service_.level().value;
  }
  void stop_leading() {
    ordering_.role_changed({}, outcomes_);
    levels_.role_changed(outcomes_);
  }
  // The level after the server has begun to lead.
  std::uint32_t begin_leading() {
    levels_.role_changed(outcomes_);
    apply();
    return service_.level().value;
  }
  // Proposes without applying.
  void propose(std::uint32_t level, std::string& result) {
    levels_.request(
        {level},
        [&](const wire::Result<void>& done) { result = done ? "done" : done.error().message; },
        outcomes_);
  }

  std::optional<wire::LevelRange> other = to_1;
  std::optional<wire::Level> told;

 private:
  void apply() {
    for (const OrderingOutcome& outcome : std::exchange(outcomes_, {})) {
      const auto* event = std::get_if<zab::Event>(&outcome);
      const auto* submit = event == nullptr ? nullptr : std::get_if<zab::Submit>(event);
      if (submit == nullptr) continue;
      const auto applied = service_.apply({{1}, ++applied_}, *submit->payload);
      REQUIRE(applied.has_value());
      levels_.changed();
      ordering_.applied(*applied, outcomes_);
    }
  }

  session::Service service_;
  EnsembleClock clock_{{}, *this};
  TouchIntervals touch_intervals_{std::chrono::milliseconds(50), {}};
  Ordering ordering_;
  OrderingOutcomes outcomes_;
  LevelChanges levels_;
  std::uint64_t applied_ = 0;
};

TEST_CASE("a leader raises the level by itself if it is automatic, or if the ensemble is new") {
  CHECK(LeaderOfTwo(true, 2).tick() == 1);
  CHECK(LeaderOfTwo(false, 1).tick() == 1);
  CHECK(LeaderOfTwo(false, 2).tick() == 0);
  LeaderOfTwo leader(true, 2);
  leader.other = std::nullopt;
  CHECK(leader.tick() == 0);
  leader.other = at_0;
  CHECK(leader.tick() == 0);
  leader.other = to_1;
  CHECK(leader.tick() == 1);
  CHECK(leader.told == wire::Level{1});
}

TEST_CASE("a new leader raises the level before its first tick") {
  CHECK(LeaderOfTwo(true, 2).begin_leading() == 1);
  CHECK(LeaderOfTwo(false, 1).begin_leading() == 1);
  CHECK(LeaderOfTwo(false, 2).begin_leading() == 0);
  LeaderOfTwo leader(true, 2);
  leader.other = std::nullopt;
  CHECK(leader.begin_leading() == 0);
}

TEST_CASE("an operator raises and lowers the level, and the leader does not raise it again") {
  for (const std::uint32_t epoch : {1, 2}) {
    LeaderOfTwo leader(false, epoch);
    CHECK(leader.request(1) == "done");
    CHECK(leader.request(1) == "the ensemble is at level 1 already");
    // Its link is cut soon. It could not read the change to its own level.
    leader.other = at_0;
    CHECK(leader.request(0).starts_with("server 2 can run at level 0 only"));
    leader.other = to_1;
    CHECK(leader.request(0) == "done");
    CHECK(leader.tick() == 0);
    CHECK(leader.told == wire::Level{0});
    CHECK(leader.request(1) == "done");
  }
  LeaderOfTwo automatic(true, 2);
  CHECK(automatic.request(1) == "done");
  CHECK(automatic.request(0).starts_with("upgrade=auto raises the level again"));
}

TEST_CASE("the level is raised and not lowered while the programs have unequal levels") {
  LeaderOfTwo leader(false, 2);
  leader.other = to_2;
  CHECK(leader.request(1) == "done");
  CHECK(leader.request(0).starts_with("server 1 can run at levels 0 to 1, and server 2 at levels"));
  CHECK(leader.told == wire::Level{1});
  leader.other = to_1;
  CHECK(leader.request(0) == "done");
  CHECK(leader.told == wire::Level{0});
}

TEST_CASE("an operator is told if the server stops leading before the level is in force") {
  LeaderOfTwo leader(false, 2);
  std::string result = "waits";
  leader.propose(1, result);
  CHECK(result == "waits");
  leader.stop_leading();
  CHECK(result.starts_with("this server does not lead any more"));
  CHECK(leader.request(1).starts_with("this server does not lead"));
}

}  // namespace
}  // namespace server::test
