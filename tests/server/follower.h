#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "server/pipeline/pipeline.h"

// A follower's pipeline with one client. Its leader is only a session::Service.
namespace follower {

using server::PeerMessage;

inline constexpr zab::ServerId leader{2};
inline constexpr zab::Epoch epoch{5};

class Connection : public server::ClientConnection {
 public:
  void send(const wire::ServerMessage& message) override { sent.push_back(message); }
  [[nodiscard]] server::Offer offer(const wire::ServerMessage& message) override {
    if (answer_to_offers == server::Offer::queued) send(message);
    return answer_to_offers;
  }
  [[nodiscard]] bool has_room(std::size_t bytes) const override { return bytes <= room; }
  void allow_batches() override {}
  void close(server::CloseCode code, std::string reason) override {
    closed = true;
    close_code = code;
    close_reason = std::move(reason);
  }
  void close_as_too_slow() override { closed = true; }
  void pause() override { paused = true; }
  void resume() override { paused = false; }
  void ping_every(std::chrono::milliseconds) override {}
  [[nodiscard]] std::size_t queued_bytes() const override { return queued; }
  [[nodiscard]] std::string remote_address() const override { return address; }

  std::vector<wire::ServerMessage> sent;
  std::size_t queued = 0;  // what the client has not received
  server::Offer answer_to_offers = server::Offer::queued;
  std::size_t room = server::unlimited;  // for events
  bool closed = false;
  server::CloseCode close_code{};
  std::string close_reason;
  bool paused = false;
  std::string address = "127.0.0.1";
};

// Server 1, a follower with one client. Its leader, server 2, is only a service that plans.
class Follower : public server::Environment {
 public:
  explicit Follower(
      const server::BudgetTable& table = server::budget_table(server::usual_memory_limit),
      wire::ConnectRequest connect = {})
      : ledger_(server::Ledger::make(server::usual_memory_limit, table)) {
    server::PipelineOptions options;
    options.id = 1;
    options.standalone = false;
    pipeline_ = std::make_unique<server::Pipeline>(options, 100, *this, ledger_);
    follow(epoch);
    pipeline_->opened(connection_);
    request(wire::Request(std::move(connect)));
    commit(forwarded().at(0));
  }

  void post(zab::Event) override {}
  void send(zab::ServerId to, const PeerMessage& message) override {
    CHECK(to == leader);
    sent_.push_back(message);
  }
  wire::TimeMs wall_clock() override { return 1000; }
  void call_soon() override { is_called_soon_ = true; }
  server::SteadyClock::time_point now() override { return time_ += time_step; }
  // The next turn of the event loop. False if the pipeline has not asked for it.
  bool next_turn() {
    if (!std::exchange(is_called_soon_, false)) return false;
    pipeline_->go_on();
    return true;
  }
  server::SteadyClock::duration time_step{};  // passes each time the clock is read
  std::vector<server::ServerLevels> server_levels() override { return {}; }
  void level_changed(wire::Level) override {}
  std::string new_password() override { return std::string(32, '7'); }

  void follow(zab::Epoch in) { pipeline_->role_changed({zab::Role::following, true, in, leader}); }
  void look() { pipeline_->role_changed({}); }

  void request(wire::Request request, std::size_t bytes = 0) {
    this->request(std::vector<wire::Request>{std::move(request)}, bytes);
  }
  // One frame of `bytes`.
  void request(std::vector<wire::Request> requests, std::size_t bytes) {
    wire::ParsedFrame frame;
    frame.bytes = bytes;
    for (wire::Request& request : requests) {
      frame.requests.emplace_back(wire::ClientRequest{
          wire::RequestId(std::to_string(++requests_)), {}, std::move(request)});
    }
    pipeline_->received(*connection_, std::move(frame));
  }

