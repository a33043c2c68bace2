#include "server/pipeline/ensemble_clock.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

// The clocks of several servers, of which some are wrong.
namespace server::test {
namespace {

using namespace std::chrono_literals;

constexpr wire::TimeMs begin = 1'700'000'000'000;
constexpr wire::TimeMs second = 1000;
constexpr wire::TimeMs hour = 3600 * second;
constexpr wire::TimeMs ten_years = 87'660 * hour;

class Servers {
 public:
  // Servers 1 to `count` vote; `observer`, if there is one, does not. `errors`: of their wall
  // clocks.
  explicit Servers(std::vector<wire::TimeMs> errors, std::uint32_t observer = 0) {
    for (std::uint32_t id = 1; id <= errors.size(); ++id) {
      options_.servers.push_back(id);
      if (id != observer) options_.voters.push_back(id);
    }
    for (std::uint32_t id = 1; id <= errors.size(); ++id) {
      each_.push_back(std::make_unique<Server>(*this, errors[id - 1]));
      options_.id = id;
      each_.back()->clock = std::make_unique<EnsembleClock>(options_, *each_.back());
    }
  }

  void pass(wire::TimeMs time) {
    for (; time > 0; time -= 50) {
      passed_ += 50;
      for (const auto& one : each_) {
        if (one->is_up) one->clock->tick(one->last_stamp);
      }
    }
  }
  // Two servers link. No time passes.
  void link(std::uint32_t a, std::uint32_t b) {
    clock(a).linked({b});
    clock(b).linked({a});
  }
  EnsembleClock& clock(std::uint32_t id) { return *each_[id - 1]->clock; }
  void set_error(std::uint32_t id, wire::TimeMs error) { each_[id - 1]->error = error; }
  void set_up(std::uint32_t id, bool is_up) { each_[id - 1]->is_up = is_up; }
  void set_last_stamp(std::uint32_t id, wire::TimeMs stamp) { each_[id - 1]->last_stamp = stamp; }
  // By how much a server believes the time to be ahead of the right one.
  wire::TimeMs off(std::uint32_t id) { return clock(id).time() - begin - passed_; }
  wire::TimeMs stamp_off(std::uint32_t id) {
    return clock(id).stamp(each_[id - 1]->now()) - begin - passed_;
  }
  // What a server shows to the operator, in seconds.
  wire::TimeMs reported(std::uint32_t id) {
    Readings readings;
    clock(id).read(readings);
    return readings.clock_offset_ms / second;
  }

 private:
  struct Server : Environment {
    Server(Servers& own_servers, wire::TimeMs own_error) : servers(own_servers), error(own_error) {}

