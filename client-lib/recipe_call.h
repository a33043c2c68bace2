#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include "client-lib/completion.h"
#include "client-lib/error.h"
#include "client-lib/recipe_runner.h"
#include "wire/replies.h"

namespace zabkeeper {

// A call that a recipe answers: where its result goes. Copies are the same call. For the client's
// strand.
template <typename Reply>
class RecipeCall {
 public:
  struct Outcome {
    Error error;
    Reply reply{};
  };

  // Nobody waits.
  RecipeCall() = default;
  RecipeCall(const boost::asio::any_io_executor& executor, std::shared_ptr<Outcome> outcome,
             AnyCompletion waiting)
      : state_(std::make_shared<State>(executor, std::move(outcome), std::move(waiting))) {}

  // Whether somebody waits for the answer.
  [[nodiscard]] explicit operator bool() const { return state_ && state_->waiting; }

  // Answers, unless the call has an answer already.
  void answer(Error error, Reply reply = {}) const {
    if (!*this) return;
    state_->timer.cancel();
    state_->outcome->error = std::move(error);
    state_->outcome->reply = std::move(reply);
    state_->outcome.reset();
    complete(std::move(state_->waiting), {wire::EmptyReply{}, {}});
  }
  // Calls the function after so long, unless the call has an answer by then. 0: never.
  template <typename Function>
  void at_deadline(std::chrono::milliseconds timeout, Function function) const {
    if (timeout <= std::chrono::milliseconds{0}) return;
    state_->timer.expires_after(timeout);
    state_->timer.async_wait([function = std::move(function)](boost::system::error_code error) {
      if (!error) function();
    });
  }

  bool operator==(const RecipeCall&) const = default;

 private:
  struct State {
    State(const boost::asio::any_io_executor& executor, std::shared_ptr<Outcome> of,
          AnyCompletion completion)
        : outcome(std::move(of)), waiting(std::move(completion)), timer(executor) {}

    std::shared_ptr<Outcome> outcome;
    AnyCompletion waiting;
    boost::asio::steady_timer timer;
  };

  std::shared_ptr<State> state_;
};

// The completion of a handler that is void(Error, wire::EmptyReply).
template <typename Handler>
AnyCompletion empty_completion(Handler&& handler, const boost::asio::any_io_executor& otherwise) {
  const auto deliver = [](auto&& then, AnyReply&& reply) {
    const Error error = reply.result ? Error() : Error(reply.result.error());
    std::forward<decltype(then)>(then)(error, wire::EmptyReply{});
  };
  using Done = HandlerCompletion<std::decay_t<Handler>, std::decay_t<decltype(deliver)>,
                                 boost::asio::any_io_executor>;
  return Done::make(std::forward<Handler>(handler), deliver, otherwise);
}
// Completes it.
inline void complete_with(AnyCompletion completion, const Error& error) {
  if (!completion) return;
  complete(std::move(completion),
           error ? AnyReply{wire::Error(error), {}} : AnyReply{wire::EmptyReply{}, {}});
}

// Begins a call of a runner: see begin_call.
template <typename Reply, typename Make, typename Begin>
struct CallInitiation {
  using executor_type = boost::asio::any_io_executor;
  [[nodiscard]] const executor_type& get_executor() const noexcept { return executor; }

  template <typename Handler>
  void operator()(Handler&& handler, std::chrono::milliseconds timeout) const {
    using Call = RecipeCall<Reply>;
    auto outcome = std::make_shared<typename Call::Outcome>();
    const auto deliver = [outcome](auto&& then, AnyReply&&) {
      std::forward<decltype(then)>(then)(outcome->error, std::move(outcome->reply));
    };
    using Done =
        HandlerCompletion<std::decay_t<Handler>, std::decay_t<decltype(deliver)>, executor_type>;

    const auto run = make();
    using Run = typename std::decay_t<decltype(run)>::element_type;
    const auto call = std::make_shared<Call>();  // set on the strand
    const auto give_up = [call, weak = std::weak_ptr(run)](ErrorCode code, std::string why) {
      const auto alive = weak.lock();
      if (!alive || !*call) return;
      call->answer({{code, std::move(why)}});
      alive->given_up(*call);
    };
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(run), give_up](boost::asio::cancellation_type) {
        if (const auto alive = weak.lock()) {
          RecipeRunner::post_to(
              *alive, [give_up](Run&) { give_up(ErrorCode::cancelled, "the call was cancelled"); });
        }
      });
    }
    AnyCompletion completion = Done::make(std::forward<Handler>(handler), deliver, executor);
    RecipeRunner::post_to(
        *run, [call, give_up, timeout, begin = begin, outcome = std::move(outcome),
               completion = std::move(completion)](Run& self) mutable {
          *call = Call(self.executor(), std::move(outcome), std::move(completion));
          call->at_deadline(timeout, [give_up] {
            give_up(ErrorCode::operation_timeout, "there was no result before the deadline");
          });
          begin(self, *call);
        });
  }

  executor_type executor;
  Make make;
  Begin begin;
};

// Lets the strand call `begin(run, call)`, where `make()` is a pointer to the run. The completion
// signature is void(Error, Reply). If the caller cancels the call, or has no answer after `timeout`
// (0: without a limit), the call is answered, and then `run.given_up(call)` is called.
template <typename Reply, typename Make, typename Begin, typename Token>
auto begin_call(const boost::asio::any_io_executor& executor, Make make, Begin begin,
                std::chrono::milliseconds timeout, Token&& token) {
  return boost::asio::async_initiate<Token, void(Error, Reply)>(
      CallInitiation<Reply, Make, Begin>{executor, std::move(make), std::move(begin)}, token,
      timeout);
}

}  // namespace zabkeeper
