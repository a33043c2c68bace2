#include "client-lib/double_barrier.h"

#include <stdexcept>
#include <variant>

#include "client-lib/acquisition_run.h"

namespace zabkeeper {
namespace {

Error bad_use(const char* what) { return {{ErrorCode::bad_arguments, what}}; }

}  // namespace

void ParticipantRun::enter(const RecipeCall<Entered>& call) {
  if (entering_ || leaving_ || is_inside_) {
    return call.answer(bad_use("the participant is inside the barrier, or on its way"));
  }
  entering_ = call;
  if (!std::exchange(has_begun_, true)) listen();
  carry_out(participant_.begin());
}

void ParticipantRun::leave(const RecipeCall<Left>& call) {
  if (!is_inside_ || leaving_) {
    return call.answer(bad_use("the participant is not inside the barrier"));
  }
  leaving_ = call;
  carry_out(participant_.leave());
}

void ParticipantRun::stop() {
  if (std::exchange(is_over_, true)) return;
  carry_out(participant_.stop());
}

// Between two generations a participant goes on in the next session.
void ParticipantRun::session_ended() {
  carry_out(participant_.session_lost());
  if (!is_over_) listen();
}

void ParticipantRun::carry_out(DoubleBarrierActions actions) {
  for (DoubleBarrierAction& action : actions) {
    if (auto* question = std::get_if<Ask>(&action)) {
      ask(std::move(*question));
    } else if (std::holds_alternative<Pause>(action)) {
      pause();
    } else if (std::holds_alternative<Entered>(action)) {
      is_inside_ = true;
      entering_.answer({});
    } else if (const auto* left = std::get_if<Left>(&action)) {
      is_inside_ = false;
      leaving_.answer({}, *left);
    } else if (const auto* ended = std::get_if<Ended>(&action)) {
      on_ended(*ended);
    }
  }
}

void ParticipantRun::on_ended(const Ended& ended) {
  is_over_ = true;
  is_lost_ = ended.how == Ended::How::lost;
  is_inside_ = false;
  const Error error = error_of_end(ended);
  entering_.answer(error);
  leaving_.answer(error);
  finish();
}

// --- The seat ---

void ParticipantSeat::enter(const RecipeCall<Entered>& call) {
  if (!run_ || run_->is_over()) {
    options_.id = random_id();
    run_ = std::make_shared<ParticipantRun>(core_, options_);
  }
  run_->enter(call);
}

void ParticipantSeat::leave(const RecipeCall<Left>& call) {
  if (run_ && !run_->is_over()) return run_->leave(call);
  if (run_ && run_->is_lost()) {
    return call.answer({{ErrorCode::session_expired, "the session has ended inside the barrier"}});
  }
  call.answer(bad_use("the participant is not inside the barrier"));
}

void ParticipantSeat::stop() {
  if (run_) run_->stop();
}

DoubleBarrier::DoubleBarrier(const AsyncCalls& client, std::string path, std::size_t participants,
                             std::optional<wire::Acl> acl) {
  if (participants < 1 || participants > participants_max) {
    throw std::invalid_argument("a double barrier has 1 to " + std::to_string(participants_max) +
                                " participants");
  }
  seat_ = std::make_shared<ParticipantSeat>(
      client.core(), DoubleBarrierOptions{std::move(path), {}, participants, std::move(acl)});
}

DoubleBarrier::~DoubleBarrier() {
  RecipeRunner::post_to(*seat_, [](ParticipantSeat& seat) { seat.stop(); });
}

}  // namespace zabkeeper