  // A frame that is wrong as a whole.
  void receive_wrong(wire::ParsedFrame::Fault fault, wire::ErrorCode code) {
    wire::ParsedFrame frame;
    frame.fault = fault;
    frame.requests.emplace_back(wire::BadRequest{{}, {code, "the whole frame"}});
    pipeline_->received(*connection_, std::move(frame));
  }

  // With the id of an earlier request.
  void repeat(int id, wire::Request request) {
    wire::ParsedFrame frame;
    frame.requests.emplace_back(
        wire::ClientRequest{wire::RequestId(std::to_string(id)), {}, std::move(request)});
    pipeline_->received(*connection_, std::move(frame));
  }

  void request(wire::ClientRequest request) {
    request.id = wire::RequestId(std::to_string(++requests_));
    wire::ParsedFrame frame;
    frame.requests.emplace_back(std::move(request));
    pipeline_->received(*connection_, std::move(frame));
  }

  // The commands that were forwarded to the leader since the last call.
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

  // The leader plans the command, and it is delivered here.
  void commit(const session::Command& command) {
    auto planned = service_.plan(command, 1000);
    REQUIRE(planned.has_value());
    deliver(*std::move(planned));
  }
  // The same for a change of the level.
  void set_level(wire::Level level) {
    auto planned = service_.plan_level(level, 1000);
    REQUIRE(planned.has_value());
    deliver(*std::move(planned));
  }
  // A newer program leads, and its transaction is delivered here.
  void deliver_unknown() {
    const wire::Zxid zxid{epoch, ++transactions_};
    pipeline_->deliver(zab::Txn::after({}, zxid, std::make_shared<const wire::Bytes>("\x09new")));
  }
  [[nodiscard]] session::Service& leading() { return service_; }
  // The refusal of the leader arrives.
  void refuse(const session::Command& command, const session::Refusal& refusal) {
    server::ForwardRefused refused{command.tag, service_.applied(), {}};
    session::encode(refusal, {}, refused.refusal);
    pipeline_->on(leader, refused);
  }

  [[nodiscard]] Connection& connection() { return *connection_; }
  [[nodiscard]] server::Pipeline& pipeline() { return *pipeline_; }
  [[nodiscard]] server::Ledger& ledger() { return *ledger_; }
  // The replies that the client got after the reply to its connect.
  [[nodiscard]] std::vector<wire::Reply> replies() const {
    std::vector<wire::Reply> replies;
    for (const wire::ServerMessage& message : connection_->sent) {
      if (const auto* reply = std::get_if<wire::Reply>(&message)) replies.push_back(*reply);
    }
    return replies;
  }
  [[nodiscard]] bool is_redirected() const {
    return connection_->closed && std::holds_alternative<wire::GoAway>(connection_->sent.back());
  }

 private:
  // The leader applies its plan, and the transaction is delivered here.
  void deliver(wire::Bytes planned) {
    const wire::Zxid zxid{epoch, ++transactions_};
    REQUIRE(service_.apply(zxid, planned).has_value());
    pipeline_->deliver(
        zab::Txn::after({}, zxid, std::make_shared<const wire::Bytes>(std::move(planned))));
  }

  session::Service service_;  // the leader's
  std::shared_ptr<server::Ledger> ledger_;
  std::shared_ptr<Connection> connection_ = std::make_shared<Connection>();
  std::vector<PeerMessage> sent_;
  std::uint32_t transactions_ = 0;
  int requests_ = 0;
  bool is_called_soon_ = false;
  server::SteadyClock::time_point time_{};
  std::unique_ptr<server::Pipeline> pipeline_;
};

// A read of the root.
inline wire::GetRequest get() {
  wire::GetRequest request;
  request.path = "/";
  return request;
}

inline wire::CreateRequest create(std::string path) {
  wire::CreateRequest request;
  request.path = std::move(path);
  return request;
}

inline wire::DeleteRequest remove(std::string path) {
  wire::DeleteRequest request;
  request.path = std::move(path);
  return request;
}

}  // namespace follower
