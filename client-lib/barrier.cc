#include "client-lib/barrier.h"

#include <variant>

namespace zabkeeper {

void BarrierRun::start(const RecipeCall<BarrierPassed>& call) {
  waiting_ = call;
  listen();
  carry_out(wait_.begin());
}

void BarrierRun::given_up(const RecipeCall<BarrierPassed>&) {
  unwatch();
  finish();
}

void BarrierRun::session_ended() {
  listen();
  carry_out(wait_.session_lost());
}

void BarrierRun::replied(std::uint64_t number, AnyReply&& reply) {
  if (!waiting_) return unwatch();  // The request was on its way when the caller gave up.
  carry_out(wait_.replied(number, reply.result, reply.zxid));
}

void BarrierRun::received(std::uint64_t number, const wire::WatchEvent& event) {
  carry_out(wait_.received(number, event));
}

void BarrierRun::carry_out(BarrierActions actions) {
  if (!waiting_) return;
  for (BarrierAction& action : actions) {
    if (auto* question = std::get_if<Ask>(&action)) {
      ask(std::move(*question));
    } else if (std::holds_alternative<Pause>(action)) {
      pause();
    } else if (const auto* passed = std::get_if<BarrierPassed>(&action)) {
      waiting_.answer({}, *passed);
      finish();
    } else if (const auto* failed = std::get_if<BarrierFailed>(&action)) {
      waiting_.answer(Error(failed->error));
      finish();
    }
  }
}

}  // namespace zabkeeper