    wire::TimeMs wall_clock() override { return begin + servers.passed_ + error; }
    SteadyClock::time_point now() override {
      return SteadyClock::time_point(std::chrono::milliseconds(777'777 + servers.passed_));
    }
    void send(zab::ServerId to, const PeerMessage& message) override {
      const Server& other = *servers.each_[to.value - 1];
      if (!other.is_up) return;
      std::uint32_t self = 0;
      while (servers.each_[self].get() != this) ++self;
      other.clock->on({self + 1}, std::get<ClockReading>(message));
    }
    void post(zab::Event) override {}
    void call_soon() override {}
    std::vector<ServerLevels> server_levels() override { return {}; }
    void level_changed(wire::Level) override {}
    std::string new_password() override { return {}; }

    Servers& servers;
    wire::TimeMs error;
    wire::TimeMs last_stamp = 0;
    bool is_up = true;
    std::unique_ptr<EnsembleClock> clock;
  };

  PipelineOptions options_;
  wire::TimeMs passed_ = 0;
  std::vector<std::unique_ptr<Server>> each_;
};

}  // namespace

TEST_CASE("a server whose clock is wrong knows the time of a quorum within two heartbeats") {
  for (const wire::TimeMs error : {ten_years, -ten_years, hour, -hour}) {
    CAPTURE(error);
    Servers servers({error, 0, 0});
    CHECK(servers.off(1) == error);
    CHECK_FALSE(servers.clock(1).is_settled());
    servers.pass(100);
    for (const std::uint32_t id : {1, 2, 3}) {
      CAPTURE(id);
      CHECK(servers.clock(id).is_settled());
      CHECK(servers.off(id) == 0);
      CHECK(servers.stamp_off(id) == 0);
    }
    CHECK(servers.reported(1) == error / second);
    CHECK(servers.reported(2) == 0);
  }
}

TEST_CASE("servers know the time once a quorum is linked, before the first heartbeat") {
  Servers servers({ten_years, 0, 0});
  servers.link(1, 2);
  CHECK_FALSE(servers.clock(1).is_settled());
  servers.link(3, 1);
  CHECK(servers.clock(1).is_settled());
  CHECK(servers.off(1) == 0);
  CHECK(servers.stamp_off(1) == 0);
}

TEST_CASE("a server whose clock is wrong may receive the others' readings one after the other") {
  Servers servers({0, 0, ten_years});
  servers.set_up(1, false);
  servers.pass(second);
  CHECK_FALSE(servers.clock(3).is_settled());  // two clocks, and each may be the right one
  servers.set_up(1, true);
  servers.pass(50);
  CHECK(servers.clock(3).is_settled());
  CHECK(servers.off(3) == 0);
  CHECK(servers.stamp_off(3) == 0);
}

TEST_CASE("one clock that goes wrong for ever does not change the time of any server") {
  Servers servers({0, 0, 0, 0, 0});
  servers.pass(20 * second);
  servers.set_error(1, ten_years);
  servers.set_error(2, ten_years);
  servers.pass(60 * second);
  for (const std::uint32_t id : {1, 2, 3, 4, 5}) CHECK(servers.off(id) == 0);
}

TEST_CASE("the time follows the clocks of most servers, even if these are wrong") {
  Servers servers({0, hour, hour});
  servers.pass(second);
  for (const std::uint32_t id : {1, 2, 3}) CHECK(servers.off(id) == hour);
  servers.set_error(2, 0);
  servers.set_error(3, 0);
  servers.pass(11 * second);
  for (const std::uint32_t id : {1, 2, 3}) CHECK(servers.off(id) == 0);
}

TEST_CASE("if one of two servers' clocks goes wrong, the time of both stays right") {
  Servers servers({0, 0, 0});
  servers.set_up(3, false);
  servers.pass(20 * second);
  servers.set_error(1, hour);
  servers.pass(60 * second);
  CHECK(servers.off(1) == 0);
  CHECK(servers.off(2) == 0);
  CHECK(servers.reported(1) == hour / second);
  servers.set_error(1, 0);
  servers.set_error(2, -hour);
  servers.pass(60 * second);
  CHECK(servers.off(1) == 0);
}

TEST_CASE("a server that receives no readings of others follows its own clock") {
  Servers servers({0, 0, 0});
  servers.set_up(2, false);
  servers.set_up(3, false);
  servers.pass(10 * second);
  CHECK_FALSE(servers.clock(1).is_settled());
  servers.set_error(1, hour);
  servers.pass(second);
  CHECK(servers.off(1) == 0);
  servers.pass(10 * second);
  CHECK(servers.off(1) == hour);
  // The others come back, and know better.
  servers.set_up(2, true);
  servers.set_up(3, true);
  servers.pass(100);
  CHECK(servers.off(1) == 0);
}

TEST_CASE("the last reading of a disconnected server is used for some seconds only") {
  Servers servers({0, 0, hour});
  servers.pass(second);
  CHECK(servers.clock(3).is_settled());
  servers.set_up(1, false);
  servers.set_up(2, false);
  servers.pass(4 * second);
  CHECK(servers.clock(3).is_settled());
  servers.pass(2 * second);
  CHECK_FALSE(servers.clock(3).is_settled());
  CHECK(servers.off(3) == 0);
}

TEST_CASE("an observer follows the voters' clocks, and no server uses the observer's clock") {
  Servers servers({0, hour, 0}, 3);
  servers.pass(second);
  CHECK(servers.off(1) == 0);
  CHECK(servers.off(2) == hour);  // of two clocks each may be the right one
  servers.set_error(3, -ten_years);
  servers.pass(second);
  CHECK(servers.off(3) == 0);
  CHECK(servers.off(1) == 0);
  CHECK(servers.reported(3) == -ten_years / second);
}

TEST_CASE("a standalone server follows its clock after ten seconds") {
  Servers servers({0});
  servers.pass(second);
  CHECK(servers.clock(1).is_settled());
  servers.set_error(1, ten_years);
  servers.pass(second);
  CHECK(servers.stamp_off(1) == 0);
  servers.pass(10 * second);
  CHECK(servers.stamp_off(1) == ten_years);
  servers.set_error(1, 0);
  servers.pass(11 * second);
  CHECK(servers.stamp_off(1) == 0);
}

}  // namespace server::test
