#include "client-lib/acquisition_run.h"

#include <string>
#include <utility>
#include <variant>

#include <boost/system/error_code.hpp>

namespace zabkeeper {

using std::chrono::milliseconds;

namespace {

AnyReply empty_reply() { return {wire::EmptyReply{}, {}}; }

Error error_of_end(const Ended& ended) {
  switch (ended.how) {
    case Ended::How::released:
    case Ended::How::not_acquired: return {};
    case Ended::How::cancelled: return {{ErrorCode::cancelled, "the acquisition was given up"}};
    case Ended::How::lost: return {{ErrorCode::session_expired, "what was held is lost"}};
    case Ended::How::failed: break;
  }
  return ended.error.value_or(wire::Error{ErrorCode::system_error, "the acquisition has failed"});
}

}  // namespace

AcquisitionRun::AcquisitionRun(std::shared_ptr<Core> core, QueueOptions options)
    : RecipeRunner(std::move(core)),
      acquisition_(std::move(options)),
      timer_(RecipeRunner::core()->executor()) {}

void AcquisitionRun::start(milliseconds timeout, std::shared_ptr<Outcome> outcome,
                           AnyCompletion completion) {
  post([timeout, outcome = std::move(outcome),
        completion = std::move(completion)](AcquisitionRun& run) mutable {
    run.outcome_ = std::move(outcome);
    run.waiting_ = std::move(completion);
    run.listen();
    if (timeout > milliseconds{0}) {
      run.timer_.expires_after(timeout);
      run.timer_.async_wait([weak = run.weak_from_this()](boost::system::error_code error) {
        const auto alive = std::static_pointer_cast<AcquisitionRun>(weak.lock());
        if (error || !alive) return;
        alive->cancel({{ErrorCode::operation_timeout, "not acquired before the deadline"}});
      });
    }
    run.carry_out(run.acquisition_.want());
  });
}

void AcquisitionRun::cancel(const Error& why) {
  if (!waiting_) return;
  answer(why, {});
  carry_out(acquisition_.release());
}

void AcquisitionRun::release(AnyCompletion completion) {
  if (ended_) {
    const Error error = error_of_end(*ended_);
    if (!completion) return;
    return complete(std::move(completion),
                    error ? AnyReply{wire::Error(error), {}} : empty_reply());
  }
  if (completion) releasing_.push_back(std::move(completion));
  carry_out(acquisition_.release());
}

void AcquisitionRun::downgrade(AnyCompletion completion) {
  if (downgrading_ || ended_) {
    return complete(std::move(completion),
                    {wire::Error{ErrorCode::bad_arguments, "no write lock is held"}, {}});
  }
  downgrading_ = std::move(completion);
  carry_out(acquisition_.downgrade());
}

void AcquisitionRun::carry_out(RecipeActions actions) {
  for (RecipeAction& action : actions) {
    if (auto* question = std::get_if<Ask>(&action)) ask(std::move(*question));
    if (std::holds_alternative<Pause>(action)) pause();
    if (const auto* held = std::get_if<Held>(&action)) on_held(held->grant);
    if (const auto* reader = std::get_if<Downgraded>(&action)) {
      if (const auto hold = hold_.lock()) hold->set_grant(reader->grant);
      if (downgrading_) complete(std::move(downgrading_), empty_reply());
    }
    if (const auto* refused = std::get_if<Refused>(&action)) {
      if (downgrading_) complete(std::move(downgrading_), {refused->error, {}});
    }
    if (std::holds_alternative<Lost>(action)) on_lost();
    if (const auto* ended = std::get_if<Ended>(&action)) on_ended(*ended);
  }
}

void AcquisitionRun::on_held(const Grant& grant) {
  if (!waiting_) return;  // It is being released.
  const auto state = std::make_shared<Hold::State>(
      std::static_pointer_cast<AcquisitionRun>(shared_from_this()), grant);
  hold_ = state;
  answer({}, Hold(state));
}

void AcquisitionRun::on_lost() {
  if (const auto hold = hold_.lock()) hold->stop.request_stop();
}

void AcquisitionRun::on_ended(const Ended& ended) {
  ended_ = ended;
  on_lost();
  const Error error = error_of_end(ended);
  const AnyReply reply = error ? AnyReply{wire::Error(error), {}} : empty_reply();
  answer(error, {});
  if (downgrading_) complete(std::move(downgrading_), reply);
  for (AnyCompletion& each : std::exchange(releasing_, {})) complete(std::move(each), reply);
  finish();
}

void AcquisitionRun::answer(Error error, Hold hold) {
  timer_.cancel();
  if (!waiting_) return;
  outcome_->error = std::move(error);
  outcome_->hold = std::move(hold);
  outcome_.reset();
  complete(std::move(waiting_), empty_reply());
}

}  // namespace zabkeeper
