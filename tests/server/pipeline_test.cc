#include "server/pipeline/pipeline.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

namespace {

using server::PeerMessage;

constexpr zab::ServerId leader{2};
constexpr zab::Epoch epoch{5};

class Connection : public server::ClientConnection {
 public:
  void send(const wire::ServerMessage& message) override { heard.push_back(message); }
  void allow_batches() override {}
  void close(server::CloseCode, std::string) override { closed = true; }
  void pause() override {}
  void resume() override {}
  void ping_every(std::chrono::milliseconds) override {}
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  [[nodiscard]] std::string remote_address() const override { return "127.0.0.1"; }

  std::vector<wire::ServerMessage> heard;
  bool closed = false;
};

// Server 1, a follower, and what it says to its leader, server 2, which is here only a service that
// plans.
class Follower : public server::Environment {
 public:
  Follower() {
    config_.id = 1;
    config_.servers = {{.id = 1, .peer = {}, .web = {}}, {.id = 2, .peer = {}, .web = {}}};
    pipeline_ = std::make_unique<server::Pipeline>(config_, 100, *this);
    follow(epoch);
    pipeline_->opened(connection_);
    ask(wire::ConnectRequest{});
    order(forwarded().at(0));
  }

  void post(zab::Event) override {}
  void send(zab::ServerId to, const PeerMessage& message) override {
    CHECK(to == leader);
    sent_.push_back(message);
  }
  wire::TimeMs wall_clock() override { return 1000; }
  std::string new_password() override { return std::string(32, '7'); }

  void follow(zab::Epoch in) { pipeline_->role_changed({zab::Role::following, true, in, leader}); }
  void look() { pipeline_->role_changed({}); }

  void ask(wire::Request request) {
    wire::ParsedFrame frame;
    frame.requests.emplace_back(
        wire::ClientRequest{wire::RequestId(std::to_string(++asked_)), {}, std::move(request)});
    pipeline_->received(*connection_, std::move(frame));
  }

  // What was forwarded since the last time.
  std::vector<session::Command> forwarded() {
    std::vector<session::Command> commands;
    for (const PeerMessage& message : std::exchange(sent_, {})) {
      const auto* forward = std::get_if<server::Forward>(&message);
      if (forward == nullptr) continue;
      auto command = session::decode_command(forward->command);
      REQUIRE(command.has_value());
      commands.push_back(*std::move(command));
    }
    return commands;
  }

  // The leader orders it, and here it is applied.
  void order(const session::Command& command) {
    auto planned = service_.plan(command, 1000);
    REQUIRE(planned.has_value());
    const wire::Zxid zxid{epoch, ++transactions_};
    service_.apply(zxid, *planned);
    pipeline_->deliver(
        zab::Txn::after({}, zxid, std::make_shared<const wire::Bytes>(*std::move(planned))));
  }
  // The leader has refused it.
  void refuse(const session::Command& command, const session::Refusal& refusal) {
    server::ForwardRefused refused{command.tag, service_.applied(), {}};
    session::encode(refusal, refused.refusal);
    pipeline_->on(leader, refused);
  }

  [[nodiscard]] Connection& connection() { return *connection_; }
  // What the client has heard since it was told its session.
  [[nodiscard]] std::vector<wire::Reply> replies() const {
    std::vector<wire::Reply> replies;
    for (const wire::ServerMessage& message : connection_->heard) {
      if (const auto* reply = std::get_if<wire::Reply>(&message)) replies.push_back(*reply);
    }
    return replies;
  }
  [[nodiscard]] bool is_sent_away() const {
    return connection_->closed && std::holds_alternative<wire::GoAway>(connection_->heard.back());
  }

 private:
  server::Config config_;
  session::Service service_;  // the leader's
  std::shared_ptr<Connection> connection_ = std::make_shared<Connection>();
  std::vector<PeerMessage> sent_;
  std::uint32_t transactions_ = 0;
  int asked_ = 0;
  std::unique_ptr<server::Pipeline> pipeline_;
};

wire::CreateRequest create(std::string path) {
  wire::CreateRequest request;
  request.path = std::move(path);
  return request;
}

wire::DeleteRequest remove(std::string path) {
  wire::DeleteRequest request;
  request.path = std::move(path);
  return request;
}

TEST_CASE("what had no outcome in an epoch is asked again in the next one") {
  Follower follower;
  follower.ask(create("/a"));
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 1);

  follower.look();
  CHECK(follower.forwarded().empty());
  follower.follow({epoch.value + 1});
  CHECK((follower.forwarded() == commands));
  follower.order(commands[0]);
  REQUIRE(follower.replies().size() == 1);
  CHECK(follower.replies()[0].body.has_value());
}

// The first asking may still be on its way into the order: it would be done twice.
TEST_CASE("a command is not asked again of the same leader in the same epoch: its client goes") {
  Follower follower;
  follower.ask(create("/a"));
  REQUIRE(follower.forwarded().size() == 1);

  follower.look();
  CHECK_FALSE(follower.connection().closed);
  follower.follow(epoch);
  CHECK(follower.forwarded().empty());
  CHECK(follower.is_sent_away());
  CHECK(follower.replies().empty());
}

// "/a" is there by now, and was not when the delete came before its create.
TEST_CASE("a write whose refusal was lost is not judged again after what came behind it") {
  Follower follower;
  follower.ask(remove("/a"));
  follower.ask(create("/a"));
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 2);
  follower.order(commands[1]);
  CHECK(follower.replies().empty());

  follower.look();
  follower.follow({epoch.value + 1});
  CHECK(follower.forwarded().empty());
  CHECK(follower.is_sent_away());
  CHECK(follower.replies().empty());
}

// The read must not see the write behind it, so it is carried out when that is applied; the refusal
// before it comes later still.
TEST_CASE("a reply's zxid is not above that of a read behind it that was ahead of its turn") {
  Follower follower;
  follower.ask(remove("/a"));
  wire::GetRequest get;
  get.path = "/a";
  follower.ask(get);
  follower.ask(create("/a"));
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 2);
  follower.order(commands[1]);
  CHECK(follower.replies().empty());

  follower.refuse(commands[0], {{wire::ErrorCode::no_node, "/a does not exist"}, {}});
  const auto replies = follower.replies();
  REQUIRE(replies.size() == 3);
  CHECK_FALSE(replies[0].body.has_value());
  CHECK_FALSE(replies[1].body.has_value());
  CHECK(replies[2].body.has_value());
  CHECK(replies[0].zxid <= replies[1].zxid);
  CHECK(replies[1].zxid < replies[2].zxid);
}

}  // namespace
