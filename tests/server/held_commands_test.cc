#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "server/pipeline/ordering.h"

// What a leader holds of the commands of other servers is bounded. A session whose end is held
// lives on if its client sends something.
namespace server::test {
namespace {

constexpr zab::Epoch epoch{1};
constexpr zab::ServerId follower{2};
constexpr std::size_t held_max = 100'000;
constexpr std::int64_t timeout_ms = 10'000;

// A leader, and a session of a client of server 2.
class Leader : public Environment {
 public:
  explicit Leader(FairQueue::Bounds outstanding = {})
      : ordering_(1, std::chrono::milliseconds(50), {held_max, outstanding}, service_, clock_,
                  touch_intervals_, *this) {
    ordering_.role_changed({zab::Role::leading, true, epoch, {1}}, outcomes_);
    REQUIRE(service_.level() == wire::Level{});
    forward({{}, {2, 7}, ++tag_, session::OpenSession{{}, timeout_ms, 0}});
    carry_out();
    session_ = {wire::Zxid{epoch, 1}.bits()};
  }

  void post(zab::Event) override {}
  void send(zab::ServerId, const PeerMessage&) override {}
  void call_soon() override {}
  wire::TimeMs wall_clock() override { return 1000; }
  std::vector<ServerLevels> server_levels() override { return {}; }
  void level_changed(wire::Level) override {}
  std::string new_password() override { return {}; }

  void set() {
    wire::SetRequest request;
    request.path = "/a";
    request.create = true;
    request.data = wire::Bytes(1000, 'x');
    forward({session_, {2, 7}, ++tag_, std::move(request)});
  }
  // Another connection resumes the session.
  void move() { forward({session_, {2, 8}, ++tag_, session::MoveSession{{}, timeout_ms, 0}}); }
  // The client has sent something to its server.
  void touched() { ordering_.on(follower, Touched{{session_}}, outcomes_); }
  // The follower asks about its touches, and a quorum has followed the leader since. Returns
  // whether the answer has left.
  bool confirms_touches() {
    ordering_.on(follower, ConfirmTouches{epoch, ++tag_}, outcomes_);
    const auto& asked = std::get<zab::Event>(outcomes_.back());
    ordering_.confirmed({std::get<zab::ConfirmLeadership>(asked).token, {}}, outcomes_);
    return std::holds_alternative<SendToServer>(outcomes_.back());
  }
  [[nodiscard]] int confirmations() const { return confirmations_; }
  void pass_timeout() {
    for (std::int64_t ms = 0; ms <= timeout_ms; ms += 50) ordering_.tick(++tag_, outcomes_);
    ordering_.tick(++tag_, outcomes_);
  }
  void close() { forward({session_, {2, 7}, ++tag_, session::CloseSession{}}); }
  // Applies what was proposed, until nothing is left. Returns the refusals that the follower got.
  std::vector<session::Refusal> carry_out() {
    std::vector<session::Refusal> refusals;
    while (!outcomes_.empty()) {
      for (OrderingOutcome& outcome : std::exchange(outcomes_, {})) {
        const auto* message = std::get_if<SendToServer>(&outcome);
        if (message != nullptr && std::holds_alternative<TouchesConfirmed>(message->message)) {
          confirmations_ += 1;
        } else if (message != nullptr) {
          refusals.push_back(
              *session::decode_refusal(std::get<ForwardRefused>(message->message).refusal));
        } else if (const auto* submit = std::get_if<zab::Submit>(&std::get<zab::Event>(outcome))) {
          const auto done = service_.apply({epoch, ++applied_}, *submit->payload);
          REQUIRE(done.has_value());
          ordering_.applied(*done, outcomes_);
        }
      }
    }
    return refusals;
  }
  [[nodiscard]] Readings readings() const {
    Readings readings;
    ordering_.read(readings);
    return readings;
  }
  [[nodiscard]] const session::Service& service() const { return service_; }

 private:
  void forward(const session::Command& command) {
    wire::Bytes bytes;
    session::encode(command, {}, bytes);
    ordering_.on(follower, Forward{epoch, std::move(bytes)}, outcomes_);
  }

  session::Service service_;
  EnsembleClock clock_{{}, *this};
  TouchIntervals touch_intervals_{std::chrono::milliseconds(50), {}};
  Ordering ordering_;
  OrderingOutcomes outcomes_;
  wire::SessionId session_;
  std::uint64_t tag_ = 0;
  std::uint64_t applied_ = 0;
  int confirmations_ = 0;
};

TEST_CASE("a leader refuses further commands of other servers when it holds too many bytes") {
  Leader leader;
  for (int i = 0; i < 1000; ++i) leader.set();
  const Readings full = leader.readings();
  CHECK(full.held_bytes <= held_max);
  CHECK(full.held_bytes > held_max * 9 / 10);
  CHECK(full.held_bytes_max == held_max);
  CHECK(full.leader.overloaded > 500);
  leader.close();  // never refused

  const auto refusals = leader.carry_out();
  CHECK(refusals.size() == full.leader.overloaded);
  for (const session::Refusal& refusal : refusals) {
    CHECK(refusal.error.code == wire::ErrorCode::throttled);  // the level is 0
    CHECK(refusal.error.message.find("nothing was done") != std::string::npos);
  }
  // What was not refused was done.
  CHECK(leader.service().tree().at("/a").stat().version ==
        static_cast<std::int32_t>(999 - refusals.size()));
  CHECK(leader.readings().held_bytes == 0);
  CHECK(leader.service().sessions().size() == 0);
}

// The end of one of the sessions may be among the plans.
TEST_CASE("a leader confirms touches once everything is applied that it had planned before") {
  Leader leader;
  CHECK(leader.confirms_touches());
  leader.set();
  CHECK_FALSE(leader.confirms_touches());
  leader.carry_out();
  CHECK(leader.confirmations() == 2);
}

TEST_CASE("a session that is due ends once its end can be planned, if its client sends nothing") {
  Leader leader({1, 1});
  leader.set();
  leader.pass_timeout();
  leader.carry_out();
  CHECK(leader.service().sessions().size() == 0);
}

TEST_CASE("a session that is due lives on if its client sends something while its end is held") {
  Leader leader({1, 1});
  leader.set();
  leader.pass_timeout();
  leader.touched();
  leader.carry_out();
  CHECK(leader.service().sessions().size() == 1);
  leader.pass_timeout();
  leader.carry_out();
  CHECK(leader.service().sessions().size() == 0);
}

TEST_CASE("a session does not expire behind its own move, which was held before its end") {
  Leader leader({1, 1});
  leader.set();
  leader.move();
  leader.pass_timeout();
  leader.carry_out();
  CHECK(leader.service().sessions().size() == 1);
}

}  // namespace
}  // namespace server::test
