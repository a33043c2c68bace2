#include "client-lib/take_run.h"

#include <chrono>
#include <variant>

#include <boost/asio/system_executor.hpp>
#include <boost/system/error_code.hpp>

#include "client-lib/block.h"
#include "wire/ensure.h"

namespace zabkeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

std::int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

Error error_of_end(const TakeEnded& ended) {
  switch (ended.how) {
    case TakeEnded::How::done:
    case TakeEnded::How::given_back: return {};
    case TakeEnded::How::cancelled: return {{ErrorCode::cancelled, "the take was given up"}};
    case TakeEnded::How::lost: return {{ErrorCode::session_expired, "the item is lost"}};
    case TakeEnded::How::failed: break;
  }
  return ended.error.value_or(wire::Error{ErrorCode::system_error, "the take has failed"});
}

}  // namespace

TakeRun::TakeRun(std::shared_ptr<Core> core, WorkQueue queue)
    : RecipeRunner(std::move(core)), take_(std::move(queue), random_id()), wake_(executor()) {}

void TakeRun::start(const RecipeCall<QueueItem>& call) {
  waiting_ = call;
  listen();
  carry_out(take_.begin(now_ms()));
}

void TakeRun::done(AnyCompletion completion) {
  if (finishing_ || ended_) {
    const Error error{{ErrorCode::bad_arguments, "no item is held"}};
    return complete_with(std::move(completion),
                         ended_ && error_of_end(*ended_) ? error_of_end(*ended_) : error);
  }
  finishing_ = std::move(completion);
  carry_out(take_.done());
}

// While `done` is under way, its outcome decides.
void TakeRun::give_back(AnyCompletion completion) {
  if (ended_) return complete_with(std::move(completion), error_of_end(*ended_));
  if (completion) returning_ = std::move(completion);
  unwatch();
  carry_out(take_.give_back());
}

void TakeRun::carry_out(TakeActions actions) {
  for (TakeAction& action : actions) {
    if (auto* question = std::get_if<Ask>(&action)) {
      ask(std::move(*question));
    } else if (std::holds_alternative<Pause>(action)) {
      pause();
    } else if (const auto* wake = std::get_if<WakeAt>(&action)) {
      wake_at(wake->time_ms);
    } else if (const auto* taken = std::get_if<Taken>(&action)) {
      on_taken(*taken);
    } else if (const auto* refused = std::get_if<DoneRefused>(&action)) {
      complete_with(std::move(finishing_), Error(refused->error));
    } else if (std::holds_alternative<Lost>(action)) {
      on_lost();
    } else if (const auto* ended = std::get_if<TakeEnded>(&action)) {
      on_ended(*ended);
    }
  }
}

void TakeRun::wake_at(std::int64_t time_ms) {
  wake_.expires_at(system_clock::time_point(milliseconds(time_ms)));
  wake_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto alive = std::static_pointer_cast<TakeRun>(weak.lock());
    if (!error && alive) alive->carry_out(alive->take_.time_is(now_ms()));
  });
}

void TakeRun::on_taken(const Taken& taken) {
  const auto state = std::make_shared<QueueItem::State>(
      std::static_pointer_cast<TakeRun>(shared_from_this()), taken);
  item_ = state;
  waiting_.answer({}, QueueItem(state));
}

void TakeRun::on_lost() {
  if (const auto item = item_.lock()) item->stop.request_stop();
}

void TakeRun::on_ended(const TakeEnded& ended) {
  ended_ = ended;
  on_lost();
  const Error error = error_of_end(ended);
  waiting_.answer(error);
  complete_with(std::move(finishing_), error);
  complete_with(std::move(returning_), error);
  wake_.cancel();
  finish();
}

// --- The item ---

QueueItem& QueueItem::operator=(QueueItem&& other) noexcept {
  if (this == &other) return *this;
  reset();
  state_ = std::move(other.state_);
  return *this;
}

QueueItem::operator bool() const {
  return state_ && !state_->stop.stop_requested() && std::chrono::steady_clock::now() < deadline();
}

const Taken& QueueItem::taken() const {
  ensure(state_ != nullptr, "no item was taken");
  return state_->taken;
}

std::chrono::steady_clock::time_point QueueItem::deadline() const {
  ensure(state_ != nullptr, "no item was taken");
  return state_->run->safe_until();
}

std::stop_token QueueItem::stop_token() const {
  ensure(state_ != nullptr, "no item was taken");
  return state_->stop.get_token();
}

void QueueItem::reset() {
  if (state_) give_back(std::exchange(state_, nullptr), {});
}

Result<wire::EmptyReply> QueueItem::done() {
  if (state_ && state_->run->runs_here()) return would_wait_for_itself();
  return block<wire::EmptyReply>([this](auto handler) { async_done(std::move(handler)); });
}

Result<wire::EmptyReply> QueueItem::give_back() {
  if (state_ && state_->run->runs_here()) return would_wait_for_itself();
  return block<wire::EmptyReply>([this](auto handler) { async_give_back(std::move(handler)); });
}

boost::asio::any_io_executor QueueItem::executor_of(const State* state) {
  if (state == nullptr) return boost::asio::system_executor();
  return state->run->executor();
}

void QueueItem::done(const std::shared_ptr<State>& state, AnyCompletion completion) {
  if (!state) {
    return complete_with(std::move(completion), {{ErrorCode::bad_arguments, "no item was taken"}});
  }
  RecipeRunner::post_to(*state->run, [completion = std::move(completion)](TakeRun& run) mutable {
    run.done(std::move(completion));
  });
}

void QueueItem::give_back(const std::shared_ptr<State>& state, AnyCompletion completion) {
  if (!state) return complete_with(std::move(completion), {});
  state->stop.request_stop();
  RecipeRunner::post_to(*state->run, [completion = std::move(completion)](TakeRun& run) mutable {
    run.give_back(std::move(completion));
  });
}

}  // namespace zabkeeper
