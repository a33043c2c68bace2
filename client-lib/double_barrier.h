#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client-lib/async_calls.h"
#include "client-lib/block.h"
#include "client-lib/recipe_call.h"
#include "client-lib/recipe_runner.h"
#include "client-lib/recipes/double_barrier.h"

namespace zabkeeper {

// Runs a Participant on a client, until it has ended. For the strand.
class ParticipantRun final : public RecipeRunner {
 public:
  ParticipantRun(std::shared_ptr<Core> core, DoubleBarrierOptions options)
      : RecipeRunner(std::move(core)), participant_(std::move(options)) {}

  void enter(const RecipeCall<Entered>& call);
  void leave(const RecipeCall<Left>& call);
  void stop();

  // It has left for good, or is about to.
  [[nodiscard]] bool is_over() const { return is_over_; }
  // The session has ended while it was inside.
  [[nodiscard]] bool is_lost() const { return is_lost_; }

 private:
  void session_ended() override;
  void replied(std::uint64_t number, AnyReply&& reply) override {
    carry_out(participant_.replied(number, reply.result, reply.zxid));
  }
  void received(std::uint64_t number, const wire::WatchEvent& event) override {
    carry_out(participant_.received(number, event));
  }
  void lost_watch() override { carry_out(participant_.connection_lost()); }
  void resumed() override { carry_out(participant_.again()); }
  void client_ended(const wire::Error& why) override { on_ended({Ended::How::failed, why}); }

  void carry_out(DoubleBarrierActions actions);
  void on_ended(const Ended& ended);

  Participant participant_;
  RecipeCall<Entered> entering_;
  RecipeCall<Left> leaving_;
  bool has_begun_ = false;
  bool is_inside_ = false;
  bool is_over_ = false;
  bool is_lost_ = false;
};

// The seat of one participant: a ParticipantRun after the other, each with another id. For the
// strand, except for `executor`.
class ParticipantSeat : public std::enable_shared_from_this<ParticipantSeat> {
 public:
  ParticipantSeat(std::shared_ptr<Core> core, DoubleBarrierOptions options)
      : core_(std::move(core)), options_(std::move(options)) {}

  void enter(const RecipeCall<Entered>& call);
  void leave(const RecipeCall<Left>& call);
  void stop();
  template <typename Reply>
  void given_up(const RecipeCall<Reply>&) {
    stop();
  }
  [[nodiscard]] const boost::asio::any_io_executor& executor() const { return core_->executor(); }
  [[nodiscard]] bool runs_here() const { return core_->runs_here(); }

 private:
  const std::shared_ptr<Core> core_;
  DoubleBarrierOptions options_;
  std::shared_ptr<ParticipantRun> run_;
};

// One participant of a double barrier: so many participants enter together and leave together,
// again and again. client-lib/recipes/double_barrier.h says what is guaranteed under which
// failures.
//
//   zabkeeper::DoubleBarrier barrier(client, "/computation", 3);
//   barrier.enter().value();
//   compute();
//   barrier.leave().value();
//
// Any thread may use it. Its destructor leaves in the background, without
// waiting for the others. The client must outlive it and its calls.
class DoubleBarrier {
 public:
  // `participants`: of a generation, from 1 to `participants_max`; all give the same number. Throws
  // std::invalid_argument for another number. `acl`: of all nodes; none: open.
  DoubleBarrier(const AsyncCalls& client, std::string path, std::size_t participants,
                std::optional<wire::Acl> acl = {});
  ~DoubleBarrier();
  DoubleBarrier(const DoubleBarrier&) = delete;
  DoubleBarrier& operator=(const DoubleBarrier&) = delete;

  // Returns when all participants of a generation have entered. BadArguments if it is inside.
  Result<Entered> enter() { return enter_for({}); }
  // OperationTimeout if that takes longer; 0: without a limit. Then it may count as a participant
  // that has entered and left.
  Result<Entered> enter_for(std::chrono::milliseconds timeout) {
    return block_elsewhere<Entered>(
        *seat_, [&](auto handler) { async_enter_for(timeout, std::move(handler)); });
  }
  // Returns when all participants of the generation have left. BadArguments if it is not inside.
  // SessionExpired: the session has ended since, and so it has left.
  Result<Left> leave() { return leave_for({}); }
  // OperationTimeout if that takes longer; 0: without a limit. Then it has left.
  Result<Left> leave_for(std::chrono::milliseconds timeout) {
    return block_elsewhere<Left>(
        *seat_, [&](auto handler) { async_leave_for(timeout, std::move(handler)); });
  }

  // The completion signatures are void(Error, Entered) and void(Error, Left). A cancelled call
  // leaves the barrier in the background.
  template <typename Token>
  auto async_enter(Token&& token) {
    return async_enter_for({}, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_enter_for(std::chrono::milliseconds timeout, Token&& token) {
    return begin_call<Entered>(
        seat_->executor(), [seat = seat_] { return seat; },
        [](ParticipantSeat& seat, const RecipeCall<Entered>& call) { seat.enter(call); }, timeout,
        std::forward<Token>(token));
  }
  template <typename Token>
  auto async_leave(Token&& token) {
    return async_leave_for({}, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_leave_for(std::chrono::milliseconds timeout, Token&& token) {
    return begin_call<Left>(
        seat_->executor(), [seat = seat_] { return seat; },
        [](ParticipantSeat& seat, const RecipeCall<Left>& call) { seat.leave(call); }, timeout,
        std::forward<Token>(token));
  }

 private:
  std::shared_ptr<ParticipantSeat> seat_;
};

}  // namespace zabkeeper
