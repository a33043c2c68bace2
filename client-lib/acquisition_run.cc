#include "client-lib/acquisition_run.h"

#include <type_traits>
#include <utility>
#include <variant>

namespace zabkeeper {

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

namespace {

// The two recipes differ in these.
RecipeActions begin(Acquisition& recipe) { return recipe.want(); }
MultiActions begin(MultiAcquisition& recipe) { return recipe.begin(); }
RecipeActions pass(Acquisition& recipe, std::uint64_t number, const AnyReply& reply) {
  return recipe.replied(number, reply.result);
}
MultiActions pass(MultiAcquisition& recipe, std::uint64_t number, const AnyReply& reply) {
  return recipe.replied(number, reply.result, reply.zxid);
}

}  // namespace

AcquisitionRun::AcquisitionRun(std::shared_ptr<Core> core, Wanted wanted)
    : RecipeRunner(std::move(core)), recipe_(recipe_for(std::move(wanted))) {}

AcquisitionRun::Recipe AcquisitionRun::recipe_for(Wanted wanted) {
  if (auto* several = std::get_if<MultiOptions>(&wanted)) {
    return MultiAcquisition(std::move(*several));
  }
  return Acquisition(std::get<QueueOptions>(std::move(wanted)));
}

void AcquisitionRun::start(const RecipeCall<Hold>& call) {
  waiting_ = call;
  listen();
  step([](auto& recipe) { return begin(recipe); });
}

void AcquisitionRun::carry_out_release() {
  step([](auto& recipe) { return recipe.release(); });
}

void AcquisitionRun::release(AnyCompletion completion) {
  if (ended_) return complete_with(std::move(completion), error_of_end(*ended_));
  if (completion) releasing_.push_back(std::move(completion));
  carry_out_release();
}

void AcquisitionRun::downgrade(AnyCompletion completion) {
  if (downgrading_ || ended_ || !std::holds_alternative<Acquisition>(recipe_)) {
    const Error error{{ErrorCode::bad_arguments, "no write lock is held"}};
    return complete_with(std::move(completion), error);
  }
  downgrading_ = std::move(completion);
  for (RecipeAction& action : std::get<Acquisition>(recipe_).downgrade()) {
    std::visit([this](auto& each) { carry_out(each); }, action);
  }
}

// --- The steps ---

void AcquisitionRun::session_ended() {
  step([](auto& recipe) { return recipe.session_lost(); });
}

void AcquisitionRun::replied(std::uint64_t number, AnyReply&& reply) {
  step([&](auto& recipe) { return pass(recipe, number, reply); });
}

void AcquisitionRun::received(std::uint64_t number, const wire::WatchEvent& event) {
  step([&](auto& recipe) { return recipe.received(number, event); });
}

void AcquisitionRun::lost_watch() {
  step([](auto& recipe) { return recipe.connection_lost(); });
}

void AcquisitionRun::resumed() {
  step([](auto& recipe) { return recipe.again(); });
}

template <typename Step>
void AcquisitionRun::step(const Step& step) {
  std::visit(
      [&](auto& recipe) {
        for (auto& action : step(recipe)) {
          std::visit([this](auto& each) { carry_out(each); }, action);
        }
      },
      recipe_);
}

// --- The actions ---

template <typename Action>
void AcquisitionRun::carry_out(Action& action) {
  if constexpr (std::is_same_v<Action, Ask>) {
    ask(std::move(action));
  } else if constexpr (std::is_same_v<Action, Pause>) {
    pause();
  } else if constexpr (std::is_same_v<Action, Held>) {
    on_held({{action.grant}, action.grant.token});
  } else if constexpr (std::is_same_v<Action, MultiHeld>) {
    on_held(action.grant);
  } else if constexpr (std::is_same_v<Action, Downgraded>) {
    if (const auto hold = hold_.lock()) hold->set_grant({{action.grant}, action.grant.token});
    complete_with(std::move(downgrading_), {});
  } else if constexpr (std::is_same_v<Action, Refused>) {
    complete_with(std::move(downgrading_), Error(action.error));
  } else if constexpr (std::is_same_v<Action, Lost>) {
    on_lost();
  } else if constexpr (std::is_same_v<Action, Ended>) {
    on_ended(action);
  }
}

void AcquisitionRun::on_held(MultiGrant grant) {
  if (!waiting_) return;  // It is being released.
  const auto state = std::make_shared<Hold::State>(
      std::static_pointer_cast<AcquisitionRun>(shared_from_this()), std::move(grant));
  hold_ = state;
  waiting_.answer({}, Hold(state));
}

void AcquisitionRun::on_lost() {
  if (const auto hold = hold_.lock()) hold->stop.request_stop();
}

void AcquisitionRun::on_ended(const Ended& ended) {
  ended_ = ended;
  on_lost();
  const Error error = error_of_end(ended);
  waiting_.answer(error);
  complete_with(std::move(downgrading_), error);
  for (AnyCompletion& each : std::exchange(releasing_, {})) complete_with(std::move(each), error);
  finish();
}

}  // namespace zabkeeper
