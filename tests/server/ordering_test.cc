#include "server/pipeline/ordering.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

// The commands of one server's clients, until they are applied.
namespace server::test {
namespace {

// The commands of a follower.
class FollowersCommands : public Environment {
 public:
  FollowersCommands() { ordering_.role_changed({zab::Role::following, true, {1}, {2}}, outcomes_); }

  void post(zab::Event) override {}
  void send(zab::ServerId, const PeerMessage&) override {}
  void call_soon() override {}
  wire::TimeMs wall_clock() override { return 1000; }
  std::vector<ServerLevels> server_levels() override { return {}; }
  void level_changed(wire::Level) override {}
  std::string new_password() override { return {}; }

  void submit(std::uint64_t connection, std::uint64_t tag) {
    ordering_.submit({{}, {1, connection}, tag, session::CloseSession{}}, outcomes_);
    outcomes_.clear();
  }
  void applied(std::uint64_t connection, std::uint64_t tag) {
    session::Applied applied;
    applied.owner = {1, connection};
    applied.tag = tag;
    ordering_.applied(applied, outcomes_);
    outcomes_.clear();
  }
  OrderingOutcomes outcomes_of(const TouchesConfirmed& message) {
    outcomes_.clear();
    ordering_.on(zab::ServerId{2}, message, outcomes_);
    return std::exchange(outcomes_, {});
  }
  // The connections that are told that an outcome is unknown when the next epoch begins.
  std::vector<std::uint64_t> unknown_in_next_epoch() {
    ordering_.role_changed({zab::Role::following, true, {2}, {2}}, outcomes_);
    std::vector<std::uint64_t> connections;
    for (const OrderingOutcome& outcome : std::exchange(outcomes_, {})) {
      const auto* unknown = std::get_if<OutcomeUnknown>(&outcome);
      if (unknown != nullptr) connections.push_back(unknown->connection);
    }
    return connections;
  }
  [[nodiscard]] std::size_t waiting() const {
    Readings readings;
    ordering_.read(readings);
    return std::ranges::find(readings.queues, std::string_view("commands"), &Readings::Queue::name)
        ->length;
  }

 private:
  session::Service service_;
  EnsembleClock clock_{{}, *this};
  TouchIntervals touch_intervals_{std::chrono::milliseconds(50), {}};
  Ordering ordering_{1,    std::chrono::milliseconds(50), {}, service_, clock_, touch_intervals_,
                     *this};
  OrderingOutcomes outcomes_;
};

// If each transaction looked at the commands of other connections, this would take minutes.
TEST_CASE("an applied command costs no look at the commands of other connections") {
  constexpr std::uint64_t connections = 200;
  constexpr std::uint64_t each = 1000;
  FollowersCommands commands;
  for (std::uint64_t i = 0; i < connections * each; ++i) commands.submit(i / each, i + 1);
  CHECK(commands.waiting() == connections * each);
  for (std::uint64_t i = 0; i < each; ++i) {
    for (std::uint64_t own = 0; own < connections; ++own) commands.applied(own, own * each + i + 1);
  }
  CHECK(commands.waiting() == 0);
}

TEST_CASE("a connection is told that an outcome is unknown if a later command was applied") {
  FollowersCommands commands;
  commands.submit(7, 1);
  commands.submit(8, 2);
  commands.submit(7, 3);
  commands.submit(9, 4);
  commands.applied(7, 3);  // 1 was refused, and the refusal has not arrived
  commands.applied(8, 2);
  CHECK(commands.waiting() == 2);
  CHECK(commands.unknown_in_next_epoch() == std::vector<std::uint64_t>{7});
  CHECK(commands.waiting() == 1);
}

// One of those transactions may be the end of the session.
TEST_CASE("a confirmation of touches counts once the transactions planned before it are applied") {
  FollowersCommands commands;
  const wire::Zxid planned{1, 9};
  const OrderingOutcomes outcomes = commands.outcomes_of({7, planned});
  REQUIRE(outcomes.size() == 1);
  const auto* due = std::get_if<WhenApplied>(&outcomes.front());
  REQUIRE(due != nullptr);
  CHECK(due->zxid == planned);
  const auto* count = std::get_if<WhenApplied::CountTouches>(&due->action);
  REQUIRE(count != nullptr);
  CHECK(count->token == 7);
}

}  // namespace
}  // namespace server::test
